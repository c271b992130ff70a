//! A proof for trees of every size, on the code that runs.
//!
//! ```text
//!             contract                 contract
//!     above  ==========  n (a real  ==========  below
//!    (anything that     Node beside     (anything that
//!     it permits)        every rest)     it permits)
//! ```
//!
//! One request is in focus, and one actor on its path at a time; what is above and below is the
//! most general neighbour that keeps the contract of a link. All states of that are explored,
//! without a bound; each step of the actor must keep the contract on both of its links and break
//! no property. By induction over the steps of a run that holds in trees of every size:
//! `model/docs/PROOF.md` is the argument.
//!
//! Reading order: [`statement`] and what is in it, [`step`], [`search`], [`proof`], [`chart`],
//! [`concrete`], [`certificate`], [`verify`].

#![forbid(unsafe_code)]

pub mod certificate;
pub mod chart;
pub mod concrete;
pub mod proof;
pub mod search;
pub mod statement;
pub mod step;
pub mod verify;

pub use statement::{claim, environment, focus, judge, leads_to, rest, seen, side, state, whole};
