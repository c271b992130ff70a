//! What the environment may do: the script's next step, what is always free, the budget's faults.

use super::{Offer, Rank, Signs};
use crate::world::action::{Deed, Fault, Move};
use crate::world::facts::{ActorFacts, Is, LinkFacts, PartFacts};
use crate::world::part::Part;
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
    (part, facts): (Part, &PartFacts),
    offer: &mut impl FnMut(Offer),
) {
    let pass = |rank| Offer::to_move(rank, Move::Pass { at });
    match topology.config().script.step(at) {
        Some(ScriptStep::Do(deed)) if subject(topology, deed) == Some(part) => {
            possible(topology, Rank::Script, deed, facts).into_iter().for_each(offer);
        }
        None | Some(ScriptStep::Do(_)) => {}
        Some(ScriptStep::Until(condition)) => match (condition, part, facts) {
            (Condition::NoPrompt, Part::Room, _) => {
                offer(pass(Rank::Script).if_lacking(Signs::REQUEST));
            }
            (Condition::Quiet, Part::Room, _) => offer(pass(Rank::Quiet)),
            (condition, Part::Actor(actor), PartFacts::Actor(own)) => {
                if is_so(condition, actor, own) {
                    offer(pass(Rank::Script));
                }
            }
            (_, Part::Link(_) | Part::Room | Part::Actor(_), _) => {}
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
    facts: &PartFacts,
    offer: &mut impl FnMut(Offer),
) {
    let script = &topology.config().script;
    let mut free =
        |deed| possible(topology, Rank::Free, deed, facts).into_iter().for_each(&mut *offer);
    if script.step(at).is_none() {
        free(Deed::Answer { actor, answer: Answer::Continue });
    }
    let spawn = Deed::Spawn { actor };
    if !script.steps.contains(&ScriptStep::Do(spawn)) {
        free(spawn);
    }
    let part = Part::Actor(actor);
    for kind in Fault::ALL {
        if let (Some(deed), PartFacts::Actor(own)) = (deed_of(kind, actor), facts)
            && concerns(topology, kind, actor, own)
        {
            fault(topology, at, kind, deed, (part, facts), offer);
        }
    }
    for child in topology.config().tree.children(actor) {
        let deed = Deed::CancelChild { actor: child };
        fault(topology, at, Fault::CancelChild, deed, (part, facts), offer);
    }
}

/// A deed that uses up a fault of the budget, unless it is the script's next step anyway.
pub(super) fn fault(
    topology: &Topology,
    at: u8,
    fault: Fault,
    deed: Deed,
    (part, facts): (Part, &PartFacts),
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
pub(super) fn subject(topology: &Topology, deed: Deed) -> Option<Part> {
    match deed {
        Deed::Interrupt => Some(Part::Room),
        Deed::Cut { actor } => topology.link_up(actor).map(Part::Link),
        Deed::CancelChild { actor } => topology.config().tree.supervisor(actor).map(Part::Actor),
        Deed::Pause { actor }
        | Deed::PauseShielded { actor }
        | Deed::Answer { actor, .. }
        | Deed::Provoke { actor, .. }
        | Deed::FailUnexamined { actor, .. }
        | Deed::Signal { actor, .. }
        | Deed::Kill { actor }
        | Deed::Spawn { actor }
        | Deed::Die { actor, .. }
        | Deed::Appear { actor }
        | Deed::Vanish { actor } => Some(Part::Actor(actor)),
    }
}

/// Whether the environment can do it, as far as the part that it happens to can tell.
fn possible(topology: &Topology, rank: Rank, deed: Deed, facts: &PartFacts) -> Option<Offer> {
    let offer = Offer::to_do(rank, deed);
    match facts {
        PartFacts::Actor(facts) => to_actor(topology, offer, deed, facts),
        PartFacts::Link(facts) => cut(topology, offer, deed, facts),
        PartFacts::Room(_) => Some(offer.if_shown(Signs::INTERRUPTIBLE)),
    }
}

fn to_actor(topology: &Topology, offer: Offer, deed: Deed, facts: &ActorFacts) -> Option<Offer> {
    let is = facts.is;
    let (locally, needs) = match deed {
        Deed::Pause { .. } | Deed::PauseShielded { .. } => {
            let free = !is.intersects(Is::BODY_ENDED | Is::FAILING);
            (is.contains(Is::SERVING) && free, Signs::empty())
        }
        Deed::Answer { .. } => match topology.config().policy.reader {
            Reader::Root => (facts.prompt.is_some(), Signs::ROOT_RUNS),
            Reader::Holder => (facts.prompt.is_some(), Signs::empty()),
        },
        Deed::Provoke { .. } => {
            let free = !is.intersects(Is::CANCELLED | Is::FAILING);
            (is.contains(Is::SERVING) && free, Signs::empty())
        }
        Deed::FailUnexamined { .. } => {
            (is.contains(Is::SERVING) && !is.contains(Is::CANCELLED), Signs::empty())
        }
        Deed::CancelChild { actor } => {
            let asks = facts.rungs.iter().any(|(id, rung, _)| *id == actor && *rung < Rung::Cancel);
            (is.contains(Is::SERVING) && asks, Signs::empty())
        }
        Deed::Signal { .. } | Deed::Kill { .. } | Deed::Die { .. } => {
            (facts.alive(), Signs::empty())
        }
        Deed::Appear { .. } => (is.contains(Is::LATER), Signs::empty()),
        Deed::Vanish { .. } => (is.contains(Is::ZOMBIE), Signs::empty()),
        Deed::Spawn { actor } => {
            let above = topology.config().tree.supervisor(actor)?;
            (is.contains(Is::LATER), Signs::WILLING.one(above.index()))
        }
        Deed::Interrupt | Deed::Cut { .. } => unreachable!("{deed:?} happens to no actor"),
    };
    locally.then(|| offer.if_shown(needs))
}

fn cut(topology: &Topology, offer: Offer, deed: Deed, facts: &LinkFacts) -> Option<Offer> {
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
fn deed_of(fault: Fault, actor: ActorId) -> Option<Deed> {
    match fault {
        Fault::Request => Some(Deed::Pause { actor }),
        Fault::Shielded => Some(Deed::PauseShielded { actor }),
        Fault::Interrupt | Fault::CancelChild => None,
        Fault::InterruptOne => Some(Deed::Signal { actor, signal: Signal::Interrupt }),
        Fault::Error => Some(Deed::Provoke { actor, cause: Cause::Failed }),
        Fault::ErrorUnexamined => Some(Deed::FailUnexamined { actor, cause: Cause::Failed }),
        Fault::Quit => Some(Deed::Answer { actor, answer: Answer::Quit }),
        Fault::Cancel => Some(Deed::Provoke { actor, cause: Cause::Requested }),
        Fault::Kill | Fault::KillRoot => Some(Deed::Kill { actor }),
        Fault::Stop => Some(Deed::Signal { actor, signal: Signal::Terminate }),
        Fault::Cut => Some(Deed::Cut { actor }),
    }
}

/// The fault that a deed of the environment's own uses up.
pub(super) fn fault_of(topology: &Topology, deed: Deed) -> Option<Fault> {
    let root = topology.root();
    match deed {
        Deed::Pause { .. } => Some(Fault::Request),
        Deed::PauseShielded { .. } => Some(Fault::Shielded),
        Deed::Answer { answer: Answer::Quit, .. } => Some(Fault::Quit),
        Deed::Answer { .. }
        | Deed::Spawn { .. }
        | Deed::Die { .. }
        | Deed::Appear { .. }
        | Deed::Vanish { .. } => None,
        Deed::Provoke { cause: Cause::Failed, .. } => Some(Fault::Error),
        Deed::Provoke { .. } => Some(Fault::Cancel),
        Deed::FailUnexamined { .. } => Some(Fault::ErrorUnexamined),
        Deed::CancelChild { .. } => Some(Fault::CancelChild),
        Deed::Interrupt => Some(Fault::Interrupt),
        Deed::Signal { signal: Signal::Interrupt, .. } => Some(Fault::InterruptOne),
        Deed::Signal { .. } => Some(Fault::Stop),
        Deed::Kill { actor } if actor == root => Some(Fault::KillRoot),
        Deed::Kill { .. } => Some(Fault::Kill),
        Deed::Cut { .. } => Some(Fault::Cut),
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
