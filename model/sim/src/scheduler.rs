//! Whose turn it is: by chance, with few preemptions at the worst places, or as a file says.
//!
//! shuttle's own schedulers draw a schedule from those before it; PCT learns from them how long one
//! is. Here a seed and a number name a schedule, so that a stress run can go on wherever one
//! has stopped.

use holdfast_check::rng::Rng;
use holdfast_check::schedule::{ScheduleSeed, SchedulerName, SimulatedRun};
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How far a stress run, or a replay, is.
#[derive(Debug, Default)]
pub(crate) struct StressProgress {
    /// The number of the schedule that is under way.
    pub(crate) iteration: u64,
    /// What it runs.
    pub(crate) run: Option<Arc<SimulatedRun>>,
    /// Whose turn it was so far.
    pub(crate) threads: Vec<u32>,
    /// How many schedules were begun.
    pub(crate) begun: u64,
    /// How many choices those before this one had.
    pub(crate) choices: u64,
    /// The choice at which a file names a thread that cannot go on.
    pub(crate) strayed: Option<usize>,
}

/// The same, for all who look at it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Arc<Mutex<StressProgress>>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, StressProgress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Draws runs, and the order of their threads.
pub(crate) struct ByChance<D> {
    scheduler: SchedulerName,
    seed: u64,
    numbers: Range<u64>,
    draw: D,
    progress: Shared,
    chance: Chance,
    /// What the threads draw from.
    draws: Rng,
}

impl<D: Fn(&mut Rng) -> SimulatedRun> ByChance<D> {
    pub(crate) fn new(
        scheduler: SchedulerName,
        seed: u64,
        numbers: Range<u64>,
        draw: D,
        progress: Shared,
    ) -> Self {
        // Both are drawn anew for each schedule.
        let (chance, draws) = (Chance::Even(Rng::new(0, 0)), Rng::new(0, 0));
        Self { scheduler, seed, numbers, draw, progress, chance, draws }
    }
}

impl<D: Fn(&mut Rng) -> SimulatedRun> Scheduler for ByChance<D> {
    fn new_execution(&mut self) -> Option<Schedule> {
        let mut progress = self.progress.lock();
        progress.choices += std::mem::take(&mut progress.threads).len() as u64;
        let iteration = self.numbers.next()?;
        let drawn = ScheduleSeed { scheduler: self.scheduler, seed: self.seed, iteration };
        let mut order = drawn.order();
        progress.run = Some(Arc::new((self.draw)(&mut order)));
        progress.begun += 1;
        progress.iteration = iteration;
        self.draws = drawn.draws();
        self.chance = match self.scheduler {
            SchedulerName::Random => Chance::Even(order),
            SchedulerName::Pct => Chance::Pct(Pct::new(order)),
        };
        // What shuttle notes down itself is not used.
        Some(Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let next = match &mut self.chance {
            Chance::Even(rng) => runnable[rng.below(runnable.len())].id(),
            Chance::Pct(pct) => pct.next(runnable, current, is_yielding),
        };
        self.progress.lock().threads.push(usize::from(next) as u32);
        Some(next)
    }

    fn next_u64(&mut self) -> u64 {
        self.draws.next_u64()
    }
}

/// How the next thread is chosen.
enum Chance {
    /// All are equally likely.
    Even(Rng),
    /// The first by rank.
    Pct(Pct),
}

/// Probabilistic concurrency testing (Burckhardt and others, "A randomized scheduler with
/// probabilistic guarantees of finding bugs", 2010): the threads have ranks by chance, the first
/// that can go on does, and at some choices it becomes the last.
struct Pct {
    rng: Rng,
    /// The rank of each thread; the least goes first.
    ranks: Vec<u64>,
    /// The last rank.
    last: u64,
    /// The choices at which a thread becomes the last.
    changes: [usize; PREEMPTIONS],
    choices: usize,
}

impl Pct {
    fn new(mut rng: Rng) -> Self {
        // How long the schedule will be is not known: so its scale is drawn first.
        let length = SHORT << rng.below(SCALES);
        let changes = std::array::from_fn(|_| 1 + rng.below(length));
        Self { rng: rng, ranks: Vec::new(), last: u64::MAX / 2, changes, choices: 0 }
    }

    fn next(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> TaskId {
        let threads = runnable.iter().map(|task| usize::from(task.id()) + 1).max();
        while self.ranks.len() < threads.unwrap_or(0) {
            self.ranks.push(self.rng.next_u64() / 2);
        }
        if runnable.len() > 1 {
            if let Some(current) = current
                && (is_yielding || self.changes.contains(&self.choices))
            {
                self.last += 1;
                self.ranks[usize::from(current)] = self.last;
            }
            self.choices += 1;
        }
        let first = runnable.iter().min_by_key(|task| self.ranks[usize::from(task.id())]);
        first.expect("shuttle asks while somebody can go on").id()
    }
}

/// One less than the depth of the mistakes that are looked for.
const PREEMPTIONS: usize = 2;

/// The least number of choices that a schedule is taken to have, and how often that is doubled.
const SHORT: usize = 32;
const SCALES: usize = 9;

/// Follows a file.
pub(crate) struct ByFile {
    pub(crate) threads: std::vec::IntoIter<u32>,
    pub(crate) draws: Rng,
    pub(crate) progress: Shared,
}

impl Scheduler for ByFile {
    fn new_execution(&mut self) -> Option<Schedule> {
        let mut progress = self.progress.lock();
        progress.begun += 1;
        (progress.begun == 1).then(|| Schedule::new(0))
    }

    /// The next of the file. None, at its end or where it does not fit, ends the run.
    fn next_task(&mut self, runnable: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
        let next = self.threads.next()?;
        let mut progress = self.progress.lock();
        progress.threads.push(next);
        let found =
            runnable.iter().map(|task| task.id()).find(|id| usize::from(*id) == next as usize);
        if found.is_none() {
            progress.strayed = Some(progress.threads.len());
        }
        found
    }

    fn next_u64(&mut self) -> u64 {
        self.draws.next_u64()
    }
}
