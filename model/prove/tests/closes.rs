//! Every kind of actor closes under `relay` and violates nothing.

use holdfast_protocol::Policy;
use holdfast_prove::chart::ProofChart;
use holdfast_prove::claim::{ProofClaim, Reached};
use holdfast_prove::focus::Focus;
use holdfast_prove::search::{Closure, explore};
use std::ops::ControlFlow;

/// How many states each kind of actor has, the quick ones first. A change of the protocol may move
/// them.
const STATES: [(Focus, usize); 7] = [
    (Focus::Asker, 1_536),
    (Focus::RootAsker, 164),
    (Focus::RootOrphan, 260),
    (Focus::Between, 102_250),
    (Focus::Root, 27_428),
    (Focus::BetweenDeeper, 102_250),
    (Focus::RootDeeper, 27_428),
];

#[test]
fn every_kind_of_actor_closes_and_violates_nothing() {
    let mut reached: Vec<Reached> = Vec::new();
    let mut moved = Vec::new();
    for (focus, states) in STATES {
        let explored = explore(focus, Policy::RELAY, |_| ControlFlow::Continue(()));
        for violated in &explored.violated {
            println!("{focus}:\n{}", ProofChart { focus, violated });
        }
        assert_eq!(explored.closure, Closure::Closed, "{focus}");
        if explored.states != states {
            moved.push((focus, explored.states));
        }
        reached.push(explored.reached);
    }
    let idle = |claim: &ProofClaim| reached.iter().all(|reached| reached.count(*claim) == 0);
    let vacuous: Vec<ProofClaim> = ProofClaim::all().filter(idle).collect();
    assert_eq!(vacuous, [], "these claims say nothing");
    assert_eq!(moved, [], "as many states as before");
}
