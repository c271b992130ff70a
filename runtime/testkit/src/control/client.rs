//! The actor's side: blocking, on plain threads, so that it takes no side in what an actor runs on.

use super::{ActorEvent, Instruction, VARIABLE};
use crate::lines;
use std::env;
use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The connection of one actor to the test.
#[derive(Debug)]
pub struct ControlClient {
    control: BufReader<UnixStream>,
    events: EventSender,
}

impl ControlClient {
    /// Connects to the test that started the tree; none if no test did.
    ///
    /// # Errors
    /// The variable is set and nobody listens there.
    pub fn connect_from_env() -> io::Result<Option<Self>> {
        env::var_os(VARIABLE).map(|path| Self::connect(Path::new(&path))).transpose()
    }

    /// Connects to the test that listens at this path.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        let events = EventSender { stream: Arc::new(Mutex::new(stream.try_clone()?)) };
        Ok(Self { control: BufReader::new(stream), events })
    }

    /// Says which actor this process is; to be called first.
    ///
    /// # Errors
    /// The test is gone.
    pub fn hello(&self, actor: impl Into<String>) -> io::Result<()> {
        let pid = nix::unistd::getpid().as_raw();
        self.send(&ActorEvent::Hello { pid, actor: actor.into() })
    }

    /// Waits for the next order; none when the test is gone.
    ///
    /// # Errors
    /// The line is not an instruction (`InvalidData`), or the socket fails.
    pub fn recv(&mut self) -> io::Result<Option<Instruction>> {
        lines::read(&mut self.control)
    }

    /// Says something.
    ///
    /// # Errors
    /// The test is gone.
    pub fn send(&self, event: &ActorEvent) -> io::Result<()> {
        self.events.send(event)
    }

    /// The way up alone, for other threads.
    #[must_use]
    pub fn events(&self) -> EventSender {
        self.events.clone()
    }
}

/// The way up: what one actor says, from any of its threads.
#[derive(Clone, Debug)]
pub struct EventSender {
    stream: Arc<Mutex<UnixStream>>,
}

impl EventSender {
    /// Says something.
    ///
    /// # Errors
    /// The test is gone.
    pub fn send(&self, event: &ActorEvent) -> io::Result<()> {
        // A line is written whole or the stream is at its end, so a panic elsewhere tears nothing.
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        lines::write(&*stream, event)
    }
}
