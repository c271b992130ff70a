//! The leads-to properties `P ~> Q`: what obliges a run, what discharges it, and who must act.
//!
//! A leads-to is violated if some fair run has a `P` after which no `Q` comes. Weak fairness: an
//! action that is possible from some point on without a break is taken again and again.
//!
//! # Fairness
//! [`Fairness::Everybody`]: every step of the tree and the kernel, every armed timer, the steps of
//! the script, and `continue` at a prompt. An actor at its prompt owes nothing: it may be frozen.
//! [`Fairness::RootAndKernel`]: what the root and the kernel do. Nobody closes a prompt, and every
//! other actor may be wedged.

use super::PropertyId;
use crate::world::{Action, ActorFlags, EnvironmentAction, ScriptStep, SystemStep, WorldView};
use holdfast_protocol::{ActorId, Answer, Signal};

/// Who must act in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fairness {
    /// Everybody who is not at a prompt, and the person.
    Everybody,
    /// The root and the kernel alone.
    RootAndKernel,
}

/// The leads-to properties, in the order of the bits of a `SweepMark`.
pub const LEADS_TO: [PropertyId; 4] = [
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
pub fn is_fair(view: &WorldView<'_>, action: Action, fairness: Fairness) -> bool {
    let root = view.topology.root();
    let owes = |actor: ActorId| match fairness {
        Fairness::Everybody => view.actor(actor).prompt.is_none(),
        Fairness::RootAndKernel => actor == root,
    };
    match action {
        Action::Environment(action) => {
            let script = &view.topology.config().script;
            let next = script.step(view.shared().at) == Some(ScriptStep::Do(action));
            let closes =
                matches!(action, EnvironmentAction::Answer { answer: Answer::Continue, .. });
            fairness == Fairness::Everybody && (next || closes)
        }
        Action::System(step) => match step {
            SystemStep::Deliver { to, .. } => owes(to),
            SystemStep::TakeSignal { actor, .. }
            | SystemStep::Expire { actor, .. }
            | SystemStep::EndUserTask { actor } => owes(actor),
            SystemStep::Boot { .. } | SystemStep::LosePrompt { .. } | SystemStep::Pass { .. } => {
                fairness == Fairness::Everybody
            }
            SystemStep::Reap { actor } => view.actor(actor).parent.is_some_and(owes),
            SystemStep::Adopt { .. }
            | SystemStep::SeeChildrenGone
            | SystemStep::ReadBaton { .. } => true,
        },
    }
}

/// Whether the promise is made here. A request's promise is made and not kept while it waits.
#[must_use]
pub fn obliged(view: &WorldView<'_>, property: PropertyId) -> bool {
    let root = view.root();
    match property {
        PropertyId::TeardownCompletes => {
            !root.alive() || root.flags.contains(ActorFlags::CANCELLED)
        }
        PropertyId::InterruptWorksAgain => {
            root.pending.contains(&Signal::Interrupt) && !view.request_outstanding()
        }
        PropertyId::StopIsBounded => {
            root.flags.contains(ActorFlags::STOPPING) || root.pending.contains(&Signal::Terminate)
        }
        _ => view.actors().any(|(_, facts)| facts.flags.contains(ActorFlags::WAITING)),
    }
}

/// Whether the promise is kept here.
#[must_use]
pub fn discharged(view: &WorldView<'_>, property: PropertyId) -> bool {
    match property {
        PropertyId::TeardownCompletes => view.ended(),
        PropertyId::InterruptWorksAgain => view.ended() || view.request_outstanding(),
        PropertyId::StopIsBounded => !view.root().alive(),
        _ => !obliged(view, property),
    }
}

/// Whether the tree has ended, or is at rest where a Ctrl-C ends it.
#[must_use]
pub fn is_ending(view: &WorldView<'_>) -> bool {
    let root = view.root();
    view.ended()
        || (root.flags.contains(ActorFlags::RUNNING)
            && !root.flags.intersects(ActorFlags::CANCELLED | ActorFlags::SHIELDED)
            && !view.request_outstanding())
}
