//! `holdfast man`: the manual pages of this command.

use super::{Cli, complain, print};
use crate::exit::ExitClass;
use clap::{Args, CommandFactory as _};
use clap_mangen::{Man, generate_to};
use std::path::PathBuf;

/// Writes the manual pages: one for the command and one for each subcommand.
///
/// To read them: holdfast man ~/.local/share/man/man1, then man holdfast-check.
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// The folder that the pages are written to; without it, the page of the command is printed.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// The pages could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write manual pages to {}; choose another folder", dir.display())]
struct ManError {
    dir: PathBuf,
    source: std::io::Error,
}

impl ManArgs {
    /// Writes the pages, or prints the first.
    #[must_use]
    pub fn run(&self) -> ExitClass {
        match &self.dir {
            Some(dir) => self.write(dir.clone()),
            None => {
                let mut page = Vec::new();
                // As in the files: `help` has no page of its own.
                let mut command = Cli::command().disable_help_subcommand(true);
                command.build();
                Man::new(command).render(&mut page).expect("memory can be written");
                print(&String::from_utf8_lossy(&page));
                ExitClass::Holds
            }
        }
    }

    fn write(&self, dir: PathBuf) -> ExitClass {
        let written =
            std::fs::create_dir_all(&dir).and_then(|()| generate_to(Cli::command(), &dir));
        match written {
            Ok(()) => ExitClass::Holds,
            Err(source) => complain(&ManError { dir, source }),
        }
    }
}
