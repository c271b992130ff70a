//! The protocol: pure state machines, one surface.
//!
//! Runs in every actor of a live tree and in every state of the checker: the same code.
//!
//! ```text
//!            +--------- explorer: world::System ---------+
//!   Input -> |  Node::handle(&mut self, Input, &mut Outbox)  | -> Output
//!            +--------- runtime: actor_loop -------------+
//! ```
//!
//! [`actor_loop`] is the loop around one node: the runtime runs it, and so does `holdfast-sim`, under shuttle.
//!
//! Architecture invariant: no clock, no randomness, no IO, no thread, no logging in here; without
//! the standard library there is none to be had. All collections are ordered, so a node is a
//! function of its inputs and nothing else.
//!
//! Reading order: [`policy`], [`message`], [`input`], [`output`], then the machines [`lock`],
//! [`hold`], [`ladder`], [`sigint`], [`late_interrupts`], [`teardown`], [`node`], where they meet, and [`contract`], which
//! they keep.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

#[doc(hidden)]
pub use serde;

pub mod actor_loop;
pub mod contract;
pub mod hold;
pub mod id;
pub mod input;
pub mod ladder;
pub mod late_interrupts;
pub mod lock;
pub mod message;
pub mod name;
pub mod node;
pub mod output;
pub mod placement;
pub mod policy;
pub mod rename;
pub mod sigint;
pub mod teardown;
pub mod timer;

pub use id::{ActorId, RequestId};
pub use input::{Answer, Cause, Input, Origin, Shielding, Signal, Status};
pub use message::{Message, Urgency};
pub use name::{Named, UnknownName};
pub use node::{DebugMode, Node};
pub use output::{Alarm, LadderSignal, Notice, Outbox, Output};
pub use placement::Placement;
pub use policy::{NamedPolicy, Policy, PolicyName, Rule};
pub use rename::{Rename, Renaming};
pub use timer::Timer;
