//! Where each rule is needed: what falls without it, by kind of actor.

use holdfast_protocol::{Policy, Rule};
use holdfast_prove::focus::Focus;
use holdfast_prove::search::explore;
use std::ops::ControlFlow;

/// Where each rule falls first: the kind of actor, the claim, and after how many steps.
pub(crate) const FALLS: [(Rule, &str); 12] = [
    (
        Rule::R1,
        "asker: contract: nobody-else in 1; \
         asker: request-answered in 1; \
         between: request-answered in 3; \
         between-deeper: request-answered in 3",
    ),
    (
        Rule::R2,
        "asker: one-prompt in 1; \
         asker: contract: nobody-else in 1; \
         asker: contract: prompt-under-grant in 1; \
         asker: request-answered in 1; \
         root: stop-is-bounded in 3; \
         root-deeper: stop-is-bounded in 3; \
         root-asker: one-prompt in 1; \
         root-asker: released-once in 1; \
         root-orphan: stop-is-bounded in 3",
    ),
    (
        Rule::R3,
        "asker: interrupt-shielded in 1; \
         between: interrupt-shielded in 1; \
         between-deeper: interrupt-shielded in 1; \
         root: interrupt-shielded in 4; \
         root-deeper: interrupt-shielded in 4; \
         root-asker: interrupt-shielded in 2",
    ),
    (
        Rule::R4,
        "between: no-cancel-under-hold in 6; \
         between-deeper: no-cancel-under-hold in 6; \
         root: no-cancel-under-hold in 4; \
         root-deeper: no-cancel-under-hold in 4",
    ),
    (
        Rule::R5,
        "between: no-signal-under-hold in 7; \
         between-deeper: no-signal-under-hold in 7; \
         root: no-signal-under-hold in 5; \
         root-deeper: no-signal-under-hold in 5; \
         root-orphan: no-signal-under-hold in 3",
    ),
    (
        Rule::R6,
        "asker: no-prompt-after-cancel in 4; \
         root-asker: no-prompt-after-cancel in 4",
    ),
    (
        Rule::R7,
        "root: released-once in 5; \
         root: interrupt-shielded in 5; \
         root-deeper: released-once in 5; \
         root-deeper: interrupt-shielded in 5",
    ),
    (
        Rule::R8,
        "root: released-once in 5; \
         root: interrupt-shielded in 5; \
         root-deeper: released-once in 5; \
         root-deeper: interrupt-shielded in 5; \
         root-orphan: teardown-completes in 3",
    ),
    (
        Rule::R9,
        "asker: none-left in 2; \
         between: none-left in 2; \
         between-deeper: none-left in 2",
    ),
    (
        Rule::R10,
        "root: stop-is-bounded in 1; \
         root-deeper: stop-is-bounded in 1; \
         root-asker: stop-is-bounded in 1; \
         root-orphan: stop-is-bounded in 1",
    ),
    (
        Rule::R11,
        "root: interrupt-obeyed in 2; \
         root-deeper: interrupt-obeyed in 2; \
         root-asker: interrupt-obeyed in 2; \
         root-orphan: interrupt-obeyed in 2",
    ),
    (
        Rule::R12,
        "asker: nothing-stale in 1; \
         between: nothing-stale in 1; \
         between-deeper: nothing-stale in 1; \
         root: nothing-stale in 1; \
         root-deeper: nothing-stale in 1; \
         root-asker: nothing-stale in 1; \
         root-orphan: nothing-stale in 1",
    ),
];

/// What falls under a policy at some kinds of actor, in the form of the table.
pub(crate) fn falls(policy: Policy, kinds: impl IntoIterator<Item = Focus>) -> String {
    let mut falls: Vec<String> = Vec::new();
    for focus in kinds {
        for violated in explore(focus, policy, |_| ControlFlow::Continue(())).violated {
            let line = format!("{focus}: {} in {}", violated.violation.claim, violated.steps.len());
            if !falls.contains(&line) {
                falls.push(line);
            }
        }
    }
    falls.join("; ")
}

/// The kinds of actor that a line of the table names.
pub(crate) fn kinds(line: &str) -> impl Iterator<Item = Focus> {
    let names = |focus: &Focus| line.split("; ").any(|part| part.starts_with(&format!("{focus}:")));
    Focus::ALL.into_iter().filter(names)
}
