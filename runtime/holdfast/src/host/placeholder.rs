//! A process group for the length of a turn, kept by a copy of the host that does nothing.
//!
//! A process that asks by itself may lead a group that others are in, and a leader cannot make another
//! group. So the host makes one in its session, which the process joins: a Ctrl-C reaches it there, and
//! nobody else. The copy is stopped with its group, which the host, as its parent, is told.

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::unistd::{ForkResult, Pid, fork, setpgid};
use std::io;

/// A process group without members that matter. It is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Placeholder {
    group: Pid,
}

impl Placeholder {
    /// Makes a group.
    pub(super) fn make() -> io::Result<Self> {
        let mut mask = SigSet::all();
        for stops in [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU] {
            mask.remove(stops);
        }
        // What the host handles must not be handled by the copy.
        let held = crate::signals::Held::all();
        // SAFETY: the child makes system calls that are async-signal-safe, allocates nothing, and
        // never returns.
        let made = match unsafe { fork() } {
            // SAFETY: this is the copy, and nothing else runs in it.
            Ok(ForkResult::Child) => unsafe { stay(&mask) },
            Ok(ForkResult::Parent { child }) => Ok(child),
            Err(error) => Err(error),
        };
        drop(held);
        let group = made?;
        match setpgid(group, group) {
            // The child was faster.
            Ok(()) | Err(Errno::EACCES) => Ok(Self { group }),
            Err(error) => {
                let _ = kill(group, Signal::SIGKILL);
                Err(error.into())
            }
        }
    }

    pub(super) fn group(&self) -> Pid {
        self.group
    }
}

impl Drop for Placeholder {
    fn drop(&mut self) {
        // Nobody but the driver of this host reaps it, and not before this.
        let _ = kill(self.group, Signal::SIGKILL);
    }
}

/// # Safety
/// In a process of its own that was just forked.
unsafe fn stay(mask: &SigSet) -> ! {
    let _ = setpgid(Pid::from_raw(0), Pid::from_raw(0));
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    // SAFETY: the default disposition runs no code, and closing touches no memory.
    unsafe {
        libc::signal(libc::SIGTSTP, libc::SIG_DFL);
        libc::close_range(0, libc::c_uint::MAX, 0);
    }
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(mask), None);
    loop {
        // SAFETY: waits, and touches no memory.
        unsafe { libc::pause() };
    }
}
