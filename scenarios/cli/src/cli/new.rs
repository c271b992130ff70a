//! `holdfast new`: a scenario file to start from.

use super::run::DEFAULT_PATH;
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

impl NewArgs {
    /// Does it.
    #[must_use]
    pub fn run(&self) -> ExitClass {
        let path = self.dir.join(format!("{}.toml", self.name));
        let text = template(&self.name);
        if let Err(list) = crate::case::load::parse(&text, &self.name) {
            let what = list.first().map_or("it", |diagnostic| &diagnostic.what);
            anstream::eprintln!("{what}: use lower-case letters, digits and `-`");
            return ExitClass::BadInput;
        }
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        match file.and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => {
                anstream::println!("{0}\nnow: holdfast run {0}", path.display());
                ExitClass::Holds
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                anstream::eprintln!("{} is there already; choose another name", path.display());
                ExitClass::BadInput
            }
            Err(error) => {
                let path = path.display();
                anstream::eprintln!("failed to write {path}: {error}; see --dir");
                ExitClass::BadInput
            }
        }
    }
}

/// The text of a new case.
#[must_use]
pub fn template(name: &str) -> String {
    include_str!("template.toml").replace("NAME", name)
}
