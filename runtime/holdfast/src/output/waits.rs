//! What a process in its last moment waits for.

use super::{LOOK, all_is_written};
use crate::signals::set_mask;
use crate::warden::LastingMemory;
use nix::libc;
use nix::sys::signal::SigSet;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};

/// What a process in its last moment waits for.
pub(crate) struct LastOutput {
    pub(super) pipes: Vec<OwnedFd>,
    pub(super) shared: &'static LastingMemory,
    /// The thread that forwards, which does not wait for itself.
    pub(super) forwarder: libc::pid_t,
}

impl LastOutput {
    /// LastOutput until all output is written, for as long as somebody takes it. Async-signal-safe.
    pub(crate) fn wait(&self) {
        // SAFETY: the call touches no memory.
        if unsafe { libc::syscall(libc::SYS_gettid) } == libc::c_long::from(self.forwarder) {
            return;
        }
        let mut before = self.shared.progress.load(Ordering::Acquire);
        let mut looks = 0;
        while looks < LAST_LOOKS && !self.is_empty() {
            let pause = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
            // SAFETY: reads a live value.
            unsafe { libc::nanosleep(&raw const pause, std::ptr::null_mut()) };
            let now = self.shared.progress.load(Ordering::Acquire);
            looks = if now == before { looks + 1 } else { 0 };
            before = now;
        }
    }

    fn is_empty(&self) -> bool {
        all_is_written(&self.pipes, self.shared)
    }
}

/// How many milliseconds a process in its last moment waits for a terminal that takes nothing.
const LAST_LOOKS: u32 = 1000;

/// Runs something that may wait for somebody in a thread of its own, until it is done or not to be
/// waited for any longer.
pub(crate) fn bounded(name: &str, run: impl FnOnce() + Send + 'static, enough: impl Fn() -> bool) {
    let (end, ended) = sync_channel::<()>(0);
    let run = move || {
        set_mask(&SigSet::all());
        run();
        drop(end);
    };
    if std::thread::Builder::new().name(name.to_owned()).spawn(run).is_err() {
        return;
    }
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
        if enough() {
            return;
        }
    }
}
