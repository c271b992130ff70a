//! What the environment may do: the script's next step, what is always free, the budget's faults.

use super::{ActionRank, Conditions, GuardedAction};
use crate::world::action::{EnvironmentAction, Fault, SystemStep};
use crate::world::component::Component;
use crate::world::facts::{ActorFacts, ActorFlags, ComponentFacts, LinkFacts};
use crate::world::script::{Condition, ScriptStep};
use crate::world::topology::Topology;
use holdfast_protocol::Placement;
use holdfast_protocol::policy::TerminalReader;
use holdfast_protocol::reaper::LadderRung;
use holdfast_protocol::{ActorId, Answer, Cause, Signal};

/// The next step of the script, if it happens to this part or waits for it.
pub(super) fn script_move(
    topology: &Topology,
    at: u8,
    (part, facts): (Component, &ComponentFacts),
    offer: &mut impl FnMut(GuardedAction),
) {
    let pass = |rank| GuardedAction::to_move(rank, SystemStep::Pass { at });
    match topology.config().script.step(at) {
        Some(ScriptStep::Do(deed)) if subject(topology, deed) == Some(part) => {
            possible(topology, ActionRank::Script, deed, facts).into_iter().for_each(offer);
        }
        None | Some(ScriptStep::Do(_)) => {}
        Some(ScriptStep::Until(condition)) => match (condition, part, facts) {
            (Condition::NoPrompt, Component::SharedEnvironment, _) => {
                offer(pass(ActionRank::Script).if_lacking(Conditions::REQUEST));
            }
            (Condition::Quiet, Component::SharedEnvironment, _) => offer(pass(ActionRank::Quiet)),
            (condition, Component::Actor(actor), ComponentFacts::Actor(own)) => {
                if is_so(condition, actor, own) {
                    offer(pass(ActionRank::Script));
                }
            }
            (_, Component::Link(_) | Component::SharedEnvironment | Component::Actor(_), _) => {}
        },
    }
}

/// Whether an actor is what the script waits for.
fn is_so(condition: Condition, actor: ActorId, facts: &ActorFacts) -> bool {
    let (whom, is) = match condition {
        Condition::PromptOpen(whom) => (whom, facts.prompt.is_some()),
        Condition::Waiting(whom) => (whom, facts.flags.contains(ActorFlags::WAITING)),
        Condition::Ended(whom) => {
            (whom, !facts.alive() && !facts.flags.contains(ActorFlags::LATER))
        }
        Condition::Cancelled(whom) => (whom, facts.flags.contains(ActorFlags::CANCELLED)),
        Condition::TearingDown(whom) => (whom, facts.flags.contains(ActorFlags::TEARING_DOWN)),
        Condition::Running(whom) => (whom, facts.flags.contains(ActorFlags::RUNNING)),
        Condition::NoPrompt | Condition::Quiet => return false,
    };
    whom == actor && is
}

/// What the environment may do to an actor of its own.
pub(super) fn deeds_to_actor(
    topology: &Topology,
    at: u8,
    actor: ActorId,
    facts: &ComponentFacts,
    offer: &mut impl FnMut(GuardedAction),
) {
    let script = &topology.config().script;
    let mut free =
        |deed| possible(topology, ActionRank::Free, deed, facts).into_iter().for_each(&mut *offer);
    if script.step(at).is_none() {
        free(EnvironmentAction::Answer { actor, answer: Answer::Continue });
    }
    let spawn = EnvironmentAction::Spawn { actor };
    if !script.steps.contains(&ScriptStep::Do(spawn)) {
        free(spawn);
    }
    let part = Component::Actor(actor);
    for kind in Fault::ALL {
        if let (Some(deed), ComponentFacts::Actor(own)) = (deed_of(kind, actor), facts)
            && concerns(topology, kind, actor, own)
        {
            fault(topology, at, kind, deed, (part, facts), offer);
        }
    }
    for child in topology.config().tree.children(actor) {
        let deed = EnvironmentAction::CancelChild { actor: child };
        fault(topology, at, Fault::CancelChild, deed, (part, facts), offer);
    }
}

/// A deed that uses up a fault of the budget, unless it is the script's next step anyway.
pub(super) fn fault(
    topology: &Topology,
    at: u8,
    fault: Fault,
    deed: EnvironmentAction,
    (part, facts): (Component, &ComponentFacts),
    offer: &mut impl FnMut(GuardedAction),
) {
    let next = topology.config().script.step(at) == Some(ScriptStep::Do(deed));
    if subject(topology, deed) == Some(part) && !next {
        let left = Conditions::BUDGET.one(fault as usize);
        let possible = possible(topology, ActionRank::Fault(fault), deed, facts);
        possible.into_iter().map(|deed| deed.if_shown(left)).for_each(offer);
    }
}

/// The part that a deed happens to.
pub(super) fn subject(topology: &Topology, deed: EnvironmentAction) -> Option<Component> {
    match deed {
        EnvironmentAction::Interrupt => Some(Component::SharedEnvironment),
        EnvironmentAction::Cut { actor } => topology.link_up(actor).map(Component::Link),
        EnvironmentAction::CancelChild { actor } => {
            topology.config().tree.supervisor(actor).map(Component::Actor)
        }
        EnvironmentAction::Pause { actor }
        | EnvironmentAction::PauseShielded { actor }
        | EnvironmentAction::Answer { actor, .. }
        | EnvironmentAction::Provoke { actor, .. }
        | EnvironmentAction::FailUnexamined { actor, .. }
        | EnvironmentAction::Signal { actor, .. }
        | EnvironmentAction::Kill { actor }
        | EnvironmentAction::Spawn { actor }
        | EnvironmentAction::Die { actor, .. }
        | EnvironmentAction::Appear { actor }
        | EnvironmentAction::Vanish { actor } => Some(Component::Actor(actor)),
    }
}

/// Whether the environment can do it, as far as the part that it happens to can tell.
fn possible(
    topology: &Topology,
    rank: ActionRank,
    deed: EnvironmentAction,
    facts: &ComponentFacts,
) -> Option<GuardedAction> {
    let offer = GuardedAction::to_do(rank, deed);
    match facts {
        ComponentFacts::Actor(facts) => to_actor(topology, offer, deed, facts),
        ComponentFacts::Link(facts) => cut(topology, offer, deed, facts),
        ComponentFacts::SharedEnvironment(_) => Some(offer.if_shown(Conditions::INTERRUPTIBLE)),
    }
}

fn to_actor(
    topology: &Topology,
    offer: GuardedAction,
    deed: EnvironmentAction,
    facts: &ActorFacts,
) -> Option<GuardedAction> {
    let is = facts.flags;
    let (locally, needs) = match deed {
        EnvironmentAction::Pause { .. } | EnvironmentAction::PauseShielded { .. } => {
            let free = !is.intersects(ActorFlags::BODY_ENDED | ActorFlags::FAILING);
            (is.contains(ActorFlags::SERVING) && free, Conditions::empty())
        }
        EnvironmentAction::Answer { .. } => match topology.config().policy.reader {
            TerminalReader::Root => (facts.prompt.is_some(), Conditions::ROOT_RUNS),
            TerminalReader::Holder => (facts.prompt.is_some(), Conditions::empty()),
        },
        EnvironmentAction::Provoke { .. } => {
            let free = !is.intersects(ActorFlags::CANCELLED | ActorFlags::FAILING);
            (is.contains(ActorFlags::SERVING) && free, Conditions::empty())
        }
        EnvironmentAction::FailUnexamined { .. } => (
            is.contains(ActorFlags::SERVING) && !is.contains(ActorFlags::CANCELLED),
            Conditions::empty(),
        ),
        EnvironmentAction::CancelChild { actor } => {
            let asks =
                facts.rungs.iter().any(|(id, rung, _)| *id == actor && *rung < LadderRung::Cancel);
            (is.contains(ActorFlags::SERVING) && asks, Conditions::empty())
        }
        EnvironmentAction::Signal { .. }
        | EnvironmentAction::Kill { .. }
        | EnvironmentAction::Die { .. } => (facts.alive(), Conditions::empty()),
        EnvironmentAction::Appear { .. } => (is.contains(ActorFlags::LATER), Conditions::empty()),
        EnvironmentAction::Vanish { .. } => (is.contains(ActorFlags::ZOMBIE), Conditions::empty()),
        EnvironmentAction::Spawn { actor } => {
            let above = topology.config().tree.supervisor(actor)?;
            (is.contains(ActorFlags::LATER), Conditions::WILLING.one(above.index()))
        }
        EnvironmentAction::Interrupt | EnvironmentAction::Cut { .. } => {
            unreachable!("{deed:?} happens to no actor")
        }
    };
    locally.then(|| offer.if_shown(needs))
}

fn cut(
    topology: &Topology,
    offer: GuardedAction,
    deed: EnvironmentAction,
    facts: &LinkFacts,
) -> Option<GuardedAction> {
    let actor = deed.actor()?;
    let above = topology.config().tree.supervisor(actor)?;
    let alive = Conditions::ALIVE.one(actor.index()) | Conditions::ALIVE.one(above.index());
    (facts.up.open && facts.down.open).then(|| offer.if_shown(alive))
}

/// Whether a Ctrl-C reaches it.
pub(super) fn in_foreground(topology: &Topology, actor: ActorId) -> bool {
    match topology.config().placement {
        Placement::SharedGroup => true,
        Placement::OwnSession => actor == topology.root(),
    }
}

/// The deed that a fault is, done to one actor. A Ctrl-C is done to no actor, and what is done to
/// a child is its supervisor's to do.
fn deed_of(fault: Fault, actor: ActorId) -> Option<EnvironmentAction> {
    match fault {
        Fault::Request => Some(EnvironmentAction::Pause { actor }),
        Fault::Shielded => Some(EnvironmentAction::PauseShielded { actor }),
        Fault::Interrupt | Fault::CancelChild => None,
        Fault::InterruptOne => Some(EnvironmentAction::Signal { actor, signal: Signal::Interrupt }),
        Fault::Error => Some(EnvironmentAction::Provoke { actor, cause: Cause::Failed }),
        Fault::ErrorUnexamined => {
            Some(EnvironmentAction::FailUnexamined { actor, cause: Cause::Failed })
        }
        Fault::Quit => Some(EnvironmentAction::Answer { actor, answer: Answer::Quit }),
        Fault::Cancel => Some(EnvironmentAction::Provoke { actor, cause: Cause::Requested }),
        Fault::Kill | Fault::KillRoot => Some(EnvironmentAction::Kill { actor }),
        Fault::Stop => Some(EnvironmentAction::Signal { actor, signal: Signal::Terminate }),
        Fault::Cut => Some(EnvironmentAction::Cut { actor }),
    }
}

/// The fault that a deed of the environment's own uses up.
pub(super) fn fault_of(topology: &Topology, deed: EnvironmentAction) -> Option<Fault> {
    let root = topology.root();
    match deed {
        EnvironmentAction::Pause { .. } => Some(Fault::Request),
        EnvironmentAction::PauseShielded { .. } => Some(Fault::Shielded),
        EnvironmentAction::Answer { answer: Answer::Quit, .. } => Some(Fault::Quit),
        EnvironmentAction::Answer { .. }
        | EnvironmentAction::Spawn { .. }
        | EnvironmentAction::Die { .. }
        | EnvironmentAction::Appear { .. }
        | EnvironmentAction::Vanish { .. } => None,
        EnvironmentAction::Provoke { cause: Cause::Failed, .. } => Some(Fault::Error),
        EnvironmentAction::Provoke { .. } => Some(Fault::Cancel),
        EnvironmentAction::FailUnexamined { .. } => Some(Fault::ErrorUnexamined),
        EnvironmentAction::CancelChild { .. } => Some(Fault::CancelChild),
        EnvironmentAction::Interrupt => Some(Fault::Interrupt),
        EnvironmentAction::Signal { signal: Signal::Interrupt, .. } => Some(Fault::InterruptOne),
        EnvironmentAction::Signal { .. } => Some(Fault::Stop),
        EnvironmentAction::Kill { actor } if actor == root => Some(Fault::KillRoot),
        EnvironmentAction::Kill { .. } => Some(Fault::Kill),
        EnvironmentAction::Cut { .. } => Some(Fault::Cut),
    }
}

/// Whether a fault may strike this actor. What would change nothing but the budget is left out:
/// a request that is refused on the spot, a signal that is pending already.
fn concerns(topology: &Topology, fault: Fault, actor: ActorId, facts: &ActorFacts) -> bool {
    let root = actor == topology.root();
    let admits =
        !facts.flags.intersects(ActorFlags::ORPHAN | ActorFlags::FORCED | ActorFlags::STOPPING);
    match fault {
        Fault::Request => admits && !facts.flags.contains(ActorFlags::CANCELLED),
        Fault::Shielded => admits,
        Fault::InterruptOne => !facts.pending.contains(&Signal::Interrupt),
        Fault::Stop => root && !facts.pending.contains(&Signal::Terminate),
        Fault::KillRoot => root,
        Fault::Kill | Fault::Cut => !root,
        Fault::Interrupt
        | Fault::Error
        | Fault::ErrorUnexamined
        | Fault::Quit
        | Fault::Cancel
        | Fault::CancelChild => true,
    }
}
