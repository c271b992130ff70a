//! What remains true at an actor whose child on the path of the request says anything at all: at
//! the root, and between. By induction over the path the root's table is that of every tree in
//! which such a child is anywhere.
//!
//! What a child off the path may say is part of every proof: see `rest.rs`.

use holdfast_check::property::PropertyId::{NothingStale, RequestAnswered};
use holdfast_protocol::Policy;
use holdfast_protocol::contract::Clause;
use holdfast_prove::claim::ProofClaim;
use holdfast_prove::focus::Focus;
use holdfast_prove::search::{Closure, FocusSearch};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

use Clause::{
    AnswerAfterWant, AnswerNotAfterOver, AnswerOnce, OverNotAfterRefuse, OverOnce,
    RevokeAfterGrant, WantOnce,
};

/// What falls at the root beside such a child. Every other claim holds: one prompt, the lock and its
/// baton, the shield, the terminal, a stop and its bound, a teardown, and that nobody is left.
const AT_THE_ROOT: [ProofClaim; 5] = [
    // The hold lasts as long as the child wants it to,
    ProofClaim::Property(NothingStale),
    // whoever asked under a name that the child uses again is not answered twice,
    ProofClaim::Property(RequestAnswered),
    // and each use of a name has an answer of its own.
    ProofClaim::Contract(AnswerAfterWant),
    ProofClaim::Contract(AnswerNotAfterOver),
    ProofClaim::Contract(AnswerOnce),
];

/// What falls at an actor between: the same, and what the child says twice is passed on twice, so
/// that to its own supervisor the actor is such a child. Nothing goes to anybody else or against
/// the way of a link, no baton is made or kept, and no prompt is open that was not granted.
const BETWEEN: [ProofClaim; 9] = [
    ProofClaim::Property(NothingStale),
    ProofClaim::Property(RequestAnswered),
    // On the link to the child,
    ProofClaim::Contract(AnswerAfterWant),
    ProofClaim::Contract(AnswerNotAfterOver),
    ProofClaim::Contract(AnswerOnce),
    ProofClaim::Contract(RevokeAfterGrant),
    // and on the link to the supervisor.
    ProofClaim::Contract(WantOnce),
    ProofClaim::Contract(OverOnce),
    ProofClaim::Contract(OverNotAfterRefuse),
];

/// Explores all states beside a child that says anything, and says how many there are.
fn falls(focus: Focus, expected: &[ProofClaim]) -> usize {
    let mut search = FocusSearch::new(focus, Policy::RELAY).below_says_anything();
    let closure = search.run(|_| ControlFlow::Continue(()));
    assert_eq!(closure, Closure::Violated, "{focus}: all states were explored all the same");
    let explored = search.explored(closure);
    let found: BTreeSet<ProofClaim> =
        explored.violated.iter().map(|found| found.violation.claim).collect();
    assert_eq!(found, expected.iter().copied().collect(), "{focus}");
    explored.states
}

#[test]
fn a_child_that_says_anything_harms_the_root_in_its_own_request_alone() {
    for focus in [Focus::Root, Focus::RootDeeper] {
        assert_eq!(falls(focus, &AT_THE_ROOT), 150_988, "{focus}");
    }
}

#[test]
fn an_actor_above_a_child_that_says_anything_is_at_most_such_a_child() {
    for focus in [Focus::Between, Focus::BetweenDeeper] {
        assert_eq!(falls(focus, &BETWEEN), 467_416, "{focus}");
    }
}
