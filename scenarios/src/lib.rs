//! Scenario files and what is done with them: read, check on the model, draw, report.
//!
//! Reading order: [`exit`], [`chart`], [`cli`].

#![forbid(unsafe_code)]

pub mod chart;
pub mod cli;
pub mod exit;
