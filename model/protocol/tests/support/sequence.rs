//! Random sequences of acts. A failure is shrunk and printed as Rust that a test can hold.
//!
//! Runs in `cargo test`, for each file that tries sequences on the real machines.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};

/// Runs random sequences; panics with the shortest one that was found to fail.
///
/// A name of an act must be Rust as it prints itself, so that the sequence can be pasted.
pub(crate) fn find_failure<A: Clone + Debug>(
    test: &str,
    cases: u32,
    acts: impl Strategy<Value = Vec<A>>,
    run: impl Fn(&[A]) -> Result<(), String>,
) {
    let mut config = Config { failure_persistence: None, cases, ..Config::default() };
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one(cases),
    };
    config.rng_seed = RngSeed::Fixed(seed);
    let result = TestRunner::new(config).run(&acts, |acts| run(&acts).map_err(TestCaseError::fail));
    match result {
        Ok(()) => {}
        Err(TestError::Abort(reason)) => panic!("no sequences: {reason}"),
        Err(TestError::Fail(why, acts)) => panic!(
            "{why}\n\
             again:  PROPTEST_RNG_SEED={seed} cargo test -p holdfast-protocol {test}\n\
             keep:   let acts = {acts:?};"
        ),
    }
}

/// An error if something is not so.
pub(crate) fn demand(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
