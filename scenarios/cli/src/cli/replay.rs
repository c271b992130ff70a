//! `holdfast replay`: performs a recorded run on the model of today.

use super::drivers::{self, DriversError};
use super::{Format, complain, print, print_json, render};
use crate::chart::{Chart, describe, details};
use crate::exit::ExitClass;
use crate::json::replay::{ReplayJson, StepJson};
use clap::Args;
use holdfast_check::schedule::Schedule;
use holdfast_check::trace::{Confirmed, ReplayedStep, Trace, TraceError, confirm, perform};
use holdfast_check::tree::Tree;
use holdfast_check::world::{System, Topology};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Performs a counterexample step by step and confirms that it still breaks what it claims.
///
/// A schedule of `holdfast walk --on drivers` is run again, in a build with `--cfg model_shuttle`.
/// Exits with 0 if the file still breaks what it claims, else with 2.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The trace or schedule, as `holdfast check` and `holdfast walk` write it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Shows the run up to this step, everything the step did, and what is possible after it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    step: Option<u64>,
    /// Prints one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be read.
    #[error("failed to read {path}")]
    Read {
        /// The path.
        path: PathBuf,
        /// The underlying error.
        source: std::io::Error,
    },
    /// The file is not a trace of this model.
    #[error("failed to replay {path}")]
    Trace {
        /// The path.
        path: PathBuf,
        /// The underlying error.
        source: TraceError,
    },
    /// The file is a schedule, and does not show what it claims.
    #[error(transparent)]
    Drivers(#[from] DriversError),
    /// A step cannot be taken.
    #[error(
        "failed to replay {path}: step {step} ({action}) is not possible there; the trace was \
         edited, or recorded by another version: record it anew with `holdfast check --trace-out`"
    )]
    Impossible {
        /// Which file.
        path: PathBuf,
        /// Which step, counted from one.
        step: usize,
        /// What it says.
        action: String,
    },
    /// There is no such step.
    #[error("--step {asked}: {path} has {steps} steps")]
    NoStep {
        /// Which file.
        path: PathBuf,
        /// The step that was asked for.
        asked: u64,
        /// How many there are.
        steps: usize,
    },
}

impl ReplayArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> ExitClass {
        match self.replay() {
            Ok(()) => ExitClass::Holds,
            Err(error) => complain(&error),
        }
    }

    fn replay(&self) -> Result<(), ReplayError> {
        let path = || self.file.clone();
        let text = std::fs::read_to_string(&self.file)
            .map_err(|source| ReplayError::Read { path: path(), source })?;
        let format = Format::of_switch(self.json);
        if Schedule::is_meant(&text) {
            return match self.step {
                Some(_) => Err(DriversError::NoSteps(path()).into()),
                None => Ok(drivers::replay(&self.file, &text, format)?),
            };
        }
        let wrong = |source| ReplayError::Trace { path: path(), source };
        let trace = Trace::from_text(&text).map_err(wrong)?;
        let topology = Topology::new(trace.config().map_err(wrong)?);
        let (steps, confirmed) = perform(&topology, &trace.steps)
            .and_then(|steps| Ok((steps, confirm(&topology, &trace)?)))
            .map_err(|error| self.named(&topology.config().tree, &trace, error))?;
        match (format, self.step) {
            (Format::Json, _) => print_json(&ReplayJson::new(&topology, &trace, &steps, confirmed)),
            (Format::Text, None) => print(&whole(&topology, &trace, &steps, confirmed)),
            (Format::Text, Some(step)) => {
                let count = steps.len();
                let shown = usize::try_from(step).ok().and_then(|step| steps.get(..step));
                let shown = shown.ok_or_else(|| ReplayError::NoStep {
                    path: path(),
                    asked: step,
                    steps: count,
                })?;
                print(&one(&topology, shown));
            }
        }
        Ok(())
    }

    /// The same error with the step in words.
    fn named(&self, tree: &Tree, trace: &Trace, error: TraceError) -> ReplayError {
        let path = self.file.clone();
        match error {
            TraceError::Impossible { step, .. } => {
                let action = describe(tree, trace.steps[step - 1]);
                ReplayError::Impossible { path, step, action }
            }
            source => ReplayError::Trace { path, source },
        }
    }
}

fn whole(
    topology: &Topology,
    trace: &Trace,
    steps: &[ReplayedStep],
    confirmed: Confirmed,
) -> String {
    let header = &trace.header;
    let mut text = format!("{}\n\n", render::run(topology.config(), &header.named()));
    let (breaks, repeats) = (trace.header.breaks, trace.header.repeats);
    let _ = write!(text, "{}", Chart { topology, steps, breaks, repeats });
    let count = steps.len();
    let _ = match confirmed {
        Confirmed::Violated(step) => {
            writeln!(text, "\nConfirmed: the property is violated on step {step} of {count}.")
        }
        Confirmed::Repeats => writeln!(
            text,
            "\nConfirmed: all {count} steps are possible, and the last {repeats} lead back to \
             where they begin."
        ),
        Confirmed::Stuck => writeln!(
            text,
            "\nConfirmed: all {count} steps are possible, and nothing has to happen after them."
        ),
        Confirmed::Possible => writeln!(
            text,
            "\nConfirmed: all {count} steps are possible. That no ending can be reached from there \
             is for `holdfast check` to show."
        ),
        Confirmed::Walk => {
            writeln!(text, "\nAll {count} steps are possible; the trace claims no more.")
        }
    };
    text
}

/// The run up to a step, and that step in full.
fn one(topology: &Topology, steps: &[ReplayedStep]) -> String {
    let tree = &topology.config().tree;
    let mut text = Chart { topology, steps, breaks: None, repeats: 0 }.to_string();
    let Some(last) = steps.last() else { return text };
    let _ = writeln!(text, "\nStep {}: {}", steps.len(), describe(tree, last.action));
    for did in &last.observations {
        let _ = writeln!(text, "  {}", details(tree, *did));
    }
    for broken in &last.violated {
        let _ = writeln!(text, "  breaks {broken}: {}", broken.statement());
    }
    let mut system = System::new(topology);
    for step in steps {
        system.apply(topology, step.action);
    }
    let _ = writeln!(text, "\nPossible next:");
    for action in system.enabled(topology) {
        let _ = writeln!(text, "  {}", describe(tree, action));
    }
    text
}

impl ReplayJson {
    fn new(
        topology: &Topology,
        trace: &Trace,
        steps: &[ReplayedStep],
        confirmed: Confirmed,
    ) -> Self {
        let tree = &topology.config().tree;
        let step = |step: &ReplayedStep| StepJson {
            action: step.action,
            text: describe(tree, step.action),
            did: step.observations.iter().map(|did| details(tree, *did)).collect(),
            broken: step.violated.clone(),
        };
        let (word, fatal) = match confirmed {
            Confirmed::Violated(step) => ("violated", Some(step)),
            Confirmed::Repeats => ("repeats", None),
            Confirmed::Stuck => ("stuck", None),
            Confirmed::Possible => ("possible", None),
            Confirmed::Walk => ("walk", None),
        };
        Self {
            header: trace.header.clone(),
            confirmed: word,
            step: fatal,
            steps: steps.iter().map(step).collect(),
        }
    }
}
