//! What remains true at a root whose child on the path of the request says anything at all.
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

/// What falls beside such a child. Every other claim holds: one prompt, the lock and its baton, the
/// shield, the terminal, a stop and its bound, a teardown, and that nobody is left.
fn falls() -> BTreeSet<ProofClaim> {
    BTreeSet::from([
        // The hold lasts as long as the child wants it to,
        ProofClaim::Property(NothingStale),
        // whoever asked under a name that the child uses again is not answered twice,
        ProofClaim::Property(RequestAnswered),
        // and each use of a name has an answer of its own.
        ProofClaim::Contract(Clause::AnswerAfterWant),
        ProofClaim::Contract(Clause::AnswerNotAfterOver),
        ProofClaim::Contract(Clause::AnswerOnce),
    ])
}

#[test]
fn a_child_that_says_anything_harms_the_root_in_its_own_request_alone() {
    for focus in [Focus::Root, Focus::RootDeeper] {
        let mut search = FocusSearch::new(focus, Policy::RELAY).below_says_anything();
        let closure = search.run(|_| ControlFlow::Continue(()));
        assert_eq!(closure, Closure::Violated, "{focus}: all states were explored all the same");
        let explored = search.explored(closure);
        let found: BTreeSet<ProofClaim> =
            explored.violated.iter().map(|found| found.violation.claim).collect();
        assert_eq!(found, falls(), "{focus}");
        assert_eq!(explored.states, 150_988, "{focus}");
    }
}
