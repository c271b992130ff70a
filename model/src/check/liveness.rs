//! Leads-to by search for a fair lasso, and can-always-end by backward reachability.
//!
//! A leads-to `P ~> Q` falls if some fair run has a `P` after which no `Q` comes: a path to a set
//! of states without `Q` in which the run can stay for ever although it treats every fair action
//! weakly fairly. Weak fairness: an action that is possible from some point on without a break is
//! taken again and again.
//!
//! The search goes depth-first from every `P` through states without `Q` and looks at each
//! strongly connected component (Tarjan, "Depth-first search and linear graph algorithms", 1972).
//! A component is a fair trap if each fair action is either impossible in one of its states or
//! taken inside it; a state without a way on is a trap if no fair action is possible in it.
//!
//! # Fairness
//! [`Fairness::Everybody`]: every move of the tree and the kernel, every armed timer, the steps of
//! the script, and `continue` at a prompt. An actor at its prompt owes nothing: it may be frozen.
//! [`Fairness::RootAndKernel`]: what the root and the kernel do. Nobody closes a prompt, and every
//! other actor may be wedged.

use super::explore::Exploration;
use super::intern::{Packed, SymmetryReduction, Worker};
use super::property::PropertyId;
use super::store::StateId;
use crate::protocol::{ActorId, Answer, RequestId, Signal};
use crate::world::{Action, Deed, Is, Move, Scene, ScriptStep};

/// Who must act in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fairness {
    /// Everybody who is not at a prompt, and the person.
    Everybody,
    /// The root and the kernel alone.
    RootAndKernel,
}

/// A run that never gets there: a way to a trap, and a round in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lasso {
    /// The actions from the first state into the trap.
    pub stem: Vec<Action>,
    /// The actions that may repeat for ever; none if the run is stuck where the stem ends.
    pub round: Vec<Action>,
}

/// One instance of a leads-to.
#[derive(Clone, Copy, Debug)]
enum Instance {
    Request(RequestId),
    Tree,
}

/// Whether an action must be taken in the end if it stays possible.
#[must_use]
pub fn is_fair(scene: &Scene<'_>, action: Action, fairness: Fairness) -> bool {
    let root = scene.topology.root();
    let owes = |actor: ActorId| match fairness {
        Fairness::Everybody => scene.actor(actor).prompt.is_none(),
        Fairness::RootAndKernel => actor == root,
    };
    match action {
        Action::Deed(deed) => {
            let script = &scene.topology.config().script;
            let next = script.step(scene.room().at) == Some(ScriptStep::Do(deed));
            let closes = matches!(deed, Deed::Answer { answer: Answer::Continue, .. });
            fairness == Fairness::Everybody && (next || closes)
        }
        Action::Move(tree_move) => match tree_move {
            Move::Deliver { to, .. } => owes(to),
            Move::TakeSignal { actor, .. }
            | Move::Expire { actor, .. }
            | Move::EndBody { actor } => owes(actor),
            Move::Boot { .. } | Move::LosePrompt { .. } | Move::Pass { .. } => {
                fairness == Fairness::Everybody
            }
            Move::Reap { actor } => scene.actor(actor).parent.is_some_and(owes),
            Move::Adopt { .. } | Move::SeeChildrenGone | Move::ReadBaton { .. } => true,
        },
    }
}

fn fairness_of(property: PropertyId) -> Fairness {
    match property {
        PropertyId::StopIsBounded => Fairness::RootAndKernel,
        _ => Fairness::Everybody,
    }
}

/// Whether the promise is made here.
fn promised(scene: &Scene<'_>, property: PropertyId, instance: Instance) -> bool {
    let root = scene.root();
    match (property, instance) {
        (PropertyId::RequestAnswered, Instance::Request(request)) => {
            scene.actor(request.actor).waiting.contains(&request)
        }
        (PropertyId::TeardownCompletes, _) => !root.alive() || root.is.contains(Is::CANCELLED),
        (PropertyId::InterruptWorksAgain, _) => {
            root.pending.contains(&Signal::Interrupt) && !scene.request_outstanding()
        }
        (PropertyId::StopIsBounded, _) => {
            root.is.contains(Is::STOPPING) || root.pending.contains(&Signal::Terminate)
        }
        _ => unreachable!("{property} is no leads-to"),
    }
}

/// Whether the promise is kept here.
fn kept(scene: &Scene<'_>, property: PropertyId, instance: Instance) -> bool {
    match (property, instance) {
        (PropertyId::RequestAnswered, Instance::Request(request)) => {
            !scene.actor(request.actor).waiting.contains(&request)
        }
        (PropertyId::InterruptWorksAgain, _) => scene.ended() || scene.request_outstanding(),
        (PropertyId::StopIsBounded, _) => !scene.root().alive(),
        _ => scene.ended(),
    }
}

/// Looks for a fair run that breaks a leads-to. Shortest stem first.
///
/// # Panics
/// If the exploration is not exhausted or merged states by symmetry, which could merge a fair run
/// with an unfair one.
#[must_use]
pub fn find_lasso(exploration: &Exploration<'_>, property: PropertyId) -> Option<Lasso> {
    assert!(
        exploration.topology.config().symmetries().len() <= 1
            || exploration.options.symmetry == SymmetryReduction::Off,
        "a lasso is searched in the full graph"
    );
    let instances = match property {
        PropertyId::RequestAnswered => requests(exploration),
        _ => vec![Instance::Tree],
    };
    instances.into_iter().find_map(|instance| {
        let mut hunt = Hunt::new(exploration, property, instance);
        hunt.run().map(|trap| hunt.lasso(&trap))
    })
}

/// Every request that can exist in this run.
fn requests(exploration: &Exploration<'_>) -> Vec<Instance> {
    let mut found = std::collections::BTreeSet::new();
    let mut worker = Worker::new(&exploration.shared, exploration.options.symmetry);
    for id in exploration.space.ids() {
        worker.look(&exploration.space.state(id), |scene| {
            found.extend(scene.actors().flat_map(|(_, facts)| facts.waiting.iter().copied()));
        });
    }
    found.into_iter().map(Instance::Request).collect()
}

/// A depth-first search for traps, from every state where the promise is made.
struct Hunt<'e, 't> {
    exploration: &'e Exploration<'t>,
    worker: Worker<'e, 't>,
    property: PropertyId,
    instance: Instance,
    /// By state: its number in the search, zero if not visited, `DONE` if its component is done.
    index: Vec<u32>,
    low: Vec<u32>,
    next: u32,
}

const DONE: u32 = u32::MAX;

/// A state on the depth-first path, and its successors that are not visited yet.
struct Frame {
    id: StateId,
    successors: Vec<StateId>,
}

impl<'e, 't> Hunt<'e, 't> {
    fn new(exploration: &'e Exploration<'t>, property: PropertyId, instance: Instance) -> Self {
        let bound = exploration.space.id_bound();
        Self {
            exploration,
            worker: Worker::new(&exploration.shared, exploration.options.symmetry),
            property,
            instance,
            index: vec![0; bound],
            low: vec![0; bound],
            next: 1,
        }
    }

    fn look<T>(&mut self, id: StateId, see: impl FnOnce(&Scene<'_>) -> T) -> T {
        self.worker.look(&self.exploration.space.state(id), see)
    }

    fn is_promised(&mut self, id: StateId) -> bool {
        let (property, instance) = (self.property, self.instance);
        self.look(id, |scene| {
            promised(scene, property, instance) && !kept(scene, property, instance)
        })
    }

    /// The successors of a state in which the promise is still not kept, and the actions to them.
    fn unkept(&mut self, id: StateId) -> Vec<(Action, StateId)> {
        let (property, instance) = (self.property, self.instance);
        let space = &self.exploration.space;
        let stride = self.worker.stride();
        let mut found: Vec<(Action, Packed)> = Vec::new();
        let state = space.state(id);
        let expanded = self.worker.expand(&state, |_, action, successor| {
            found.push((action, successor.state));
        });
        expanded.expect("an exhausted exploration has numbers for all");
        let mut on = Vec::with_capacity(found.len());
        for (action, state) in found {
            if !self.worker.look(&state, |scene| kept(scene, property, instance)) {
                on.push((action, space.find(&state, stride).expect("explored before")));
            }
        }
        on
    }

    /// Finds the states of a trap.
    fn run(&mut self) -> Option<Vec<StateId>> {
        let ids: Vec<_> = self.exploration.space.ids().collect();
        for id in ids {
            if self.index[id as usize] == 0 && self.is_promised(id) {
                let trap = self.visit(id);
                if trap.is_some() {
                    return trap;
                }
            }
        }
        None
    }

    fn open(&mut self, id: StateId, component: &mut Vec<StateId>) -> Frame {
        self.index[id as usize] = self.next;
        self.low[id as usize] = self.next;
        self.next += 1;
        component.push(id);
        let successors = self.unkept(id).into_iter().map(|(_, to)| to).collect();
        Frame { id, successors }
    }

    fn visit(&mut self, seed: StateId) -> Option<Vec<StateId>> {
        let mut component = Vec::new();
        let mut path = vec![self.open(seed, &mut component)];
        while let Some(frame) = path.last_mut() {
            let id = frame.id as usize;
            if let Some(to) = frame.successors.pop() {
                match self.index[to as usize] {
                    0 => {
                        let frame = self.open(to, &mut component);
                        path.push(frame);
                    }
                    DONE => {}
                    index => self.low[id] = self.low[id].min(index),
                }
                continue;
            }
            path.pop();
            if let Some(above) = path.last() {
                let above = above.id as usize;
                self.low[above] = self.low[above].min(self.low[id]);
            }
            if self.low[id] == self.index[id] {
                let start = component.iter().rposition(|state| *state as usize == id);
                let states = component.split_off(start.expect("it was put there"));
                for state in &states {
                    self.index[*state as usize] = DONE;
                }
                if self.is_trap(&states) {
                    return Some(states);
                }
            }
        }
        None
    }

    /// Whether a fair run can stay in these states for ever.
    fn is_trap(&mut self, states: &[StateId]) -> bool {
        let fairness = fairness_of(self.property);
        // Fair actions that were possible in every state so far and taken inside in none.
        let mut owed: Option<Vec<Action>> = None;
        let mut taken: Vec<Action> = Vec::new();
        for id in states {
            let inside = self.unkept(*id);
            taken.extend(inside.iter().filter(|(_, to)| states.contains(to)).map(|(by, _)| *by));
            let fair = self.fair_actions(*id, fairness);
            owed = Some(match owed {
                None => fair,
                Some(before) => before.into_iter().filter(|by| fair.contains(by)).collect(),
            });
        }
        owed.unwrap_or_default().iter().all(|action| taken.contains(action))
    }

    fn fair_actions(&mut self, id: StateId, fairness: Fairness) -> Vec<Action> {
        self.look(id, |scene| {
            let mut actions = Vec::new();
            crate::world::choices::enabled(scene, &mut actions);
            actions.retain(|action| is_fair(scene, *action, fairness));
            actions
        })
    }

    /// A shortest way from the first state over a promise into the trap, and a round in it.
    fn lasso(&mut self, trap: &[StateId]) -> Lasso {
        let space = &self.exploration.space;
        let mut from: Vec<Option<(StateId, Action)>> = vec![None; space.id_bound()];
        let mut visited = vec![false; space.id_bound()];
        // States come in order of their depth, so the queue is nearly sorted by it.
        let seeds: Vec<_> = space.ids().collect();
        let mut queue: std::collections::VecDeque<StateId> =
            seeds.into_iter().filter(|id| self.is_promised(*id)).collect();
        for id in &queue {
            visited[*id as usize] = true;
        }
        let end = loop {
            let id = queue.pop_front().expect("the trap was reached before");
            if trap.contains(&id) {
                break id;
            }
            for (action, to) in self.unkept(id) {
                if !std::mem::replace(&mut visited[to as usize], true) {
                    from[to as usize] = Some((id, action));
                    queue.push_back(to);
                }
            }
        };
        let mut after = Vec::new();
        let mut at = end;
        while let Some((before, action)) = from[at as usize] {
            after.push(action);
            at = before;
        }
        after.reverse();
        let (mut stem, _) = self.exploration.walk_to(at);
        stem.extend(after);
        Lasso { stem, round: self.round(end, trap) }
    }

    /// A way from a state of a trap back to itself.
    fn round(&mut self, start: StateId, trap: &[StateId]) -> Vec<Action> {
        let mut ways = vec![(start, Vec::new())];
        let mut seen = Vec::new();
        while let Some((id, way)) = (!ways.is_empty()).then(|| ways.remove(0)) {
            for (action, to) in self.unkept(id) {
                let longer: Vec<_> = way.iter().copied().chain([action]).collect();
                if to == start {
                    return longer;
                }
                if trap.contains(&to) && !seen.contains(&to) {
                    seen.push(to);
                    ways.push((to, longer));
                }
            }
        }
        Vec::new()
    }
}

/// Looks for a state from which no ending can be reached, the nearest first.
#[must_use]
pub fn find_lock_up(exploration: &Exploration<'_>) -> Option<StateId> {
    let space = &exploration.space;
    let mut worker = Worker::new(&exploration.shared, exploration.options.symmetry);
    let stride = worker.stride();
    let mut can_end = vec![false; space.id_bound()];
    let mut left: Vec<StateId> = space.ids().collect();
    loop {
        let before = left.len();
        // Backward, since most ways lead to states that were found later.
        left.reverse();
        left.retain(|id| {
            let state = space.state(*id);
            let mut ends = worker.look(&state, is_ending);
            if !ends {
                let expanded = worker.expand(&state, |_, _, successor| {
                    let to = space.find(&successor.state, stride).expect("explored before");
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

/// The tree has ended, or is at rest where a Ctrl-C ends it.
fn is_ending(scene: &Scene<'_>) -> bool {
    let root = scene.root();
    scene.ended()
        || (root.is.contains(Is::RUNNING)
            && !root.is.intersects(Is::CANCELLED | Is::SHIELDED)
            && !scene.request_outstanding())
}
