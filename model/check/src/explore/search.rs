//! The threads of a search, and what they tell each other.
//!
//! ```text
//!     round:   expand (each thread a batch of its own shard's states)
//!              barrier
//!              collect (each state that was found goes to the thread that owns its hash)
//! ```
//!
//! Rounds take buffers with two sets of batches and votes, so one barrier a round is enough: nobody
//! writes to a set before everybody has read it.

use super::batch::{BatchEntry, Recent, StateBatch};
use super::intern::{InternTables, Number, TableFull};
use super::obligations::{ObligationBits, Obligations, Standstills};
use super::recurrence::ComponentSteps;
use super::space::shard_of;
use super::store::{Belated, StateId, StateIndex, Store, hash};
use super::worker::Worker;
use super::{Options, Progress, SearchEnd, StopWhen, Violation, ViolationSite};
use crate::property::safety::{Judgement, judge_state};
use crate::property::{PropertyId, PropertySet};
use crate::world::System;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Barrier, Mutex, PoisonError};

/// What the threads of a search share.
pub struct ParallelSearch<'a, 't> {
    shared: &'a InternTables<'t>,
    options: Options,
    progress: &'a Progress,
    obligations: Obligations,
    barrier: Barrier,
    /// For odd and for even rounds.
    buffers: [RoundBuffers; 2],
    bytes: Vec<AtomicU64>,
    lens: Vec<AtomicU64>,
}

/// What is exchanged in one round.
struct RoundBuffers {
    /// `batches[to][from]`.
    batches: Vec<Vec<Mutex<StateBatch>>>,
    /// What each thread says.
    votes: Vec<Mutex<RoundVote>>,
}

/// What a thread says at the end of its half of a round.
#[derive(Clone, Copy, Debug, Default)]
struct RoundVote {
    /// How many states of the level are its own.
    level: u64,
    /// How many of them are not expanded.
    left: u64,
    /// How many states were expanded once more in this round.
    belated: u64,
    /// Why the search should stop.
    stop: Option<SearchEnd>,
    /// Whether it has seen a property violated.
    violated: bool,
}

impl RoundVote {
    /// What all threads together say.
    fn and(self, other: Self) -> Self {
        Self {
            level: self.level + other.level,
            left: self.left + other.left,
            belated: self.belated + other.belated,
            stop: self.stop.or(other.stop),
            violated: self.violated || other.violated,
        }
    }
}

/// What one thread has found.
pub struct ThreadResult {
    /// Its states.
    pub store: Store,
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
    belated: Vec<Belated>,
}

/// How many states a thread expands in a round.
const BATCH: u32 = 1 << 14;

/// How many new states one state leads to, generously.
const MOST_SUCCESSORS: usize = 16;

impl<'a, 't> ParallelSearch<'a, 't> {
    /// A search that has not begun.
    #[must_use]
    pub fn new(shared: &'a InternTables<'t>, options: Options, progress: &'a Progress) -> Self {
        let threads = options.threads.get();
        let counters = || (0..threads).map(|_| AtomicU64::new(0)).collect();
        let boxes = || (0..threads).map(|_| Mutex::default()).collect();
        let buffer = || RoundBuffers {
            batches: (0..threads).map(|_| boxes()).collect(),
            votes: (0..threads).map(|_| Mutex::default()).collect(),
        };
        Self {
            shared,
            options,
            progress,
            obligations: Obligations::of(shared.topology().config()),
            barrier: Barrier::new(threads),
            buffers: [buffer(), buffer()],
            bytes: counters(),
            lens: counters(),
        }
    }

    /// The leads-to properties that it decides.
    #[must_use]
    pub fn obligations(&self) -> &Obligations {
        &self.obligations
    }

    /// Searches, and tells what each thread has found and how it ended.
    #[must_use]
    pub fn run(&self) -> (Vec<(ThreadResult, ComponentSteps)>, SearchEnd) {
        lock(&self.progress.levels).clear();
        let results: Vec<_> = std::thread::scope(|scope| {
            let run = |thread| move || self.run_thread(thread);
            let others: Vec<_> =
                (1..self.threads()).map(|thread| scope.spawn(run(thread))).collect();
            let first = run(0)();
            let joined =
                others.into_iter().map(|other| other.join().expect("a search thread panicked"));
            std::iter::once(first).chain(joined).collect()
        });
        let ending = results[0].1;
        (results.into_iter().map(|(found, _)| found).collect(), ending)
    }

    fn run_thread(&self, thread: usize) -> ((ThreadResult, ComponentSteps), SearchEnd) {
        let mut worker = Worker::new(self.shared, self.options);
        let mut outbound = Outbound::new(thread, worker.stride());
        let mut result = ThreadResult {
            store: Store::new(worker.stride()),
            transitions: 0,
            findings: 0,
            triggered: PropertySet::default(),
            violations: BTreeMap::new(),
            depth: 0,
            furthest: 0,
            standstills: Standstills::default(),
            belated: Vec::new(),
        };
        self.seed(thread, &mut worker, &mut result);
        let mut level = 0..result.store.len() as u32;
        let mut left = level.clone();
        let mut stop = None;
        for buffer in self.buffers.iter().cycle() {
            let batch = left.start..left.end.min(left.start.saturating_add(BATCH));
            left.start = batch.end;
            let belated = std::mem::take(&mut result.belated);
            // Batches lie side by side, so each is filled away from the others: threads that write
            // to the same line of memory wait for each other.
            let away = |to: &Vec<Mutex<StateBatch>>| std::mem::take(&mut *lock(&to[thread]));
            outbound.away.extend(buffer.batches.iter().map(away));
            let expanded = self
                .hand_on(&belated, &mut worker, &mut outbound, &mut result)
                .and_then(|()| self.expand(batch, &mut worker, &mut outbound, &mut result));
            for (to, filled) in buffer.batches.iter().zip(outbound.away.drain(..)) {
                *lock(&to[thread]) = filled;
            }
            *lock(&buffer.votes[thread]) = RoundVote {
                level: level.len() as u64,
                left: left.len() as u64,
                belated: belated.len() as u64,
                stop: stop.or(expanded.err()),
                violated: !result.violations.is_empty(),
            };
            self.barrier.wait();
            let votes = buffer
                .votes
                .iter()
                .map(|vote| *lock(vote))
                .fold(RoundVote::default(), RoundVote::and);
            self.collect(buffer, thread, left.start, &mut result);
            stop = self.account(thread, &result);
            if thread == 0 {
                self.progress.frontier.store(votes.level, Relaxed);
                self.progress.depth.store(u64::from(result.depth), Relaxed);
                let mut levels = lock(&self.progress.levels);
                if votes.level > 0 && levels.len() == result.depth as usize {
                    levels.push(votes.level);
                }
            }
            if let Some(ending) = self.ending(votes) {
                result.depth -= u32::from(votes.level == 0);
                return ((result, worker.into_steps()), ending);
            }
            if votes.left == 0 && votes.level > 0 {
                level = level.end..result.store.len() as u32;
                left = level.clone();
                result.depth += 1;
            }
        }
        unreachable!("buffers have no end")
    }

    /// Whether the search ends here: all threads decide the same from the same votes.
    fn ending(&self, votes: RoundVote) -> Option<SearchEnd> {
        let enough = votes.violated && self.options.until == StopWhen::FirstViolation;
        if votes.stop.is_some() {
            votes.stop
        } else if votes.level == 0 && votes.belated == 0 {
            Some(SearchEnd::Exhausted)
        } else if votes.left == 0 && enough {
            Some(SearchEnd::Violation)
        } else {
            None
        }
    }

    fn seed(&self, thread: usize, worker: &mut Worker<'_, '_>, result: &mut ThreadResult) {
        let first = System::new(self.shared.topology());
        let state = worker.pack(&first).expect("the first values fit");
        let hashed = hash(&state);
        if shard_of(hashed, self.threads()) == thread {
            let mut batch = StateBatch::default();
            batch.push(&state, BatchEntry { hashed, parent: thread as StateId, pending: 0 });
            result.store.insert_all(&batch, 0, &mut result.belated);
        }
    }

    fn threads(&self) -> usize {
        self.options.threads.get()
    }

    /// Expands states that have been expanded before they got obligations: hands these on, and
    /// sees whether a run can stay there with them.
    fn hand_on(
        &self,
        belated: &[Belated],
        worker: &mut Worker<'_, '_>,
        outbound: &mut Outbound,
        result: &mut ThreadResult,
    ) -> Result<(), SearchEnd> {
        let state = &mut vec![0; result.store.stride()];
        for Belated { place, more } in belated {
            result.store.read(*place, state);
            let here = worker.look(state, |view| self.obligations.at(view));
            let more = more & here.undischarged & !here.obliged;
            if more != 0 {
                let id = self.id(outbound.thread, *place);
                let handed = worker.expand(state, |_, next| outbound.push(next.state, id, more));
                handed.map_err(|_| SearchEnd::TableFull)?;
                let stuck = self.obligations.stuck(more, |fairness| worker.owes(state, fairness));
                result.standstills.stuck |= stuck;
            }
        }
        Ok(())
    }

    fn expand(
        &self,
        batch: Range<u32>,
        worker: &mut Worker<'_, '_>,
        outbound: &mut Outbound,
        result: &mut ThreadResult,
    ) -> Result<(), SearchEnd> {
        for place in batch {
            if self.progress.interrupt.load(Relaxed) {
                return Err(SearchEnd::Interrupted);
            }
            self.expand_one(place, worker, outbound, result).map_err(|_| SearchEnd::TableFull)?;
        }
        Ok(())
    }

    fn expand_one(
        &self,
        place: StateIndex,
        worker: &mut Worker<'_, '_>,
        outbound: &mut Outbound,
        result: &mut ThreadResult,
    ) -> Result<(), TableFull> {
        let ThreadResult { store, depth, findings, triggered, violations, standstills, .. } =
            result;
        let mut note = |judgement: Judgement, state, site| {
            *findings += judgement.findings();
            *triggered |= judgement.triggered;
            for property in judgement.violated.members() {
                let steps = *depth + u32::from(site == ViolationSite::Step);
                let finding = Violation { steps, state, site };
                let least = violations.entry(property).or_insert(finding);
                *least = (*least).min(finding);
            }
        };
        // Taken out, so that successors can be pushed while it is looked at.
        let mut state = std::mem::take(&mut outbound.state);
        store.read(place, &mut state);
        let id = self.id(outbound.thread, place);
        let (judgement, at, here) = worker
            .look(&state, |view| (judge_state(view), view.shared().at, self.obligations.at(view)));
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
        let stuck = self.obligations.stuck(pending, |fairness| worker.owes(&state, fairness));
        standstills.stuck |= stuck;
        outbound.state = state;
        Ok(())
    }

    fn id(&self, thread: usize, place: StateIndex) -> StateId {
        place * self.threads() as u32 + thread as u32
    }

    fn collect(
        &self,
        buffer: &RoundBuffers,
        thread: usize,
        expanded: StateIndex,
        result: &mut ThreadResult,
    ) {
        for batch in &buffer.batches[thread] {
            let mut batch = lock(batch);
            result.store.insert_all(&batch, expanded, &mut result.belated);
            batch.clear();
        }
    }

    /// Adds up what all threads occupy. Tells if that is too much.
    fn account(&self, thread: usize, result: &ThreadResult) -> Option<SearchEnd> {
        self.lens[thread].store(result.store.len() as u64, Relaxed);
        let bytes =
            result.store.bytes() + result.store.bytes_to_grow(BATCH as usize * MOST_SUCCESSORS);
        self.bytes[thread].store(bytes as u64, Relaxed);
        let sum = |counts: &[AtomicU64]| counts.iter().map(|count| count.load(Relaxed)).sum();
        let (states, bytes): (u64, u64) = (sum(&self.lens), sum(&self.bytes));
        self.progress.states.store(states, Relaxed);
        self.progress.bytes.store(bytes, Relaxed);
        if states > self.options.max_states {
            Some(SearchEnd::StateLimit)
        } else if bytes > self.options.max_bytes {
            Some(SearchEnd::MemoryLimit)
        } else {
            None
        }
    }
}

/// States on their way from one thread to those that own them.
struct Outbound {
    thread: usize,
    recent: Recent,
    away: Vec<StateBatch>,
    /// The state that is expanded.
    state: Vec<Number>,
}

impl Outbound {
    fn new(thread: usize, stride: usize) -> Self {
        Self { thread, recent: Recent::new(stride), away: Vec::new(), state: vec![0; stride] }
    }

    fn push(&mut self, state: &[Number], parent: StateId, pending: ObligationBits) {
        let hashed = hash(state);
        if self.recent.is_new(state, hashed, pending) {
            let owner = shard_of(hashed, self.away.len());
            self.away[owner].push(state, BatchEntry { hashed, parent, pending });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
