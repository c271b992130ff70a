//! Scenario files and what is done with them: read, check on the model, draw, report.
//!
//! Reading order: [`exit`], [`chart`].

#![forbid(unsafe_code)]

pub mod chart;
pub mod exit;
