//! The set of visited states: packed vectors, the state each was found from, a hash table.
//!
//! A state takes the bits of its numbers ([`super::layout`]), about one byte for its parent, one for
//! obligations, and at most 11.5 of the table. Bytes lie in chunks that move only when a number
//! comes that has no room. A place of the table holds 32 bits of the hash beside the state's number: they settle nearly every
//! comparison without a look at the vector, and the table grows by one linear sweep, since the
//! same bits, taken in proportion to the capacity, say where a state belongs.
//!
//! A search is bound by memory latency, so states are inserted by the batch: first all places of
//! the table that will be needed are read, then all vectors, then the work is done
//! ([`Store::insert_all`]). The reads of a batch do not depend on each other, so the processor
//! overlaps them.

use super::batch::{BatchEntry, StateBatch};
use super::intern::Number;
use super::layout::{Layout, MOST_BYTES, NoRoom};
use super::obligations::ObligationBits;
use super::parents::Parents;
use foldhash::fast::FixedState;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

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
    layout: Layout,
    states: Vec<Box<[u8]>>,
    parents: Parents,
    /// The obligations with which a run may come to each state.
    pending: Vec<Box<[ObligationBits]>>,
    table: HashIndex,
}

/// A state that was expanded before it was known that a run may come there with more obligations.
#[derive(Clone, Copy, Debug)]
pub struct Belated {
    /// Where the state stands.
    pub place: StateIndex,
    /// The obligations.
    pub more: ObligationBits,
}

/// The hash of a state.
#[must_use]
pub fn hash(state: &[Number]) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    for two in state.chunks(2) {
        let word = two.iter().fold(0, |word, number| word << 32 | u64::from(*number));
        hasher.write_u64(word);
    }
    hasher.finish()
}

impl Store {
    /// An empty one for states of `stride` numbers.
    #[must_use]
    pub fn new(stride: usize) -> Self {
        let table = HashIndex::with_capacity(1 << 10);
        let (states, pending) = (Vec::new(), Vec::new());
        let (layout, parents) = (Layout::new(stride), Parents::default());
        Self { stride, len: 0, layout, states, parents, pending, table }
    }

    /// How many numbers a state has.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.stride
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
        self.states.len() * self.chunk_bytes() + self.parents.bytes() + self.table.bytes()
    }

    /// What `more` states may need at once: chunks, and a larger table beside the old one.
    #[must_use]
    pub fn bytes_to_grow(&self, more: usize) -> usize {
        let table = if self.table.has_room(more) { 0 } else { 2 * self.table.bytes() };
        table + more.div_ceil(CHUNK) * self.chunk_bytes() + 2 * more
    }

    fn chunk_bytes(&self) -> usize {
        CHUNK * (self.layout.bytes() + size_of::<ObligationBits>())
    }

    /// Reads the state at a place.
    pub fn read(&self, place: StateIndex, state: &mut [Number]) {
        self.layout.unpack(slice(&self.states, self.layout.bytes(), place), state);
    }

    /// The state from which the one at a place was found.
    #[must_use]
    pub fn parent(&self, place: StateIndex) -> StateId {
        self.parents.get(place as usize)
    }

    /// The obligations with which a run may come to the state at a place.
    #[must_use]
    pub fn pending(&self, place: StateIndex) -> ObligationBits {
        let (chunk, index) = split(place);
        self.pending[chunk][index]
    }

    /// Where a state of this hash stands.
    #[must_use]
    pub fn find(&self, state: &[Number], hashed: u64) -> Option<StateIndex> {
        let (mut packed, bytes) = ([0; MOST_BYTES], self.layout.bytes());
        // What has no room is not there.
        self.layout.pack(state, &mut packed).ok()?;
        let is = |place| slice(&self.states, bytes, place) == &packed[..bytes];
        self.table.find(tag(hashed), is).ok()
    }

    /// All parents, in the order in which states were found.
    pub fn parents(&self) -> impl Iterator<Item = StateId> + '_ {
        self.parents.iter()
    }

    /// Makes room for so many more.
    pub fn reserve(&mut self, more: usize) {
        self.table.reserve(more);
    }

    /// Adds every state of a part of a batch that is not there, and the obligations of every one.
    /// Tells of those below `expanded`, in the order in which states were found, that got more.
    ///
    /// # Panics
    /// Beyond 2^32 states.
    pub fn insert_all(
        &mut self,
        batch: &StateBatch,
        part: Range<usize>,
        expanded: StateIndex,
        belated: &mut Vec<Belated>,
    ) {
        let entries = batch.entries();
        self.table.reserve(part.len());
        for start in part.clone().step_by(WINDOW) {
            let window = start..part.end.min(start + WINDOW);
            self.read_ahead(&entries[window.clone()]);
            for at in window {
                let BatchEntry { hashed, parent, pending } = entries[at];
                let place = self.insert(batch.state(self.stride, at), hashed, parent);
                let (chunk, index) = split(place);
                let known = &mut self.pending[chunk][index];
                let more = pending & !*known;
                *known |= more;
                if more != 0 && place < expanded {
                    belated.push(Belated { place, more });
                }
            }
        }
    }

    /// Reads what the insertion of these will look at.
    fn read_ahead(&self, entries: &[BatchEntry]) {
        let tags = || entries.iter().map(|entry| tag(entry.hashed));
        let read = tags().fold(0, |sum, tag| sum ^ self.table.slots[self.table.home(tag)]);
        std::hint::black_box(read);
        let suspects = tags().filter_map(|tag| self.table.suspect(tag));
        let read = suspects.fold(0, |sum, place| {
            let (chunk, index) = split(place);
            sum ^ self.states[chunk][index * self.layout.bytes()]
        });
        std::hint::black_box(read);
    }

    fn insert(&mut self, state: &[Number], hashed: u64, parent: StateId) -> StateIndex {
        let mut packed = [0; MOST_BYTES];
        while let Err(none) = self.layout.pack(state, &mut packed) {
            self.widen(none);
        }
        let (states, bytes) = (&self.states, self.layout.bytes());
        let packed = &packed[..bytes];
        let found = self.table.find(tag(hashed), |place| slice(states, bytes, place) == packed);
        let vacancy = match found {
            Ok(place) => return place,
            Err(vacancy) => vacancy,
        };
        let place = StateIndex::try_from(self.len).expect("a store has at most 2^32 states");
        self.table.fill(vacancy, tag(hashed), place);
        let (chunk, index) = split(place);
        if chunk == self.states.len() {
            self.states.push(vec![0; CHUNK * bytes].into());
            self.pending.push(vec![0; CHUNK].into());
        }
        self.states[chunk][index * bytes..(index + 1) * bytes].copy_from_slice(packed);
        self.parents.push(parent);
        self.len += 1;
        place
    }

    /// Rewrites all states with more room. Hashes are of numbers, so the table stays as it is.
    fn widen(&mut self, none: NoRoom) {
        let (narrow, wide) = (self.layout.clone(), self.layout.widened(none));
        let (mut state, mut packed) = (vec![0; self.stride], [0; MOST_BYTES]);
        for chunk in &mut self.states {
            let mut rewritten: Box<[u8]> = vec![0; CHUNK * wide.bytes()].into();
            let old = chunk.chunks(narrow.bytes());
            for (old, new) in old.zip(rewritten.chunks_mut(wide.bytes())) {
                narrow.unpack(old, &mut state);
                wide.pack(&state, &mut packed).expect("there is more room than before");
                new.copy_from_slice(&packed[..wide.bytes()]);
            }
            *chunk = rewritten;
        }
        self.layout = wide;
    }
}

fn split(place: StateIndex) -> (usize, usize) {
    (place as usize / CHUNK, place as usize % CHUNK)
}

fn slice(states: &[Box<[u8]>], bytes: usize, place: StateIndex) -> &[u8] {
    let (chunk, index) = split(place);
    &states[chunk][index * bytes..(index + 1) * bytes]
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
        for round in 0..100 {
            let most = (1 << (8 + round / 8)) - 1;
            let mut batch = StateBatch::default();
            for _ in 0..1000 {
                word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                // Numbers that grow beyond 16 bits, so slots are widened meanwhile.
                let state = [word >> 60, word >> 40 & most, word >> 50 & 0xf].map(|n| n as Number);
                let (hashed, parent, pending) = (hash(&state), 7, 0);
                batch.push(&state, BatchEntry { hashed, parent, pending });
                expected.insert(state);
            }
            store.insert_all(&batch, 0..1000, 0, &mut Vec::new());
        }
        assert_eq!(store.len(), expected.len());
        for state in expected {
            let place = store.find(&state, hash(&state)).expect("it was inserted");
            let mut read = [0; 3];
            store.read(place, &mut read);
            assert_eq!(read, state);
            assert_eq!(store.parent(place), 7);
        }
        assert_eq!(store.find(&[9999; 3], hash(&[9999; 3])), None);
    }

    #[test]
    fn obligations_add_up_and_those_of_expanded_states_are_told() {
        let (mut store, mut belated) = (Store::new(1), Vec::new());
        let mut come = |number: Number, pending, expanded| {
            let mut batch = StateBatch::default();
            batch.push(&[number], BatchEntry { hashed: hash(&[number]), parent: 0, pending });
            belated.clear();
            store.insert_all(&batch, 0..1, expanded, &mut belated);
            let place = store.find(&[number], hash(&[number])).expect("it was inserted");
            let told: Vec<_> = belated.iter().map(|state| (state.place, state.more)).collect();
            (store.pending(place), told)
        };
        assert_eq!(come(5, 1, 0), (1, vec![]));
        assert_eq!(come(6, 0, 1), (0, vec![]));
        assert_eq!(come(5, 1, 1), (1, vec![]), "nothing more");
        assert_eq!(come(5, 3, 1), (3, vec![(0, 2)]));
        assert_eq!(come(6, 2, 1), (2, vec![]), "not expanded yet");
    }
}
