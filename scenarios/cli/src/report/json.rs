//! JSON lines for machines: one a run, then the sum.

use super::{ReportTotals, RunReport};
use crate::golden::Comparison;
use crate::on_live::Lived;
use holdfast_check::property::{PropertyId, PropertySet};
use holdfast_protocol::Placement;
use holdfast_protocol::policy::PolicyName;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RunLine<'a> {
    case: &'a str,
    policy: PolicyName,
    placement: Placement,
    variant: Option<&'a str>,
    outcome: String,
    expected: Vec<PropertyId>,
    fell: Vec<PropertyId>,
    golden: &'static str,
    states: u64,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<LiveJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct LiveJson<'a> {
    outcome: String,
    fell: Vec<ViolationJson<'a>>,
    conformance: String,
    exit: Option<String>,
    trouble: Option<&'a str>,
    story: &'a [String],
    seconds: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ViolationJson<'a> {
    property: PropertyId,
    seen: &'a str,
}

fn live(lived: &Lived) -> LiveJson<'_> {
    let fell =
        lived.fell.iter().map(|(property, seen)| ViolationJson { property: *property, seen });
    LiveJson {
        outcome: lived.outcome.to_string().to_lowercase(),
        fell: fell.collect(),
        conformance: lived.conformance.to_string(),
        exit: lived.exit.map(|exit| exit.to_string()),
        trouble: lived.trouble.as_deref(),
        story: &lived.story,
        seconds: lived.time.as_secs_f64(),
    }
}

/// The line of a run.
#[must_use]
pub fn line(row: &RunReport<'_>) -> String {
    let list = |set: PropertySet| set.members().collect();
    let line = RunLine {
        case: row.job.id(),
        policy: row.job.run.policy,
        placement: row.job.run.config.placement,
        variant: row.job.run.variant.as_deref(),
        outcome: row.ran.outcome.to_string().to_lowercase(),
        expected: list(row.job.run.expectation.falling()),
        fell: list(row.ran.fell),
        golden: match row.golden {
            Comparison::Same => "same",
            Comparison::Missing => "missing",
            Comparison::Changed(_) => "changed",
        },
        states: row.ran.states,
        seconds: row.ran.time.as_secs_f64(),
        live: row.live.as_ref().map(live),
    };
    serde_json::to_string(&line).expect("plain data serialises")
}

/// The last line.
#[must_use]
pub fn summary(sum: ReportTotals) -> String {
    serde_json::json!({
        "met": sum.met,
        "expected-failures": sum.expected_failures,
        "not-met": sum.not_met,
        "unknown": sum.unknown,
        "states": sum.states,
    })
    .to_string()
}
