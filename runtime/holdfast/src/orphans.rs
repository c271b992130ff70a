//! Orphans: which children of the root are its to reap, and which are the program's.
//!
//! The root is the subreaper, so who loses its parent anywhere below becomes its child. But the
//! program in the root may start processes of its own (`std::process::Command`), and their ends are
//! the program's to wait for. The kernel does not say who was adopted; it says this:
//!
//! - The children of a process are listed by the thread that forked them
//!   (`/proc/self/task/*/children`). An orphan is given to the first thread that lives, which is the
//!   main thread: the driver, which forks nothing that it does not know. So a child of any other
//!   thread is the program's.
//! - When a thread ends, its children go to the main thread, too. So an unknown child there is an
//!   orphan unless a thread has ended since the last look; and a thread that has forked and ended
//!   is seen in the number of context switches that ended threads have made (getrusage(2) counts
//!   them, the list of threads does not), since a fork makes its thread wait.
//! - Whatever starts below an actor or a foreign program of the tree carries a mark: a resource
//!   limit that Linux keeps, hands on to children, and does not enforce (`RLIMIT_LOCKS`, since
//!   2.4.25). No change of the environment takes it away, and a zombie still has it. So who has a
//!   mark that this process has not is an orphan, whatever threads have ended.
//!
//! # Rules
//! 1. What is not known to be an orphan is the program's: it is left alone.
//! 2. A process is known by its number and the time of its start: numbers are used again.
//! 3. What was a child before the tree began (of the program, or of a shell that has become the
//!    program by exec) is left alone even at the end of the tree.

use crate::error::{RuntimeError, failed};
use rustix::process::{Pid, Resource, Rlimit, WaitId, WaitIdOptions, getrlimit, setrlimit, waitid};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;

/// How often the counts of all threads are read until they stand still meanwhile.
const TRIES: u32 = 8;

/// What a child that the runtime did not start is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A child that was there before the tree.
    Before,
    /// A thread of the program has started it.
    Program,
    /// An orphan of the tree, which the kernel gave to the root.
    Orphan(OrphanMark),
}

/// Whether a process was started below an actor or a foreign program of this tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OrphanMark {
    Marked,
    /// An orphan of what the program itself has started.
    Unmarked,
}

/// A child, and the time of its start.
#[derive(Clone, Copy, Debug)]
struct KnownChild {
    start: u64,
    kind: Kind,
}

/// What the root knows of children that it did not start.
#[derive(Debug)]
pub(crate) struct OtherChildren {
    known: BTreeMap<u32, KnownChild>,
    /// The context switches of threads that have ended, at the beginning of the last look.
    ended: Option<u64>,
    /// The limit of this process that marks what is below others.
    limit: String,
    /// Descriptors that are closed for a look where the program has used all others up.
    spare: Vec<File>,
}

/// What a look at the children has found.
#[derive(Debug, Default)]
pub(crate) struct OrphansFound {
    /// Orphans that run, and are the tree's to end.
    pub(crate) alive: Vec<u32>,
    /// Orphans that have ended.
    pub(crate) ended: Vec<u32>,
}

impl OtherChildren {
    /// Notes who is a child before the tree begins.
    ///
    /// # Errors
    /// If the kernel lists no children.
    pub(crate) fn begin() -> Result<Self, RuntimeError> {
        let lists = "list the children (does the kernel have CONFIG_PROC_CHILDREN?)";
        let present = children().map_err(failed(lists))?.into_iter();
        let known = present.filter_map(|(pid, _)| {
            let SeenProcess { start, .. } = SeenProcess::of(pid)?;
            Some((pid, KnownChild { start, kind: Kind::Before }))
        });
        let limit = limit_of(std::process::id()).unwrap_or_default();
        let (known, spare) = (known.collect(), reserve());
        Ok(Self { known, ended: ended_switches(), limit, spare })
    }

    /// Looks at the children that the runtime did not start.
    pub(crate) fn look(&mut self, started: impl Fn(u32) -> bool) -> io::Result<OrphansFound> {
        drop(std::mem::take(&mut self.spare));
        let found = self.look_now(started);
        self.spare = reserve();
        found
    }

    fn look_now(&mut self, started: impl Fn(u32) -> bool) -> io::Result<OrphansFound> {
        let ended = ended_switches();
        let present: BTreeMap<u32, Owner> = children()?.into_iter().collect();
        self.known.retain(|pid, _| present.contains_key(pid));
        let mut found = OrphansFound::default();
        let mut stands_still = None;
        for (pid, owner) in present.into_iter().filter(|(pid, _)| !started(*pid)) {
            let Some(SeenProcess { start, state }) = SeenProcess::of(pid) else { continue };
            let same = self.known.get(&pid).filter(|known| known.start == start);
            let kind = match (same, owner) {
                (Some(known), _) => known.kind,
                (None, Owner::Other) => Kind::Program,
                (None, Owner::Main) if self.is_marked(pid) => Kind::Orphan(OrphanMark::Marked),
                (None, Owner::Main) => {
                    let still = *stands_still.get_or_insert_with(|| {
                        self.ended.is_some() && self.ended == ended_switches()
                    });
                    if still { Kind::Orphan(OrphanMark::Unmarked) } else { Kind::Program }
                }
            };
            self.known.insert(pid, KnownChild { start, kind });
            match (kind, state) {
                (Kind::Before | Kind::Program, _) => {}
                (Kind::Orphan(_), ProcessLife::Ended) => found.ended.push(pid),
                (Kind::Orphan(OrphanMark::Marked), ProcessLife::Runs) => found.alive.push(pid),
                // As without the tree: it lives until it ends, or until the tree does.
                (Kind::Orphan(OrphanMark::Unmarked), ProcessLife::Runs) => {}
            }
        }
        self.ended = ended;
        Ok(found)
    }

    /// Whoever is left at the end of the tree, but for those from before it.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u32>> {
        drop(std::mem::take(&mut self.spare));
        let found = self.rest_now();
        self.spare = reserve();
        found
    }

    fn rest_now(&self) -> io::Result<Vec<u32>> {
        let before = |pid| {
            let known = self.known.get(&pid).filter(|known| known.kind == Kind::Before);
            known.is_some_and(|known| {
                SeenProcess::of(pid).is_some_and(|seen| seen.start == known.start)
            })
        };
        let present = children()?.into_iter().map(|(pid, _)| pid);
        Ok(present.filter(|pid| !before(*pid)).collect())
    }

    fn is_marked(&self, pid: u32) -> bool {
        limit_of(pid).is_some_and(|limit| limit != self.limit)
    }
}

/// What one look needs: a directory and a file in it.
fn reserve() -> Vec<File> {
    (0..2).filter_map(|_| File::open("/dev/null").ok()).collect()
}

/// Marks this process, and all that it will start, as below this root. Async-signal-safe.
pub(crate) fn mark(root: u32) {
    let maximum = getrlimit(Resource::Locks).maximum;
    let current = Some(mark_below(root));
    // Where a low hard limit refuses it, what is below is known by the other rules.
    let _ = setrlimit(Resource::Locks, Rlimit { current, maximum });
}

fn mark_below(root: u32) -> u64 {
    1 << 40 | u64::from(root)
}

/// The mark of what is below this root, as [`limit_of`] gives it.
pub(crate) fn mark_of(root: u32) -> String {
    mark_below(root).to_string()
}

/// Reaps an orphan that has ended. Nobody else waits for it, so its number is still its own.
pub(crate) fn reap(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
    }
}

/// Reaps the children that have ended and that the runtime did not start: for a host, whose program
/// alone starts any.
pub(crate) fn reap_ended(started: impl Fn(u32) -> bool) {
    let found = children().unwrap_or_default().into_iter().map(|(pid, _)| pid);
    for pid in found.filter(|pid| !started(*pid)) {
        if SeenProcess::of(pid).is_some_and(|seen| seen.state == ProcessLife::Ended) {
            reap(pid);
        }
    }
}

/// Waits for a child that was killed, and reaps it.
pub(crate) fn reap_now(pid: u32) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED) {}
}

/// Which thread has a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Main,
    Other,
}

/// The children of this process, alive or zombie.
fn children() -> io::Result<Vec<(u32, Owner)>> {
    let mut found = Vec::new();
    for tid in threads()? {
        let owner = if tid == std::process::id() { Owner::Main } else { Owner::Other };
        let text = match std::fs::read_to_string(format!("/proc/self/task/{tid}/children")) {
            Ok(text) => text,
            Err(error) if owner == Owner::Main => return Err(error),
            // A thread may have ended in the meantime.
            Err(_) => continue,
        };
        found.extend(crate::process::numbers(&text).into_iter().map(|pid| (pid, owner)));
    }
    Ok(found)
}

fn threads() -> io::Result<Vec<u32>> {
    let tasks = std::fs::read_dir("/proc/self/task")?;
    let names = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok());
    Ok(names.collect())
}

/// Whether a process still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProcessLife {
    Runs,
    Ended,
}

/// What `/proc` says of a process.
#[derive(Clone, Copy, Debug)]
struct SeenProcess {
    state: ProcessLife,
    /// When it was started, in ticks since boot.
    start: u64,
}

impl SeenProcess {
    fn of(pid: u32) -> Option<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name is in brackets, and may have brackets and spaces in it.
        let mut fields = text[text.rfind(')')? + 1..].split_ascii_whitespace();
        let state = match fields.next()? {
            "Z" | "X" => ProcessLife::Ended,
            _ => ProcessLife::Runs,
        };
        // The 22nd field of all; the state is the third.
        let start = fields.nth(18)?.parse().ok()?;
        Some(Self { state, start })
    }
}

/// The soft limit that is the mark, as text.
pub(crate) fn limit_of(pid: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max file locks"))?;
    line.split_ascii_whitespace().next().map(str::to_owned)
}

/// The context switches of all threads of this process that have ended; none if threads are so busy
/// that the numbers never stand still while they are read.
fn ended_switches() -> Option<u64> {
    let mut before = live_switches();
    for _ in 0..TRIES {
        let all = all_switches();
        let after = live_switches();
        match &after {
            Some(live) if before == after => {
                return Some(all.saturating_sub(live.values().sum()));
            }
            _ => before = after,
        }
    }
    None
}

fn all_switches() -> u64 {
    // SAFETY: zeros are a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: writes into a live value of its type.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    usage.ru_nvcsw.unsigned_abs() + usage.ru_nivcsw.unsigned_abs()
}

/// The context switches of each thread that lives; none if one is just ending: its children have
/// gone to the main thread, its switches not yet to those of the ended.
fn live_switches() -> Option<BTreeMap<u32, u64>> {
    let mut switches = BTreeMap::new();
    for tid in threads().ok()? {
        let text = std::fs::read_to_string(format!("/proc/self/task/{tid}/status")).ok()?;
        let number = |name: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().parse().ok()
        };
        let state = text.lines().find_map(|line| line.strip_prefix("State:"))?.trim_start();
        if state.starts_with(['X', 'Z']) {
            return None;
        }
        let voluntary = number("voluntary_ctxt_switches:")?;
        switches.insert(tid, voluntary + number("nonvoluntary_ctxt_switches:")?);
    }
    Some(switches)
}
