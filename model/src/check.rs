//! The checker: explores the world and judges it.
//!
//! ```text
//!     explore --> findings, states --> liveness --> verdict::Report --> trace (a file)
//!        |
//!     intern (numbers for values), store (visited states), safety (one judgement a state or step)
//! ```
//!
//! Reading order: [`property`], [`safety`], [`intern`], [`store`], [`explore`], [`path`],
//! [`liveness`], [`lasso`], [`verdict`], [`trace`], [`suite`].

pub mod explore;
pub mod intern;
pub mod lasso;
pub mod liveness;
pub mod path;
pub mod property;
pub mod safety;
pub mod store;
pub mod suite;
pub mod trace;
pub mod verdict;
