//! `holdfast run --json`: JSON lines, one a run and then the sum.

use crate::golden::Comparison;
use crate::on_live::LiveResult;
use crate::report::{ReportTotals, RunReport};
use crate::shard::ShardJson;
use holdfast_check::property::{PropertyId, PropertySet};
use holdfast_protocol::{Placement, PolicyName};
use serde::{Deserialize, Serialize};

/// The line of one run of a case.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CaseRunJson<'a> {
    /// The id of the case.
    pub case: &'a str,
    /// The policy.
    pub policy: PolicyName,
    /// The placement.
    pub placement: Placement,
    /// The name of the variant; none for the case itself.
    pub variant: Option<&'a str>,
    /// What came of the claim on the model: `pass`, `expected-fail`, `fail`, `unexpected-pass`, ….
    pub outcome: String,
    /// The properties that the case claims to be violated.
    pub expected: Vec<PropertyId>,
    /// The properties that are violated.
    pub violated: Vec<PropertyId>,
    /// How the trace compares with the one that is kept: `same`, `missing` or `changed`.
    pub golden: &'static str,
    /// How many states were found.
    pub states: u64,
    /// How long the search took.
    pub seconds: f64,
    /// What came of it on real processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveRunJson<'a>>,
}

/// What came of a run on real processes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LiveRunJson<'a> {
    /// As on the model, or `no-stage` or `not-staged`.
    pub outcome: String,
    /// The properties that were seen to be violated.
    pub violated: Vec<SeenViolationJson<'a>>,
    /// Whether the records are a run of the model: `conforms`, `DIFFERS` or `-`.
    pub conformance: String,
    /// How the root ended.
    pub exit: Option<String>,
    /// Why the run could not be staged.
    pub trouble: Option<&'a str>,
    /// What was done and seen, line by line.
    pub story: &'a [String],
    /// How long it took.
    pub seconds: f64,
}

/// A property that was seen to be violated.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SeenViolationJson<'a> {
    /// The property.
    pub property: PropertyId,
    /// How that showed.
    pub seen: &'a str,
}

/// The last line.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TotalsJson {
    /// Runs that came out as claimed.
    pub met: usize,
    /// Of these, the failures that were expected.
    pub expected_failures: usize,
    /// Runs that did not come out as claimed.
    pub not_met: usize,
    /// Runs that were not explored to the end.
    pub unknown: usize,
    /// The states of all runs.
    pub states: u64,
    /// Of a part: which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardJson>,
}

impl<'a> CaseRunJson<'a> {
    /// The line of a run.
    #[must_use]
    pub fn new(row: &'a RunReport<'_>) -> Self {
        let list = |set: PropertySet| set.members().collect();
        Self {
            case: row.job.id(),
            policy: row.job.run.policy,
            placement: row.job.run.config.placement,
            variant: row.job.run.variant.as_deref(),
            outcome: row.ran.outcome.to_string().to_lowercase(),
            expected: list(row.job.run.expectation.violations()),
            violated: list(row.ran.violated),
            golden: match row.golden {
                Comparison::Same => "same",
                Comparison::Missing => "missing",
                Comparison::Changed(_) => "changed",
            },
            states: row.ran.states,
            seconds: row.ran.time.as_secs_f64(),
            live: row.live.as_ref().map(LiveRunJson::new),
        }
    }
}

impl<'a> LiveRunJson<'a> {
    fn new(result: &'a LiveResult) -> Self {
        let seen = |(property, seen): &'a (PropertyId, String)| SeenViolationJson {
            property: *property,
            seen,
        };
        Self {
            outcome: result.outcome.to_string().to_lowercase(),
            violated: result.violated.iter().map(seen).collect(),
            conformance: result.conformance.to_string(),
            exit: result.exit.map(|exit| exit.to_string()),
            trouble: result.trouble.as_deref(),
            story: &result.story,
            seconds: result.time.as_secs_f64(),
        }
    }
}

impl TotalsJson {
    /// The sum of two parts.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            met: self.met + other.met,
            expected_failures: self.expected_failures + other.expected_failures,
            not_met: self.not_met + other.not_met,
            unknown: self.unknown + other.unknown,
            states: self.states + other.states,
            shard: None,
        }
    }
}

impl From<ReportTotals> for TotalsJson {
    fn from(totals: ReportTotals) -> Self {
        let ReportTotals { met, expected_failures, not_met, unknown, states } = totals;
        Self { met, expected_failures, not_met, unknown, states, shard: None }
    }
}
