//! A run of a case on the model: everything that its steps leave open is explored.

use crate::case::resolve::CaseRun;
use crate::expect::{ClaimOutcome, Expectation};
use holdfast_check::explore::{Ending, Options, Progress, Until};
use holdfast_check::property::{PropertyId, PropertySet};
use holdfast_check::trace::{Named, Trace};
use holdfast_check::verdict::{Counterexample, Report, ScriptReached, Verdict, check};
use std::time::{Duration, Instant};

/// What came of a run.
#[derive(Clone, Debug)]
pub struct ModelResult {
    /// Whether the claim is met.
    pub outcome: ClaimOutcome,
    /// The properties that fell.
    pub fell: PropertySet,
    /// The trace to show: of the property that the case names, or else the shortest.
    pub trace: Option<Trace>,
    /// How many states were found.
    pub states: u64,
    /// How long it took.
    pub time: Duration,
}

impl ModelResult {
    /// What came of a run that nobody has asked for.
    #[must_use]
    pub fn not_run() -> Self {
        Self {
            outcome: ClaimOutcome::NotRun,
            fell: PropertySet::default(),
            trace: None,
            states: 0,
            time: Duration::ZERO,
        }
    }
}

/// Explores a run.
#[must_use]
pub fn run(run: &CaseRun, max_states: u64, progress: &Progress) -> ModelResult {
    let started = Instant::now();
    let options = Options { until: Until::Exhausted, max_states, ..Options::default() };
    let report = check(run.config.clone(), options, progress);
    let fell = report.violated();
    ModelResult {
        outcome: outcome(&report, run.expectation.falling()),
        fell,
        trace: to_show(&report, &run.expectation).map(|found| {
            let named = Named { policy: run.policy, without: Vec::new() };
            Trace::new(&run.config, &named, found)
        }),
        states: report.states,
        time: started.elapsed(),
    }
}

fn outcome(report: &Report, expected: PropertySet) -> ClaimOutcome {
    match (report.ending, report.script) {
        (Ending::Interrupted, _) => ClaimOutcome::Interrupted,
        (Ending::Exhausted, ScriptReached::Step(at)) => ClaimOutcome::Stuck(at),
        (Ending::Exhausted, ScriptReached::End) => ClaimOutcome::of(expected, report.violated()),
        (Ending::Violation | Ending::StateLimit | Ending::MemoryLimit | Ending::TableFull, _) => {
            ClaimOutcome::NotExhausted
        }
    }
}

fn to_show<'r>(report: &'r Report, expectation: &Expectation) -> Option<&'r Counterexample> {
    let of = |property: &PropertyId| match report.verdicts.get(property) {
        Some(Verdict::Violated(found)) => Some(found),
        _ => None,
    };
    let unexpected = || {
        let more = report.violated().difference(expectation.falling());
        more.members().filter_map(|property| of(&property)).min_by_key(|one| one.steps.len())
    };
    match expectation {
        Expectation::Holds => report.shortest(),
        Expectation::Violates(fall) => {
            unexpected().or_else(|| of(&fall.violates)).or_else(|| report.shortest())
        }
    }
}
