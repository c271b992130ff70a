//! How large a search will be, told while it runs.
//!
//! The levels of these searches grow, slow down and shrink again, and how fast they grow says how
//! much of the whole has been seen: a search whose levels still double has seen a tenth of it or
//! less, one whose levels shrink by a third nearly all. `SEEN` has the measured factors. The
//! estimate counts states and nothing else, so a search has the same estimates every time.

use std::fmt;

/// How many states a search has in all, as far as its levels tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeEstimate {
    /// Probably no fewer.
    pub at_least: u64,
    /// Probably no more; none while the levels grow too fast to tell.
    pub at_most: Option<u64>,
}

/// From how many states on an estimate is made.
const FIRST: u64 = 1_000;

/// A growth, and what it was found to mean.
struct SeenGrowth {
    /// By what factor the levels grow, as a natural logarithm.
    growth: f64,
    /// How many times the states that were seen there are in all, at least.
    least: f64,
    /// And at most.
    most: f64,
}

const fn seen(growth: f64, least: f64, most: f64) -> SeenGrowth {
    SeenGrowth { growth, least, most }
}

/// Measured at each level of 68 searches of 3,000 to 4,000,000 states: 19 of 20 lie within.
const SEEN: [SeenGrowth; 12] = [
    seen(-1.0, 1.0, 1.005),
    seen(-0.8, 1.0, 1.01),
    seen(-0.6, 1.0, 1.03),
    seen(-0.4, 1.0, 1.12),
    seen(-0.2, 1.03, 1.35),
    seen(0.0, 1.15, 2.2),
    seen(0.2, 1.5, 6.0),
    seen(0.4, 2.2, 14.0),
    seen(0.6, 3.5, 60.0),
    seen(0.8, 7.0, f64::INFINITY),
    seen(1.0, 16.0, f64::INFINITY),
    seen(1.2, 40.0, f64::INFINITY),
];

impl SizeEstimate {
    /// The estimate after some levels, the one that is being expanded included; none if they are
    /// too few to tell.
    #[must_use]
    pub fn of(levels: &[u64]) -> Option<Self> {
        let states: u64 = levels.iter().sum();
        let [.., before, _, last] = *levels else { return None };
        if states < FIRST || before == 0 || last == 0 {
            return None;
        }
        // Over two levels: the levels of some searches grow alternately.
        let growth = (last as f64 / before as f64).ln() / 2.0;
        let (least, most) = factors(growth);
        let times = |factor: f64| (states as f64 * factor).round() as u64;
        let at_most = (growth < TOO_FAST).then(|| times(most));
        Some(Self { at_least: times(least), at_most })
    }
}

/// Beyond this growth the most that was measured says too little to be told.
const TOO_FAST: f64 = 0.5;

/// The factors for a growth, between those of the two that are nearest.
fn factors(growth: f64) -> (f64, f64) {
    let growth = growth.clamp(SEEN[0].growth, SEEN[SEEN.len() - 1].growth);
    let above = SEEN.iter().position(|seen| growth <= seen.growth).unwrap_or(SEEN.len() - 1);
    let (low, high) = (&SEEN[above.saturating_sub(1)], &SEEN[above]);
    let width = high.growth - low.growth;
    let part = if width > 0.0 { (growth - low.growth) / width } else { 0.0 };
    let between = |low: f64, high: f64| if low == high { low } else { low + part * (high - low) };
    (between(low.least, high.least), between(low.most, high.most))
}

impl fmt::Display for SizeEstimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at_most {
            Some(most) => {
                write!(f, "{} to {} states in all", rounded(self.at_least), rounded(most))
            }
            None => write!(f, "at least {} states in all", rounded(self.at_least)),
        }
    }
}

/// A number of which no more is told than is known: two digits.
fn rounded(number: u64) -> String {
    let (thousand, million, billion) = (1e3, 1e6, 1e9);
    let number = number as f64;
    let digits = |value: f64| if value < 9.95 { 1 } else { 0 };
    let two = |value: f64| {
        let step = 10_f64.powf((value.log10().floor() - 1.0).max(-1.0));
        (value / step).round() * step
    };
    for (unit, name) in [(billion, "billion"), (million, "million"), (thousand, "thousand")] {
        if number >= unit {
            let value = two(number / unit);
            return format!("{value:.*} {name}", digits(value));
        }
    }
    format!("{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_levels_say_nothing_and_growing_ones_at_least_something() {
        assert_eq!(SizeEstimate::of(&[1, 5, 20]), None);
        assert_eq!(SizeEstimate::of(&[500, 500]), None);
        let doubling = SizeEstimate::of(&[250, 500, 1000, 2000]).expect("3,750 states");
        assert!(doubling.at_least > 2 * 3_750 && doubling.at_most.is_none(), "{doubling:?}");
        let flat = SizeEstimate::of(&[1000, 1000, 1000]).expect("3,000 states");
        assert_eq!(flat, SizeEstimate { at_least: 3_450, at_most: Some(6_600) });
        let shrinking = SizeEstimate::of(&[1000, 100, 10]).expect("1,110 states");
        assert_eq!(shrinking, SizeEstimate { at_least: 1_110, at_most: Some(1_116) });
    }

    #[test]
    fn an_estimate_is_told_in_two_digits() {
        let told = |least, most| SizeEstimate { at_least: least, at_most: most }.to_string();
        assert_eq!(told(1_234, Some(99_960)), "1.2 thousand to 100 thousand states in all");
        assert_eq!(told(3_456_789, None), "at least 3.5 million states in all");
        assert_eq!(told(999, Some(12_345_678)), "999 to 12 million states in all");
    }
}
