//! The command `holdfast`.

use clap::Parser as _;
use holdfast_scenarios::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    Cli::parse().run()
}
