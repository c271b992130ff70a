//! Many schedules, until one fails; and a failed one again.
//!
//! # Rules
//! 1. A seed and the number of a schedule name it, wherever the stress run begins.
//! 2. What failed is a [`Schedule`], and its replay falls in the same way.

use super::environment::run;
use super::observer::{Book, Verbosity, Watch};
use super::scheduler::{ByChance, ByFile, Shared};
use holdfast_check::property::PropertyId;
use holdfast_check::rng::Rng;
use holdfast_check::schedule::{
    Schedule, ScheduleError, ScheduleHeader, SchedulerName, SimulatedRun, VERSION,
};
use holdfast_check::trace::TraceHeader;
use shuttle::scheduler::Scheduler;
use shuttle::{Config, FailurePersistence, Runner};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

/// What schedules are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct StressRun {
    /// Who chooses the thread that goes on.
    pub scheduler: SchedulerName,
    /// The seed.
    pub seed: u64,
    /// What is judged.
    pub watch: Watch,
}

/// What came of some schedules.
#[derive(Debug)]
pub struct StressResult {
    /// How many there were, the failed one among them.
    pub schedules: u64,
    /// How often a thread was chosen.
    pub choices: u64,
    /// What was seen, and how often.
    pub seen: BTreeMap<&'static str, usize>,
    /// The one that failed.
    pub failure: Option<Schedule>,
}

impl StressRun {
    /// Runs the schedules with these numbers, until one fails. Each is of a run that is drawn.
    ///
    /// # Panics
    /// If this is a thread of a schedule itself.
    pub fn take(
        self,
        numbers: Range<u64>,
        draw: impl Fn(&mut Rng) -> SimulatedRun + 'static,
    ) -> StressResult {
        let book = Book::new(self.watch, Verbosity::Quiet);
        let progress = Shared::default();
        let scheduler = ByChance::new(self.scheduler, self.seed, numbers, draw, progress.clone());
        let (runs, sees) = (progress.clone(), book.clone());
        let ran = caught(scheduler, move || {
            let next = runs.lock().run.clone();
            run(&next.expect("a run is drawn before it begins"), sees.clone());
        });
        let (mut found, mut progress) = (book.found(), progress.lock());
        let failure = ran.err().map(|panic| {
            let run = progress.run.take().unwrap_or_else(|| panic!("before any run: {panic}"));
            let (property, what) =
                found.fell.take().map_or((None, panic), |(id, what)| (Some(id), what));
            let header = ScheduleHeader {
                holdfast_schedule: VERSION,
                what,
                run: TraceHeader::new(&run.config, &run.named, property),
                ends: run.ends,
                scheduler: self.scheduler,
                seed: self.seed,
                iteration: progress.iteration,
            };
            Schedule { header, threads: std::mem::take(&mut progress.threads) }
        });
        let last = failure.as_ref().map_or(0, |failure| failure.threads.len() as u64);
        StressResult {
            schedules: progress.begun,
            choices: progress.choices + last,
            seen: std::mem::take(&mut found.seen),
            failure,
        }
    }
}

/// What came of a replay.
#[derive(Debug)]
pub struct Replayed {
    /// How it went.
    pub went: Went,
    /// What happened, line by line.
    pub story: Vec<String>,
}

/// How a replay went.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Went {
    /// What fell falls; or a thread panics, or all wait forever, if that was it.
    Falls,
    /// Something else went wrong.
    Otherwise(String),
    /// On this choice the schedule names a thread that cannot go on.
    Strays(usize),
    /// All was chosen as the schedule says, and nothing is broken.
    Holds,
}

/// Runs a schedule again.
///
/// # Errors
/// If its run is none.
pub fn replay(schedule: &Schedule) -> Result<Replayed, ScheduleError> {
    let again = Arc::new(schedule.run()?);
    let breaks = schedule.header.run.breaks;
    let book = Book::new(breaks.map_or(Watch::Everything, Watch::Only), Verbosity::Verbose);
    let progress = Shared::default();
    let scheduler = ByFile {
        threads: schedule.threads.clone().into_iter(),
        draws: schedule.header.drawn().draws(),
        progress: progress.clone(),
    };
    let sees = book.clone();
    let ran = caught(scheduler, move || run(&again, sees.clone()));
    let (mut found, progress) = (book.found(), progress.lock());
    let fell: Option<PropertyId> = found.fell.as_ref().map(|(property, _)| *property);
    let went = match (ran, progress.strayed) {
        (Err(_), _) if fell.is_some() && fell == breaks => Went::Falls,
        (_, Some(choice)) => Went::Strays(choice),
        (Err(_), None) if fell == breaks => Went::Falls,
        (Err(panic), None) => Went::Otherwise(panic),
        (Ok(()), None) => Went::Holds,
    };
    Ok(Replayed { went, story: std::mem::take(&mut found.story) })
}

thread_local! {
    /// The first panic of a run on this thread, and where.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    /// Whether runs are under way on it.
    static LISTENS: Cell<bool> = const { Cell::new(false) };
}

/// Runs schedules. What they panic with is returned, and not printed.
fn caught(
    scheduler: impl Scheduler + 'static,
    run: impl Fn() + Send + Sync + 'static,
) -> Result<(), String> {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    let runner = Runner::new(scheduler, config);
    LISTENS.set(true);
    let ran = catch_unwind(AssertUnwindSafe(|| {
        runner.run(move || {
            listen();
            run();
        })
    }));
    LISTENS.set(false);
    match (ran, PANIC.take()) {
        (Ok(_), _) => Ok(()),
        (Err(_), said) => Err(said.unwrap_or_else(|| "a thread panicked".to_owned())),
    }
}

/// Hears of panics. shuttle prints them once it runs, so this comes after its own hook.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let otherwise = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !LISTENS.get() {
                return otherwise(panic);
            }
            PANIC.with_borrow_mut(|first| {
                let said = panic.payload_as_str().unwrap_or("a thread panicked");
                let place = panic.location().map_or_else(String::new, |at| format!(", {at}"));
                first.get_or_insert_with(|| format!("{said}{place}"));
            });
        }));
    });
}
