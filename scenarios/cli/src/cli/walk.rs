//! `holdfast walk`: seeded random schedules of a run, for as long as one likes.

use super::drivers::{self, NoEngine, quoted};
use super::named;
use super::setup::{ModelArgs, SetupError};
use super::watch::{CtrlCError, Interruption, ProgressView, watched};
use super::{Format, TraceNotWritten, complain, print, print_json, render, write_trace};
use crate::exit::ExitClass;
use crate::json::check::RunJson;
use crate::json::walk::{WalkFailureJson, WalkJson};
use crate::shard::{Shard, ShardJson, fingerprint};
use anstyle::AnsiColor;
use clap::Args;
use holdfast_check::explore::Progress;
use holdfast_check::property::{PropertyId, PropertyKind};
use holdfast_check::report::CheckOutcome;
use holdfast_check::schedule::{RunEnd, SchedulerName, SimulatedRun};
use holdfast_check::walk::{shrink, walk};
use holdfast_check::world::Topology;
use indicatif::HumanCount;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Walks a run at random: faults first, then no more, until nothing moves. Every step is judged.
///
/// For trees and faults that are too many for `holdfast check`. It proves nothing, and finds what
/// is not rare. A seed names its walks: the same ones on every machine.
///
/// With `--on drivers` it walks the driver loop that the runtime executes: a thread an actor, on
/// simulated sockets, timers, signals and processes, in a build with `--cfg model_shuttle`.
#[derive(Debug, Args)]
pub struct WalkArgs {
    #[command(flatten)]
    run: ModelArgs,
    /// Where: in the world of the checker (model), where a step is whole, or on real drivers in
    /// threads (drivers), where others go on between any two outputs of one.
    #[arg(long, value_name = "WHERE", default_value = "model",
          value_parser = named::parser::<WalkEngine>())]
    on: WalkEngine,
    /// Who chooses the driver that goes on: chance at every choice (random), or with few
    /// preemptions at the worst places (pct) [default: random].
    #[arg(long, value_name = "SCHEDULER", value_parser = named::parser::<SchedulerName>())]
    scheduler: Option<SchedulerName>,
    /// What the walks are drawn from.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// How many walks.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    iterations: u64,
    /// The number of the first walk: goes on where another run of this command has stopped.
    #[arg(long, value_name = "I", default_value_t = 0)]
    from: u64,
    /// Writes the failure to this file, for `holdfast replay` [default: a new file in the folder
    /// for temporary files].
    #[arg(long, value_name = "FILE")]
    trace_out: Option<PathBuf>,
    /// Prints one JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// Takes only part K of N of the walks; `holdfast merge` makes one of the JSON of all parts.
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
}

/// Where walks are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkEngine {
    /// The model: a step is whole.
    Model,
    /// The loop of the runtime: others go on between any two outputs of one.
    Drivers,
}

holdfast_protocol::named! {
    WalkEngine, "what is walked":
    Model => "model",
    Drivers => "drivers",
}

/// Why walks cannot be taken, or a failure not be kept.
#[derive(Debug, thiserror::Error)]
enum WalkError {
    /// Nothing to walk on.
    #[error("a walk needs a tree; give for example --tree 'root(mid(leaf),sib)'")]
    NoTree,
    /// The model has no threads.
    #[error("--scheduler is for drivers; add --on drivers, or leave it out")]
    NoScheduler,
    /// This build has no drivers in threads.
    #[error(transparent)]
    NoEngine(#[from] NoEngine),
    /// The arguments do not fit.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Ctrl-C cannot be caught.
    #[error(transparent)]
    CtrlC(#[from] CtrlCError),
    /// The trace cannot be written.
    #[error(transparent)]
    Trace(#[from] TraceNotWritten),
}

/// What came of some walks.
#[derive(Default)]
pub(super) struct Walks {
    pub(super) taken: u64,
    pub(super) steps: u64,
    pub(super) failure: Option<FailedWalk>,
}

/// A walk that failed, and how.
pub(super) struct FailedWalk {
    pub(super) iteration: u64,
    pub(super) property: Option<PropertyId>,
    pub(super) what: String,
    /// How many steps it had, and how many the file has.
    pub(super) walked: usize,
    pub(super) steps: usize,
    /// What is written.
    pub(super) file: String,
}

impl WalkArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> ExitClass {
        self.walk().unwrap_or_else(|error| complain(&error))
    }

    fn walk(&self) -> Result<ExitClass, WalkError> {
        let (config, named) = self.run.run()?.ok_or(WalkError::NoTree)?;
        let scheduler = match (self.on, self.scheduler) {
            (WalkEngine::Model, Some(_)) => return Err(WalkError::NoScheduler),
            (WalkEngine::Model, None) => None,
            (WalkEngine::Drivers, asked) => Some(asked.unwrap_or(SchedulerName::Random)),
        };
        let run = SimulatedRun { config, named, ends: RunEnd::Any };
        let numbers = self.numbers();
        let started = Instant::now();
        let (walks, asked) = watched(ProgressView::Walks, |progress| match scheduler {
            None => Ok(self.take(&run, progress)),
            Some(who) => drivers::take(&run, who, self.seed, self.numbers(), progress),
        })?;
        let (walks, took) = (walks?, started.elapsed());
        let kind =
            |failed: &FailedWalk| failed.property.map_or(PropertyKind::LeadsTo, PropertyId::kind);
        let outcome = match (&walks.failure, asked) {
            (Some(failed), _) if kind(failed) == PropertyKind::Always => {
                CheckOutcome::SafetyViolated
            }
            (Some(_), _) => CheckOutcome::LivenessViolated,
            (None, Interruption::ByUser) if walks.taken < numbers.end - numbers.start => {
                CheckOutcome::Interrupted
            }
            (None, Interruption::ByUser | Interruption::None) => CheckOutcome::Holds,
        };
        let exit = ExitClass::from(outcome);
        let json = WalkJson {
            shard: self.shard.map(|shard| self.part(shard, &run, scheduler, exit)),
            outcome,
            exit: exit as u8,
            on: self.on,
            scheduler,
            run: RunJson::new(&run.config, &run.named),
            seed: self.seed,
            from: numbers.start,
            walks: walks.taken,
            steps: walks.steps,
            seconds: took.as_secs_f64(),
            per_second: (walks.taken as f64 / took.as_secs_f64().max(1e-3)) as u64,
            next: numbers.start.saturating_add(walks.taken),
            failure: walks.failure.map(|failed| self.keep(failed)).transpose()?,
        };
        match Format::of_switch(self.json) {
            Format::Json => print_json(&json),
            Format::Text => print(&text(&render::run(&run.config, &run.named), &json, took)),
        }
        Ok(exit)
    }

    /// The numbers of the walks to take.
    fn numbers(&self) -> Range<u64> {
        let all = self.from..self.from.saturating_add(self.iterations);
        match self.shard {
            Some(shard) => shard.piece(all),
            None => all,
        }
    }

    /// What to say of a part.
    fn part(
        &self,
        shard: Shard,
        run: &SimulatedRun,
        scheduler: Option<SchedulerName>,
        exit: ExitClass,
    ) -> ShardJson {
        let all = self.from..self.from.saturating_add(self.iterations);
        let asked = format!("walk {} {} {scheduler:?} {all:?}", self.on, self.seed);
        let whole = fingerprint([asked, format!("{:?}", run.config)]);
        ShardJson::new(shard, all.end - all.start, whole, exit as u8)
    }

    /// Takes walks in the world of the checker, until one fails or the person wants no more.
    fn take(&self, run: &SimulatedRun, progress: &Progress) -> Walks {
        let topology = Topology::new(run.config.clone());
        let mut walks = Walks::default();
        for iteration in self.numbers() {
            if progress.interrupt.load(Relaxed) {
                break;
            }
            walks.taken += 1;
            match walk(&topology, self.seed, iteration) {
                Ok(walked) => walks.steps += walked.steps as u64,
                Err(failure) => {
                    walks.steps += failure.steps.len() as u64;
                    let short = shrink(&topology, failure.clone());
                    walks.failure = Some(FailedWalk {
                        iteration,
                        property: failure.property,
                        what: failure.what.to_owned(),
                        walked: failure.steps.len(),
                        steps: short.steps.len(),
                        file: short.trace(&topology, &run.named).to_text(),
                    });
                    break;
                }
            }
            progress.states.store(walks.taken, Relaxed);
            progress.frontier.store(walks.steps, Relaxed);
        }
        walks
    }

    /// Writes a failure to a file.
    fn keep(&self, failed: FailedWalk) -> Result<WalkFailureJson, WalkError> {
        let path = match &self.trace_out {
            Some(path) => path.clone(),
            None => self.temporary(failed.iteration)?,
        };
        write_trace(&path, &failed.file)?;
        let replay = match self.on {
            WalkEngine::Model => format!("holdfast replay {}", quoted(path.clone().into())),
            WalkEngine::Drivers => drivers::replay_command(&path),
        };
        Ok(WalkFailureJson {
            iteration: failed.iteration,
            property: failed.property,
            what: failed.what,
            walked: failed.walked,
            steps: failed.steps,
            file: path.display().to_string(),
            replay,
        })
    }

    /// A file of its own that stays.
    fn temporary(&self, iteration: u64) -> Result<PathBuf, WalkError> {
        let folder = std::env::temp_dir();
        let wrong = |source| TraceNotWritten { path: folder.clone(), source };
        let prefix = format!("holdfast-walk-{}-{iteration}-", self.seed);
        let suffix = match self.on {
            WalkEngine::Model => ".trace",
            WalkEngine::Drivers => ".schedule",
        };
        let file = tempfile::Builder::new().prefix(&prefix).suffix(suffix).tempfile_in(&folder);
        let (_, path) = file.map_err(wrong)?.keep().map_err(|kept| wrong(kept.error))?;
        Ok(path)
    }
}

fn text(run: &str, json: &WalkJson, took: Duration) -> String {
    let (walks, steps) = (HumanCount(json.walks), HumanCount(json.steps));
    let rate = HumanCount(json.per_second);
    let mut text = format!(
        "{run}\n\nseed {}, walks {} to {}: {walks} walks, {steps} steps, {:.1} s, {rate} walks/s\n",
        json.seed,
        json.from,
        json.next.saturating_sub(1).max(json.from),
        took.as_secs_f64(),
    );
    if let Some(failure) = &json.failure {
        let property = failure.property.map_or_else(String::new, |id| format!("`{id}`: "));
        let left = match json.on {
            WalkEngine::Model => format!(", {} of them suffice", failure.steps),
            WalkEngine::Drivers => String::new(),
        };
        let _ = write!(
            text,
            "\nWalk {} fails after {} steps{left}: {property}{}\nTo see it:\n  {}\n",
            failure.iteration, failure.walked, failure.what, failure.replay,
        );
    }
    if json.exit != ExitClass::Holds as u8 {
        let _ = writeln!(
            text,
            "To go on: the same command with --seed {} --from {}",
            json.seed, json.next
        );
    }
    let (color, sum) = match json.outcome {
        CheckOutcome::Holds => (AnsiColor::Green, "holds on these walks"),
        CheckOutcome::SafetyViolated => (AnsiColor::Red, "safety violated"),
        CheckOutcome::LivenessViolated => (AnsiColor::Red, "liveness violated"),
        CheckOutcome::Interrupted | CheckOutcome::NotExhausted | CheckOutcome::Vacuous => {
            (AnsiColor::Yellow, "interrupted")
        }
    };
    let style = color.on_default().bold();
    let _ = writeln!(text, "\n{style}{sum}{style:#}");
    text
}
