//! `holdfast check --json`, which checks the project's own suite.

use super::check::RunJson;
use crate::expect::Met;
use crate::shard::ShardJson;
use holdfast_check::explore::SearchEnd;
use serde::{Deserialize, Serialize};

/// The result of `holdfast check --json`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SuiteJson {
    /// Of a part: which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardJson>,
    /// The exit code.
    pub exit: u8,
    /// How long it took.
    pub seconds: f64,
    /// One a run.
    pub rows: Vec<RowJson>,
}

/// One row of the suite for machines.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RowJson {
    /// What the run is there for.
    pub purpose: String,
    /// What was checked.
    pub run: RunJson,
    /// What must come of it, in words.
    pub expected: String,
    /// What came of it, in words.
    pub verdict: String,
    /// Whether that is what must.
    pub met: Met,
    /// How the search ended.
    pub ending: SearchEnd,
    /// How many different states were found.
    pub states: u64,
    /// How many steps were taken.
    pub transitions: u64,
    /// The number of the deepest level.
    pub depth: u32,
    /// What the states occupied, in bytes.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
}
