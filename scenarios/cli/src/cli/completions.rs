//! `holdfast completions`: what a shell needs to complete this command.

use super::{Cli, print};
use crate::exit::ExitClass;
use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

/// Prints a completion script for a shell.
///
/// For bash, for example: holdfast completions bash > ~/.local/share/bash-completion/completions/holdfast
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl CompletionsArgs {
    /// Prints the script.
    #[must_use]
    pub fn run(&self) -> ExitClass {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "holdfast", &mut script);
        print(&String::from_utf8_lossy(&script));
        ExitClass::Holds
    }
}
