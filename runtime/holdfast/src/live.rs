//! What tests and scenario runs need to drive a live tree: a terminal, a process table, orders.
//!
//! For tests and for `holdfast run --on live` alone: behind the feature `live`, and no part of what
//! a program of this library runs. Runs in the process that tests, but for [`nanny`], which is a
//! process of its own between the test and the tree, and [`orders::Client`], which is in the actors.
//!
//! ```text
//!     test ── Stage ── pseudo-terminal ─────┐
//!      │        └───── control socket ── nanny ── program (the root) ── actors
//!      └──── Orders ── Unix socket ─────────────────┴───────────────────┘
//! ```
//!
//! # Rules
//! 1. Nothing waits by the clock: every wait is for an event, with a deadline that is a failure.
//! 2. A failure shows what there was: the screen, the output, the processes, the events so far.
//! 3. Nothing outlives its stage, and nothing else is ever signalled.

pub mod gate;
pub mod nanny;
pub mod orders;
pub mod points;
pub mod procs;
pub mod puppet;
pub mod stage;
pub mod tell;
pub mod tree;

mod errand;
mod lines;
mod modes;
mod program;

pub use crate::gate::Point;
pub use errand::Exit;
pub use modes::{Echo, Modes};
pub use orders::{Actor, Client, Event, Order, Orders};
pub use procs::Process;
pub use program::{Leader, Place, Program, Size};
pub use stage::{Stage, StageError};
pub use tree::{Grown, Growth};

use std::time::Duration;

/// How long a wait takes before it fails: long, because machines that test are busy.
pub const PATIENCE: Duration = Duration::from_secs(20);
