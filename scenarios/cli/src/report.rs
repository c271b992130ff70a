//! What running cases has shown, for people and for machines.
//!
//! Reading order: this file (the rows), [`text`], [`live`], [`junit`], [`table`].

pub mod junit;
pub mod live;
pub mod table;
pub mod text;

use crate::case::load::LoadedCase;
use crate::case::resolve::{CaseRun, Golden};
use crate::expect::{ClaimOutcome, Met};
use crate::golden::{self, Comparison};
use crate::on_live::LiveResult;
use crate::on_model::ModelResult;
use std::path::PathBuf;

/// One run of a case, to be done.
#[derive(Clone, Copy, Debug)]
pub struct PlannedRun<'a> {
    /// The case.
    pub loaded: &'a LoadedCase,
    /// The run.
    pub run: &'a CaseRun,
}

/// One run of a case and what came of it.
#[derive(Clone, Debug)]
pub struct RunReport<'a> {
    /// What was to be done.
    pub job: PlannedRun<'a>,
    /// What came of it.
    pub ran: ModelResult,
    /// How its trace compares with the kept one.
    pub golden: Comparison,
    /// What came of it on real processes; none if nobody has asked for that.
    pub live: Option<LiveResult>,
}

impl PlannedRun<'_> {
    /// The id of the case.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.loaded.case.id
    }

    /// Where the golden trace is kept.
    #[must_use]
    pub fn golden_path(&self) -> PathBuf {
        golden::path(&self.loaded.path, self.run.policy)
    }

    /// What tells the run from the others of the same case and policy.
    #[must_use]
    pub fn setting(&self) -> String {
        let placement = self.run.config.placement;
        match &self.run.variant {
            Some(variant) => format!("{variant}, {placement}"),
            None => placement.to_string(),
        }
    }

    /// A name for the run that can be part of a file name.
    #[must_use]
    pub fn slug(&self) -> String {
        let variant = self.run.variant.as_deref().unwrap_or("base");
        let placement = self.run.config.placement;
        format!("{}.{}.{variant}.{placement}", self.id(), self.run.policy)
    }
}

impl<'a> RunReport<'a> {
    /// A run and what came of it.
    #[must_use]
    pub fn new(job: PlannedRun<'a>, ran: ModelResult) -> Self {
        let golden = match (&ran.outcome, job.run.golden, &ran.trace) {
            (ClaimOutcome::ExpectedFail, Golden::Kept, Some(trace)) => {
                golden::compare(&job.golden_path(), trace)
            }
            _ => Comparison::Same,
        };
        Self { job, ran, golden, live: None }
    }

    /// The same, with what came of it on real processes.
    #[must_use]
    pub fn and_live(self, live: Option<LiveResult>) -> Self {
        Self { live, ..self }
    }

    /// Whether the run is what the case claims, on the model and on real processes.
    #[must_use]
    pub fn met(&self) -> Met {
        let live = self.live.as_ref().map_or(Met::Yes, |live| live.met());
        match (self.met_by_model(), live) {
            (Met::No, _) | (_, Met::No) => Met::No,
            (Met::Unknown, _) | (_, Met::Unknown) => Met::Unknown,
            (Met::Yes, Met::Yes) => Met::Yes,
        }
    }

    /// Whether the run is what the case claims on the model.
    #[must_use]
    pub fn met_by_model(&self) -> Met {
        match (&self.golden, self.ran.outcome.met()) {
            (Comparison::Same, met) => met,
            (Comparison::Missing | Comparison::Changed(_), Met::Yes) => Met::No,
            (Comparison::Missing | Comparison::Changed(_), other) => other,
        }
    }
}

/// How many runs there were of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportTotals {
    /// That came out as claimed.
    pub met: usize,
    /// Of these, failures that were expected.
    pub expected_failures: usize,
    /// That did not come out as claimed.
    pub not_met: usize,
    /// That were not explored to the end.
    pub unknown: usize,
    /// States of all runs.
    pub states: u64,
}

impl ReportTotals {
    /// The sum of all rows.
    #[must_use]
    pub fn of(rows: &[RunReport<'_>]) -> Self {
        let mut sum = Self::default();
        for row in rows {
            sum.states += row.ran.states;
            match row.met() {
                Met::Yes => {
                    sum.met += 1;
                    let live = row.live.as_ref().map(|live| &live.outcome);
                    let fails = row.ran.outcome == ClaimOutcome::ExpectedFail
                        || live == Some(&ClaimOutcome::ExpectedFail);
                    sum.expected_failures += usize::from(fails);
                }
                Met::No => sum.not_met += 1,
                Met::Unknown => sum.unknown += 1,
            }
        }
        sum
    }
}
