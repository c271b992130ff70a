//! The checker: explores the world and judges it.
//!
//! ```text
//!     explore --> findings, states --> liveness --> verdict::Report --> trace (a file)
//!        |
//!     intern (numbers for values), store (visited states), safety (one judgement a state or step)
//! ```
//!
//! Reading order: [`property`], [`safety`], [`intern`], [`store`], [`explore`], [`path`],
//! [`liveness`], [`verdict`], [`trace`].

pub mod explore;
pub mod intern;
pub mod liveness;
pub mod path;
pub mod property;
pub mod safety;
pub mod store;
pub mod trace;
pub mod verdict;
