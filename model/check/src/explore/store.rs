//! The set of visited states: packed vectors, the state each was found from, a hash table.
//!
//! At most `2 * components + 4 + 11.5` bytes a state. Vectors lie in chunks that never move. A place of
//! the table holds 32 bits of the hash beside the state's number: they settle nearly every
//! comparison without a look at the vector, and the table grows by one linear sweep, since the
//! same bits, taken in proportion to the capacity, say where a state belongs.
//!
//! A search is bound by memory latency, so states are inserted by the batch: first all places of
//! the table that will be needed are read, then all vectors, then the work is done
//! ([`Store::insert_all`]). The reads of a batch do not depend on each other, so the processor
//! overlaps them.

use super::intern::Number;
use foldhash::fast::FixedState;
use std::hash::{BuildHasher, Hasher};

/// The number of a state in its store, in the order in which states were found.
pub type StateIndex = u32;

/// The number of a state among all stores: shards take turns.
pub type StateId = u32;

const CHUNK: usize = 1 << 13;

/// How many states are read ahead: enough to hide the latency, few enough for the first cache.
const WINDOW: usize = 64;

/// Visited states.
#[derive(Debug)]
pub struct Store {
    stride: usize,
    len: usize,
    states: Vec<Box<[Number]>>,
    parents: Vec<Box<[StateId]>>,
    table: HashIndex,
}

/// States on their way into a store.
#[derive(Clone, Debug, Default)]
pub struct StateBatch {
    numbers: Vec<Number>,
    meta: Vec<(u64, StateId)>,
}

impl StateBatch {
    /// Adds a state, its hash and the state it was found from.
    pub fn push(&mut self, state: &[Number], hashed: u64, parent: StateId) {
        self.numbers.extend_from_slice(state);
        self.meta.push((hashed, parent));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.meta.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.meta.is_empty()
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.numbers.clear();
        self.meta.clear();
    }
}

/// The states that were found lately, so that most duplicates do not come as far as the store.
///
/// Two steps that do not touch each other can be taken in either order, and in a breadth-first
/// search both orders come soon after one another.
#[derive(Debug)]
pub struct Recent {
    stride: usize,
    /// By hash. Zeros are the first state of a search, which was found before all others.
    numbers: Vec<Number>,
}

/// Few enough for the second cache.
const RECENT: usize = 1 << 13;

impl Recent {
    /// Nothing was found yet.
    #[must_use]
    pub fn new(stride: usize) -> Self {
        Self { stride, numbers: vec![0; RECENT * stride] }
    }

    /// Whether a state may not have been found before; from now on it has.
    pub fn is_new(&mut self, state: &[Number], hashed: u64) -> bool {
        let at = (hashed >> 16) as usize % RECENT;
        let known = &mut self.numbers[at * self.stride..(at + 1) * self.stride];
        let is_new = known != state;
        if is_new {
            known.copy_from_slice(state);
        }
        is_new
    }
}

/// The hash of a state.
#[must_use]
pub fn hash(state: &[Number]) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    for four in state.chunks(4) {
        let word = four.iter().fold(0, |word, number| word << 16 | u64::from(*number));
        hasher.write_u64(word);
    }
    hasher.finish()
}

impl Store {
    /// An empty one for states of `stride` numbers.
    #[must_use]
    pub fn new(stride: usize) -> Self {
        let table = HashIndex::with_capacity(1 << 10);
        Self { stride, len: 0, states: Vec::new(), parents: Vec::new(), table }
    }

    /// How many states it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What it occupies, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.states.len() * self.chunk_bytes() + self.table.bytes()
    }

    /// What `more` states may need at once: chunks, and a larger table beside the old one.
    #[must_use]
    pub fn bytes_to_grow(&self, more: usize) -> usize {
        let table = if self.table.has_room(more) { 0 } else { 2 * self.table.bytes() };
        table + more.div_ceil(CHUNK) * self.chunk_bytes()
    }

    fn chunk_bytes(&self) -> usize {
        CHUNK * (self.stride * size_of::<Number>() + size_of::<StateId>())
    }

    /// The state at a place.
    #[must_use]
    pub fn state(&self, place: StateIndex) -> &[Number] {
        slice(&self.states, self.stride, place)
    }

    /// The state from which the one at a place was found.
    #[must_use]
    pub fn parent(&self, place: StateIndex) -> StateId {
        let (chunk, index) = split(place);
        self.parents[chunk][index]
    }

    /// Where a state of this hash stands.
    #[must_use]
    pub fn find(&self, state: &[Number], hashed: u64) -> Option<StateIndex> {
        self.table.find(tag(hashed), |place| self.state(place) == state).ok()
    }

    /// Adds every state that is not there.
    ///
    /// # Panics
    /// Beyond 2^32 states.
    pub fn insert_all(&mut self, batch: &StateBatch) {
        self.table.reserve(batch.len());
        for window in (0..batch.len()).step_by(WINDOW) {
            self.insert_window(batch, window..batch.len().min(window + WINDOW));
        }
    }

    fn insert_window(&mut self, batch: &StateBatch, window: std::ops::Range<usize>) {
        let tags = || batch.meta[window.clone()].iter().map(|(hashed, _)| tag(*hashed));
        let read = tags().fold(0, |sum, tag| sum ^ self.table.slots[self.table.home(tag)]);
        std::hint::black_box(read);
        let suspects = tags().filter_map(|tag| self.table.suspect(tag));
        let read = suspects.fold(0, |sum, place| {
            let (chunk, index) = split(place);
            sum ^ self.states[chunk][index * self.stride]
        });
        std::hint::black_box(read);
        for (index, (hashed, parent)) in
            batch.meta.iter().enumerate().take(window.end).skip(window.start)
        {
            let at = index * self.stride;
            self.insert(&batch.numbers[at..at + self.stride], *hashed, *parent);
        }
    }

    fn insert(&mut self, state: &[Number], hashed: u64, parent: StateId) {
        let (states, stride) = (&self.states, self.stride);
        let found = self.table.find(tag(hashed), |place| slice(states, stride, place) == state);
        let Err(vacancy) = found else { return };
        let place = StateIndex::try_from(self.len).expect("a store has at most 2^32 states");
        self.table.fill(vacancy, tag(hashed), place);
        let (chunk, index) = split(place);
        if chunk == self.states.len() {
            self.states.push(vec![0; CHUNK * self.stride].into());
            self.parents.push(vec![0; CHUNK].into());
        }
        let at = index * self.stride;
        self.states[chunk][at..at + self.stride].copy_from_slice(state);
        self.parents[chunk][index] = parent;
        self.len += 1;
    }
}

fn split(place: StateIndex) -> (usize, usize) {
    (place as usize / CHUNK, place as usize % CHUNK)
}

fn slice(states: &[Box<[Number]>], stride: usize, place: StateIndex) -> &[Number] {
    let (chunk, index) = split(place);
    &states[chunk][index * stride..(index + 1) * stride]
}

/// The bits of a hash that the table keeps. The low bits choose the shard.
fn tag(hashed: u64) -> u32 {
    (hashed >> 32) as u32
}

/// Open addressing with linear probing.
#[derive(Debug)]
struct HashIndex {
    /// Zero is vacant, else the tag above the place plus one.
    slots: Vec<u64>,
    filled: usize,
}

/// A vacant slot.
#[derive(Clone, Copy, Debug)]
struct Vacancy(usize);

impl HashIndex {
    fn with_capacity(capacity: usize) -> Self {
        Self { slots: vec![0; capacity], filled: 0 }
    }

    fn bytes(&self) -> usize {
        self.slots.len() * size_of::<u64>()
    }

    fn has_room(&self, more: usize) -> bool {
        (self.filled + more) * 5 <= self.slots.len() * 4
    }

    /// Where a tag belongs: in proportion to the capacity, so a larger table has the same order.
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.slots.len() as u64) >> 32) as usize
    }

    /// The first place with this tag.
    fn suspect(&self, tag: u32) -> Option<StateIndex> {
        let mut at = self.home(tag);
        loop {
            match self.slots[at] {
                0 => return None,
                slot if (slot >> 32) as u32 == tag => return Some(slot as u32 - 1),
                _ => at = self.next(at),
            }
        }
    }

    fn find(
        &self,
        tag: u32,
        mut is: impl FnMut(StateIndex) -> bool,
    ) -> Result<StateIndex, Vacancy> {
        let mut at = self.home(tag);
        loop {
            match self.slots[at] {
                0 => return Err(Vacancy(at)),
                slot => {
                    let place = slot as u32 - 1;
                    if (slot >> 32) as u32 == tag && is(place) {
                        return Ok(place);
                    }
                    at = self.next(at);
                }
            }
        }
    }

    fn next(&self, at: usize) -> usize {
        if at + 1 == self.slots.len() { 0 } else { at + 1 }
    }

    fn fill(&mut self, vacancy: Vacancy, tag: u32, place: StateIndex) {
        self.slots[vacancy.0] = u64::from(tag) << 32 | u64::from(place + 1);
        self.filled += 1;
    }

    /// Makes room for `more`. Little at a time: what is gained in space is worth the sweeps.
    fn reserve(&mut self, more: usize) {
        if self.has_room(more) {
            return;
        }
        let wanted = (self.filled + more) * 5 / 4 + 1;
        let mut grown = Self::with_capacity(wanted.max(self.slots.len() / 7 * 8));
        for slot in self.slots.iter().filter(|slot| **slot != 0) {
            let (tag, place) = ((slot >> 32) as u32, *slot as u32 - 1);
            let mut at = grown.home(tag);
            while grown.slots[at] != 0 {
                at = grown.next(at);
            }
            grown.fill(Vacancy(at), tag, place);
        }
        *self = grown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn stores_each_state_once_and_finds_it_again_through_every_growth() {
        let mut store = Store::new(3);
        let mut expected = BTreeSet::new();
        let mut word: u64 = 1;
        for _ in 0..100 {
            let mut batch = StateBatch::default();
            for _ in 0..1000 {
                word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let state = [word >> 60, word >> 40 & 0xff, word >> 50 & 0xf].map(|n| n as Number);
                batch.push(&state, hash(&state), 7);
                expected.insert(state);
            }
            store.insert_all(&batch);
        }
        assert_eq!(store.len(), expected.len());
        for state in expected {
            let place = store.find(&state, hash(&state)).expect("it was inserted");
            assert_eq!(store.state(place), state);
            assert_eq!(store.parent(place), 7);
        }
        assert_eq!(store.find(&[9999; 3], hash(&[9999; 3])), None);
    }
}
