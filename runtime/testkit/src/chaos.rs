//! Chaos: random trees and random events, and a judge that knows what every run must keep.
//!
//! A seed names a run: its tree, how it is started, and what happens to it. Nothing is expected of the
//! course of a run, everything of its end:
//!
//! | judged | how |
//! |---|---|
//! | bounded | the root ends in time once it is told to |
//! | nothing left | every process that the tree has started is gone (`ECHILD` at the shim) |
//! | terminal | its modes are what they were |
//! | exit code | the one that the root's own record says |
//! | conformance | the records are a run of the model; by whoever runs the plan |
//!
//! ```text
//!   seed --draw--> ChaosPlan --run--> verdict --shrink--> the fewest events that still fail
//! ```
//!
//! # Rules
//! 1. Real processes are not deterministic: a seed draws the same plan again, not the same run. So a
//!    plan that failed is tried again several times while it is shrunk.
//! 2. The clock is only waited for to let the tree get somewhere between two events.

mod draw;
mod judge;
mod run;

pub use draw::{ChaosEvent, ChaosPlan, ChaosStart};
pub use run::{ChaosFault, ChaosSetup};

/// Tries a plan with fewer and fewer events, and gives the least that still failed, and how.
pub fn shrink(
    plan: ChaosPlan,
    fault: ChaosFault,
    mut run: impl FnMut(&ChaosPlan) -> Option<ChaosFault>,
) -> (ChaosPlan, ChaosFault) {
    let (mut least, mut how) = (plan, fault);
    let mut tries = MOST_TRIES;
    let mut width = least.events.len().div_ceil(2);
    while width > 0 {
        let mut from = 0;
        while from < least.events.len() && tries > 0 {
            let mut fewer = least.clone();
            fewer.events.drain(from..(from + width).min(least.events.len()));
            let failed = (0..AGAIN).find_map(|_| {
                tries = tries.saturating_sub(1);
                run(&fewer)
            });
            match failed {
                Some(fault) => (least, how) = (fewer, fault),
                None => from += width,
            }
        }
        width = if width == 1 || tries == 0 { 0 } else { width.div_ceil(2) };
    }
    (least, how)
}

/// How many runs a shrinking takes at most, and how many of one plan.
const MOST_TRIES: usize = 60;
const AGAIN: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_shrunk_to_what_makes_it_fail() {
        let plan = ChaosPlan::of(7);
        let guilty = plan.events[plan.events.len() / 2].clone();
        let failing = |plan: &ChaosPlan| {
            plan.events.contains(&guilty).then(|| ChaosFault::new("it", "the guilty event"))
        };
        let fault = failing(&plan).unwrap();
        let (least, _) = shrink(plan, fault, failing);
        assert_eq!(least.events, [guilty]);
    }

    #[test]
    fn a_seed_draws_the_same_plan_again_and_seeds_differ() {
        assert_eq!(ChaosPlan::of(1), ChaosPlan::of(1));
        let plans: Vec<_> = (0..50).map(ChaosPlan::of).collect();
        assert!(plans.windows(2).all(|two| two[0].events != two[1].events));
    }
}
