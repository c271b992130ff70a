//! The holdfast protocol, the world around it, and the checker that explores both.
//!
//! ```text
//!     check      explores: breadth-first search, fair lassos, replay
//!       |
//!     world      processes, links, signals, the terminal, the person, faults
//!       |
//!     protocol   one actor: input in, outputs out     <---- the runtime executes this too
//! ```
//!
//! Dependencies point down, and nothing else does. Beside them, and used by none of them:
//!
//! ```text
//!     driver     the loop around one node             <---- the runtime runs it with this
//!       |
//!     protocol
//!
//!     shared     what threads of one actor share          <---- the runtime uses this too
//!       |
//!     sync       locks and threads: std, loom or shuttle
//! ```
//!
//! Reading order: [`protocol`], [`driver`], [`tree`], [`world`], [`check`]; then [`shared`], [`sync`].
//! A build with `--cfg model_shuttle` has `driven` too: whole trees of drivers, on top of all this.

#![forbid(unsafe_code)]

pub mod check;
#[cfg(model_shuttle)]
pub mod driven;
pub mod driver;
pub mod protocol;
pub mod shared;
pub mod sync;
pub mod tree;
pub mod world;
