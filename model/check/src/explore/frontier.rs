//! The states of a level in chunks, so that whoever is free takes the next one.
//!
//! A chunk holds states that were found one after another, whichever shard they lie in: their
//! successors are often the same states, and the thread that has the chunk sees that by itself.
//!
//! ```text
//!     shard 0:  | chunk 0 | chunk 1   | chunk 2 |
//!     shard 1:  | chunk 0   | chunk 1 | chunk 2  |
//! ```

use super::store::{StateId, StateIndex};
use std::ops::Range;

/// How many states a chunk has, about.
const CHUNK: u32 = 1 << 10;

/// A level: its chunks lie one after another in each shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    shards: usize,
    /// Where chunks end in each shard, one chunk after another; first, where the level begins.
    bounds: Vec<StateIndex>,
    /// Where the last states end that belong to no chunk yet.
    end: Vec<StateIndex>,
}

impl Frontier {
    /// A level without states that begins in each shard at such a place.
    #[must_use]
    pub fn new(start: &[StateIndex]) -> Self {
        Self { shards: start.len(), bounds: start.to_vec(), end: start.to_vec() }
    }

    /// Adds the states of each shard up to such a place.
    pub fn extend(&mut self, end: impl IntoIterator<Item = StateIndex>) {
        self.end.clear();
        self.end.extend(end);
        debug_assert_eq!(self.end.len(), self.shards, "each shard has an end");
        let more = self.states_behind(self.chunks());
        if more >= CHUNK {
            self.close(more.div_ceil(CHUNK));
        }
    }

    /// Where the level ends in each shard, so far.
    #[must_use]
    pub fn end(&self) -> &[StateIndex] {
        &self.end
    }

    /// No state follows.
    pub fn close_last(&mut self) {
        if self.states_behind(self.chunks()) > 0 {
            self.close(1);
        }
    }

    /// Makes so many chunks of the states that belong to none.
    fn close(&mut self, parts: u32) {
        let start = self.bound(self.chunks()).to_vec();
        for part in 1..=u64::from(parts) {
            let share = |(start, end): (&u32, &u32)| {
                start + (u64::from(end - start) * part / u64::from(parts)) as u32
            };
            self.bounds.extend(start.iter().zip(&self.end).map(share));
        }
    }

    /// How many chunks there are.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.bounds.len() / self.shards - 1
    }

    /// Where a chunk begins in each shard.
    #[must_use]
    pub fn bound(&self, chunk: usize) -> &[StateIndex] {
        &self.bounds[chunk * self.shards..(chunk + 1) * self.shards]
    }

    /// How many states there are from a chunk on.
    #[must_use]
    pub fn states_behind(&self, chunk: usize) -> u32 {
        self.bound(chunk).iter().zip(&self.end).map(|(start, end)| end - start).sum()
    }

    /// The places of a chunk in a shard.
    #[must_use]
    pub fn places(&self, chunk: usize, shard: usize) -> Range<StateIndex> {
        self.bound(chunk)[shard]..self.bound(chunk + 1)[shard]
    }

    /// Chunks from one on, of so many states at most; at least one chunk, if there is one.
    #[must_use]
    pub fn round(&self, from: usize, most: u32) -> Range<usize> {
        let fits = |to: &usize| self.states_behind(from) - self.states_behind(*to) <= most;
        let to = (from + 1..=self.chunks()).take_while(fits).last();
        from..to.unwrap_or((from + 1).min(self.chunks()))
    }

    /// The same level after the states of the one shard have moved to others.
    #[must_use]
    pub fn divided(&self, to: &[StateId], shards: usize) -> Self {
        let mut counts = vec![0; shards];
        let mut done = 0;
        let mut count = |bound: &StateIndex| {
            for id in &to[done..*bound as usize] {
                counts[*id as usize % shards] += 1;
            }
            done = *bound as usize;
            counts.clone()
        };
        let bounds = self.bounds.iter().flat_map(&mut count).collect();
        let end = count(&self.end[0]);
        Self { shards, bounds, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_neither_large_nor_small_and_hold_everything_in_order() {
        let mut level = Frontier::new(&[10, 20]);
        level.extend([11, 20]);
        assert_eq!(level.chunks(), 0, "one state does not make a chunk");
        level.extend([10 + CHUNK, 20 + 2 * CHUNK]);
        assert_eq!(level.chunks(), 3);
        level.extend([11 + CHUNK, 20 + 2 * CHUNK]);
        level.close_last();
        assert_eq!((level.chunks(), level.states_behind(0)), (4, 3 * CHUNK + 1));
        assert_eq!(level.states_behind(3), 1);
        for shard in 0..2 {
            let own: Vec<_> = (0..4).flat_map(|chunk| level.places(chunk, shard)).collect();
            let all = if shard == 0 { 10..11 + CHUNK } else { 20..20 + 2 * CHUNK };
            assert_eq!(own, all.collect::<Vec<_>>());
        }
        assert_eq!(level.round(0, 2 * CHUNK + 1), 0..2);
        assert_eq!(level.round(2, 1), 2..3, "one at least");
        assert_eq!(level.round(4, 1), 4..4, "unless there is none");
    }

    #[test]
    fn a_level_of_one_shard_that_is_divided_keeps_its_order() {
        let mut level = Frontier::new(&[1]);
        level.extend([1 + CHUNK]);
        level.extend([4 + CHUNK]);
        let to: Vec<StateId> = (0..4 + CHUNK).map(|place| place / 2 * 2 + place % 2).collect();
        let moved = level.divided(&to, 2);
        assert_eq!(moved.bound(0), [1, 0]);
        assert_eq!(moved.bound(1), [1 + CHUNK / 2, CHUNK / 2]);
        assert_eq!((moved.chunks(), moved.states_behind(1)), (1, 3));
    }
}
