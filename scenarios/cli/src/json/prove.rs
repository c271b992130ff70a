//! `holdfast prove --json`.

use holdfast_protocol::{PolicyName, Rule};
use holdfast_prove::focus::Focus;
use serde::Serialize;

/// A proof, or what stands in its way.
#[derive(Debug, Serialize)]
pub struct ProofJson {
    /// The policy.
    pub policy: PolicyName,
    /// Rules taken out of it.
    pub without: Vec<Rule>,
    /// What follows.
    pub conclusion: &'static str,
    /// One a kind of actor.
    pub kinds: Vec<KindJson>,
    /// One a claim.
    pub claims: Vec<ClaimJson>,
}

/// The search of one kind of actor.
#[derive(Debug, Serialize)]
pub struct KindJson {
    /// The kind.
    pub kind: Focus,
    /// How many states were found.
    pub states: usize,
    /// How many steps were taken.
    pub steps: u64,
    /// How many different nodes occur.
    pub nodes: usize,
    /// How many different links occur.
    pub links: usize,
    /// How often the protocol was called.
    pub node_runs: u64,
    /// How long it took.
    pub milliseconds: u128,
    /// The claims that are violated.
    pub violated: Vec<ViolatedJson>,
}

/// A claim that is violated.
#[derive(Debug, Serialize)]
pub struct ViolatedJson {
    /// The claim.
    pub claim: String,
    /// What is wrong.
    pub what: &'static str,
    /// How many steps lead there.
    pub steps: usize,
    /// The steps, drawn.
    pub chart: String,
}

/// How often a claim was put to the test.
#[derive(Debug, Serialize)]
pub struct ClaimJson {
    /// The claim.
    pub claim: String,
    /// How often the antecedent was reached, by kind of actor.
    pub reached: Vec<u64>,
}
