//! The steps of the actor in focus: the real `Node::handle`, on the node beside every rest.

use super::claim::ClaimViolation;
use super::environment::Trigger;
use super::focus::Focus;
use super::leads_to::is_quiet_step;
use super::rest::{inputs_aside, inputs_that_ask, rests};
use super::seen::{Told, concerns, without_cause};
use super::whole::WholeStep;
use holdfast_check::property::PropertyId;
use holdfast_protocol::node::focus::Rest;
use holdfast_protocol::{Input, Node, Outbox, Output};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// What a step may lead to, beside some rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FocusOutcome {
    /// The node in focus after it.
    pub node: Node,
    /// The outputs that concern `r` and what is in focus.
    pub outputs: Vec<Output>,
    /// The input.
    pub input: Input,
    /// What is wrong with it, whatever the neighbours do.
    pub violation: Option<ClaimViolation>,
    /// The property whose antecedent it reaches, whatever the neighbours do.
    pub reaches: Option<PropertyId>,
    /// Whether it can be taken beside a rest in which nobody asks for anything.
    pub quiet: bool,
}

/// All that a step of a node in focus may lead to.
#[must_use]
pub fn outcomes(focus: Focus, node: &Node, trigger: Trigger) -> (Vec<FocusOutcome>, u64) {
    outcomes_beside(focus, node, trigger, &rests(focus, node))
}

/// The same, beside these rests alone; and how often the node was run.
#[must_use]
pub fn outcomes_beside(
    focus: Focus,
    node: &Node,
    trigger: Trigger,
    rests: &[Rest],
) -> (Vec<FocusOutcome>, u64) {
    let (mut seen, mut runs) = (FxHashMap::<_, usize>::default(), 0);
    let mut outcomes: Vec<FocusOutcome> = Vec::new();
    let (mut outbox, mut raw) = (Outbox::new(), Vec::new());
    for rest in rests {
        let mut whole = node.beside(rest);
        let inputs = match trigger {
            Trigger::Aside => inputs_aside(focus, node, rest),
            Trigger::Asks => {
                whole = node.beside(&Rest { next_serial: 0, ..rest.clone() });
                inputs_that_ask(rest)
            }
            Trigger::Takes(input) => vec![input],
        };
        for input in inputs {
            let mut after = whole.clone();
            runs += 1;
            after.handle(input, &mut outbox);
            raw.clear();
            raw.extend(outbox.drain());
            let ours = raw.iter().copied().filter(|output| concerns(focus, *output));
            let outputs: Vec<Output> = ours.map(without_cause).collect();
            let step = WholeStep { before: &whole, input, after: &after, outputs: &raw };
            let quiet = is_quiet_step(node, &whole, &after);
            let (violation, reaches) = step.judge(focus);
            let told = Told::of(focus, input);
            // Most inputs change nothing that is in focus; that is cheap to see.
            let in_focus = if after == whole { node.clone() } else { focus.project(&after) };
            match seen.entry((in_focus, outputs, told, violation, reaches)) {
                Entry::Occupied(known) => outcomes[*known.get()].quiet |= quiet,
                Entry::Vacant(new) => {
                    let (node, outputs) = (new.key().0.clone(), new.key().1.clone());
                    new.insert(outcomes.len());
                    outcomes.push(FocusOutcome { node, outputs, input, violation, reaches, quiet });
                }
            }
        }
    }
    (outcomes, runs)
}
