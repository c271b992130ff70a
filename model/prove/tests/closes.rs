//! Every kind of actor closes under `relay` and violates nothing; without a rule one falls.

use holdfast_protocol::{Policy, Rule};
use holdfast_prove::focus::Focus;
use holdfast_prove::proof::{Conclusion, Proof, prove};
use std::ops::ControlFlow;

fn proof(policy: Policy) -> Proof {
    prove(policy, |_, _| ControlFlow::Continue(()))
}

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
    let proof = proof(Policy::RELAY);
    assert_eq!(proof.conclusion(), Conclusion::Proved);
    assert_eq!(proof.vacuous().count(), 0);
    let states: Vec<_> =
        proof.kinds.iter().map(|kind| (kind.explored.focus, kind.explored.states)).collect();
    assert_eq!(states, STATES);
}

/// The claims that are violated without a rule, by kind of actor, and in how many steps.
fn violated(rule: Rule) -> Vec<String> {
    let found = proof(Policy::RELAY.without(rule));
    let mut lines: Vec<String> = found
        .violated()
        .map(|(focus, it)| format!("{focus}: {} in {}", it.violation.claim, it.steps.len()))
        .collect();
    lines.dedup();
    lines
}

#[test]
fn each_rule_taken_out_is_violated_where_it_matters() {
    let mut table = String::new();
    for rule in Rule::ALL {
        let lines = violated(rule);
        assert!(!lines.is_empty(), "{rule} is not missed");
        table.push_str(&format!("{rule}\n"));
        lines.iter().for_each(|line| table.push_str(&format!("  {line}\n")));
    }
    println!("{table}");
}
