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
use crate::world::action::{Action, Deed, Move};
use crate::world::facts::{Is, Scene};
use holdfast_protocol::ActorId;

/// Whether an action can happen in the scene, whoever wants it.
#[must_use]
pub fn can_happen(scene: &Scene<'_>, action: Action) -> bool {
    match action {
        Action::Deed(deed) => deed_can_happen(scene, deed),
        Action::Move(Move::Reap { actor }) => {
            is(scene, actor, Is::ZOMBIE) && parent_serves(scene, actor)
        }
        Action::Move(Move::Adopt { actor }) => {
            is(scene, actor, Is::UNFOUND) && parent_serves(scene, actor)
        }
        Action::Move(
            Move::Deliver { .. }
            | Move::TakeSignal { .. }
            | Move::Expire { .. }
            | Move::EndBody { .. }
            | Move::Boot { .. }
            | Move::SeeChildrenGone
            | Move::ReadBaton { .. }
            | Move::LosePrompt { .. }
            | Move::Pass { .. },
        ) => {
            let mut actions = Vec::new();
            enabled(scene, &mut actions);
            actions.contains(&action)
        }
    }
}

fn deed_can_happen(scene: &Scene<'_>, deed: Deed) -> bool {
    let tree = &scene.topology.config().tree;
    let known = |actor: ActorId| actor.index() < tree.len();
    let above = |actor| known(actor).then(|| tree.supervisor(actor)).flatten();
    let runs_above = |actor| above(actor).is_some_and(|above| is(scene, above, Is::RUNNING));
    match deed {
        Deed::Pause { actor }
        | Deed::PauseShielded { actor }
        | Deed::Provoke { actor, .. }
        | Deed::FailUnexamined { actor, .. } => is(scene, actor, Is::RUNNING),
        Deed::Answer { actor, .. } => known(actor) && scene.actor(actor).prompt.is_some(),
        Deed::CancelChild { actor } => runs_above(actor),
        Deed::Interrupt => true,
        Deed::Signal { actor, .. } | Deed::Kill { actor } => {
            known(actor) && scene.actor(actor).alive()
        }
        Deed::Die { actor, .. } => {
            known(actor) && (scene.actor(actor).alive() || is(scene, actor, Is::ZOMBIE))
        }
        Deed::Cut { actor } => above(actor).is_some_and(|above| {
            let open = scene.link_up(actor).is_some_and(|link| link.up.open && link.down.open);
            open && scene.actor(actor).alive() && scene.actor(above).alive()
        }),
        Deed::Spawn { actor } => is(scene, actor, Is::LATER) && runs_above(actor),
        Deed::Appear { actor } => is(scene, actor, Is::LATER),
        Deed::Vanish { actor } => is(scene, actor, Is::ZOMBIE) && is(scene, actor, Is::UNFOUND),
    }
}

fn is(scene: &Scene<'_>, actor: ActorId, what: Is) -> bool {
    actor.index() < scene.topology.config().tree.len() && scene.actor(actor).is.contains(what)
}

fn parent_serves(scene: &Scene<'_>, actor: ActorId) -> bool {
    scene.actor(actor).parent.is_some_and(|parent| is(scene, parent, Is::SERVING))
}
