//! What the proof for trees of every size says happens without a rule happens to real processes.

#![cfg(not(model_shuttle))]

use holdfast_check::explore::Progress;
use holdfast_check::property::guardian;
use holdfast_check::trace::Trace;
use holdfast_cli::on_live::follow::follow;
use holdfast_cli::on_live::{Conformance, Setup};
use holdfast_protocol::{NamedPolicy, PolicyName, Rule};
use holdfast_prove::claim::ProofClaim;
use holdfast_prove::concrete::concrete;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::thread;

/// What is not forced, and why.
const NOT_FORCED: [Rule; 1] = [
    // Needs a Ctrl-C that is typed while a prompt is open: there it is a key, and no signal comes.
    Rule::R8,
];

/// Follows the counterexample of a rule, and says what goes wrong.
fn forced(rule: Rule, setup: &Setup) -> Result<(), String> {
    let named = NamedPolicy { policy: PolicyName::Relay, without: vec![rule] };
    let property = guardian(rule);
    let claims = [ProofClaim::Property(property)];
    let (config, found) = concrete(named.policy(), &claims, &Progress::default())
        .ok_or_else(|| format!("no small tree violates `{property}`"))?;
    let trace = Trace::new(&config, &named, &found);
    let followed = follow(&trace, setup, &AtomicBool::new(false));
    let followed = followed.map_err(|error| error.to_string())?;
    let broken = followed.violated.iter().any(|(id, _)| *id == property);
    match (followed.left, followed.conformance) {
        (None, Conformance::Conforms) if broken => Ok(()),
        (left, conformance) => {
            Err(format!("{left:?}, {conformance:?}, {broken}: {:#?}", followed.story))
        }
    }
}

#[test]
fn the_concrete_counterexample_of_each_rule_is_forced_upon_real_processes() {
    let records = tempfile::tempdir().expect("a temporary folder");
    let work = |rules: &[Rule]| -> Vec<String> {
        let rules = rules.iter().filter(|rule| !NOT_FORCED.contains(rule));
        let wrong = rules.filter_map(|rule| {
            let program = PathBuf::from(env!("CARGO_BIN_EXE_holdfast"));
            let records = records.path().join(rule.to_string());
            let result = forced(*rule, &Setup { program, records, defect: None });
            result.err().map(|why| format!("{rule}: {why}"))
        });
        wrong.collect()
    };
    // Most of the time nothing moves, so more than cores.
    let (first, second) = Rule::ALL.split_at(Rule::ALL.len() / 2);
    let wrong = thread::scope(|scope| {
        let other = scope.spawn(|| work(second));
        let mut wrong = work(first);
        wrong.extend(other.join().expect("it does not panic"));
        wrong
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
