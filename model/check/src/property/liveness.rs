//! The leads-to properties `P ~> Q`: what obliges a run, what discharges it, and who must act.
//!
//! A leads-to is violated if some fair run has a `P` after which no `Q` comes. Weak fairness: an
//! action that is possible from some point on without a break is taken again and again.
//!
//! # Fairness
//! [`Fairness::Everybody`]: every step of the tree and the kernel, every armed timer, the steps of
//! the script, and `continue` at a prompt or what a program in the foreground reads. An actor at its
//! prompt owes nothing: it may be frozen. A host is at no prompt of its own, so it owes what it owes.
//! [`Fairness::RootAndKernel`]: what the root and the kernel do. Nobody closes a prompt, and every
//! other actor may be wedged.

use super::PropertyId;
use crate::world::facts::ActorFacts;
use crate::world::process::ProgramTerminal;
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

/// A leads-to.
#[derive(Clone, Copy, Debug)]
pub struct Obligation {
    /// Whether a run is obliged from here on.
    pub obliged: fn(&WorldView<'_>) -> bool,
    /// Whether what it was obliged to is so here.
    pub discharged: fn(&WorldView<'_>) -> bool,
    /// Whom it relies on.
    pub fairness: Fairness,
    /// What has an obligation of its own.
    pub scope: ObligationScope,
}

/// What has an obligation of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObligationScope {
    /// The whole tree.
    Tree,
    /// Each request that waits.
    EachRequest,
}

/// Whether an actor waits for the terminal, or hosts a program that was stopped and does.
fn wants(facts: &ActorFacts) -> bool {
    let stopped = [ProgramTerminal::Stopped, ProgramTerminal::Asked, ProgramTerminal::GivenUp];
    facts.flags.contains(ActorFlags::WAITING) || stopped.contains(&facts.program)
}

pub(super) const REQUEST_ANSWERED: Obligation = Obligation {
    obliged: |view| view.actors().any(|(_, facts)| wants(facts)),
    discharged: |view| !view.actors().any(|(_, facts)| wants(facts)),
    fairness: Fairness::Everybody,
    scope: ObligationScope::EachRequest,
};

pub(super) const TEARDOWN_COMPLETES: Obligation = Obligation {
    obliged: |view| !view.root().alive() || view.root().flags.contains(ActorFlags::CANCELLED),
    discharged: |view| view.ended(),
    fairness: Fairness::Everybody,
    scope: ObligationScope::Tree,
};

pub(super) const INTERRUPT_WORKS_AGAIN: Obligation = Obligation {
    obliged: |view| view.root().pending.contains(&Signal::Interrupt) && !view.request_outstanding(),
    discharged: |view| view.ended() || view.request_outstanding(),
    fairness: Fairness::Everybody,
    scope: ObligationScope::Tree,
};

pub(super) const STOP_IS_BOUNDED: Obligation = Obligation {
    obliged: |view| {
        view.root().flags.contains(ActorFlags::STOPPING)
            || view.root().pending.contains(&Signal::Terminate)
    },
    discharged: |view| !view.root().alive(),
    fairness: Fairness::RootAndKernel,
    scope: ObligationScope::Tree,
};

/// The leads-to properties, with what they oblige to.
pub fn obligations() -> impl Iterator<Item = (PropertyId, Obligation)> {
    PropertyId::ALL.into_iter().filter_map(|property| Some((property, property.obligation()?)))
}

/// Whether an action must be taken in the end if it stays possible.
#[must_use]
pub fn is_fair(view: &WorldView<'_>, action: Action, fairness: Fairness) -> bool {
    let root = view.topology.root();
    let tree = &view.topology.config().tree;
    let owes = |actor: ActorId| match fairness {
        // Not the host is at the prompt of its program.
        Fairness::Everybody => {
            view.actor(actor).prompt.is_none() || tree.program_of(actor).is_some()
        }
        Fairness::RootAndKernel => actor == root,
    };
    match action {
        Action::Environment(action) => {
            let script = &view.topology.config().script;
            let next = script.step(view.shared().at) == Some(ScriptStep::Do(action));
            let closes = matches!(
                action,
                EnvironmentAction::Answer { answer: Answer::Continue, .. }
                    | EnvironmentAction::Type { .. }
            );
            fairness == Fairness::Everybody && (next || closes)
        }
        Action::System(step) => match step {
            SystemStep::Deliver { to, .. } => owes(to),
            SystemStep::TakeSignal { actor, .. }
            | SystemStep::Expire { actor, .. }
            | SystemStep::EndUserTask { actor }
            | SystemStep::AskForProgram { actor }
            | SystemStep::GiveForeground { actor }
            | SystemStep::FinishHost { actor } => owes(actor),
            SystemStep::Boot { .. } | SystemStep::LosePrompt { .. } | SystemStep::Pass { .. } => {
                fairness == Fairness::Everybody
            }
            SystemStep::Reap { actor } => view.actor(actor).parent.is_some_and(owes),
            SystemStep::Adopt { .. }
            | SystemStep::SeeChildrenGone
            | SystemStep::ReadBaton { .. } => owes(root),
        },
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
