//! Numbers by chance that are the same on every machine.

/// A generator of them (SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014).
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// The generator of one walk of many.
    #[must_use]
    pub fn new(seed: u64, number: u64) -> Self {
        let mut of_seed = Self { state: seed };
        let first = of_seed.next_u64();
        Self { state: first ^ number.wrapping_mul(GOLDEN_RATIO).rotate_left(32) }
    }

    /// Any number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_RATIO);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound, which is small: the first ones are not noticeably likelier.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next_u64() % bound.max(1) as u64).unwrap_or(0)
    }
}

const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
