//! Trees without a terminal, judged by what their processes meet: signals, orphans, locks, limits.
//!
//! The test program is its own subject: `--program MODE ...` runs a tree, everything else the tests.

mod bounded;
mod checks;
mod dies;
mod endings;
mod interrupts;
mod limits;
mod lock;
mod orphans;
mod program;
mod signals;
mod terminal;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some("--program") {
        return program::run(&words.collect::<Vec<_>>());
    }
    let trials: Vec<Trial> = [signals::trials(), orphans::trials(), lock::trials()]
        .into_iter()
        .chain([interrupts::trials(), limits::trials(), bounded::trials(), endings::trials()])
        .flatten()
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
