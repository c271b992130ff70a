//! The accelerator of [`crate::world::enabled`]: guards as bit words, worked out component by
//! component.
//!
//! The guard of an action asks about the component that it happens to, and about others. The first
//! half is decided once for each value of a component; the second is left as [`Conditions`] that
//! the other components must meet, or must not. So a state's actions are found by one pass over
//! words of 128 bits.
//!
//! ```text
//!     facts of a component --> the conditions it meets, its guarded actions
//!     the conditions of all components --> which of all guarded actions are enabled
//! ```
//!
//! `tests/enabled.rs` demands the same list, order included, of this and of the plain one.

use crate::world::action::{Action, EnvironmentAction, Fault, SystemStep};
use crate::world::component::Component;
use crate::world::enabled::in_foreground;
use crate::world::facts::{ActorFacts, ActorFlags, ComponentFacts};
use crate::world::topology::Topology;
use bitflags::bitflags;
use holdfast_protocol::{ActorId, Signal};

bitflags! {
    /// What guards ask of other components. A state meets what any of its components meets.
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
    /// The condition of one member, out of those with one bit a member.
    pub(super) fn one(self, index: usize) -> Self {
        self & Self::from_bits_retain(1 << (self.bits().trailing_zeros() as usize + index))
    }
}

/// The order in which actions are listed; within a rank, by the component that they happen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionRank {
    /// A message or an end is read.
    Deliver,
    /// Another step of an actor.
    Actor,
    /// The end of a baton is read.
    Baton,
    /// The root sees that nobody is left.
    Sweep,
    /// The script goes on, if no action of a rank above is enabled.
    Quiet,
    /// The next step of the script.
    Script,
    /// What the environment is always free to do.
    Free,
    /// What the budget allows.
    Fault(Fault),
}

/// An action and its guard, as far as the component that it happens to cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GuardedAction {
    /// What can happen.
    pub action: Action,
    /// Where it is listed.
    pub rank: ActionRank,
    /// Conditions that must all be met.
    pub requires: Conditions,
    /// Conditions none of which may be met.
    pub excludes: Conditions,
}

impl GuardedAction {
    /// Whether the action is enabled, given the conditions of all components.
    #[must_use]
    pub fn is_enabled(&self, conditions: Conditions) -> bool {
        conditions.contains(self.requires) && !conditions.intersects(self.excludes)
    }

    pub(super) fn environment(rank: ActionRank, action: EnvironmentAction) -> Self {
        let (requires, excludes) = (Conditions::empty(), Conditions::empty());
        Self { action: Action::Environment(action), rank, requires, excludes }
    }

    pub(super) fn step(rank: ActionRank, step: SystemStep) -> Self {
        let (requires, excludes) = (Conditions::empty(), Conditions::empty());
        Self { action: Action::System(step), rank, requires, excludes }
    }

    pub(super) fn requiring(self, requires: Conditions) -> Self {
        Self { requires: self.requires | requires, ..self }
    }

    pub(super) fn excluding(self, excludes: Conditions) -> Self {
        Self { excludes: self.excludes | excludes, ..self }
    }
}

/// Puts enabled actions, given in the order of their components, into the order of the list.
pub fn list<T>(enabled: &mut Vec<T>, rank: impl Fn(&T) -> ActionRank) {
    enabled.sort_by_key(&rank);
    if enabled.first().is_some_and(|first| rank(first) < ActionRank::Quiet) {
        enabled.retain(|action| rank(action) != ActionRank::Quiet);
    }
}

/// What a component tells the guards of others.
#[must_use]
pub fn conditions_of(
    topology: &Topology,
    component: Component,
    facts: &ComponentFacts,
) -> Conditions {
    let request = |is: bool| if is { Conditions::REQUEST } else { Conditions::empty() };
    match (component, facts) {
        (Component::Actor(actor), ComponentFacts::Actor(facts)) => {
            conditions_of_actor(topology, actor, facts)
        }
        (Component::Link(number), ComponentFacts::Link(link)) => {
            let (_, lower) = topology.links()[usize::from(number)];
            let unread = Conditions::UNREAD.one(lower.index());
            let unread = if link.up.readable { unread } else { Conditions::empty() };
            request(link.up.about_request || link.down.about_request) | unread
        }
        (_, ComponentFacts::SharedEnvironment(shared)) => {
            let left = Fault::ALL.into_iter().filter(|fault| shared.budget.left(*fault) > 0);
            left.fold(request(!shared.batons.is_empty()), |all, fault| {
                all | Conditions::BUDGET.one(fault as usize)
            })
        }
        (component, _) => unreachable!("{component:?} has other facts"),
    }
}

fn conditions_of_actor(topology: &Topology, actor: ActorId, facts: &ActorFacts) -> Conditions {
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
    table.into_iter().filter(|(_, met)| *met).map(|(condition, _)| condition).collect()
}
