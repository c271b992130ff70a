//! A tree of processes with one debug lock: the runtime that executes the checked protocol.
//!
//! The header is written below, once the parts stand.

mod actor;
mod agent;
mod body;
mod context;
mod driver;
mod error;
mod event;
pub mod exit;
mod failure;
mod front;
mod hands;
mod kin;
mod link;
mod logs;
mod output;
mod pause;
mod portal;
mod process;
mod program;
pub mod recorder;
mod settings;
mod signals;
mod survey;
mod take;
mod terminal;
mod timers;
mod wire;

pub use context::{Context, Spawn};
pub use driver::{Driver, Hands};
pub use error::RuntimeError;
pub use failure::{Failure, FailureKind};
pub use holdfast_model::protocol;
pub use holdfast_model::protocol::PolicyName;
pub use holdfast_model::world::Placement;
pub use pause::{Pause, Resumed, pause};
pub use portal::Portal;
pub use program::{ActorFn, BoxError, Program};
pub use settings::{BadVariable, Debugging, NoTerminal, Timing};
