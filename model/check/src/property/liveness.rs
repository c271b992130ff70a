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
pub fn is_fair(scene: &WorldView<'_>, action: Action, fairness: Fairness) -> bool {
    let root = scene.topology.root();
    let owes = |actor: ActorId| match fairness {
        Fairness::Everybody => scene.actor(actor).prompt.is_none(),
        Fairness::RootAndKernel => actor == root,
    };
    match action {
        Action::Environment(deed) => {
            let script = &scene.topology.config().script;
            let next = script.step(scene.shared().at) == Some(ScriptStep::Do(deed));
            let closes = matches!(deed, EnvironmentAction::Answer { answer: Answer::Continue, .. });
            fairness == Fairness::Everybody && (next || closes)
        }
        Action::System(tree_move) => match tree_move {
            SystemStep::Deliver { to, .. } => owes(to),
            SystemStep::TakeSignal { actor, .. }
            | SystemStep::Expire { actor, .. }
            | SystemStep::EndUserTask { actor } => owes(actor),
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
pub fn obliged(scene: &WorldView<'_>, property: PropertyId) -> bool {
    let root = scene.root();
    match property {
        PropertyId::TeardownCompletes => {
            !root.alive() || root.flags.contains(ActorFlags::CANCELLED)
        }
        PropertyId::InterruptWorksAgain => {
            root.pending.contains(&Signal::Interrupt) && !scene.request_outstanding()
        }
        PropertyId::StopIsBounded => {
            root.flags.contains(ActorFlags::STOPPING) || root.pending.contains(&Signal::Terminate)
        }
        _ => scene.actors().any(|(_, facts)| facts.flags.contains(ActorFlags::WAITING)),
    }
}

/// Whether the promise is kept here.
#[must_use]
pub fn discharged(scene: &WorldView<'_>, property: PropertyId) -> bool {
    match property {
        PropertyId::TeardownCompletes => scene.ended(),
        PropertyId::InterruptWorksAgain => scene.ended() || scene.request_outstanding(),
        PropertyId::StopIsBounded => !scene.root().alive(),
        _ => !obliged(scene, property),
    }
}

/// Whether the tree has ended, or is at rest where a Ctrl-C ends it.
#[must_use]
pub fn is_ending(scene: &WorldView<'_>) -> bool {
    let root = scene.root();
    scene.ended()
        || (root.flags.contains(ActorFlags::RUNNING)
            && !root.flags.intersects(ActorFlags::CANCELLED | ActorFlags::SHIELDED)
            && !scene.request_outstanding())
}
