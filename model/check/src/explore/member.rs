//! One thread of a search.

use super::batch::{BatchEntry, Recent, StateBatch};
use super::frontier::Frontier;
use super::intern::{Number, TableFull};
use super::obligations::{ObligationBits, Standstills};
use super::recurrence::ComponentSteps;
use super::search::ParallelSearch;
use super::space::shard_of;
use super::store::{Belated, StateId, StateIndex, Store, hash};
use super::team::{BATCH, RoundVote, Team};
use super::worker::Worker;
use super::{Progress, SearchEnd, StopWhen, Violation, ViolationSite};
use crate::property::safety::{Judgement, judge_state};
use crate::property::{PropertyId, PropertySet};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{PoisonError, RwLockReadGuard};

/// What one thread has found.
#[derive(Debug, Default)]
pub struct ThreadResult {
    /// How many steps it took.
    pub transitions: u64,
    /// How often a state or a step was found to reach an antecedent, and how often to be a violation.
    pub findings: u64,
    /// Properties whose antecedent it reached.
    pub triggered: PropertySet,
    /// For each property that it saw violated, a shortest way there.
    pub violations: BTreeMap<PropertyId, Violation>,
    /// The number of the deepest level.
    pub depth: u32,
    /// The furthest position of the script.
    pub furthest: u8,
    /// What it has seen of runs that stay somewhere.
    pub standstills: Standstills,
    /// Its states that must be expanded once more.
    pub(super) belated: Vec<Belated>,
}

/// What all threads know of how far a search is.
#[derive(Clone, Debug)]
pub struct SearchPosition {
    /// The level that is expanded.
    pub level: Frontier,
    /// The first chunk of it that is not expanded.
    pub at: usize,
    /// What was found of the next level.
    pub coming: Frontier,
    /// The number of the level.
    pub depth: u32,
}

impl SearchPosition {
    /// A search that has these first states.
    #[must_use]
    pub fn first(ends: &[StateIndex]) -> Self {
        let mut level = Frontier::new(&vec![0; ends.len()]);
        level.extend(ends.iter().copied());
        level.close_last();
        Self { level, at: 0, coming: Frontier::new(ends), depth: 0 }
    }

    fn go_on(&mut self) {
        let end = self.coming.end().to_vec();
        self.level = std::mem::replace(&mut self.coming, Frontier::new(&end));
        self.level.close_last();
        (self.at, self.depth) = (0, self.depth + 1);
    }
}

/// Why a thread has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchPause {
    /// The search has ended.
    Ended(SearchEnd),
    /// There are so many states that more threads should share them.
    Large,
}

/// A thread, with everything that it knows.
pub struct Member<'a, 't> {
    search: &'a ParallelSearch<'a, 't>,
    thread: usize,
    worker: Worker<'a, 't>,
    outbound: Outbound,
    result: ThreadResult,
    position: SearchPosition,
}

impl<'a, 't> Member<'a, 't> {
    /// One that has seen nothing.
    #[must_use]
    pub fn new(
        search: &'a ParallelSearch<'a, 't>,
        worker: Worker<'a, 't>,
        thread: usize,
        position: SearchPosition,
    ) -> Self {
        let outbound = Outbound::new(worker.stride());
        Self { search, thread, worker, outbound, result: ThreadResult::default(), position }
    }

    /// What it has found.
    #[must_use]
    pub fn into_found(self) -> (ThreadResult, ComponentSteps) {
        (self.result, self.worker.into_steps())
    }

    /// What it has found so far, and how far the search is.
    pub fn so_far(&mut self) -> (&mut ThreadResult, &mut SearchPosition) {
        (&mut self.result, &mut self.position)
    }

    /// Searches with the others, up to the end, or until there are `most` states.
    pub fn run(&mut self, team: &Team, most: u64) -> SearchPause {
        loop {
            let position = &self.position;
            let round = position.level.round(position.at, BATCH * team.threads() as u32);
            self.expand_round(team, round.clone());
            let position = &mut self.position;
            team.wait();
            let votes = team.votes();
            let expanded = position.level.bound(round.end)[self.thread];
            team.collect(self.thread, expanded, &mut self.result.belated);
            team.wait();
            team.found(&mut position.coming);
            let progress = self.search.progress();
            let level = position.level.states_behind(0);
            let full = team.account(self.search.options(), progress);
            self.result.depth = position.depth - u32::from(level == 0);
            if self.thread == 0 {
                show(progress, position);
            }
            position.at = round.end;
            let is_done = position.at == position.level.chunks();
            if let Some(ending) = self.ending(votes.with(full), level, is_done) {
                return SearchPause::Ended(ending);
            }
            if is_done && level > 0 {
                self.position.go_on();
            }
            if team.states() >= most {
                return SearchPause::Large;
            }
        }
    }

    /// Whether the search ends here: all threads decide the same from the same votes.
    fn ending(&self, votes: RoundVote, level: u32, is_done: bool) -> Option<SearchEnd> {
        let enough = votes.violated && self.search.options().until == StopWhen::FirstViolation;
        if votes.stop.is_some() {
            votes.stop
        } else if level == 0 && votes.belated == 0 {
            Some(SearchEnd::Exhausted)
        } else if is_done && enough {
            Some(SearchEnd::Violation)
        } else {
            None
        }
    }

    /// Expands its part of a round, and sends what it has found.
    fn expand_round(&mut self, team: &Team, round: Range<usize>) {
        let stores = team.stores();
        team.empty_batches(self.thread, &mut self.outbound.away);
        let belated = std::mem::take(&mut self.result.belated);
        let mut expanded = self.hand_on(&belated, &stores);
        self.outbound.mark(self.thread);
        // Whatever happens, all work is taken by somebody: each shard is told of all of it.
        while let Some(chunk) = team.take(&round) {
            for shard in 0..stores.len() {
                let places = self.position.level.places(chunk, shard);
                if expanded.is_ok() {
                    expanded = self.expand(&stores, shard, places);
                }
            }
            self.outbound.mark(team.threads() + chunk);
        }
        let vote = RoundVote {
            belated: belated.len() as u64,
            stop: expanded.err(),
            violated: !self.result.violations.is_empty(),
        };
        team.send(self.thread, &mut self.outbound.away, vote);
    }

    /// Expands states that have been expanded before they got obligations: hands these on, and
    /// sees whether a run can stay there with them.
    fn hand_on(
        &mut self,
        belated: &[Belated],
        stores: &[RwLockReadGuard<'_, Store>],
    ) -> Result<(), SearchEnd> {
        let Self { worker, outbound, result, thread, .. } = self;
        let obligations = self.search.obligations();
        let state = &mut vec![0; worker.stride()];
        for Belated { place, more } in belated {
            stores[*thread].read(*place, state);
            let here = worker.look(state, |view| obligations.at(view));
            let more = more & here.undischarged & !here.obliged;
            if more != 0 {
                let id = id(stores.len(), *thread, *place);
                let handed = worker.expand(state, |_, next| outbound.push(next.state, id, more));
                handed.map_err(|_| SearchEnd::TableFull)?;
                let stuck = obligations.stuck(more, |fairness| worker.owes(state, fairness));
                result.standstills.stuck |= stuck;
            }
        }
        Ok(())
    }

    fn expand(
        &mut self,
        stores: &[RwLockReadGuard<'_, Store>],
        shard: usize,
        places: Range<StateIndex>,
    ) -> Result<(), SearchEnd> {
        for place in places {
            if self.search.progress().interrupt.load(Relaxed) {
                return Err(SearchEnd::Interrupted);
            }
            let id = id(stores.len(), shard, place);
            self.expand_one(&stores[shard], place, id).map_err(|_| SearchEnd::TableFull)?;
        }
        Ok(())
    }

    fn expand_one(
        &mut self,
        store: &Store,
        place: StateIndex,
        id: StateId,
    ) -> Result<(), TableFull> {
        let Self { worker, outbound, result, position, .. } = self;
        let obligations = self.search.obligations();
        let ThreadResult { findings, triggered, violations, standstills, .. } = result;
        let mut note = |judgement: Judgement, state, site| {
            *findings += judgement.findings();
            *triggered |= judgement.triggered;
            for property in judgement.violated.members() {
                let steps = position.depth + u32::from(site == ViolationSite::Step);
                let finding = Violation { steps, state, site };
                let least = violations.entry(property).or_insert(finding);
                *least = (*least).min(finding);
            }
        };
        // Taken out, so that successors can be pushed while it is looked at.
        let mut state = std::mem::take(&mut outbound.state);
        store.read(place, &mut state);
        let (judgement, at, here) =
            worker.look(&state, |view| (judge_state(view), view.shared().at, obligations.at(view)));
        result.furthest = result.furthest.max(at);
        note(judgement, id, ViolationSite::State);
        let pending = here.pending(store.pending(place));
        let transitions = &mut result.transitions;
        worker.expand(&state, |_, successor| {
            *transitions += 1;
            standstills.loops |= successor.state == state;
            if !successor.judgement.triggered.is_empty() || !successor.judgement.violated.is_empty()
            {
                note(successor.judgement, id, ViolationSite::Step);
            }
            outbound.push(successor.state, id, pending);
        })?;
        if worker.is_last() {
            worker.look(&state, |view| standstills.add_last(view));
        }
        let stuck = obligations.stuck(pending, |fairness| worker.owes(&state, fairness));
        standstills.stuck |= stuck;
        outbound.state = state;
        Ok(())
    }
}

fn show(progress: &Progress, position: &SearchPosition) {
    let level = u64::from(position.level.states_behind(0));
    progress.frontier.store(level, Relaxed);
    progress.depth.store(u64::from(position.depth), Relaxed);
    let mut levels = progress.levels.lock().unwrap_or_else(PoisonError::into_inner);
    if level > 0 && levels.len() == position.depth as usize {
        levels.push(level);
    }
}

/// The number of a state among all shards.
#[must_use]
pub fn id(shards: usize, shard: usize, place: StateIndex) -> StateId {
    place * shards as u32 + shard as u32
}

/// States on their way from one thread to those that own them.
struct Outbound {
    recent: Recent,
    away: Vec<StateBatch>,
    /// The state that is expanded.
    state: Vec<Number>,
}

impl Outbound {
    fn new(stride: usize) -> Self {
        Self { recent: Recent::new(stride), away: Vec::new(), state: vec![0; stride] }
    }

    fn push(&mut self, state: &[Number], parent: StateId, pending: ObligationBits) {
        let hashed = hash(state);
        if self.recent.is_new(state, hashed, pending) {
            let owner = shard_of(hashed, self.away.len());
            self.away[owner].push(state, BatchEntry { hashed, parent, pending });
        }
    }

    fn mark(&mut self, work: usize) {
        self.away.iter_mut().for_each(|batch| batch.mark(work));
    }
}
