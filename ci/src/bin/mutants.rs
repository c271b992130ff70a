//! `cargo run -p ci --bin mutants`: breaks the shared modules on purpose and demands to be caught.
//!
//! ```text
//!     each mutant: copy of the modules --replace one text-->   loom --passed--> shuttle
//!                                                               |                  |
//!                                                             failed             failed --> caught
//!                                                               '------> caught    passed --> survived
//! ```
//!
//! # Rules
//! 1. A mutant is a text of a source file and what stands there instead. A text that is not found
//!    exactly once fails the run, so that the table can not fall behind the code.
//! 2. A mutant must compile: a build that fails is an error, not a catch.
//! 3. The code as it is must pass under both engines, or a catch would mean nothing.

#![forbid(unsafe_code)]

#[path = "mutants/engine.rs"]
mod engine;
#[path = "mutants/table.rs"]
mod table;

use anstream::{eprintln, println};
use clap::Parser;
use engine::{Engine, Ran, Workshop};
use std::process::ExitCode;
use std::time::Instant;
use table::MUTANTS;

/// Breaks the shared modules on purpose and demands that loom or shuttle notices.
#[derive(Debug, Parser)]
struct Args {
    /// Only the mutants with this in their names, and not the code as it is.
    #[arg(default_value = "")]
    filter: String,
    /// Ask every engine about every mutant, not only until one has caught it.
    #[arg(long)]
    all_engines: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(survivors) => {
            eprintln!("{survivors} survived");
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// How many mutants survived.
fn run(args: &Args) -> Result<usize, String> {
    let workshop = Workshop::new()?;
    for mutant in MUTANTS {
        workshop.mutated(mutant)?;
    }
    let unbroken = if args.filter.is_empty() { &Engine::ALL[..] } else { &[] };
    for &engine in unbroken {
        let started = Instant::now();
        let ran = workshop.run(engine)?;
        show("the code as it is", engine, &ran, started);
        if ran != Ran::Passed {
            return Err(format!("the code as it is does not pass under {engine}"));
        }
    }
    let mut survivors = 0;
    for mutant in MUTANTS.iter().filter(|mutant| mutant.name.contains(&args.filter)) {
        workshop.break_by(mutant)?;
        let mut caught = 0;
        for engine in Engine::ALL {
            if caught > 0 && !args.all_engines {
                break;
            }
            let started = Instant::now();
            let ran = workshop.run_from(engine, mutant.module())?;
            show(mutant.name, engine, &ran, started);
            caught += usize::from(matches!(ran, Ran::Caught(_)));
        }
        if caught == 0 {
            println!("{:<30} SURVIVED: {}", mutant.name, mutant.what);
            survivors += 1;
        }
        workshop.mend(mutant)?;
    }
    Ok(survivors)
}

fn show(name: &str, engine: Engine, ran: &Ran, started: Instant) {
    let what = match ran {
        Ran::Passed => "passes",
        Ran::Caught(by) => by,
        Ran::OutOfTime => "took too long, which proves nothing",
    };
    println!("{name:<30} {engine:<8} {what} ({:.0} s)", started.elapsed().as_secs_f64());
}
