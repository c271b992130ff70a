//! What a root does in its last moment where it ends itself: `exit`, abort, a fault.
//!
//! An exit handler and handlers of the signals of faults put the terminal back, and wait for the
//! output that is under way, as long as somebody takes it. A shell that runs again finds the terminal
//! as it was, and the last words above its prompt.
//!
//! # Rules
//! 1. The handlers touch atomics and make calls that are async-signal-safe, nothing else.
//! 2. What was done about the signal before is done afterwards, with what the kernel said of it.
//! 3. A copy of the process does none of this.

use super::LastingMemory;
use crate::output::LastOutput;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

/// The signals of faults.
const FAULTS: [Signal; 6] = [
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGILL,
    Signal::SIGFPE,
    Signal::SIGABRT,
    Signal::SIGSYS,
];

/// The root whose last act this is, or none.
static OWNER: AtomicI32 = AtomicI32::new(0);

static ACT: AtomicPtr<Act> = AtomicPtr::new(std::ptr::null_mut());

/// The dispositions from before, in the order of [`FAULTS`].
static BEFORE: AtomicPtr<[SigAction; FAULTS.len()]> = AtomicPtr::new(std::ptr::null_mut());

/// What is to be done.
struct Act {
    shared: &'static LastingMemory,
    terminal: Option<OwnedFd>,
    waits: Option<LastOutput>,
}

/// The last act of this root, for as long as this lives.
#[derive(Debug)]
pub(crate) struct LastAct(());

impl LastAct {
    /// Installs the handlers.
    pub(crate) fn prepare(
        shared: &'static LastingMemory,
        terminal: Option<OwnedFd>,
        waits: Option<LastOutput>,
    ) -> Self {
        // Never freed: a handler may be about to read it. One for each tree of a process.
        ACT.store(Box::into_raw(Box::new(Act { shared, terminal, waits })), Ordering::Release);
        static REGISTERED: AtomicBool = AtomicBool::new(false);
        if !REGISTERED.swap(true, Ordering::AcqRel) {
            // SAFETY: the function lives as long as the process.
            unsafe { libc::atexit(at_exit) };
        }
        let flags = SaFlags::SA_ONSTACK | SaFlags::SA_SIGINFO;
        let action = SigAction::new(SigHandler::SigAction(on_fault), flags, SigSet::empty());
        let before = FAULTS.map(|fault| {
            // SAFETY: the handler is async-signal-safe, by rule 1.
            let before = unsafe { sigaction(fault, &action) };
            let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
            before.unwrap_or(default)
        });
        BEFORE.store(Box::into_raw(Box::new(before)), Ordering::Release);
        OWNER.store(std::process::id().cast_signed(), Ordering::Release);
        Self(())
    }
}

impl Drop for LastAct {
    fn drop(&mut self) {
        OWNER.store(0, Ordering::Release);
        let before = BEFORE.load(Ordering::Acquire);
        if !before.is_null() {
            // SAFETY: the table is never freed; these are the dispositions from before.
            unsafe {
                for (fault, before) in FAULTS.iter().zip(&*before) {
                    let _ = sigaction(*fault, before);
                }
            }
        }
    }
}

/// Puts the terminal back and waits for the output, once.
fn perform() {
    // SAFETY: getpid(2) touches no memory.
    let own = unsafe { libc::getpid() };
    if OWNER.compare_exchange(own, 0, Ordering::AcqRel, Ordering::Acquire).is_err() {
        return;
    }
    // SAFETY: it is never freed, and not null where there is an owner.
    let act = unsafe { &*ACT.load(Ordering::Acquire) };
    if let Some(terminal) = &act.terminal {
        act.shared.restore_modes(terminal);
    }
    if let Some(waits) = &act.waits {
        waits.wait();
    }
}

extern "C" fn at_exit() {
    perform();
}

extern "C" fn on_fault(number: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    perform();
    let before = BEFORE.load(Ordering::Acquire);
    let index = FAULTS.iter().position(|fault| *fault as libc::c_int == number);
    let (Some(index), false) = (index, before.is_null()) else { return };
    // SAFETY: the table is never freed; sigaction(2) and raise(3) are async-signal-safe, and the kernel
    // passes the information of this signal.
    unsafe {
        let _ = sigaction(FAULTS[index], &(*before)[index]);
        // A fault comes again by itself when the instruction does; what was sent does not.
        if (*info).si_code <= 0 {
            libc::raise(number);
        }
    }
}
