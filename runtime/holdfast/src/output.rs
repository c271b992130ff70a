//! The output of all actors, one whole line at a time and never through the middle of a prompt.
//!
//! Where the root's standard output or error is a terminal, it is replaced by a pipe, which all
//! actors inherit; a thread of the root reads it and writes to the terminal, above the prompt if one
//! is open. At the end the pipe is drained and the descriptors are what they were before.
//!
//! # Rules
//! 1. Two streams of one terminal have one pipe, so what is written in turn is shown in turn.
//! 2. The thread never blocks on the terminal: the terminal is opened anew for it, so that its
//!    writes can fail instead, and nobody else's writes do. Whoever prints waits for the terminal,
//!    as without the runtime.
//! 3. The end of a tree waits for a terminal that takes nothing, as the end of any program does, but
//!    not once somebody has told the tree to end: then what is not taken is lost.

mod waits;

pub(crate) use waits::{LastOutput, bounded};

use crate::error::{RuntimeError, failed};
use crate::prompt::{Printed, PromptSession};
use crate::signals::set_mask;
use crate::warden::{Chunk, LastingMemory};
use crate::words::PATIENCE;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use nix::sys::stat::{Mode, fstat};
use nix::unistd::{dup, dup2_stderr, dup2_stdout, isatty, pipe2, read, write};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the end looks whether somebody is in a hurry.
const LOOK: Duration = Duration::from_millis(20);

/// How long a process that stops waits for a terminal that takes nothing.
const MOMENT: Duration = Duration::from_secs(1);

/// The most that is written at once where a write could block.
const CAREFUL: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Output,
    Error,
}

/// A stream that is forwarded to a terminal.
pub(crate) struct Outlet {
    pipe: OwnedFd,
    terminal: Sink,
    /// What was read and is not written yet; the warden writes it when nobody else does.
    chunk: &'static Chunk,
    /// What a prompt that was closed left.
    left: Vec<u8>,
}

/// Streams that are ready to be forwarded.
pub(crate) struct PreparedStreams {
    outlets: Vec<Outlet>,
    originals: Vec<(Stream, OwnedFd)>,
    shared: &'static LastingMemory,
}

/// The relay of output.
pub(crate) struct OutputRelay {
    pipes: Vec<OwnedFd>,
    prompt: Mutex<Option<Arc<PromptSession>>>,
    shared: &'static LastingMemory,
    /// Whether what the terminal does not take is lost.
    abandoned: AtomicBool,
    /// How much is on its way that a prompt has left.
    left: AtomicUsize,
}

/// The relay's thread, to be ended.
pub(crate) struct Forwarder {
    relay: Arc<OutputRelay>,
    originals: Vec<(Stream, OwnedFd)>,
    stop: OwnedFd,
    ended: Receiver<()>,
}

impl OutputRelay {
    /// From now on output is printed above a prompt.
    pub(crate) fn above(&self, prompt: Arc<PromptSession>) {
        *self.prompt.lock().unwrap_or_else(PoisonError::into_inner) = Some(prompt);
    }

    /// Before this process stops: lets what is under way get to the terminal, unless that takes
    /// nothing.
    pub(crate) fn settle(&self) {
        let mut before = self.shared.progress.load(Ordering::Acquire);
        let mut since = Instant::now();
        while since.elapsed() < MOMENT && !self.is_settled() {
            std::thread::park_timeout(Duration::from_millis(1));
            let now = self.shared.progress.load(Ordering::Acquire);
            if now != before {
                (before, since) = (now, Instant::now());
            }
        }
    }

    fn is_settled(&self) -> bool {
        all_is_written(&self.pipes, self.shared) && self.left.load(Ordering::Acquire) == 0
    }

    /// From now on output goes straight to the terminal.
    pub(crate) fn direct(&self) {
        *self.prompt.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Shows output above the prompt; what no prompt takes is for the terminal itself.
    fn pass(&self, bytes: &[u8]) -> Option<Printed> {
        let prompt = self.prompt.lock().unwrap_or_else(PoisonError::into_inner);
        prompt.as_ref().map(|prompt| prompt.print(bytes))
    }
}

/// A terminal, to write to without waiting.
struct Sink {
    terminal: OwnedFd,
    /// The most that is written at once.
    most: usize,
}

impl Sink {
    /// The same terminal through a description of its own, which alone does not block.
    fn of(original: OwnedFd) -> Self {
        let path = format!("/proc/self/fd/{}", original.as_raw_fd());
        let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        match open(path.as_str(), flags, Mode::empty()) {
            Ok(terminal) => Self { terminal, most: usize::MAX },
            // Another user's terminal (su): what has room for a little takes a little.
            Err(_) => Self { terminal: original, most: CAREFUL },
        }
    }

    /// Writes what the terminal takes now.
    fn write(&self, pending: &[u8]) -> usize {
        let most = pending.len().min(self.most);
        match write(&self.terminal, &pending[..most]) {
            Ok(count) => count,
            Err(nix::Error::EINTR | nix::Error::EAGAIN) => 0,
            // A terminal that is gone takes nothing; nobody is left to be told.
            Err(_) => pending.len(),
        }
    }
}

/// How many bytes a pipe has. Async-signal-safe.
fn in_pipe(pipe: &OwnedFd) -> usize {
    let mut count: libc::c_int = 0;
    // SAFETY: the request writes a number to a live value.
    unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut count) };
    usize::try_from(count).unwrap_or(0)
}

/// Whether nothing is under way. Async-signal-safe.
fn all_is_written(pipes: &[OwnedFd], shared: &LastingMemory) -> bool {
    let waits = pipes.iter().any(|pipe| in_pipe(pipe) > 0);
    !waits && shared.chunks.iter().all(|chunk| chunk.pending().is_empty())
}

impl PreparedStreams {
    /// A second handle for each stream, for the warden.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub(crate) fn outlets(&self) -> Result<Vec<Outlet>, RuntimeError> {
        let copy = |outlet: &Outlet| {
            Ok(Outlet {
                pipe: outlet.pipe.try_clone()?,
                terminal: Sink {
                    terminal: outlet.terminal.terminal.try_clone()?,
                    ..outlet.terminal
                },
                chunk: outlet.chunk,
                left: Vec::new(),
            })
        };
        let copies: std::io::Result<_> = self.outlets.iter().map(copy).collect();
        copies.map_err(failed("keep an output"))
    }
}

impl PreparedStreams {
    /// Replaces those of the standard output and error that are terminals; none if neither is.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub(crate) fn prepare(shared: &'static LastingMemory) -> Result<Option<Self>, RuntimeError> {
        let mut outlets = Vec::new();
        let mut first: Option<(libc::dev_t, OwnedFd)> = None;
        let mut originals = Vec::new();
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let table = [(Stream::Output, out.as_fd()), (Stream::Error, err.as_fd())];
        for ((stream, fd), chunk) in table.into_iter().zip(&shared.chunks) {
            if !isatty(fd).unwrap_or(false) {
                continue;
            }
            let original = dup(fd).map_err(failed("keep an output"))?;
            let original = set_cloexec(original)?;
            let device = fstat(&original).map_err(failed("look at an output"))?.st_rdev;
            if let Some((same, write_end)) = &first
                && *same == device
            {
                replace(stream, write_end.as_fd())?;
                originals.push((stream, original));
                continue;
            }
            let (pipe, write_end) = pipe2(OFlag::O_CLOEXEC).map_err(failed("make a pipe"))?;
            replace(stream, write_end.as_fd())?;
            originals.push((stream, original.try_clone().map_err(failed("keep an output"))?));
            let terminal = Sink::of(original);
            first = Some((device, write_end));
            outlets.push(Outlet { pipe, terminal, chunk, left: Vec::new() });
        }
        let some = !outlets.is_empty();
        Ok(some.then_some(Self { outlets, originals, shared }))
    }

    /// PendingStarts to forward, in a thread.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub(crate) fn start(self) -> Result<(Forwarder, LastOutput), RuntimeError> {
        let Self { mut outlets, originals, shared } = self;
        let pipes: std::io::Result<_> = outlets.iter().map(|one| one.pipe.try_clone()).collect();
        let pipes = pipes.map_err(failed("keep an output"))?;
        let abandoned = AtomicBool::new(false);
        let own: std::io::Result<_> = outlets.iter().map(|one| one.pipe.try_clone()).collect();
        let own = own.map_err(failed("keep an output"))?;
        let relay = OutputRelay {
            pipes: own,
            prompt: Mutex::new(None),
            shared,
            abandoned,
            left: AtomicUsize::new(0),
        };
        let relay = Arc::new(relay);
        let (stopped, stop) = pipe2(OFlag::O_CLOEXEC).map_err(failed("make a pipe"))?;
        let (end, ended) = sync_channel(0);
        let (told, thread) = sync_channel(1);
        let to = Arc::clone(&relay);
        let run = move || {
            // Signals are the driver's; and in the background this one writes all the same.
            set_mask(&SigSet::all());
            let _ = told.send(nix::unistd::gettid().as_raw());
            forwarder(&to, &mut outlets, &stopped);
            drop(end);
        };
        let started = std::thread::Builder::new().name("output".to_owned()).spawn(run);
        started.map_err(failed("start a thread"))?;
        let waits = LastOutput { pipes, shared, forwarder: thread.recv().unwrap_or(0) };
        Ok((Forwarder { relay, originals, stop, ended }, waits))
    }
}

impl Forwarder {
    pub(crate) fn relay(&self) -> Arc<OutputRelay> {
        Arc::clone(&self.relay)
    }

    /// Gives the descriptors back and prints what is left in the pipes: all of it, unless somebody is
    /// in a hurry and the terminal takes nothing.
    pub(crate) fn end(self, in_a_hurry: impl Fn() -> bool) {
        use std::io::Write as _;
        let Self { relay, originals, stop, ended } = self;
        // A thread that prints into a pipe that nobody empties has the lock.
        let flush = || drop(std::io::stdout().flush());
        bounded("flush", flush, || relay.stands_still(&in_a_hurry));
        for (stream, original) in &originals {
            let _ = replace(*stream, original.as_fd());
        }
        drop(stop);
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
            if relay.stands_still(&in_a_hurry) {
                relay.abandoned.store(true, Ordering::Release);
                give_up(&originals);
            }
        }
    }
}

/// A process that ends writes what it has left to its standard output, and would wait there.
fn give_up(streams: &[(Stream, OwnedFd)]) {
    let nowhere = open("/dev/null", OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty());
    if let Ok(nowhere) = nowhere {
        streams.iter().for_each(|(stream, _)| drop(replace(*stream, nowhere.as_fd())));
    }
}

impl OutputRelay {
    /// Whether nothing moves for [`PATIENCE`] and somebody is in a hurry. Looks for so long.
    fn stands_still(&self, in_a_hurry: &impl Fn() -> bool) -> bool {
        let before = self.shared.progress.load(Ordering::Acquire);
        let begun = Instant::now();
        while in_a_hurry() {
            if self.shared.progress.load(Ordering::Acquire) != before {
                return false;
            }
            if begun.elapsed() > PATIENCE {
                return true;
            }
            std::thread::park_timeout(LOOK);
        }
        false
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

fn forwarder(relay: &OutputRelay, forwarded: &mut Vec<Outlet>, stopped: &OwnedFd) {
    let mut stopping = false;
    while !forwarded.is_empty() && !relay.abandoned.load(Ordering::Acquire) {
        let mut fds: Vec<_> = forwarded.iter().map(Outlet::awaits).collect();
        let waits = forwarded.iter().any(|one| !one.pending().is_empty());
        if !stopping {
            fds.push(PollFd::new(stopped.as_fd(), PollFlags::POLLIN));
        }
        // Once told to stop: what is there now, and no waiting for more.
        let timeout = match (stopping, waits) {
            (false, _) => PollTimeout::NONE,
            (true, true) => PollTimeout::from(LOOK.subsec_millis() as u16),
            (true, false) => PollTimeout::ZERO,
        };
        match poll(&mut fds, timeout) {
            Ok(0) if !waits => return,
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(_) => return,
        }
        let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(false)).collect();
        stopping |= ready.get(forwarded.len()).copied().unwrap_or(false);
        let mut ready = ready.into_iter();
        forwarded.retain_mut(|one| !ready.next().unwrap_or(false) || one.go_on(relay));
    }
}

impl Outlet {
    /// What is to be written next.
    fn pending(&self) -> &[u8] {
        if self.left.is_empty() { self.chunk.pending() } else { &self.left }
    }

    fn write(&mut self) -> usize {
        let count = self.terminal.write(self.pending());
        if self.left.is_empty() {
            self.chunk.wrote(count);
        } else {
            self.left.drain(..count);
        }
        count
    }

    fn read(&self) -> &[u8] {
        self.chunk.fill(in_pipe(&self.pipe), |bytes| read(&self.pipe, bytes).unwrap_or(0))
    }

    /// The descriptors of this stream.
    pub(crate) fn descriptors(&self) -> [libc::c_int; 2] {
        [self.pipe.as_raw_fd(), self.terminal.terminal.as_raw_fd()]
    }

    /// Writes what waits, or reads what is there, without waiting; false if neither was possible.
    pub(crate) fn step(&mut self) -> bool {
        if !self.pending().is_empty() {
            return self.write() > 0;
        }
        self.has_more() && !self.read().is_empty()
    }

    fn has_more(&self) -> bool {
        let mut fds = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)];
        let polled = poll(&mut fds, PollTimeout::ZERO);
        polled.is_ok() && fds[0].revents().is_some_and(|found| found.contains(PollFlags::POLLIN))
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.pending().is_empty() && !self.has_more()
    }

    /// More is read only when all is written: who prints waits for the terminal.
    fn awaits(&self) -> PollFd<'_> {
        match self.pending().is_empty() {
            true => PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN),
            false => PollFd::new(self.terminal.terminal.as_fd(), PollFlags::POLLOUT),
        }
    }

    /// Reads or writes, whichever [`Outlet::awaits`] is for; false at the end.
    fn go_on(&mut self, relay: &OutputRelay) -> bool {
        let moved = if self.pending().is_empty() {
            let bytes = self.read();
            let (count, passed) = (bytes.len(), relay.pass(bytes));
            if count == 0 {
                return false;
            }
            match passed {
                // Most terminals take it at once.
                None => {
                    self.write();
                }
                Some(Printed::Above) => self.chunk.clear(),
                Some(Printed::Left(text)) => {
                    relay.left.store(text.len(), Ordering::Release);
                    self.chunk.clear();
                    self.left = text.into_bytes();
                }
            }
            count
        } else {
            let count = self.write();
            relay.left.store(self.left.len(), Ordering::Release);
            count
        };
        relay.shared.progress.fetch_add(moved as u64, Ordering::AcqRel);
        true
    }
}
