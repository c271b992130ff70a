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

use super::intern::InternTables;
use super::space::shard_of;
use super::store::{Recent, StateBatch, StateId, Store, hash};
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
    /// Properties whose antecedent it reached.
    pub triggered: PropertySet,
    /// For each property that it saw violated, a shortest way there.
    pub violations: BTreeMap<PropertyId, Violation>,
    /// The number of the deepest level.
    pub depth: u32,
    /// The furthest position of the script.
    pub furthest: u8,
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
            barrier: Barrier::new(threads),
            buffers: [buffer(), buffer()],
            bytes: counters(),
            lens: counters(),
        }
    }

    /// Searches, and tells what each thread has found and how it ended.
    #[must_use]
    pub fn run(&self) -> (Vec<ThreadResult>, SearchEnd) {
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
        (results.into_iter().map(|(result, _)| result).collect(), ending)
    }

    fn run_thread(&self, thread: usize) -> (ThreadResult, SearchEnd) {
        let mut worker = Worker::new(self.shared, self.options.symmetry);
        let mut recent = Recent::new(worker.stride());
        let mut result = ThreadResult {
            store: Store::new(worker.stride()),
            transitions: 0,
            triggered: PropertySet::default(),
            violations: BTreeMap::new(),
            depth: 0,
            furthest: 0,
        };
        self.seed(thread, &mut worker, &mut result);
        let mut level = 0..result.store.len() as u32;
        let mut left = level.clone();
        let mut stop = None;
        for buffer in self.buffers.iter().cycle() {
            let batch = left.start..left.end.min(left.start.saturating_add(BATCH));
            left.start = batch.end;
            let expanded =
                self.expand(buffer, thread, batch, &mut worker, &mut recent, &mut result);
            *lock(&buffer.votes[thread]) = RoundVote {
                level: level.len() as u64,
                left: left.len() as u64,
                stop: stop.or(expanded.err()),
                violated: !result.violations.is_empty(),
            };
            self.barrier.wait();
            let votes = buffer
                .votes
                .iter()
                .map(|vote| *lock(vote))
                .fold(RoundVote::default(), RoundVote::and);
            self.collect(buffer, thread, &mut result);
            stop = self.account(thread, &result);
            if thread == 0 {
                self.progress.frontier.store(votes.level, Relaxed);
                self.progress.depth.store(u64::from(result.depth), Relaxed);
            }
            if let Some(ending) = self.ending(votes) {
                result.depth -= u32::from(votes.level == 0);
                return (result, ending);
            }
            if votes.left == 0 {
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
        } else if votes.level == 0 {
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
            batch.push(&state, hashed, thread as StateId);
            result.store.insert_all(&batch);
        }
    }

    fn threads(&self) -> usize {
        self.options.threads.get()
    }

    fn expand(
        &self,
        buffer: &RoundBuffers,
        thread: usize,
        batch: Range<u32>,
        worker: &mut Worker<'_, '_>,
        recent: &mut Recent,
        result: &mut ThreadResult,
    ) -> Result<(), SearchEnd> {
        let threads = self.threads();
        let mut away: Vec<_> = buffer.batches.iter().map(|to| lock(&to[thread])).collect();
        let ThreadResult {
            store,
            depth,
            triggered: reached,
            violations: findings,
            transitions,
            furthest,
        } = result;
        let mut note = |judgement: Judgement, state, place| {
            *reached |= judgement.triggered;
            if judgement.violated.is_empty() {
                return;
            }
            for property in judgement.violated.members() {
                let steps = *depth + u32::from(place == ViolationSite::Step);
                let finding = Violation { steps, state, site: place };
                let least = findings.entry(property).or_insert(finding);
                *least = (*least).min(finding);
            }
        };
        for place in batch {
            if self.progress.interrupt.load(Relaxed) {
                return Err(SearchEnd::Interrupted);
            }
            let state = store.state(place);
            let id = place * threads as u32 + thread as u32;
            let (judgement, at) = worker.look(state, |view| (judge_state(view), view.shared().at));
            *furthest = (*furthest).max(at);
            note(judgement, id, ViolationSite::State);
            let expanded = worker.expand(state, |_, successor| {
                *transitions += 1;
                note(successor.judgement, id, ViolationSite::Step);
                let hashed = hash(successor.state);
                if recent.is_new(successor.state, hashed) {
                    away[shard_of(hashed, threads)].push(successor.state, hashed, id);
                }
            });
            expanded.map_err(|_| SearchEnd::TableFull)?;
        }
        Ok(())
    }

    fn collect(&self, buffer: &RoundBuffers, thread: usize, result: &mut ThreadResult) {
        for batch in &buffer.batches[thread] {
            let mut batch = lock(batch);
            result.store.insert_all(&batch);
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

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
