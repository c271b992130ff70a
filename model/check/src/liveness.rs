//! Leads-to by search for a fair lasso, and can-always-end by backward reachability.
//!
//! A leads-to `P ~> Q` falls if some fair run has a `P` after which no `Q` comes: a way to states
//! without `Q` in which the run can stay for ever although it treats every fair action weakly
//! fairly. Weak fairness: an action that is possible from some point on without a break is taken
//! again and again.
//!
//! # Fairness
//! [`Fairness::Everybody`]: every move of the tree and the kernel, every armed timer, the steps of
//! the script, and `continue` at a prompt. An actor at its prompt owes nothing: it may be frozen.
//! [`Fairness::RootAndKernel`]: what the root and the kernel do. Nobody closes a prompt, and every
//! other actor may be wedged.
//!
//! # Two searches
//! Faults and requests are budgeted and ladders only climb, so the graph of a run has no cycle as
//! a rule. Then a fair run can stay nowhere but in a state in which no fair action is possible,
//! and one sweep decides everything ([`sweep`]); symmetry may have merged states, since neither
//! that nor a promise depends on names. The sweep finds out whether there is a cycle. If there is,
//! [`super::lasso`] searches strongly connected components.

use super::explore::{Exploration, Progress};
use super::property::{Applies, PropertyId};
use super::store::StateId;
use super::worker::Worker;
use crate::world::choices::enabled;
use crate::world::{Action, EnvironmentAction, Is, ScriptStep, SystemStep, WorldView};
use holdfast_protocol::{ActorId, Answer, Signal};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering::Relaxed;

/// Who must act in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fairness {
    /// Everybody who is not at a prompt, and the person.
    Everybody,
    /// The root and the kernel alone.
    RootAndKernel,
}

/// The leads-to properties, in the order of the bits of a `Mark`.
pub const PROMISES: [PropertyId; 4] = [
    PropertyId::RequestAnswered,
    PropertyId::TeardownCompletes,
    PropertyId::InterruptWorksAgain,
    PropertyId::StopIsBounded,
];

/// Whom a property relies on.
#[must_use]
pub fn fairness_of(property: PropertyId) -> Fairness {
    match property {
        PropertyId::StopIsBounded => Fairness::RootAndKernel,
        _ => Fairness::Everybody,
    }
}

/// Whether an action must be taken in the end if it stays possible.
#[must_use]
pub fn is_fair(scene: &WorldView<'_>, action: Action, fairness: Fairness) -> bool {
    let root = scene.topology.root();
    let owes = |actor: ActorId| match fairness {
        Fairness::Everybody => scene.actor(actor).prompt.is_none(),
        Fairness::RootAndKernel => actor == root,
    };
    match action {
        Action::Environment(deed) => {
            let script = &scene.topology.config().script;
            let next = script.step(scene.room().at) == Some(ScriptStep::Do(deed));
            let closes = matches!(deed, EnvironmentAction::Answer { answer: Answer::Continue, .. });
            fairness == Fairness::Everybody && (next || closes)
        }
        Action::System(tree_move) => match tree_move {
            SystemStep::Deliver { to, .. } => owes(to),
            SystemStep::TakeSignal { actor, .. }
            | SystemStep::Expire { actor, .. }
            | SystemStep::EndBody { actor } => owes(actor),
            SystemStep::Boot { .. } | SystemStep::LosePrompt { .. } | SystemStep::Pass { .. } => {
                fairness == Fairness::Everybody
            }
            SystemStep::Reap { actor } => scene.actor(actor).parent.is_some_and(owes),
            SystemStep::Adopt { .. }
            | SystemStep::SeeChildrenGone
            | SystemStep::ReadBaton { .. } => true,
        },
    }
}

/// Whether the promise is made here. A request's promise is made and not kept while it waits.
#[must_use]
pub fn promised(scene: &WorldView<'_>, property: PropertyId) -> bool {
    let root = scene.root();
    match property {
        PropertyId::TeardownCompletes => !root.alive() || root.is.contains(Is::CANCELLED),
        PropertyId::InterruptWorksAgain => {
            root.pending.contains(&Signal::Interrupt) && !scene.request_outstanding()
        }
        PropertyId::StopIsBounded => {
            root.is.contains(Is::STOPPING) || root.pending.contains(&Signal::Terminate)
        }
        _ => scene.actors().any(|(_, facts)| facts.is.contains(Is::WAITING)),
    }
}

/// Whether the promise is kept here.
#[must_use]
pub fn kept(scene: &WorldView<'_>, property: PropertyId) -> bool {
    match property {
        PropertyId::TeardownCompletes => scene.ended(),
        PropertyId::InterruptWorksAgain => scene.ended() || scene.request_outstanding(),
        PropertyId::StopIsBounded => !scene.root().alive(),
        _ => !promised(scene, property),
    }
}

/// The tree has ended, or is at rest where a Ctrl-C ends it.
fn is_ending(scene: &WorldView<'_>) -> bool {
    let root = scene.root();
    scene.ended()
        || (root.is.contains(Is::RUNNING)
            && !root.is.intersects(Is::CANCELLED | Is::SHIELDED)
            && !scene.request_outstanding())
}

/// Looks for a state from which no ending can be reached, the nearest first: backward reachability
/// to a fixed point, for graphs with cycles.
///
/// # Panics
/// If the exploration is not exhausted.
#[must_use]
pub fn find_lock_up(exploration: &Exploration<'_>) -> Option<StateId> {
    let space = &exploration.space;
    let mut worker = Worker::new(&exploration.shared, exploration.options.symmetry);
    let mut can_end = vec![false; space.id_bound()];
    let mut left: Vec<StateId> = space.ids().collect();
    loop {
        let before = left.len();
        // Backward, since most ways lead to states that were found later.
        left.reverse();
        left.retain(|id| {
            let state = space.state(*id);
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
struct Mark {
    state: Visit,
    /// By promise: it is not kept here, and a fair run can stay here or go on to such a state.
    trapped: u8,
    /// By promise: it is made here.
    promised: u8,
    /// By promise: it is not kept here.
    unkept: u8,
    /// Whether an ending can be reached.
    ends: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Visit {
    #[default]
    New,
    OnPath,
    Done,
}

/// What one sweep over an acyclic graph has found.
#[derive(Debug, Default)]
pub struct Swept {
    /// For each promise that falls: the first state where it is made, and the way into the trap.
    pub traps: Vec<(PropertyId, Vec<StateId>)>,
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
    /// It was interrupted from outside.
    Interrupted,
}

struct Sweeper<'e, 't> {
    exploration: &'e Exploration<'t>,
    worker: Worker<'e, 't>,
    marks: Vec<Mark>,
    applies: u8,
}

/// A state on the depth-first path.
struct Frame {
    id: StateId,
    /// Where in the arena its successors begin.
    start: usize,
    mark: Mark,
}

/// Decides every promise and can-always-end in one depth-first sweep, if there is no cycle.
///
/// # Panics
/// If the exploration is not exhausted.
#[must_use]
pub fn sweep(exploration: &Exploration<'_>, progress: &Progress) -> Sweep {
    let config = exploration.topology.config();
    let applies = (0..PROMISES.len())
        .filter(|bit| PROMISES[*bit].applies(config) == Applies::Yes)
        .fold(0, |set, bit| set | 1 << bit);
    let mut sweeper = Sweeper {
        exploration,
        worker: Worker::new(&exploration.shared, exploration.options.symmetry),
        marks: vec![Mark::default(); exploration.space.id_bound()],
        applies,
    };
    // Most steps lead to states that were found later, so backward most successors are done.
    for id in exploration.space.ids().rev() {
        if progress.interrupt.load(Relaxed) {
            return Sweep::Interrupted;
        }
        if sweeper.marks[id as usize].state == Visit::New
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
                    Visit::New => {
                        let frame = self.enter(next, &mut arena);
                        path.push(frame);
                    }
                    Visit::Done => frame.mark.learn(self.marks[next as usize]),
                    Visit::OnPath => return Some(next),
                }
            } else {
                let (id, mark) = (frame.id, Mark { state: Visit::Done, ..frame.mark });
                self.marks[id as usize] = mark;
                path.pop();
                if let Some(above) = path.last_mut() {
                    above.mark.learn(self.marks[id as usize]);
                }
            }
        }
        None
    }

    fn enter(&mut self, id: StateId, arena: &mut Vec<StateId>) -> Frame {
        let space = &self.exploration.space;
        let state = space.state(id);
        let start = arena.len();
        let expanded = self.worker.expand(state, |_, successor| {
            arena.push(space.find(successor.state).expect("explored before"));
        });
        expanded.expect("an exhausted exploration has numbers for all");
        let applies = self.applies;
        let mark = self.worker.look(state, |scene| Mark::of(scene, applies));
        self.marks[id as usize].state = Visit::OnPath;
        Frame { id, start, mark }
    }

    fn sum_up(&self) -> Swept {
        let mut swept = Swept::default();
        for (bit, property) in PROMISES.into_iter().enumerate() {
            let broken = |id: &StateId| {
                let mark = self.marks[*id as usize];
                (mark.promised & mark.trapped) >> bit & 1 == 1
            };
            if let Some(id) = self.exploration.space.ids().find(broken) {
                swept.traps.push((property, self.way_into_trap(id, bit)));
            }
        }
        let locked = |id: &StateId| !self.marks[*id as usize].ends;
        swept.lock_up = self.exploration.space.ids().find(locked);
        swept
    }

    /// A shortest way from a state where a promise is made to one where a fair run can stay.
    fn way_into_trap(&self, from: StateId, bit: usize) -> Vec<StateId> {
        let space = &self.exploration.space;
        let mut worker = Worker::new(&self.exploration.shared, self.exploration.options.symmetry);
        let mut before = BTreeMap::from([(from, from)]);
        let mut queue = VecDeque::from([from]);
        while let Some(id) = queue.pop_front() {
            let state = space.state(id);
            let here = worker.look(state, |scene| Mark::of(scene, self.applies));
            if here.trapped >> bit & 1 == 1 {
                let last = |id: &StateId| (before[id] != *id).then(|| before[id]);
                let mut way: Vec<_> = std::iter::successors(Some(id), last).collect();
                way.reverse();
                return way;
            }
            let expanded = worker.expand(state, |_, successor| {
                let to = space.find(successor.state).expect("explored before");
                if self.marks[to as usize].trapped >> bit & 1 == 1 && !before.contains_key(&to) {
                    before.insert(to, id);
                    queue.push_back(to);
                }
            });
            expanded.expect("an exhausted exploration has numbers for all");
        }
        unreachable!("a trapped state is stuck or leads to a trapped one")
    }
}

impl Mark {
    /// What is known of a state without its successors: trapped means stuck here.
    fn of(scene: &WorldView<'_>, applies: u8) -> Self {
        let mut actions = Vec::new();
        enabled(scene, &mut actions);
        let stuck = |fairness| !actions.iter().any(|action| is_fair(scene, *action, fairness));
        let stuck = [stuck(Fairness::Everybody), stuck(Fairness::RootAndKernel)];
        let mut mark = Self { ends: is_ending(scene), ..Self::default() };
        for (bit, property) in PROMISES.into_iter().enumerate() {
            if applies >> bit & 1 == 0 {
                continue;
            }
            mark.promised |= u8::from(promised(scene, property)) << bit;
            if !kept(scene, property) {
                mark.unkept |= 1 << bit;
                mark.trapped |= u8::from(stuck[fairness_of(property) as usize]) << bit;
            }
        }
        mark
    }

    /// Takes over what a successor has.
    fn learn(&mut self, successor: Self) {
        self.ends |= successor.ends;
        self.trapped |= successor.trapped & self.unkept;
    }
}
