//! `holdfast new`: a scenario file to start from.

use super::run::DEFAULT_PATH;
use crate::exit::Exit;
use clap::Args;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

/// Write a commented scenario file to start from.
#[derive(Args, Clone, Debug)]
pub struct New {
    /// The name of the case: lower-case letters, digits and `-`.
    name: String,
    /// The directory to put it in.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_PATH)]
    dir: PathBuf,
}

impl New {
    /// Does it.
    #[must_use]
    pub fn run(&self) -> Exit {
        let path = self.dir.join(format!("{}.toml", self.name));
        let text = template(&self.name);
        if let Err(list) = crate::case::load::parse(&text, &self.name) {
            let what = list.first().map_or("it", |mistake| &mistake.what);
            anstream::eprintln!("{what}: use lower-case letters, digits and `-`");
            return Exit::BadInput;
        }
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        match file.and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => {
                anstream::println!("{0}\nnow: holdfast run {0}", path.display());
                Exit::Holds
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                anstream::eprintln!("{} is there already; choose another name", path.display());
                Exit::BadInput
            }
            Err(error) => {
                let path = path.display();
                anstream::eprintln!("failed to write {path}: {error}; see --dir");
                Exit::BadInput
            }
        }
    }
}

/// The text of a new case.
#[must_use]
pub fn template(name: &str) -> String {
    include_str!("template.toml").replace("NAME", name)
}
