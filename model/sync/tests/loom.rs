//! The shared modules under loom: every interleaving of small constellations, nothing sampled.
//!
//! ```text
//!     RUSTFLAGS='--cfg model_loom' cargo test --release --package holdfast-sync \
//!         --target-dir target/loom --test loom -- --nocapture
//! ```
//!
//! # Rules
//! 1. No preemption bound where the exploration ends within a minute; else the bound is stated in
//!    the test, with the threads.
//! 2. Each exploration names the outcomes that its race can have, and must see all of them and no
//!    other: a race that was never lost by anybody proves nothing.
//! 3. A lost wake-up is a deadlock, which loom reports.

#![cfg(model_loom)]

#[path = "loom/children.rs"]
mod children;
#[path = "loom/explore.rs"]
mod explore;
#[path = "loom/flag.rs"]
mod flag;
#[path = "loom/mailbox.rs"]
mod mailbox;
#[path = "loom/pause.rs"]
mod pause;
#[path = "loom/release.rs"]
mod release;
#[path = "loom/ticket.rs"]
mod ticket;
