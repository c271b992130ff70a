//! The same world under stateright: equal numbers of states, equal verdicts, equal lengths.
//!
//! Runs in `cargo test`. Stateright knows nothing of interned parts, offers or the filter of recent
//! states: it steps plain values. Where something falls both stop early, at different points, so
//! there the lengths of the shortest counterexamples are compared, and not the numbers of states.

use holdfast_check::explore::SymmetryReduction;
use holdfast_check::explore::{Options, Progress, SearchEnd, StateReduction, explore};
use holdfast_check::world::{Condition, Config, EnvironmentAction, ScriptStep, Topology};
use holdfast_protocol::Placement;
use holdfast_protocol::policy::PolicyName;
use holdfast_protocol::{ActorId, DebugMode};
use std::num::NonZeroUsize;
use without::WITHOUT;

#[path = "support/stateright_model.rs"]
mod stateright_model;
#[path = "support/without.rs"]
mod without;

const OWN: Placement = Placement::OwnSession;
const SHARED: Placement = Placement::SharedGroup;
const RELAY: PolicyName = PolicyName::Relay;
const SINGLE: PolicyName = PolicyName::SingleDepth;
const UNPROTECTED: PolicyName = PolicyName::Unprotected;

/// What both must say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Holds,
    Falls,
}

use Says::{Falls, Holds};

/// Trees, policies, placements, faults.
const RUNS: [(&str, PolicyName, Placement, &str, Says); 12] = [
    ("root", RELAY, OWN, "request=3,interrupt=2,error=1,stop=1", Holds),
    ("root(a)", RELAY, OWN, "request=2,interrupt=1,kill=1", Holds),
    ("root(a)", RELAY, SHARED, "request=1,interrupt=2,error=1,stop=1", Holds),
    ("root(a)", RELAY, OWN, "request=1,shielded=1,cancel=1,quit=1", Holds),
    ("root(a)", RELAY, OWN, "request=1,interrupt-one=1,kill-root=1,cut=1", Holds),
    ("root(a(b))", RELAY, OWN, "request=1,interrupt=1,kill=1", Holds),
    ("root(a,b)", RELAY, SHARED, "request=1,interrupt=1,error=1", Holds),
    ("root(a?(b?))", RELAY, OWN, "request=1,interrupt=1,cut=1", Holds),
    ("root(a)", SINGLE, SHARED, "request=1,interrupt=1", Falls),
    ("root(a(b))", SINGLE, OWN, "request=1,error=1", Falls),
    ("root(a(b))", UNPROTECTED, SHARED, "request=1,interrupt=1", Falls),
    ("root(a,b)", UNPROTECTED, OWN, "request=1,error=1", Falls),
];

fn config(tree: &str, policy: PolicyName, placement: Placement, faults: &str) -> Config {
    let (tree, faults) = (tree.parse().expect("a tree"), faults.parse().expect("a budget"));
    Config::new(tree, policy.policy(), placement, faults)
}

/// Compares both, with one thread and with two, and tells the steps of a shortest counterexample.
fn agree(what: &str, config: Config) -> Option<usize> {
    let topology = Topology::new(config);
    let (states, steps) = stateright_model::check(&topology);
    for threads in [1, 2] {
        let threads = NonZeroUsize::new(threads).expect("not zero");
        let symmetry = SymmetryReduction::Off;
        let reduction = StateReduction::Off;
        let options =
            Options { threads, shared_from: 0, symmetry, reduction, ..Options::default() };
        let ours = explore(&topology, options, &Progress::default());
        let shortest = ours.violations.values().map(|finding| finding.steps as usize).min();
        assert_eq!(shortest, steps, "{what}: the length of a shortest counterexample");
        if steps.is_none() {
            assert_eq!(ours.ending, SearchEnd::Exhausted, "{what}");
            assert_eq!(ours.space.len(), states as u64, "{what}: unique states");
        }
    }
    println!("{what}: {states} states, counterexample {steps:?}");
    steps
}

#[test]
fn every_policy_and_both_placements_agree_with_stateright() {
    for (tree, policy, placement, faults, says) in RUNS {
        let what = format!("{tree} {policy} {placement} {faults}");
        let steps = agree(&what, config(tree, policy, placement, faults));
        assert_eq!(steps.is_none(), says == Holds, "{what}: the other verdict");
    }
}

#[test]
fn each_rule_taken_out_falls_at_the_same_step_under_stateright() {
    let mut wrong = Vec::new();
    for (rule, (tree, faults, placement), _, steps, _) in WITHOUT {
        let mut config = config(tree, RELAY, placement, faults);
        assert_eq!(agree(&format!("{tree} relay {faults}"), config.clone()), None);
        config.policy = config.policy.without(rule);
        let found = agree(&format!("{tree} relay without {rule} {faults}"), config);
        if found != steps {
            wrong.push(format!("without {rule}: {found:?}, expected {steps:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn post_mortems_and_scripts_agree_with_stateright() {
    let mut examined = config("root(a(b))", RELAY, OWN, "error=1,interrupt=1");
    examined.debug.fill(DebugMode::On);
    assert_eq!(agree("post-mortems", examined), None);

    let (a, b) = (ActorId(1), ActorId(2));
    let mut scripted = config("root(a(b?))", RELAY, SHARED, "request=1,interrupt=1,kill=1");
    scripted.script.steps = vec![
        ScriptStep::Do(EnvironmentAction::Pause { actor: a }),
        ScriptStep::Until(Condition::PromptOpen(a)),
        ScriptStep::Do(EnvironmentAction::Interrupt),
        ScriptStep::Until(Condition::Quiet),
        ScriptStep::Do(EnvironmentAction::Spawn { actor: b }),
        ScriptStep::Until(Condition::Running(b)),
        ScriptStep::Until(Condition::NoPrompt),
        ScriptStep::Do(EnvironmentAction::Cut { actor: a }),
    ];
    assert_eq!(agree("a script", scripted), None);
}
