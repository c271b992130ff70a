//! `holdfast walk --json`.

use super::check::RunJson;
use crate::cli::walk::WalkEngine;
use crate::shard::ShardJson;
use holdfast_check::property::PropertyId;
use holdfast_check::report::CheckOutcome;
use holdfast_check::schedule::SchedulerName;
use serde::{Deserialize, Serialize};

/// The result of `holdfast walk --json`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WalkJson {
    /// Of a part: which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardJson>,
    /// `holds`, `safety-violated`, `liveness-violated` or `interrupted`.
    pub outcome: CheckOutcome,
    /// The exit code.
    pub exit: u8,
    /// `model` or `drivers`.
    pub on: WalkEngine,
    /// Who chose the driver that goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<SchedulerName>,
    /// What was walked.
    pub run: RunJson,
    /// What the walks were drawn from.
    pub seed: u64,
    /// The number of the first walk.
    pub from: u64,
    /// How many walks were taken, the failed one among them.
    pub walks: u64,
    /// How many steps they had.
    pub steps: u64,
    /// How long it took.
    pub seconds: f64,
    /// How many walks a second.
    pub per_second: u64,
    /// The walk to go on `--from`.
    pub next: u64,
    /// The walk that failed.
    pub failure: Option<WalkFailureJson>,
}

/// A walk that failed.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WalkFailureJson {
    /// The number of the walk.
    pub iteration: u64,
    /// What violated; none if the tree does not come to rest, a driver panics or all wait forever.
    pub property: Option<PropertyId>,
    /// The same in words.
    pub what: String,
    /// How many steps the walk had, and how many are left of it in the file.
    pub walked: usize,
    /// Those that are left.
    pub steps: usize,
    /// The file.
    pub file: String,
    /// The command that performs it.
    pub replay: String,
}
