//! `cargo run -p ci`: runs the stages one after another and stops at the first that fails.
//!
//! Each command is printed before it runs, so that it can be run alone. A stage that cannot be
//! started fails like one that ran and failed: nothing is skipped.

#![forbid(unsafe_code)]

mod stage;

use anstream::{eprintln, println};
use anstyle::AnsiColor;
use clap::Parser;
use stage::{CiStage, PACKAGES, RECORDS, STAGES, StageSet};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

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
        let result = run(stage);
        times.push((stage.name, started.elapsed()));
        if let Err(why) = result {
            let red = AnsiColor::Red.on_default().bold();
            eprintln!("{red}stage `{}` failed{red:#}: {why}", stage.name);
            summarize(&times, 1);
            return ExitCode::FAILURE;
        }
    }
    summarize(&times, 0);
    ExitCode::SUCCESS
}

/// The time of each stage that ran; the last line counts them, as test runners close.
fn summarize(times: &[(&str, Duration)], failed: usize) {
    for (name, time) in times {
        println!("{name:<14} {:>5.0} s", time.as_secs_f64());
    }
    let all: Duration = times.iter().map(|(_, time)| *time).sum();
    println!("{:<14} {:>5.0} s", "all", all.as_secs_f64());
    println!("stages: {} passed, {failed} failed", times.len() - failed);
}

fn run(stage: &CiStage) -> Result<(), String> {
    let bold = anstyle::Style::new().bold();
    let env: String = stage.env.iter().map(|(key, value)| format!("{key}='{value}' ")).collect();
    println!("{bold}{env}cargo {}{bold:#}  # {}", stage.arguments().join(" "), stage.why);
    if stage.env.iter().any(|(_, value)| *value == RECORDS) {
        let _ = std::fs::remove_dir_all(RECORDS);
    }
    if stage.arguments().contains(&PACKAGES) {
        forget_packages();
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

/// Cargo takes a version of a package for immutable: what it unpacked and built of an earlier state
/// of this version would be verified instead of the present one.
fn forget_packages() {
    let _ = std::fs::remove_dir_all(PACKAGES);
    let home = std::env::home_dir().map(|home| home.join(".cargo"));
    let Some(home) = std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home) else { return };
    let registries = std::fs::read_dir(home.join("registry/src")).into_iter().flatten().flatten();
    // A registry in the file system has no host, so its folder has a name that is a hash alone.
    let local = registries.filter(|one| one.file_name().as_encoded_bytes().starts_with(b"-"));
    for package in local.filter_map(|one| std::fs::read_dir(one.path()).ok()).flatten().flatten() {
        if package.file_name().as_encoded_bytes().starts_with(b"holdfast-") {
            let _ = std::fs::remove_dir_all(package.path());
        }
    }
}
