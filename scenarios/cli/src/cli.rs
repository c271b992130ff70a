//! The command line: one file a subcommand, each a struct of arguments with a `run`.
//!
//! What a person reads goes to the standard output, progress and errors to the standard error.
//! Colours appear on a terminal alone, and not there if `NO_COLOR` is set.
//!
//! Reading order: [`explain`], [`check`], [`suite`], [`prove`], [`verify`], [`walk`], [`run`],
//! [`merge`], [`replay`], [`conform`], [`record`], [`list`], [`cases`], [`new`], [`completions`], [`man`];
//! [`render`] and [`crate::json`] say what a check has found, [`setup`] reads the arguments that describe a
//! run, [`named`] those with a closed set of values, [`watch`] shows progress and catches Ctrl-C,
//! [`rerun`] is `run --watch`, `following` is `run --follow`, [`drivers`] is what [`walk`] and [`replay`] do with trees of drivers, `output` writes.
//! [`exec`], [`up`] and [`lock`] run programs that know nothing of the tree, [`ps`] shows them;
//! [`hosts`], [`forwarding`] and [`python`] are what they have in common.

pub mod cases;
pub mod chaos;
pub mod check;
pub mod completions;
pub mod conform;
pub mod drivers;
pub mod exec;
pub mod explain;
mod following;
pub mod forwarding;
pub mod hosts;
pub mod list;
pub mod lock;
pub mod man;
pub mod merge;
pub mod named;
pub mod new;
mod output;
pub mod prove;
pub mod ps;
pub mod python;
pub mod record;
pub mod render;
pub mod replay;
pub mod rerun;
pub mod run;
pub mod setup;
pub mod suite;
pub mod up;
pub mod verify;
pub mod walk;
pub mod watch;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};
pub(crate) use output::{complain, note, print, print_json, print_json_line};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A debug lock for a tree of processes: check its protocol, reproduce reported failures.
#[derive(Debug, Parser)]
#[command(
    name = "holdfast",
    version,
    after_help = "Exit codes: 0 holds, 2 bad input, 10 safety violated, 11 liveness violated, \
                  12 conformance, 13 expectation not met, 14 not exhausted, 130 interrupted."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    Exec(exec::ExecArgs),
    Up(up::UpArgs),
    Lock(lock::LockArgs),
    Ps(ps::PsArgs),
    Explain(explain::ExplainArgs),
    Check(check::CheckArgs),
    Prove(prove::ProveArgs),
    Verify(verify::VerifyArgs),
    Walk(walk::WalkArgs),
    Chaos(chaos::ChaosArgs),
    Run(run::RunArgs),
    Merge(merge::MergeArgs),
    Replay(replay::ReplayArgs),
    Conform(conform::ConformArgs),
    Record(record::RecordArgs),
    List(list::ListArgs),
    New(new::NewArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

impl Cli {
    /// Reads the arguments of this process; with bad ones, or for help, the process ends here.
    #[must_use]
    pub fn from_arguments() -> Self {
        Self::try_parse().unwrap_or_else(|error| shortened(error).exit())
    }

    /// Does what the arguments ask for.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let exit = match self.command {
            Subcommands::Explain(args) => args.run(),
            Subcommands::Check(args) => args.run(),
            Subcommands::Prove(args) => args.run(),
            Subcommands::Verify(args) => args.run(),
            Subcommands::Walk(args) => args.run(),
            Subcommands::Chaos(args) => args.run(),
            Subcommands::Run(args) => args.run(),
            Subcommands::Merge(args) => args.run(),
            Subcommands::Replay(args) => args.run(),
            Subcommands::List(args) => args.run(),
            Subcommands::New(args) => args.run(),
            Subcommands::Conform(args) => args.run(),
            Subcommands::Completions(args) => args.run(),
            Subcommands::Man(args) => args.run(),
            Subcommands::Exec(args) => return args.run(),
            Subcommands::Up(args) => return args.run(),
            Subcommands::Lock(args) => return args.run(),
            Subcommands::Ps(args) => args.run(),
            Subcommands::Record(args) => return args.run(),
        };
        output::end(exit).into()
    }
}

/// An error that does not repeat the whole of a very long value.
fn shortened(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue)
        && value.chars().count() > LONGEST_VALUE
    {
        let value: String = value.chars().take(LONGEST_VALUE).chain(['…']).collect();
        error.insert(ContextKind::InvalidValue, ContextValue::String(value));
    }
    error
}

/// How many characters of a bad value an error repeats.
const LONGEST_VALUE: usize = 80;

/// A trace that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the trace to {path}; choose another --trace-out")]
pub struct TraceNotWritten {
    /// The path.
    path: PathBuf,
    /// The underlying error.
    source: std::io::Error,
}

/// Writes a trace, or a schedule, to a file.
fn write_trace(path: &Path, text: &str) -> Result<(), TraceNotWritten> {
    std::fs::write(path, text).map_err(|source| TraceNotWritten { path: path.to_owned(), source })
}

/// How something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For machines: one JSON object.
    Json,
}

impl Format {
    /// As the switch `--json` says.
    #[must_use]
    pub fn of_switch(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}
