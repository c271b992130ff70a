//! `holdfast exec`: one program, whose processes may all stop in a debugger.

use super::forwarding::{self, Forwarding};
use super::hosts::{self, Notes};
use super::python::{self, Exceptions};
use super::{note, ps};
use clap::Args;
use holdfast::host::{HostedProgram, ProgramEnd};
use holdfast::{BoxError, Context};
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

/// Runs a program: whatever it starts may stop at a prompt, one at a time, and nothing is left behind.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: the program's own, 128 + n if signal n ended it, 126 if it cannot be \
                  executed, 127 if there is no such program, 2 for bad arguments."
)]
pub struct ExecArgs {
    /// The name of the program in the tree; the program's own without it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How long the program has to end after SIGTERM, in seconds; as long again, and it is killed.
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    grace: Duration,
    /// Which signals are the program's, and as what: `all`, `none`, `HUP,TERM=QUIT,PIPE=none`. The
    /// default is `none`, and `all` for the first process of a container.
    #[arg(long, value_name = "SIGNALS", value_parser = forwarding::parse)]
    forward: Option<Forwarding>,
    /// An exception that nobody catches, in any Python below, opens a prompt where it was raised.
    #[arg(long)]
    post_mortem: bool,
    /// The program and its arguments.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    command: Vec<OsString>,
}

impl ExecArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let name = self.name.clone().unwrap_or_else(|| name_of(&self.command));
        let mut program = HostedProgram::new(self.command);
        program.grace = self.grace;
        let exceptions = if self.post_mortem { Exceptions::Prompt } else { Exceptions::Print };
        program.variables.extend(python::variables(exceptions));
        let forwarding = self.forward.unwrap_or_else(forwarding::by_default);
        let notes = Notes::default();
        let told = notes.clone();
        let code = hosts::program(self.grace).run(async move |tree: Context| {
            // Who asks for the state of a tree without a socket is told that there is none.
            let _ = ps::serve(&tree, &told.states);
            let wait =
                hosts::attend(&tree, &name, program, &told, Some(forwarding), |_| ()).await?;
            let end = wait.await.unwrap_or(ProgramEnd::Unknown);
            Ok::<_, BoxError>(ExitCode::from(end.exit_code()))
        });
        let Some((_, end)) = notes.ends.all().into_iter().next() else { return code };
        if let ProgramEnd::NotFound(why) | ProgramEnd::NotStarted(why) = &end {
            note(&format!("error: {why}"));
        }
        ExitCode::from(end.exit_code())
    }
}

/// The last part of a program's path.
fn name_of(command: &[OsString]) -> String {
    let path = command.first().map(|path| path.to_string_lossy()).unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// A number of seconds.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds =
        text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let short = seconds.filter(|seconds| *seconds <= Duration::from_secs(3600));
    short.ok_or_else(|| "expected seconds from 0 to 3600, for example `2.5`".to_owned())
}
