//! The search for one order of all lines that the model allows.
//!
//! Each actor's lines keep their order; what is open is how they interleave. A line that can happen
//! stays possible whatever others do (nobody is killed who has lines left), so the first search,
//! [`Breadth::Narrow`], takes the foremost line that can happen and tries more than one way only
//! where something happened that nobody wrote down: an end, a signal, or a link that was cut, and
//! with it what was said afterwards. If that finds no order, the second one,
//! [`Breadth::Wide`], tries everything, and whether an actor that was killed did nothing of its last
//! line; it remembers where it was, and gives up after `MOST_STATES`.

use super::cast::{Cast, End};
use super::ready::{Here, Rank, Ready};
use holdfast_check::world::{Action, Observation, System};
use holdfast_protocol::{ActorId, Output};
use std::collections::BTreeSet;

/// How many places the wide search looks at.
pub(super) const MOST_STATES: usize = 50_000;

/// How much is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breadth {
    Narrow,
    Wide,
}

/// What came of the search.
#[derive(Clone, Debug)]
pub(super) enum Merged {
    /// An order: all actions of it.
    Found(Vec<Action>),
    /// There is none.
    None(Box<Furthest>),
    /// None was found before the search became too large.
    Undecided(Box<Furthest>),
}

/// How far the records can be followed.
#[derive(Clone, Debug)]
pub(super) struct Furthest {
    /// What happened up to there.
    pub(super) steps: Vec<Action>,
    /// The line at which it ends, with why.
    pub(super) at: Stop,
    /// Where the other actors stand.
    pub(super) others: Vec<Stop>,
}

/// An actor that can not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) actor: ActorId,
    /// Which of its lines, counted from zero.
    pub(super) line: usize,
    pub(super) why: Why,
}

/// Why an actor can not go on, the surest first.
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
    system: System,
}

/// One way to go on.
#[derive(Clone)]
struct Way {
    rank: Rank,
    actions: Vec<Action>,
    line: Written,
}

/// What a way has to do with a line.
#[derive(Clone, Copy)]
enum Written {
    /// It is the next line of this actor.
    Next(ActorId),
    /// Nobody wrote it.
    Nowhere,
    /// This actor wrote its last line and was killed before it did anything of it.
    Undone(ActorId),
}

struct Fork {
    place: Place,
    steps: usize,
    ways: Vec<Way>,
}

/// Looks for an order.
pub(super) fn merge(cast: &Cast) -> Merged {
    let mut search = Search { cast, furthest: None, seen: BTreeSet::new() };
    let furthest = match search.run(Breadth::Narrow) {
        Ok(steps) => return Merged::Found(steps),
        Err(_) => search.furthest.take().expect("the first place is some place"),
    };
    if let Why::Outputs(_) = furthest.at.why {
        // What a node answers depends on what it was told alone, so no order helps.
        return Merged::None(Box::new(furthest));
    }
    match search.run(Breadth::Wide) {
        Ok(steps) => Merged::Found(steps),
        Err(Over::Tried) => Merged::None(Box::new(furthest)),
        Err(Over::TooLarge) => Merged::Undecided(Box::new(furthest)),
    }
}

enum Over {
    Tried,
    TooLarge,
}

struct Search<'a> {
    cast: &'a Cast,
    furthest: Option<Furthest>,
    seen: BTreeSet<Place>,
}

impl Search<'_> {
    fn run(&mut self, breadth: Breadth) -> Result<Vec<Action>, Over> {
        let topology = &self.cast.topology;
        let at = vec![0; self.cast.parts.len()];
        let mut place = Place { at, system: System::new(topology) };
        let mut steps: Vec<Action> = Vec::new();
        let mut forks: Vec<Fork> = Vec::new();
        loop {
            if self.over(&place) {
                return Ok(steps);
            }
            let fresh = breadth == Breadth::Narrow || self.seen.insert(place.clone());
            let (mut ways, stops) =
                if fresh { self.ways(&place, breadth) } else { Default::default() };
            if self.seen.len() > MOST_STATES {
                return Err(Over::TooLarge);
            }
            if ways.is_empty() && breadth == Breadth::Narrow {
                self.note(&place, &steps, stops);
            }
            ways.reverse();
            forks.push(Fork { place, steps: steps.len(), ways });
            place = loop {
                let Some(fork) = forks.last_mut() else { return Err(Over::Tried) };
                let Some(way) = fork.ways.pop() else {
                    forks.pop();
                    continue;
                };
                steps.truncate(fork.steps);
                match take(self.cast, &fork.place, &way) {
                    Ok(next) => {
                        steps.extend(&way.actions);
                        if fork.ways.is_empty() {
                            forks.pop();
                        }
                        break next;
                    }
                    // The first search has said already how far the records can be followed.
                    Err(_) if breadth == Breadth::Wide => {}
                    Err(stop) => {
                        let from = fork.place.clone();
                        self.note(&from, &steps, vec![stop]);
                    }
                }
            };
        }
    }

    fn over(&self, place: &Place) -> bool {
        self.cast.parts.iter().zip(&place.at).all(|(part, at)| *at == part.lines.len())
    }

    /// The ways to go on, the foremost first, and who can not.
    fn ways(&self, place: &Place, breadth: Breadth) -> (Vec<Way>, Vec<Stop>) {
        let (cast, system, at) = (self.cast, &place.system, &place.at[..]);
        system.look(&cast.topology, |scene| {
            let here = Here { cast, system, scene, at };
            let (mut ways, mut unwritten, mut stops) = (Vec::new(), Vec::new(), Vec::new());
            for actor in cast.topology.actors() {
                let Some(line) = here.next(actor) else { continue };
                let stop = |why| Stop { actor, line: at[actor.index()], why };
                match here.ready(actor, line) {
                    Ready::Now(rank, actions) => {
                        ways.push(Way { rank, actions, line: Written::Next(actor) });
                    }
                    Ready::Unwritten(others, why) => {
                        let (rank, line) = (Rank::Outside, Written::Nowhere);
                        unwritten.extend(others.into_iter().map(|actions| Way {
                            rank,
                            actions,
                            line,
                        }));
                        stops.push(stop(Why::Waits(why)));
                    }
                    Ready::Waits(why) => stops.push(stop(Why::Waits(why))),
                    Ready::Never(why) => stops.push(stop(Why::Never(why))),
                }
                let part = &cast.parts[actor.index()];
                let last = at[actor.index()] + 1 == part.lines.len();
                if breadth == Breadth::Wide && last && part.end != End::Own {
                    let (rank, actions, line) = (Rank::Outside, Vec::new(), Written::Undone(actor));
                    unwritten.push(Way { rank, actions, line });
                }
            }
            ways.sort_by_key(|way| way.rank);
            // Who starts somebody must not be killed before.
            unwritten.sort_by_key(|way| way.actions.len() < 2);
            match (breadth, ways.first().map(|way| way.line)) {
                (Breadth::Narrow, Some(Written::Next(actor))) => {
                    ways.truncate(1);
                    let cuts = here.next(actor).map(|line| here.cut_before(actor, line));
                    let (rank, line) = (Rank::Outside, Written::Nowhere);
                    let cut = |action| Way { rank, actions: vec![action], line };
                    ways.extend(cuts.unwrap_or_default().into_iter().map(cut));
                }
                (Breadth::Narrow | Breadth::Wide, _) => ways.append(&mut unwritten),
            }
            (ways, stops)
        })
    }

    /// Keeps the place if no other was further.
    fn note(&mut self, place: &Place, steps: &[Action], mut stops: Vec<Stop>) {
        if stops.len() == 1 {
            stops.extend(self.ways(place, Breadth::Narrow).1);
        }
        stops.dedup();
        stops.sort_by(|one, other| one.why.cmp(&other.why));
        let mut stops = stops.into_iter();
        let Some(at) = stops.next() else { return };
        let surer = match &self.furthest {
            None => true,
            Some(before) => {
                let sure = |stop: &Stop| matches!(stop.why, Why::Outputs(_));
                (sure(&at), steps.len()) > (sure(&before.at), before.steps.len())
            }
        };
        if surer {
            let others = stops.filter(|stop| stop.actor != at.actor).collect();
            self.furthest = Some(Furthest { steps: steps.to_vec(), at, others });
        }
    }
}

/// Goes one way, if the model does.
fn take(cast: &Cast, place: &Place, way: &Way) -> Result<Place, Stop> {
    let mut next = place.clone();
    let stop = |actor: ActorId, why| Stop { actor, line: place.at[actor.index()], why };
    let mut did: Vec<Observation> = Vec::new();
    for action in &way.actions {
        if !next.system.can(&cast.topology, *action) {
            let actor = match way.line {
                Written::Next(actor) | Written::Undone(actor) => actor,
                Written::Nowhere => cast.topology.root(),
            };
            return Err(stop(actor, Why::Never("this is not possible there".to_owned())));
        }
        did.extend(next.system.apply(&cast.topology, *action));
    }
    let actor = match way.line {
        Written::Nowhere => return Ok(next),
        Written::Undone(actor) => {
            next.at[actor.index()] += 1;
            return Ok(next);
        }
        Written::Next(actor) => actor,
    };
    let line = &cast.parts[actor.index()].lines[place.at[actor.index()]];
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
