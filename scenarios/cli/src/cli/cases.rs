//! `holdfast list`: the cases with their titles and sources.

use super::print;
use super::run::{DEFAULT_PATH, read};
use crate::case::load::LoadedCase;
use crate::exit::ExitClass;
use clap::Args;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Show the scenario files there are, with title and sources.
#[derive(Args, Clone, Debug)]
pub struct CasesArgs {
    /// Files, or directories with files.
    #[arg(default_value = DEFAULT_PATH)]
    paths: Vec<PathBuf>,
    /// Only cases with this word in their id, title, sources or other names.
    #[arg(long, value_name = "WORD")]
    filter: Option<String>,
}

impl CasesArgs {
    /// Prints the cases.
    #[must_use]
    pub fn run(&self) -> ExitClass {
        let cases = match read(&self.paths, self.filter.as_deref()) {
            Ok(cases) => cases,
            Err(exit) => return exit,
        };
        let mut text = String::new();
        for LoadedCase { case, .. } in &cases {
            let _ = writeln!(text, "{}\n    {}", case.id, case.title);
            for source in &case.source {
                let _ = writeln!(text, "    {source}");
            }
        }
        let _ = writeln!(text, "{} cases", cases.len());
        print(&text);
        ExitClass::Holds
    }
}
