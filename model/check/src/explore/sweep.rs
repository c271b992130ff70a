//! Leads-to and can-always-end on an explored graph.
//!
//! # Two searches
//! Faults and requests are budgeted and ladders only climb, so the graph of a run has no cycle as
//! a rule. Then a fair run can stay nowhere but in a state in which no fair action is possible,
//! and one sweep decides everything ([`sweep`]); symmetry may have merged states, since neither
//! that nor an obligation depends on names. The sweep finds out whether there is a cycle. If there
//! is, [`super::lasso`] searches strongly connected components.

use super::obligations::{ObligationBits, ObligationState, Obligations};
use super::store::StateId;
use super::worker::Worker;
use super::{Exploration, Progress};
use crate::property::PropertyId;
use crate::property::liveness::{is_ending, is_fair};
use crate::world::WorldView;
use crate::world::enabled::enabled;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering::Relaxed;

/// Looks for a state from which no ending can be reached, the nearest first: backward reachability
/// to a fixed point, for graphs with cycles.
///
/// # Panics
/// If the exploration is not exhausted.
#[must_use]
pub fn find_lock_up(exploration: &Exploration<'_>) -> Option<StateId> {
    let space = &exploration.space;
    let mut worker = Worker::new(&exploration.tables, exploration.options);
    let mut can_end = vec![false; space.id_bound()];
    let mut left: Vec<StateId> = space.ids().collect();
    loop {
        let before = left.len();
        // Backward, since most ways lead to states that were found later.
        left.reverse();
        left.retain(|id| {
            let state = &space.state(*id);
            let mut ends = worker.look(state, is_ending);
            if !ends {
                let expanded = worker.expand(state, |_, successor| {
                    let to = space.find(successor.state).expect("explored before");
                    ends |= can_end[to as usize];
                });
                expanded.expect("an exhausted exploration has numbers for all");
            }
            can_end[*id as usize] |= ends;
            !ends
        });
        left.reverse();
        if left.is_empty() || left.len() == before {
            return left.first().copied();
        }
    }
}

/// What a sweep knows of a state once all its successors are done.
#[derive(Clone, Copy, Debug, Default)]
struct SweepMark {
    state: SweepVisit,
    /// By obligation: it is not discharged here, and a fair run can stay here or go on to such a
    /// state.
    stuck: ObligationBits,
    /// By obligation: a run is obliged here.
    obliged: ObligationBits,
    /// By obligation: it is not discharged here.
    undischarged: ObligationBits,
    /// Whether an ending can be reached.
    ends: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SweepVisit {
    #[default]
    New,
    OnPath,
    Done,
}

/// What one sweep over an acyclic graph has found.
#[derive(Debug, Default)]
pub struct Swept {
    /// For each leads-to that is violated: the stem of a fair lasso, from the first state that
    /// obliges.
    pub lassos: Vec<(PropertyId, Vec<StateId>)>,
    /// The first state from which no ending can be reached.
    pub lock_up: Option<StateId>,
}

/// What [`sweep`] says.
#[derive(Debug)]
pub enum Sweep {
    /// The graph has no cycle; everything is decided.
    Acyclic(Swept),
    /// The graph has a cycle through this state.
    Cyclic(StateId),
    /// The sweep was interrupted from outside.
    Interrupted,
}

struct Sweeper<'e, 't> {
    exploration: &'e Exploration<'t>,
    worker: Worker<'e, 't>,
    marks: Vec<SweepMark>,
    /// What the run is obliged to, in the order of the bits of a mark.
    obligations: Obligations,
}

/// A state on the depth-first path.
struct SweepFrame {
    id: StateId,
    /// Where in the arena its successors begin.
    start: usize,
    mark: SweepMark,
}

/// Decides every leads-to and can-always-end in one depth-first sweep, if there is no cycle.
///
/// # Panics
/// If the exploration is not exhausted.
#[must_use]
pub fn sweep(exploration: &Exploration<'_>, progress: &Progress) -> Sweep {
    let mut sweeper = Sweeper {
        exploration,
        worker: Worker::new(&exploration.tables, exploration.options),
        marks: vec![SweepMark::default(); exploration.space.id_bound()],
        obligations: Obligations::of(exploration.topology.config()),
    };
    // Most steps lead to states that were found later, so backward most successors are done.
    for id in exploration.space.ids().rev() {
        if progress.interrupt.load(Relaxed) {
            return Sweep::Interrupted;
        }
        if sweeper.marks[id as usize].state == SweepVisit::New
            && let Some(on_cycle) = sweeper.visit(id)
        {
            return Sweep::Cyclic(on_cycle);
        }
    }
    Sweep::Acyclic(sweeper.sum_up())
}

impl Sweeper<'_, '_> {
    /// Visits everything that can be reached from a state. Returns a state on a cycle, if any.
    fn visit(&mut self, from: StateId) -> Option<StateId> {
        let mut arena = Vec::new();
        let mut path = vec![self.enter(from, &mut arena)];
        while let Some(frame) = path.last_mut() {
            if arena.len() > frame.start {
                let next: StateId = arena.pop().expect("it is longer than its start");
                match self.marks[next as usize].state {
                    SweepVisit::New => {
                        let frame = self.enter(next, &mut arena);
                        path.push(frame);
                    }
                    SweepVisit::Done => frame.mark.learn(self.marks[next as usize]),
                    SweepVisit::OnPath => return Some(next),
                }
            } else {
                let (id, mark) = (frame.id, SweepMark { state: SweepVisit::Done, ..frame.mark });
                self.marks[id as usize] = mark;
                path.pop();
                if let Some(above) = path.last_mut() {
                    above.mark.learn(self.marks[id as usize]);
                }
            }
        }
        None
    }

    fn enter(&mut self, id: StateId, arena: &mut Vec<StateId>) -> SweepFrame {
        let space = &self.exploration.space;
        let state = &space.state(id);
        let start = arena.len();
        let expanded = self.worker.expand(state, |_, successor| {
            arena.push(space.find(successor.state).expect("explored before"));
        });
        expanded.expect("an exhausted exploration has numbers for all");
        let mark = self.worker.look(state, |view| SweepMark::of(view, &self.obligations));
        self.marks[id as usize].state = SweepVisit::OnPath;
        SweepFrame { id, start, mark }
    }

    fn sum_up(&self) -> Swept {
        let mut swept = Swept::default();
        for (bit, (property, _)) in self.obligations.iter().enumerate() {
            let broken = |id: &StateId| {
                let mark = self.marks[*id as usize];
                (mark.obliged & mark.stuck) >> bit & 1 == 1
            };
            if let Some(id) = self.exploration.space.ids().find(broken) {
                swept.lassos.push((property, self.stem_of_lasso(id, bit)));
            }
        }
        let locked = |id: &StateId| !self.marks[*id as usize].ends;
        swept.lock_up = self.exploration.space.ids().find(locked);
        swept
    }

    /// A shortest way from a state that obliges to one where a fair run can stay.
    fn stem_of_lasso(&self, from: StateId, bit: usize) -> Vec<StateId> {
        let space = &self.exploration.space;
        let mut worker = Worker::new(&self.exploration.tables, self.exploration.options);
        let mut before = BTreeMap::from([(from, from)]);
        let mut queue = VecDeque::from([from]);
        while let Some(id) = queue.pop_front() {
            let state = &space.state(id);
            let here = worker.look(state, |view| SweepMark::of(view, &self.obligations));
            if here.stuck >> bit & 1 == 1 {
                let last = |id: &StateId| (before[id] != *id).then(|| before[id]);
                let mut way: Vec<_> = std::iter::successors(Some(id), last).collect();
                way.reverse();
                return way;
            }
            let expanded = worker.expand(state, |_, successor| {
                let to = space.find(successor.state).expect("explored before");
                if self.marks[to as usize].stuck >> bit & 1 == 1 && !before.contains_key(&to) {
                    before.insert(to, id);
                    queue.push_back(to);
                }
            });
            expanded.expect("an exhausted exploration has numbers for all");
        }
        unreachable!("a state that is marked as stuck is, or leads to one that is")
    }
}

impl SweepMark {
    /// What is known of a state without its successors: stuck means here.
    fn of(view: &WorldView<'_>, obligations: &Obligations) -> Self {
        let ObligationState { obliged, undischarged } = obligations.at(view);
        let actions = enabled(view);
        let stuck = obligations.stuck(undischarged, |fairness| {
            actions.iter().any(|action| is_fair(view, *action, fairness))
        });
        Self { stuck, obliged, undischarged, ends: is_ending(view), ..Self::default() }
    }

    /// Takes over what a successor has.
    fn learn(&mut self, successor: Self) {
        self.ends |= successor.ends;
        self.stuck |= successor.stuck & self.undischarged;
    }
}
