//! The world around the protocol, and the checker that explores and judges it.
//!
//! ```text
//!     explore --> findings, states --> liveness --> verdict::Report --> trace (a file)
//!        |
//!     worker (steps on numbers), store (visited states), safety (one judgement a state or step)
//! ```
//!
//! Reading order: [`property`], [`safety`], [`intern`], [`memo`], [`offers`], [`symmetry`],
//! [`worker`], [`store`], [`space`], [`search`], [`explore`], [`path`], [`liveness`], [`lasso`], [`verdict`], [`trace`], [`suite`];
//! then [`walk`], for what is too large to be explored, with [`dice`], and [`schedule`], the file of a run
//! of driver trees.

#![forbid(unsafe_code)]

pub mod dice;
pub mod explore;
pub mod intern;
pub mod lasso;
pub mod liveness;
pub mod memo;
pub mod offers;
pub mod path;
pub mod property;
pub mod safety;
pub mod schedule;
pub mod search;
pub mod space;
pub mod store;
pub mod suite;
pub mod symmetry;
pub mod trace;
pub mod tree;
pub mod verdict;
pub mod walk;
pub mod worker;
pub mod world;
