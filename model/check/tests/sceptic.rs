//! The properties are stated twice here, and nowhere else: what the checker judges by, and what a
//! sceptic reads in the sentences (`support/sceptic.rs`). Both say the same of every reachable
//! state and step, and of chimeras: states and steps mixed from components of different reachable
//! ones, where clauses matter that no reachable state can tell apart.
//!
//! Runs in `cargo test`.

#[path = "support/sceptic.rs"]
mod sceptic;

use holdfast_check::property::safety::{Judgement, judge_state, judge_step};
use holdfast_check::property::{PropertyId, PropertyKind};
use holdfast_check::rng::Rng;
use holdfast_check::world::{Config, Observation, System, Topology};
use holdfast_protocol::Placement;
use holdfast_protocol::policy::{Policy, Rule};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What happened once: the state before, what was seen, the state after.
type Step = (System, Vec<Observation>, System);

/// The runs whose every state and step both statements judge.
fn runs() -> Vec<(&'static str, &'static str, Placement, Policy)> {
    let (own, shared) = (Placement::OwnSession, Placement::SharedGroup);
    let relay = Policy::RELAY;
    vec![
        ("root(a(b))", "request=1,interrupt=1,kill=1", own, relay),
        ("root(a(b))", "request=1,stop=1", own, relay),
        ("root(a,b)", "request=2,kill=1", shared, relay),
        ("root(a)", "request=1,shielded=1,cancel=1,stop=1", own, relay),
        ("root(a)", "request=2,interrupt=2,kill=1,error=1", own, relay),
        ("root(a)", "request=1,kill-root=1", own, relay),
        ("root(a(b))", "request=1,interrupt=1", shared, Policy::SINGLE_DEPTH),
        ("root(a(b))", "request=1,interrupt=1", shared, Policy::UNPROTECTED),
        ("root(a(b))", "request=1,interrupt=1,kill=1", own, relay.without(Rule::R1)),
        ("root(a)", "request=2,interrupt=1", own, relay.without(Rule::R2)),
        ("root(a(b))", "request=1,interrupt-one=1,interrupt=1", shared, relay.without(Rule::R3)),
        ("root(a(b))", "request=1,error=1", own, relay.without(Rule::R4)),
        ("root(a(b))", "request=1,cancel=1", own, relay.without(Rule::R5)),
        ("root(a)", "request=1,cancel=1,interrupt=1", own, relay.without(Rule::R6)),
        ("root(a(b))", "request=1,kill=1", own, relay.without(Rule::R7)),
        ("root(a(b))", "request=1,interrupt=1,kill=1", own, relay.without(Rule::R8)),
        ("root(a(b))", "request=1,interrupt=1,kill=1", own, relay.without(Rule::R9)),
        ("root(a)", "request=1,stop=1,interrupt=1", own, relay.without(Rule::R10)),
        ("root(a)", "request=1,interrupt=2,error=1", own, relay.without(Rule::R11)),
        ("root(a)", "request=2,interrupt=1,kill=1", own, relay.without(Rule::R12)),
    ]
}

/// Every reachable state of a run in breadth-first order, and steps in which something was seen.
struct Reachable {
    topology: Topology,
    states: Vec<System>,
    steps: Vec<Step>,
}

/// How many steps of a run are kept for mixing.
const KEPT: usize = 60_000;

fn reach(
    (tree, faults, placement, policy): (&str, &str, Placement, Policy),
    mut judge: impl FnMut(&Topology, &Step),
) -> Reachable {
    let tree = tree.parse().expect("the trees are well formed");
    let faults = faults.parse().expect("the budgets are well formed");
    let topology = Topology::new(Config::new(tree, policy, placement, faults));
    let first = System::new(&topology);
    let mut seen = BTreeSet::from([first.clone()]);
    let (mut states, mut steps) = (vec![first.clone()], Vec::new());
    let mut queue = VecDeque::from([first]);
    while let Some(before) = queue.pop_front() {
        for action in before.enabled(&topology) {
            let mut after = before.clone();
            let observed = after.apply(&topology, action);
            let step = (before.clone(), observed, after.clone());
            judge(&topology, &step);
            if !step.1.is_empty() && steps.len() < KEPT {
                steps.push(step);
            }
            if seen.insert(after.clone()) {
                states.push(after.clone());
                queue.push_back(after);
            }
        }
    }
    Reachable { topology, states, steps }
}

/// How often each property was reached and violated, so that no comparison is of nothing.
#[derive(Default)]
struct Tally {
    triggered: BTreeMap<PropertyId, u64>,
    violated: BTreeMap<PropertyId, u64>,
}

impl Tally {
    fn add(&mut self, judgement: Judgement) {
        for property in judgement.triggered.members() {
            *self.triggered.entry(property).or_default() += 1;
        }
        for property in judgement.violated.members() {
            *self.violated.entry(property).or_default() += 1;
        }
    }

    /// Every always-property was reached and violated.
    fn assert_both_sides(&self) {
        for property in PropertyId::ALL.into_iter().filter(|one| one.kind() == PropertyKind::Always)
        {
            assert!(self.triggered.contains_key(&property), "{property} is never triggered");
            assert!(self.violated.contains_key(&property), "{property} is never violated");
        }
    }
}

/// How many chimeras of each kind are judged in a run.
const CHIMERAS: usize = 8_000;

#[test]
fn both_statements_say_the_same_of_what_is_reachable_and_of_chimeras() {
    let mut rng = Rng::new(7, 0);
    let (mut real, mut mixed) = (Tally::default(), Tally::default());
    for run in runs() {
        let reachable = reach(run, |topology, step| real.add(same_of_step(topology, step)));
        for state in &reachable.states {
            real.add(same_of_state(&reachable.topology, state));
        }
        for _ in 0..CHIMERAS {
            let chimera = reachable.mixed_state(&mut rng);
            mixed.add(same_of_state(&reachable.topology, &chimera));
            let chimera = reachable.mixed_step(&mut rng);
            mixed.add(same_of_step(&reachable.topology, &chimera));
        }
    }
    real.assert_both_sides();
    mixed.assert_both_sides();
}

fn same_of_state(topology: &Topology, system: &System) -> Judgement {
    let first = system.look(topology, judge_state);
    let second = sceptic::of_state(topology, system);
    assert_eq!(first, second, "{}\n{system:#?}", topology.config().tree);
    second
}

fn same_of_step(topology: &Topology, step: &Step) -> Judgement {
    let (before, seen, after) = step;
    let first =
        before.look(topology, |one| after.look(topology, |other| judge_step(one, seen, other)));
    let second = sceptic::of_step(topology, before, seen, after);
    assert_eq!(first, second, "{}\n{step:#?}", topology.config().tree);
    second
}

impl Reachable {
    /// A state of components of different states. About half of them stay together, so that rare
    /// combinations are among what comes of it.
    fn mixed_state(&self, rng: &mut Rng) -> System {
        let base = rng.below(self.states.len());
        let components = (0..self.topology.components()).map(|slot| {
            let from = if rng.below(2) == 0 { base } else { rng.below(self.states.len()) };
            self.states[from].components()[slot].clone()
        });
        System::from_components(components.collect())
    }

    /// A step with up to two components before and two after from elsewhere.
    fn mixed_step(&self, rng: &mut Rng) -> Step {
        let (before, seen, after) = &self.steps[rng.below(self.steps.len())];
        let mut mix = |system: &System| {
            let mut components = system.components().to_vec();
            for _ in 0..2 {
                let slot = rng.below(components.len());
                let from = &self.states[rng.below(self.states.len())];
                components[slot] = from.components()[slot].clone();
            }
            System::from_components(components)
        };
        (mix(before), seen.clone(), mix(after))
    }
}
