//! What the warden does when its root has ended without its tree.

use super::{Chunk, Ward};
use crate::orphans::{limit_of, mark_of};
use crate::output::Outlet;
use crate::words::PATIENCE;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::time::{Duration, Instant};

/// How often processes are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How many looks in turn must find nobody.
const EMPTY_LOOKS: u32 = 3;

/// How long one that was killed may take to be gone.
const KILLED: Duration = Duration::from_secs(10);

/// Terminal, output, processes.
pub(super) fn put_right(root: u32, ward: Ward) {
    let Ward { terminal, mut outlets, grace, shared } = ward;
    if let Some(terminal) = &terminal {
        shared.restore_modes(terminal);
    }
    shared.chunks.iter().for_each(Chunk::take_over);
    drain(&mut outlets);
    let Some(grace) = grace else { return };
    let begun = Instant::now();
    let mark = mark_of(root);
    let (mut asked, mut looks) = (Vec::new(), 0);
    loop {
        let found = marked(&mark);
        // One that forked and ended while the list was read hides its child from that look.
        looks = if found.is_empty() { looks + 1 } else { 0 };
        if looks == EMPTY_LOOKS || begun.elapsed() > grace + KILLED {
            break;
        }
        for pid in found {
            if begun.elapsed() > grace {
                signal(pid, &mark, &[Signal::KILL]);
            } else if !asked.contains(&pid) {
                asked.push(pid);
                signal(pid, &mark, &[Signal::TERM, Signal::CONT]);
            }
        }
        drain(&mut outlets);
        std::thread::park_timeout(LOOK);
    }
    drain(&mut outlets);
}

/// Writes what is there, for as long as the terminal takes it.
fn drain(outlets: &mut [Outlet]) {
    let mut moved = Instant::now();
    while moved.elapsed() < PATIENCE {
        let before = moved;
        for outlet in outlets.iter_mut() {
            if outlet.step() {
                moved = Instant::now();
            }
        }
        if outlets.iter().all(Outlet::is_empty) {
            return;
        }
        if moved == before {
            std::thread::park_timeout(LOOK);
        }
    }
}

/// The processes with this mark, but for this one.
fn marked(mark: &str) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| has(*pid, mark) && !is_zombie(*pid)).collect()
}

fn has(pid: u32, mark: &str) -> bool {
    limit_of(pid).is_some_and(|limit| limit == mark)
}

fn is_zombie(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|fields| fields.trim_start().starts_with(['Z', 'X']))
}

/// Sends signals to a process, unless its number has become another's.
fn signal(pid: u32, mark: &str, signals: &[Signal]) {
    let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    let Ok(pidfd) = pidfd_open(raw, PidfdFlags::empty()) else { return };
    if has(pid, mark) {
        for signal in signals {
            let _ = pidfd_send_signal(&pidfd, *signal);
        }
    }
}
