//! A counterexample of the model, with real processes: its deeds are done where it has them, and
//! each of its moves is waited for before the next step.
//!
//! # Not forced
//! What the tree does between two deeds is its own: a move may come before its turn. So a
//! counterexample that needs a message or a signal to be late is left where it does.

use super::judge::{Mark, judge};
use super::perform::Live;
use super::view::{Member, View};
use super::{Hurry, Setup, Stop, ending, grow};
use crate::case::resolve::{Golden, Run};
use crate::expect::{Expectation, Fall};
use crate::on_live::Shows;
use holdfast::live::tell::now_ns;
use holdfast_model::check::property::{Kind, PropertyId, PropertySet};
use holdfast_model::check::trace::Trace;
use holdfast_model::protocol::ActorId;
use holdfast_model::protocol::teardown::Body;
use holdfast_model::world::{Action, Move};
use std::collections::BTreeMap;
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
    /// What was seen to fall, and how that showed.
    pub fell: Vec<(PropertyId, String)>,
}

/// Why a trace can not be followed at all.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// It breaks nothing.
    #[error("failed to follow the trace: it breaks no property")]
    Whole,
    /// Its policy has no name that a live tree knows.
    #[error("failed to follow the trace: rules are taken out of its policy")]
    Without,
    /// It is none.
    #[error(transparent)]
    Trace(#[from] holdfast_model::check::trace::TraceError),
    /// The stage failed.
    #[error("failed to set the stage: {0}")]
    Stage(String),
}

/// Follows a trace.
///
/// # Errors
/// It can not be followed at all.
pub fn follow(
    trace: &Trace,
    setup: &Setup,
    interrupt: &AtomicBool,
) -> Result<Followed, FollowError> {
    let violates = trace.header.breaks.ok_or(FollowError::Whole)?;
    if !trace.header.without.is_empty() {
        return Err(FollowError::Without);
    }
    let config = trace.config()?;
    let run = Run {
        policy: trace.header.policy,
        variant: None,
        expectation: Expectation::Violates(Fall { violates, also: Vec::new() }),
        config,
        golden: Golden::No,
        shows: Shows::AsClaimed,
    };
    let hurry =
        Hurry { still: Duration::from_millis(1500), limit: Duration::from_secs(10), interrupt };
    let grown = grow(&run, setup, &setup.records.join("follow"))
        .map_err(|error| FollowError::Stage(error.to_string()))?;
    let mut live = Live::new(grown, View::new(&run.config), &hurry);
    let mut due = Due::default();
    let mut left = None;
    let mut steps = 0;
    for action in &trace.steps {
        let done = match action {
            Action::Deed(deed) => live.perform(*deed).map_err(|stop| said(&stop)),
            Action::Move(Move::Pass { at }) => {
                let condition = run.config.script.step(*at);
                condition.map_or(Ok(()), |step| live.step(step)).map_err(|stop| said(&stop))
            }
            Action::Move(step) => await_move(&mut live, &mut due, *step),
        };
        if let Err(why) = done {
            left = Some(why);
            break;
        }
        steps += 1;
    }
    let claimed: PropertySet = [violates].into_iter().collect();
    let mut fell = judge(&run.config, &live.grown.orders.log(), &live.marks, claimed);
    if left.is_none() && (violates.kind() != Kind::Always || !fell.contains_key(&violates)) {
        let ending = ending::end(&mut live, &run, None);
        let all = judge(&run.config, &live.grown.orders.log(), &live.marks, claimed);
        fell.extend(all);
        fell.extend(ending.found);
    }
    live.marks.push((now_ns(), Mark::Over));
    let _ = live.grown.stage.clear();
    Ok(Followed { steps, left, story: live.story, fell: fell.into_iter().collect() })
}

fn said(stop: &Stop) -> String {
    match stop {
        Stop::Never(why) | Stop::Stage(why) => why.clone(),
        Stop::Deaf(name) => format!("the prompt of {name} does not close"),
        Stop::NoEffect(what) => format!("{what} had no effect"),
        Stop::NotStaged(what) => format!("{what} can not be staged"),
        Stop::Interrupted => "stopped".to_owned(),
    }
}

/// How often each thing has happened by now, as the trace has it.
#[derive(Default)]
struct Due {
    read: BTreeMap<(ActorId, ActorId), u32>,
    signals: BTreeMap<ActorId, u32>,
    expired: BTreeMap<ActorId, u32>,
}

fn await_move(live: &mut Live<'_>, due: &mut Due, step: Move) -> Result<(), String> {
    let count = |counts: &mut BTreeMap<ActorId, u32>, actor| {
        let count: &mut u32 = counts.entry(actor).or_default();
        *count += 1;
        *count
    };
    let wanted = match step {
        Move::Deliver { from, to } => {
            let count = due.read.entry((from, to)).or_default();
            *count += 1;
            *count
        }
        Move::TakeSignal { actor, .. } => count(&mut due.signals, actor),
        Move::Expire { actor, .. } => count(&mut due.expired, actor),
        _ => 0,
    };
    let seen = live.wait_while_it_moves(|view| happened(view, step, wanted).then_some(()));
    seen.ok_or_else(|| format!("it does not come to {step:?}"))
}

fn happened(view: &View<'_>, step: Move, wanted: u32) -> bool {
    let of = |actor: ActorId| view.member(actor);
    match step {
        Move::Deliver { from, to } => match (of(from), of(to)) {
            (Some(from), Some(to)) => to.read_from(from.pid) >= wanted,
            (_, None) | (None, _) => false,
        },
        Move::TakeSignal { actor, .. } => of(actor).is_some_and(|one| one.signals >= wanted),
        Move::Expire { actor, .. } => of(actor).is_some_and(|one| one.expired >= wanted),
        Move::EndBody { actor } => {
            of(actor).is_some_and(|one| one.node.body() == Body::Ended) || !view.runs(actor)
        }
        Move::Boot { actor } => of(actor).is_some(),
        Move::Reap { actor } => of(actor).is_some_and(|one| view.reaped(one.pid)),
        Move::Adopt { actor } => of(actor).is_some_and(|one| view.adopted(one.pid)),
        Move::SeeChildrenGone => !view.runs(ActorId(0)),
        Move::ReadBaton { request } => {
            let pid = of(request.actor).map(|one| one.pid);
            view.root().is_some_and(|root| {
                let named = |held: &ActorId| Some(held.0) == pid;
                !root.node.holds().iter().any(|(held, _)| named(&held.actor))
            })
        }
        Move::LosePrompt { actor } => of(actor).and_then(Member::prompt).is_none(),
        // The condition was waited for where it is a deed's: a prompt that the next step needs.
        Move::Pass { .. } => true,
    }
}
