//! `cargo run -p ci --bin checker-mutants`: breaks the checker, its world and the proof on purpose,
//! and demands that the test that is named for each mutant fails.
//!
//! ```text
//!     model/check, model/prove --copy, each mutant behind a switch--> one build
//!     each mutant: its test passes without the switch, and fails with it --> caught
//! ```
//!
//! # Rules
//! 1. A mutant is an expression of a source file and what stands there instead. A text that is not
//!    found exactly once fails the run, so that the table cannot fall behind the code.
//! 2. The switches are in the copy alone: nothing that is shipped, or tested elsewhere, has one.
//! 3. What was seen is a document, and a run that sees something else fails.

#![forbid(unsafe_code)]

#[path = "mutants/copy.rs"]
mod copy;
#[path = "checker-mutants/document.rs"]
mod document;
#[path = "checker-mutants/switched.rs"]
mod switched;
#[path = "checker-mutants/table.rs"]
mod table;

use anstream::{eprintln, println};
use clap::Parser;
use std::process::ExitCode;
use std::time::Instant;
use switched::{SwitchedBuild, TestResult};
use table::{CheckerMutant, mutants};

/// Breaks the checker on purpose and demands that its tests notice.
#[derive(Debug, Parser)]
struct CheckerMutantsArgs {
    /// Only the mutants with this in their names, their files or their tests.
    #[arg(default_value = "", conflicts_with = "write")]
    filter: String,
    /// Write the document of what was seen anew.
    #[arg(long)]
    write: bool,
}

fn main() -> ExitCode {
    match run(&CheckerMutantsArgs::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &CheckerMutantsArgs) -> Result<(), String> {
    let build = SwitchedBuild::new()?;
    let is_meant = |mutant: &CheckerMutant| {
        [mutant.name, mutant.file, mutant.test].iter().any(|text| text.contains(&args.filter))
    };
    let mut wrong = Vec::new();
    let mut passed = Vec::new();
    for (switch, mutant) in mutants().into_iter().enumerate().filter(|(_, it)| is_meant(it)) {
        if !passed.contains(&mutant.test) {
            match build.test(mutant.test, None)? {
                TestResult::Passed => passed.push(mutant.test),
                failed => return Err(format!("without a mutant: {}: {failed:?}", mutant.test)),
            }
        }
        let started = Instant::now();
        let seen = build.test(mutant.test, Some(switch))?;
        let seconds = started.elapsed().as_secs_f64();
        println!("{:<44} {seen:?} ({seconds:.1} s) {}", mutant.name, mutant.test);
        if seen != TestResult::Failed {
            wrong.push(format!("{}: {seen:?}: {}", mutant.name, mutant.test));
        }
    }
    if !wrong.is_empty() {
        return Err(format!("{} survived:\n{}", wrong.len(), wrong.join("\n")));
    }
    if args.filter.is_empty() { document::keep(args.write) } else { Ok(()) }
}
