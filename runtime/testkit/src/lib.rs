//! What tests and scenario runs need to drive a live tree of the library that users have: a terminal,
//! a process table, test actors, a control channel.
//!
//! Runs in the process that tests, but for [`shim`], which is a process of its own between the test
//! and the tree, for [`actor`] with all that it probes, which is in the actors, and for [`reader`],
//! a program below a host.
//!
//! ```text
//!     test ── TerminalStage ── pseudo-terminal ──────┐
//!      │        └───── control socket ── shim ── program (the root) ── actors
//!      └── ControlServer ── Unix socket ────────────────────┴─────────────┘
//! ```
//!
//! # Rules
//! 1. Nothing waits by the clock: every wait is for an event, with a deadline that is a failure.
//! 2. A failure shows what there was: the screen, the output, the processes, the events so far.
//! 3. Nothing outlives its stage, and nothing else is ever signalled.

pub mod actor;
pub mod chaos;
pub mod control;
pub mod defect;
pub mod gate;
pub mod points;
pub mod process;
pub mod reader;
pub mod report;
pub mod shim;
pub mod stage;
pub mod tree;

mod lines;
mod probe;
mod program;

pub use control::{ActorEvent, ActorHandle, ControlClient, ControlServer, Instruction};
pub use holdfast::probe::Point;
pub use process::ProcessInfo;
pub use program::{JobPlace, SessionLeader, StagedProgram, WindowSize};
pub use shim::ProcessEnd;
pub use stage::{StageError, TerminalStage};
pub use tree::{TestTree, TestTreeBuilder};

use std::time::Duration;

/// How long a wait takes before it fails: long, because machines that test are busy.
pub const PATIENCE: Duration = Duration::from_secs(60);
