//! Each rule taken out is violated, at the kind of actor and the claim that are pinned here; so is
//! each pair of rules.

use holdfast_check::explore::Progress;
use holdfast_check::trace::{Confirmed, NamedPolicy, Trace, confirm};
use holdfast_check::world::Topology;
use holdfast_protocol::{Policy, PolicyName, Rule};
use holdfast_prove::claim::ProofClaim;
use holdfast_prove::concrete::concrete;
use holdfast_prove::focus::Focus;
use holdfast_prove::proof::prove;
use holdfast_prove::search::explore;
use std::ops::ControlFlow;

/// Where each rule falls first: the kind of actor, the claim, and after how many steps.
const FALLS: [(Rule, &str); 12] = [
    (Rule::R1, "asker: contract: nobody-else in 1"),
    (
        Rule::R2,
        "asker: one-prompt in 1; \
         asker: contract: nobody-else in 1; \
         asker: contract: prompt-under-grant in 1; \
         root-asker: one-prompt in 1; \
         root-asker: released-once in 1",
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
         root-deeper: interrupt-shielded in 5",
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
fn falls(policy: Policy, kinds: impl IntoIterator<Item = Focus>) -> String {
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
fn kinds(line: &str) -> impl Iterator<Item = Focus> {
    let names = |focus: &Focus| line.split("; ").any(|part| part.starts_with(&format!("{focus}:")));
    Focus::ALL.into_iter().filter(names)
}

#[test]
fn each_rule_taken_out_is_violated_where_it_is_needed() {
    let found = FALLS.map(|(rule, line)| (rule, falls(Policy::RELAY.without(rule), kinds(line))));
    assert_eq!(found, FALLS.map(|(rule, line)| (rule, line.to_owned())));
}

#[test]
#[ignore = "takes minutes: stage `prove-rules`"]
fn each_rule_taken_out_is_violated_nowhere_else() {
    let found = FALLS.map(|(rule, _)| (rule, falls(Policy::RELAY.without(rule), Focus::ALL)));
    assert_eq!(found, FALLS.map(|(rule, line)| (rule, line.to_owned())));
}

#[test]
#[ignore = "takes minutes: stage `prove-rules`"]
fn each_pair_of_rules_taken_out_is_violated() {
    let mut holds = Vec::new();
    for (place, one) in Rule::ALL.into_iter().enumerate() {
        for other in &Rule::ALL[place + 1..] {
            let policy = Policy::RELAY.without(one).without(*other);
            if !Focus::ALL.into_iter().any(|focus| !falls(policy, [focus]).is_empty()) {
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
    assert!(matches!(violated.violation.claim, ProofClaim::Contract(_)), "{violated:?}");
}

/// Which rules fall in a small tree, by the claim with the fewest steps: each trace is confirmed by
/// a replay.
#[test]
fn the_counterexample_of_each_rule_is_made_concrete() {
    for (rule, line) in FALLS {
        let named = NamedPolicy { policy: PolicyName::Relay, without: vec![rule] };
        let violated = kinds(line)
            .flat_map(|at| explore(at, named.policy(), |_| ControlFlow::Continue(())).violated)
            .min_by_key(|violated| violated.steps.len())
            .expect("it is violated");
        let claim = violated.violation.claim;
        let (config, found) = concrete(named.policy(), claim, &Progress::default())
            .unwrap_or_else(|| panic!("{rule}: no small tree violates `{claim}`"));
        let trace = Trace::new(&config, &named, &found);
        let confirmed = confirm(&Topology::new(config), &trace).expect("it is a run");
        assert!(!matches!(confirmed, Confirmed::Walk | Confirmed::Possible), "{rule}");
    }
}
