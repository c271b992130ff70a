//! `cargo run -p ci --bin live-soak`: every live case, pass after pass, on a busy machine.
//!
//! ```text
//!     burners: threads that do nothing but turn --\
//!     holdfast run --on live --repeat PASSES ------> the first run that is not what its case says
//! ```
//!
//! A run of a live tree takes one interleaving. A false alarm that one run in a hundred raises is
//! seen when there are many runs and the processes are torn from the processor at places that a
//! quiet machine never shows.
//!
//! # Rules
//! 1. The burners are threads of this process: with it they end, however it ends.
//! 2. The records of the pass that failed are kept, and those alone.

#![forbid(unsafe_code)]

use anstream::eprintln;
use clap::Parser;
use std::env;
use std::hint::spin_loop;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

/// Runs every live case many times on a busy machine, until one is not what it is claimed to be.
#[derive(Debug, Parser)]
struct SoakArgs {
    /// How many passes over all cases.
    #[arg(long, value_name = "N", default_value = "200")]
    passes: NonZeroU32,
    /// How many threads burn the processor beside.
    #[arg(long, value_name = "N", default_value = "2")]
    burners: u32,
    /// Where the records of a pass that fails are kept.
    #[arg(long, value_name = "DIR", default_value = "target/live-soak")]
    records: PathBuf,
    /// Only cases with this word in their id, title, sources or other names.
    #[arg(long, value_name = "WORD")]
    filter: Option<String>,
}

fn main() -> ExitCode {
    let args = SoakArgs::parse();
    let done =
        holdfast().and_then(|program| beside_burners(args.burners, || soak(&program, &args)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the command before anything burns.
fn holdfast() -> Result<PathBuf, String> {
    let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    cargo.args(["build", "--release", "--locked", "--package", "holdfast-cli"]);
    passed(cargo.current_dir(ROOT))?;
    // Both are built into one folder.
    let here = env::current_exe().map_err(|error| format!("this program has no path: {error}"))?;
    Ok(here.with_file_name("holdfast"))
}

fn beside_burners<T>(count: u32, act: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    spin_loop();
                }
            });
        }
        let done = act();
        over.store(true, Relaxed);
        done
    })
}

fn soak(program: &Path, args: &SoakArgs) -> Result<(), String> {
    let mut holdfast = Command::new(program);
    holdfast.args(["run", "scenarios/cases", "--on", "live", "--repeat", &args.passes.to_string()]);
    holdfast.arg("--records").arg(&args.records);
    if let Some(word) = &args.filter {
        holdfast.args(["--filter", word]);
    }
    passed(holdfast.current_dir(ROOT))
}

fn passed(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().display().to_string();
    let status = command.status().map_err(|error| format!("{name} cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} ended with {status}")) }
}

/// The top of the repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
