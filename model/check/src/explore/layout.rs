//! States as bytes: each slot has as many bits as its largest number needs.
//!
//! ```text
//!     numbers --pack--> | slot 0: 11 bits | slot 1: 9 bits | ... | rest of the last byte |
//! ```
//!
//! Components take few values, so most numbers are small; a slot is widened when one comes that has
//! no room, and nothing limits how wide it gets.

use super::intern::{MOST_PARTS, Number};

/// The most bytes of a packed state.
pub const MOST_BYTES: usize = MOST_PARTS * size_of::<Number>();

/// How wide a slot is before a number has come.
const LEAST_WIDTH: u32 = 4;

/// How wide each slot is, in bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    widths: Vec<u32>,
    bytes: usize,
}

/// A number has no room in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom {
    slot: usize,
    number: Number,
}

impl Layout {
    /// The narrowest for so many slots.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        Self::of(vec![LEAST_WIDTH; slots])
    }

    fn of(widths: Vec<u32>) -> Self {
        let bits: u32 = widths.iter().sum();
        Self { widths, bytes: bits.div_ceil(u8::BITS) as usize }
    }

    /// How many bytes a state has.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes a state into the first bytes of a buffer.
    ///
    /// # Errors
    /// The first number that has no room.
    pub fn pack(&self, state: &[Number], to: &mut [u8; MOST_BYTES]) -> Result<(), NoRoom> {
        let (mut word, mut filled, mut at) = (0_u64, 0, 0);
        for (slot, (number, width)) in state.iter().zip(&self.widths).enumerate() {
            if u64::from(*number) >> width != 0 {
                return Err(NoRoom { slot, number: *number });
            }
            word |= u64::from(*number) << filled;
            filled += width;
            if filled >= u32::BITS {
                to[at..at + 4].copy_from_slice(&(word as u32).to_le_bytes());
                (word, filled, at) = (word >> u32::BITS, filled - u32::BITS, at + 4);
            }
        }
        // At most 31 bits are left, and the buffer has room for 32 bits a slot.
        if filled > 0 {
            to[at..at + 4].copy_from_slice(&(word as u32).to_le_bytes());
        }
        Ok(())
    }

    /// Reads a state.
    pub fn unpack(&self, from: &[u8], state: &mut [Number]) {
        let (mut word, mut filled, mut bytes) = (0_u64, 0, from.iter());
        for (number, width) in state.iter_mut().zip(&self.widths) {
            while filled < *width {
                let byte = bytes.next().expect("a packed state has all of its bits");
                word |= u64::from(*byte) << filled;
                filled += u8::BITS;
            }
            *number = (word & ((1 << width) - 1)) as Number;
            (word, filled) = (word >> width, filled - width);
        }
    }

    /// The same with room for a number that had none, and for twice as many besides: widening
    /// rewrites all states, so it should be rare.
    #[must_use]
    pub fn widened(&self, none: NoRoom) -> Self {
        let mut widths = self.widths.clone();
        let needed = Number::BITS - none.number.leading_zeros();
        widths[none.slot] = (needed + 1).min(Number::BITS);
        Self::of(widths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_at_every_width() {
        let mut layout = Layout::new(5);
        let mut bytes = [0; MOST_BYTES];
        for bits in 0..=Number::BITS {
            let most = ((1_u64 << bits) - 1) as Number;
            let state = [most, 3, most / 3, 0, most];
            while let Err(none) = layout.pack(&state, &mut bytes) {
                layout = layout.widened(none);
            }
            let mut read = [7; 5];
            layout.unpack(&bytes[..layout.bytes()], &mut read);
            assert_eq!(read, state, "{bits} bits");
        }
        assert_eq!(layout.bytes(), (32 + 4 + 32 + 4 + 32_usize).div_ceil(8));
    }

    #[test]
    fn a_number_without_room_is_named() {
        let layout = Layout::new(2);
        let none = layout.pack(&[15, 16], &mut [0; MOST_BYTES]).expect_err("16 has five bits");
        assert_eq!(none, NoRoom { slot: 1, number: 16 });
        assert_eq!(layout.widened(none).widths, [4, 6]);
    }
}
