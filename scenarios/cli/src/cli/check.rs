//! `holdfast check`: explores every interleaving of a run and says what holds.

use super::named;
use super::setup::{ModelArgs, SearchArgs, SetupError};
use super::watch::{CtrlCError, Interruption, ProgressView, watched};
use super::{Format, TraceNotWritten, complain, print, print_json, render, suite, write_trace};
use crate::exit::ExitClass;
use crate::json::check::CheckJson;
use crate::shard::Shard;
use clap::Args;
use holdfast_check::explore::StopWhen;
use holdfast_check::property::PropertyId;
use holdfast_check::report::{CheckOutcome, CheckReport, Counterexample, PropertyVerdict, check};
use holdfast_check::trace::{NamedPolicy, Trace};
use holdfast_check::world::Config;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Checks every interleaving of a run: a tree, a policy and what the environment may do.
///
/// Without --tree, checks the project's own suite.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    run: ModelArgs,
    #[command(flatten)]
    search: SearchArgs,
    /// Goes on after the first violation and finds every property that is violated.
    #[arg(long, requires = "tree")]
    all: bool,
    /// Draws the counterexample to this property, if it is violated, instead of the shortest of all;
    /// implies --all.
    #[arg(long, value_name = "PROPERTY", requires = "tree",
          value_parser = named::parser::<PropertyId>(), hide_possible_values = true)]
    show: Option<PropertyId>,
    /// Writes the counterexample to a file, for `holdfast replay`.
    #[arg(long, value_name = "FILE", requires = "tree")]
    trace_out: Option<PathBuf>,
    /// Prints one JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// Checks only part K of N of the suite; `holdfast merge` makes one of the JSON of all parts.
    #[arg(long, value_name = "K/N", conflicts_with = "tree")]
    shard: Option<Shard>,
}

/// Why a check cannot be made, or its result not be kept.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
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

/// What a check has found, and what else its rendering needs.
#[derive(Debug)]
pub struct Checked {
    /// What was found.
    pub report: CheckReport,
    /// How the run was set up.
    pub named: NamedPolicy,
    /// How long it took.
    pub took: Duration,
    /// How many threads searched.
    pub threads: usize,
    /// What the person asked for meanwhile.
    pub asked: Interruption,
    /// The property whose counterexample the person wants to see.
    pub show: Option<PropertyId>,
    /// Where the counterexample was written.
    pub trace: Option<PathBuf>,
}

impl Checked {
    /// What came of the check; a search that the person stopped was interrupted.
    #[must_use]
    pub fn outcome(&self) -> CheckOutcome {
        match (self.report.outcome(), self.asked) {
            (CheckOutcome::NotExhausted, Interruption::ByUser) => CheckOutcome::Interrupted,
            (outcome, Interruption::ByUser | Interruption::None) => outcome,
        }
    }

    /// How the command ends.
    #[must_use]
    pub fn exit(&self) -> ExitClass {
        self.outcome().into()
    }

    /// The counterexample to show: to the property that was asked for, else the shortest.
    #[must_use]
    pub fn counterexample(&self) -> Option<&Counterexample> {
        match self.show.and_then(|property| self.report.verdicts.get(&property)) {
            Some(PropertyVerdict::Violated(found)) => Some(found),
            Some(_) | None => self.report.shortest(),
        }
    }

    /// A counterexample as a trace.
    #[must_use]
    pub fn trace(&self, found: &Counterexample) -> Trace {
        Trace::new(&self.report.config, &self.named, found)
    }
}

impl CheckArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> ExitClass {
        let format = Format::of_switch(self.json);
        let done = match self.run.run() {
            Ok(Some((config, named))) => self.check(config, named, format),
            Ok(None) => suite::run(&self.search, self.shard, format),
            Err(error) => Err(error.into()),
        };
        done.unwrap_or_else(|error| complain(&error))
    }

    fn check(
        &self,
        config: Config,
        named: NamedPolicy,
        format: Format,
    ) -> Result<ExitClass, CheckError> {
        let all = self.all || self.show.is_some();
        let until = if all { StopWhen::Exhausted } else { StopWhen::FirstViolation };
        let options = self.search.options(until);
        let started = Instant::now();
        let (report, asked) =
            watched(ProgressView::Search, |progress| check(config, options, progress))?;
        let took = started.elapsed();
        let threads = options.threads.get();
        let mut checked =
            Checked { report, named, took, threads, asked, show: self.show, trace: None };
        if let (Some(found), Some(path)) = (checked.counterexample(), &self.trace_out) {
            write_trace(path, &checked.trace(found).to_text())?;
            checked.trace = Some(path.clone());
        }
        match format {
            Format::Text => print(&render::checked(&checked)),
            Format::Json => print_json(&CheckJson::new(&checked)),
        }
        Ok(checked.exit())
    }
}
