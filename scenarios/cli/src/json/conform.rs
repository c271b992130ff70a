//! `holdfast conform DIR --json`.

use holdfast_check::property::PropertyId;
use holdfast_check::world::Action;
use holdfast_protocol::{Placement, PolicyName};
use serde::Serialize;

/// The result of `holdfast conform --json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConformJson {
    /// The exit code.
    pub exit: u8,
    /// One a tree.
    pub trees: Vec<TreeJson>,
}

/// One recorded run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TreeJson {
    /// The process of its root.
    pub root: u32,
    /// The tree in its notation.
    pub tree: String,
    /// The policy.
    pub policy: PolicyName,
    /// The placement.
    pub placement: Placement,
    /// How many lines were recorded.
    pub lines: usize,
    /// `conforms`, `breaks`, `differs` or `undecided`.
    pub verdict: &'static str,
    /// The properties that are violated, each with the step, counted from one.
    pub breaks: Vec<(PropertyId, usize)>,
    /// Where the run leaves the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<DifferenceJson>,
    /// What else is to be known about the records.
    pub notes: Vec<String>,
    /// The merged run, as far as it could be followed.
    pub steps: Vec<Action>,
}

/// Where a run leaves the model.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DifferenceJson {
    /// File and line.
    pub place: String,
    /// The actor.
    pub actor: String,
    /// What it handled.
    pub input: String,
    /// Why that cannot be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What it recorded that followed.
    pub recorded: Vec<String>,
    /// What follows in the model.
    pub expected: Vec<String>,
    /// Where the others stand.
    pub others: Vec<String>,
}
