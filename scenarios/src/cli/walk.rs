//! `holdfast walk`: seeded random schedules of a run, for as long as one likes.

use super::json::RunJson;
use super::setup::{RunArgs, SetupError};
use super::watch::{Asked, Show, watched};
use super::{Format, complain, print, print_json, render};
use crate::exit::Exit;
use anstyle::AnsiColor;
use clap::Args;
use holdfast_model::check::explore::Progress;
use holdfast_model::check::property::{Kind, PropertyId};
use holdfast_model::check::trace::Named;
use holdfast_model::check::walk::{Failure, shrink, walk};
use holdfast_model::world::Topology;
use indicatif::HumanCount;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Walks a run at random: faults first, then no more, until nothing moves. Every step is judged.
///
/// For trees and faults that are too many for `holdfast check`. It proves nothing, and finds what
/// is not rare. A seed names its walks: the same ones on every machine.
#[derive(Debug, Args)]
pub struct WalkArgs {
    #[command(flatten)]
    run: RunArgs,
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
}

/// Why walks can not be taken, or a failure not be kept.
#[derive(Debug, thiserror::Error)]
enum WalkError {
    /// Nothing to walk on.
    #[error("a walk needs a tree; give for example --tree 'root(mid(leaf),sib)'")]
    NoTree,
    /// The arguments do not fit.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Ctrl-C can not be caught.
    #[error("failed to catch Ctrl-C")]
    Signal(#[source] std::io::Error),
    /// The trace can not be written.
    #[error("failed to write the trace to {path}; choose another --trace-out")]
    Trace {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The result of `holdfast walk --json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct WalkJson {
    /// `holds`, `safety-violated`, `liveness-violated` or `interrupted`.
    outcome: &'static str,
    /// The exit code.
    exit: u8,
    /// What was walked.
    run: RunJson,
    /// What the walks were drawn from.
    seed: u64,
    /// The number of the first walk.
    from: u64,
    /// How many walks were taken, the failed one among them.
    walks: u64,
    /// How many steps they had.
    steps: u64,
    /// How long it took.
    seconds: f64,
    /// The walk to go on `--from`.
    next: u64,
    /// The walk that failed.
    failure: Option<FailureJson>,
}

/// A walk that failed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct FailureJson {
    /// The number of the walk.
    iteration: u64,
    /// What fell; none if the tree does not come to rest.
    property: Option<PropertyId>,
    /// The same in words.
    what: &'static str,
    /// How many steps the walk had, and how many are left of it in the file.
    walked: usize,
    /// Those that are left.
    steps: usize,
    /// The file.
    file: String,
}

/// What came of some walks.
#[derive(Default)]
struct Walks {
    taken: u64,
    steps: u64,
    /// The number of the walk that failed, and how.
    failure: Option<(u64, Failure)>,
}

impl WalkArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> Exit {
        self.walk().unwrap_or_else(|error| complain(&error))
    }

    fn walk(&self) -> Result<Exit, WalkError> {
        let (config, named) = self.run.run()?.ok_or(WalkError::NoTree)?;
        let topology = Topology::new(config);
        let started = Instant::now();
        let (walks, asked) = watched(Show::Walks, |progress| self.take(&topology, progress))
            .map_err(WalkError::Signal)?;
        let took = started.elapsed();
        let exit = match (&walks.failure, asked) {
            (Some((_, failure)), _) if failure.kind() == Kind::Always => Exit::Safety,
            (Some(_), _) => Exit::Liveness,
            (None, Asked::ToStop) if walks.taken < self.iterations => Exit::Interrupted,
            (None, Asked::ToStop | Asked::Nothing) => Exit::Holds,
        };
        let failure = match &walks.failure {
            Some((iteration, failure)) => Some(self.keep(&topology, &named, *iteration, failure)?),
            None => None,
        };
        let json = WalkJson {
            outcome: outcome(exit),
            exit: exit as u8,
            run: RunJson::new(topology.config(), &named),
            seed: self.seed,
            from: self.from,
            walks: walks.taken,
            steps: walks.steps,
            seconds: took.as_secs_f64(),
            next: self.from.saturating_add(walks.taken),
            failure,
        };
        match Format::of_switch(self.json) {
            Format::Json => print_json(&json),
            Format::Text => print(&text(&render::run(topology.config(), &named), &json, took)),
        }
        Ok(exit)
    }

    /// Takes the walks, until one fails or the person wants no more.
    fn take(&self, topology: &Topology, progress: &Progress) -> Walks {
        let mut walks = Walks::default();
        let last = self.from.saturating_add(self.iterations);
        for number in self.from..last {
            if progress.interrupt.load(Relaxed) {
                break;
            }
            walks.taken += 1;
            match walk(topology, self.seed, number) {
                Ok(walked) => walks.steps += walked.steps as u64,
                Err(failure) => {
                    walks.steps += failure.steps.len() as u64;
                    walks.failure = Some((number, failure));
                    break;
                }
            }
            progress.states.store(walks.taken, Relaxed);
            progress.frontier.store(walks.steps, Relaxed);
        }
        walks
    }

    /// Writes a failure, as short as it gets, to a file.
    fn keep(
        &self,
        topology: &Topology,
        named: &Named,
        iteration: u64,
        failure: &Failure,
    ) -> Result<FailureJson, WalkError> {
        let short = shrink(topology, failure.clone());
        let path = match &self.trace_out {
            Some(path) => path.clone(),
            None => temporary(self.seed, iteration)?,
        };
        std::fs::write(&path, short.trace(topology, named).to_text())
            .map_err(|source| WalkError::Trace { path: path.clone(), source })?;
        Ok(FailureJson {
            iteration,
            property: failure.property,
            what: failure.what,
            walked: failure.steps.len(),
            steps: short.steps.len(),
            file: path.display().to_string(),
        })
    }
}

/// A file of its own that stays.
fn temporary(seed: u64, iteration: u64) -> Result<PathBuf, WalkError> {
    let folder = std::env::temp_dir();
    let wrong = |source| WalkError::Trace { path: folder.clone(), source };
    let prefix = format!("holdfast-walk-{seed}-{iteration}-");
    let file = tempfile::Builder::new().prefix(&prefix).suffix(".trace").tempfile_in(&folder);
    let (_, path) = file.map_err(wrong)?.keep().map_err(|kept| wrong(kept.error))?;
    Ok(path)
}

fn outcome(exit: Exit) -> &'static str {
    match exit {
        Exit::Safety => "safety-violated",
        Exit::Liveness => "liveness-violated",
        Exit::Interrupted => "interrupted",
        Exit::Holds
        | Exit::BadInput
        | Exit::Conformance
        | Exit::Expectation
        | Exit::NotExhausted => "holds",
    }
}

fn text(run: &str, json: &WalkJson, took: Duration) -> String {
    let (walks, steps) = (HumanCount(json.walks), HumanCount(json.steps));
    let rate = HumanCount((json.walks as f64 / took.as_secs_f64().max(1e-3)) as u64);
    let mut text = format!(
        "{run}\n\nseed {}, walks {} to {}: {walks} walks, {steps} steps, {:.1} s, {rate} walks/s\n",
        json.seed,
        json.from,
        json.next.saturating_sub(1).max(json.from),
        took.as_secs_f64(),
    );
    if let Some(failure) = &json.failure {
        let property = failure.property.map_or_else(String::new, |id| format!("`{id}`: "));
        let _ = write!(
            text,
            "\nWalk {} fails after {} steps, {} of them suffice: {property}{}\n\
             To see it:\n  holdfast replay {}\n",
            failure.iteration,
            failure.walked,
            failure.steps,
            failure.what,
            quoted(Path::new(&failure.file)),
        );
    }
    if json.exit != Exit::Holds as u8 {
        let _ = writeln!(
            text,
            "To go on: the same command with --seed {} --from {}",
            json.seed, json.next
        );
    }
    let (color, sum) = match json.outcome {
        "holds" => (AnsiColor::Green, "holds on these walks"),
        "interrupted" => (AnsiColor::Yellow, "interrupted"),
        "safety-violated" => (AnsiColor::Red, "safety violated"),
        _ => (AnsiColor::Red, "liveness violated"),
    };
    let style = color.on_default().bold();
    let _ = writeln!(text, "\n{style}{sum}{style:#}");
    text
}

/// A path as a shell reads it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    if plain { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}
