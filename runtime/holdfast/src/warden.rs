//! The warden: a process that outlives its root, and puts right what the root no longer can.
//!
//! A root can end without an end of its tree: SIGKILL, `exit` in the program's own code, a fault. The
//! terminal is as the line editor has set it then, the last output is in a pipe that nobody reads, and
//! below are processes that nobody ends: actors that are stopped, foreign programs, and what those have
//! started. The warden is a copy of the root (fork without exec) from before there is any thread. It
//! waits for the root's end and does nothing else.
//!
//! ```text
//!   root --fork--> warden: waits -- the root's tree has ended: a byte comes --> exit
//!     |                          \- the root has ended without ------------> terminal, output, processes
//!     +--shared memory: modes, output under way--^
//! ```
//!
//! # Rules
//! 1. The warden is not a child that any wait of the program sees (clone(2) without an exit signal).
//! 2. Its descriptors are the output's, the terminal and its two ends of news, and no others: it keeps
//!    nobody's file, socket or lock.
//! 3. Modes are put back only if they are still those that the line editor has set: a shell that has
//!    taken the terminal over is left alone.
//! 4. What has the mark of this tree ([`crate::orphans::mark`]) is ended: asked by SIGTERM first, and
//!    let go on if it is stopped; killed after a grace. What the root's own code has started without
//!    the runtime has no mark, and lives on, as without the tree.
//! 5. A root that ends itself (exit, abort, a fault) puts the terminal back and waits for its output
//!    before it ends ([`last_act`]), so that its shell finds both done.

mod ending;
mod last_act;
mod shared;

pub(crate) use last_act::LastAct;
pub(crate) use shared::{Chunk, LastingMemory};

use crate::error::{RuntimeError, failed};
use crate::output::Outlet;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use nix::unistd::setsid;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

/// What the warden is to look after.
pub(crate) struct Ward {
    /// The terminal, if there is one.
    pub(crate) terminal: Option<OwnedFd>,
    /// Where output goes that nobody has written yet.
    pub(crate) outlets: Vec<Outlet>,
    /// How long the processes below have before they are killed; none to leave them alone.
    pub(crate) grace: Option<Duration>,
    pub(crate) shared: &'static LastingMemory,
}

/// What the root of this process shares with its warden, while there is one.
static SHARED: AtomicPtr<LastingMemory> = AtomicPtr::new(std::ptr::null_mut());

/// The same; none in an actor.
pub(crate) fn shared() -> Option<&'static LastingMemory> {
    // SAFETY: the memory is never given back.
    unsafe { SHARED.load(Ordering::Acquire).as_ref() }
}

/// The warden, as the root sees it. It goes when this is dropped.
pub(crate) struct Warden {
    pid: libc::pid_t,
    news: UnixStream,
}

impl Warden {
    /// Forks it. No other thread may run.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(crate) fn start(ward: Ward) -> Result<Self, RuntimeError> {
        let (root, shared) = (std::process::id(), ward.shared);
        let pid = i32::try_from(root).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or(RuntimeError::Gone("watch the root"))?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(failed("watch the root"))?;
        let (news, theirs) = UnixStream::pair().map_err(failed("make a socket pair"))?;
        // SAFETY: fork(2), but for the signal at the end: there is one thread, so no lock is held and
        // the copy may run any code.
        let pid = unsafe { libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0) };
        match libc::pid_t::try_from(pid) {
            Ok(0) => {
                let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    drop(news);
                    watch(root, &pidfd, theirs, ward);
                }));
                // SAFETY: ends the process at once; what the root is to do at its end is not done here.
                unsafe { libc::_exit(i32::from(ended.is_err())) }
            }
            Ok(pid) if pid > 0 => {
                SHARED.store(std::ptr::from_ref(shared).cast_mut(), Ordering::Release);
                drop(theirs);
                let warden = Self { pid, news };
                // From here on no signal of the terminal can reach it.
                let _ = (&warden.news).read(&mut [0]);
                Ok(warden)
            }
            _ => Err(failed("start the warden")(std::io::Error::last_os_error())),
        }
    }
}

impl Drop for Warden {
    /// The tree has ended in order: the warden goes, and is gone when this returns.
    fn drop(&mut self) {
        SHARED.store(std::ptr::null_mut(), Ordering::Release);
        let _ = (&self.news).write_all(&[1]);
        let mut status = 0;
        // SAFETY: writes to a live value; the warden is a child of this process.
        while unsafe { libc::waitpid(self.pid, &raw mut status, libc::__WALL) } < 0
            && Errno::last() == Errno::EINTR
        {}
    }
}

fn watch(root: u32, pidfd: &OwnedFd, mut news: UnixStream, ward: Ward) {
    crate::signals::set_mask(&SigSet::all());
    // Not the terminal's any longer, nor the job's.
    let _ = setsid();
    let _ = nix::sys::prctl::set_name(c"holdfast-warden");
    let _ = std::env::set_current_dir("/");
    close_all_but(&ward, &[pidfd.as_raw_fd(), news.as_raw_fd()]);
    let _ = news.write_all(&[1]);
    loop {
        let mut fds = [
            PollFd::new(pidfd.as_fd(), PollFlags::POLLIN),
            PollFd::new(news.as_fd(), PollFlags::POLLIN),
        ];
        let polled = poll(&mut fds, PollTimeout::NONE);
        if matches!(polled, Err(Errno::EINTR)) {
            continue;
        }
        let [ended, told] = fds.map(|fd| fd.any().unwrap_or(false));
        let mut byte = [0];
        let dismissed = told && news.read(&mut byte).is_ok_and(|count| count == 1);
        if dismissed || polled.is_err() {
            return;
        }
        if ended {
            return ending::put_right(root, ward);
        }
        // Its end of the news is closed, and it runs: that is an end soon.
        let _ = poll(&mut [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE);
        return ending::put_right(root, ward);
    }
}

fn close_all_but(ward: &Ward, own: &[libc::c_int]) {
    let mut kept = own.to_vec();
    kept.extend(ward.terminal.iter().map(|fd| fd.as_raw_fd()));
    kept.extend(ward.outlets.iter().flat_map(Outlet::descriptors));
    kept.sort_unstable();
    let mut first = 0;
    for fd in kept.into_iter().chain([libc::c_int::MAX]) {
        if first < fd {
            let (from, to) = (first.unsigned_abs(), fd.unsigned_abs() - 1);
            // SAFETY: what these descriptors belonged to is not used by this copy any longer.
            unsafe { libc::close_range(from, to, 0) };
        }
        first = fd.saturating_add(1);
    }
    // 0, 1 and 2 must be something, or the next file that is opened takes their place.
    for _ in 0..3 {
        if let Ok(file) = File::options().read(true).write(true).open("/dev/null")
            && file.as_raw_fd() <= 2
        {
            std::mem::forget(file);
        }
    }
}
