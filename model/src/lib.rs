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
//! Dependencies point down, and nothing else does.
//!
//! Reading order: [`protocol`], [`tree`], [`world`], [`check`].

#![forbid(unsafe_code)]

pub mod check;
pub mod protocol;
pub mod tree;
pub mod world;
