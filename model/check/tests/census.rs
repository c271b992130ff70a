//! A census of small runs by the most naive search that there is: breadth first over plain values,
//! no numbers, no symmetry, no memory of steps. What it counts is pinned, and the explorer must
//! have found the same: as many states and steps, and the same antecedents and violations.
//!
//! Runs in `cargo test`. A count that changes means that the protocol or its world changed: look at
//! why, then accept the table with `INSTA_UPDATE=always cargo test -p holdfast-check --test census`.

use holdfast_check::explore::symmetry::SymmetryReduction;
use holdfast_check::explore::{Options, Progress, StateReduction, StopWhen};
use holdfast_check::property::liveness::{Fairness, is_fair, obligations};
use holdfast_check::property::safety::{judge_state, judge_step};
use holdfast_check::property::{PropertyId, PropertyKind, PropertySet};
use holdfast_check::report::{CheckReport, PropertyVerdict, check};
use holdfast_check::world::{Config, System, Topology};
use holdfast_protocol::policy::{Policy, PolicyName};
use holdfast_protocol::{DebugMode, Placement};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const OWN: Placement = Placement::OwnSession;
const SHARED: Placement = Placement::SharedGroup;

fn config(tree: &str, faults: &str, placement: Placement, policy: Policy) -> Config {
    let tree = tree.parse().expect("the trees are well formed");
    Config::new(tree, policy, placement, faults.parse().expect("the budgets are well formed"))
}

/// What the naive search has counted.
#[derive(Default)]
struct Census {
    states: u64,
    steps: u64,
    /// How often an antecedent was reached, and how often a property violated.
    findings: u64,
    counts: BTreeMap<String, u64>,
    triggered: PropertySet,
    violated: PropertySet,
}

impl Census {
    fn add(&mut self, what: String) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn of(config: &Config) -> Self {
        let topology = Topology::new(config.clone());
        let mut census = Self::default();
        let first = System::new(&topology);
        let mut seen = BTreeSet::from([first.clone()]);
        let mut queue = VecDeque::from([first]);
        while let Some(before) = queue.pop_front() {
            census.states += 1;
            let actions = before.enabled(&topology);
            before.look(&topology, |view| {
                let judged = judge_state(view);
                census.note("state", judged.triggered, judged.violated);
                for (property, obligation) in obligations() {
                    if (obligation.obliged)(view) {
                        census.add(format!("obliged {property}"));
                    }
                    if (obligation.discharged)(view) {
                        census.add(format!("discharged {property}"));
                    }
                }
                for (fairness, name) in
                    [(Fairness::Everybody, "everybody"), (Fairness::RootAndKernel, "root")]
                {
                    for action in &actions {
                        if is_fair(view, *action, fairness) {
                            census.add(format!("fair to {name}"));
                        }
                    }
                }
            });
            for action in actions {
                census.steps += 1;
                let text = format!("{action:?}");
                let kind = text.split_once('(').map_or("", |(_, inner)| inner);
                let kind = kind.split([' ', '{', ')']).next().unwrap_or_default();
                census.add(format!("action {kind}"));
                let mut after = before.clone();
                let observed = after.apply(&topology, action);
                let judged = before.look(&topology, |one| {
                    after.look(&topology, |other| judge_step(one, &observed, other))
                });
                census.note("step", judged.triggered, judged.violated);
                if seen.insert(after.clone()) {
                    queue.push_back(after);
                }
            }
        }
        census
    }

    fn note(&mut self, of: &str, triggered: PropertySet, violated: PropertySet) {
        for property in triggered.members() {
            self.add(format!("{of} triggers {property}"));
        }
        for property in violated.members() {
            self.add(format!("{of} violates {property}"));
        }
        self.findings += (triggered.members().count() + violated.members().count()) as u64;
        self.triggered |= triggered;
        self.violated |= violated;
    }

    fn lines(&self, what: &str) -> String {
        let mut lines = format!("{what}: {} states, {} steps\n", self.states, self.steps);
        for (count, times) in &self.counts {
            lines += &format!("  {count}: {times}\n");
        }
        lines
    }
}

fn explored(config: &Config, symmetry: SymmetryReduction) -> CheckReport {
    let options = Options {
        until: StopWhen::Exhausted,
        symmetry,
        reduction: StateReduction::Off,
        ..Options::default()
    };
    check(config.clone(), options, &Progress::default())
}

/// The always-properties of a report that were put to the test, and those that are violated.
fn judged(report: &CheckReport) -> (PropertySet, PropertySet) {
    let always = report.verdicts.iter().filter(|(id, _)| id.kind() == PropertyKind::Always);
    let (mut triggered, mut violated) = (PropertySet::default(), PropertySet::default());
    for (property, verdict) in always {
        match verdict {
            PropertyVerdict::Holds => triggered |= PropertySet::of(*property),
            PropertyVerdict::Violated(_) => {
                triggered |= PropertySet::of(*property);
                violated |= PropertySet::of(*property);
            }
            PropertyVerdict::Vacuous
            | PropertyVerdict::DoesNotApply(_)
            | PropertyVerdict::Undecided => {}
        }
    }
    (triggered, violated)
}

#[test]
fn the_naive_search_counts_what_the_explorer_found() {
    let relay = Policy::RELAY;
    let mut debug = config("root(a)", "request=1,interrupt=2,error=1", SHARED, relay);
    debug.debug[1] = DebugMode::On;
    let mut runs = vec![("relay, debug mode in a", debug)];
    for (tree, faults, placement) in [
        ("root(a)", "request=2,interrupt=2,kill=1", OWN),
        ("root(a)", "request=1,shielded=1,cancel=1,stop=1", OWN),
        ("root(a)", "request=1,error-unexamined=1,cut=1", OWN),
        ("root(a)", "request=1,kill-root=1", OWN),
        ("root(a?)", "request=1,interrupt=1,kill=1", SHARED),
        ("root(a(b))", "request=1,quit=1", OWN),
        ("root(a)", "request=1,interrupt-one=1,interrupt=1", SHARED),
        ("root(a,b)", "request=1,cancel-child=1", OWN),
    ] {
        runs.push(("relay", config(tree, faults, placement, relay)));
        for name in [PolicyName::SingleDepth, PolicyName::Unprotected] {
            if tree == "root(a)" {
                runs.push((
                    if name == PolicyName::SingleDepth { "single-depth" } else { "unprotected" },
                    config(tree, faults, placement, name.policy()),
                ));
            }
        }
    }
    let mut table = String::new();
    for (policy, config) in runs {
        let what = format!("{policy} {} {} {}", config.tree, config.budget, config.placement);
        let census = Census::of(&config);
        let report = explored(&config, SymmetryReduction::Off);
        assert_eq!((report.states, report.transitions), (census.states, census.steps), "{what}");
        // A state or a step that is not judged is missing here.
        assert_eq!(report.findings, census.findings, "{what}");
        let applies = |set: PropertySet| -> PropertySet {
            let applies = |property: &PropertyId| {
                !matches!(report.verdicts[property], PropertyVerdict::DoesNotApply(_))
            };
            set.members().filter(applies).collect()
        };
        let naive = (applies(census.triggered), applies(census.violated));
        assert_eq!(judged(&report), naive, "{what}");
        table += &census.lines(&what);
    }
    insta::assert_snapshot!("census", table);
}

#[test]
fn an_antecedent_that_is_never_reached_is_no_proof() {
    let config = config("root(a)", "request=1", OWN, Policy::UNPROTECTED);
    let report = explored(&config, SymmetryReduction::On);
    assert_eq!(report.verdicts[&PropertyId::ReleasedOnce], PropertyVerdict::Vacuous);
}

/// Siblings are merged if nothing tells them apart, and debug mode does.
#[test]
fn siblings_of_unequal_debug_mode_are_not_merged() {
    let mut config = config("root(a,b)", "request=1,error=1", OWN, Policy::RELAY);
    let merged = explored(&config, SymmetryReduction::On).states;
    let full = explored(&config, SymmetryReduction::Off).states;
    assert!(merged < full, "equal siblings are merged: {merged} of {full}");
    config.debug[1] = DebugMode::On;
    let unequal = explored(&config, SymmetryReduction::On).states;
    assert_eq!(unequal, explored(&config, SymmetryReduction::Off).states);
}

/// Of two SIGINTs that are pending at once the kernel keeps the first, sender and all (signal(7):
/// standard signals do not queue).
#[test]
fn the_first_of_two_interrupts_says_where_it_came_from() {
    use holdfast_check::world::{Action, EnvironmentAction};
    use holdfast_protocol::{ActorId, Origin, Signal};
    let topology =
        Topology::new(config("root(a)", "interrupt-one=1,interrupt=1", SHARED, Policy::RELAY));
    let to_one = EnvironmentAction::Signal { actor: ActorId(1), signal: Signal::Interrupt };
    for (order, first) in [
        ([to_one, EnvironmentAction::Interrupt], Origin::Process),
        ([EnvironmentAction::Interrupt, to_one], Origin::Terminal),
    ] {
        let mut system = System::new(&topology);
        for action in order {
            system.apply(&topology, Action::Environment(action));
        }
        let pending = match &system.components()[1] {
            holdfast_check::world::component::ComponentValue::Actor(
                holdfast_check::world::process::ProcessState::Running(running),
            ) => running.pending.origin(Signal::Interrupt),
            other => panic!("{other:?} does not run"),
        };
        assert_eq!(pending, Some(first));
    }
}
