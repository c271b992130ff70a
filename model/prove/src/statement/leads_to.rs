//! What happens in the end: leads-to claims about one kind of actor.
//!
//! Each says that a goal is inevitable from the states that are obliged to come to it. What shows it
//! is a rank of each state on the way: no step that counts raises the rank, and in each state one
//! fair move is possible, and lowers it. A move that stays possible is taken in the end. The search
//! computes ranks, a certificate carries them, and the verifier compares each with those of the
//! states that follow.

use super::environment::FocusEvent;
use super::side::NeighbourMove;
use super::state::{BatonLife, FocusView, KidLife};
use super::whole::asked_for;
use holdfast_check::property::PropertyId;
use holdfast_protocol::hold::Protects;
use holdfast_protocol::ladder::LadderRung;
use holdfast_protocol::lock::server::LockServer;
use holdfast_protocol::message::{Message, Urgency};
use holdfast_protocol::node::{StopOrder, TreePosition};
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{Input, Node, Timer};

/// A step that is taken in the end if it stays possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FairMove {
    /// The grace of the child ends.
    GraceEnds,
    /// The time to yield ends.
    YieldEnds,
    /// A child that was sent SIGKILL dies.
    Dies,
    /// The actor reaps its child; an orphan dies of SIGKILL and is reaped.
    Reaps,
    /// The root reads that the baton is closed.
    ReadsBaton,
}

/// All of them. The remainder of a rank by their number says which lowers it.
pub const FAIR: [FairMove; 5] = [
    FairMove::GraceEnds,
    FairMove::YieldEnds,
    FairMove::Dies,
    FairMove::Reaps,
    FairMove::ReadsBaton,
];

/// How far a state is from the goal of each claim: 0 at the goal, nothing where no obliged state
/// leads to.
pub type Ranks = [Option<u32>; CLAIMS.len()];

/// A leads-to claim about one kind of actor.
#[derive(Debug)]
pub struct ProgressClaim {
    /// The property that it is part of.
    pub property: PropertyId,
    /// What is wrong where it does not hold.
    pub what: &'static str,
    /// Where it must come to the goal.
    pub obliged: fn(&FocusView<'_>) -> bool,
    /// The goal.
    pub goal: fn(&FocusView<'_>) -> bool,
    /// Whether from some point on no request comes any longer.
    pub quiet: bool,
}

/// The claims.
pub const CLAIMS: [ProgressClaim; 4] = [
    ProgressClaim {
        property: PropertyId::RequestAnswered,
        what: "the baton is closed, and the lock stays lent",
        obliged: |view| owns(view) && view.around.baton == BatonLife::Closed,
        goal: |view| view.around.killed || !owns(view),
        quiet: false,
    },
    ProgressClaim {
        property: PropertyId::StopIsBounded,
        what: "a root that was told to stop lends its lock forever",
        obliged: |view| stopped(view) && owns(view),
        goal: |view| view.around.killed || forced(view) || !owns(view),
        quiet: false,
    },
    ProgressClaim {
        property: PropertyId::StopIsBounded,
        what: "a root that was told to stop need not reap this child",
        obliged: |view| {
            stopped(view) && (forced(view) || owner(view).is_none()) && kid_is_left(view)
        },
        goal: |view| view.around.killed || view.around.kid == KidLife::Gone,
        quiet: false,
    },
    ProgressClaim {
        property: PropertyId::TeardownCompletes,
        what: "an actor that is to end, and protects nobody, need not reap this child",
        obliged: |view| {
            let ends = matches!(view.node.teardown(), Teardown::Running(_));
            // Where nothing is outstanding beside it either, a step has settled the ladder (checked).
            ends && !outstanding(view) && kid_is_left(view) && ladder_runs(view)
        },
        goal: |view| view.around.killed || view.around.kid == KidLife::Gone,
        quiet: true,
    },
];

fn server<'a>(view: &FocusView<'a>) -> Option<(&'a LockServer, StopOrder)> {
    match view.node.position() {
        TreePosition::Root { server, stop } => Some((server, *stop)),
        TreePosition::Below { .. } => None,
    }
}

fn owner(view: &FocusView<'_>) -> Option<holdfast_protocol::RequestId> {
    server(view).and_then(|(server, _)| server.owner())
}

/// Whether the lock is lent to the request in focus.
fn owns(view: &FocusView<'_>) -> bool {
    view.focus.has_child() && owner(view) == Some(view.focus.request()) && !view.around.killed
}

fn stopped(view: &FocusView<'_>) -> bool {
    let told = server(view).is_some_and(|(_, stop)| stop == StopOrder::Received);
    told && !view.around.killed
}

fn forced(view: &FocusView<'_>) -> bool {
    view.node.urgency() == Urgency::Forced
}

fn kid_is_left(view: &FocusView<'_>) -> bool {
    matches!(view.around.kid, KidLife::Alive | KidLife::Zombie) && !view.around.killed
}

fn ladder_runs(view: &FocusView<'_>) -> bool {
    let mut kids = view.focus.kids().iter().filter_map(|kid| view.node.children().get(kid));
    kids.all(|kid| kid.grace == kid.wants_grace())
}

/// Whether the request in focus, or any other that owns the lock, is not over yet.
fn outstanding(view: &FocusView<'_>) -> bool {
    let hold = view.node.holds().find(view.focus.request());
    let held = hold.is_some_and(|hold| hold.protects() == Protects::Somebody);
    let on_its_way = view.down.link.up.queue().any(|it| matches!(it, Message::Want { .. }));
    held || on_its_way || !view.node.requests().is_empty() || owner(view).is_some()
}

/// Whether a step is one that is taken in the end if it stays possible.
#[must_use]
pub fn fair(view: &FocusView<'_>, event: FocusEvent) -> Option<FairMove> {
    let (focus, children) = (view.focus, view.node.children());
    let kids = || focus.kids().iter();
    let doomed =
        kids().any(|kid| children.get(kid).is_some_and(|child| child.rung == LadderRung::Kill));
    let dead = view.around.kid == KidLife::Zombie;
    let kid = |id| kids().any(|kid| *kid == id);
    match event {
        FocusEvent::Dies => doomed.then_some(FairMove::Dies),
        FocusEvent::Takes(Input::Exited { child, .. }) if kid(child) => {
            (dead || doomed).then_some(FairMove::Reaps)
        }
        FocusEvent::Takes(Input::Expired { timer: Timer::Grace(child) }) if kid(child) => {
            Some(FairMove::GraceEnds)
        }
        FocusEvent::Takes(Input::Expired { timer: Timer::Yield(request) })
            if request == focus.request() =>
        {
            Some(FairMove::YieldEnds)
        }
        FocusEvent::Takes(Input::BatonClosed { request }) if request == focus.request() => {
            Some(FairMove::ReadsBaton)
        }
        FocusEvent::Takes(_)
        | FocusEvent::Starts
        | FocusEvent::Above(_)
        | FocusEvent::Below(_)
        | FocusEvent::BatonCloses
        | FocusEvent::Killed => None,
    }
}

/// Whether nothing is asked for by a move of the environment.
#[must_use]
pub fn is_quiet(event: FocusEvent) -> bool {
    let wants = |message| matches!(message, Message::Want { .. });
    !matches!(event, FocusEvent::Below(NeighbourMove::Says(message)) if wants(message))
}

/// Whether nothing is asked for by a step of the node in focus beside a rest, nor in that rest.
#[must_use]
pub fn is_quiet_step(in_focus: &Node, before: &Node, after: &Node) -> bool {
    asked_for(before) == asked_for(in_focus) && asked_for(after) <= asked_for(before)
}
