//! States on their way into a store, and a filter of those that were found lately.

use super::intern::Number;
use super::obligations::ObligationBits;
use super::store::StateId;
use std::ops::Range;

/// States on their way into a store.
#[derive(Clone, Debug, Default)]
pub struct StateBatch {
    numbers: Vec<Number>,
    entries: Vec<BatchEntry>,
    /// Where the states end that were found from each piece of work.
    marks: Vec<(usize, usize)>,
}

/// What comes with a state.
#[derive(Clone, Copy, Debug)]
pub struct BatchEntry {
    /// The hash of the state.
    pub hashed: u64,
    /// The state that it was found from.
    pub parent: StateId,
    /// The obligations of a run that comes there.
    pub pending: ObligationBits,
}

impl StateBatch {
    /// Adds a state.
    pub fn push(&mut self, state: &[Number], entry: BatchEntry) {
        self.numbers.extend_from_slice(state);
        self.entries.push(entry);
    }

    /// What comes with each state, in order.
    #[must_use]
    pub fn entries(&self) -> &[BatchEntry] {
        &self.entries
    }

    /// The state at a place, if states have so many numbers.
    #[must_use]
    pub fn state(&self, stride: usize, at: usize) -> &[Number] {
        &self.numbers[at * stride..(at + 1) * stride]
    }

    /// Notes that the states since the last mark were found from this piece of work.
    pub fn mark(&mut self, work: usize) {
        self.marks.push((work, self.entries.len()));
    }

    /// The pieces of work, in order, and where the states are that were found from each.
    pub fn marked(&self) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
        let starts = std::iter::once(0).chain(self.marks.iter().map(|(_, end)| *end));
        self.marks.iter().zip(starts).map(|((work, end), start)| (*work, start..*end))
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.marks.clear();
        self.numbers.clear();
        self.entries.clear();
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
    /// The obligations with which runs came there.
    pending: Vec<ObligationBits>,
}

/// Few enough for the second cache.
const RECENT: usize = 1 << 13;

impl Recent {
    /// Nothing was found yet.
    #[must_use]
    pub fn new(stride: usize) -> Self {
        Self { stride, numbers: vec![0; RECENT * stride], pending: vec![0; RECENT] }
    }

    /// Whether a state may not have been found before with all of these obligations; from now on
    /// it has.
    pub fn is_new(&mut self, state: &[Number], hashed: u64, pending: ObligationBits) -> bool {
        let at = (hashed >> 16) as usize % RECENT;
        let known = &mut self.numbers[at * self.stride..(at + 1) * self.stride];
        if known != state {
            known.copy_from_slice(state);
            self.pending[at] = pending;
            return true;
        }
        let more = pending & !self.pending[at];
        self.pending[at] |= more;
        more != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::store::hash;

    #[test]
    fn a_state_that_was_found_lately_is_new_with_more_obligations_alone() {
        let mut recent = Recent::new(2);
        let mut found = |pending| recent.is_new(&[3, 4], hash(&[3, 4]), pending);
        assert_eq!([0, 0, 1, 1, 2, 3].map(&mut found), [true, false, true, false, true, false]);
    }
}
