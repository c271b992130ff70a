//! Two ways to the same answer agree: with and without symmetry, on one thread and on two, by one
//! sweep and by the search of components. And a search that is cut short never says that all holds.
//!
//! Runs in `cargo test`.

use PropertyId::{InterruptWorksAgain, RequestAnswered, StopIsBounded, TeardownCompletes};
use holdfast_check::explore::SymmetryReduction;
use holdfast_check::explore::lasso::{ObligationGraph, find_lasso};
use holdfast_check::explore::obligations::Liveness;
use holdfast_check::explore::sweep::{Sweep, sweep};
use holdfast_check::explore::{
    Exploration, Options, Progress, SearchEnd, StateReduction, StopWhen, explore,
};
use holdfast_check::property::liveness::obligations;
use holdfast_check::property::{Applies, PropertyId, PropertyKind, PropertySet};
use holdfast_check::report::{CheckOutcome, CheckReport, PropertyVerdict, check};
use holdfast_check::world::{Config, Topology};
use holdfast_protocol::Placement;
use holdfast_protocol::Rule;
use holdfast_protocol::policy::Policy;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;

const RELAY: Policy = Policy::RELAY;
const SINGLE_DEPTH: Policy = Policy::SINGLE_DEPTH;
const UNPROTECTED: Policy = Policy::UNPROTECTED;

fn config(tree: &str, faults: &str, policy: Policy) -> Config {
    let tree = tree.parse().expect("the table's trees are well formed");
    let faults = faults.parse().expect("the table's budgets are well formed");
    Config::new(tree, policy, Placement::OwnSession, faults)
}

fn exhausted() -> Options {
    let reduction = StateReduction::Off;
    Options { until: StopWhen::Exhausted, reduction, shared_from: 0, ..Options::default() }
}

fn run(config: &Config, options: Options) -> CheckReport {
    check(config.clone(), options, &Progress::default())
}

/// What is said of each property. Two searches may find different counterexamples, but those of
/// an always-property are shortest ones.
fn verdicts(report: &CheckReport) -> BTreeMap<PropertyId, String> {
    let short = |(property, verdict): (&PropertyId, &PropertyVerdict)| {
        let text = match verdict {
            PropertyVerdict::Violated(found) if property.kind() == PropertyKind::Always => {
                format!("violated in {} steps", found.steps.len())
            }
            PropertyVerdict::Violated(_) => "violated".to_owned(),
            PropertyVerdict::Holds
            | PropertyVerdict::Vacuous
            | PropertyVerdict::DoesNotApply(_)
            | PropertyVerdict::Undecided => {
                format!("{verdict:?}")
            }
        };
        (*property, text)
    };
    report.verdicts.iter().map(short).collect()
}

#[test]
fn symmetry_changes_the_number_of_states_and_no_verdict() {
    let table = [
        ("root(a,b)", "request=1,interrupt=1,kill=1", RELAY),
        ("root(a,b)", "request=1,stop=1", RELAY.without(Rule::R10)),
        ("root(a,b)", "request=2,interrupt=1", SINGLE_DEPTH),
        ("root(a(b,c))", "request=1,interrupt=1", UNPROTECTED),
        ("root(a(b,c))", "request=1,interrupt=1", SINGLE_DEPTH),
        ("root(a,b,c)", "request=1,error=1", RELAY),
        ("root(a,b,c)", "request=1,kill-root=1", RELAY.without(Rule::R9)),
        ("root(a(b),c(d))", "request=1,interrupt=1", SINGLE_DEPTH),
    ];
    for (tree, faults, policy) in table {
        let config = config(tree, faults, policy);
        let merged = run(&config, exhausted());
        let full = run(&config, Options { symmetry: SymmetryReduction::Off, ..exhausted() });
        assert_eq!(verdicts(&merged), verdicts(&full), "{tree} {faults}");
        assert_eq!(merged.ending, SearchEnd::Exhausted, "{tree} {faults}");
        assert!(merged.states < full.states, "{tree} {faults}: nothing was merged");
    }
}

#[test]
fn two_threads_find_what_one_finds() {
    let table = [
        ("root(a(b))", "request=1,interrupt=1,kill=1", RELAY),
        ("root(a,b)", "request=2,interrupt=1", RELAY),
        ("root(a(b),c)", "request=1,kill-root=1", RELAY),
        ("root(a(b))", "request=1,error=1,kill=1", RELAY.without(Rule::R4)),
        ("root(a)", "request=2,interrupt=1", RELAY.without(Rule::R12)),
        ("root(a(b),c)", "request=1,interrupt=1", SINGLE_DEPTH),
    ];
    for (tree, faults, policy) in table {
        let config = config(tree, faults, policy);
        let whole = (StateReduction::Off, StopWhen::Exhausted);
        for (reduction, until) in [whole, (StateReduction::On, StopWhen::FirstViolation)] {
            let one = Options { reduction, until, ..exhausted() };
            agree_when_shared(&format!("{tree} {faults} {reduction}"), &config, one);
        }
    }
}

/// The others join at once, and in the middle.
fn agree_when_shared(what: &str, config: &Config, alone: Options) {
    let one = run(config, alone);
    let numbers = |report: &CheckReport| (report.states, report.transitions, report.depth);
    for (threads, shared_from) in [(2, 0), (2, 2_000), (3, 500)] {
        let threads = NonZeroUsize::new(threads).expect("none is zero");
        let shared = run(config, Options { threads, shared_from, ..alone });
        let what = format!("{what}, {threads} threads from {shared_from} states on");
        assert_eq!(numbers(&one), numbers(&shared), "{what}");
        assert_eq!(verdicts(&one), verdicts(&shared), "{what}");
    }
}

#[test]
fn a_search_that_is_cut_short_never_says_that_all_holds() {
    let config = config("root(a(b),c)", "request=1,interrupt=1", RELAY);
    for threads in [1, 2] {
        let threads = NonZeroUsize::new(threads).expect("neither is zero");
        let reduction = StateReduction::Off;
        let options = Options { threads, shared_from: 0, reduction, ..Options::default() };
        let few = run(&config, Options { max_states: 5_000, ..options });
        assert_eq!(
            (few.ending, few.outcome()),
            (SearchEnd::StateLimit, CheckOutcome::NotExhausted)
        );
        let small = run(&config, Options { max_bytes: 5 << 20, ..options });
        assert_eq!(
            (small.ending, small.outcome()),
            (SearchEnd::MemoryLimit, CheckOutcome::NotExhausted)
        );
        assert!(small.bytes <= 5 << 20, "{} bytes are too many", small.bytes);
        let progress = Progress::default();
        progress.interrupt.store(true, Ordering::Relaxed);
        let stopped = check(config.clone(), options, &progress);
        assert_eq!(
            (stopped.ending, stopped.outcome()),
            (SearchEnd::Interrupted, CheckOutcome::Interrupted)
        );
    }
}

/// The promises that fall, by the sweep over an acyclic graph.
fn by_sweep(exploration: &Exploration<'_>) -> PropertySet {
    match sweep(exploration, &Progress::default()) {
        Sweep::Acyclic(swept) => {
            let locked = swept.lock_up.map(|_| PropertyId::CanAlwaysEnd);
            swept.lassos.into_iter().map(|(property, _)| property).chain(locked).collect()
        }
        Sweep::Cyclic(state) => panic!("a cycle through state {state}"),
        Sweep::Interrupted => unreachable!("nobody interrupts it"),
    }
}

/// What the search itself says, without a sweep.
fn by_search(exploration: &Exploration<'_>) -> PropertySet {
    match exploration.liveness {
        Liveness::Acyclic(violated) => violated,
        Liveness::Undecided => panic!("a cycle is not excluded"),
    }
}

/// Whether a promise falls, by the search of strongly connected components.
fn falls_by_components(exploration: &Exploration<'_>, property: PropertyId) -> bool {
    ObligationGraph::instances(exploration, property)
        .iter_mut()
        .any(|one| find_lasso(one).is_some())
}

#[test]
fn the_sweep_and_the_search_of_components_agree_on_every_promise() {
    let everything = "request=1,shielded=1,interrupt=1,stop=1,kill=1";
    let table = [
        ("root(a)", everything, RELAY),
        ("root(a)", everything, RELAY.without(Rule::R7)),
        ("root(a)", everything, RELAY.without(Rule::R10)),
        ("root(a)", everything, RELAY.without(Rule::R12)),
        ("root(a)", everything, SINGLE_DEPTH),
        ("root(a(b))", "request=1,interrupt=1,kill=1", RELAY.without(Rule::R9)),
        ("root(a(b))", "request=1,stop=1", RELAY),
        ("root(a(b))", "request=1,interrupt=1", SINGLE_DEPTH),
        ("root(a,b)", "request=1,kill-root=1", UNPROTECTED),
    ];
    let mut seen: BTreeMap<PropertyId, (usize, usize)> = BTreeMap::new();
    for (tree, faults, policy) in table {
        let topology = Topology::new(config(tree, faults, policy));
        let options = Options { symmetry: SymmetryReduction::Off, ..exhausted() };
        let exploration = explore(&topology, options, &Progress::default());
        let fell = by_sweep(&exploration);
        assert_eq!(by_search(&exploration), fell, "{tree} {faults}");
        for (property, _) in obligations() {
            if property.applies(topology.config()) != Applies::Yes {
                continue;
            }
            let falls = falls_by_components(&exploration, property);
            assert_eq!(fell.has(property), falls, "{property} on {tree} {faults}");
            let (held, broken) = seen.entry(property).or_default();
            *(if falls { broken } else { held }) += 1;
        }
    }
    for property in [RequestAnswered, TeardownCompletes, InterruptWorksAgain, StopIsBounded] {
        let (held, broken) = seen[&property];
        assert!(held > 0 && broken > 0, "{property}: held {held}, fell {broken} times");
        assert!(held + broken >= 4, "{property}: decided {} times", held + broken);
    }
}

/// What a search decides while it explores is what a sweep over its graph decides afterwards: for
/// every policy, with each rule taken out, with and without symmetry, reduced and not, on one thread
/// and on two. And
/// a graph in which the sweep finds a cycle is not called acyclic.
#[test]
fn the_search_and_the_sweep_agree_on_everything_that_may_go_on_forever() {
    let policies = [RELAY, SINGLE_DEPTH, UNPROTECTED].into_iter();
    let policies = policies.flat_map(|policy| {
        std::iter::once(policy).chain(Rule::ALL.map(|rule| policy.without(rule)))
    });
    let runs = [
        ("root(a)", "request=1,shielded=1,interrupt=2,stop=1"),
        ("root(a(b))", "request=1,interrupt=1,kill=1"),
        ("root(a,b)", "request=1,kill-root=1"),
        // Here a run comes to a state where it can stay after that was expanded without it.
        ("root(a)", "request=1,interrupt=1,kill-root=1"),
    ];
    let (mut held, mut violated) = (0, 0);
    for policy in policies {
        for (tree, faults) in runs {
            let topology = Topology::new(config(tree, faults, policy));
            let (on, off) = (StateReduction::On, StateReduction::Off);
            for (symmetry, threads, reduction) in [
                (SymmetryReduction::On, 1, off),
                (SymmetryReduction::Off, 2, off),
                (SymmetryReduction::On, 1, on),
            ] {
                let threads = NonZeroUsize::new(threads).expect("neither is zero");
                let options = Options { symmetry, threads, reduction, ..exhausted() };
                let exploration = explore(&topology, options, &Progress::default());
                match (exploration.liveness, sweep(&exploration, &Progress::default())) {
                    (Liveness::Acyclic(found), Sweep::Acyclic(_)) => {
                        assert_eq!(found, by_sweep(&exploration), "{tree} {faults} {policy:?}");
                        *(if found.is_empty() { &mut held } else { &mut violated }) += 1;
                    }
                    (Liveness::Undecided, Sweep::Cyclic(_)) => {}
                    (found, swept) => panic!("{found:?}, {swept:?}: {tree} {faults} {policy:?}"),
                }
            }
        }
    }
    assert!(held > 50 && violated > 50, "{held} held, {violated} did not");
}
