//! Fair lassos in graphs with cycles: strongly connected components (Tarjan, "Depth-first search
//! and linear graph algorithms", 1972).
//!
//! The search goes depth-first from every state where a promise is made through states where it is
//! not kept. A component is a trap if each fair action is impossible in one of its states or taken
//! inside it; a state without a way on is a trap if no fair action is possible in it.

use super::Exploration;
use super::intern::Number;
use super::store::StateId;
use super::worker::Worker;
use crate::property::PropertyId;
use crate::property::liveness::{Obligation, ObligationScope, is_fair};
use crate::world::Action;
use crate::world::enabled::enabled;
use holdfast_protocol::RequestId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A graph with a promise in it.
pub trait FairGraph {
    /// What an edge does.
    type Action: Copy + Eq;
    /// All states, the nearest first.
    fn states(&self) -> Vec<StateId>;
    /// Whether the promise is made and not kept here.
    fn is_obliged(&mut self, id: StateId) -> bool;
    /// The edges to states in which the promise is still not kept.
    fn undischarged(&mut self, id: StateId) -> Vec<(Self::Action, StateId)>;
    /// The fair actions that are possible here, wherever they lead.
    fn fair(&mut self, id: StateId) -> Vec<Self::Action>;
}

/// A run that never gets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lasso {
    /// From a state where the promise is made into the trap.
    pub stem: Vec<StateId>,
    /// From the last state of the stem around to itself; empty if the run is stuck there.
    pub round: Vec<StateId>,
}

/// Looks for a fair run that makes the promise and never keeps it.
pub fn find_lasso<G: FairGraph>(graph: &mut G) -> Option<Lasso> {
    let mut search = LassoSearch { graph, index: BTreeMap::new(), low: BTreeMap::new(), next: 1 };
    let trap = search.run()?;
    Some(search.lasso(&trap))
}

/// The leads-to `property` for one request, or for the whole tree, on an explored graph.
pub struct ObligationGraph<'e, 't> {
    exploration: &'e Exploration<'t>,
    worker: Worker<'e, 't>,
    obligation: Obligation,
    request: Option<RequestId>,
}

impl<'e, 't> ObligationGraph<'e, 't> {
    /// Every instance of a leads-to: one a request where each has its own obligation, else one.
    ///
    /// # Panics
    /// If the property is not a leads-to.
    #[must_use]
    pub fn instances(exploration: &'e Exploration<'t>, property: PropertyId) -> Vec<Self> {
        let worker = || Worker::new(&exploration.tables, exploration.options);
        let obligation = property.obligation().expect("only a leads-to has instances");
        let mut requests = BTreeSet::from([None]);
        if obligation.scope == ObligationScope::EachRequest {
            // A program that is stopped has no request yet. It reads as often as the budget says, so
            // on no round trip does another one take its place.
            if !exploration.topology.config().tree.has_hosts() {
                requests.clear();
            }
            let mut worker = worker();
            for id in exploration.space.ids() {
                worker.look(&exploration.space.state(id), |view| {
                    let waiting = view.actors().flat_map(|(_, facts)| facts.waiting.iter());
                    requests.extend(waiting.map(|request| Some(*request)));
                });
            }
        }
        let instance = |request| Self { exploration, worker: worker(), obligation, request };
        requests.into_iter().map(instance).collect()
    }

    fn is_discharged(&mut self, state: &[Number]) -> bool {
        let (obligation, request) = (self.obligation, self.request);
        self.worker.look(state, |view| match request {
            Some(request) => !view.actor(request.actor).waiting.contains(&request),
            None => (obligation.discharged)(view),
        })
    }
}

impl FairGraph for ObligationGraph<'_, '_> {
    type Action = Action;

    fn states(&self) -> Vec<StateId> {
        self.exploration.space.ids().collect()
    }

    fn is_obliged(&mut self, id: StateId) -> bool {
        let (state, obliged) = (&self.exploration.space.state(id), self.obligation.obliged);
        !self.is_discharged(state) && self.worker.look(state, obliged)
    }

    fn undischarged(&mut self, id: StateId) -> Vec<(Action, StateId)> {
        let space = &self.exploration.space;
        let mut found = Vec::new();
        let expanded = self.worker.expand(&space.state(id), |action, successor| {
            found.push((action, successor.state.to_vec()));
        });
        expanded.expect("an exhausted exploration has numbers for all");
        let place = |state: &[Number]| space.find(state).expect("explored before");
        found.retain(|(_, state)| !self.is_discharged(state));
        found.into_iter().map(|(action, state)| (action, place(&state))).collect()
    }

    fn fair(&mut self, id: StateId) -> Vec<Action> {
        let fairness = self.obligation.fairness;
        self.worker.look(&self.exploration.space.state(id), |view| {
            let mut actions = enabled(view);
            actions.retain(|action| is_fair(view, *action, fairness));
            actions
        })
    }
}

struct LassoSearch<'g, G> {
    graph: &'g mut G,
    /// The number of a state in the search; `DONE` if its component is done.
    index: BTreeMap<StateId, u32>,
    low: BTreeMap<StateId, u32>,
    next: u32,
}

const DONE: u32 = u32::MAX;

/// A state on the depth-first path, and its successors that are not visited yet.
struct ComponentFrame {
    id: StateId,
    successors: Vec<StateId>,
}

impl<G: FairGraph> LassoSearch<'_, G> {
    /// Finds the states of a trap.
    fn run(&mut self) -> Option<Vec<StateId>> {
        for id in self.graph.states() {
            if !self.index.contains_key(&id)
                && self.graph.is_obliged(id)
                && let Some(trap) = self.visit(id)
            {
                return Some(trap);
            }
        }
        None
    }

    fn open(&mut self, id: StateId, component: &mut Vec<StateId>) -> ComponentFrame {
        self.index.insert(id, self.next);
        self.low.insert(id, self.next);
        self.next += 1;
        component.push(id);
        ComponentFrame {
            id,
            successors: self.graph.undischarged(id).into_iter().map(|(_, to)| to).collect(),
        }
    }

    fn lower(&mut self, id: StateId, to: u32) {
        let low = self.low.entry(id).or_insert(to);
        *low = (*low).min(to);
    }

    fn visit(&mut self, seed: StateId) -> Option<Vec<StateId>> {
        let mut component = Vec::new();
        let mut path = vec![self.open(seed, &mut component)];
        while let Some(frame) = path.last_mut() {
            let id = frame.id;
            if let Some(to) = frame.successors.pop() {
                match self.index.get(&to) {
                    None => {
                        let frame = self.open(to, &mut component);
                        path.push(frame);
                    }
                    Some(&DONE) => {}
                    Some(&index) => self.lower(id, index),
                }
                continue;
            }
            path.pop();
            let low = self.low[&id];
            if let Some(above) = path.last() {
                self.lower(above.id, low);
            }
            if low == self.index[&id] {
                let start = component.iter().rposition(|state| *state == id);
                let states = component.split_off(start.expect("it was put there"));
                self.index.extend(states.iter().map(|state| (*state, DONE)));
                if self.is_fair_component(&states) {
                    return Some(states);
                }
            }
        }
        None
    }

    /// Whether a fair run can stay in these states forever.
    fn is_fair_component(&mut self, states: &[StateId]) -> bool {
        let inside: BTreeSet<_> = states.iter().copied().collect();
        let mut taken: Vec<G::Action> = Vec::new();
        let mut owed: Option<Vec<G::Action>> = None;
        for id in states {
            let edges = self.graph.undischarged(*id);
            taken.extend(edges.iter().filter(|(_, to)| inside.contains(to)).map(|(by, _)| *by));
            let fair = self.graph.fair(*id);
            owed = Some(match owed {
                None => fair,
                Some(before) => before.into_iter().filter(|by| fair.contains(by)).collect(),
            });
        }
        owed.unwrap_or_default().iter().all(|action| taken.contains(action))
    }

    /// A shortest way from a promise into the trap, and a round in it.
    fn lasso(&mut self, trap: &[StateId]) -> Lasso {
        let trap: BTreeSet<_> = trap.iter().copied().collect();
        let seeds = self.graph.states();
        let seeds: Vec<_> = seeds.into_iter().filter(|id| self.graph.is_obliged(*id)).collect();
        let stem = self.way(&seeds, |id| trap.contains(&id), |_| true);
        let end = stem[stem.len() - 1];
        let first: Vec<_> = self.graph.undischarged(end).into_iter().map(|(_, to)| to).collect();
        let first: Vec<_> = first.into_iter().filter(|id| trap.contains(id)).collect();
        let round = if first.is_empty() {
            Vec::new()
        } else {
            self.way(&first, |id| id == end, |id| trap.contains(&id))
        };
        Lasso { stem, round }
    }

    /// A shortest way from one of the seeds to a goal, through allowed states.
    fn way(
        &mut self,
        seeds: &[StateId],
        goal: impl Fn(StateId) -> bool,
        allowed: impl Fn(StateId) -> bool,
    ) -> Vec<StateId> {
        let mut from: BTreeMap<StateId, StateId> = seeds.iter().map(|id| (*id, *id)).collect();
        let mut queue: VecDeque<_> = seeds.iter().copied().collect();
        loop {
            let id = queue.pop_front().expect("the goal was reached before");
            if goal(id) {
                let before = |id: &StateId| (from[id] != *id).then(|| from[id]);
                let mut way: Vec<_> = std::iter::successors(Some(id), before).collect();
                way.reverse();
                return way;
            }
            for (_, to) in self.graph.undischarged(id) {
                if allowed(to) && !from.contains_key(&to) {
                    from.insert(to, id);
                    queue.push_back(to);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A graph by hand: edges as (from, action, to), all actions in `fair` fair.
    struct Toy {
        edges: Vec<(StateId, char, StateId)>,
        fair: &'static str,
        obliged: Vec<StateId>,
        discharged: Vec<StateId>,
    }

    impl FairGraph for Toy {
        type Action = char;

        fn states(&self) -> Vec<StateId> {
            (0..5).collect()
        }

        fn is_obliged(&mut self, id: StateId) -> bool {
            self.obliged.contains(&id)
        }

        fn undischarged(&mut self, id: StateId) -> Vec<(char, StateId)> {
            let on = |edge: &&(StateId, char, StateId)| {
                edge.0 == id && !self.discharged.contains(&edge.2)
            };
            self.edges.iter().filter(on).map(|(_, action, to)| (*action, *to)).collect()
        }

        fn fair(&mut self, id: StateId) -> Vec<char> {
            let here = self.edges.iter().filter(|edge| edge.0 == id).map(|edge| edge.1);
            here.filter(|action| self.fair.contains(*action)).collect()
        }
    }

    fn toy(edges: &[(StateId, char, StateId)], fair: &'static str) -> Option<Lasso> {
        let (obliged, discharged) = (vec![0], vec![4]);
        find_lasso(&mut Toy { edges: edges.to_vec(), fair, obliged, discharged })
    }

    #[test]
    fn weak_fairness_decides_what_may_go_on_for_ever() {
        // The round 1-2 can be left by `x`, which is possible in both states.
        let always = [(0, 'a', 1), (1, 'b', 2), (2, 'c', 1), (1, 'x', 4), (2, 'x', 4)];
        assert_eq!(toy(&always, "abcx"), None, "x must be taken in the end");
        assert!(toy(&always, "abc").is_some(), "nobody owes x");
        // Here `x` is possible in one state of the round alone, so it is never owed.
        let sometimes = [(0, 'a', 1), (1, 'b', 2), (2, 'c', 1), (1, 'x', 4)];
        let lasso = toy(&sometimes, "abcx").expect("weak fairness does not help");
        assert_eq!((lasso.stem, lasso.round), (vec![0, 1], vec![2, 1]));
    }

    #[test]
    fn a_run_may_stop_only_where_nothing_fair_is_possible() {
        assert_eq!(toy(&[(0, 'a', 4)], "a"), None);
        let stuck = toy(&[(0, 'a', 4)], "").expect("nobody owes a");
        assert_eq!((stuck.stem, stuck.round), (vec![0], vec![]));
        let dead_end = toy(&[(0, 'a', 4), (0, 'b', 3)], "a").expect("3 is a dead end");
        assert_eq!(dead_end.stem, [0, 3]);
    }

    #[test]
    fn a_loop_on_one_state_is_a_round() {
        let lasso = toy(&[(0, 'a', 0), (0, 'b', 4)], "a").expect("a is taken again and again");
        assert_eq!((lasso.stem, lasso.round), (vec![0], vec![0]));
        assert_eq!(toy(&[(0, 'a', 0), (0, 'b', 4)], "ab"), None, "b is owed");
    }
}
