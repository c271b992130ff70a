//! What the threads of a search share.
//!
//! ```text
//!     round:   expand   each thread takes chunks of the level until none is left; successors go
//!                       into a batch for the shard that owns their hash
//!              barrier
//!              collect  each thread adds to its own shard what was found for it, chunk by chunk
//!              barrier
//! ```
//!
//! No store is written to while states are expanded, and each has one writer while they are
//! collected. Batches are read in the order of the chunks, whoever has expanded them: so what is
//! found, and from where, does not depend on which thread was faster.

use super::batch::StateBatch;
use super::frontier::Frontier;
use super::store::{Belated, StateIndex, Store};
use super::{Options, Progress, SearchEnd};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

/// How many states a thread expands in a round.
pub const BATCH: u32 = 1 << 14;

/// How many new states one state leads to, generously.
const MOST_SUCCESSORS: usize = 16;

/// What a thread says when it has expanded its part of a round.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundVote {
    /// How many states were expanded once more in this round.
    pub belated: u64,
    /// Why the search should stop.
    pub stop: Option<SearchEnd>,
    /// Whether it has seen a property violated.
    pub violated: bool,
}

impl RoundVote {
    /// The same, with another reason to stop.
    #[must_use]
    pub fn with(self, stop: Option<SearchEnd>) -> Self {
        Self { stop: self.stop.or(stop), ..self }
    }

    /// What all threads together say.
    fn and(self, other: Self) -> Self {
        Self {
            belated: self.belated + other.belated,
            stop: self.stop.or(other.stop),
            violated: self.violated || other.violated,
        }
    }
}

/// The shards of a search, one for each thread, and what is exchanged in a round.
#[derive(Debug)]
pub struct Team {
    stores: Vec<RwLock<Store>>,
    barrier: Barrier,
    /// How many pieces of work of this round were taken.
    taken: AtomicUsize,
    /// `batches[to][from]`.
    batches: Vec<Vec<Mutex<StateBatch>>>,
    votes: Vec<Mutex<RoundVote>>,
    /// How long each shard was after each piece of work of the round.
    grown: Vec<Mutex<Vec<StateIndex>>>,
    bytes: Vec<AtomicU64>,
    lens: Vec<AtomicU64>,
}

impl Team {
    /// A thread for each of these shards.
    #[must_use]
    pub fn new(stores: Vec<Store>) -> Self {
        let threads = stores.len();
        let counters = || (0..threads).map(|_| AtomicU64::new(0)).collect();
        let batches = || (0..threads).map(|_| Mutex::default()).collect();
        Self {
            stores: stores.into_iter().map(RwLock::new).collect(),
            barrier: Barrier::new(threads),
            taken: AtomicUsize::new(0),
            batches: (0..threads).map(|_| batches()).collect(),
            votes: (0..threads).map(|_| Mutex::default()).collect(),
            grown: (0..threads).map(|_| Mutex::default()).collect(),
            bytes: counters(),
            lens: counters(),
        }
    }

    /// The shards.
    #[must_use]
    pub fn into_stores(self) -> Vec<Store> {
        let open =
            |store: RwLock<Store>| store.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.stores.into_iter().map(open).collect()
    }

    /// How many threads there are.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.stores.len()
    }

    /// All shards, to read while states are expanded.
    #[must_use]
    pub fn stores(&self) -> Vec<RwLockReadGuard<'_, Store>> {
        let guards = self.stores.iter().map(RwLock::read);
        guards.map(|guard| guard.unwrap_or_else(PoisonError::into_inner)).collect()
    }

    /// Waits for the other threads.
    pub fn wait(&self) {
        self.barrier.wait();
    }

    /// The next piece of this round's work that nobody has taken.
    pub fn take(&self, work: &Range<usize>) -> Option<usize> {
        let taken = self.taken.fetch_add(1, Relaxed);
        (taken < work.len()).then(|| work.start + taken)
    }

    /// A thread's batches, by the shard that they go to. Batches lie side by side, so each is
    /// filled away from the others: threads that write to the same line of memory wait for each
    /// other.
    pub fn empty_batches(&self, from: usize, filled: &mut Vec<StateBatch>) {
        filled.extend(self.batches.iter().map(|to| std::mem::take(&mut *lock(&to[from]))));
    }

    /// Puts the batches back, filled.
    pub fn send(&self, from: usize, filled: &mut Vec<StateBatch>, vote: RoundVote) {
        for (to, batch) in self.batches.iter().zip(filled.drain(..)) {
            *lock(&to[from]) = batch;
        }
        *lock(&self.votes[from]) = vote;
    }

    /// What all threads together say of the states that were expanded.
    #[must_use]
    pub fn votes(&self) -> RoundVote {
        self.votes.iter().map(|vote| *lock(vote)).fold(RoundVote::default(), RoundVote::and)
    }

    /// Adds to a thread's shard what was found for it, piece of work by piece.
    pub fn collect(&self, thread: usize, expanded: StateIndex, belated: &mut Vec<Belated>) {
        if thread == 0 {
            self.taken.store(0, Relaxed);
        }
        let mut store = self.stores[thread].write().unwrap_or_else(PoisonError::into_inner);
        let mut grown = lock(&self.grown[thread]);
        grown.clear();
        let mut batches: Vec<_> = self.batches[thread].iter().map(lock).collect();
        store.reserve(batches.iter().map(|batch| batch.entries().len()).sum());
        let marked = batches.iter().map(|batch| batch.marked().map(move |mark| (batch, mark)));
        let mut pieces: Vec<_> = marked.flatten().collect();
        pieces.sort_by_key(|(_, (work, _))| *work);
        for (batch, (_, part)) in pieces {
            store.insert_all(batch, part, expanded, belated);
            grown.push(store.len() as StateIndex);
        }
        batches.iter_mut().for_each(|batch| batch.clear());
        self.lens[thread].store(store.len() as u64, Relaxed);
        let room = store.bytes_to_grow(BATCH as usize * MOST_SUCCESSORS);
        self.bytes[thread].store((store.bytes() + room) as u64, Relaxed);
    }

    /// Adds the states that the round has found to the next level.
    pub fn found(&self, coming: &mut Frontier) {
        let grown: Vec<_> = self.grown.iter().map(lock).collect();
        for piece in 0..grown[0].len() {
            coming.extend(grown.iter().map(|grown| grown[piece]));
        }
    }

    /// How many states there are.
    #[must_use]
    pub fn states(&self) -> u64 {
        self.lens.iter().map(|len| len.load(Relaxed)).sum()
    }

    /// Adds up what all threads occupy. Tells if that is too much.
    pub fn account(&self, options: &Options, progress: &Progress) -> Option<SearchEnd> {
        let states = self.states();
        let bytes = self.bytes.iter().map(|bytes| bytes.load(Relaxed)).sum();
        progress.states.store(states, Relaxed);
        progress.bytes.store(bytes, Relaxed);
        if states > options.max_states {
            Some(SearchEnd::StateLimit)
        } else if bytes > options.max_bytes {
            Some(SearchEnd::MemoryLimit)
        } else {
            None
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
