//! Signals that are the program's: what an init process does, and a supervisor that stands in between.
//!
//! A handler takes a note of the number, and whoever reads the notes passes them on. The driver of the
//! tree does not hear of such a signal.
//!
//! # Rules
//! 1. The handler makes one system call that is async-signal-safe, and touches an atomic.
//! 2. A fault of this process itself is not forwarded: it does what it would have done.

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::{pipe2, read};
use std::fmt;
use std::io;
use std::os::fd::{IntoRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use tokio::io::unix::AsyncFd;

/// Where the handler writes; none before there is one. Never closed.
static NOTES: AtomicI32 = AtomicI32::new(-1);

/// Signals that come to this process and are to be passed on.
pub struct ForwardedSignals {
    notes: AsyncFd<OwnedFd>,
}

impl fmt::Debug for ForwardedSignals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardedSignals").finish_non_exhaustive()
    }
}

impl ForwardedSignals {
    /// Takes these signals away from the tree, by number. Call it in the root's own code, once.
    ///
    /// # Errors
    /// The operating system refuses: a number is not a signal, or cannot be caught.
    pub fn take(signals: &[i32]) -> io::Result<Self> {
        let (notes, to) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        NOTES.store(to.into_raw_fd(), Ordering::Release);
        for &signal in signals {
            // SAFETY: zeros are a valid value.
            let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
            action.sa_sigaction = note as *const () as usize;
            action.sa_flags = libc::SA_RESTART | libc::SA_SIGINFO | libc::SA_ONSTACK;
            // SAFETY: the handler is async-signal-safe, by rule 1.
            Errno::result(unsafe {
                libc::sigaction(signal, &raw const action, std::ptr::null_mut())
            })?;
        }
        // SAFETY: an `OwnedFd` owns its descriptor, and keeps it for as long as it lives.
        Ok(Self { notes: unsafe { AsyncFd::register(notes) }? })
    }

    /// The next one that comes, by number.
    ///
    /// # Errors
    /// If the pipe fails, which it does not.
    pub async fn next(&mut self) -> io::Result<i32> {
        loop {
            let mut ready = self.notes.readable().await?;
            let mut number = [0; 1];
            match read(ready.get_inner(), &mut number) {
                Ok(_) => return Ok(i32::from(number[0])),
                Err(Errno::EAGAIN) => ready.clear_ready(),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The signals that can be forwarded: all but SIGKILL, SIGSTOP, SIGCHLD, and those by which a
    /// terminal stops a job and lets it go on, which the tree answers by itself.
    #[must_use]
    pub fn all() -> Vec<i32> {
        let own = [
            libc::SIGKILL,
            libc::SIGSTOP,
            libc::SIGCHLD,
            libc::SIGCONT,
            libc::SIGTSTP,
            libc::SIGTTIN,
            libc::SIGTTOU,
        ];
        (1..32)
            .chain(libc::SIGRTMIN()..=libc::SIGRTMAX())
            .filter(|one| !own.contains(one))
            .collect()
    }
}

extern "C" fn note(number: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the thread's own errno, which a handler must leave as it found it.
    let errno = unsafe { *libc::__errno_location() };
    // SAFETY: the kernel passes the information of this signal (`SA_SIGINFO`).
    let code = unsafe { (*info).si_code };
    let faults =
        [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS];
    if code > 0 && faults.contains(&number) {
        // SAFETY: what has faulted does so again when this returns, and ends the process.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    } else {
        let byte = [u8::try_from(number).unwrap_or(0)];
        // SAFETY: writes one live byte; where the pipe is full, thousands wait already.
        unsafe { libc::write(NOTES.load(Ordering::Acquire), byte.as_ptr().cast(), 1) };
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}
