//! One scenario file: a known situation, what happens in it, and what each policy makes of it.
//!
//! These types are the format. `scenarios/README.md` explains it by example, the JSON schema for
//! editors is generated from here ([`schema`]).
//!
//! Reading order: this file, [`step`], [`load`] (text to case), [`check`] (what can be wrong with
//! it), [`span`] and [`diagnostic`] (where, and what instead), [`resolve`] (case to runs).

pub mod check;
pub mod diagnostic;
pub mod load;
pub mod resolve;
pub mod span;
pub mod step;

use crate::expect::Expectations;
use holdfast_check::world::Fault;
use holdfast_check::world::config::Budget;
use holdfast_protocol::Placement;
use holdfast_protocol::PolicyName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
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
    /// The tree in its notation: `root(mid(leaf),sib)`. `name?` is not there at the start.
    pub tree: String,
    /// The actors in debug mode: their failures open a post-mortem prompt. None by default.
    #[serde(default)]
    pub debug: Vec<String>,
    /// Who is in the terminal's foreground process group; the case runs once for each.
    #[serde(default = "shared_group")]
    #[schemars(schema_with = "placements")]
    pub placement: Vec<Placement>,
    /// What happens, in this order, while everything else is left open.
    pub step: Vec<Step>,
    /// What the project that the case stems from did.
    #[serde(default)]
    pub upstream: Option<Upstream>,
    /// What the environment may do beside the steps, whenever it likes.
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
    #[schemars(schema_with = "policy_name")]
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

/// What the environment may do beside the steps: how many of each kind, none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct FaultCounts {
    /// Breakpoints, in any actor.
    pub request: u8,
    /// Breakpoints that a cancel does not withdraw.
    pub shielded: u8,
    /// Ctrl-C at the terminal.
    pub interrupt: u8,
    /// SIGINT to one actor.
    pub interrupt_one: u8,
    /// Failures.
    pub error: u8,
    /// Actors that fail and do not want that examined, even in debug mode.
    pub error_unexamined: u8,
    /// Quitting at a prompt instead of continuing.
    pub quit: u8,
    /// An actor's program asks for its end.
    pub cancel: u8,
    /// Actors whose supervisor's program asks them to end.
    pub cancel_child: u8,
    /// SIGKILL of an actor below the root.
    pub kill: u8,
    /// SIGKILL of the root.
    pub kill_root: u8,
    /// SIGTERM to the root.
    pub stop: u8,
    /// Links between live actors that end.
    pub cut: u8,
}

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
    #[schemars(schema_with = "optional_placement")]
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
        Fault::ALL.into_iter().fold(Budget::NONE, |budget, fault| {
            let count = match fault {
                Fault::Request => self.request,
                Fault::Shielded => self.shielded,
                Fault::Interrupt => self.interrupt,
                Fault::InterruptOne => self.interrupt_one,
                Fault::Error => self.error,
                Fault::ErrorUnexamined => self.error_unexamined,
                Fault::Quit => self.quit,
                Fault::Cancel => self.cancel,
                Fault::CancelChild => self.cancel_child,
                Fault::Kill => self.kill,
                Fault::KillRoot => self.kill_root,
                Fault::Stop => self.stop,
                Fault::Cut => self.cut,
            };
            budget.with(fault, count)
        })
    }
}

fn shared_group() -> Vec<Placement> {
    vec![Placement::SharedGroup]
}

/// The JSON schema of a scenario file, as text.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Case);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain data");
    text.push('\n');
    text
}

fn one_placement() -> serde_json::Value {
    serde_json::json!({ "type": "string", "enum": ["shared-group", "own-session"] })
}

fn policy_name(_: &mut SchemaGenerator) -> Schema {
    let names = PolicyName::ALL.map(|one| one.to_string());
    json_schema!({ "type": "string", "enum": names })
}

fn placements(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": one_placement(), "default": ["shared-group"] })
}

fn optional_placement(_: &mut SchemaGenerator) -> Schema {
    let placement = one_placement();
    json_schema!({ "type": placement["type"], "enum": placement["enum"] })
}
