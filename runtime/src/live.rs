//! What tests and scenario runs need to drive a live tree.
//!
//! For tests and for `holdfast run --on live` alone: behind the feature `live`, and no part of what
//! a program of this library runs.

pub mod procs;

pub use procs::Process;
