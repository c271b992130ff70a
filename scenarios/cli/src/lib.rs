//! Scenario files and what is done with them: read, check on the model, draw, report.
//!
//! Reading order: [`case`] (the format), [`expect`] (claims and outcomes), [`on_model`] and [`on_live`] (one run),
//! [`pool`] (all of them), [`golden`] (kept traces), [`chart`], [`report`], [`json`], [`cli`], [`exit`].

#![forbid(unsafe_code)]

pub mod case;
pub mod chart;
pub mod cli;
pub mod conform;
pub mod exit;
pub mod expect;
pub mod golden;
pub mod json;
pub mod on_live;
pub mod on_model;
pub mod pool;
pub mod procfile;
pub mod report;
pub mod shard;
