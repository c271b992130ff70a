//! What a search says of what it found.

use super::super::claim::{ClaimViolation, Reached};
use super::super::environment::FocusEvent;
use super::super::focus::Focus;
use super::super::state::Around;
use holdfast_protocol::{Node, Output};

/// How a claim is violated first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violated {
    /// The claim.
    pub violation: ClaimViolation,
    /// The steps up to there, from the start.
    pub steps: Vec<FocusStep>,
    /// What the actor in focus did on the last of them.
    pub outputs: Vec<Output>,
}

/// A step of a counterexample, and the state behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FocusStep {
    /// What happens.
    pub event: FocusEvent,
    /// The node in focus afterwards.
    pub node: Node,
    /// The machine afterwards.
    pub around: Around,
}

/// How an exploration ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closure {
    /// Every state was explored.
    Closed,
    /// The exploration ended with the first violation.
    Violated,
    /// There were more states than expected: nothing is proved.
    TooLarge,
    /// The caller broke off.
    Interrupted,
}

/// What is known of one kind of actor.
#[derive(Clone, Debug)]
pub struct Explored {
    /// The kind.
    pub focus: Focus,
    /// How it ended.
    pub closure: Closure,
    /// How many states there are.
    pub states: usize,
    /// How many steps lead to one.
    pub steps: u64,
    /// How many different nodes in focus.
    pub nodes: usize,
    /// How many different links.
    pub links: usize,
    /// How often the node was run.
    pub runs: u64,
    /// The antecedents that were reached.
    pub reached: Reached,
    /// The first violations; all are found on the same step.
    pub violated: Vec<Violated>,
}
