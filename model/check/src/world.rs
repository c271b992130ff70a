//! The components of a machine that the protocol touches.
//!
//! Runs in the checker alone; a live tree has the real thing.
//!
//! ```text
//!     Process (a node in it) --Send--> Link --Read--> Process
//!        |  exit, SIGKILL                                ^ signals, Ctrl-C, the person, faults
//!        v                                               |
//!     reparented, reaped                               SharedEnvironment (terminal, baton, budget, script)
//! ```
//!
//! The world is a value: clone it, compare it, hash it. It is cut into components that talk to each
//! other through small inputs only, so that the explorer can remember what a component does on an input.
//!
//! # Not modelled
//! Durations, message sizes, memory, lost or repeated messages (links are socket pairs), clocks,
//! SIGSTOP as such (an actor that handles nothing is), a kernel that fails. Of a program that knows
//! nothing of the tree: what it does beside reading its terminal and ending, more than one process of
//! it, and SIGTERM that it ignores when its host is killed.
//!
//! Reading order: [`action`], [`config`], [`script`], [`component`], [`process`], [`program`], [`link`], [`shared`],
//! [`facts`], [`enabled`] and [`recorded`] (what can happen), [`grounds`] (why), [`relevance`] (what can still matter), [`begin`] and [`system`] (one step).

pub mod action;
pub mod begin;
pub mod component;
pub mod config;
pub mod enabled;
pub mod facts;
pub mod grounds;
pub mod link;
pub mod process;
pub mod program;
pub mod recorded;
pub mod relevance;
pub mod script;
pub mod shared;
pub mod system;
pub mod topology;

pub use action::{Action, EnvironmentAction, Fault, SystemStep};
pub use component::Observation;
pub use config::{Budget, Config, Environment, HostRule};
pub use facts::{ActorFlags, WorldView};
pub use script::{Condition, Script, ScriptStep};
pub use system::System;
pub use topology::Topology;
