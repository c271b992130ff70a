//! Random schedules on random trees, larger than the exhaustive search can go.
//!
//! Runs in `cargo test`. A run has two phases: anything within a fault budget, then no more faults
//! and only what must happen in the end, until nothing is left to do. Every state and step is
//! judged. A failure is shrunk, written as a trace, and printed with the command that replays it.

use holdfast_check::explore::intern::InternTables;
use holdfast_check::explore::worker::Worker;
use holdfast_check::explore::{Options, StateReduction, SymmetryReduction};
use holdfast_check::property::safety::judge_step;
use holdfast_check::trace::{Confirmed, NamedPolicy, Trace, confirm};
use holdfast_check::walk::{WalkFailure, walk, walk_with};
use holdfast_check::world::{Action, Budget, Config, Fault, System, Topology};
use holdfast_protocol::Placement;
use holdfast_protocol::Policy;
use holdfast_protocol::policy::{PolicyName, Rule};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config as Proptest, RngSeed, TestError, TestRunner};
use random_tree::{RandomTree, random_trees};
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use without::WITHOUT;

#[path = "support/random_tree.rs"]
mod random_tree;
#[path = "support/without.rs"]
mod without;

/// What a run is made from: everything small, so that it shrinks well.
#[derive(Clone, Debug)]
struct Plan {
    shape: RandomTree,
    /// Which of the enabled actions is taken, modulo how many there are.
    wild: Vec<u8>,
    /// The same once no more faults happen; taken round and round.
    healing: Vec<u8>,
}

/// More steps than any run of seven actors can need to come to rest.
const HEALS_WITHIN: usize = 2_000;

fn plans() -> impl Strategy<Value = Plan> {
    let (wild, healing) = (vec(any::<u8>(), 0..120), vec(any::<u8>(), 1..40));
    (random_trees(6, 0.0), wild, healing).prop_map(|(shape, wild, healing)| Plan {
        shape,
        wild,
        healing,
    })
}

fn picked(actions: &[Action], pick: u8) -> Action {
    actions[usize::from(pick) % actions.len()]
}

/// Runs a plan through both phases.
fn drive(plan: &Plan, named: &NamedPolicy) -> Result<(), WalkFailure> {
    let topology = Topology::new(plan.shape.config(named.policy()));
    let pick = |next: Option<&u8>, actions: &[Action]| {
        next.map(|pick| usize::from(*pick) % actions.len().max(1))
    };
    let (mut wild, mut healing) =
        (plan.wild.iter(), plan.healing.iter().cycle().take(HEALS_WITHIN));
    walk_with(
        &topology,
        |actions| pick(wild.next(), actions),
        |actions| pick(healing.next(), actions),
    )
    .map(|_| ())
}

/// A runner whose seed is known, and fixed by `PROPTEST_RNG_SEED` if that is set.
fn runner(cases: u32) -> (TestRunner, u64) {
    let mut config = Proptest { failure_persistence: None, cases, ..Proptest::default() };
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one(cases),
    };
    config.rng_seed = RngSeed::Fixed(seed);
    (TestRunner::new(config), seed)
}

/// The trace of a failure, as it is written to a file.
fn trace(plan: &Plan, named: &NamedPolicy, failure: &WalkFailure) -> Trace {
    failure.trace(&Topology::new(plan.shape.config(named.policy())), named)
}

/// A failure, shrunk, and everything that reproduces it in words.
#[derive(Debug)]
struct Found {
    plan: Plan,
    failure: WalkFailure,
    report: String,
}

/// Runs random plans and returns the first failure.
fn find_failure(named: &NamedPolicy, cases: u32) -> Result<(), Box<Found>> {
    let (mut runner, seed) = runner(cases);
    let result = runner.run(&plans(), |plan| {
        drive(&plan, named).map_err(|failure| TestCaseError::fail(failure.what))
    });
    match result {
        Ok(()) => Ok(()),
        Err(TestError::Abort(reason)) => panic!("no plans: {reason}"),
        Err(TestError::Fail(_, plan)) => {
            let failure = drive(&plan, named).expect_err("a plan runs the same every time");
            let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{seed}.trace"));
            std::fs::write(&file, trace(&plan, named, &failure).to_text())
                .expect("the target directory can be written");
            let report = format!(
                "{} ({} steps on {})\n\
                 replay:  holdfast replay {}\n\
                 again:   PROPTEST_RNG_SEED={seed} cargo test -p holdfast-check --test random\n\
                 plan:    {plan:?}",
                failure.what,
                failure.steps.len(),
                plan.shape.tree(),
                file.display(),
            );
            Err(Box::new(Found { plan, failure, report }))
        }
    }
}

#[test]
fn relay_breaks_nothing_and_comes_to_rest_on_random_schedules() {
    let relay = NamedPolicy { policy: PolicyName::Relay, without: Vec::new() };
    if let Err(found) = find_failure(&relay, 3_000) {
        panic!("{}", found.report);
    }
}

#[test]
fn random_schedules_find_a_rule_that_is_missing_and_leave_a_trace_that_replays() {
    for rule in [Rule::R1, Rule::R3, Rule::R5, Rule::R7, Rule::R9] {
        let named = NamedPolicy { policy: PolicyName::Relay, without: vec![rule] };
        let found =
            find_failure(&named, 3_000).expect_err("random schedules must find a missing rule");
        let Found { plan, failure, report } = *found;
        let written = trace(&plan, &named, &failure).to_text();
        let read = Trace::from_text(&written).expect("a trace is read back");
        let topology = Topology::new(read.config().expect("its header is complete"));
        assert_eq!(
            *topology.config(),
            plan.shape.config(named.policy()),
            "without {rule}: {report}"
        );
        let confirmed = confirm(&topology, &read).expect("its steps are possible");
        let fatal = Confirmed::Violated(failure.steps.len());
        assert!(confirmed == fatal || confirmed == Confirmed::Stuck, "without {rule}: {report}");
    }
}

/// Too large to be explored, and everything may happen in it.
const WIDE: &str = "root(a(b(c,d),e),f(g(h)),i?(j?),k)";
const WALKS: u64 = 10_000;

/// What the first of many walks that goes wrong breaks.
fn walks(policy: Policy) -> Option<(u64, WalkFailure)> {
    let budget = Fault::ALL.into_iter().fold(Budget::NONE, |budget, fault| budget.with(fault, 2));
    let tree = WIDE.parse().expect("a tree");
    let topology = Topology::new(Config::new(tree, policy, Placement::OwnSession, budget));
    (0..WALKS).find_map(|number| Some((number, walk(&topology, 0, number).err()?)))
}

#[test]
fn each_rule_taken_out_breaks_a_walk_of_a_wide_tree() {
    assert_eq!(walks(Policy::RELAY), None);
    let mut wrong = Vec::new();
    for (rule, _, _, _, falls) in WITHOUT {
        let failed = walks(Policy::RELAY.without(rule));
        let fell = failed.as_ref().map(|(_, failure)| failure.property);
        if fell != falls.map(Some) {
            wrong.push(format!("without {rule}: expected {falls:?}, {failed:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Walks on plain values; in each state the packed explorer must see the same.
fn walk_packed(plan: &Plan, named: &NamedPolicy) {
    let topology = Topology::new(plan.shape.config(named.policy()));
    let shared = InternTables::new(&topology);
    let (symmetry, reduction) = (SymmetryReduction::Off, StateReduction::Off);
    let options = Options { symmetry, reduction, ..Options::default() };
    let mut worker = Worker::new(&shared, options);
    let mut system = System::new(&topology);
    for pick in &plan.wild {
        let packed = worker.pack(&system).expect("a walk takes few values");
        assert_eq!(worker.unpack(&packed), system);
        let mut successors = Vec::new();
        let expanded = worker.expand(&packed, |action, successor| {
            successors.push((action, successor.state.to_vec(), successor.judgement));
        });
        expanded.expect("a walk takes few values");
        let actions = system.enabled(&topology);
        assert_eq!(actions.len(), successors.len());
        for (action, (other, state, judgement)) in actions.iter().zip(&successors) {
            let mut after = system.clone();
            let did = after.apply(&topology, *action);
            let judged = system.look(&topology, |before| {
                after.look(&topology, |after| judge_step(before, &did, after))
            });
            let packed = worker.pack(&after).expect("a walk takes few values").to_vec();
            assert_eq!((action, &packed, &judged), (other, state, judgement));
        }
        if actions.is_empty() {
            return;
        }
        system.apply(&topology, picked(&actions, *pick));
    }
}

#[test]
fn the_packed_explorer_and_plain_values_agree_on_random_walks() {
    for policy in PolicyName::ALL {
        let named = NamedPolicy { policy, without: Vec::new() };
        let (mut runner, seed) = runner(100);
        let result = runner.run(&plans(), |plan| {
            walk_packed(&plan, &named);
            Ok(())
        });
        if let Err(error) = result {
            panic!("{policy}, PROPTEST_RNG_SEED={seed}: {error}");
        }
    }
}
