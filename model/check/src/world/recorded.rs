//! What a recorded run may do besides: the list, each entry with its reason.
//!
//! The explorer tries what is worth trying: nothing that would change nothing, and nothing beyond
//! the budget. Real programs and people do as they like, so a recorded run is asked for less:
//! whether the process is there. What the nodes make of it is the same code, and judged the same.

use super::action::{Action, EnvironmentAction, SystemStep};
use super::enabled::{can_do, can_step};
use super::facts::{ActorFlags, WorldView};
use holdfast_protocol::ActorId;

/// Whether an action can happen in a recorded run.
#[must_use]
pub fn can_happen(view: &WorldView<'_>, action: Action) -> bool {
    if !names_known_actors(view, action) {
        return false;
    }
    match action {
        Action::Environment(action) => can_do(view, action) || environment_also(view, action),
        Action::System(step) => can_step(view, step) || system_also(view, step),
    }
}

/// What the environment of a recorded run may do although it is not enabled.
fn environment_also(view: &WorldView<'_>, action: EnvironmentAction) -> bool {
    let supervisor = |actor| view.topology.config().tree.supervisor(actor);
    let runs = |actor| is(view, actor, ActorFlags::RUNNING);
    match action {
        // A program calls this whenever it runs; what comes too late is refused or has no effect.
        EnvironmentAction::Pause { actor }
        | EnvironmentAction::PauseShielded { actor }
        | EnvironmentAction::Provoke { actor, .. }
        | EnvironmentAction::FailUnexamined { actor, .. } => runs(actor),
        EnvironmentAction::CancelChild { actor } => supervisor(actor).is_some_and(runs),
        // A supervisor that is told to end may be in the middle of a start.
        EnvironmentAction::Spawn { actor } => {
            is(view, actor, ActorFlags::LATER) && supervisor(actor).is_some_and(runs)
        }
        // The answer was on its way when the root ended.
        EnvironmentAction::Answer { actor, .. } => view.actor(actor).prompt.is_some(),
        // Nobody keeps a person from typing Ctrl-C twice.
        EnvironmentAction::Interrupt => true,
        // Between its last word and its end a process can still be killed.
        EnvironmentAction::Die { actor, .. } => is(view, actor, ActorFlags::ZOMBIE),
        EnvironmentAction::Read { .. }
        | EnvironmentAction::Type { .. }
        | EnvironmentAction::TakeBack { .. }
        | EnvironmentAction::Signal { .. }
        | EnvironmentAction::Kill { .. }
        | EnvironmentAction::Cut { .. }
        | EnvironmentAction::Appear { .. }
        | EnvironmentAction::Vanish { .. }
        | EnvironmentAction::CutShort { .. } => false,
    }
}

/// What the tree and the kernel of a recorded run may do although it is not enabled.
fn system_also(view: &WorldView<'_>, step: SystemStep) -> bool {
    let parent_serves = |actor: ActorId| {
        view.actor(actor).parent.is_some_and(|parent| is(view, parent, ActorFlags::SERVING))
    };
    match step {
        // A runtime waits for no acknowledgement before it reaps.
        SystemStep::Reap { actor } => is(view, actor, ActorFlags::ZOMBIE) && parent_serves(actor),
        // An orphan that has ended is still found among the children, and reaped afterwards.
        SystemStep::Adopt { actor } => is(view, actor, ActorFlags::UNFOUND) && parent_serves(actor),
        SystemStep::Deliver { .. }
        | SystemStep::TakeSignal { .. }
        | SystemStep::Expire { .. }
        | SystemStep::EndUserTask { .. }
        | SystemStep::Boot { .. }
        | SystemStep::SeeChildrenGone
        | SystemStep::ReadBaton { .. }
        | SystemStep::LosePrompt { .. }
        | SystemStep::AskForProgram { .. }
        | SystemStep::GiveForeground { .. }
        | SystemStep::FinishHost { .. }
        | SystemStep::Pass { .. } => false,
    }
}

fn is(view: &WorldView<'_>, actor: ActorId, flags: ActorFlags) -> bool {
    view.actor(actor).flags.contains(flags)
}

/// A trace is a file: an action in it may name an actor that is not in the tree.
fn names_known_actors(view: &WorldView<'_>, action: Action) -> bool {
    let known = |actor: ActorId| actor.index() < view.topology.config().tree.len();
    match action {
        Action::Environment(action) => action.actor().is_none_or(known),
        Action::System(step) => step.actors().into_iter().all(known),
    }
}
