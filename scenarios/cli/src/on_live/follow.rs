//! A counterexample of the model, forced upon real processes.
//!
//! Every actor is held before each of its inputs ([`holdfast_testkit::gate`]). An environment action of the trace is
//! done; a move of it lets one actor past one input, and waits until that was handled. So the tree
//! takes exactly the interleaving of the trace, or is left at the step that it cannot take.
//!
//! After the last step nobody is held any longer.

use super::judgement::{Found, LiveJudgement, judge};
use super::mirrored_actor::MirroredActor;
use super::perform::Live;
use super::view::View;
use super::{Conformance, Halt, LiveResult, Setup, Stepping, TimeOuts, ending, failed, grow};
use crate::case::resolve::{CaseRun, Golden};
use crate::expect::{ClaimOutcome, Expectation, ExpectedViolation};
use crate::on_live::LiveMode;
use crate::on_model;
use holdfast_check::explore::{Options, Progress};
use holdfast_check::property::{PropertyId, PropertyKind};
use holdfast_check::trace::Trace;
use holdfast_check::world::{Action, SystemStep};
use holdfast_protocol::{ActorId, Input, RequestId, Signal, Timer};
use holdfast_testkit::Point;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How far real processes went along a trace.
#[derive(Clone, Debug)]
pub struct Followed {
    /// How many of its steps were seen.
    pub steps: usize,
    /// Why it was left; none if it was not.
    pub left: Option<String>,
    /// What was done and seen.
    pub story: Vec<String>,
    /// What was seen to be violated, and how that showed.
    pub violated: Vec<(PropertyId, String)>,
    /// Whether what was recorded is a run of the model.
    pub conformance: Conformance,
}

/// Why a trace cannot be followed at all.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The trace breaks nothing.
    #[error("failed to follow the trace: it breaks no property")]
    Whole,
    /// The file is not a trace.
    #[error(transparent)]
    Trace(#[from] holdfast_check::trace::TraceError),
    /// The stage failed.
    #[error("failed to set the stage: {0}")]
    Stage(String),
}

/// Follows a trace.
///
/// # Errors
/// It cannot be followed at all.
pub fn follow(
    trace: &Trace,
    setup: &Setup,
    interrupt: &AtomicBool,
) -> Result<Followed, FollowError> {
    let violates = trace.header.breaks.ok_or(FollowError::Whole)?;
    let run = CaseRun {
        policy: trace.header.policy,
        without: trace.header.without.clone(),
        variant: None,
        expectation: Expectation::Violates(ExpectedViolation { violates, also: Vec::new() }),
        config: trace.config()?,
        golden: Golden::No,
        live_mode: LiveMode::Forced,
    };
    let records = setup.records.join("follow");
    drive(trace, violates, &run, (setup, &records), interrupt)
}

/// Has real processes take the order in which the model first sees the claim of a case violated.
pub(super) fn force(
    run: &CaseRun,
    setup: &Setup,
    records: &Path,
    interrupt: &AtomicBool,
) -> LiveResult {
    let options = Options { max_states: MOST_STATES, ..Options::default() };
    let ran = on_model::run(run, options, &Progress::default());
    let (Some(trace), Expectation::Violates(violation)) = (ran.trace, &run.expectation) else {
        return failed(ClaimOutcome::NotStaged, "the model has no counterexample to force");
    };
    let followed = match drive(&trace, violation.violates, run, (setup, records), interrupt) {
        Ok(followed) => followed,
        Err(error) => return failed(ClaimOutcome::NotStaged, &error.to_string()),
    };
    let violated = followed.violated.iter().map(|(property, _)| *property).collect();
    let left = followed.left.map(|why| {
        let (steps, all) = (followed.steps, trace.steps.len());
        format!("after {steps} of {all} steps of the model's counterexample: {why}")
    });
    LiveResult {
        outcome: match &left {
            Some(_) => ClaimOutcome::NotStaged,
            None => ClaimOutcome::seen(run.expectation.violations(), violated),
        },
        violated: followed.violated,
        story: followed.story,
        conformance: followed.conformance,
        trouble: left,
        ..failed(ClaimOutcome::NotRun, "")
    }
}

/// How many states the model may have of a run that is forced.
const MOST_STATES: u64 = 5_000_000;

fn drive(
    trace: &Trace,
    violates: PropertyId,
    run: &CaseRun,
    (setup, records): (&Setup, &Path),
    interrupt: &AtomicBool,
) -> Result<Followed, FollowError> {
    // Held actors do nothing by themselves: only a step that cannot come is waited for so long.
    let limit = Duration::from_secs(10);
    let patient = TimeOuts { still: Duration::from_secs(5), limit, interrupt };
    let time_outs = TimeOuts { still: Duration::from_millis(1200), ..patient };
    let grown = grow(run, setup, records, Stepping::Held)
        .map_err(|error| FollowError::Stage(error.to_string()))?;
    let mut live = Live::new(grown, View::new(&run.config), &patient, Stepping::Held);
    let mut left = None;
    let mut steps = 0;
    for action in &trace.steps {
        let done = match action {
            Action::Environment(action) => live.perform(*action).map_err(|stop| said(&stop)),
            Action::System(step) => step_of_tree(&mut live, *step),
        };
        if let Err(why) = done {
            left = Some(why);
            break;
        }
        steps += 1;
        live.look_at_programs();
    }
    // Everybody is held: what is recorded is what was let happen.
    let shown = judge(records, &live.outside).found.contains_key(&violates)
        || live.seen.contains_key(&violates);
    let mut found = Found::new();
    if left.is_none() && !(violates.kind() == PropertyKind::Always && shown) {
        live.open();
        live.time_outs = &time_outs;
        let stays = (violates == PropertyId::StopIsBounded).then(|| stays(&mut live)).flatten();
        found = ending::end(&mut live, run, None).found;
        found.extend(stays.map(|how| (violates, how)));
    }
    let LiveJudgement { found: violated, conformance } = live.clear_and_judge(records);
    let violated = violated.into_iter().chain(found).chain(live.seen).collect();
    Ok(Followed { steps, left, story: live.story, violated, conformance })
}

/// How a root that was told to stop stays: nothing is under way in the tree and no timer runs, so
/// that nothing follows but what the person at the prompt does.
fn stays(live: &mut Live<'_>) -> Option<String> {
    let root = ActorId(0);
    let told = live
        .view
        .mirror(root)?
        .inputs
        .iter()
        .any(|input| matches!(input, Input::Signalled { signal: Signal::Terminate, .. }));
    live.wait_while_it_moves(|view| (view.quiet() || !view.runs(root)).then_some(()))?;
    let at_prompt = live.view.prompts().next()?;
    let stays = told && live.view.runs(root);
    let name = live.view.name(at_prompt);
    stays.then(|| format!("the root was told to stop, no timer runs, and {name} is at its prompt"))
}

fn said(stop: &Halt) -> String {
    match stop {
        Halt::Never(why) | Halt::Stage(why) => why.clone(),
        Halt::Deaf(name) => format!("the prompt of {name} does not close"),
        Halt::NoEffect(what) => format!("{what} had no effect"),
        Halt::NotStaged(what) => format!("{what} cannot be staged"),
        Halt::Interrupted => "stopped".to_owned(),
    }
}

/// Lets an actor take what the move is, and waits until it has.
fn step_of_tree(live: &mut Live<'_>, step: SystemStep) -> Result<(), String> {
    let never = || format!("it does not come to {step:?}");
    if let SystemStep::Boot { actor } = step {
        live.release(actor).map_err(|stop| said(&stop))?;
        return live.view.mirror(actor).map(|_| ()).ok_or_else(never);
    }
    if let SystemStep::TakeSignal { actor, signal } = step {
        let pending = |view: &View<'_>| view.mirror(actor)?.held_signal(signal);
        live.wait_while_it_moves(pending).ok_or_else(never)?;
    }
    let Some((actor, point)) = place(live, step) else { return Ok(()) };
    let taken = |view: &View<'_>| view.mirror(actor).map_or(0, |one| one.taken(point));
    let before = taken(&live.view);
    if let Point::Reap(child) = point {
        // The model may leave unread what a real actor reads before it reaps.
        for _ in 0..unread(live, actor, child) {
            live.pass(actor, Point::Message(child))?;
        }
    }
    live.pass(actor, point)?;
    let seen = live.wait_while_it_moves(|view| (taken(view) > before).then_some(()));
    seen.ok_or_else(never)
}

/// How much of the link of a child its parent has not read: messages, and the end.
fn unread(live: &Live<'_>, parent: ActorId, child: ActorId) -> usize {
    let view = &live.view;
    let Some(parent) = view.mirror(parent) else { return 0 };
    let said = |child: &MirroredActor| child.sent.get(&parent.pid).copied().unwrap_or(0);
    let sent = view.actor_of(child).and_then(|child| view.mirror(child)).map_or(0, said);
    let ended = parent.inputs.contains(&Input::LinkEnded { peer: child });
    sent.saturating_sub(parent.received(child.0)) + usize::from(!ended)
}

/// Who is held before the move, and where. Nobody is before what the script waited for, which the
/// steps before have led to, nor before init reaps what is left of a tree.
fn place(live: &Live<'_>, step: SystemStep) -> Option<(ActorId, Point)> {
    let root = ActorId(0);
    let pid = |actor| live.pid(actor).map(ActorId);
    let request =
        |request: RequestId| Some(RequestId { actor: pid(request.actor)?, serial: request.serial });
    Some(match step {
        SystemStep::Deliver { from, to } => (to, Point::Message(pid(from)?)),
        SystemStep::TakeSignal { actor, signal } => {
            (actor, live.view.mirror(actor)?.held_signal(signal)?)
        }
        SystemStep::Expire { actor, timer: Timer::Grace(child) } => {
            (actor, Point::Timer(Timer::Grace(pid(child)?)))
        }
        SystemStep::Expire { actor, timer: Timer::Yield(held) } => {
            (actor, Point::Timer(Timer::Yield(request(held)?)))
        }
        SystemStep::EndUserTask { actor } => (actor, Point::UserTask),
        SystemStep::Reap { actor } => {
            let above = live.view.config.tree.supervisor(actor)?;
            let parent = [above, root].into_iter().find(|one| live.view.runs(*one))?;
            (parent, Point::Reap(pid(actor)?))
        }
        SystemStep::Adopt { actor } => (root, Point::Adopt(pid(actor)?)),
        SystemStep::SeeChildrenGone => (root, Point::ChildrenGone),
        SystemStep::ReadBaton { request: held } => (root, Point::Baton(request(held)?)),
        SystemStep::LosePrompt { actor } => {
            (actor, Point::Hangup(live.view.mirror(actor)?.prompt()?))
        }
        // A host is told of its program by the kernel, and held before none of that.
        SystemStep::AskForProgram { .. }
        | SystemStep::GiveForeground { .. }
        | SystemStep::FinishHost { .. }
        | SystemStep::Boot { .. }
        | SystemStep::Pass { .. } => return None,
    })
}
