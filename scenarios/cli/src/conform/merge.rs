//! The search for one order of all lines that the model allows.
//!
//! Each actor's lines keep their order; what is open is how they interleave. Candidates are tried
//! in the order of the clock (`SortKey`). A line, and what the script did, has its own time; what
//! nobody wrote down has the time of the line that cannot be without it.
//!
//! A line that can happen stays possible whatever others do (nobody is killed who has lines left).
//! So the first search, [`Breadth::Narrow`], takes the earliest candidate, and tries more than one
//! only where something happened that nobody wrote down: an end, a signal, or a link that
//! was cut, and with it what was said afterwards. The clock can mislead it: a holder closes its baton
//! before it handles the answer, so the root may have read the end before. If it finds no order, the
//! second search, [`Breadth::CutShort`], also tries whether an actor that was killed performed only
//! the first outputs of its last line: a line is written before its outputs are performed, one after
//! the other, and a SIGKILL may come between any two of them. The third, [`Breadth::Wide`], tries
//! everything in the same order. Both remember where they were, and give up after `MOST_STATES`.

use super::outside::Mark;
use super::participants::RecordedRun;
use super::ready::{Here, Ready};
use super::record::Line;
use holdfast_check::world::recorded::can_happen;
use holdfast_check::world::{Action, ActorFlags, EnvironmentAction, Observation, System};
use holdfast_protocol::{ActorId, Output};
use std::collections::BTreeSet;

/// How many places the wide search looks at.
pub(super) const MOST_STATES: usize = 50_000;

/// How much is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breadth {
    Narrow,
    /// As narrow, and whoever was killed may have performed a part of its last line.
    CutShort,
    Wide,
}

/// What came of the search.
#[derive(Clone, Debug)]
pub(super) enum Merged {
    /// An order: all steps of it.
    Found(Vec<MergedStep>),
    /// There is none.
    None(Box<Furthest>),
    /// None was found before the search became too large.
    Undecided(Box<Furthest>),
}

/// One step of a merged run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MergedStep {
    /// When it happened, as far as that is known.
    pub(super) at_ns: u64,
    /// What happened.
    pub(super) action: Action,
}

/// How far the records can be followed.
#[derive(Clone, Debug)]
pub(super) struct Furthest {
    /// What happened up to there.
    pub(super) steps: Vec<MergedStep>,
    /// The line at which it ends, with why.
    pub(super) at: BlockedActor,
    /// Where the other actors stand.
    pub(super) others: Vec<BlockedActor>,
}

/// An actor that cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BlockedActor {
    pub(super) actor: ActorId,
    /// Which of its lines, counted from zero.
    pub(super) line: usize,
    pub(super) why: Why,
}

/// Why an actor cannot go on, the surest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// The model gives other outputs.
    Outputs(Vec<Output>),
    /// The input is not possible there.
    Never(String),
    /// Something did not happen before it.
    Waits(String),
}

/// A place in the merged run.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at: Vec<usize>,
    /// How much of what the script did is behind it.
    marks: usize,
    system: System,
}

/// What may come next.
#[derive(Clone)]
struct Candidate {
    order: SortKey,
    actions: Vec<Action>,
    line: Written,
}

/// Which candidate is tried first: the earliest, and of those the surest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SortKey {
    at_ns: u64,
    certainty: Certainty,
}

/// How certain it is that something happened, of all that has one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Certainty {
    /// The script did it.
    Done,
    /// An actor wrote it down.
    Recorded,
    /// Something that was recorded cannot be without it, or without something like it.
    Inferred,
    /// What was recorded can be understood like that.
    Possible,
}

/// Which line a candidate takes.
#[derive(Clone, Copy)]
enum Written {
    /// The next line of this actor.
    Next(ActorId),
    /// Nobody wrote it.
    Nowhere,
    /// The script did it, or it came to nothing.
    Script,
    /// This actor wrote its last line and was killed when it had performed a part of it.
    Partly(ActorId),
}

struct Fork {
    place: Place,
    steps: usize,
    candidates: Vec<Candidate>,
}

/// Looks for an order.
pub(super) fn merge(recorded: &RecordedRun) -> Merged {
    let mut search = MergeSearch { recorded, furthest: None, seen: BTreeSet::new() };
    let furthest = match search.run(Breadth::Narrow) {
        Ok(steps) => return Merged::Found(steps),
        Err(_) => search.furthest.take().expect("the first place is some place"),
    };
    if let Why::Outputs(_) = furthest.at.why {
        // What a node answers depends on what it was told alone, so no order helps.
        return Merged::None(Box::new(furthest));
    }
    if let Ok(steps) = search.run(Breadth::CutShort) {
        return Merged::Found(steps);
    }
    match search.run(Breadth::Wide) {
        Ok(steps) => Merged::Found(steps),
        Err(NoOrder::Exhausted) => Merged::None(Box::new(furthest)),
        Err(NoOrder::TooLarge) => Merged::Undecided(Box::new(furthest)),
    }
}

/// Why no order was found.
enum NoOrder {
    Exhausted,
    TooLarge,
}

struct MergeSearch<'a> {
    recorded: &'a RecordedRun,
    furthest: Option<Furthest>,
    seen: BTreeSet<Place>,
}

impl MergeSearch<'_> {
    fn run(&mut self, breadth: Breadth) -> Result<Vec<MergedStep>, NoOrder> {
        self.seen.clear();
        let topology = &self.recorded.topology;
        let at = vec![0; self.recorded.participants.len()];
        let mut place = Place { at, marks: 0, system: System::new(topology) };
        let mut steps: Vec<MergedStep> = Vec::new();
        let mut forks: Vec<Fork> = Vec::new();
        loop {
            if self.is_complete(&place) {
                return Ok(steps);
            }
            let fresh = breadth == Breadth::Narrow || self.seen.insert(place.clone());
            let (mut candidates, stops) =
                if fresh { self.candidates(&place, breadth) } else { Default::default() };
            if self.seen.len() > MOST_STATES {
                return Err(NoOrder::TooLarge);
            }
            if candidates.is_empty() && breadth == Breadth::Narrow {
                self.note(&place, &steps, stops);
            }
            candidates.reverse();
            forks.push(Fork { place, steps: steps.len(), candidates });
            place = loop {
                let Some(fork) = forks.last_mut() else { return Err(NoOrder::Exhausted) };
                let Some(candidate) = fork.candidates.pop() else {
                    forks.pop();
                    continue;
                };
                steps.truncate(fork.steps);
                match take(self.recorded, &fork.place, &candidate) {
                    Ok(next) => {
                        let step = |action: &Action| MergedStep {
                            at_ns: candidate.order.at_ns,
                            action: *action,
                        };
                        steps.extend(candidate.actions.iter().map(step));
                        if fork.candidates.is_empty() {
                            forks.pop();
                        }
                        break next;
                    }
                    // The first search has said already how far the records can be followed.
                    Err(_) if breadth != Breadth::Narrow => {}
                    Err(stop) => {
                        let from = fork.place.clone();
                        self.note(&from, &steps, vec![stop]);
                    }
                }
            };
        }
    }

    fn is_complete(&self, place: &Place) -> bool {
        let marks = place.marks == self.recorded.outside.actions.len();
        marks
            && self
                .recorded
                .participants
                .iter()
                .zip(&place.at)
                .all(|(part, at)| *at == part.lines.len())
    }

    /// What may come next, the earliest first, and who cannot go on.
    fn candidates(&self, place: &Place, breadth: Breadth) -> (Vec<Candidate>, Vec<BlockedActor>) {
        let (recorded, system, at) = (self.recorded, &place.system, &place.at[..]);
        system.look(&recorded.topology, |view| {
            let here = Here { recorded, system, view, at };
            let mut candidates = script_ways(here, recorded.outside.actions.get(place.marks));
            let mut stops = Vec::new();
            for actor in recorded.topology.actors() {
                let Some(line) = here.next(actor) else { continue };
                let stop = |why| BlockedActor { actor, line: at[actor.index()], why };
                match here.ready(actor, line) {
                    Ready::Now(_, actions) => {
                        let before = ends_before_root(here, actor, line);
                        let order = SortKey { at_ns: line.at_ns, certainty: Certainty::Recorded };
                        let actions: Vec<_> = before.into_iter().chain(actions).collect();
                        if breadth != Breadth::Narrow {
                            candidates.extend(cut_short(here, actor, line, &actions));
                        }
                        candidates.push(Candidate { order, actions, line: Written::Next(actor) });
                    }
                    Ready::Inferred(others, why) => {
                        candidates
                            .extend(others.into_iter().map(|actions| inferred(line, actions)));
                        stops.push(stop(Why::Waits(why)));
                    }
                    Ready::Waits(why) => stops.push(stop(Why::Waits(why))),
                    Ready::Never(why) => stops.push(stop(Why::Never(why))),
                }
            }
            candidates.sort_by_key(|candidate| candidate.order);
            if breadth != Breadth::Wide {
                narrow(here, &mut candidates);
            }
            (candidates, stops)
        })
    }

    /// Keeps the place if no other was further.
    fn note(&mut self, place: &Place, steps: &[MergedStep], mut stops: Vec<BlockedActor>) {
        if stops.len() == 1 {
            stops.extend(self.candidates(place, Breadth::Narrow).1);
        }
        stops.dedup();
        stops.sort_by(|one, other| one.why.cmp(&other.why));
        let mut stops = stops.into_iter();
        let Some(at) = stops.next() else { return };
        let surer = match &self.furthest {
            None => true,
            Some(before) => {
                let sure = |stop: &BlockedActor| matches!(stop.why, Why::Outputs(_));
                (sure(&at), steps.len()) > (sure(&before.at), before.steps.len())
            }
        };
        if surer {
            let others = stops.filter(|stop| stop.actor != at.actor).collect();
            self.furthest = Some(Furthest { steps: steps.to_vec(), at, others });
        }
    }
}

/// What nobody wrote down, and without which a line cannot be.
fn inferred(line: &Line, actions: Vec<Action>) -> Candidate {
    // A supervisor must start its child before its own inferred death.
    let at_ns = if actions.len() > 1 { 0 } else { line.at_ns };
    let order = SortKey { at_ns, certainty: Certainty::Inferred };
    Candidate { order, actions, line: Written::Nowhere }
}

/// What the script did next: it came to pass, or to nothing.
fn script_ways(here: Here<'_>, mark: Option<&Mark>) -> Vec<Candidate> {
    let Some(Mark { at_ns, action }) = mark else { return Vec::new() };
    let candidate = |at_ns, actions| {
        let order = SortKey { at_ns, certainty: Certainty::Done };
        Candidate { order, actions, line: Written::Script }
    };
    let did = Action::Environment(*action);
    // A process that the script killed did before whatever it wrote down.
    let speaks = |actor| here.next(actor).is_some();
    let early = match *action {
        EnvironmentAction::Kill { actor } => here.is(actor, ActorFlags::LATER) || speaks(actor),
        EnvironmentAction::Cut { actor } => here.is(actor, ActorFlags::LATER),
        _ => false,
    };
    let mut candidates = Vec::new();
    if !early && can_happen(here.view, did) {
        let before = match action {
            EnvironmentAction::Interrupt => here.killed_before_ctrl_c(None),
            _ => Vec::new(),
        };
        candidates.push(candidate(*at_ns, before.into_iter().chain([did]).collect()));
    }
    candidates.push(candidate(if early { u64::MAX } else { *at_ns }, Vec::new()));
    candidates
}

/// Who must have ended before the root did: it was not there any longer, and nobody wrote down when
/// it ended.
fn ends_before_root(here: Here<'_>, actor: ActorId, line: &Line) -> Vec<Action> {
    let exits = line.outputs.iter().any(|output| matches!(output, Output::Exit { .. }));
    let Some(ended) = here.recorded.outside.ended.as_ref().filter(|_| exits) else {
        return Vec::new();
    };
    let root = here.recorded.topology.root();
    let others = here.recorded.topology.actors().filter(|other| *other != root);
    let gone = others.filter(|other| actor == root && !ended.left.contains(other));
    gone.filter_map(|other| here.death(other)).collect()
}

/// That an actor was killed before it had performed all that its last line says: the most that it
/// may have performed comes first.
fn cut_short(here: Here<'_>, actor: ActorId, line: &Line, actions: &[Action]) -> Vec<Candidate> {
    let last = here.at[actor.index()] + 1 == here.recorded.participants[actor.index()].lines.len();
    let Some(end) = here.silent_end(actor).filter(|_| last) else { return Vec::new() };
    let order = SortKey { at_ns: line.at_ns, certainty: Certainty::Possible };
    let outputs = u8::try_from(line.outputs.len()).unwrap_or(u8::MAX);
    let way = |performed| {
        let cut = Action::Environment(EnvironmentAction::CutShort { actor, performed });
        let actions = [cut].into_iter().chain(actions.iter().copied()).chain([end]).collect();
        Candidate { order, actions, line: Written::Partly(actor) }
    };
    (0..outputs).rev().map(way).collect()
}

/// Leaves the earliest candidate, and the others if it is not certain.
fn narrow(here: Here<'_>, candidates: &mut Vec<Candidate>) {
    let Some(first) = candidates.first() else { return };
    match first.line {
        Written::Next(actor) => {
            let at_ns = first.order.at_ns;
            let partly = |line| matches!(line, Written::Partly(who) if who == actor);
            let mut first = true;
            candidates.retain(|candidate| std::mem::take(&mut first) || partly(candidate.line));
            let order = SortKey { at_ns, certainty: Certainty::Possible };
            let cuts = here.next(actor).map(|line| here.cut_before(actor, line));
            let cut = |action| Candidate { order, actions: vec![action], line: Written::Nowhere };
            candidates.extend(cuts.unwrap_or_default().into_iter().map(cut));
        }
        Written::Script => candidates.retain(|candidate| matches!(candidate.line, Written::Script)),
        Written::Nowhere | Written::Partly(..) => {
            // Each of them, or none of them yet.
            let mut recorded = false;
            candidates.retain(|candidate| match candidate.line {
                Written::Next(_) => !std::mem::replace(&mut recorded, true),
                Written::Nowhere | Written::Script | Written::Partly(..) => true,
            });
            candidates.sort_by_key(|candidate| candidate.order.certainty != Certainty::Inferred);
        }
    }
}

/// Takes a candidate, if the model can.
fn take(
    recorded: &RecordedRun,
    place: &Place,
    candidate: &Candidate,
) -> Result<Place, BlockedActor> {
    if let Written::Partly(actor) = candidate.line {
        // Whatever was performed of it, all that the line says follows from the input.
        let [_, actions @ .., _] = &candidate.actions[..] else { unreachable!("cut and end") };
        let (actions, line) = (actions.to_vec(), Written::Next(actor));
        take(recorded, place, &Candidate { order: candidate.order, actions, line })?;
    }
    let mut next = place.clone();
    let stop = |actor: ActorId, why| BlockedActor { actor, line: place.at[actor.index()], why };
    let mut did: Vec<Observation> = Vec::new();
    for action in &candidate.actions {
        if !next.system.can(&recorded.topology, *action) {
            let actor = match candidate.line {
                Written::Next(actor) | Written::Partly(actor) => actor,
                Written::Nowhere | Written::Script => recorded.topology.root(),
            };
            return Err(stop(actor, Why::Never("this is not possible there".to_owned())));
        }
        did.extend(next.system.apply(&recorded.topology, *action));
    }
    let actor = match candidate.line {
        Written::Nowhere => return Ok(next),
        Written::Script => {
            next.marks += 1;
            return Ok(next);
        }
        Written::Partly(actor) => {
            next.at[actor.index()] += 1;
            return Ok(next);
        }
        Written::Next(actor) => actor,
    };
    let line = &recorded.participants[actor.index()].lines[place.at[actor.index()]];
    let outputs: Vec<Output> = did
        .into_iter()
        .filter_map(|did| match did {
            Observation::Output { actor: who, output } if who == actor => Some(output),
            Observation::Output { .. }
            | Observation::Delivered { .. }
            | Observation::EndRead { .. }
            | Observation::Took { .. }
            | Observation::Died { .. } => None,
        })
        .collect();
    if outputs != line.outputs {
        return Err(stop(actor, Why::Outputs(outputs)));
    }
    next.at[actor.index()] += 1;
    Ok(next)
}
