//! `holdfast check --tree … --json`.

use crate::cli::check::Checked;
use holdfast_check::explore::{SearchEnd, SizeEstimate, StateReduction};
use holdfast_check::property::{PropertyId, PropertyKind};
use holdfast_check::report::{CheckOutcome, PropertyVerdict};
use holdfast_check::trace::{NamedPolicy, TraceHeader};
use holdfast_check::world::{Action, Config};
use holdfast_protocol::{DebugMode, Placement, PolicyName, Rule};
use serde::{Deserialize, Serialize};

/// The result of `holdfast check --tree … --json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CheckJson {
    /// `holds`, `safety-violated`, `liveness-violated`, `vacuous`, `not-exhausted`, `interrupted`.
    pub outcome: CheckOutcome,
    /// The exit code.
    pub exit: u8,
    /// What was checked.
    pub run: RunJson,
    /// How the search ended: `exhausted`, `violation`, `state-limit`, `memory-limit`, `table-full`
    /// or `interrupted`.
    pub ending: SearchEnd,
    /// The graph that was explored: `reduced` or `full`.
    pub graph: StateReduction,
    /// How many different states were found.
    pub states: u64,
    /// Of a search that a limit or a person ended: how many states there would have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<EstimateJson>,
    /// How many steps were taken.
    pub transitions: u64,
    /// The number of the deepest level.
    pub depth: u32,
    /// What the states occupied, in bytes.
    pub bytes: u64,
    /// How long it took, leads-to properties included.
    pub seconds: f64,
    /// How many threads searched.
    pub threads: usize,
    /// One a property, in the order of `holdfast list --properties`.
    pub verdicts: Vec<VerdictJson>,
    /// The counterexample to the property of `--show`, else the shortest.
    pub counterexample: Option<CounterexampleJson>,
}

/// How many states there probably are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EstimateJson {
    /// No fewer.
    pub at_least: u64,
    /// No more; null while the levels grow too fast to tell.
    pub at_most: Option<u64>,
}

impl From<SizeEstimate> for EstimateJson {
    fn from(SizeEstimate { at_least, at_most }: SizeEstimate) -> Self {
        Self { at_least, at_most }
    }
}

/// A run.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunJson {
    /// The tree in its notation.
    pub tree: String,
    /// The policy.
    pub policy: PolicyName,
    /// Rules taken out of it.
    pub without: Vec<Rule>,
    /// The placement.
    pub placement: Placement,
    /// The actors in debug mode.
    pub debug: Vec<String>,
    /// The faults allowed, requests included.
    pub faults: String,
}

/// What is said about one property.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VerdictJson {
    /// The property.
    pub property: PropertyId,
    /// `always`, `leads-to` or `can-always-end`.
    pub kind: PropertyKind,
    /// `holds`, `violated`, `vacuous`, `does-not-apply` or `undecided`.
    pub verdict: &'static str,
    /// Of a property that does not apply: what the run lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<&'static str>,
    /// Of a property that violated: how many steps lead there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Of a property that violated: how many steps may then repeat forever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats: Option<usize>,
}

/// A counterexample.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CounterexampleJson {
    /// The file it was written to.
    pub file: Option<String>,
    /// The first line of a trace file.
    pub header: TraceHeader,
    /// Its other lines.
    pub steps: Vec<Action>,
}

impl CheckJson {
    /// Of a check.
    #[must_use]
    pub fn new(checked: &Checked) -> Self {
        let report = &checked.report;
        let counterexample = checked.counterexample().map(|found| {
            let trace = checked.trace(found);
            let file = checked.trace.as_ref().map(|path| path.display().to_string());
            CounterexampleJson { file, header: trace.header, steps: trace.steps }
        });
        Self {
            outcome: checked.outcome(),
            exit: checked.exit() as u8,
            run: RunJson::new(&report.config, &checked.named),
            ending: report.ending,
            graph: report.reduction,
            states: report.states,
            estimate: report.estimate.map(EstimateJson::from),
            transitions: report.transitions,
            depth: report.depth,
            bytes: report.bytes,
            seconds: checked.took.as_secs_f64(),
            threads: checked.threads,
            verdicts: report
                .verdicts
                .iter()
                .map(|(id, said)| VerdictJson::new(*id, said))
                .collect(),
            counterexample,
        }
    }
}

impl RunJson {
    /// Of a run.
    #[must_use]
    pub fn new(config: &Config, named: &NamedPolicy) -> Self {
        let tree = &config.tree;
        let debugged = tree.ids().filter(|id| config.debug[id.index()] == DebugMode::On);
        Self {
            tree: tree.to_string(),
            policy: named.policy,
            without: named.without.clone(),
            placement: config.placement,
            debug: debugged.map(|id| tree.name(id).to_owned()).collect(),
            faults: config.budget.to_string(),
        }
    }
}

impl VerdictJson {
    fn new(property: PropertyId, said: &PropertyVerdict) -> Self {
        let found = match said {
            PropertyVerdict::Violated(found) => Some(found),
            PropertyVerdict::Holds
            | PropertyVerdict::Vacuous
            | PropertyVerdict::DoesNotApply(_)
            | PropertyVerdict::Undecided => None,
        };
        let lasso = found.filter(|_| property.kind() == PropertyKind::LeadsTo);
        Self {
            property,
            kind: property.kind(),
            verdict: match said {
                PropertyVerdict::Holds => "holds",
                PropertyVerdict::Violated(_) => "violated",
                PropertyVerdict::Vacuous => "vacuous",
                PropertyVerdict::DoesNotApply(_) => "does-not-apply",
                PropertyVerdict::Undecided => "undecided",
            },
            needs: match said {
                PropertyVerdict::DoesNotApply(needs) => Some(needs),
                PropertyVerdict::Holds
                | PropertyVerdict::Violated(_)
                | PropertyVerdict::Vacuous
                | PropertyVerdict::Undecided => None,
            },
            steps: found.map(|found| found.steps.len()),
            repeats: lasso.map(|found| found.round.len()),
        }
    }
}
