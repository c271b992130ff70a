//! The runtime that executes the checked protocol over real processes, one terminal and signals.
//!
//! Purpose only, for now: the driver comes with its own change. What it will execute is
//! [`holdfast_model::protocol`], the very code that the checker explores.

#[cfg(feature = "live")]
pub mod live;

pub use holdfast_model::protocol;
