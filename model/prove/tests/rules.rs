//! Each rule taken out is violated, at the kind of actor and the claim that are pinned here; so is
//! each pair of rules.

use holdfast_check::explore::Progress;
use holdfast_check::trace::{Confirmed, NamedPolicy, Trace, confirm};
use holdfast_check::world::Topology;
use holdfast_protocol::{Policy, PolicyName, Rule};
use holdfast_prove::claim::Claim;
use holdfast_prove::concrete::concrete;
use holdfast_prove::focus::Focus;
use holdfast_prove::proof::prove;
use holdfast_prove::search::explore;
use std::ops::ControlFlow;

/// Where each rule falls first: the kind of actor, the claim, and after how many steps.
const FALLS: [(Rule, &str); 12] = [
    (Rule::R1, ""),
    (Rule::R2, ""),
    (Rule::R3, ""),
    (Rule::R4, ""),
    (Rule::R5, ""),
    (Rule::R6, ""),
    (Rule::R7, ""),
    (Rule::R8, ""),
    (Rule::R9, ""),
    (Rule::R10, ""),
    (Rule::R11, ""),
    (Rule::R12, ""),
];

#[test]
fn each_rule_taken_out_is_violated_where_it_is_needed() {
    let table = FALLS.map(|(rule, _)| {
        let proof = prove(Policy::RELAY.without(rule), |_, _| ControlFlow::Continue(()));
        let mut falls: Vec<String> = Vec::new();
        for (focus, violated) in proof.violated() {
            let line = format!("{focus}: {} in {}", violated.violation.claim, violated.steps.len());
            if !falls.contains(&line) {
                falls.push(line);
            }
        }
        (rule, falls.join("; "))
    });
    for (rule, falls) in &table {
        println!("    (Rule::{rule}, \"{falls}\"),");
    }
    assert_eq!(table, FALLS.map(|(rule, falls)| (rule, falls.to_owned())));
}

/// Every pair, at the kinds of actor that fall with either rule.
#[test]
fn each_pair_of_rules_taken_out_is_violated() {
    let mut holds = Vec::new();
    for (place, one) in Rule::ALL.into_iter().enumerate() {
        for other in &Rule::ALL[place + 1..] {
            let policy = Policy::RELAY.without(one).without(*other);
            let falls = Focus::ALL.into_iter().any(|focus| {
                !explore(focus, policy, |_| ControlFlow::Continue(())).violated.is_empty()
            });
            if !falls {
                holds.push((one, *other));
            }
        }
    }
    assert!(holds.is_empty(), "nothing falls without both of {holds:?}");
}

#[test]
fn upstreams_policy_is_violated_where_a_request_goes_past_the_supervisor() {
    let proof = prove(Policy::SINGLE_DEPTH, |_, _| ControlFlow::Continue(()));
    let (focus, violated) = proof.shortest().expect("it is violated");
    assert_eq!(focus, Focus::Asker);
    assert!(matches!(violated.violation.claim, Claim::Contract(_)), "{violated:?}");
}

/// Which rules fall in a small tree, by the claim with the fewest steps: each trace is confirmed by
/// a replay.
#[test]
fn the_counterexample_of_each_rule_is_made_concrete() {
    for rule in Rule::ALL {
        let named = NamedPolicy { policy: PolicyName::Relay, without: vec![rule] };
        let proof = prove(named.policy(), |_, _| ControlFlow::Continue(()));
        let (_, violated) = proof.shortest().expect("it is violated");
        let claim = violated.violation.claim;
        let (config, found) = concrete(named.policy(), claim, &Progress::default())
            .unwrap_or_else(|| panic!("{rule}: no small tree violates `{claim}`"));
        let trace = Trace::new(&config, &named, &found);
        let confirmed = confirm(&Topology::new(config), &trace).expect("it is a run");
        assert!(!matches!(confirmed, Confirmed::Walk | Confirmed::Possible), "{rule}");
    }
}
