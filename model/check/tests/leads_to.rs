//! Leads-to and can-always-end by a definition that shares nothing with the search
//! (`support/fair.rs`), on small runs whose graphs have cycles and whose have none; what each
//! assumption of fairness is needed for; and lassos in toy graphs, against all there are.
//!
//! Runs in `cargo test`.

#[path = "support/fair.rs"]
mod fair;
#[path = "support/sceptic.rs"]
#[expect(dead_code, reason = "the always-properties are judged in another test")]
mod sceptic;

use fair::{Assumption, Assumptions, Graph, Of, everybody, is_fair, root_and_kernel};
use holdfast_check::explore::lasso::{FairGraph, Lasso, find_lasso};
use holdfast_check::explore::obligations::Liveness;
use holdfast_check::explore::store::StateId;
use holdfast_check::explore::symmetry::SymmetryReduction;
use holdfast_check::explore::{Options, Progress, StateReduction, StopWhen, explore};
use holdfast_check::property::liveness::{self, Fairness};
use holdfast_check::property::{PropertyId, PropertyKind};
use holdfast_check::report::{PropertyVerdict, check};
use holdfast_check::rng::Rng;
use holdfast_check::world::{Condition, Config, Environment, EnvironmentAction, ScriptStep};
use holdfast_protocol::policy::{Orphans, Policy, Rule, StopSignal, WhilePrompt};
use holdfast_protocol::{ActorId, Placement};
use sceptic::World;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const OWN: Placement = Placement::OwnSession;
const SHARED: Placement = Placement::SharedGroup;
const RELAY: Policy = Policy::RELAY;
const A: ActorId = ActorId(1);
const B: ActorId = ActorId(2);

fn config((tree, faults, placement, policy): (&str, &str, Placement, Policy)) -> Config {
    let tree = tree.parse().expect("the trees are well formed");
    Config::new(tree, policy, placement, faults.parse().expect("the budgets are well formed"))
}

/// Runs that end by themselves: budgets shrink.
fn bounded() -> Vec<Config> {
    let frozen = Policy { while_prompt: WhilePrompt::Freezes, ..RELAY };
    let runs = [
        ("root(a)", "request=2,interrupt=1", OWN, RELAY),
        ("root(a)", "request=1,shielded=1,stop=1", OWN, RELAY),
        ("root(a)", "request=1,interrupt=1,kill=1", OWN, RELAY),
        ("root(a)", "request=1,kill-root=1,interrupt=1", OWN, RELAY),
        ("root(a)", "request=1,cancel=1,cut=1", SHARED, RELAY),
        ("root(a?)", "request=1,interrupt=1", SHARED, RELAY),
        ("root(a(b))", "kill=1,interrupt=1", OWN, RELAY),
        ("root(a(b))", "request=1,quit=1", OWN, RELAY),
        ("root(a)", "request=1,stop=1,interrupt=1", OWN, frozen),
        ("root(a)", "request=1,stop=1", OWN, Policy { stop: StopSignal::Deferred, ..RELAY }),
        ("root(a)", "kill-root=1", OWN, Policy { orphans: Orphans::LiveOn, ..RELAY }),
        ("root(a,b)", "request=2,kill=1", OWN, RELAY.without(Rule::R7)),
        ("root(a)", "request=1,interrupt=1,kill=1", OWN, RELAY.without(Rule::R8)),
        ("root(a)", "request=2,interrupt=1", OWN, RELAY.without(Rule::R12)),
        ("root(a)", "request=1,stop=1", OWN, RELAY.without(Rule::R10)),
        ("root(a)", "request=2,interrupt=1,kill=1", OWN, Policy::SINGLE_DEPTH),
        ("root(a)", "request=1,interrupt=1,kill-root=1", SHARED, Policy::UNPROTECTED),
    ];
    runs.into_iter().map(config).collect()
}

/// Runs that can go on forever: the environment is bounded by nothing, so somebody types Ctrl-C
/// again and again while the prompt of the script is open.
fn endless() -> Vec<Config> {
    let deferred = Policy { stop: StopSignal::Deferred, ..RELAY };
    let runs = [
        ("root(a)", "interrupt=1", OWN, RELAY),
        ("root(a)", "interrupt-one=1", OWN, RELAY),
        ("root(a)", "interrupt=1,interrupt-one=1", SHARED, RELAY),
        ("root(a)", "interrupt=1,stop=1", OWN, RELAY),
        ("root(a)", "interrupt=1,stop=1", OWN, deferred),
        ("root(a)", "interrupt=1,kill=1", OWN, RELAY.without(Rule::R7)),
        ("root(a)", "interrupt=1", OWN, RELAY.without(Rule::R12)),
        (
            "root(a)",
            "interrupt=1,cancel=1",
            OWN,
            Policy { while_prompt: WhilePrompt::Freezes, ..RELAY },
        ),
    ];
    let prompt = ScriptStep::Until(Condition::PromptOpen(A));
    let asks = |actor| ScriptStep::Do(EnvironmentAction::Pause { actor });
    let scripted = |run| {
        let mut config = config(run);
        config.environment = Environment::Recorded;
        config.script.steps = vec![asks(A), prompt];
        config
    };
    // Of two requests the second alone is forgotten, once the holder of the first was killed.
    let mut second = scripted(("root(a,b)", "interrupt=1,kill=1", OWN, RELAY.without(Rule::R7)));
    second.script.steps.push(asks(B));
    runs.into_iter().map(scripted).chain([second]).collect()
}

fn options() -> Options {
    let (symmetry, reduction) = (SymmetryReduction::Off, StateReduction::Off);
    Options { until: StopWhen::Exhausted, symmetry, reduction, ..Options::default() }
}

fn shown(config: &Config) -> String {
    format!("{} {} {}", config.tree, config.budget, config.placement)
}

/// Compares what the product says with the definition. Says what is violated.
fn compare(config: &Config, graph: &Graph) -> BTreeSet<PropertyId> {
    let report = check(config.clone(), options(), &Progress::default());
    assert_eq!(report.states, graph.states.len() as u64, "{}", shown(config));
    let naive = graph.violated(&everybody(), &root_and_kernel());
    for (property, verdict) in &report.verdicts {
        let expected = match property.kind() {
            PropertyKind::Always => continue,
            PropertyKind::LeadsTo | PropertyKind::CanAlwaysEnd => naive.contains(property),
        };
        match verdict {
            PropertyVerdict::DoesNotApply(_) => {}
            PropertyVerdict::Violated(_) => {
                assert!(expected, "{property} holds by definition: {}", shown(config))
            }
            PropertyVerdict::Holds => {
                assert!(!expected, "{property} is violated by definition: {}", shown(config))
            }
            PropertyVerdict::Vacuous | PropertyVerdict::Undecided => {
                panic!("{property} is not decided: {}", shown(config))
            }
        }
    }
    naive
}

#[test]
fn the_checker_decides_as_the_definition_does_where_no_run_comes_back() {
    let mut seen: BTreeSet<PropertyId> = BTreeSet::new();
    for config in bounded() {
        let graph = Graph::of(&config);
        assert!(!graph.has_a_cycle(), "{}", shown(&config));
        seen.extend(compare(&config, &graph));
    }
    let others = PropertyId::ALL.into_iter().filter(|one| one.kind() != PropertyKind::Always);
    assert_eq!(seen, others.collect(), "each of them is violated somewhere");
}

#[test]
fn the_checker_decides_as_the_definition_does_where_runs_go_round() {
    let (mut seen, mut rounds) = (BTreeSet::new(), 0);
    for config in endless() {
        let graph = Graph::of(&config);
        assert!(graph.has_a_cycle(), "{}", shown(&config));
        let topology = holdfast_check::world::Topology::new(config.clone());
        let explored = explore(&topology, options(), &Progress::default());
        assert_eq!(explored.liveness, Liveness::Undecided, "{}", shown(&config));
        seen.extend(compare(&config, &graph));
        let report = check(config, options(), &Progress::default());
        for verdict in report.verdicts.values() {
            if let PropertyVerdict::Violated(found) = verdict {
                rounds += usize::from(!found.round.is_empty());
            }
        }
    }
    assert!(rounds > 0, "some counterexample goes round");
    assert!(seen.len() > 2, "{seen:?}");
}

/// Of every action in every state of these runs, with and without cycles.
#[test]
fn both_statements_of_fairness_say_the_same() {
    for config in bounded().iter().chain(&endless()) {
        let graph = Graph::of(config);
        for (state, steps) in graph.states.iter().zip(&graph.steps) {
            let world = World { topology: &graph.topology, system: state };
            state.look(&graph.topology, |view| {
                let first = liveness::is_ending(view);
                assert_eq!(first, world.can_be_left_alone(), "{}", shown(config));
                for (action, _) in steps {
                    for (fairness, assumed) in [
                        (Fairness::Everybody, everybody()),
                        (Fairness::RootAndKernel, root_and_kernel()),
                    ] {
                        let first = liveness::is_fair(view, *action, fairness);
                        let second = is_fair(world, *action, &assumed);
                        assert_eq!(first, second, "{action:?} {fairness:?} {}", shown(config));
                    }
                }
            });
        }
    }
}

fn names(properties: &BTreeSet<PropertyId>) -> String {
    let names: Vec<String> = properties.iter().map(ToString::to_string).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// What is violated in runs, by what is assumed.
fn violated(
    graphs: &[Graph],
    of_everybody: &Assumptions,
    of_root: &Assumptions,
) -> BTreeSet<PropertyId> {
    graphs.iter().flat_map(|graph| graph.violated(of_everybody, of_root)).collect()
}

/// What each assumption is needed for, pinned: taken out of what everybody is relied on for, and of
/// what the root is; and put into the latter, for everybody, where a stop is not bounded.
#[test]
fn each_assumption_of_fairness_is_needed_for_what_the_table_says() {
    let graphs = |runs: Vec<Config>| -> Vec<Graph> { runs.iter().map(Graph::of).collect() };
    let relay = |config: &Config| config.policy == RELAY;
    let all = bounded().into_iter().chain(endless());
    let hold = graphs(all.filter(relay).collect());
    assert_eq!(violated(&hold, &everybody(), &root_and_kernel()), BTreeSet::new());
    let unbounded = bounded().into_iter().filter(|it| it.policy.stop == StopSignal::Deferred);
    let unbounded = graphs(unbounded.collect());
    let stop = BTreeSet::from([PropertyId::StopIsBounded]);
    assert_eq!(violated(&unbounded, &everybody(), &root_and_kernel()), stop);
    assert_eq!(violated(&unbounded, &everybody(), &everybody()), BTreeSet::new());
    let mut table = String::new();
    for assumption in Assumption::ALL {
        let mut less = everybody();
        less.insert(assumption, Of::Nobody);
        let of_everybody = violated(&hold, &less, &root_and_kernel());
        let mut less = root_and_kernel();
        less.insert(assumption, Of::Nobody);
        let of_root = violated(&hold, &everybody(), &less);
        let mut more = everybody();
        more.insert(assumption, root_and_kernel()[&assumption]);
        let deferred = violated(&unbounded, &everybody(), &more);
        let _ = writeln!(
            table,
            "{assumption:?}\n  without it: {}\n  without it, of the root: {}\n  \
             of everybody, all but it, where a stop waits for the prompt: {}",
            names(&of_everybody),
            names(&of_root),
            names(&deferred),
        );
    }
    insta::assert_snapshot!("fairness", table);
}

/// A graph by chance.
#[derive(Debug)]
struct Toy {
    states: StateId,
    edges: Vec<(StateId, char, StateId)>,
    fair: BTreeSet<char>,
    obliged: BTreeSet<StateId>,
    discharged: BTreeSet<StateId>,
}

impl Toy {
    fn drawn(rng: &mut Rng) -> Self {
        let states = 2 + rng.below(4) as StateId;
        let edge = |rng: &mut Rng| {
            let mut state = || rng.below(states as usize) as StateId;
            let (from, to) = (state(), state());
            (from, ['x', 'y', 'z'][rng.below(3)], to)
        };
        let edges: BTreeSet<_> = (0..rng.below(9)).map(|_| edge(rng)).collect();
        let some = |rng: &mut Rng, one_in: usize| -> BTreeSet<StateId> {
            (0..states).filter(|_| rng.below(one_in) == 0).collect()
        };
        let (obliged, discharged) = (some(rng, 2), some(rng, 4));
        let fair = ['x', 'y', 'z'].into_iter().filter(|_| rng.below(3) > 0).collect();
        let obliged = obliged.difference(&discharged).copied().collect();
        Self { states, edges: edges.into_iter().collect(), fair, obliged, discharged }
    }

    fn inside(&self) -> Vec<(StateId, char, StateId)> {
        let open = |state: &StateId| !self.discharged.contains(state);
        self.edges.iter().filter(|(from, _, to)| open(from) && open(to)).copied().collect()
    }

    fn owed(&self, state: StateId) -> BTreeSet<char> {
        let here = self.edges.iter().filter(|(from, ..)| *from == state).map(|edge| edge.1);
        here.filter(|action| self.fair.contains(action)).collect()
    }

    /// The states to which an obliged run may come undischarged.
    fn reached(&self, from: impl IntoIterator<Item = StateId>) -> BTreeSet<StateId> {
        let mut reached: BTreeSet<StateId> = from.into_iter().collect();
        loop {
            let before = reached.len();
            for (from, _, to) in self.inside() {
                if reached.contains(&from) {
                    reached.insert(to);
                }
            }
            if reached.len() == before {
                return reached;
            }
        }
    }

    /// Whether a fair run never gets there, by trying every set of steps that are taken again and
    /// again: each can follow each, and each fair action is taken or impossible somewhere.
    fn has_fair_run(&self) -> bool {
        let (inside, reached) = (self.inside(), self.reached(self.obliged.iter().copied()));
        let stays = reached.iter().any(|state| self.owed(*state).is_empty());
        stays
            || (1..1_usize << inside.len()).any(|set| {
                let bit = |number: &(usize, _)| set >> number.0 & 1 == 1;
                let taken: Vec<_> =
                    inside.iter().enumerate().filter(bit).map(|(_, edge)| *edge).collect();
                let ends: BTreeSet<_> = taken.iter().flat_map(|edge| [edge.0, edge.2]).collect();
                let part = Self { edges: taken.clone(), obliged: BTreeSet::new(), ..self.copy() };
                let round = ends.iter().all(|state| part.reached([*state]) == ends);
                let mut owed = self.fair.iter();
                round
                    && reached.contains(&taken[0].0)
                    && owed.all(|action| {
                        taken.iter().any(|edge| edge.1 == *action)
                            || ends.iter().any(|state| !self.owed(*state).contains(action))
                    })
            })
    }

    fn copy(&self) -> Self {
        let Self { states, edges, fair, obliged, discharged } = self;
        let (edges, fair) = (edges.clone(), fair.clone());
        let (obliged, discharged) = (obliged.clone(), discharged.clone());
        Self { states: *states, edges, fair, obliged, discharged }
    }

    /// A counterexample is a run: it begins obliged, and each state follows from the one before.
    fn assert_run(&self, lasso: &Lasso) {
        let follows = |one: StateId, other: StateId| {
            self.inside().iter().any(|(from, _, to)| (*from, *to) == (one, other))
        };
        let way: Vec<_> = lasso.stem.iter().chain(&lasso.round).copied().collect();
        assert!(self.obliged.contains(&way[0]), "{lasso:?} {self:?}");
        assert!(way.windows(2).all(|pair| follows(pair[0], pair[1])), "{lasso:?} {self:?}");
        let end = lasso.stem.last().expect("a stem has a state");
        assert!(lasso.round.last().is_none_or(|last| last == end), "{lasso:?} {self:?}");
    }
}

impl FairGraph for Toy {
    type Action = char;

    fn states(&self) -> Vec<StateId> {
        (0..self.states).collect()
    }

    fn is_obliged(&mut self, id: StateId) -> bool {
        self.obliged.contains(&id)
    }

    fn undischarged(&mut self, id: StateId) -> Vec<(char, StateId)> {
        let here = self.inside().into_iter().filter(|(from, ..)| *from == id);
        here.map(|(_, action, to)| (action, to)).collect()
    }

    fn fair(&mut self, id: StateId) -> Vec<char> {
        self.owed(id).into_iter().collect()
    }
}

#[test]
fn lassos_are_found_where_there_are_some_and_nowhere_else() {
    let mut rng = Rng::new(14, 0);
    let mut counts: BTreeMap<(bool, bool), u64> = BTreeMap::new();
    for _ in 0..6_000 {
        let mut toy = Toy::drawn(&mut rng);
        let expected = toy.has_fair_run();
        let found = find_lasso(&mut toy);
        assert_eq!(found.is_some(), expected, "{found:?} {toy:?}");
        found.iter().for_each(|lasso| toy.assert_run(lasso));
        let round = found.is_some_and(|lasso| !lasso.round.is_empty());
        *counts.entry((expected, round)).or_default() += 1;
    }
    for kind in [(false, false), (true, false), (true, true)] {
        assert!(counts.get(&kind).is_some_and(|count| *count > 500), "{counts:?}");
    }
}
