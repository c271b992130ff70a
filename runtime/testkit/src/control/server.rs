//! The test's side: listens, keeps what was said and ordered in one log, and waits for more of it.

use super::{ActorEvent, Instruction, VARIABLE};
use crate::{PATIENCE, lines};
use std::fmt;
use std::io::{self, BufReader};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What can go wrong with instructions.
#[derive(thiserror::Error)]
pub enum ControlError {
    /// What was waited for did not come, or cannot come any longer.
    #[error("failed to hear {what}: {why}\nlog:\n{log}")]
    Unheard {
        /// What was waited for.
        what: String,
        /// The deadline, or an end.
        why: String,
        /// All that was heard and ordered.
        log: String,
    },
    /// An actor is not there to be told anything.
    #[error("failed to tell {actor} to {instruction:?}: {source}")]
    Untold {
        /// The actor.
        actor: String,
        /// The order.
        instruction: Instruction,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
}

/// As it is displayed: it spans lines, and a test that unwraps it must be legible.
impl fmt::Debug for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

type Result<T, E = ControlError> = std::result::Result<T, E>;

/// One thing that happened between an actor and the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlLine {
    /// The actor said this.
    Said(ActorEvent),
    /// The test ordered this.
    Instructed(Instruction),
    /// The actor said something that is not an event.
    Garbled(String),
    /// The connection has ended, and with it the process, as a rule.
    Gone,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlEntry {
    /// Its number; counts from 0 over all actors.
    pub at: usize,
    /// Which connection: an actor that was started again has another one.
    pub connection: usize,
    /// Where the actor is in the tree; `?` before it said so.
    pub actor: String,
    /// What happened.
    pub line: ControlLine,
}

impl fmt::Display for ControlEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, connection, actor, line } = self;
        write!(f, "{at:>5}  {connection}:{actor}  ")?;
        match line {
            ControlLine::Said(event) => write!(f, "-> {event:?}"),
            ControlLine::Instructed(instruction) => write!(f, "<- {instruction:?}"),
            ControlLine::Garbled(line) => write!(f, "?? {line}"),
            ControlLine::Gone => f.write_str("gone"),
        }
    }
}

/// The test's end of all connections.
pub struct ControlServer {
    folder: TempDir,
    log: Arc<ControlLog>,
    listener: Option<JoinHandle<()>>,
}

/// One actor that is, or was, connected.
#[derive(Clone)]
pub struct ActorHandle {
    log: Arc<ControlLog>,
    connection: usize,
    path: String,
    pid: i32,
}

impl ControlServer {
    /// Listens on a socket in a fresh folder.
    ///
    /// # Errors
    /// The folder or the socket cannot be made.
    pub fn open() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("holdfast-").tempdir()?;
        let listener = UnixListener::bind(folder.path().join("control"))?;
        let log = Arc::new(ControlLog::default());
        let thread = thread::spawn({
            let log = Arc::clone(&log);
            move || listen(&log, &listener)
        });
        Ok(Self { folder, log, listener: Some(thread) })
    }

    /// How long a wait takes before it fails; [`PATIENCE`] without this.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        self.log.lock().patience = patience;
        self
    }

    /// The variable for the environment of the tree, and its value.
    #[must_use]
    pub fn variable(&self) -> (&'static str, String) {
        (VARIABLE, self.path().display().to_string())
    }

    /// The path of the socket.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    /// Waits for the actor at this place of the tree; of several in turn, the last one.
    ///
    /// # Errors
    /// The wait times out.
    pub fn wait_actor(&self, path: &str) -> Result<ActorHandle> {
        let find = |state: &LogState| {
            state.log.iter().rev().find(|one| says(one, |at| at == path)).cloned()
        };
        let entry = self.log.wait(&format!("of {path}"), |state| find(state).map(Ok))?;
        Ok(self.actor(entry))
    }

    /// Waits for the hello that comes after so many others with this beginning.
    ///
    /// # Errors
    /// The wait times out.
    pub fn wait_hello(&self, beginning: &str, before: usize) -> Result<ActorHandle> {
        let entry = self.log.wait(&format!("of {beginning}"), |state| {
            let mut said = state.log.iter().filter(|one| says(one, |at| at.starts_with(beginning)));
            said.nth(before).cloned().map(Ok)
        })?;
        Ok(self.actor(entry))
    }

    fn actor(&self, hello: ControlEntry) -> ActorHandle {
        let pid = match hello.line {
            ControlLine::Said(ActorEvent::Hello { pid, .. }) => pid,
            other => unreachable!("{other:?} was found by its being a hello"),
        };
        let (log, connection) = (Arc::clone(&self.log), hello.connection);
        ActorHandle { log, connection, path: hello.actor, pid }
    }

    /// Waits for the first entry of the log, of whichever actor, that is like that.
    ///
    /// # Errors
    /// There is none in time.
    pub fn wait_event(
        &self,
        what: &str,
        like: impl Fn(&ControlEntry) -> bool,
    ) -> Result<ControlEntry> {
        let find =
            |state: &mut LogState| state.log.iter().find(|entry| like(entry)).cloned().map(Ok);
        self.log.wait(what, find)
    }

    /// Waits until the log is like that; it is looked at whenever it has grown, as a whole.
    ///
    /// # Errors
    /// The wait times out.
    pub fn wait_log<T>(
        &self,
        what: &str,
        patience: Duration,
        mut find: impl FnMut(&[ControlEntry]) -> Option<T>,
    ) -> Result<T> {
        self.log.wait_for(what, patience, |state| find(&state.log).map(Ok))
    }

    /// All that has happened so far, in its order.
    #[must_use]
    pub fn log(&self) -> Vec<ControlEntry> {
        self.log.lock().log.clone()
    }
}

/// Whether this is the hello of an actor at such a place.
fn says(entry: &ControlEntry, like: impl Fn(&str) -> bool) -> bool {
    match &entry.line {
        ControlLine::Said(ActorEvent::Hello { actor, .. }) => like(actor),
        ControlLine::Said(_)
        | ControlLine::Instructed(_)
        | ControlLine::Garbled(_)
        | ControlLine::Gone => false,
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.log.lock().open = Listening::No;
        // The listener looks at the log after each connection: this is the last.
        let woken = UnixStream::connect(self.path());
        for stream in &self.log.lock().streams {
            // It fails where the actor is gone already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let (Ok(_), Some(listener)) = (woken, self.listener.take()) {
            let _ = listener.join();
        }
        if thread::panicking() {
            eprintln!("--- the control of a failed test ---\n{}", self.log.lock().dump());
        }
    }
}

impl ActorHandle {
    /// Its place in the tree.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Gives an instruction; does not wait for what it leads to.
    ///
    /// # Errors
    /// The actor is gone.
    pub fn send(&self, instruction: Instruction) -> Result<()> {
        let untold = |source| ControlError::Untold {
            actor: self.path.clone(),
            instruction: instruction.clone(),
            source,
        };
        let stream = self.log.tell(self.connection, &self.path, &instruction).map_err(untold)?;
        lines::write(&stream, &instruction).map_err(untold)
    }

    /// Waits for its first event that is like that.
    ///
    /// # Errors
    /// There is none in time, or it has gone.
    pub fn wait(&self, what: &str, like: impl Fn(&ActorEvent) -> bool) -> Result<ActorEvent> {
        self.log.wait(&format!("{what} from {}", self.path), |state| {
            let mut of_it = state.of(self.connection);
            let found = of_it.find_map(|line| match line {
                ControlLine::Said(event) if like(event) => Some(event.clone()),
                ControlLine::Said(_)
                | ControlLine::Instructed(_)
                | ControlLine::Garbled(_)
                | ControlLine::Gone => None,
            });
            let gone = || state.of(self.connection).any(|line| *line == ControlLine::Gone);
            found.map(Ok).or_else(|| gone().then(|| Err("it has gone".to_owned())))
        })
    }

    /// Waits for exactly this event.
    ///
    /// # Errors
    /// The wait times out, or the actor has gone.
    pub fn wait_for(&self, event: &ActorEvent) -> Result<()> {
        self.wait(&format!("{event:?}"), |said| said == event).map(|_| ())
    }

    /// Waits for the end of its connection: the process has ended, however.
    ///
    /// # Errors
    /// The wait times out.
    pub fn wait_gone(&self) -> Result<()> {
        self.log.wait(&format!("the end of {}", self.path), |state| {
            state.of(self.connection).any(|line| *line == ControlLine::Gone).then_some(Ok(()))
        })
    }

    /// What it has said so far, in its order.
    #[must_use]
    pub fn events(&self) -> Vec<ActorEvent> {
        let state = self.log.lock();
        let said = state.of(self.connection).filter_map(|line| match line {
            ControlLine::Said(event) => Some(event.clone()),
            ControlLine::Instructed(_) | ControlLine::Garbled(_) | ControlLine::Gone => None,
        });
        said.collect()
    }
}

/// Whether connections are still taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listening {
    Yes,
    No,
}

struct LogState {
    log: Vec<ControlEntry>,
    /// By number of the connection.
    streams: Vec<UnixStream>,
    open: Listening,
    patience: Duration,
}

impl LogState {
    fn of(&self, connection: usize) -> impl Iterator<Item = &ControlLine> {
        let log = self.log.iter().filter(move |entry| entry.connection == connection);
        log.map(|entry| &entry.line)
    }

    fn dump(&self) -> String {
        self.log.iter().map(|entry| format!("{entry}\n")).collect()
    }

    fn add(&mut self, connection: usize, actor: &str, line: ControlLine) {
        let at = self.log.len();
        self.log.push(ControlEntry { at, connection, actor: actor.to_owned(), line });
    }
}

/// The log, and what wakes those who wait for it to grow.
struct ControlLog {
    state: Mutex<LogState>,
    changed: Condvar,
}

impl Default for ControlLog {
    fn default() -> Self {
        let (log, streams) = (Vec::new(), Vec::new());
        let state = LogState { log, streams, open: Listening::Yes, patience: PATIENCE };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl ControlLog {
    /// A test's closure may panic while it looks; the log stays sound.
    fn lock(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, connection: usize, actor: &str, line: ControlLine) {
        self.lock().add(connection, actor, line);
        self.changed.notify_all();
    }

    /// Notes an instruction before it is written, so that what it leads to stands behind it.
    fn tell(
        &self,
        connection: usize,
        actor: &str,
        instruction: &Instruction,
    ) -> io::Result<UnixStream> {
        let mut state = self.lock();
        state.add(connection, actor, ControlLine::Instructed(instruction.clone()));
        state.streams[connection].try_clone()
    }

    fn wait<T>(
        &self,
        what: &str,
        find: impl FnMut(&mut LogState) -> Option<Result<T, String>>,
    ) -> Result<T> {
        let patience = self.lock().patience;
        self.wait_for(what, patience, find)
    }

    fn wait_for<T>(
        &self,
        what: &str,
        patience: Duration,
        mut find: impl FnMut(&mut LogState) -> Option<Result<T, String>>,
    ) -> Result<T> {
        let mut state = self.lock();
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let why = match find(&mut state) {
                Some(Ok(found)) => return Ok(found),
                Some(Err(why)) => why,
                None if left.is_zero() => format!("not within {patience:?}"),
                None => {
                    let woken = self.changed.wait_timeout(state, left);
                    state = woken.unwrap_or_else(PoisonError::into_inner).0;
                    continue;
                }
            };
            return Err(ControlError::Unheard { what: what.to_owned(), why, log: state.dump() });
        }
    }
}

fn listen(log: &Arc<ControlLog>, listener: &UnixListener) {
    while let Ok((stream, _)) = listener.accept() {
        let mut state = log.lock();
        // Without a second descriptor nobody could be told anything: the actor sees the end.
        let (Listening::Yes, Ok(kept)) = (state.open, stream.try_clone()) else { return };
        let connection = state.streams.len();
        state.streams.push(kept);
        drop(state);
        let log = Arc::clone(log);
        thread::spawn(move || follow(&log, connection, stream));
    }
}

fn follow(log: &ControlLog, connection: usize, stream: UnixStream) {
    let mut actor = "?".to_owned();
    let mut stream = BufReader::new(stream);
    loop {
        match lines::read::<ActorEvent>(&mut stream) {
            Ok(Some(event)) => {
                if let ActorEvent::Hello { actor: path, .. } = &event {
                    actor.clone_from(path);
                }
                log.add(connection, &actor, ControlLine::Said(event));
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                log.add(connection, &actor, ControlLine::Garbled(error.to_string()));
            }
            Ok(None) | Err(_) => break,
        }
    }
    log.add(connection, &actor, ControlLine::Gone);
}
