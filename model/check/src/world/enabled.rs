//! What can happen next, kind by kind: each action with its guard in plain words.
//!
//! ```text
//!     steps of the tree, the kernel and time:  candidates, each kept if `can_step`
//!     the script's next step:                  if `can_step` or `can_do`
//!     the environment:                         what it is always free to do, and the faults that
//!                                              the budget has left, each kept if `can_do`
//! ```
//!
//! `tests/enabled.rs` holds the accelerator of the explorer ([`crate::explore::conditions`]) equal
//! to [`enabled`], order included. A recorded run may do more: [`super::recorded`].

use super::action::{Action, EnvironmentAction, Fault, SystemStep};
use super::begin::subject_of;
use super::facts::{ActorFacts, ActorFlags, WorldView};
use super::program::ProgramTerminal;
pub(crate) use super::program::can_be_over;
use super::script::{Condition, ScriptStep};
use super::shared::BatonState;
use super::topology::Topology;
use holdfast_protocol::ladder::LadderRung;
use holdfast_protocol::policy::{LockRelease, TerminalReader};
use holdfast_protocol::{ActorId, Answer, Cause, Placement, Signal};

/// Every action that is enabled, in a fixed order.
#[must_use]
pub fn enabled(view: &WorldView<'_>) -> Vec<Action> {
    let script = view.topology.config().script.step(view.shared().at);
    let can_do = |action: &EnvironmentAction| can_do(view, *action);
    let mut actions: Vec<_> = possible_steps(view).into_iter().map(Action::System).collect();
    match script {
        Some(ScriptStep::Until(_)) => {
            let pass = SystemStep::Pass { at: view.shared().at };
            actions.extend(can_step(view, pass).then_some(Action::System(pass)));
        }
        Some(ScriptStep::Do(next)) => {
            actions.extend(can_do(&next).then_some(Action::Environment(next)));
        }
        None => {}
    }
    let free = free_actions(view).into_iter().chain(faults(view));
    actions.extend(free.filter(can_do).map(Action::Environment));
    actions
}

/// The steps of the tree, the kernel and time that are enabled; the script's aside.
fn possible_steps(view: &WorldView<'_>) -> Vec<SystemStep> {
    let mut steps = Vec::new();
    for (upper, lower) in view.topology.links().iter().copied() {
        steps.push(SystemStep::Deliver { from: lower, to: upper });
        steps.push(SystemStep::Deliver { from: upper, to: lower });
    }
    for (actor, facts) in view.actors() {
        steps.extend(
            facts.pending.iter().map(|signal| SystemStep::TakeSignal { actor, signal: *signal }),
        );
        steps.extend(facts.timers.iter().map(|timer| SystemStep::Expire { actor, timer: *timer }));
        steps.extend([
            SystemStep::EndUserTask { actor },
            SystemStep::Boot { actor },
            SystemStep::Reap { actor },
            SystemStep::Adopt { actor },
            SystemStep::LosePrompt { actor },
            SystemStep::AskForProgram { actor },
            SystemStep::GiveForeground { actor },
            SystemStep::FinishHost { actor },
        ]);
    }
    let batons = view.shared().batons.keys();
    steps.extend(batons.map(|request| SystemStep::ReadBaton { request: *request }));
    steps.push(SystemStep::SeeChildrenGone);
    steps.retain(|step| can_step(view, *step));
    steps
}

/// Whether the tree, the kernel or time can take a step.
#[must_use]
pub fn can_step(view: &WorldView<'_>, step: SystemStep) -> bool {
    match step {
        // What has arrived is read by whoever serves; a frozen actor reads nothing.
        SystemStep::Deliver { from, to } => serves(view, to) && view.readable(from, to),
        // A handler of signals runs even where a prompt freezes the actor.
        SystemStep::TakeSignal { actor, signal } => view.actor(actor).pending.contains(&signal),
        // Time is not modelled: an armed timer fires whenever it likes.
        SystemStep::Expire { actor, timer } => {
            serves(view, actor) && view.actor(actor).timers.contains(&timer)
        }
        // A user task ends of itself once it was told to.
        SystemStep::EndUserTask { actor } => {
            serves(view, actor) && is(view, actor, ActorFlags::USER_TASK_ASKED)
        }
        // A program never listens.
        SystemStep::Boot { actor } => {
            is(view, actor, ActorFlags::BOOTING) && !view.topology.config().tree.is_program(actor)
        }
        SystemStep::Reap { actor } => {
            is(view, actor, ActorFlags::ZOMBIE) && is_reaped_by_somebody(view, actor)
        }
        // The kernel has made the orphan the root's child; what has ended is reaped without that.
        SystemStep::Adopt { actor } => {
            let facts = view.actor(actor);
            facts.alive() && facts.flags.contains(ActorFlags::UNFOUND) && parent_serves(view, actor)
        }
        SystemStep::SeeChildrenGone => {
            let root = view.topology.root();
            is(view, root, ActorFlags::SWEEPING)
                && view.actors().all(|(_, facts)| facts.parent != Some(root))
        }
        // The root reads end of file once the last copy of the baton is closed.
        SystemStep::ReadBaton { request } => {
            serves(view, view.topology.root())
                && view.shared().batons.get(&request) == Some(&BatonState::Closed)
        }
        // The root reads the terminal for the holder, so a prompt ends with the root's process.
        SystemStep::LosePrompt { actor } => {
            reads_terminal(view) == TerminalReader::Root
                && view.actor(actor).prompt.is_some()
                && !view.root().alive()
        }
        SystemStep::AskForProgram { actor } => {
            serves(view, actor) && view.actor(actor).program == ProgramTerminal::Stopped
        }
        // The root says that the terminal is the program's, and so must be there.
        SystemStep::GiveForeground { actor } => {
            let facts = view.actor(actor);
            let granted = facts.prompt.is_some() && facts.program == ProgramTerminal::Asked;
            granted && is(view, view.topology.root(), ActorFlags::RUNNING)
        }
        SystemStep::FinishHost { actor } => {
            let gone = view.actor(actor).program == ProgramTerminal::Gone;
            gone && serves(view, actor) && !is(view, actor, ActorFlags::CANCELLED)
        }
        SystemStep::Pass { at } => {
            at == view.shared().at
                && match view.topology.config().script.step(at) {
                    Some(ScriptStep::Until(condition)) => is_met(view, condition),
                    Some(ScriptStep::Do(_)) | None => false,
                }
        }
    }
}

/// Whether somebody is there to reap a zombie.
fn is_reaped_by_somebody(view: &WorldView<'_>, zombie: ActorId) -> bool {
    let root = view.topology.root();
    let parent = view.actor(zombie).parent;
    // Whoever the dead root had adopted, or would have, init reaps.
    let by_init = parent == Some(root) && !is(view, root, ActorFlags::RUNNING);
    // Where a message is the release, upstream waits for `pdb_unlock_complete` before it ends.
    let heard = match view.topology.config().policy.release {
        LockRelease::BatonClosed => true,
        LockRelease::DoneArrived => {
            !view.links().any(|((_, lower), link)| lower == zombie && link.up.readable)
        }
    };
    by_init || (parent_serves(view, zombie) && heard)
}

/// Whether what the script waits for is so.
fn is_met(view: &WorldView<'_>, condition: Condition) -> bool {
    match condition {
        Condition::NoPrompt => !view.request_outstanding(),
        Condition::Quiet => possible_steps(view).is_empty(),
        Condition::PromptOpen(actor)
        | Condition::Waiting(actor)
        | Condition::Ended(actor)
        | Condition::Cancelled(actor)
        | Condition::TearingDown(actor)
        | Condition::Running(actor) => {
            is_met_by(view.topology, condition, actor, view.actor(actor))
        }
        Condition::Stopped(program) | Condition::Foreground(program) => {
            let host = view.topology.config().tree.supervisor(program);
            host.is_some_and(|host| is_met_by(view.topology, condition, host, view.actor(host)))
        }
    }
}

/// Whether an actor is what the script waits for, or the program of a host is.
pub(crate) fn is_met_by(
    topology: &Topology,
    condition: Condition,
    actor: ActorId,
    facts: &ActorFacts,
) -> bool {
    let hosts = |program| topology.config().tree.program_of(actor) == Some(program);
    let (whom, is) = match condition {
        Condition::PromptOpen(whom) => (whom, facts.prompt.is_some()),
        Condition::Waiting(whom) => (whom, facts.flags.contains(ActorFlags::WAITING)),
        Condition::Ended(whom) => {
            (whom, !facts.alive() && !facts.flags.contains(ActorFlags::LATER))
        }
        Condition::Cancelled(whom) => (whom, facts.flags.contains(ActorFlags::CANCELLED)),
        Condition::TearingDown(whom) => (whom, facts.flags.contains(ActorFlags::TEARING_DOWN)),
        Condition::Running(whom) => (whom, facts.flags.contains(ActorFlags::RUNNING)),
        Condition::Stopped(program) => {
            let stopped =
                [ProgramTerminal::Stopped, ProgramTerminal::Asked, ProgramTerminal::GivenUp];
            return hosts(program) && stopped.contains(&facts.program);
        }
        Condition::Foreground(program) => {
            let has = [ProgramTerminal::Reads, ProgramTerminal::Has];
            return hosts(program) && has.contains(&facts.program);
        }
        Condition::NoPrompt | Condition::Quiet => return false,
    };
    whom == actor && is
}

/// Whether the environment can do something, budget and script aside.
#[must_use]
pub fn can_do(view: &WorldView<'_>, action: EnvironmentAction) -> bool {
    let supervisor = |actor| view.topology.config().tree.supervisor(actor);
    match action {
        // A task must be there to hit the breakpoint; while an actor examines its failure, and
        // once its user task has ended, none is.
        EnvironmentAction::Pause { actor } | EnvironmentAction::PauseShielded { actor } => {
            let over = ActorFlags::USER_TASK_ENDED | ActorFlags::FAILING;
            serves(view, actor) && !is_any(view, actor, over)
        }
        // The person types at the terminal, which somebody must read.
        EnvironmentAction::Answer { actor, answer } => {
            let facts = view.actor(actor);
            facts.prompt.is_some() && terminal_is_read(view) && can_be_over(facts.program, answer)
        }
        EnvironmentAction::Read { .. }
        | EnvironmentAction::Type { .. }
        | EnvironmentAction::TakeBack { .. } => can_do_at_terminal(view, action),
        // An actor that was told to end, or examines its failure, has its cause already.
        EnvironmentAction::Provoke { actor, .. } => {
            let caused = ActorFlags::CANCELLED | ActorFlags::FAILING;
            serves(view, actor) && !is_any(view, actor, caused)
        }
        // This cuts an examination short.
        EnvironmentAction::FailUnexamined { actor, .. } => {
            serves(view, actor) && !is(view, actor, ActorFlags::CANCELLED)
        }
        // A supervisor asks a child that it has not asked before.
        EnvironmentAction::CancelChild { actor } => supervisor(actor).is_some_and(|above| {
            let rungs = &view.actor(above).rungs;
            let unasked = |(child, rung, _): &(ActorId, LadderRung, _)| {
                *child == actor && *rung < LadderRung::Cancel
            };
            serves(view, above) && rungs.iter().any(unasked)
        }),
        // A Ctrl-C that finds one pending everywhere changes nothing.
        EnvironmentAction::Interrupt => view.actors().any(|(actor, facts)| {
            let reached = in_foreground(view.topology, actor) && facts.alive();
            reached && !facts.pending.contains(&Signal::Interrupt)
        }),
        EnvironmentAction::Signal { actor, .. }
        | EnvironmentAction::Kill { actor }
        | EnvironmentAction::Die { actor, .. } => view.actor(actor).alive(),
        EnvironmentAction::Cut { actor } => supervisor(actor).is_some_and(|above| {
            let linked = !view.topology.config().tree.is_program(actor);
            let open = view.link_up(actor).is_some_and(|link| link.up.open && link.down.open);
            linked && open && view.actor(actor).alive() && view.actor(above).alive()
        }),
        // A supervisor that ends starts nobody.
        EnvironmentAction::Spawn { actor } => supervisor(actor).is_some_and(|above| {
            is(view, actor, ActorFlags::LATER)
                && serves(view, above)
                && !is(view, above, ActorFlags::CANCELLED)
        }),
        EnvironmentAction::Appear { actor } => is(view, actor, ActorFlags::LATER),
        // Only what the root has not found can be gone behind its back.
        EnvironmentAction::Vanish { actor } => {
            is(view, actor, ActorFlags::ZOMBIE | ActorFlags::UNFOUND)
        }
        EnvironmentAction::CutShort { actor, .. } => is(view, actor, ActorFlags::RUNNING),
    }
}

/// Whether a program can read, be typed to, or lose the terminal.
fn can_do_at_terminal(view: &WorldView<'_>, action: EnvironmentAction) -> bool {
    let Some(program) = action.actor() else { return false };
    let Some(host) = host_of(view, program) else { return false };
    let reads = host.program == ProgramTerminal::Reads && terminal_is_read(view);
    let alive = view.actor(program).alive();
    match action {
        // A program reads as long as it is there, whatever its host does.
        EnvironmentAction::Read { .. } => {
            alive && [ProgramTerminal::Away, ProgramTerminal::Has].contains(&host.program)
        }
        EnvironmentAction::Type { .. } => alive && reads,
        _ => reads && host.prompt.is_some(),
    }
}

/// What the environment needs no budget for: the person's answer once the script is over, what a host
/// gives back by itself, and every start of an actor that the script does not time.
fn free_actions(view: &WorldView<'_>) -> Vec<EnvironmentAction> {
    let script = &view.topology.config().script;
    let mut free = Vec::new();
    for actor in view.topology.actors() {
        let over = script.step(view.shared().at).is_none();
        let program = view.topology.config().tree.program_of(actor);
        if over || program.is_some() {
            free.push(EnvironmentAction::Answer { actor, answer: Answer::Continue });
        }
        let types = program.filter(|_| over);
        free.extend(types.map(|actor| EnvironmentAction::Type { actor }));
        let spawn = EnvironmentAction::Spawn { actor };
        if !script.steps.contains(&ScriptStep::Do(spawn)) {
            free.push(spawn);
        }
    }
    free
}

/// What the budget has left, wherever it changes something. The script's next step uses up no
/// budget, so it is not here as well.
fn faults(view: &WorldView<'_>) -> Vec<EnvironmentAction> {
    let (topology, shared) = (view.topology, view.shared());
    let next = topology.config().script.step(shared.at);
    let left = Fault::ALL.into_iter().filter(|fault| shared.budget.left(*fault) > 0);
    let actions = left.flat_map(|fault| match fault {
        Fault::Interrupt => vec![EnvironmentAction::Interrupt],
        Fault::CancelChild => {
            let tree = &topology.config().tree;
            let children = topology.actors().flat_map(|above| tree.children(above));
            children.map(|actor| EnvironmentAction::CancelChild { actor }).collect()
        }
        Fault::Request
        | Fault::Shielded
        | Fault::InterruptOne
        | Fault::Error
        | Fault::ErrorUnexamined
        | Fault::Quit
        | Fault::Cancel
        | Fault::Kill
        | Fault::KillRoot
        | Fault::Stop
        | Fault::Cut => {
            let struck = view.actors().filter(|(id, facts)| concerns(topology, fault, *id, facts));
            struck.filter_map(|(actor, _)| action_of(fault, actor)).collect()
        }
        Fault::Read | Fault::TakeBack => {
            let tree = &topology.config().tree;
            let programs = topology.actors().filter_map(|host| tree.program_of(host));
            programs.filter_map(|program| action_of(fault, program)).collect()
        }
    });
    let here = |action: &EnvironmentAction| subject_of(topology, *action).is_some();
    actions.filter(here).filter(|action| next != Some(ScriptStep::Do(*action))).collect()
}

/// The action that a fault is, done to one actor. A Ctrl-C is done to no actor, and what is done
/// to a child is its supervisor's to do. A program does and suffers what its host can see.
pub(crate) fn action_of(fault: Fault, actor: ActorId) -> Option<EnvironmentAction> {
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
        Fault::Read => Some(EnvironmentAction::Read { actor }),
        Fault::TakeBack => Some(EnvironmentAction::TakeBack { actor }),
    }
}

/// Whether a fault may strike this actor. What would change nothing but the budget is left out:
/// a request that is refused on the spot, a signal that is pending already.
pub(crate) fn concerns(
    topology: &Topology,
    fault: Fault,
    actor: ActorId,
    facts: &ActorFacts,
) -> bool {
    let root = actor == topology.root();
    let refuses = ActorFlags::ORPHAN | ActorFlags::FORCED | ActorFlags::STOPPING;
    let admits = !facts.flags.intersects(refuses);
    match fault {
        // A host asks for its program alone, and nobody quits at the prompt of one.
        Fault::Request | Fault::Shielded | Fault::Quit if is_host(topology, actor) => false,
        Fault::Request => admits && !facts.flags.contains(ActorFlags::CANCELLED),
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
        Fault::Read | Fault::TakeBack => topology.config().tree.is_program(actor),
    }
}

fn is_host(topology: &Topology, actor: ActorId) -> bool {
    topology.config().tree.program_of(actor).is_some()
}

/// Whether a Ctrl-C reaches an actor.
#[must_use]
pub fn in_foreground(topology: &Topology, actor: ActorId) -> bool {
    let config = topology.config();
    // A host leads a session of its own, with its program in it.
    let hosted = is_host(topology, actor) || config.tree.is_program(actor);
    match config.placement {
        Placement::SharedGroup => !hosted || config.policy.reader == TerminalReader::Holder,
        Placement::OwnSession => actor == topology.root(),
    }
}

/// Whether somebody reads the person's terminal.
fn terminal_is_read(view: &WorldView<'_>) -> bool {
    match reads_terminal(view) {
        TerminalReader::Root => is(view, view.topology.root(), ActorFlags::RUNNING),
        TerminalReader::Holder => true,
    }
}

/// The host of a program.
fn host_of<'a>(view: &WorldView<'a>, program: ActorId) -> Option<&'a ActorFacts> {
    let tree = &view.topology.config().tree;
    let hosted = tree.is_program(program);
    tree.supervisor(program).filter(|_| hosted).map(|host| view.actor(host))
}

fn reads_terminal(view: &WorldView<'_>) -> TerminalReader {
    view.topology.config().policy.reader
}

fn is(view: &WorldView<'_>, actor: ActorId, flags: ActorFlags) -> bool {
    view.actor(actor).flags.contains(flags)
}

fn is_any(view: &WorldView<'_>, actor: ActorId, flags: ActorFlags) -> bool {
    view.actor(actor).flags.intersects(flags)
}

/// Whether an actor takes inputs: it runs, and no prompt freezes it.
fn serves(view: &WorldView<'_>, actor: ActorId) -> bool {
    is(view, actor, ActorFlags::SERVING)
}

fn parent_serves(view: &WorldView<'_>, actor: ActorId) -> bool {
    view.actor(actor).parent.is_some_and(|parent| serves(view, parent))
}
