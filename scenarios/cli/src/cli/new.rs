//! `holdfast new`: a scenario file to start from.

use super::run::DEFAULT_PATH;
use super::{complain, print};
use crate::exit::ExitClass;
use clap::Args;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

/// Write a commented scenario file to start from.
#[derive(Args, Clone, Debug)]
pub struct NewArgs {
    /// The name of the case: lower-case letters, digits and `-`.
    name: String,
    /// The directory to put it in.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_PATH)]
    dir: PathBuf,
}

/// Why a scenario file cannot be written.
#[derive(Debug, thiserror::Error)]
enum NewError {
    /// The name is not a name for a case.
    #[error("{0}: expected lower-case letters, digits and `-`")]
    Name(String),
    /// The file exists.
    #[error("{} exists; choose another name", .0.display())]
    Exists(PathBuf),
    /// The file cannot be written.
    #[error("failed to write {}; choose another --dir", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}

impl NewArgs {
    /// Writes the file.
    #[must_use]
    pub fn run(&self) -> ExitClass {
        match self.write() {
            Ok(path) => {
                print(&format!("{0}\nnow: holdfast run {0}\n", path.display()));
                ExitClass::Holds
            }
            Err(error) => complain(&error),
        }
    }

    fn write(&self) -> Result<PathBuf, NewError> {
        let text = template(&self.name);
        if let Err(list) = crate::case::load::parse(&text, &self.name) {
            let what = list.into_iter().next().map(|diagnostic| diagnostic.what);
            return Err(NewError::Name(what.unwrap_or_default()));
        }
        let path = self.dir.join(format!("{}.toml", self.name));
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        match file.and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(NewError::Exists(path)),
            Err(source) => Err(NewError::Write { path, source }),
        }
    }
}

/// The text of a new case.
#[must_use]
pub fn template(name: &str) -> String {
    include_str!("template.toml").replace("NAME", name)
}
