//! What can happen in a recorded run.
//!
//! The explorer offers what is worth exploring: no deed that would change nothing, none beyond the
//! budget. Real programs and people do as they like, so a recorded run is asked for less: whether
//! the process is there, the message is next, the timer is armed. What the nodes make of it is the
//! same code, and judged the same.
//!
//! # Differences to what is offered
//! 1. Deeds need no budget and no script, and may come where they change nothing.
//! 2. A zombie is reaped whatever is unread, and may be adopted as one.

use super::enabled;
use crate::world::action::{Action, EnvironmentAction, SystemStep};
use crate::world::facts::{ActorFlags, WorldView};
use holdfast_protocol::ActorId;

/// Whether an action can happen in the scene, whoever wants it.
#[must_use]
pub fn can_happen(scene: &WorldView<'_>, action: Action) -> bool {
    match action {
        Action::Environment(deed) => deed_can_happen(scene, deed),
        Action::System(SystemStep::Reap { actor }) => {
            is(scene, actor, ActorFlags::ZOMBIE) && parent_serves(scene, actor)
        }
        Action::System(SystemStep::Adopt { actor }) => {
            is(scene, actor, ActorFlags::UNFOUND) && parent_serves(scene, actor)
        }
        Action::System(
            SystemStep::Deliver { .. }
            | SystemStep::TakeSignal { .. }
            | SystemStep::Expire { .. }
            | SystemStep::EndUserTask { .. }
            | SystemStep::Boot { .. }
            | SystemStep::SeeChildrenGone
            | SystemStep::ReadBaton { .. }
            | SystemStep::LosePrompt { .. }
            | SystemStep::Pass { .. },
        ) => {
            let mut actions = Vec::new();
            enabled(scene, &mut actions);
            actions.contains(&action)
        }
    }
}

fn deed_can_happen(scene: &WorldView<'_>, deed: EnvironmentAction) -> bool {
    let tree = &scene.topology.config().tree;
    let known = |actor: ActorId| actor.index() < tree.len();
    let above = |actor| known(actor).then(|| tree.supervisor(actor)).flatten();
    let runs_above =
        |actor| above(actor).is_some_and(|above| is(scene, above, ActorFlags::RUNNING));
    match deed {
        EnvironmentAction::Pause { actor }
        | EnvironmentAction::PauseShielded { actor }
        | EnvironmentAction::Provoke { actor, .. }
        | EnvironmentAction::FailUnexamined { actor, .. } => is(scene, actor, ActorFlags::RUNNING),
        EnvironmentAction::Answer { actor, .. } => {
            known(actor) && scene.actor(actor).prompt.is_some()
        }
        EnvironmentAction::CancelChild { actor } => runs_above(actor),
        EnvironmentAction::Interrupt => true,
        EnvironmentAction::Signal { actor, .. } | EnvironmentAction::Kill { actor } => {
            known(actor) && scene.actor(actor).alive()
        }
        EnvironmentAction::Die { actor, .. } => {
            known(actor) && (scene.actor(actor).alive() || is(scene, actor, ActorFlags::ZOMBIE))
        }
        EnvironmentAction::Cut { actor } => above(actor).is_some_and(|above| {
            let open = scene.link_up(actor).is_some_and(|link| link.up.open && link.down.open);
            open && scene.actor(actor).alive() && scene.actor(above).alive()
        }),
        EnvironmentAction::Spawn { actor } => {
            is(scene, actor, ActorFlags::LATER) && runs_above(actor)
        }
        EnvironmentAction::Appear { actor } => is(scene, actor, ActorFlags::LATER),
        EnvironmentAction::Vanish { actor } => {
            is(scene, actor, ActorFlags::ZOMBIE) && is(scene, actor, ActorFlags::UNFOUND)
        }
    }
}

fn is(scene: &WorldView<'_>, actor: ActorId, what: ActorFlags) -> bool {
    actor.index() < scene.topology.config().tree.len() && scene.actor(actor).flags.contains(what)
}

fn parent_serves(scene: &WorldView<'_>, actor: ActorId) -> bool {
    scene.actor(actor).parent.is_some_and(|parent| is(scene, parent, ActorFlags::SERVING))
}
