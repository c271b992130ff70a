//! `cargo run -p ci --bin mutants`: breaks the shared modules on purpose and demands to be caught.
//!
//! ```text
//!     each mutant: copy of the modules --replace one text--> loom, shuttle
//!                                                              both pass --> survived
//!                                                              else      --> caught
//! ```
//!
//! # Rules
//! 1. A mutant is a text of a source file and what stands there instead. A text that is not found
//!    exactly once fails the run, so that the table cannot fall behind the code.
//! 2. A mutant must compile: a build that fails is an error, not a catch.
//! 3. The code as it is must pass under both engines, or a catch would mean nothing.
//! 4. What was seen is a document, and a run that sees something else fails.

#![forbid(unsafe_code)]

#[path = "mutants/copy.rs"]
mod copy;
#[path = "mutants/document.rs"]
mod document;
#[path = "mutants/engine.rs"]
mod engine;
#[path = "mutants/table.rs"]
mod table;

use anstream::{eprintln, println};
use clap::Parser;
use document::{MutantReport, PATH, document};
use engine::{Engine, EngineResult, Workspace};
use std::fs;
use std::process::ExitCode;
use std::time::Instant;
use table::MUTANTS;

/// Breaks the shared modules on purpose and demands that loom or shuttle notices.
#[derive(Debug, Parser)]
struct MutantsArgs {
    /// Only the mutants with this in their names, and not the code as it is.
    #[arg(default_value = "", conflicts_with = "write")]
    filter: String,
    /// Write the document of what was seen anew.
    #[arg(long)]
    write: bool,
}

fn main() -> ExitCode {
    match run(&MutantsArgs::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &MutantsArgs) -> Result<(), String> {
    let workspace = Workspace::new()?;
    for mutant in MUTANTS {
        workspace.mutated(mutant)?;
    }
    let unbroken = if args.filter.is_empty() { &Engine::ALL[..] } else { &[] };
    let mut visited = Vec::new();
    for &engine in unbroken {
        let started = Instant::now();
        let ran = workspace.run(engine)?;
        show("the code as it is", engine, &ran, started);
        match ran {
            EngineResult::Passed(lines) => {
                visited.extend(lines.into_iter().map(|line| (engine, line)))
            }
            EngineResult::Caught(_) | EngineResult::OutOfTime => {
                return Err(format!("the code as it is does not pass under {engine}"));
            }
        }
    }
    let (mut seen, mut survivors) = (Vec::new(), 0);
    for mutant in MUTANTS.iter().filter(|mutant| mutant.name.contains(&args.filter)) {
        workspace.break_by(mutant)?;
        let mut by = Vec::new();
        for engine in Engine::ALL {
            let started = Instant::now();
            let ran = workspace.run_from(engine, mutant.module())?;
            show(mutant.name, engine, &ran, started);
            by.push(ran);
        }
        if !by.iter().any(|ran| matches!(ran, EngineResult::Caught(_))) {
            println!("{:<30} SURVIVED: {}", mutant.name, mutant.what);
            survivors += 1;
        }
        workspace.mend(mutant)?;
        seen.push(MutantReport { mutant, by });
    }
    match (survivors, args.filter.is_empty()) {
        (0, true) => keep(&document(&visited, &seen), args),
        (0, false) => Ok(()),
        (survivors, _) => Err(format!("{survivors} survived")),
    }
}

/// Writes the document, or compares it with the one that is there.
fn keep(document: &str, args: &MutantsArgs) -> Result<(), String> {
    if args.write {
        return fs::write(PATH, document)
            .map_err(|error| format!("failed to write {PATH}: {error}"));
    }
    match fs::read_to_string(PATH) {
        Ok(there) if there == document => Ok(()),
        Ok(_) => Err(format!("{PATH} says something else; --write writes it anew")),
        Err(error) => Err(format!("failed to read {PATH}: {error}")),
    }
}

fn show(name: &str, engine: Engine, ran: &EngineResult, started: Instant) {
    let what = match ran {
        EngineResult::Passed(_) => "passes",
        EngineResult::Caught(by) => by,
        EngineResult::OutOfTime => "took too long, which proves nothing",
    };
    println!("{name:<30} {engine:<8} {what} ({:.0} s)", started.elapsed().as_secs_f64());
}
