//! The guarded actions of one component: the accelerator's form of [`crate::world::enabled`], where
//! each guard has its reason.

use super::conditions::{ActionRank, Conditions, GuardedAction};
use crate::world::action::{EnvironmentAction, Fault, SystemStep};
use crate::world::begin::subject_of;
use crate::world::component::Component;
use crate::world::enabled::{action_of, can_be_over, concerns, is_met_by};
use crate::world::facts::{ActorFacts, ActorFlags, ComponentFacts, LinkFacts};
use crate::world::process::ProgramTerminal;
use crate::world::script::{Condition, ScriptStep};
use crate::world::shared::{BatonState, SharedEnvironment};
use crate::world::topology::Topology;
use holdfast_protocol::ladder::LadderRung;
use holdfast_protocol::policy::{LockRelease, TerminalReader};
use holdfast_protocol::{ActorId, Answer};

/// Finds every action that happens to a component, with its guard. `at` is the script's position.
pub fn guarded_actions_of(
    topology: &Topology,
    at: u8,
    component: Component,
    facts: &ComponentFacts,
    found: &mut impl FnMut(GuardedAction),
) {
    match (component, facts) {
        (Component::Actor(actor), ComponentFacts::Actor(own)) => {
            steps_of_actor(topology, actor, own, found);
            environment_on_actor(topology, at, actor, facts, found);
        }
        (Component::Link(link), ComponentFacts::Link(own)) => {
            let ends = topology.links()[usize::from(link)];
            deliveries(ends, own, found);
            fault(
                topology,
                at,
                Fault::Cut,
                EnvironmentAction::Cut { actor: ends.1 },
                (component, facts),
                found,
            );
        }
        (_, ComponentFacts::SharedEnvironment(shared)) => {
            steps_of_shared(topology, shared, found);
            fault(
                topology,
                at,
                Fault::Interrupt,
                EnvironmentAction::Interrupt,
                (component, facts),
                found,
            );
        }
        (component, _) => unreachable!("{component:?} has other facts"),
    }
    script_step(topology, at, (component, facts), found);
}

fn deliveries(ends: (ActorId, ActorId), facts: &LinkFacts, found: &mut impl FnMut(GuardedAction)) {
    let (upper, lower) = ends;
    for (lane, from, to) in [(facts.up, lower, upper), (facts.down, upper, lower)] {
        if lane.readable {
            let deliver =
                GuardedAction::step(ActionRank::Deliver, SystemStep::Deliver { from, to });
            found(deliver.requiring(Conditions::SERVES.one(to.index())));
        }
    }
}

fn steps_of_actor(
    topology: &Topology,
    actor: ActorId,
    facts: &ActorFacts,
    found: &mut impl FnMut(GuardedAction),
) {
    let root = topology.root();
    let step = |step| GuardedAction::step(ActionRank::Actor, step);
    for signal in &facts.pending {
        found(step(SystemStep::TakeSignal { actor, signal: *signal }));
    }
    if facts.flags.contains(ActorFlags::SERVING) {
        for timer in &facts.timers {
            found(step(SystemStep::Expire { actor, timer: *timer }));
        }
        if facts.flags.contains(ActorFlags::USER_TASK_ASKED) {
            found(step(SystemStep::EndUserTask { actor }));
        }
    }
    if facts.flags.contains(ActorFlags::BOOTING) && !topology.config().tree.is_program(actor) {
        found(step(SystemStep::Boot { actor }));
    }
    if let Some(parent) = facts.parent {
        let parent_serves = Conditions::SERVES.one(parent.index());
        if facts.flags.contains(ActorFlags::ZOMBIE) {
            // Where a message is the release, an actor stays until its `Done` was acknowledged
            // (upstream waits for `pdb_unlock_complete`), so none is lost by reaping.
            let unread = match topology.config().policy.release {
                LockRelease::BatonClosed => Conditions::empty(),
                LockRelease::DoneArrived => Conditions::UNREAD.one(actor.index()),
            };
            found(step(SystemStep::Reap { actor }).requiring(parent_serves).excluding(unread));
        }
        if facts.flags.contains(ActorFlags::ZOMBIE) && parent == root {
            // Whoever the dead root had adopted, or would have, init reaps.
            found(step(SystemStep::Reap { actor }).excluding(Conditions::ROOT_RUNS));
        }
        if facts.alive() && facts.flags.contains(ActorFlags::UNFOUND) {
            found(step(SystemStep::Adopt { actor }).requiring(parent_serves));
        }
    }
    if topology.config().policy.reader == TerminalReader::Root && facts.prompt.is_some() {
        let root_alive = Conditions::ALIVE.one(root.index());
        found(step(SystemStep::LosePrompt { actor }).excluding(root_alive));
    }
    steps_of_host(actor, facts, found);
    if actor == root && facts.flags.contains(ActorFlags::SWEEPING) {
        let gone = GuardedAction::step(ActionRank::Sweep, SystemStep::SeeChildrenGone);
        found(gone.excluding(Conditions::CHILD_OF_ROOT));
    }
}

fn steps_of_host(actor: ActorId, facts: &ActorFacts, found: &mut impl FnMut(GuardedAction)) {
    let step = |step| GuardedAction::step(ActionRank::Actor, step);
    let serves = facts.flags.contains(ActorFlags::SERVING);
    match facts.program {
        ProgramTerminal::Stopped if serves => found(step(SystemStep::AskForProgram { actor })),
        ProgramTerminal::Asked if facts.prompt.is_some() => {
            let give = step(SystemStep::GiveForeground { actor });
            found(give.requiring(Conditions::ROOT_RUNS));
        }
        ProgramTerminal::Gone if serves && !facts.flags.contains(ActorFlags::CANCELLED) => {
            found(step(SystemStep::FinishHost { actor }));
        }
        ProgramTerminal::NoProgram
        | ProgramTerminal::Away
        | ProgramTerminal::Stopped
        | ProgramTerminal::Asked
        | ProgramTerminal::GivenUp
        | ProgramTerminal::Reads
        | ProgramTerminal::Has
        | ProgramTerminal::Gone => {}
    }
}

fn steps_of_shared(
    topology: &Topology,
    shared: &SharedEnvironment,
    found: &mut impl FnMut(GuardedAction),
) {
    for (request, baton) in &shared.batons {
        if *baton == BatonState::Closed {
            let read =
                GuardedAction::step(ActionRank::Baton, SystemStep::ReadBaton { request: *request });
            found(read.requiring(Conditions::SERVES.one(topology.root().index())));
        }
    }
}

/// The next step of the script, if it happens to this component or waits for it.
fn script_step(
    topology: &Topology,
    at: u8,
    (component, facts): (Component, &ComponentFacts),
    found: &mut impl FnMut(GuardedAction),
) {
    let pass = |rank| GuardedAction::step(rank, SystemStep::Pass { at });
    match topology.config().script.step(at) {
        Some(ScriptStep::Do(action)) if subject_of(topology, action) == Some(component) => {
            possible(topology, ActionRank::Script, action, facts).into_iter().for_each(found);
        }
        None | Some(ScriptStep::Do(_)) => {}
        Some(ScriptStep::Until(condition)) => match (condition, component, facts) {
            (Condition::NoPrompt, Component::SharedEnvironment, _) => {
                found(pass(ActionRank::Script).excluding(Conditions::REQUEST));
            }
            (Condition::Quiet, Component::SharedEnvironment, _) => found(pass(ActionRank::Quiet)),
            (condition, Component::Actor(actor), ComponentFacts::Actor(own)) => {
                if is_met_by(topology, condition, actor, own) {
                    found(pass(ActionRank::Script));
                }
            }
            (_, Component::Link(_) | Component::SharedEnvironment | Component::Actor(_), _) => {}
        },
    }
}

/// What the environment may do to an actor of its own.
fn environment_on_actor(
    topology: &Topology,
    at: u8,
    actor: ActorId,
    facts: &ComponentFacts,
    found: &mut impl FnMut(GuardedAction),
) {
    let script = &topology.config().script;
    let mut free = |action| {
        possible(topology, ActionRank::Free, action, facts).into_iter().for_each(&mut *found)
    };
    let over = script.step(at).is_none();
    let program = topology.config().tree.program_of(actor);
    // A host gives the terminal back by itself.
    if over || program.is_some() {
        free(EnvironmentAction::Answer { actor, answer: Answer::Continue });
    }
    if let Some(actor) = program.filter(|_| over) {
        free(EnvironmentAction::Type { actor });
    }
    let spawn = EnvironmentAction::Spawn { actor };
    if !script.steps.contains(&ScriptStep::Do(spawn)) {
        free(spawn);
    }
    let component = Component::Actor(actor);
    for kind in Fault::ALL {
        if let (Some(action), ComponentFacts::Actor(own)) = (action_of(kind, actor), facts)
            && concerns(topology, kind, actor, own)
        {
            fault(topology, at, kind, action, (component, facts), found);
        }
    }
    for kind in [Fault::Read, Fault::TakeBack] {
        let program = topology.config().tree.program_of(actor);
        if let Some(action) = program.and_then(|program| action_of(kind, program)) {
            fault(topology, at, kind, action, (component, facts), found);
        }
    }
    for child in topology.config().tree.children(actor) {
        let action = EnvironmentAction::CancelChild { actor: child };
        fault(topology, at, Fault::CancelChild, action, (component, facts), found);
    }
}

/// An action that uses up a fault of the budget, unless it is the script's next step anyway.
fn fault(
    topology: &Topology,
    at: u8,
    fault: Fault,
    action: EnvironmentAction,
    (component, facts): (Component, &ComponentFacts),
    found: &mut impl FnMut(GuardedAction),
) {
    let next = topology.config().script.step(at) == Some(ScriptStep::Do(action));
    if subject_of(topology, action) == Some(component) && !next {
        let left = Conditions::BUDGET.one(fault as usize);
        let possible = possible(topology, ActionRank::Fault(fault), action, facts);
        possible.into_iter().map(|action| action.requiring(left)).for_each(found);
    }
}

/// The guard of what the environment does, unless the component that it happens to rules it out.
fn possible(
    topology: &Topology,
    rank: ActionRank,
    action: EnvironmentAction,
    facts: &ComponentFacts,
) -> Option<GuardedAction> {
    let guarded = GuardedAction::environment(rank, action);
    match facts {
        ComponentFacts::Actor(facts) => to_actor(topology, guarded, action, facts),
        ComponentFacts::Link(facts) => cut(topology, guarded, action, facts),
        ComponentFacts::SharedEnvironment(_) => Some(guarded.requiring(Conditions::INTERRUPTIBLE)),
    }
}

fn to_actor(
    topology: &Topology,
    guarded: GuardedAction,
    action: EnvironmentAction,
    facts: &ActorFacts,
) -> Option<GuardedAction> {
    let is = facts.flags;
    let (locally, requires) = match action {
        EnvironmentAction::Pause { .. } | EnvironmentAction::PauseShielded { .. } => {
            let free = !is.intersects(ActorFlags::USER_TASK_ENDED | ActorFlags::FAILING);
            (is.contains(ActorFlags::SERVING) && free, Conditions::empty())
        }
        EnvironmentAction::Answer { answer, .. } => {
            let open = facts.prompt.is_some() && can_be_over(facts.program, answer);
            (open, terminal_is_read(topology))
        }
        EnvironmentAction::Read { actor } => {
            let idle = [ProgramTerminal::Away, ProgramTerminal::Has].contains(&facts.program);
            (idle, Conditions::ALIVE.one(actor.index()))
        }
        EnvironmentAction::Type { actor } => {
            let alive = Conditions::ALIVE.one(actor.index());
            (facts.program == ProgramTerminal::Reads, alive | terminal_is_read(topology))
        }
        EnvironmentAction::TakeBack { .. } => {
            let has = facts.prompt.is_some() && facts.program == ProgramTerminal::Reads;
            (has, terminal_is_read(topology))
        }
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
        EnvironmentAction::Vanish { .. } => {
            (is.contains(ActorFlags::ZOMBIE | ActorFlags::UNFOUND), Conditions::empty())
        }
        EnvironmentAction::CutShort { .. } => {
            (is.contains(ActorFlags::RUNNING), Conditions::empty())
        }
        EnvironmentAction::Spawn { actor } => {
            let above = topology.config().tree.supervisor(actor)?;
            (is.contains(ActorFlags::LATER), Conditions::WILLING.one(above.index()))
        }
        EnvironmentAction::Interrupt | EnvironmentAction::Cut { .. } => {
            unreachable!("{action:?} happens to no actor")
        }
    };
    locally.then(|| guarded.requiring(requires))
}

/// What must be so for somebody to read the person's terminal.
fn terminal_is_read(topology: &Topology) -> Conditions {
    match topology.config().policy.reader {
        TerminalReader::Root => Conditions::ROOT_RUNS,
        TerminalReader::Holder => Conditions::empty(),
    }
}

fn cut(
    topology: &Topology,
    guarded: GuardedAction,
    action: EnvironmentAction,
    facts: &LinkFacts,
) -> Option<GuardedAction> {
    let actor = action.actor()?;
    let above = topology.config().tree.supervisor(actor)?;
    let alive = Conditions::ALIVE.one(actor.index()) | Conditions::ALIVE.one(above.index());
    let linked = !topology.config().tree.is_program(actor);
    (linked && facts.up.open && facts.down.open).then(|| guarded.requiring(alive))
}
