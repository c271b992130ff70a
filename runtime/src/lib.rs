//! The runtime that executes the checked protocol over real processes, one terminal and signals.
//!
//! Purpose only, for now: the driver comes with its own change. What it will execute is
//! [`holdfast_model::protocol`], the very code that the checker explores.

pub use holdfast_model::protocol;
