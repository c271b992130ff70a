//! The stack on which the main thread handles signals.
//!
//! `std::process::exit` unmaps the stack that Rust has made for the main thread's signals, whichever
//! thread calls it. The main thread would then die of a handler that runs there, or of the next signal
//! that comes before the process has ended: with SIGSEGV instead of the exit code.

use nix::errno::Errno;
use nix::libc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Gives the main thread, if this is it, a stack for signals that nobody unmaps.
pub(super) fn keep() {
    static KEPT: AtomicBool = AtomicBool::new(false);
    let is_main = nix::unistd::gettid() == nix::unistd::getpid();
    if !is_main || KEPT.swap(true, Ordering::AcqRel) {
        return;
    }
    let memory = Box::leak(vec![0_u8; SIZE].into_boxed_slice());
    let stack = libc::stack_t { ss_sp: memory.as_mut_ptr().cast(), ss_flags: 0, ss_size: SIZE };
    // SAFETY: the memory is this stack's alone, and never freed.
    if Errno::result(unsafe { libc::sigaltstack(&raw const stack, std::ptr::null_mut()) }).is_err()
    {
        // In a handler, on another such stack: that one stays.
        KEPT.store(false, Ordering::Release);
    }
}

/// How large it is, in bytes: a frame of the kernel has at most 11 KB, and the handlers need little.
const SIZE: usize = 64 << 10;
