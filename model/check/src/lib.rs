//! The world around the protocol, and the checker that explores and judges it.
//!
//! ```text
//!     world (state, step, what is enabled) --> property (judges states, steps, runs)
//!        |                                        |
//!     explore (every interleaving) ---------> report --> trace (a file)
//!     walk (random runs) ----------------------/
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`tree`] | the shape of a tree of actors, and its notation |
//! | [`world`] | everything that surrounds the protocol, as a value, and one step of it |
//! | [`property`] | what must hold: one table, one function a property |
//! | [`explore`] | breadth-first search over every interleaving, fair lassos |
//! | [`report`] | the whole check of one run |
//! | [`suite`] | the runs that this project claims something about |
//! | [`trace`], [`schedule`] | a failed run as a file, of the explorer and of the simulation |
//! | [`monitor`] | the contract of a link, on every link of a run |
//! | [`json_lines`] | what both files are made of |
//! | [`walk`], [`rng`] | random runs of what is too large to be explored |

#![forbid(unsafe_code)]

pub mod explore;
pub mod json_lines;
pub mod monitor;
pub mod property;
pub mod report;
pub mod rng;
pub mod schedule;
pub mod suite;
pub mod trace;
pub mod tree;
pub mod walk;
pub mod world;
