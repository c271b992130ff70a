//! JSON lines for machines: one a run, then the sum.

use super::{Row, Sum};
use crate::golden::Comparison;
use holdfast_model::check::property::{PropertyId, PropertySet};
use holdfast_model::protocol::policy::PolicyName;
use holdfast_model::world::config::Placement;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line<'a> {
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
}

/// The line of a run.
#[must_use]
pub fn line(row: &Row<'_>) -> String {
    let list = |set: PropertySet| set.members().collect();
    let line = Line {
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
    };
    serde_json::to_string(&line).expect("plain data serialises")
}

/// The last line.
#[must_use]
pub fn summary(sum: Sum) -> String {
    serde_json::json!({
        "met": sum.met,
        "expected-failures": sum.expected_failures,
        "not-met": sum.not_met,
        "unknown": sum.unknown,
        "states": sum.states,
    })
    .to_string()
}
