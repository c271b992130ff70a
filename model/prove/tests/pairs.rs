//! Each rule taken out is violated nowhere but where the table says, and each pair somewhere.
//!
//! Takes minutes, so only the stage `prove-rules` runs it.

use holdfast_protocol::{Policy, Rule};
use holdfast_prove::focus::Focus;
use table::{FALLS, falls};

#[path = "support/table.rs"]
#[expect(dead_code, reason = "only the fast tests ask for the kinds of one line")]
mod table;

#[test]
fn each_rule_taken_out_is_violated_nowhere_else() {
    let found = FALLS.map(|(rule, _)| (rule, falls(Policy::RELAY.without(rule), Focus::ALL)));
    assert_eq!(found, FALLS.map(|(rule, line)| (rule, line.to_owned())));
}

#[test]
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
