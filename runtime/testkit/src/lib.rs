//! What tests and scenario runs need to drive a live tree of the library that users have: a terminal,
//! a process table, test actors, a control channel.
//!
//! Runs in the process that tests, but for [`shim`], which is a process of its own between the test
//! and the tree, and [`actor`], [`control::Client`] and what it probes, which are in the actors.
//!
//! ```text
//!     test ── Stage ── pseudo-terminal ─────┐
//!      │        └───── control socket ── shim ── program (the root) ── actors
//!      └──── Orders ── Unix socket ────────────────┴───────────────────┘
//! ```
//!
//! # Rules
//! 1. Nothing waits by the clock: every wait is for an event, with a deadline that is a failure.
//! 2. A failure shows what there was: the screen, the output, the processes, the events so far.
//! 3. Nothing outlives its stage, and nothing else is ever signalled.

pub mod actor;
pub mod control;
pub mod gate;
pub mod points;
pub mod process;
pub mod report;
pub mod shim;
pub mod stage;
pub mod tree;

mod lines;
mod modes;
mod probe;
mod program;

pub use control::{Actor, Client, Event, Order, Orders};
pub use holdfast::probe::Point;
pub use modes::{Echo, Modes};
pub use process::Process;
pub use program::{Leader, Place, Program, Size};
pub use shim::Exit;
pub use stage::{Stage, StageError};
pub use tree::{Grown, Growth};

use std::time::Duration;

/// How long a wait takes before it fails: long, because machines that test are busy.
pub const PATIENCE: Duration = Duration::from_secs(20);
