//! The shared modules under shuttle: one actor with all of its threads, thousands of schedules.
//!
//! ```text
//!     six tasks and threads --mailbox--> driver --mailbox--> prompt
//!       wait, wait as a task, leave        |  <---- release ----'
//!                                          |---- signals, reaps ----> children <---- a spawner
//!                                          '---- raises ----> flag
//!
//!     RUSTFLAGS='--cfg model_shuttle' cargo test --release --package holdfast-sync \
//!         --target-dir target/shuttle --test shuttle -- --nocapture
//! ```
//!
//! # Rules
//! 1. The seeds are fixed: the same schedules on every run.
//! 2. A schedule that fails is printed. `HOLDFAST_SCHEDULE=...` before the command above, with
//!    what was printed, runs that one again.

#![cfg(model_shuttle)]

#[path = "shuttle/actor.rs"]
mod actor;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// How often an outcome was seen.
pub(crate) type Seen = Arc<Mutex<BTreeMap<&'static str, usize>>>;

const SCHEDULES: usize = 30_000;
const SEED: u64 = 320;

/// Runs the actor under a scheduler, and demands that each of its races went each way.
fn run(name: &str, scheduler: impl Scheduler + 'static) {
    if let Some(schedule) = option_env!("HOLDFAST_SCHEDULE") {
        return shuttle::replay(|| actor::run(&Seen::default()), schedule);
    }
    let seen = Seen::default();
    let sees = Arc::clone(&seen);
    let count = Runner::new(scheduler, Config::new()).run(move || actor::run(&sees));
    let seen = seen.lock().expect("whole");
    println!("{name}: {count} schedules, {seen:?}");
    for outcome in actor::OUTCOMES {
        assert!(seen.contains_key(outcome), "{name}: never seen: {outcome}");
    }
}

#[test]
fn random() {
    run("random", RandomScheduler::new_from_seed(SEED, SCHEDULES));
}

#[test]
fn few_preemptions_at_the_worst_places() {
    run("pct, depth 3", PctScheduler::new_from_seed(SEED, 3, SCHEDULES));
}
