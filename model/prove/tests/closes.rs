//! Every kind of actor closes under `relay` and violates nothing.

use holdfast_protocol::Policy;
use holdfast_prove::focus::Focus;
use holdfast_prove::proof::{Conclusion, prove};
use std::ops::ControlFlow;

/// How many states each kind of actor has. A change of the protocol may move them.
const STATES: [(Focus, usize); 7] = [
    (Focus::Asker, 1_536),
    (Focus::Between, 102_250),
    (Focus::BetweenDeeper, 102_250),
    (Focus::Root, 38_180),
    (Focus::RootDeeper, 38_180),
    (Focus::RootAsker, 188),
    (Focus::RootOrphan, 320),
];

#[test]
fn every_kind_of_actor_closes_and_violates_nothing() {
    let proof = prove(Policy::RELAY, |_, _| ControlFlow::Continue(()));
    assert_eq!(proof.conclusion(), Conclusion::Proved);
    assert_eq!(proof.vacuous().count(), 0);
    let states: Vec<_> =
        proof.kinds.iter().map(|kind| (kind.explored.focus, kind.explored.states)).collect();
    assert_eq!(states, STATES);
}
