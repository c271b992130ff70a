//! What is proved, and of what. All of it is stated here, once; [`super::search`] and
//! [`super::verify`] have nothing else in common but the node and the link.
//!
//! A mistake in the statement is a mistake of both, so for each part there is a test that would
//! notice it, and that has been seen to:
//!
//! | part | a mistake would be | what notices it |
//! |---|---|---|
//! | [`focus`], [`state`], [`side`], [`environment`] | a move that a real neighbour, or the kernel, makes is not there | `tests/cover.rs` looks up random runs of real trees; each move taken out is missed |
//! | [`rest`], [`seen`] | something beside `r` changes a step, or an output that concerns `r` is not seen | `tests/commute.rs` compares with nodes of any size; each value taken out is missed |
//! | [`claim`], [`judge`], [`whole`] | something is not forbidden | `tests/second_judge.rs` says a second time what is forbidden, and compares the two on states and steps made at random; `tests/rules.rs` and `pairs.rs`: each rule and each pair taken out is noticed, where a table says |
//! | [`leads_to`] | a goal that is too easy, a move that need not happen | `tests/progress.rs`: each fair move taken out is missed, and nothing else is relied on |
//! | the contract (`holdfast_protocol::contract`) | something is permitted that no real neighbour keeps to, or the reverse | each step of the actor is put to it on both links; the same code is a monitor in the walks, the simulation, replayed records and debug builds |

pub mod claim;
pub mod environment;
pub mod focus;
pub mod judge;
pub mod leads_to;
pub mod rest;
pub mod seen;
pub mod side;
pub mod state;
pub mod whole;
