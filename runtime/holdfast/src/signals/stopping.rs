//! How this process stops: as it would have stopped before the tree.

use super::{BEFORE, CONTINUE_CAME, disposition, index_of, monotonic};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::sync::atomic::Ordering;

/// Whether a stop signal stopped this process before the tree: nobody had it ignored.
pub(crate) fn stops_for(signal: Signal) -> bool {
    let before = BEFORE.load(Ordering::Acquire);
    let now = match index_of(signal as libc::c_int) {
        // SAFETY: the table is never freed, and was written before the first handler was there.
        Some(index) if !before.is_null() => unsafe { (*before)[index] },
        _ => disposition(signal),
    };
    now.sa_sigaction != libc::SIG_IGN
}

/// Stops this process as the default of a stop signal does, which is not at all in an orphaned
/// process group. The rest of the group is stopped first, if it is to be.
pub(crate) fn stop_by_default(signal: Signal, rest: StopReach) {
    let before = disposition(signal);
    let stand_in = |handler| {
        let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
        // SAFETY: neither of the two dispositions is a handler.
        let _ = unsafe { sigaction(signal, &action) };
    };
    let begun = monotonic();
    if rest == StopReach::Group {
        stand_in(SigHandler::SigIgn);
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(0), signal);
    }
    // Who has let the others go on already, lets this process go on.
    if CONTINUE_CAME.load(Ordering::Acquire) < begun {
        stand_in(SigHandler::SigDfl);
        let _ = nix::sys::signal::raise(signal);
    }
    // SAFETY: this is the disposition that was there.
    unsafe { libc::sigaction(signal as libc::c_int, &raw const before, std::ptr::null_mut()) };
}

/// How far a stop reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReach {
    /// This process, and what is below it: whoever sent the signal has told the others.
    Process,
    /// The whole process group.
    Group,
}
