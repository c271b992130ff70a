//! The reduced graph says what the full one says: the same verdicts, the same properties violated,
//! the same antecedents reached, the same lengths of shortest counterexamples.
//!
//! Runs in `cargo test`: every policy, with all rules and with each rule taken out, on a few runs
//! that reach every fault. The stage `reduction` does the same on a hundred.

use holdfast_check::explore::obligations::Liveness;
use holdfast_check::explore::{
    Exploration, Options, Progress, SearchEnd, StateReduction, StopWhen, explore,
};
use holdfast_check::property::{PropertyId, PropertySet};
use holdfast_check::world::{Condition, Config, EnvironmentAction, ScriptStep, Topology};
use holdfast_protocol::policy::{Policy, PolicyName, Rule};
use holdfast_protocol::{ActorId, Answer, Cause, DebugMode, Placement, Signal};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

const OWN: Placement = Placement::OwnSession;
const SHARED: Placement = Placement::SharedGroup;

fn config(tree: &str, faults: &str, placement: Placement) -> Config {
    let tree = tree.parse().expect("the trees are well formed");
    let faults = faults.parse().expect("the budgets are well formed");
    Config::new(tree, Policy::RELAY, placement, faults)
}

/// The policies, each with all rules and with each rule taken out.
fn policies() -> Vec<(String, Policy)> {
    let mut all = Vec::new();
    for name in PolicyName::ALL {
        all.push((name.to_string(), name.policy()));
        let without = |rule| (format!("{name} without {rule}"), name.policy().without(rule));
        all.extend(Rule::ALL.map(without));
    }
    all
}

/// What an exploration says.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    ending: SearchEnd,
    triggered: PropertySet,
    /// Each property that is violated, and after how many steps.
    violated: BTreeMap<PropertyId, u32>,
    liveness: Liveness,
    furthest: u8,
}

impl Said {
    fn by(exploration: &Exploration<'_>) -> Self {
        let violated = exploration.violations.iter();
        Self {
            ending: exploration.ending,
            triggered: exploration.triggered,
            violated: violated.map(|(property, found)| (*property, found.steps)).collect(),
            liveness: exploration.liveness,
            furthest: exploration.furthest,
        }
    }
}

/// Compares both graphs of a run; tells how many states each has.
fn compare(what: &str, config: &Config) -> (u64, u64) {
    let topology = Topology::new(config.clone());
    let explored = |reduction| {
        let options = Options { until: StopWhen::Exhausted, reduction, ..Options::default() };
        explore(&topology, options, &Progress::default())
    };
    let (full, reduced) = (explored(StateReduction::Off), explored(StateReduction::On));
    assert_eq!(Said::by(&reduced), Said::by(&full), "{what}");
    assert_eq!(full.ending, SearchEnd::Exhausted, "{what}");
    // What people see of a reduced graph, if a limit ends the search of the full one, is a run.
    for (property, violation) in &reduced.violations {
        let steps = reduced.actions_to(*property, *violation).len();
        assert_eq!(steps, violation.steps as usize, "{what}: {property}");
    }
    (full.space.len(), reduced.space.len())
}

/// Compares both graphs of every run under every policy, on two threads.
fn compare_all(runs: &[(String, Config)]) -> (u64, u64) {
    let policies = policies();
    let work: Vec<_> =
        runs.iter().flat_map(|run| policies.iter().map(move |policy| (run, policy))).collect();
    let next = AtomicUsize::new(0);
    let compare_some = || {
        let (mut full, mut reduced) = (0, 0);
        while let Some(((what, config), (name, policy))) =
            work.get(next.fetch_add(1, Ordering::Relaxed))
        {
            let config = Config { policy: *policy, ..config.clone() };
            let (more, fewer) = compare(&format!("{what}, {name}"), &config);
            (full, reduced) = (full + more, reduced + fewer);
        }
        (full, reduced)
    };
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(compare_some);
        (compare_some(), other.join().expect("the other thread compares as well"))
    });
    (one.0 + other.0, one.1 + other.1)
}

fn named(config: Config) -> (String, Config) {
    (format!("{} {} {}", config.tree, config.budget, config.placement), config)
}

/// Runs with scripts: each kind of step, and faults besides.
fn scripted() -> Vec<(String, Config)> {
    use EnvironmentAction::{
        Answer as Answers, Cut, Interrupt, Kill, Pause, PauseShielded, Provoke,
    };
    let (root, a, b) = (ActorId(0), ActorId(1), ActorId(2));
    let act = ScriptStep::Do;
    let until = ScriptStep::Until;
    let table = [
        (
            "root(a(b))",
            "interrupt=1",
            vec![
                act(Pause { actor: b }),
                until(Condition::PromptOpen(b)),
                act(Interrupt),
                act(Answers { actor: b, answer: Answer::Continue }),
            ],
        ),
        (
            "root(a(b?))",
            "kill=1",
            vec![
                act(EnvironmentAction::Spawn { actor: b }),
                until(Condition::Running(b)),
                act(PauseShielded { actor: b }),
                act(Provoke { actor: root, cause: Cause::Requested }),
                until(Condition::Cancelled(a)),
                act(PauseShielded { actor: b }),
            ],
        ),
        (
            "root(a,b)",
            "request=1,error=1",
            vec![
                act(Pause { actor: a }),
                act(Pause { actor: b }),
                until(Condition::Waiting(b)),
                act(Kill { actor: a }),
                until(Condition::Ended(a)),
                until(Condition::NoPrompt),
                act(EnvironmentAction::Signal { actor: root, signal: Signal::Terminate }),
            ],
        ),
        (
            "root(a(b))",
            "interrupt-one=1",
            vec![
                act(Provoke { actor: b, cause: Cause::Failed }),
                until(Condition::TearingDown(b)),
                act(Cut { actor: a }),
                until(Condition::Quiet),
                act(Interrupt),
            ],
        ),
    ];
    let run = |(tree, faults, steps): (&str, &str, Vec<ScriptStep>)| {
        let mut config = config(tree, faults, SHARED);
        config.script.steps = steps;
        (format!("a script of {} steps, {tree} {faults}", config.script.steps.len()), config)
    };
    table.into_iter().map(run).collect()
}

/// Runs in debug mode.
fn examined() -> Vec<(String, Config)> {
    let all = |mut config: Config| {
        config.debug.fill(DebugMode::On);
        config
    };
    let mut one = config("root(a(b))", "error=1,interrupt=1", OWN);
    one.debug[2] = DebugMode::On;
    [one, all(config("root(a)", "error=2,request=1", SHARED))].map(named).into()
}

/// Few states each, and every fault in some.
const FEW: [(&str, &str, Placement); 18] = [
    ("root", "request=3,interrupt=2,error=1,stop=1", OWN),
    ("root(a)", "request=2,interrupt=2,error=1", OWN),
    ("root(a)", "request=1,interrupt=1,kill=1,stop=1", SHARED),
    ("root(a)", "request=1,shielded=1,cancel=1", OWN),
    ("root(a)", "request=1,shielded=1,quit=1", OWN),
    ("root(a)", "request=1,interrupt-one=1,kill-root=1", SHARED),
    ("root(a)", "request=1,cut=1,error-unexamined=1", OWN),
    ("root(a)", "request=1,cancel-child=1,kill=1", OWN),
    ("root(a?)", "request=1,interrupt=2,kill=1", SHARED),
    ("root(a(b))", "request=1,interrupt=1", OWN),
    ("root(a(b))", "request=1,kill=1", SHARED),
    ("root(a(b))", "request=1,cut=1", OWN),
    ("root(a(b))", "error=1,kill-root=1", OWN),
    ("root(a(b?))", "request=1,cancel-child=1", OWN),
    ("root(a,b)", "request=2", OWN),
    ("root(a,b)", "request=1,interrupt=1", SHARED),
    ("root(a,b)", "shielded=1,kill=1", OWN),
    ("root(a,b)", "request=1,stop=1", OWN),
];

/// Every tree of up to three actors, and late ones, with pairs of faults and a request.
#[cfg(feature = "hundred-runs")]
fn a_hundred() -> Vec<(String, Config)> {
    use holdfast_check::world::Fault;
    let trees = ["root(a)", "root(a?)", "root(a,b)", "root(a(b))", "root(a(b?))"];
    let mut runs = Vec::new();
    for (number, tree) in trees.into_iter().enumerate() {
        for (at, one) in Fault::ALL.into_iter().enumerate() {
            // Each fault beside the next ones, so that all pairs come with some tree.
            for other in [1 + number % 4, 5 + number % 3] {
                let other = Fault::ALL[(at + other) % Fault::ALL.len()];
                let mut run = config(tree, "request=1", if at % 2 == 0 { OWN } else { SHARED });
                run.budget = run.budget.with(one, 1).with(other, 1);
                run.debug.fill(if at % 3 == 0 { DebugMode::On } else { DebugMode::Off });
                runs.push(named(run));
            }
        }
    }
    runs
}

#[cfg(feature = "hundred-runs")]
#[test]
fn the_reduced_graph_says_what_the_full_one_says_on_a_hundred_runs() {
    let runs = a_hundred();
    let (full, reduced) = compare_all(&runs);
    println!("{} runs, {full} states, reduced {reduced}", runs.len());
    assert!(runs.len() >= 100 && reduced < full);
}

#[test]
fn the_reduced_graph_says_what_the_full_one_says() {
    let few = FEW.map(|(tree, faults, placement)| named(config(tree, faults, placement)));
    let runs: Vec<_> = few.into_iter().chain(scripted()).chain(examined()).collect();
    let (full, reduced) = compare_all(&runs);
    println!("{} runs, {full} states, reduced {reduced}", runs.len());
    assert!(reduced < full / 2, "{reduced} of {full} states are not few");
}
