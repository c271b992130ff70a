//! A run of a case on the model: everything that its steps leave open is explored.

use crate::case::resolve::CaseRun;
use crate::expect::{ClaimOutcome, Expectation};
use holdfast_check::explore::{Options, Progress, SearchEnd, StopWhen};
use holdfast_check::property::{PropertyId, PropertySet};
use holdfast_check::report::{CheckReport, Counterexample, PropertyVerdict, ScriptReached, check};
use holdfast_check::trace::Trace;
use std::time::{Duration, Instant};

/// What came of a run.
#[derive(Clone, Debug)]
pub struct ModelResult {
    /// Whether the claim is met.
    pub outcome: ClaimOutcome,
    /// The properties that are violated.
    pub violated: PropertySet,
    /// The trace to show: of the property that the case names, or else the shortest.
    pub trace: Option<Trace>,
    /// How many states were found.
    pub states: u64,
    /// How long it took.
    pub time: Duration,
}

impl ModelResult {
    /// The result where no run was made.
    #[must_use]
    pub fn without_run(outcome: ClaimOutcome) -> Self {
        Self {
            outcome,
            violated: PropertySet::default(),
            trace: None,
            states: 0,
            time: Duration::ZERO,
        }
    }
}

/// Explores a run, to the end even if something is violated.
#[must_use]
pub fn run(run: &CaseRun, options: Options, progress: &Progress) -> ModelResult {
    let started = Instant::now();
    let options = Options { until: StopWhen::Exhausted, ..options };
    let report = check(run.config.clone(), options, progress);
    let violated = report.violated();
    ModelResult {
        outcome: outcome(&report, run.expectation.violations()),
        violated,
        trace: to_show(&report, &run.expectation).map(|found| {
            let named = run.named();
            Trace::new(&run.config, &named, found)
        }),
        states: report.states,
        time: started.elapsed(),
    }
}

fn outcome(report: &CheckReport, expected: PropertySet) -> ClaimOutcome {
    match (report.ending, report.script) {
        (SearchEnd::Interrupted, _) => ClaimOutcome::Interrupted,
        (SearchEnd::Exhausted, ScriptReached::Step(at)) => ClaimOutcome::Stuck(at),
        (SearchEnd::Exhausted, ScriptReached::End) => ClaimOutcome::of(expected, report.violated()),
        (
            SearchEnd::Violation
            | SearchEnd::StateLimit
            | SearchEnd::MemoryLimit
            | SearchEnd::TableFull,
            _,
        ) => ClaimOutcome::NotExhausted,
    }
}

fn to_show<'r>(report: &'r CheckReport, expectation: &Expectation) -> Option<&'r Counterexample> {
    let of = |property: &PropertyId| match report.verdicts.get(property) {
        Some(PropertyVerdict::Violated(found)) => Some(found),
        _ => None,
    };
    let unexpected = || {
        let more = report.violated().difference(expectation.violations());
        more.members().filter_map(|property| of(&property)).min_by_key(|one| one.steps.len())
    };
    match expectation {
        Expectation::Holds => report.shortest(),
        Expectation::Violates(violation) => {
            unexpected().or_else(|| of(&violation.violates)).or_else(|| report.shortest())
        }
    }
}
