//! The process table: who descends from whom, in which state, and signals that hit the right one.
//!
//! A process is named by its number and its start, so that a number used again is another process.

mod detail;

pub use detail::{SignalMasks, SignalSet, descriptors, environment, foreground_group, masks};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};
use std::{fmt, fs, io};

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Runs, or could.
    Running,
    /// Waits for something.
    Sleeping,
    /// Waits, and no signal wakes it.
    Uninterruptible,
    /// A signal stopped it.
    Stopped,
    /// A debugger stopped it.
    Traced,
    /// Has ended, and nobody has reaped it.
    Zombie,
    /// Is about to vanish.
    Dead,
}

/// One line of the process table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessInfo {
    /// Its number.
    pub pid: i32,
    /// The number of its parent.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session.
    pub session: i32,
    /// What it does.
    pub state: RunState,
    /// When it was started, in clock ticks since boot.
    pub started: u64,
    /// The name of its program, 15 bytes at most.
    pub name: String,
    /// Its arguments; none for a zombie.
    pub command: Vec<String>,
}

impl fmt::Display for ProcessInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, parent, group, session, state, name, command, started: _ } = self;
        write!(f, "{pid} (parent {parent}, group {group}, session {session}) {state:?} ")?;
        if command.is_empty() { write!(f, "[{name}]") } else { f.write_str(&command.join(" ")) }
    }
}

impl ProcessInfo {
    /// Reads the line of one process.
    ///
    /// # Errors
    /// There is no such process.
    pub fn read(pid: i32) -> io::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).map_err(gone)?;
        let command = fs::read(format!("/proc/{pid}/cmdline")).map_err(gone)?;
        let strange = || io::Error::new(io::ErrorKind::InvalidData, stat.clone());
        // The name stands in brackets and may hold brackets itself.
        let (head, tail) = stat.rsplit_once(") ").ok_or_else(strange)?;
        let name = head.split_once('(').ok_or_else(strange)?.1.to_owned();
        let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        let id = |index| number(index).and_then(|n| i32::try_from(n).ok()).ok_or_else(strange);
        Ok(Self {
            pid,
            parent: id(1)?,
            group: id(2)?,
            session: id(3)?,
            state: fields.first().and_then(|letter| state(letter)).ok_or_else(strange)?,
            started: number(19).ok_or_else(strange)?,
            name,
            command: command
                .split(|byte| *byte == 0)
                .filter(|word| !word.is_empty())
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect(),
        })
    }

    /// A descriptor of this very process, not of one that has its number now.
    ///
    /// # Errors
    /// The process is gone.
    pub fn pidfd(&self) -> io::Result<OwnedFd> {
        let descriptor = open(self.pid)?;
        if Self::read(self.pid)?.started != self.started {
            return Err(gone(Errno::ESRCH.into()));
        }
        Ok(descriptor)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// The process is gone, or not ours to signal.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        send(&self.pidfd()?, signal)
    }

    /// Waits until it has ended: until it is a zombie, or gone.
    ///
    /// # Errors
    /// `TimedOut`: it has not.
    pub fn wait_end(&self, patience: Duration) -> io::Result<()> {
        let descriptor = match self.pidfd() {
            Ok(descriptor) => descriptor,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let mut wanted = [PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
            match poll(&mut wanted, timeout) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::TimedOut, self.to_string())),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(()),
            }
        }
    }
}

/// Sends a signal to the process that has this number now.
///
/// # Errors
/// There is none, or it is not ours to signal.
pub fn signal(pid: i32, signal: Signal) -> io::Result<()> {
    send(&open(pid)?, signal)
}

/// All descendants of a process, alive or zombie, each after its parent; those that vanish
/// meanwhile are left out.
///
/// The kernel may leave out a child whose sibling goes at that moment; who must know that there is
/// none asks waitid(2), as the shim does.
#[must_use]
pub fn descendants(pid: i32) -> Vec<ProcessInfo> {
    let mut found: Vec<ProcessInfo> = Vec::new();
    let mut next = vec![pid];
    while let Some(parent) = next.pop() {
        for child in children(parent) {
            if let Ok(process) = ProcessInfo::read(child)
                && !found.iter().any(|known| known.pid == child)
            {
                found.push(process);
                next.push(child);
            }
        }
    }
    found
}

/// The children of all threads of a process.
fn children(pid: i32) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    let lists = threads.into_iter().flatten().flatten();
    lists
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().flat_map(str::parse).collect::<Vec<_>>())
        .collect()
}

fn open(pid: i32) -> io::Result<OwnedFd> {
    let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    pidfd_open(pid, PidfdFlags::empty()).map_err(|error| gone(error.into()))
}

fn send(descriptor: &OwnedFd, signal: Signal) -> io::Result<()> {
    let signal = rustix::process::Signal::from_named_raw(signal as i32)
        .ok_or(io::ErrorKind::InvalidInput)?;
    pidfd_send_signal(descriptor, signal).map_err(|error| gone(error.into()))
}

/// A process that went while it was looked at gives ESRCH here and ENOENT there.
fn gone(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) if number == Errno::ESRCH as i32 => io::ErrorKind::NotFound.into(),
        _ => error,
    }
}

fn state(letter: &str) -> Option<RunState> {
    Some(match letter {
        "R" => RunState::Running,
        "S" | "I" => RunState::Sleeping,
        "D" => RunState::Uninterruptible,
        "T" => RunState::Stopped,
        "t" => RunState::Traced,
        "Z" => RunState::Zombie,
        "X" | "x" => RunState::Dead,
        _ => return None,
    })
}
