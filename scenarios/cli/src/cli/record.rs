//! `holdfast record`: runs a program of the runtime, records its tree and checks the record.
//!
//! The program has this command's terminal, input and output; what is found is said on the standard
//! error, after its end. While it runs, a Ctrl-C or Ctrl-\ is the program's alone, as under time(1);
//! a SIGTERM or SIGHUP is passed on to it.
//!
//! | exit code | meaning |
//! |---|---|
//! | the program's own | its run conforms; 128 + N if signal N ended it |
//! | 2 | it could not be started, or left no record that can be used |
//! | 10 | its run breaks a property |
//! | 12 | its run is none of the model |

use super::complain;
use super::conform::{Draw, text, worst};
use crate::conform::record::{Record, read};
use crate::conform::{ConformError, conform};
use crate::exit::ExitClass;
use clap::Args;
use holdfast::recorder::RECORD_VARIABLE;
use holdfast_protocol::Output;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;
use std::time::Duration;

/// Runs a program that is built on the runtime, and checks that its run is one of the model.
///
/// The program's exit code is this command's, unless the run does not conform (12) or breaks a
/// property (10).
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Where the records go [default: a temporary folder].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Keeps the temporary folder, and says where it is; it is kept anyway if the run does not
    /// conform.
    #[arg(long)]
    keep: bool,
    /// The program and its arguments.
    #[arg(value_name = "PROGRAM", required = true, last = true)]
    command: Vec<OsString>,
}

/// Why a program cannot be recorded.
#[derive(Debug, thiserror::Error)]
enum RecordCommandError {
    /// No folder.
    #[error("failed to make a folder for the records; choose another --dir")]
    Folder(#[source] io::Error),
    /// A folder with records in it.
    #[error("{} holds records already; choose another --dir", .0.display())]
    Used(PathBuf),
    /// Ctrl-C cannot be left to the program.
    #[error("failed to leave Ctrl-C to the program")]
    Signal(#[source] io::Error),
    /// The program cannot be run.
    #[error("failed to run {}", program.display())]
    Program {
        /// The program.
        program: OsString,
        /// The underlying error.
        source: io::Error,
    },
    /// The program left nothing to be checked.
    #[error("{} left no record; is it built on the holdfast runtime?", .0.display())]
    NoRecord(OsString),
    /// What it left cannot be checked.
    #[error(transparent)]
    Records(#[from] ConformError),
}

/// Where records go.
enum Folder {
    Own(tempfile::TempDir),
    Given(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Given(path) => path,
        }
    }
}

impl RecordArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> ExitCode {
        self.record().unwrap_or_else(|error| complain(&error).into())
    }

    fn record(self) -> Result<ExitCode, RecordCommandError> {
        let folder = self.folder()?;
        let (program, arguments) = self.command.split_first().expect("clap asks for a program");
        // A handler, not SIG_IGN, which the program would inherit.
        let unseen = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGQUIT] {
            signal_hook::flag::register(signal, Arc::clone(&unseen))
                .map_err(RecordCommandError::Signal)?;
        }
        let mut command = Command::new(program);
        command.args(arguments).env(RECORD_VARIABLE, folder.path());
        let status = run_to_its_end(command)
            .map_err(|source| RecordCommandError::Program { program: program.clone(), source })?;
        if holds_records(folder.path()).map_err(RecordCommandError::Folder)? == Records::None {
            return Err(RecordCommandError::NoRecord(program.clone()));
        }
        await_orphans(folder.path());
        let verdicts = conform(folder.path()).inspect_err(|_| {
            anstream::eprintln!("the records are in {}", folder.path().display());
        });
        let verdicts = match verdicts {
            Ok(verdicts) => verdicts,
            Err(error) => {
                keep(folder);
                return Err(error.into());
            }
        };
        let exit = worst(&verdicts);
        anstream::eprint!("\nholdfast: {}", text(&verdicts, Draw::Failures));
        if self.keep || exit != ExitClass::Holds {
            anstream::eprintln!("the records are in {}", folder.path().display());
            keep(folder);
        }
        Ok(match exit {
            ExitClass::Holds => ExitCode::from(code(status)),
            other => other.into(),
        })
    }

    fn folder(&self) -> Result<Folder, RecordCommandError> {
        let Some(path) = &self.dir else {
            return tempfile::tempdir().map(Folder::Own).map_err(RecordCommandError::Folder);
        };
        std::fs::create_dir_all(path).map_err(RecordCommandError::Folder)?;
        match holds_records(path).map_err(RecordCommandError::Folder)? {
            Records::None => {
                let path = path.canonicalize().map_err(RecordCommandError::Folder)?;
                Ok(Folder::Given(path))
            }
            Records::Some => Err(RecordCommandError::Used(path.clone())),
        }
    }
}

fn keep(folder: Folder) {
    match folder {
        Folder::Own(folder) => {
            let _ = folder.keep();
        }
        Folder::Given(_) => {}
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Records {
    None,
    Some,
}

fn holds_records(folder: &Path) -> io::Result<Records> {
    for entry in std::fs::read_dir(folder)? {
        if entry?.path().extension().is_some_and(|ending| ending == "jsonl") {
            return Ok(Records::Some);
        }
    }
    Ok(Records::None)
}

/// Runs a program, and passes on to it what asks this command to end.
fn run_to_its_end(mut command: Command) -> io::Result<ExitStatus> {
    // Registered before the program starts: no signal is missed. Reaping is done here alone, so
    // the process id is the program's for as long as a signal may be passed on.
    let mut signals = Signals::new([SIGCHLD, SIGTERM, SIGHUP])?;
    let mut child = command.spawn()?;
    let process = Pid::from_raw(child.id().try_into().map_err(io::Error::other)?);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        for signal in signals.wait().filter(|signal| *signal != SIGCHLD) {
            kill(process, Signal::try_from(signal)?)?;
        }
    }
}

/// The exit code of a program, as a shell gives it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// A root that was killed leaves actors that end soon; their last lines are awaited.
fn await_orphans(folder: &Path) {
    let (_alive, never) = channel::<()>();
    for _ in 0..ORPHANS_END_WITHIN.as_millis() / TICK.as_millis() {
        let Ok(records) = read(folder) else { return };
        let exits = |output: &Output| matches!(output, Output::Exit { .. });
        let runs = |record: &&Record| {
            let exited = record.lines.iter().flat_map(|line| &line.outputs).any(exits);
            let process = record.header.actor.0.to_string();
            !exited && Path::new("/proc").join(process).exists()
        };
        if records.iter().flatten().find(runs).is_none() {
            return;
        }
        let _ = never.recv_timeout(TICK);
    }
}

const TICK: Duration = Duration::from_millis(50);

/// Longer than the grace of an actor's own code.
const ORPHANS_END_WITHIN: Duration = Duration::from_secs(10);
