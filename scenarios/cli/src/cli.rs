//! The command line: one file a subcommand, each a struct of arguments with a `run`.
//!
//! What a person reads goes to the standard output, progress and errors to the standard error.
//! Colours appear on a terminal alone, and not there if `NO_COLOR` is set.
//!
//! Reading order: [`explain`], [`check`], [`suite`], [`prove`], [`walk`], [`run`],
//! [`replay`], [`conform`], [`record`], [`list`], [`cases`], [`new`]; [`render`] and [`json`] say what a
//! check has found, [`setup`] reads the arguments that describe a run, [`watch`] shows progress and
//! catches Ctrl-C, [`drivers`] is what [`walk`] and [`replay`] do with trees of drivers.

pub mod cases;
pub mod check;
pub mod conform;
pub mod drivers;
pub mod explain;
pub mod json;
pub mod list;
pub mod new;
pub mod prove;
pub mod record;
pub mod render;
pub mod replay;
pub mod run;
pub mod setup;
pub mod suite;
pub mod walk;
pub mod watch;

use crate::exit::ExitClass;
use clap::{Parser, Subcommand};
use std::error::Error;
use std::io::{ErrorKind, Write as _};
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
    Explain(explain::ExplainArgs),
    Check(check::CheckArgs),
    Prove(prove::ProveArgs),
    Walk(walk::WalkArgs),
    Run(run::RunArgs),
    Replay(replay::ReplayArgs),
    Conform(conform::ConformArgs),
    Record(record::RecordArgs),
    List(list::ListArgs),
    New(new::NewArgs),
}

impl Cli {
    /// Does what was asked for.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let exit = match self.command {
            Subcommands::Explain(args) => args.run(),
            Subcommands::Check(args) => args.run(),
            Subcommands::Prove(args) => args.run(),
            Subcommands::Walk(args) => args.run(),
            Subcommands::Run(args) => args.run(),
            Subcommands::Replay(args) => args.run(),
            Subcommands::List(args) => args.run(),
            Subcommands::New(args) => args.run(),
            Subcommands::Conform(args) => args.run(),
            Subcommands::Record(args) => return args.run(),
        };
        exit.into()
    }
}

/// A trace that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the trace to {path}; choose another --trace-out")]
pub struct TraceNotWritten {
    /// Where.
    path: PathBuf,
    /// Why.
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

/// Writes to the standard output. A reader that has left early (`| head`) is no error.
pub(crate) fn print(text: &str) {
    let mut out = anstream::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        complain(&error);
    }
}

/// Writes one JSON object and nothing else.
pub(crate) fn print_json(value: &impl serde::Serialize) {
    let text = serde_json::to_string_pretty(value).expect("plain data serialises");
    print(&format!("{text}\n"));
}

/// Says what is wrong, with all its causes, and how the command ends for it.
pub(crate) fn complain(error: &dyn Error) -> ExitClass {
    let mut causes: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let said = error.to_string();
        // Some messages repeat their cause already.
        if !causes.last().is_some_and(|last| last.contains(&said)) {
            causes.push(said);
        }
        cause = error.source();
    }
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let _ = writeln!(anstream::stderr(), "{red}error:{red:#} {}", causes.join(": "));
    ExitClass::BadInput
}
