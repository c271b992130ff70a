//! What `--json` writes: plain types, one module a command.
//!
//! | command | the standard output |
//! |---|---|
//! | `holdfast check --tree … --json` | one [`check::CheckJson`] |
//! | `holdfast check --json` | one [`suite::SuiteJson`] |
//! | `holdfast prove --json` | one [`prove::ProofJson`] |
//! | `holdfast walk --json` | one [`walk::WalkJson`] |
//! | `holdfast run --json` | a line each: a [`run::CaseRunJson`] for every run, then a [`run::TotalsJson`] |
//! | `holdfast replay FILE --json` | one [`replay::ReplayJson`], or of a schedule a [`replay::ScheduleJson`] |
//! | `holdfast conform DIR --json` | one [`conform::ConformJson`] |
//!
//! With `--shard` each holds a [`crate::shard::ShardJson`] as well, which `holdfast merge` needs.
//!
//! # Rules
//! 1. Keys are kebab-case; a value out of a closed set is its name, as on the command line.
//! 2. Times are in seconds, sizes in bytes; steps are counted from one.
//! 3. Errors are text on the standard error, with exit code 2 and no JSON.
//! 4. A step is written as in a trace file, a header as the first line of one.

pub mod check;
pub mod conform;
pub mod prove;
pub mod replay;
pub mod run;
pub mod suite;
pub mod walk;
