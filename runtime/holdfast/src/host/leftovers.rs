//! What a program leaves behind when it ends: daemons, sessions of their own, all that came from it.
//!
//! The host is the subreaper, so everything that came from its program is below it, whatever it did.
//!
//! # Rules
//! 1. SIGTERM and SIGCONT first, then the grace, then SIGKILL again and again until the kernel says
//!    that this process has no child.
//! 2. No process that was not below this one is signalled: a pidfd is had first, and the process is
//!    looked at once more.

use super::reading::descendants;
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, timeout_at};

/// Ends everything below this process, and returns when nothing is.
pub(super) async fn end(grace: Duration) {
    let mut known = Vec::new();
    let deadline = Instant::now() + grace;
    let mut killing = false;
    while !reap() {
        let found = held();
        killing |= Instant::now() >= deadline;
        for (pid, process) in &found {
            if killing {
                let _ = pidfd_send_signal(process, Signal::KILL);
            } else if !known.contains(pid) {
                let _ = pidfd_send_signal(process, Signal::TERM);
                let _ = pidfd_send_signal(process, Signal::CONT);
                known.push(*pid);
            }
        }
        let until =
            if killing { Instant::now() + AGAIN } else { deadline.min(Instant::now() + LOOK) };
        match found.into_iter().next() {
            Some((_, process)) => drop(timeout_at(until, ended(process)).await),
            // A zombie whose parent below has not been asked for it yet, or one that is just ending.
            None => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// Reaps what has ended; whether no child is left.
fn reap() -> bool {
    loop {
        match waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
            Ok(WaitStatus::StillAlive) => return false,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return true,
        }
    }
}

/// Everything below this process.
fn held() -> Vec<(u32, OwnedFd)> {
    let open = |pid: u32| {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        Some((pid, pidfd_open(number, PidfdFlags::empty()).ok()?))
    };
    let own = std::process::id();
    let mut found: Vec<_> = descendants(own).into_iter().filter_map(open).collect();
    let still = descendants(own);
    found.retain(|(pid, _)| still.contains(pid));
    found
}

async fn ended(process: OwnedFd) {
    // SAFETY: an `OwnedFd` owns its descriptor, and keeps it for as long as it lives.
    if let Ok(process) = unsafe { AsyncFd::register(process) } {
        let _ = process.readable().await;
    }
}

/// How soon what was killed is looked at again.
const AGAIN: Duration = Duration::from_millis(5);

/// How soon new processes are looked for.
const LOOK: Duration = Duration::from_millis(100);
