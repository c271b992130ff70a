//! What the runtime needs of the operating system, asked for before anything is started.
//!
//! A system call that a sandbox refuses (an old seccomp profile, a kernel before 5.11) must not be
//! found out about when a child runs already and cannot be watched.

use crate::error::RuntimeError;
use rustix::process::{PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, waitid};
use rustix::process::{pidfd_open, pidfd_send_signal};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};

/// Tries each of them.
///
/// # Errors
/// The first that is refused, by its name.
pub(crate) fn check() -> Result<(), RuntimeError> {
    let refused =
        |call, error: rustix::io::Errno| RuntimeError::Refused { call, source: error.into() };
    let own = pidfd_open(getpid(), PidfdFlags::empty());
    let own = own.map_err(|error| refused("pidfd_open", error))?;
    // SIGCONT to a process that runs does nothing, and the driver takes no notice of it.
    let sent = pidfd_send_signal(&own, Signal::CONT);
    sent.map_err(|error| refused("pidfd_send_signal", error))?;
    match waitid(WaitId::PidFd(own.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
        // This process is not its own child.
        Ok(_) | Err(rustix::io::Errno::CHILD) => {}
        Err(error) => return Err(refused("waitid", error)),
    }
    let number = libc::c_uint::try_from(own.as_raw_fd()).unwrap_or_default();
    // SAFETY: marks one descriptor of this function, which is close-on-exec already.
    let marked =
        unsafe { libc::close_range(number, number, libc::CLOSE_RANGE_CLOEXEC as libc::c_int) };
    if marked < 0 {
        let source = io::Error::last_os_error();
        return Err(RuntimeError::Refused { call: "close_range", source });
    }
    Ok(())
}
