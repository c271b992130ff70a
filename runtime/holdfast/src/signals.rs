//! Signals: blocked in every thread, read by the driver with their sender, given back at the end.
//!
//! No handler is installed anywhere, so no memory is shared with one: signalfd(2) tells what came
//! and from where (`ssi_code`). A terminal's signal comes from the kernel (`SI_KERNEL`).
//!
//! # Rules
//! 1. Blocked before the first thread starts, or a thread could take one the default way.
//! 2. A signal that was ignored when the program started (nohup(1), a background job of a shell
//!    without job control) stays ignored.

use crate::error::{RuntimeError, failed};
use holdfast_protocol::{Origin, Signal as Kind};
use nix::errno::Errno;
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, pthread_sigmask, sigaction,
    sigprocmask,
};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::io;
use std::time::Instant;
use tokio::io::unix::AsyncFd;

/// What the driver reads.
const READ: [Signal; 10] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGTSTP,
    Signal::SIGCONT,
    Signal::SIGWINCH,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGCHLD,
];

/// What is blocked beside it: an actor in the background may set terminal modes all the same.
const BLOCKED: [Signal; 2] = [Signal::SIGTTOU, Signal::SIGTTIN];

/// A signal, as the driver takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// One that the protocol decides on.
    Decide(Kind, Origin),
    /// SIGTSTP: stop the tree; and when it was read.
    Stop(Instant),
    /// SIGCONT.
    Continue,
    /// SIGUSR1: dump the tree.
    Dump,
    /// SIGCHLD: look for orphans.
    Child,
}

/// The mask from before, and what was ignored then.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    mask: SigSet,
    ignored: Vec<Signal>,
}

impl Before {
    /// Blocks everything that the driver reads, in this thread and all that it starts.
    ///
    /// # Errors
    /// If the kernel refuses, or if other threads run already.
    pub(crate) fn block() -> Result<Self, RuntimeError> {
        let threads = std::fs::read_dir("/proc/self/task").map_err(failed("count the threads"))?;
        if threads.count() > 1 {
            return Err(RuntimeError::Threads);
        }
        let mut mask = SigSet::empty();
        let all: SigSet = READ.into_iter().chain(BLOCKED).collect();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&all), Some(&mut mask))
            .map_err(failed("block signals"))?;
        Ok(Self { mask, ignored: READ.into_iter().filter(|signal| is_ignored(*signal)).collect() })
    }

    /// What an actor has from its supervisor: everything is blocked, and foreign programs get the
    /// default.
    pub(crate) fn inherited() -> Self {
        let ignored = READ.into_iter().filter(|signal| is_ignored(*signal)).collect();
        Self { mask: SigSet::empty(), ignored }
    }

    /// Gives the mask back that was there before. What came too late to be read is thrown away:
    /// the tree that it was meant for has ended.
    pub(crate) fn restore(&self) {
        for signal in READ {
            discard(signal);
        }
        let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&self.mask), None);
    }

    /// The mask from before, for foreign programs.
    pub(crate) fn mask(&self) -> SigSet {
        self.mask
    }

    fn was_ignored(&self, signal: Signal) -> bool {
        self.ignored.contains(&signal)
    }
}

/// Whether a SIGCONT has come that the driver has not read.
pub(crate) fn continues() -> bool {
    let mut pending = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigpending(2) writes a set into space of its size.
    let asked = unsafe { libc::sigpending(pending.as_mut_ptr()) };
    // SAFETY: the call succeeded, so the set is written.
    asked == 0 && unsafe { libc::sigismember(pending.as_ptr(), libc::SIGCONT) == 1 }
}

/// Throws a pending signal away: the kernel does when it is set to be ignored (sigaction(2)).
fn discard(signal: Signal) {
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is installed here, and the old disposition was valid.
    unsafe {
        if let Ok(before) = sigaction(signal, &ignore) {
            let _ = sigaction(signal, &before);
        }
    }
}

fn is_ignored(signal: Signal) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: sigaction(2) with a null new action only writes the old one, into space of its size.
    let asked = unsafe { libc::sigaction(signal as i32, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: the call succeeded, so the action is written.
    asked == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}

/// Ends this process the way the default disposition of a signal does.
pub(crate) fn die_of(signal: Option<Kind>) {
    let signal = match signal {
        Some(Kind::Hangup) => Signal::SIGHUP,
        Some(Kind::Quit) => Signal::SIGQUIT,
        Some(Kind::Interrupt) => Signal::SIGINT,
        Some(Kind::Terminate) | None => Signal::SIGTERM,
    };
    let _ = nix::sys::signal::raise(signal);
    let _ = pthread_sigmask(SigmaskHow::SIG_UNBLOCK, Some(&signal.into()), None);
}

/// The signals that come.
pub(crate) struct Signals {
    fd: AsyncFd<SignalFd>,
    before: Before,
}

impl Signals {
    /// Starts to read. The signals must be blocked.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(crate) fn new(before: Before) -> Result<Self, RuntimeError> {
        let read: SigSet = READ.into_iter().collect();
        let fd = SignalFd::with_flags(&read, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map_err(failed("read signals"))?;
        // SAFETY: a `SignalFd` owns its descriptor, and keeps it for as long as it lives.
        let fd = unsafe { AsyncFd::register(fd) }.map_err(failed("watch for signals"))?;
        Ok(Self { fd, before })
    }

    /// The next one.
    ///
    /// # Errors
    /// If the descriptor fails, which it does not.
    pub(crate) async fn take(&self) -> io::Result<Taken> {
        loop {
            let mut ready = self.fd.readable().await?;
            match ready.get_inner().read_signal() {
                Ok(Some(info)) => {
                    if let Some(taken) = self.understand(&info) {
                        return Ok(taken);
                    }
                }
                Ok(None) | Err(Errno::EAGAIN) => ready.clear_ready(),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn understand(&self, info: &nix::sys::signalfd::siginfo) -> Option<Taken> {
        let signal = Signal::try_from(i32::try_from(info.ssi_signo).ok()?).ok()?;
        if self.before.was_ignored(signal) && signal != Signal::SIGCHLD {
            return None;
        }
        let origin =
            if info.ssi_code == libc::SI_KERNEL { Origin::Terminal } else { Origin::Process };
        match signal {
            Signal::SIGINT => Some(Taken::Decide(Kind::Interrupt, origin)),
            Signal::SIGTERM => Some(Taken::Decide(Kind::Terminate, origin)),
            Signal::SIGHUP => Some(Taken::Decide(Kind::Hangup, origin)),
            Signal::SIGQUIT => Some(Taken::Decide(Kind::Quit, origin)),
            Signal::SIGTSTP => Some(Taken::Stop(Instant::now())),
            Signal::SIGCONT => Some(Taken::Continue),
            Signal::SIGUSR1 => Some(Taken::Dump),
            Signal::SIGCHLD => Some(Taken::Child),
            _ => None,
        }
    }
}
