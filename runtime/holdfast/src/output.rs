//! The output of all actors, one whole line at a time and never through the middle of a prompt.
//!
//! Where the root's standard output or error is a terminal, it is replaced by a pipe, which all
//! actors inherit; a thread of the root reads it and writes to the terminal, above the prompt if one
//! is open. At the end the pipe is drained and the descriptors are what they were before.

use crate::error::{RuntimeError, failed};
use crate::prompt::PromptSession;
use crate::signals::{Held, set_mask};
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use nix::unistd::{dup, dup2_stderr, dup2_stdout, isatty, pipe2, read, write};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Output,
    Error,
}

struct ForwardedStream {
    original: OwnedFd,
    pipe: OwnedFd,
}

/// Writes to the standard error in one piece, as `eprint!` does not: all actors share it, and what
/// another one writes would come between.
pub(crate) fn write_error(text: &str) {
    use std::io::Write as _;
    let _held = Held::background();
    // Nobody is left to be told.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// The relay of output.
pub(crate) struct OutputRelay {
    prompt: Mutex<Option<Arc<PromptSession>>>,
}

/// The relay's thread, to be ended.
pub(crate) struct Forwarder {
    relay: Arc<OutputRelay>,
    originals: Vec<(Stream, OwnedFd)>,
    stop: OwnedFd,
    thread: JoinHandle<()>,
}

impl OutputRelay {
    /// From now on output is printed above a prompt.
    pub(crate) fn above(&self, prompt: Arc<PromptSession>) {
        *self.prompt.lock().unwrap_or_else(PoisonError::into_inner) = Some(prompt);
    }

    /// From now on output goes straight to the terminal.
    pub(crate) fn direct(&self) {
        *self.prompt.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn pass(&self, to: BorrowedFd<'_>, bytes: &[u8]) {
        let prompt = self.prompt.lock().unwrap_or_else(PoisonError::into_inner);
        match prompt.as_ref() {
            Some(prompt) => prompt.print(bytes),
            None => write_all(to, bytes),
        }
    }
}

fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match write(to, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(nix::Error::EINTR) => {}
            // A terminal that is gone takes nothing; nobody is left to be told.
            Err(_) => return,
        }
    }
}

impl Forwarder {
    /// Replaces those of the standard output and error that are terminals; none if neither is.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub(crate) fn start() -> Result<Option<Self>, RuntimeError> {
        let mut forwarded = Vec::new();
        let mut originals = Vec::new();
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let table = [(Stream::Output, out.as_fd()), (Stream::Error, err.as_fd())];
        for (stream, fd) in table {
            if !isatty(fd).unwrap_or(false) {
                continue;
            }
            let original = dup(fd).map_err(failed("keep an output"))?;
            let original = set_cloexec(original)?;
            let (pipe, write_end) = pipe2(OFlag::O_CLOEXEC).map_err(failed("make a pipe"))?;
            replace(stream, write_end.as_fd())?;
            originals.push((stream, original.try_clone().map_err(failed("keep an output"))?));
            forwarded.push(ForwardedStream { original, pipe });
        }
        if forwarded.is_empty() {
            return Ok(None);
        }
        let relay = Arc::new(OutputRelay { prompt: Mutex::new(None) });
        let (stopped, stop) = pipe2(OFlag::O_CLOEXEC).map_err(failed("make a pipe"))?;
        let to = Arc::clone(&relay);
        let run = move || {
            // Signals are the driver's; and in the background this one writes all the same.
            set_mask(&SigSet::all());
            forwarder(&to, &mut forwarded, &stopped);
        };
        let thread = std::thread::Builder::new().name("output".to_owned()).spawn(run);
        let thread = thread.map_err(failed("start a thread"))?;
        Ok(Some(Self { relay, originals, stop, thread }))
    }

    pub(crate) fn relay(&self) -> Arc<OutputRelay> {
        Arc::clone(&self.relay)
    }

    /// Gives the descriptors back and prints what is left in the pipes.
    pub(crate) fn end(self) {
        use std::io::Write as _;
        let _ = std::io::stdout().flush();
        for (stream, original) in &self.originals {
            let _ = replace(*stream, original.as_fd());
        }
        drop(self.stop);
        let _ = self.thread.join();
    }
}

fn set_cloexec(fd: OwnedFd) -> Result<OwnedFd, RuntimeError> {
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(failed("keep an output"))?;
    Ok(fd)
}

fn replace(stream: Stream, by: BorrowedFd<'_>) -> Result<(), RuntimeError> {
    match stream {
        Stream::Output => dup2_stdout(by),
        Stream::Error => dup2_stderr(by),
    }
    .map_err(failed("replace an output"))
}

fn forwarder(relay: &OutputRelay, forwarded: &mut Vec<ForwardedStream>, stopped: &OwnedFd) {
    let mut stopping = false;
    while !forwarded.is_empty() {
        let mut fds: Vec<_> =
            forwarded.iter().map(|one| PollFd::new(one.pipe.as_fd(), PollFlags::POLLIN)).collect();
        fds.push(PollFd::new(stopped.as_fd(), PollFlags::POLLIN));
        // Once told to stop: what is there now, and no waiting for more.
        let timeout = if stopping { PollTimeout::ZERO } else { PollTimeout::NONE };
        match poll(&mut fds, timeout) {
            Ok(0) => return,
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(_) => return,
        }
        let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(false)).collect();
        stopping |= ready.last().copied().unwrap_or(false);
        let mut any = false;
        let mut index = 0;
        forwarded.retain(|one| {
            index += 1;
            if !ready[index - 1] {
                return true;
            }
            let mut bytes = [0; 16 << 10];
            match read(&one.pipe, &mut bytes) {
                Ok(0) => false,
                Ok(count) => {
                    any = true;
                    relay.pass(one.original.as_fd(), &bytes[..count]);
                    true
                }
                Err(_) => true,
            }
        });
        if stopping && !any {
            return;
        }
    }
}
