//! What the environment may do: the script's next step, what is always free, the budget's faults.

use super::{Offer, Rank, Signs};
use crate::world::action::{EnvironmentAction, Fault, SystemStep};
use crate::world::component::Component;
use crate::world::facts::{ActorFacts, ComponentFacts, Is, LinkFacts};
use crate::world::script::{Condition, ScriptStep};
use crate::world::topology::Topology;
use holdfast_protocol::Placement;
use holdfast_protocol::policy::Reader;
use holdfast_protocol::reaper::Rung;
use holdfast_protocol::{ActorId, Answer, Cause, Signal};

/// The next step of the script, if it happens to this part or waits for it.
pub(super) fn script_move(
    topology: &Topology,
    at: u8,
    (part, facts): (Component, &ComponentFacts),
    offer: &mut impl FnMut(Offer),
) {
    let pass = |rank| Offer::to_move(rank, SystemStep::Pass { at });
    match topology.config().script.step(at) {
        Some(ScriptStep::Do(deed)) if subject(topology, deed) == Some(part) => {
            possible(topology, Rank::Script, deed, facts).into_iter().for_each(offer);
        }
        None | Some(ScriptStep::Do(_)) => {}
        Some(ScriptStep::Until(condition)) => match (condition, part, facts) {
            (Condition::NoPrompt, Component::SharedEnvironment, _) => {
                offer(pass(Rank::Script).if_lacking(Signs::REQUEST));
            }
            (Condition::Quiet, Component::SharedEnvironment, _) => offer(pass(Rank::Quiet)),
            (condition, Component::Actor(actor), ComponentFacts::Actor(own)) => {
                if is_so(condition, actor, own) {
                    offer(pass(Rank::Script));
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
        Condition::Waiting(whom) => (whom, facts.is.contains(Is::WAITING)),
        Condition::Ended(whom) => (whom, !facts.alive() && !facts.is.contains(Is::LATER)),
        Condition::Cancelled(whom) => (whom, facts.is.contains(Is::CANCELLED)),
        Condition::TearingDown(whom) => (whom, facts.is.contains(Is::TEARING_DOWN)),
        Condition::Running(whom) => (whom, facts.is.contains(Is::RUNNING)),
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
    offer: &mut impl FnMut(Offer),
) {
    let script = &topology.config().script;
    let mut free =
        |deed| possible(topology, Rank::Free, deed, facts).into_iter().for_each(&mut *offer);
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
    offer: &mut impl FnMut(Offer),
) {
    let next = topology.config().script.step(at) == Some(ScriptStep::Do(deed));
    if subject(topology, deed) == Some(part) && !next {
        let left = Signs::BUDGET.one(fault as usize);
        let possible = possible(topology, Rank::Fault(fault), deed, facts);
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
    rank: Rank,
    deed: EnvironmentAction,
    facts: &ComponentFacts,
) -> Option<Offer> {
    let offer = Offer::to_do(rank, deed);
    match facts {
        ComponentFacts::Actor(facts) => to_actor(topology, offer, deed, facts),
        ComponentFacts::Link(facts) => cut(topology, offer, deed, facts),
        ComponentFacts::SharedEnvironment(_) => Some(offer.if_shown(Signs::INTERRUPTIBLE)),
    }
}

fn to_actor(
    topology: &Topology,
    offer: Offer,
    deed: EnvironmentAction,
    facts: &ActorFacts,
) -> Option<Offer> {
    let is = facts.is;
    let (locally, needs) = match deed {
        EnvironmentAction::Pause { .. } | EnvironmentAction::PauseShielded { .. } => {
            let free = !is.intersects(Is::BODY_ENDED | Is::FAILING);
            (is.contains(Is::SERVING) && free, Signs::empty())
        }
        EnvironmentAction::Answer { .. } => match topology.config().policy.reader {
            Reader::Root => (facts.prompt.is_some(), Signs::ROOT_RUNS),
            Reader::Holder => (facts.prompt.is_some(), Signs::empty()),
        },
        EnvironmentAction::Provoke { .. } => {
            let free = !is.intersects(Is::CANCELLED | Is::FAILING);
            (is.contains(Is::SERVING) && free, Signs::empty())
        }
        EnvironmentAction::FailUnexamined { .. } => {
            (is.contains(Is::SERVING) && !is.contains(Is::CANCELLED), Signs::empty())
        }
        EnvironmentAction::CancelChild { actor } => {
            let asks = facts.rungs.iter().any(|(id, rung, _)| *id == actor && *rung < Rung::Cancel);
            (is.contains(Is::SERVING) && asks, Signs::empty())
        }
        EnvironmentAction::Signal { .. }
        | EnvironmentAction::Kill { .. }
        | EnvironmentAction::Die { .. } => (facts.alive(), Signs::empty()),
        EnvironmentAction::Appear { .. } => (is.contains(Is::LATER), Signs::empty()),
        EnvironmentAction::Vanish { .. } => (is.contains(Is::ZOMBIE), Signs::empty()),
        EnvironmentAction::Spawn { actor } => {
            let above = topology.config().tree.supervisor(actor)?;
            (is.contains(Is::LATER), Signs::WILLING.one(above.index()))
        }
        EnvironmentAction::Interrupt | EnvironmentAction::Cut { .. } => {
            unreachable!("{deed:?} happens to no actor")
        }
    };
    locally.then(|| offer.if_shown(needs))
}

fn cut(
    topology: &Topology,
    offer: Offer,
    deed: EnvironmentAction,
    facts: &LinkFacts,
) -> Option<Offer> {
    let actor = deed.actor()?;
    let above = topology.config().tree.supervisor(actor)?;
    let alive = Signs::ALIVE.one(actor.index()) | Signs::ALIVE.one(above.index());
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
    let admits = !facts.is.intersects(Is::ORPHAN | Is::FORCED | Is::STOPPING);
    match fault {
        Fault::Request => admits && !facts.is.contains(Is::CANCELLED),
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
