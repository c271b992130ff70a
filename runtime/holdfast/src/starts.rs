//! Children that are being started, off the driver's thread.
//!
//! fork(2) and exec(2) are somebody else's time: an executable on a file system that does not answer,
//! a closure of the program's between the two. The standard library waits for exec; the driver must
//! not. So a thread of the driver's pool (`start`) waits, and the driver takes the child when it is
//! there. The pool's threads live as long as the driver: a thread that has forked and ended would
//! hand its children on ([`crate::orphans`]).
//!
//! ```text
//!   order --begin--> thread `start`: fork, exec --StartEnded--> the actor loop takes or refuses it
//!                    not in time: killed, and then taken like any child that has ended
//! ```
//!
//! # Rules
//! 1. The time is counted in looks at the clock while this process runs: what is stopped (Ctrl-Z)
//!    does not lose it.
//! 2. A child that nobody takes any longer is killed and reaped.
//! 3. A driver does not end before all of this is over.

use crate::error::RuntimeError;
use crate::process::{Process, kill_unwatched};
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often a child that does not reach exec is looked at, and how many times.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS: u32 = 50;

/// What is being started.
#[derive(Clone, Debug, Default)]
pub(crate) struct PendingStarts {
    threads: Arc<Mutex<Threads>>,
}

#[derive(Debug, Default)]
struct Threads {
    /// Those that start a child just now, with the children that they had before.
    busy: BTreeMap<u32, BTreeSet<u32>>,
    /// What was started, until it is taken over.
    started: BTreeSet<u32>,
}

impl Threads {
    /// The children between fork and exec.
    fn unfinished(&self) -> impl Iterator<Item = u32> {
        let all = self.busy.iter().flat_map(|(thread, before)| {
            children_of_thread(*thread).into_iter().filter(|pid| !before.contains(pid))
        });
        all.filter(|pid| !self.started.contains(pid))
    }
}

/// One thread that starts a child, for as long as it does.
struct Busy(PendingStarts, u32);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.lock().busy.remove(&self.1);
    }
}

impl PendingStarts {
    fn lock(&self) -> MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// PendingStarts a child in a thread of the pool, and waits for it without blocking.
    pub(crate) async fn run(
        &self,
        name: &str,
        start: impl FnOnce() -> Result<Process, RuntimeError> + Send + 'static,
    ) -> Result<Process, RuntimeError> {
        let starts = self.clone();
        let mut task = tokio::task::spawn_blocking(move || {
            let thread = nix::unistd::gettid().as_raw().unsigned_abs();
            let before = children_of_thread(thread).into_iter().collect();
            starts.lock().busy.insert(thread, before);
            let _busy = Busy(starts.clone(), thread);
            let process = start()?;
            starts.lock().started.insert(process.pid());
            Ok(process)
        });
        for _ in 0..LOOKS {
            if let Ok(started) = tokio::time::timeout(LOOK, &mut task).await {
                return settled(started);
            }
        }
        let waits = self.end_unfinished();
        tracing::error!(
            target: "holdfast", name, processes = ?waits,
            "a child does not reach its exec and is ended: its program is not read, or a closure of \
             the program's waits"
        );
        settled(task.await)
    }

    /// Whether a child is being started.
    pub(crate) fn are_over(&self) -> bool {
        let threads = self.lock();
        threads.busy.is_empty() && threads.started.is_empty()
    }

    /// The child is taken over, or has been refused and reaped.
    pub(crate) fn taken(&self, pid: u32) {
        self.lock().started.remove(&pid);
    }

    /// Whether the pool has this child and the driver not yet.
    pub(crate) fn have(&self, pid: u32) -> bool {
        let threads = self.lock();
        threads.started.contains(&pid) || threads.unfinished().any(|one| one == pid)
    }

    /// Kills what has not reached exec; the thread that waits for it goes on then.
    pub(crate) fn end_unfinished(&self) -> Vec<u32> {
        let threads = self.lock();
        let waits: Vec<u32> = threads.unfinished().collect();
        waits.iter().for_each(|pid| kill_unwatched(*pid));
        waits
    }
}

fn settled(
    started: Result<Result<Process, RuntimeError>, tokio::task::JoinError>,
) -> Result<Process, RuntimeError> {
    started.unwrap_or(Err(RuntimeError::Gone("start a child")))
}

fn children_of_thread(thread: u32) -> Vec<u32> {
    let list = std::fs::read_to_string(format!("/proc/self/task/{thread}/children"));
    list.map(|list| crate::process::numbers(&list)).unwrap_or_default()
}

/// Ends and reaps a child that nobody wants, off the driver's thread.
pub(crate) fn refuse(process: Process, starts: PendingStarts) -> JoinHandle<()> {
    process.signal(Signal::KILL);
    tokio::task::spawn_blocking(move || {
        process.wait();
        starts.taken(process.pid());
    })
}
