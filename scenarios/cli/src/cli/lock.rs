//! `holdfast lock`: one program in its turn at the terminal.

use super::note;
use clap::Args;
use holdfast::host::{TurnAnswer, TurnRequest};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitCode};

/// Runs a program with the terminal of the tree that this is in: waits for the turn, and gives it back.
#[derive(Debug, Args)]
#[command(after_help = "Outside of a tree, the program simply runs.\n\
                  Exit codes: the program's own, 128 + n if signal n ended it, 125 if the tree is on \
                  its way out, 126 if the program cannot be executed, 127 if there is no such \
                  program, 2 for bad arguments.")]
pub struct LockArgs {
    /// The program and its arguments.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    command: Vec<OsString>,
}

impl LockArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let Some((program, arguments)) = self.command.split_first() else {
            return ExitCode::from(2);
        };
        let mut command = Command::new(program);
        command.args(arguments);
        let request = match TurnRequest::here() {
            Ok(Some(request)) => request,
            Ok(None) => return not_started(program, &command.exec()),
            Err(error) => {
                note(&format!("error: failed to reach the tree: {error}"));
                return ExitCode::from(125);
            }
        };
        let name = program.to_string_lossy();
        match request.wait(&name) {
            // Dropping it is the release.
            Ok(TurnAnswer::Granted(turn)) => {
                command.process_group(turn.group());
                if reads_nothing()
                    && let Ok(terminal) = File::open(turn.terminal())
                {
                    command.stdin(terminal);
                }
                run(program, command)
            }
            Ok(TurnAnswer::Nobody) => run(program, command),
            Ok(TurnAnswer::Refused) => {
                note("error: failed to get the terminal: the tree is on its way out");
                ExitCode::from(125)
            }
            Err(error) => {
                note(&format!("error: failed to reach the tree: {error}"));
                ExitCode::from(125)
            }
        }
    }
}

/// Whether the input is /dev/null, as a shell gives it to what runs in the background.
fn reads_nothing() -> bool {
    let input = nix::sys::stat::fstat(io::stdin());
    let nothing = std::fs::metadata("/dev/null");
    matches!((input, nothing), (Ok(input), Ok(nothing)) if input.st_rdev == nothing.rdev())
}

fn run(program: &OsString, mut command: Command) -> ExitCode {
    match command.status() {
        Ok(status) => {
            let signalled = status.signal().map(|signal| 128 + signal);
            let code = status.code().or(signalled).unwrap_or(1);
            ExitCode::from(u8::try_from(code & 0xff).unwrap_or(1))
        }
        Err(error) => not_started(program, &error),
    }
}

fn not_started(program: &OsString, error: &io::Error) -> ExitCode {
    let name = program.to_string_lossy();
    let missing = error.kind() == io::ErrorKind::NotFound;
    let why = if missing { "there is no such program".to_owned() } else { error.to_string() };
    note(&format!("error: failed to start `{name}`: {why}"));
    ExitCode::from(if missing { 127 } else { 126 })
}
