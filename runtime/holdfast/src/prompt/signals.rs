//! The mask of the editor's thread and the disposition of SIGINT.
//!
//! Runs in the editor's thread. The threads of the prompt have all signals blocked: they start no
//! program that would inherit that. The line editor wants SIGWINCH as a signal, and SIGINT is what
//! wakes it, so both are open in this thread while it reads a line, and only then. A SIGINT of
//! anybody else is the driver's, whose handler stands in for the line editor's.
//!
//! ```text
//!   blocked --first paint of the prompt: the line editor's handlers are in place--> open
//!   open    --the line editor has returned--> blocked
//! ```
//!
//! # Rules
//! 1. While SIGINT is open in this thread its disposition is never the default: between the line
//!    editor's handler and the mask stands the driver's, or where there is no driver the one of
//!    [`Harmless`], which only takes a note.
//! 2. [`wake_up`] is never lost: the signal stays pending while it is blocked.

use nix::sys::pthread::{Pthread, pthread_kill};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, pthread_sigmask, sigaction,
};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Blocks every signal in this thread.
pub(super) fn block_all() {
    set(SigmaskHow::SIG_BLOCK, &SigSet::all());
}

/// Opens what the line editor waits for.
pub(super) fn open() {
    crate::signals::share_with_editor();
    set(SigmaskHow::SIG_UNBLOCK, &of_editor());
}

/// Blocks it again.
pub(super) fn shut() {
    set(SigmaskHow::SIG_BLOCK, &of_editor());
}

fn of_editor() -> SigSet {
    SigSet::from_iter([Signal::SIGINT, Signal::SIGWINCH])
}

fn set(how: SigmaskHow, signals: &SigSet) {
    // It fails only for a value of `how` that does not exist.
    let _ = pthread_sigmask(how, Some(signals), None);
}

/// Wakes the line editor in a thread that has not ended.
pub(super) fn wake_up(thread: Pthread) {
    // It fails only if the thread has ended, and then nobody is to be woken.
    let _ = pthread_kill(thread, Signal::SIGINT);
}

/// How many signals the harmless handler has seen.
static SPURIOUS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn spurious(_: libc::c_int) {
    SPURIOUS.fetch_add(1, Ordering::SeqCst);
}

/// Stands in for the default disposition of SIGINT until it is dropped.
#[derive(Debug)]
pub(super) struct Harmless {
    before: Option<SigAction>,
}

impl Harmless {
    /// Installs the handler, unless the driver has one.
    pub(super) fn install() -> io::Result<Self> {
        if crate::signals::are_handled() {
            return Ok(Self { before: None });
        }
        let handler = SigHandler::Handler(spurious);
        let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
        // SAFETY: the handler adds to an atomic and does nothing else.
        let before = unsafe { sigaction(Signal::SIGINT, &action)? };
        Ok(Self { before: Some(before) })
    }
}

impl Drop for Harmless {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // SAFETY: this is the disposition that the process had before.
            let _ = unsafe { sigaction(Signal::SIGINT, before) };
        }
    }
}

/// How many spurious SIGINTs there were since the last call.
pub(super) fn take_spurious() -> usize {
    SPURIOUS.swap(0, Ordering::SeqCst)
}

/// What was pending when the editor had returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PendingInterrupt {
    /// Nothing, or our own wake-ups.
    Nothing,
    /// A SIGINT of somebody else.
    Foreign,
}

/// Takes our own wake-ups back that came too late. Called with SIGINT blocked.
pub(super) fn take_wake_ups() -> PendingInterrupt {
    let interrupt = SigSet::from_iter([Signal::SIGINT]);
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let mut found = PendingInterrupt::Nothing;
    loop {
        // SAFETY: a siginfo_t of zeros is valid; the call fills it in.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: all three point to live values of their types.
        let taken =
            unsafe { libc::sigtimedwait(interrupt.as_ref(), &raw mut info, &raw const now) };
        if taken != libc::SIGINT {
            return found;
        }
        // SAFETY: a signal of a process has that field, and one of the kernel has zero there.
        let sender = unsafe { info.si_pid() };
        // Not by `si_code`: Linux 6.18 says SI_USER for a signal to a thread, too (measured).
        if sender.unsigned_abs() != std::process::id() {
            found = PendingInterrupt::Foreign;
        }
    }
}
