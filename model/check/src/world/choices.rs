//! Which actions are possible, told part by part.
//!
//! Each part offers the actions that happen to it, on conditions about the others: signs that some
//! part must show, or that none may. So what a part offers is worked out once for each of its
//! values, and a state's actions are the offers whose conditions its parts meet together.
//!
//! ```text
//!     facts of a part --> the signs it shows, its offers (action, needs, lacks)
//!     the signs of all parts --> which of all the offers stand
//! ```

use super::action::{Action, EnvironmentAction, Fault, SystemStep};
use super::component::Component;
use super::facts::{ActorFacts, ActorFlags, ComponentFacts, LinkFacts, WorldView};
use super::shared::{BatonState, SharedEnvironment};
use super::topology::Topology;
use bitflags::bitflags;
use deeds::{deeds_to_actor, fault, in_foreground, script_move};
use holdfast_protocol::policy::{LockRelease, TerminalReader};
use holdfast_protocol::{ActorId, Signal};

pub mod begin;
mod deeds;
pub mod recorded;

bitflags! {
    /// What parts show each other. The signs of a state are those of all its parts.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Conditions: u128 {
        /// The root's process runs.
        const ROOT_RUNS = 1;
        /// Some process is a child of the root.
        const CHILD_OF_ROOT = 1 << 1;
        /// Some request is known to somebody or spoken of.
        const REQUEST = 1 << 2;
        /// A Ctrl-C would reach somebody for whom none is pending.
        const INTERRUPTIBLE = 1 << 3;
        /// A fault is left in the budget: one bit a fault.
        const BUDGET = 0xffff << 16;
        /// An actor takes inputs: one bit an actor.
        const SERVES = 0xffff << 32;
        /// An actor's process is there and not ended: one bit an actor.
        const ALIVE = 0xffff << 48;
        /// An actor would start a child: one bit an actor.
        const WILLING = 0xffff << 64;
        /// Somebody has not read all that an actor said: one bit an actor.
        const UNREAD = 0xffff << 80;
    }
}

impl Conditions {
    /// The sign of one member, out of those with one bit a member.
    fn one(self, index: usize) -> Self {
        self & Self::from_bits_retain(1 << (self.bits().trailing_zeros() as usize + index))
    }
}

/// The order in which actions are listed; within a rank, by the part that they happen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionRank {
    /// A message or an end is read.
    Deliver,
    /// Another move of an actor.
    Actor,
    /// The end of a baton is read.
    Baton,
    /// The root sees that nobody is left.
    Sweep,
    /// The script goes on, if no action of a rank above is possible.
    Quiet,
    /// The next step of the script.
    Script,
    /// What the environment is always free to do.
    Free,
    /// What the budget allows.
    Fault(Fault),
}

/// An action that a part offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GuardedAction {
    /// What can happen.
    pub action: Action,
    /// Where it is listed.
    pub rank: ActionRank,
    /// Signs that must all be shown.
    pub needs: Conditions,
    /// Signs none of which may be shown.
    pub lacks: Conditions,
}

impl GuardedAction {
    /// Whether it stands, given the signs of all parts.
    #[must_use]
    pub fn stands(&self, signs: Conditions) -> bool {
        signs.contains(self.needs) && !signs.intersects(self.lacks)
    }

    fn to_do(rank: ActionRank, deed: EnvironmentAction) -> Self {
        let (needs, lacks) = (Conditions::empty(), Conditions::empty());
        Self { action: Action::Environment(deed), rank, needs, lacks }
    }

    fn to_move(rank: ActionRank, tree_move: SystemStep) -> Self {
        let (needs, lacks) = (Conditions::empty(), Conditions::empty());
        Self { action: Action::System(tree_move), rank, needs, lacks }
    }

    fn if_shown(self, needs: Conditions) -> Self {
        Self { needs: self.needs | needs, ..self }
    }

    fn if_lacking(self, lacks: Conditions) -> Self {
        Self { lacks: self.lacks | lacks, ..self }
    }
}

/// Appends every action that is possible in the scene, in a fixed order.
pub fn enabled(scene: &WorldView<'_>, actions: &mut Vec<Action>) {
    let (topology, at) = (scene.topology, scene.shared().at);
    let parts = || {
        scene.components.iter().enumerate().map(|(slot, facts)| (topology.component(slot), *facts))
    };
    let signs = parts()
        .fold(Conditions::empty(), |all, (part, facts)| all | conditions_of(topology, part, facts));
    let mut standing = Vec::new();
    for (part, facts) in parts() {
        guarded_actions_of(topology, at, part, facts, &mut |offer| {
            if offer.stands(signs) {
                standing.push((offer.rank, offer.action));
            }
        });
    }
    list(&mut standing, |(rank, _)| *rank);
    actions.extend(standing.into_iter().map(|(_, action)| action));
}

/// Puts offers that stand, given in the order of their parts, into the order of the list.
pub fn list<T>(standing: &mut Vec<T>, rank: impl Fn(&T) -> ActionRank) {
    standing.sort_by_key(&rank);
    if standing.first().is_some_and(|first| rank(first) < ActionRank::Quiet) {
        standing.retain(|offer| rank(offer) != ActionRank::Quiet);
    }
}

/// What a part shows the others.
#[must_use]
pub fn conditions_of(topology: &Topology, part: Component, facts: &ComponentFacts) -> Conditions {
    let request = |is: bool| if is { Conditions::REQUEST } else { Conditions::empty() };
    match (part, facts) {
        (Component::Actor(actor), ComponentFacts::Actor(facts)) => {
            signs_of_actor(topology, actor, facts)
        }
        (Component::Link(number), ComponentFacts::Link(link)) => {
            let (_, lower) = topology.links()[usize::from(number)];
            let unread = Conditions::UNREAD.one(lower.index());
            let unread = if link.up.readable { unread } else { Conditions::empty() };
            request(link.up.about_request || link.down.about_request) | unread
        }
        (_, ComponentFacts::SharedEnvironment(room)) => {
            let left = Fault::ALL.into_iter().filter(|fault| room.budget.left(*fault) > 0);
            left.fold(request(!room.batons.is_empty()), |all, fault| {
                all | Conditions::BUDGET.one(fault as usize)
            })
        }
        (part, _) => unreachable!("{part:?} has other facts"),
    }
}

fn signs_of_actor(topology: &Topology, actor: ActorId, facts: &ActorFacts) -> Conditions {
    let (root, index) = (topology.root(), actor.index());
    let serves = facts.flags.contains(ActorFlags::SERVING);
    let reached = in_foreground(topology, actor) && facts.alive();
    let table = [
        (Conditions::ROOT_RUNS, actor == root && facts.flags.contains(ActorFlags::RUNNING)),
        (Conditions::CHILD_OF_ROOT, facts.parent == Some(root)),
        (Conditions::REQUEST, facts.prompt.is_some() || facts.flags.contains(ActorFlags::WAITING)),
        (Conditions::INTERRUPTIBLE, reached && !facts.pending.contains(&Signal::Interrupt)),
        (Conditions::SERVES.one(index), serves),
        (Conditions::ALIVE.one(index), facts.alive()),
        (Conditions::WILLING.one(index), serves && !facts.flags.contains(ActorFlags::CANCELLED)),
    ];
    table.into_iter().filter(|(_, shown)| *shown).map(|(sign, _)| sign).collect()
}

/// Tells every action that happens to a part, with its conditions. `at` is the script's position.
pub fn guarded_actions_of(
    topology: &Topology,
    at: u8,
    part: Component,
    facts: &ComponentFacts,
    offer: &mut impl FnMut(GuardedAction),
) {
    match (part, facts) {
        (Component::Actor(actor), ComponentFacts::Actor(own)) => {
            moves_of_actor(topology, actor, own, offer);
            deeds_to_actor(topology, at, actor, facts, offer);
        }
        (Component::Link(link), ComponentFacts::Link(own)) => {
            let ends = topology.links()[usize::from(link)];
            deliveries(ends, own, offer);
            fault(
                topology,
                at,
                Fault::Cut,
                EnvironmentAction::Cut { actor: ends.1 },
                (part, facts),
                offer,
            );
        }
        (_, ComponentFacts::SharedEnvironment(room)) => {
            moves_of_room(topology, room, offer);
            fault(
                topology,
                at,
                Fault::Interrupt,
                EnvironmentAction::Interrupt,
                (part, facts),
                offer,
            );
        }
        (part, _) => unreachable!("{part:?} has other facts"),
    }
    script_move(topology, at, (part, facts), offer);
}

fn deliveries(ends: (ActorId, ActorId), facts: &LinkFacts, offer: &mut impl FnMut(GuardedAction)) {
    let (upper, lower) = ends;
    for (lane, from, to) in [(facts.up, lower, upper), (facts.down, upper, lower)] {
        if lane.readable {
            let deliver =
                GuardedAction::to_move(ActionRank::Deliver, SystemStep::Deliver { from, to });
            offer(deliver.if_shown(Conditions::SERVES.one(to.index())));
        }
    }
}

fn moves_of_actor(
    topology: &Topology,
    actor: ActorId,
    facts: &ActorFacts,
    offer: &mut impl FnMut(GuardedAction),
) {
    let root = topology.root();
    let to_move = |tree_move| GuardedAction::to_move(ActionRank::Actor, tree_move);
    for signal in &facts.pending {
        offer(to_move(SystemStep::TakeSignal { actor, signal: *signal }));
    }
    if facts.flags.contains(ActorFlags::SERVING) {
        for timer in &facts.timers {
            offer(to_move(SystemStep::Expire { actor, timer: *timer }));
        }
        if facts.flags.contains(ActorFlags::BODY_ASKED) {
            offer(to_move(SystemStep::EndUserTask { actor }));
        }
    }
    if facts.flags.contains(ActorFlags::BOOTING) {
        offer(to_move(SystemStep::Boot { actor }));
    }
    if let Some(parent) = facts.parent {
        let parent_serves = Conditions::SERVES.one(parent.index());
        if facts.flags.contains(ActorFlags::ZOMBIE) {
            // Where a message is the release, an actor stays until its `Done` was acknowledged
            // (upstream waits for `pdb_unlock_complete`), so none is lost by reaping.
            let unread = match topology.config().policy.release {
                LockRelease::BatonClosed => Conditions::empty(),
                LockRelease::DoneArrived => Conditions::UNREAD.one(actor.index()),
            };
            offer(to_move(SystemStep::Reap { actor }).if_shown(parent_serves).if_lacking(unread));
        }
        if facts.flags.contains(ActorFlags::ZOMBIE) && parent == root {
            // Whoever the dead root had adopted, or would have, init reaps.
            offer(to_move(SystemStep::Reap { actor }).if_lacking(Conditions::ROOT_RUNS));
        }
        if facts.alive() && facts.flags.contains(ActorFlags::UNFOUND) {
            offer(to_move(SystemStep::Adopt { actor }).if_shown(parent_serves));
        }
    }
    if topology.config().policy.reader == TerminalReader::Root && facts.prompt.is_some() {
        let root_alive = Conditions::ALIVE.one(root.index());
        offer(to_move(SystemStep::LosePrompt { actor }).if_lacking(root_alive));
    }
    if actor == root && facts.flags.contains(ActorFlags::SWEEPING) {
        let gone = GuardedAction::to_move(ActionRank::Sweep, SystemStep::SeeChildrenGone);
        offer(gone.if_lacking(Conditions::CHILD_OF_ROOT));
    }
}

fn moves_of_room(
    topology: &Topology,
    room: &SharedEnvironment,
    offer: &mut impl FnMut(GuardedAction),
) {
    for (request, baton) in &room.batons {
        if *baton == BatonState::Closed {
            let read = GuardedAction::to_move(
                ActionRank::Baton,
                SystemStep::ReadBaton { request: *request },
            );
            offer(read.if_shown(Conditions::SERVES.one(topology.root().index())));
        }
    }
}
