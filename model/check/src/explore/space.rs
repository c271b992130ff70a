//! All visited states: a store for each thread, and one number for each state.

use super::intern::Number;
use super::store::{StateId, Store, hash};

/// The visited states, one store a thread.
#[derive(Debug)]
pub struct Space {
    shards: Vec<Store>,
}

impl Space {
    /// The states of all stores.
    #[must_use]
    pub fn new(shards: Vec<Store>) -> Self {
        Self { shards }
    }

    /// How many states there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.shards.iter().map(|shard| shard.len() as u64).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What they occupy, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.bytes() as u64).sum()
    }

    /// One more than the largest state number.
    #[must_use]
    pub fn id_bound(&self) -> usize {
        self.shards.iter().map(Store::len).max().unwrap_or(0) * self.shards.len()
    }

    /// All state numbers, in the order in which one thread finds them.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = StateId> + '_ {
        let shards = self.shards.len();
        (0..self.id_bound())
            .filter(move |id| id / shards < self.shards[id % shards].len())
            .map(|id| StateId::try_from(id).expect("a space has at most 2^32 states"))
    }

    /// The state of a number.
    #[must_use]
    pub fn state(&self, id: StateId) -> Vec<Number> {
        let (shard, place) = self.split(id);
        let mut state = vec![0; self.shards[shard].stride()];
        self.shards[shard].read(place, &mut state);
        state
    }

    /// The state from which it was found; the first one was found from itself.
    #[must_use]
    pub fn parent(&self, id: StateId) -> StateId {
        let (shard, place) = self.split(id);
        self.shards[shard].parent(place)
    }

    /// The number of a state.
    #[must_use]
    pub fn find(&self, state: &[Number]) -> Option<StateId> {
        let hashed = hash(state);
        let shard = shard_of(hashed, self.shards.len());
        Some(self.join(shard, self.shards[shard].find(state, hashed)?))
    }

    fn split(&self, id: StateId) -> (usize, u32) {
        let shards = self.shards.len() as u32;
        ((id % shards) as usize, id / shards)
    }

    fn join(&self, shard: usize, place: u32) -> StateId {
        place * self.shards.len() as u32 + shard as u32
    }
}

/// The store for a hash. The table of a store uses the high bits.
#[must_use]
pub fn shard_of(hashed: u64, shards: usize) -> usize {
    ((hashed & 0xffff) % shards as u64) as usize
}
