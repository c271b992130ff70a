//! `holdfast verify`: checks the certificate of a proof, independently of the search.

use super::{complain, print};
use crate::exit::ExitClass;
use clap::Args;
use holdfast_protocol::Policy;
use holdfast_prove::verify::verify;
use std::path::PathBuf;
use std::time::Instant;

/// Checks a certificate of `holdfast prove`: what begins is in it, it is closed under every step,
/// and nothing in it is bad.
///
/// A second program, which shares with the search the node, the link, the contract and the rests.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 accepted, 2 the file cannot be read, 10 rejected.")]
pub struct VerifyArgs {
    /// The certificate.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read {path}; `holdfast prove --certificate FILE` writes one")]
struct UnreadableFile {
    path: PathBuf,
    source: std::io::Error,
}

impl VerifyArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> ExitClass {
        let clock = Instant::now();
        let text = match std::fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(source) => return complain(&UnreadableFile { path: self.file, source }),
        };
        match verify(&text, Policy::RELAY) {
            Ok(states) => {
                let took = clock.elapsed().as_secs_f64();
                print(&format!("accepted: {states} states, in {took:.1} s\n"));
                ExitClass::Holds
            }
            Err(rejected) => {
                print(&format!("rejected: {rejected}\n"));
                ExitClass::Safety
            }
        }
    }
}
