//! Each rule taken out is violated, at the kinds of actor and the claims that a table pins.

use holdfast_check::explore::Progress;
use holdfast_check::trace::{Confirmed, NamedPolicy, Trace, confirm};
use holdfast_check::world::Topology;
use holdfast_protocol::{Policy, PolicyName};
use holdfast_prove::claim::ProofClaim;
use holdfast_prove::concrete::concrete;
use holdfast_prove::focus::Focus;
use holdfast_prove::proof::prove;
use holdfast_prove::search::explore;
use std::ops::ControlFlow;
use table::{FALLS, falls, kinds};

#[path = "support/table.rs"]
mod table;

#[test]
fn each_rule_taken_out_is_violated_where_it_is_needed() {
    let found = FALLS.map(|(rule, line)| (rule, falls(Policy::RELAY.without(rule), kinds(line))));
    assert_eq!(found, FALLS.map(|(rule, line)| (rule, line.to_owned())));
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
        let mut violated: Vec<_> = kinds(line)
            .flat_map(|at| explore(at, named.policy(), |_| ControlFlow::Continue(())).violated)
            .collect();
        violated.sort_by_key(|violated| violated.steps.len());
        let claims: Vec<ProofClaim> = violated.iter().map(|it| it.violation.claim).collect();
        let (config, found) = concrete(named.policy(), &claims, &Progress::default())
            .unwrap_or_else(|| panic!("{rule}: no small tree violates {claims:?}"));
        let trace = Trace::new(&config, &named, &found);
        let confirmed = confirm(&Topology::new(config), &trace).expect("it is a run");
        assert!(!matches!(confirmed, Confirmed::Walk | Confirmed::Possible), "{rule}");
    }
}
