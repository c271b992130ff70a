//! Child processes: start, watch, signal, reap, adopt.
//!
//! One reaper owns all waits, and it waits for one child at a time through its pidfd: no exit status
//! of anybody else is ever taken (waitid(2) `P_PIDFD`, pidfd_open(2)). A pidfd names a process even
//! after its number was given to another, so a signal never hits that one.
//!
//! # Rules
//! 1. A child of ours is reaped by us alone, so its number is not reused before we let go of it.
//! 2. The root is the subreaper (prctl(2) `PR_SET_CHILD_SUBREAPER`): who loses its parent becomes
//!    its child, and is told from the program's own ([`crate::orphans`]). Not under policies whose
//!    orphans live on: those are init's.
//! 3. No signal that the driver handles can kill an actor that boots: it is born with all of them
//!    blocked, and unblocks them when its own handlers are in place. What it starts is born hearing.

use crate::error::{RuntimeError, failed};
use crate::event::Given;
use crate::inherited::Inherited;
use crate::signals::{Held, set_mask};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open,
    pidfd_send_signal, waitid,
};
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

/// The variable that tells a process that it is an actor, and on which descriptor its link is.
pub(crate) const LINK_VARIABLE: &str = "HOLDFAST_LINK";

/// The variable by which every process below a root is known as such.
pub(crate) const TREE_VARIABLE: &str = "HOLDFAST_TREE";

/// The descriptor of an actor's link to its supervisor, for as long as there is one.
pub const LINK_FD: RawFd = 3;

/// Whether a process shares the terminal's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionOf {
    /// The process has a session of its own: no signal of the terminal reaches it.
    Its,
    /// The supervisor's, in the same process group.
    Supervisor,
}

/// Whether a process hears the signals that the driver handles, from its first moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Born {
    /// The process hears them.
    Hearing,
    /// The process hears what came once it unblocks them.
    Deaf,
}

/// A child that runs, or has not been reaped.
#[derive(Debug)]
pub(crate) struct Process {
    pid: u32,
    pidfd: OwnedFd,
    reach: Reach,
}

/// Whom a signal to a child reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Its process.
    Process,
    /// Its process group, which it leads.
    Group,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessEnd {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Nobody knows: somebody else has waited for it, or had the kernel throw its status away.
    Unknown,
}

impl std::fmt::Display for ProcessEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Unknown => f.write_str("an exit status that somebody else took"),
            Self::Signal(signal) => match nix::sys::signal::Signal::try_from(*signal) {
                Ok(name) => write!(f, "{name}"),
                Err(_) => write!(f, "signal {signal}"),
            },
        }
    }
}

impl Process {
    /// Takes a child by its number. Nobody else may wait for it.
    pub(crate) fn child(pid: u32) -> io::Result<Self> {
        let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let number = raw.ok_or(io::ErrorKind::InvalidInput)?;
        let pidfd = pidfd_open(number, PidfdFlags::empty())?;
        Ok(Self { pid, pidfd, reach: Reach::Process })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// A second handle, to wait on.
    pub(crate) fn watch(&self) -> io::Result<OwnedFd> {
        self.pidfd.try_clone()
    }

    /// Sends a signal. That the process has ended is not an error.
    pub(crate) fn signal(&self, signal: Signal) {
        let group = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let sent = match (self.reach, group) {
            // Its leader is not reaped, so the number of the group is not another's.
            (Reach::Group, Some(group)) => kill_process_group(group, signal),
            (Reach::Process | Reach::Group, _) => pidfd_send_signal(&self.pidfd, signal),
        };
        if let Err(Errno::PERM) = sent {
            tracing::error!(
                target: "holdfast", pid = self.pid, ?signal,
                "a child may not be signalled, since it runs as another user; the tree waits for it"
            );
        }
    }

    /// Waits for its end, and reaps it.
    pub(crate) fn wait(&self) {
        while let Err(Errno::INTR) =
            waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED)
        {}
    }

    /// Reaps it, if it has ended.
    pub(crate) fn reap(&self) -> io::Result<Option<ProcessEnd>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let Some(status) = waitid(WaitId::PidFd(self.pidfd.as_fd()), options)? else {
            return Ok(None);
        };
        let ended = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => ProcessEnd::Code(code),
            (None, Some(signal)) => ProcessEnd::Signal(signal),
            (None, None) => return Ok(None),
        };
        Ok(Some(ended))
    }
}

/// Kills a child that is not watched: one of ours that nobody has reaped, so the number is its own.
pub(crate) fn kill_unwatched(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// How a child is started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) session: SessionOf,
    pub(crate) born: Born,
    pub(crate) inherited: Inherited,
    /// The root of the tree.
    pub(crate) root: u32,
}

/// Starts this executable once more as an actor, with `link` as its descriptor 3.
pub(crate) fn start_actor(
    start: Start,
    given: Given,
    link: &UnixStream,
) -> Result<Process, RuntimeError> {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_else(|| OsString::from("actor"));
    let mut command = Command::new("/proc/self/exe");
    command.arg0(name).args(arguments);
    let number = match given {
        Given::Output => LINK_FD,
        // Where it is already: any other number may be one of those that are handed on.
        Given::All => link.as_raw_fd(),
    };
    command.env(LINK_VARIABLE, number.to_string());
    command.env(TREE_VARIABLE, start.root.to_string());
    let link = link.as_raw_fd();
    let start = match given {
        Given::Output => {
            command.stdin(Stdio::null());
            // SAFETY: between fork and exec the closure calls only dup2 and fcntl, which are
            // async-signal-safe (signal-safety(7)), and allocates nothing.
            unsafe { command.pre_exec(move || place_link(link)) };
            start
        }
        Given::All => {
            // SAFETY: as above.
            unsafe { command.pre_exec(move || keep_open(link)) };
            Start { session: SessionOf::Its, ..start }
        }
    };
    finish_start(start, command, "start an actor")
}

/// Starts the program of a host: in a process group of its own, with what its command says.
pub(crate) fn start_hosted(start: Start, mut command: Command) -> Result<Process, RuntimeError> {
    command.env(TREE_VARIABLE, start.root.to_string()).process_group(0);
    let start = Start { session: SessionOf::Supervisor, ..start };
    let process = finish_start(start, command, "start the program")?;
    Ok(Process { reach: Reach::Group, ..process })
}

/// Starts a program in a session of its own, whose terminal is its standard input.
pub(crate) fn start_on_terminal(
    start: Start,
    mut command: Command,
) -> Result<Process, RuntimeError> {
    command.env(TREE_VARIABLE, start.root.to_string());
    // SAFETY: as in `start_actor`: all three are bare system calls, and the first comes before the
    // terminal can be that of the session.
    unsafe {
        command.pre_exec(|| {
            nix::unistd::setsid()?;
            nix::errno::Errno::result(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
            close_from(LINK_FD)
        });
    }
    let start = Start { session: SessionOf::Supervisor, born: Born::Hearing, ..start };
    let process = finish_start(start, command, "start the program")?;
    Ok(Process { reach: Reach::Group, ..process })
}

fn keep_open(fd: RawFd) -> io::Result<()> {
    // SAFETY: a plain system call on a descriptor that is open here.
    let kept = unsafe { libc::fcntl(fd, libc::F_SETFD, 0) };
    if kept < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Starts a foreign program.
pub(crate) fn start_foreign(start: Start, mut command: Command) -> Result<Process, RuntimeError> {
    command.env(TREE_VARIABLE, start.root.to_string());
    // SAFETY: as in `start_actor`: close_range(2) is a bare system call.
    unsafe {
        command.pre_exec(|| close_from(LINK_FD));
    }
    finish_start(start, command, "start a program")
}

fn place_link(link: RawFd) -> io::Result<()> {
    // SAFETY: both are plain system calls on descriptors that are open here.
    let placed = unsafe {
        if link == LINK_FD {
            libc::fcntl(link, libc::F_SETFD, 0)
        } else {
            libc::dup2(link, LINK_FD)
        }
    };
    if placed < 0 {
        return Err(io::Error::last_os_error());
    }
    close_from(LINK_FD + 1)
}

/// Lets exec close every descriptor from here on.
fn close_from(first: RawFd) -> io::Result<()> {
    let first = libc::c_uint::try_from(first).expect("descriptors are not negative");
    // SAFETY: marking descriptors close-on-exec touches no memory.
    let marked = unsafe {
        libc::close_range(first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_int)
    };
    if marked < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn finish_start(
    start: Start,
    mut command: Command,
    what: &'static str,
) -> Result<Process, RuntimeError> {
    let (session, born, inherited) = (start.session, start.born, start.inherited);
    let (mask, root) = (inherited.mask(), start.root);
    let deaf = crate::signals::deafened(&mask);
    // SAFETY: setsid(2), setrlimit(2) and the change of the signal mask are async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            if session == SessionOf::Its {
                nix::unistd::setsid()?;
            }
            inherited.restore_limits();
            crate::orphans::mark(root);
            match born {
                Born::Hearing => set_mask(&mask),
                Born::Deaf => set_mask(&deaf),
            }
            Ok(())
        });
    }
    // From the fork on: the copy of this process is not to die of a handler that stands aside.
    let held = Held::all();
    let child = command.spawn().map_err(failed(what))?;
    drop(held);
    // `Child` neither kills nor reaps when it is dropped, and nobody else waits for this number.
    Process::child(child.id()).map_err(|error| {
        // Nobody could see its end, so it is ended here.
        kill_unwatched(child.id());
        crate::orphans::reap_now(child.id());
        failed("watch a child")(error)
    })
}

/// Makes this process the one that adopts, and says whether it was before.
pub(crate) fn become_subreaper() -> Result<bool, RuntimeError> {
    let before = nix::sys::prctl::get_child_subreaper().map_err(failed("ask who adopts"))?;
    set_subreaper(true)?;
    Ok(before)
}

/// Sets whether this process adopts.
pub(crate) fn set_subreaper(adopts: bool) -> Result<(), RuntimeError> {
    nix::sys::prctl::set_child_subreaper(adopts).map_err(failed("become the one who adopts"))
}

/// How many levels of processes are below one, up to a limit. An actor's children are processes of
/// its own, so this bounds what it says of itself.
pub(crate) fn levels_below(pid: u32, limit: u32) -> u32 {
    let mut level = vec![pid];
    for levels in 0..limit {
        level = level.into_iter().flat_map(children_of).take(MOST_LOOKED_AT).collect();
        if level.is_empty() {
            return levels;
        }
    }
    limit
}

/// The most processes of one level that are looked at.
const MOST_LOOKED_AT: usize = 4096;

/// The children of a process.
pub(crate) fn children_of(pid: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
    lists.flat_map(|list| numbers(&list)).collect()
}

/// The numbers in a text.
pub(crate) fn numbers(text: &str) -> Vec<u32> {
    text.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// What keeps a process from acting on a signal, for people; nothing for one that could.
pub(crate) fn state_of(pid: u32) -> &'static str {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    match stat.rsplit(')').next().map(str::trim_start).and_then(|fields| fields.chars().next()) {
        Some('D') => ", which the kernel does not interrupt",
        Some('T' | 't') => ", which is stopped",
        Some('Z') => ", which has ended and was not reaped",
        _ => "",
    }
}
