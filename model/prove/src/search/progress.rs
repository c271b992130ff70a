//! What happens in the end: the ranks of the states of one kind of actor, computed.
//!
//! A state is *won* if the goal is inevitable from it under weak fairness. By ranks: won are the
//! goals; and a set of states in each of which one and the same fair move is possible, which leads
//! to a won state, while every other step stays in the set or leads to a won state. Such a move
//! stays possible until it is taken, so it is taken. The number of the set is the rank of its
//! states; nothing of it is written by hand.

use super::super::claim::ClaimViolation;
use super::super::leads_to::{CLAIMS, FAIR, FairMove, ProgressClaim, fair};
use super::{FocusEvent, FocusSearch};

/// A step from one state to another, or out of the graph.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    from: u32,
    to: Option<u32>,
    fair: Option<FairMove>,
    /// Whether it may be taken while nobody asks for anything, here or beside.
    quiet: bool,
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
    Won(u32),
}

impl FocusSearch {
    /// A step was found.
    pub(super) fn edge(&mut self, from: u32, to: Option<u32>, event: FocusEvent, quiet: bool) {
        if event != FocusEvent::Starts {
            let fair = fair(&self.view(self.points[from as usize]), event);
            self.edges.push(Edge { from, to, fair, quiet });
        }
    }

    /// Judges what must happen in the end, in the whole graph.
    pub(super) fn judge_progress(&mut self) {
        self.edges.sort_by_key(|edge| edge.from);
        self.ranks = vec![[None; CLAIMS.len()]; self.points.len()];
        for (number, claim) in CLAIMS.iter().enumerate() {
            let Some(stuck) = self.stuck(number, claim) else { continue };
            let violation = ClaimViolation::of(claim.property, claim.what);
            let (from, event) = self.from[stuck as usize];
            self.blame(vec![violation], from, event, self.points[stuck as usize], &[]);
        }
    }

    /// The first obliged state from which the goal is not inevitable.
    fn stuck(&mut self, number: usize, claim: &ProgressClaim) -> Option<u32> {
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
                *fate = Fate::Won(0);
                continue;
            }
            *fate = Fate::Open;
            open.push(state);
            todo.extend(self.steps_from(state, claim).filter_map(|edge| edge.to));
        }
        let mut round = 0;
        while (0..FAIR.len() as u32).any(|fair| {
            round += FAIR.len() as u32;
            self.rank(claim, round + fair, &mut open, &mut fates)
        }) {}
        for (ranks, fate) in self.ranks.iter_mut().zip(&fates) {
            if let Fate::Won(rank) = fate {
                ranks[number] = Some(*rank);
            }
        }
        for _ in &obliged {
            self.reached.property(claim.property);
        }
        obliged.into_iter().find(|state| !matches!(fates[*state as usize], Fate::Won(_)))
    }

    /// The largest set of states from which one fair move leads to what is won; whether there is one.
    fn rank(
        &self,
        claim: &ProgressClaim,
        rank: u32,
        open: &mut Vec<u32>,
        fates: &mut [Fate],
    ) -> bool {
        let fair = FAIR[rank as usize % FAIR.len()];
        let wins = |edge: &Edge, fates: &[Fate]| {
            edge.to.is_none_or(|to| matches!(fates[to as usize], Fate::Won(_)))
        };
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
            fates[*state as usize] = Fate::Won(rank);
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
