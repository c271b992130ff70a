//! Which actions are possible in a scene, and the inputs with which each begins.

use super::action::{Action, Deed, Fault, Move};
use super::config::Placement;
use super::facts::{ActorFacts, Is, Scene};
use super::link::LinkInput;
use super::part::{ActorInput, Part, PartInput};
use super::room::{Baton, RoomInput};
use super::script::{Condition, ScriptStep};
use crate::protocol::policy::{Reader, Release};
use crate::protocol::{ActorId, Answer, Cause, Input, Origin, RequestId, Shielding, Signal};

/// Appends every action that is possible in the scene, in a fixed order.
pub fn enabled(scene: &Scene<'_>, actions: &mut Vec<Action>) {
    moves(scene, actions);
    let over = script_moves(scene, actions);
    deeds(scene, over, actions);
}

/// Whether the script has come to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ScriptIs {
    Over,
    UnderWay,
}

fn moves(scene: &Scene<'_>, actions: &mut Vec<Action>) {
    for ((upper, lower), link) in scene.links() {
        if link.up.readable && scene.actor(upper).is.contains(Is::SERVING) {
            actions.push(Action::Move(Move::Deliver { from: lower, to: upper }));
        }
        if link.down.readable && scene.actor(lower).is.contains(Is::SERVING) {
            actions.push(Action::Move(Move::Deliver { from: upper, to: lower }));
        }
    }
    for (actor, facts) in scene.actors() {
        actor_moves(scene, actor, facts, actions);
    }
    if scene.root().is.contains(Is::SERVING) {
        for (request, baton) in &scene.room().batons {
            if *baton == Baton::Closed {
                actions.push(Action::Move(Move::ReadBaton { request: *request }));
            }
        }
    }
    if scene.root().is.contains(Is::SWEEPING) && childless(scene) {
        actions.push(Action::Move(Move::SeeChildrenGone));
    }
}

fn childless(scene: &Scene<'_>) -> bool {
    scene.actors().all(|(_, facts)| facts.parent != Some(scene.topology.root()))
}

fn actor_moves(scene: &Scene<'_>, actor: ActorId, facts: &ActorFacts, actions: &mut Vec<Action>) {
    for signal in &facts.pending {
        actions.push(Action::Move(Move::TakeSignal { actor, signal: *signal }));
    }
    if facts.is.contains(Is::SERVING) {
        for timer in &facts.timers {
            actions.push(Action::Move(Move::Expire { actor, timer: *timer }));
        }
        if facts.is.contains(Is::BODY_ASKED) {
            actions.push(Action::Move(Move::EndBody { actor }));
        }
    }
    if facts.is.contains(Is::BOOTING) {
        actions.push(Action::Move(Move::Boot { actor }));
    }
    let parent_serves =
        facts.parent.is_some_and(|parent| scene.actor(parent).is.contains(Is::SERVING));
    // Whoever the dead root had adopted, or would have, init reaps.
    let init_reaps =
        facts.parent == Some(scene.topology.root()) && !scene.root().is.contains(Is::RUNNING);
    let reaped = init_reaps || (parent_serves && said_all(scene, actor));
    if facts.is.contains(Is::ZOMBIE) && reaped {
        actions.push(Action::Move(Move::Reap { actor }));
    }
    if facts.alive() && facts.is.contains(Is::UNFOUND) && parent_serves {
        actions.push(Action::Move(Move::Adopt { actor }));
    }
    let root_reads = scene.topology.config().policy.reader == Reader::Root;
    if root_reads && facts.prompt.is_some() && !scene.root().alive() {
        actions.push(Action::Move(Move::LosePrompt { actor }));
    }
}

/// Whether a supervisor may reap: where a message is the release, an actor stays until its
/// `Done` was acknowledged (upstream waits for `pdb_unlock_complete`), so none is lost by reaping.
fn said_all(scene: &Scene<'_>, actor: ActorId) -> bool {
    match scene.topology.config().policy.release {
        Release::BatonClosed => true,
        Release::DoneArrived => {
            scene.links().all(|((_, lower), link)| lower != actor || !link.up.readable)
        }
    }
}

/// The next step of the script, if it is possible now.
fn script_moves(scene: &Scene<'_>, actions: &mut Vec<Action>) -> ScriptIs {
    let at = scene.room().at;
    match scene.topology.config().script.step(at) {
        None => return ScriptIs::Over,
        Some(ScriptStep::Do(deed)) if possible(scene, deed) => actions.push(Action::Deed(deed)),
        Some(ScriptStep::Until(condition)) if is_so(scene, condition) => {
            actions.push(Action::Move(Move::Pass { at }));
        }
        Some(ScriptStep::Do(_) | ScriptStep::Until(_)) => {}
    }
    ScriptIs::UnderWay
}

fn is_so(scene: &Scene<'_>, condition: Condition) -> bool {
    match condition {
        Condition::PromptOpen(actor) => scene.actor(actor).prompt.is_some(),
        Condition::Waiting(actor) => scene.actor(actor).is.contains(Is::WAITING),
        Condition::NoPrompt => !scene.request_outstanding(),
        Condition::Ended(actor) => {
            !scene.actor(actor).alive() && !scene.actor(actor).is.contains(Is::LATER)
        }
        Condition::Cancelled(actor) => scene.actor(actor).is.contains(Is::CANCELLED),
        Condition::TearingDown(actor) => scene.actor(actor).is.contains(Is::TEARING_DOWN),
        Condition::Running(actor) => scene.actor(actor).is.contains(Is::RUNNING),
        Condition::Quiet => {
            let mut under_way = Vec::new();
            moves(scene, &mut under_way);
            under_way.is_empty()
        }
    }
}

/// Whether the environment can do it now.
fn possible(scene: &Scene<'_>, deed: Deed) -> bool {
    let is = |actor: ActorId| scene.actor(actor).is;
    match deed {
        Deed::Pause { actor } | Deed::PauseShielded { actor } => {
            is(actor).contains(Is::SERVING) && !is(actor).intersects(Is::BODY_ENDED | Is::FAILING)
        }
        Deed::Answer { actor, .. } => {
            let listens = match scene.topology.config().policy.reader {
                Reader::Root => scene.root().is.contains(Is::RUNNING),
                Reader::Holder => true,
            };
            scene.actor(actor).prompt.is_some() && listens
        }
        Deed::Provoke { actor, .. } => {
            is(actor).contains(Is::SERVING) && !is(actor).intersects(Is::CANCELLED | Is::FAILING)
        }
        Deed::Interrupt => scene.actors().any(|(actor, facts)| {
            facts.alive()
                && in_foreground(scene, actor)
                && !facts.pending.contains(&Signal::Interrupt)
        }),
        Deed::Signal { actor, .. } | Deed::Kill { actor } => scene.actor(actor).alive(),
        Deed::Cut { actor } => scene.link_up(actor).is_some_and(|link| {
            let above = scene.topology.config().tree.supervisor(actor);
            let alive = above.is_some_and(|above| scene.actor(above).alive());
            link.up.open && link.down.open && alive && scene.actor(actor).alive()
        }),
        Deed::Spawn { actor } => {
            let above = scene.topology.config().tree.supervisor(actor);
            let willing =
                |above| is(above).contains(Is::SERVING) && !is(above).intersects(Is::CANCELLED);
            is(actor).contains(Is::LATER) && above.is_some_and(willing)
        }
    }
}

fn in_foreground(scene: &Scene<'_>, actor: ActorId) -> bool {
    match scene.topology.config().placement {
        Placement::SharedGroup => true,
        Placement::OwnSession => actor == scene.topology.root(),
    }
}

/// What the environment may do of its own: within the budget, and what is always free.
fn deeds(scene: &Scene<'_>, script: ScriptIs, actions: &mut Vec<Action>) {
    let config = scene.topology.config();
    let next = config.script.step(scene.room().at);
    let mut offer = |deed: Deed| {
        // The script's own next step is offered already.
        if next != Some(ScriptStep::Do(deed)) && possible(scene, deed) {
            actions.push(Action::Deed(deed));
        }
    };
    for (actor, facts) in scene.actors() {
        if facts.prompt.is_some() && script == ScriptIs::Over {
            offer(Deed::Answer { actor, answer: Answer::Continue });
        }
        let spawn = Deed::Spawn { actor };
        if facts.is.contains(Is::LATER) && !config.script.steps.contains(&ScriptStep::Do(spawn)) {
            offer(spawn);
        }
    }
    for fault in Fault::ALL {
        if scene.room().budget.left(fault) > 0 {
            match fault {
                Fault::Interrupt => offer(Deed::Interrupt),
                _ => scene
                    .actors()
                    .filter(|(actor, facts)| concerns(scene, fault, *actor, facts))
                    .filter_map(|(actor, _)| deed_of(fault, actor))
                    .for_each(&mut offer),
            }
        }
    }
}

/// The deed that a fault is, done to one actor. A Ctrl-C is done to no actor.
fn deed_of(fault: Fault, actor: ActorId) -> Option<Deed> {
    match fault {
        Fault::Request => Some(Deed::Pause { actor }),
        Fault::Shielded => Some(Deed::PauseShielded { actor }),
        Fault::Interrupt => None,
        Fault::InterruptOne => Some(Deed::Signal { actor, signal: Signal::Interrupt }),
        Fault::Error => Some(Deed::Provoke { actor, cause: Cause::Failed }),
        Fault::Quit => Some(Deed::Answer { actor, answer: Answer::Quit }),
        Fault::Cancel => Some(Deed::Provoke { actor, cause: Cause::Requested }),
        Fault::Kill | Fault::KillRoot => Some(Deed::Kill { actor }),
        Fault::Stop => Some(Deed::Signal { actor, signal: Signal::Terminate }),
        Fault::Cut => Some(Deed::Cut { actor }),
    }
}

/// The fault that a deed of the environment's own uses up.
fn fault_of(scene: &Scene<'_>, deed: Deed) -> Option<Fault> {
    let root = scene.topology.root();
    match deed {
        Deed::Pause { .. } => Some(Fault::Request),
        Deed::PauseShielded { .. } => Some(Fault::Shielded),
        Deed::Answer { answer: Answer::Quit, .. } => Some(Fault::Quit),
        Deed::Answer { .. } | Deed::Spawn { .. } => None,
        Deed::Provoke { cause: Cause::Failed, .. } => Some(Fault::Error),
        Deed::Provoke { .. } => Some(Fault::Cancel),
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
fn concerns(scene: &Scene<'_>, fault: Fault, actor: ActorId, facts: &ActorFacts) -> bool {
    let root = actor == scene.topology.root();
    let admits = !facts.is.intersects(Is::ORPHAN | Is::FORCED | Is::STOPPING);
    match fault {
        Fault::Request => admits && !facts.is.contains(Is::CANCELLED),
        Fault::Shielded => admits,
        Fault::InterruptOne => !facts.pending.contains(&Signal::Interrupt),
        Fault::Stop => root && !facts.pending.contains(&Signal::Terminate),
        Fault::KillRoot => root,
        Fault::Kill | Fault::Cut => !root,
        Fault::Interrupt | Fault::Error | Fault::Quit | Fault::Cancel => true,
    }
}

/// Appends what an action begins with, in order.
pub fn begin(scene: &Scene<'_>, action: Action, begun: &mut Vec<Begun>) {
    let mut handle = |actor, input| begun.push(to_actor(actor, ActorInput::Handle(input)));
    match action {
        Action::Deed(deed) => {
            let script = &scene.topology.config().script;
            if script.step(scene.room().at) == Some(ScriptStep::Do(deed)) {
                begun.push((Part::Room, RoomInput::Advance.into()));
            } else if let Some(fault) = fault_of(scene, deed) {
                begun.push((Part::Room, RoomInput::Spend(fault).into()));
            }
            begin_deed(scene, deed, begun);
        }
        Action::Move(tree_move) => match tree_move {
            Move::Deliver { from, to } => {
                let (link, end) = scene.topology.link(to, from);
                begun.push((Part::Link(link), LinkInput::Read(end).into()));
            }
            Move::TakeSignal { actor, signal } => {
                begun.push(to_actor(actor, ActorInput::Take(signal)));
            }
            Move::Expire { actor, timer } => handle(actor, Input::Expired { timer }),
            Move::EndBody { actor } => handle(actor, Input::BodyEnded),
            Move::Boot { actor } => begun.push(to_actor(actor, ActorInput::Boot)),
            Move::Reap { actor } => begin_reap(scene, actor, begun),
            Move::Adopt { actor } => {
                begun.push(to_actor(actor, ActorInput::Find));
                let found = ActorInput::Handle(Input::Adopted { child: actor });
                begun.push(to_actor(scene.topology.root(), found));
            }
            Move::SeeChildrenGone => handle(scene.topology.root(), Input::ChildrenGone),
            Move::ReadBaton { request } => {
                begun.push((Part::Room, RoomInput::ReadBaton(request).into()));
                let read = ActorInput::Handle(Input::BatonClosed { request });
                begun.push(to_actor(scene.topology.root(), read));
            }
            Move::LosePrompt { actor } => {
                handle(actor, answered(scene, actor, Answer::Hangup));
            }
            Move::Pass { .. } => begun.push((Part::Room, RoomInput::Advance.into())),
        },
    }
}

/// A part and the input with which an action begins there.
pub type Begun = (Part, PartInput);

fn to_actor(actor: ActorId, input: ActorInput) -> Begun {
    (Part::Actor(actor), input.into())
}

fn answered(scene: &Scene<'_>, actor: ActorId, answer: Answer) -> Input {
    let open: Option<RequestId> = scene.actor(actor).prompt;
    Input::Answered { request: open.expect("only an open prompt is answered"), answer }
}

fn begin_reap(scene: &Scene<'_>, actor: ActorId, begun: &mut Vec<Begun>) {
    let status = scene.actor(actor).zombie.expect("only a zombie is reaped");
    let parent = scene.actor(actor).parent.expect("a zombie below init is gone");
    begun.push(to_actor(actor, ActorInput::Reap));
    if scene.topology.config().tree.supervisor(actor) == Some(parent) {
        let (link, _) = scene.topology.link(actor, parent);
        begun.push((Part::Link(link), LinkInput::Abandon.into()));
    }
    begun.push(to_actor(parent, ActorInput::Handle(Input::Exited { child: actor, status })));
}

fn begin_deed(scene: &Scene<'_>, deed: Deed, begun: &mut Vec<Begun>) {
    let handle = |actor, input| to_actor(actor, ActorInput::Handle(input));
    match deed {
        Deed::Pause { actor } => {
            begun.push(handle(actor, Input::Pause { shielding: Shielding::Plain }));
        }
        Deed::PauseShielded { actor } => {
            begun.push(handle(actor, Input::Pause { shielding: Shielding::Shielded }));
        }
        Deed::Answer { actor, answer } => {
            begun.push(handle(actor, answered(scene, actor, answer)));
        }
        Deed::Provoke { actor, cause } => begun.push(handle(actor, Input::Cancel { cause })),
        Deed::Interrupt => {
            for (actor, facts) in scene.actors() {
                if facts.alive() && in_foreground(scene, actor) {
                    let pend = ActorInput::Pend(Signal::Interrupt, Origin::Terminal);
                    begun.push(to_actor(actor, pend));
                }
            }
        }
        Deed::Signal { actor, signal } => {
            begun.push(to_actor(actor, ActorInput::Pend(signal, Origin::Process)));
        }
        Deed::Kill { actor } => begun.push(to_actor(actor, ActorInput::Kill)),
        Deed::Cut { actor } => {
            let link = scene.topology.link_up(actor).expect("only an actor below the root is cut");
            begun.push((Part::Link(link), LinkInput::Cut.into()));
        }
        Deed::Spawn { actor } => {
            let above = scene.topology.config().tree.supervisor(actor).expect("not the root");
            begun.push(to_actor(actor, ActorInput::Start));
            begun.push(handle(above, Input::Spawned { child: actor }));
        }
    }
}
