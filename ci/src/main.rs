//! `cargo run -p ci`: runs the stages one after another and stops at the first that fails.
//!
//! Each command is printed before it runs, so that it can be run alone. A stage that can not be
//! started fails like one that ran and failed: nothing is skipped.

#![forbid(unsafe_code)]

mod stage;

use anstream::{eprintln, println};
use anstyle::AnsiColor;
use clap::Parser;
use stage::{CiStage, RECORDS, STAGES, StageSet};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Runs the stages that must pass before a change lands.
#[derive(Debug, Parser)]
struct CiArgs {
    /// The stages to run; without any, all of the fast set.
    #[arg(value_parser = STAGES.iter().map(|stage| stage.name).collect::<Vec<_>>())]
    stages: Vec<String>,
    /// Run the slow stages too.
    #[arg(long)]
    full: bool,
    /// Show the stages and run none.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let args = CiArgs::parse();
    let chosen: Vec<&CiStage> = STAGES
        .iter()
        .filter(|stage| match (args.stages.is_empty(), stage.set) {
            (false, _) => args.stages.iter().any(|name| name == stage.name),
            (true, StageSet::Fast) => true,
            (true, StageSet::Full) => args.full || args.list,
        })
        .collect();
    if args.list {
        for stage in chosen {
            println!(
                "{:<14} {}\n{:<14} cargo {}",
                stage.name,
                stage.why,
                "",
                stage.arguments().join(" ")
            );
        }
        return ExitCode::SUCCESS;
    }
    let mut times = Vec::new();
    for stage in chosen {
        let started = Instant::now();
        match run(stage) {
            Ok(()) => times.push((stage.name, started.elapsed())),
            Err(why) => {
                let red = AnsiColor::Red.on_default().bold();
                eprintln!("{red}stage `{}` failed{red:#}: {why}", stage.name);
                return ExitCode::FAILURE;
            }
        }
    }
    for (name, time) in times {
        println!("{name:<14} passed in {:.0} s", time.as_secs_f64());
    }
    ExitCode::SUCCESS
}

fn run(stage: &CiStage) -> Result<(), String> {
    let bold = anstyle::Style::new().bold();
    let env: String = stage.env.iter().map(|(key, value)| format!("{key}='{value}' ")).collect();
    println!("{bold}{env}cargo {}{bold:#}  # {}", stage.arguments().join(" "), stage.why);
    if stage.env.iter().any(|(_, value)| *value == RECORDS) {
        let _ = std::fs::remove_dir_all(RECORDS);
    }
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let status = Command::new(cargo)
        .args(stage.arguments())
        .envs(stage.env.iter().copied())
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo ended with {status}")) }
}
