//! The state that each state was found from, in about one byte.
//!
//! States are found in the order in which their parents are expanded, so a parent's number is
//! nearly always a little more than the one before it. The difference is kept, seven bits a byte
//! (LEB128, with the sign in the lowest bit). Only ways to states are read back, one parent a step,
//! so reading may be slow.

use super::store::StateId;

/// How many parents are read one after another to come to the last of a block.
const BLOCK: usize = 1 << 10;

/// The parents of states, in the order in which the states were found.
#[derive(Debug, Default)]
pub struct Parents {
    len: usize,
    /// What the next difference counts from.
    last: StateId,
    blocks: Vec<ParentBlock>,
}

#[derive(Debug)]
struct ParentBlock {
    before: StateId,
    differences: Vec<u8>,
}

impl ParentBlock {
    fn iter(&self) -> impl Iterator<Item = StateId> + '_ {
        let (mut before, mut bytes) = (self.before, self.differences.iter());
        std::iter::from_fn(move || {
            let (mut coded, mut shift) = (0, 0);
            loop {
                let byte = bytes.next()?;
                coded |= u64::from(byte & 0x7f) << shift;
                if byte & 0x80 == 0 {
                    break;
                }
                shift += 7;
            }
            let difference = (coded >> 1) as i64 ^ -((coded & 1) as i64);
            before = (i64::from(before) + difference) as StateId;
            Some(before)
        })
    }
}

impl Parents {
    /// Adds the next one.
    pub fn push(&mut self, parent: StateId) {
        if self.len.is_multiple_of(BLOCK) {
            let differences = Vec::with_capacity(BLOCK + BLOCK / 8);
            self.blocks.push(ParentBlock { before: self.last, differences });
        }
        let difference = i64::from(parent) - i64::from(self.last);
        let mut left = ((difference << 1) ^ (difference >> 63)) as u64;
        let block = self.blocks.last_mut().expect("a block was begun");
        while left >= 0x80 {
            block.differences.push(left as u8 | 0x80);
            left >>= 7;
        }
        block.differences.push(left as u8);
        (self.last, self.len) = (parent, self.len + 1);
    }

    /// The one at a place.
    #[must_use]
    pub fn get(&self, at: usize) -> StateId {
        let block = &self.blocks[at / BLOCK];
        block.iter().nth(at % BLOCK).expect("a block has all of its differences")
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = StateId> + '_ {
        self.blocks.iter().flat_map(ParentBlock::iter)
    }

    /// What they occupy, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let block = |block: &ParentBlock| size_of::<ParentBlock>() + block.differences.capacity();
        // All but the last block are full, and of much the same size.
        self.blocks.last().map_or(0, block) * self.blocks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_read_as_they_were_written() {
        let mut parents = Parents::default();
        let mut written = vec![0, 0, 1, u32::MAX, 0, 7];
        let mut word: u64 = 1;
        for step in 0..5000_u32 {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            written.push(if word >> 60 == 0 { (word >> 32) as u32 } else { step / 3 });
        }
        written.iter().for_each(|parent| parents.push(*parent));
        for (at, parent) in written.iter().enumerate() {
            assert_eq!(parents.get(at), *parent, "{at}");
        }
        assert!(parents.iter().eq(written));
    }
}
