//! The command `holdfast`.

use holdfast_cli::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = holdfast_cli::on_live::play_a_part() {
        return code;
    }
    if let Some(code) = holdfast_cli::cli::hosts::play_a_part() {
        return code;
    }
    Cli::from_arguments().run()
}
