//! What happens in the end: leads-to claims about one kind of actor, on the graph of its states.
//!
//! A state is *won* if the goal is inevitable from it under weak fairness. By ranks: won are the
//! goals; and a set of states in each of which one and the same fair move is possible, which leads
//! to a won state, while every other step stays in the set or leads to a won state. Such a move
//! stays possible until it is taken, so it is taken. The number of ranks is the measure of a ranking
//! function; nothing of it is written by hand.

use super::super::claim::ClaimViolation;
use super::super::state::{BatonLife, FocusView, KidLife};
use super::{FocusEvent, FocusSearch};
use holdfast_check::property::PropertyId;
use holdfast_protocol::hold::Protects;
use holdfast_protocol::ladder::LadderRung;
use holdfast_protocol::lock::server::LockServer;
use holdfast_protocol::message::{Message, Urgency};
use holdfast_protocol::node::{StopOrder, TreePosition};
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{Input, Timer};

/// A step that is taken in the end if it stays possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FairMove {
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

const FAIR: [FairMove; 5] = [
    FairMove::GraceEnds,
    FairMove::YieldEnds,
    FairMove::Dies,
    FairMove::Reaps,
    FairMove::ReadsBaton,
];

/// A step from one state to another, or out of the graph.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    from: u32,
    to: Option<u32>,
    fair: Option<FairMove>,
    /// Whether it may be taken while nobody asks for anything, here or beside.
    quiet: bool,
}

/// A leads-to claim about one kind of actor.
struct ProgressClaim {
    property: PropertyId,
    what: &'static str,
    obliged: fn(&FocusView<'_>) -> bool,
    goal: fn(&FocusView<'_>) -> bool,
    /// Whether from some point on no request comes any longer.
    quiet: bool,
}

const CLAIMS: [ProgressClaim; 4] = [
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

/// Where a state stands in the search for a rank.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The state does not follow from an obliged state.
    Elsewhere,
    /// The state follows from an obliged state and has no rank yet.
    Open,
    /// The state is in the set that is tried.
    Tried,
    /// The goal is inevitable from here.
    Won,
}

impl FocusSearch {
    /// A step was found.
    pub(super) fn edge(&mut self, from: u32, to: Option<u32>, event: FocusEvent, quiet: bool) {
        if event != FocusEvent::Starts {
            let fair = self.fair(from, event);
            self.edges.push(Edge { from, to, fair, quiet });
        }
    }

    fn fair(&self, from: u32, event: FocusEvent) -> Option<FairMove> {
        let (focus, point) = (self.focus, self.points[from as usize]);
        let kids = || focus.kids().iter();
        let children = self.nodes.get(point.node).children();
        let doomed =
            kids().any(|kid| children.get(kid).is_some_and(|child| child.rung == LadderRung::Kill));
        let dead = point.around().kid == KidLife::Zombie;
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

    /// Judges what must happen in the end, in the whole graph.
    pub(super) fn judge_progress(&mut self) {
        self.edges.sort_by_key(|edge| edge.from);
        for claim in &CLAIMS {
            let Some(stuck) = self.stuck(claim) else { continue };
            let violation = ClaimViolation::of(claim.property, claim.what);
            let (from, event) = self.from[stuck as usize];
            self.blame(vec![violation], from, event, self.points[stuck as usize], &[]);
        }
    }

    /// The first obliged state from which the goal is not inevitable.
    fn stuck(&mut self, claim: &ProgressClaim) -> Option<u32> {
        let states = 0..self.points.len() as u32;
        let view = |state: u32| self.view(self.points[state as usize]);
        let obliged: Vec<u32> = states.filter(|state| (claim.obliged)(&view(*state))).collect();
        let mut fates = vec![Fate::Elsewhere; self.points.len()];
        let mut open = Vec::new();
        let mut todo = obliged.clone();
        while let Some(state) = todo.pop() {
            let fate = &mut fates[state as usize];
            if *fate != Fate::Elsewhere {
                continue;
            }
            if (claim.goal)(&view(state)) {
                *fate = Fate::Won;
                continue;
            }
            *fate = Fate::Open;
            open.push(state);
            todo.extend(self.steps_from(state, claim).filter_map(|edge| edge.to));
        }
        while FAIR.into_iter().any(|fair| self.rank(claim, fair, &mut open, &mut fates)) {}
        for _ in &obliged {
            self.reached.property(claim.property);
        }
        obliged.into_iter().find(|state| fates[*state as usize] != Fate::Won)
    }

    /// The largest set of states from which one fair move leads to what is won; whether there is one.
    fn rank(
        &self,
        claim: &ProgressClaim,
        fair: FairMove,
        open: &mut Vec<u32>,
        fates: &mut [Fate],
    ) -> bool {
        let wins =
            |edge: &Edge, fates: &[Fate]| edge.to.is_none_or(|to| fates[to as usize] == Fate::Won);
        let helps = |state: &&u32| {
            let mut moves = self.steps_from(**state, claim).filter(|edge| edge.fair == Some(fair));
            let first = moves.next();
            first.is_some_and(|first| wins(first, fates) && moves.all(|edge| wins(edge, fates)))
        };
        let mut tried: Vec<u32> = open.iter().filter(helps).copied().collect();
        for state in &tried {
            fates[*state as usize] = Fate::Tried;
        }
        let mut before = usize::MAX;
        while tried.len() < before {
            before = tried.len();
            tried.retain(|state| {
                let stays = self.steps_from(*state, claim).all(|edge| {
                    wins(edge, fates) || edge.to.is_some_and(|to| fates[to as usize] == Fate::Tried)
                });
                if !stays {
                    fates[*state as usize] = Fate::Open;
                }
                stays
            });
        }
        for state in &tried {
            fates[*state as usize] = Fate::Won;
        }
        open.retain(|state| fates[*state as usize] == Fate::Open);
        !tried.is_empty()
    }

    fn steps_from(&self, state: u32, claim: &ProgressClaim) -> impl Iterator<Item = &Edge> {
        let first = self.edges.partition_point(|edge| edge.from < state);
        let edges = self.edges[first..].iter().take_while(move |edge| edge.from == state);
        let quiet = claim.quiet;
        edges.filter(move |edge| edge.quiet || !quiet)
    }
}

/// Whether nothing is asked for by a move of the environment.
pub(super) fn is_quiet(event: FocusEvent) -> bool {
    let wants = |message| matches!(message, Message::Want { .. });
    !matches!(event, FocusEvent::Below(super::NeighbourMove::Says(message)) if wants(message))
}
