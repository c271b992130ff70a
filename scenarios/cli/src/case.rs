//! One scenario file: a known situation, what happens in it, and what each policy makes of it.
//!
//! These types are the format. `scenarios/README.md` explains it by example, the JSON schema for
//! editors is generated from them ([`schema`]).
//!
//! Reading order: this file, [`step`], [`load`] (text to case), [`check`] (what can be wrong with
//! it), [`span`] and [`diagnostic`] (where, and what instead), [`resolve`] (case to runs).

pub mod check;
pub mod diagnostic;
pub mod load;
mod programs;
pub mod resolve;
pub mod schema;
pub mod span;
pub mod step;

use crate::expect::Expectations;
use holdfast_check::world::Fault;
use holdfast_check::world::config::Budget;
use holdfast_protocol::Placement;
use holdfast_protocol::PolicyName;
use schema::{name_of, names_of};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
pub use step::{Step, WaitCondition};

/// A scenario file of holdfast.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    /// The name of the case; the file is called `<id>.toml`.
    pub id: String,
    /// The situation in one line.
    pub title: String,
    /// Where it stems from: addresses of issues, names of tests.
    pub source: Vec<String>,
    /// Further names under which the situation is known.
    #[serde(default)]
    pub covers: Vec<String>,
    /// The tree in its notation: `root(mid(leaf),sib)`. `name?` is not there at the start; `name!` is
    /// a program that knows nothing of the tree, and its supervisor is its host.
    pub tree: String,
    /// The actors in debug mode: their failures open a post-mortem prompt. None by default.
    #[serde(default)]
    pub debug: Vec<String>,
    /// Who is in the terminal's foreground process group; the case runs once for each.
    #[serde(default = "shared_group")]
    #[schemars(schema_with = "names_of::<Placement>")]
    pub placement: Vec<Placement>,
    /// What happens, in this order, while everything else is left open.
    pub step: Vec<Step>,
    /// What the project that the case stems from did.
    #[serde(default)]
    pub upstream: Option<Upstream>,
    /// What the environment may do besides the steps, whenever it likes.
    #[serde(default)]
    pub faults: FaultCounts,
    /// What each policy makes of it.
    pub expect: Expectations,
    /// Runs whose failure real processes are forced to show.
    #[serde(default)]
    pub forced: Vec<Forced>,
    /// The same case once more, with steps put in or another setting.
    #[serde(default)]
    pub variant: Vec<CaseVariant>,
}

/// Runs of a case whose failure needs an order of events that real processes hardly take: they are
/// held and let go in the order of the model's shortest counterexample.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Forced {
    /// Under which policy.
    #[schemars(schema_with = "name_of::<PolicyName>")]
    pub policy: PolicyName,
    /// Of which variants, `base` being the case itself; all by default.
    #[serde(default)]
    pub runs: Vec<String>,
    /// Which order that is.
    pub reason: String,
}

/// What upstream did in this situation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Upstream {
    /// In one word.
    pub outcome: UpstreamOutcome,
    /// What was seen, in one line.
    pub seen: String,
    /// Why the policy `single-depth` comes out differently here; only where it does.
    #[serde(default)]
    pub differs: Option<String>,
}

/// Upstream's outcome in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamOutcome {
    /// As it should be.
    Works,
    /// Sometimes as it should be.
    Flaky,
    /// Something went wrong.
    Fails,
    /// Nobody has looked.
    Untested,
}

/// What the environment may do besides the steps: how many of each kind, none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<Fault, u8>")]
pub struct FaultCounts(Budget);

/// The same case once more, with a difference.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CaseVariant {
    /// Its name.
    pub name: String,
    /// Steps to put in, by the mark at which they go in.
    #[serde(default)]
    pub insert: BTreeMap<String, Vec<Step>>,
    /// Another placement.
    #[serde(default)]
    #[schemars(schema_with = "name_of::<Placement>")]
    pub placement: Option<Placement>,
    /// Other faults.
    #[serde(default)]
    pub faults: Option<FaultCounts>,
    /// Other expectations; a policy that is not named here keeps the one of the case.
    #[serde(default)]
    pub expect: Expectations,
}

impl Case {
    /// Whether a word occurs in what identifies the case, in upper or lower case.
    #[must_use]
    pub fn mentions(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let texts = [&self.id, &self.title].into_iter().chain(&self.source).chain(&self.covers);
        texts.into_iter().any(|text| text.to_lowercase().contains(&word))
    }
}

impl FaultCounts {
    /// The budget of the model.
    #[must_use]
    pub fn budget(self) -> Budget {
        self.0
    }
}

impl From<BTreeMap<Fault, u8>> for FaultCounts {
    fn from(counts: BTreeMap<Fault, u8>) -> Self {
        let none = Budget::NONE;
        Self(counts.into_iter().fold(none, |budget, (fault, count)| budget.with(fault, count)))
    }
}

fn shared_group() -> Vec<Placement> {
    vec![Placement::SharedGroup]
}
