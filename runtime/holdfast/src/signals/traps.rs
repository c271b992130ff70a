//! SIGTRAP, while a debugger may trace this process.
//!
//! A thread that has hit a breakpoint is about to be given a SIGTRAP, and a tracer that is killed then
//! leaves it to that, which would be its end. A handler that does nothing outlives it. (Ignored it
//! must not be: the kernel takes that back at the first breakpoint.)

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::sync::{Mutex, PoisonError};

static BEFORE: Mutex<Option<SigAction>> = Mutex::new(None);

extern "C" fn nothing(_: libc::c_int) {}

/// Outlives a SIGTRAP from here on.
pub(crate) fn outlive_traps() {
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    if before.is_none() {
        let handler = SigHandler::Handler(nothing);
        let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
        // SAFETY: the handler does nothing.
        *before = unsafe { sigaction(Signal::SIGTRAP, &action) }.ok();
    }
}

/// Does with a SIGTRAP as before.
pub(crate) fn meet_traps_as_before() {
    if let Some(action) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // SAFETY: this is the disposition that the process had before.
        let _ = unsafe { sigaction(Signal::SIGTRAP, &action) };
    }
}
