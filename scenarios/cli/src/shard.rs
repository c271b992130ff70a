//! One part of a list of work, for machines that share it: `--shard K/N`.

use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::str::FromStr;

/// The part `index` of `count`, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    count: u64,
}

/// More parts than this are a mistake.
pub const MOST_SHARDS: u64 = 10_000;

/// A text that is not a part.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a shard; expected K/N with K from 1 to N and N at most {MOST_SHARDS}, as in 2/8"
)]
pub struct UnknownShard(String);

impl FromStr for Shard {
    type Err = UnknownShard;

    fn from_str(text: &str) -> Result<Self, UnknownShard> {
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        };
        let parts = text.split_once('/');
        let shard = parts
            .and_then(|(index, count)| Some(Self { index: number(index)?, count: number(count)? }));
        shard.filter(|shard| shard.is_valid()).ok_or_else(|| UnknownShard(text.to_owned()))
    }
}

impl Shard {
    fn is_valid(self) -> bool {
        (1..=self.count).contains(&self.index) && self.count <= MOST_SHARDS
    }

    /// Whether the work at a place, counted from zero, belongs to it.
    ///
    /// Neighbours go to different parts, since the work beside a large piece is large as well.
    #[must_use]
    pub fn has(self, place: usize) -> bool {
        place as u64 % self.count == self.index - 1
    }

    /// Its part of numbers that follow each other, of which it has a piece.
    #[must_use]
    pub fn piece(self, numbers: Range<u64>) -> Range<u64> {
        let all = u128::from(numbers.end.saturating_sub(numbers.start));
        let end = |part: u64| {
            let before = all * u128::from(part) / u128::from(self.count);
            numbers.start + u64::try_from(before).expect("no more than all")
        };
        end(self.index - 1)..end(self.index)
    }
}

/// What the output of a part says of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ShardJson {
    /// Which part this is, counted from one.
    pub index: u64,
    /// How many parts there are.
    pub count: u64,
    /// How many pieces of work all parts have together.
    pub of: u64,
    /// What the parts of one whole have in common, and nothing else has.
    pub whole: String,
    /// The exit code of this part.
    pub exit: u8,
}

impl ShardJson {
    /// What to say of a part that ended like this.
    #[must_use]
    pub fn new(shard: Shard, of: u64, whole: String, exit: u8) -> Self {
        Self { index: shard.index, count: shard.count, of, whole, exit }
    }

    /// The part, if the numbers are those of one.
    #[must_use]
    pub fn shard(&self) -> Option<Shard> {
        Some(Shard { index: self.index, count: self.count }).filter(|shard| shard.is_valid())
    }
}

/// A number for what was asked, the same on every machine: FNV-1a over the version of the command
/// and these texts.
#[must_use]
pub fn fingerprint(texts: impl IntoIterator<Item = String>) -> String {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for text in std::iter::once(version).chain(texts) {
        // The end of a text counts: `ab`, `c` is not `a`, `bc`.
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_or_refused() {
        let good: Shard = "2/8".parse().expect("it is well formed");
        assert_eq!(good, Shard { index: 2, count: 8 });
        for bad in ["", "/", "1", "0/3", "4/3", "1/0", "-1/2", "+1/2", "1/2/3", "a/b", "1/10001"] {
            let said = bad.parse::<Shard>().expect_err(bad).to_string();
            assert!(said.contains("expected K/N"), "{said}");
        }
    }

    #[test]
    fn the_parts_are_the_whole_and_nothing_twice() {
        for count in [1, 2, 3, 7] {
            let parts: Vec<_> = (1..=count).map(|index| Shard { index, count }).collect();
            for place in 0..100 {
                assert_eq!(parts.iter().filter(|part| part.has(place)).count(), 1);
            }
            let from = u64::MAX - 20;
            let pieces: Vec<_> = parts.iter().map(|part| part.piece(from..u64::MAX)).collect();
            let numbers: Vec<_> = pieces.into_iter().flatten().collect();
            assert_eq!(numbers, (from..u64::MAX).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_fingerprint_tells_texts_apart() {
        let of = |texts: &[&str]| fingerprint(texts.iter().map(|text| (*text).to_owned()));
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        assert_ne!(of(&["a", "b"]), of(&["ab"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
    }
}
