//! The time to a verdict, against what it would take without reductions and without deciding while
//! exploring, and against stateright's search on the same world, in one run.
//!
//! `cargo bench -p holdfast-check --bench verdict`. Whatever else the machine does slows both
//! columns, so only their ratio is gated. `-- --large` adds the nine shapes of five actors, without
//! a column to compare them with.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use holdfast_check::explore::sweep::{Sweep, sweep};
use holdfast_check::explore::{
    Options, Progress, StateReduction, StopWhen, SymmetryReduction, explore,
};
use holdfast_check::report::{CheckOutcome, check};
use holdfast_check::suite::{Expected, suite};
use holdfast_check::tree::Tree;
use holdfast_check::world::{Config, Topology};
use holdfast_protocol::Placement;
use holdfast_protocol::policy::Policy;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Instant;

#[path = "../tests/support/stateright_model.rs"]
mod stateright_model;

/// How many times as fast the verdict must come as from the full graph and a sweep over it.
const LEAST_RATIO: f64 = 5.0;

/// How many times as fast it must come as the end of stateright's search, which has no leads-to.
const LEAST_AGAINST_STATERIGHT: f64 = 40.0;

/// The bytes that a state of a chain of four may take.
const MOST_BYTES: f64 = 24.0;

/// Three actors and six faults.
const CHAIN: (&str, &str) = ("root(a(b))", "request=2,interrupt=2,kill=1,error=1");

/// What stateright explores in half a minute.
const SMALLER: (&str, &str) = ("root(a(b))", "request=2,interrupt=1,kill=1,error=1");

/// The faults of the shapes of four actors, and of those of five.
const FOUR: &str = "request=1,interrupt=2,kill=1,error=1";
const FIVE: &str = "request=1,interrupt=1,kill=1";

fn main() -> ExitCode {
    let large = std::env::args().any(|argument| argument == "--large");
    let mut failed = Vec::new();
    let mut gate = |what: &str, ratio: f64, least: f64| {
        if ratio < least {
            failed.push(format!("{what}: {ratio:.1}, below {least}"));
        }
    };
    println!("| what | before | now | ratio |\n|---|---:|---:|---:|");

    let chain = config(CHAIN);
    let (before, now) = (full_and_swept(&chain), verdict(&chain, 1));
    row("three actors, one thread", Some(before), now);
    gate("against the full graph", before / now, LEAST_RATIO);

    let smaller = config(SMALLER);
    let (before, now) = (stateright(&smaller), verdict(&smaller, 1));
    row("three actors, stateright before", Some(before), now);
    gate("against stateright", before / now, LEAST_AGAINST_STATERIGHT);

    let rows = suite();
    let holds = || rows.iter().filter(|row| row.expected == Expected::Holds);
    let before = holds().map(|row| full_and_swept(&row.config)).sum();
    let now = holds().map(|row| verdict(&row.config, 1)).sum();
    row("what holds of the suite, one thread", Some(before), now);
    gate("the suite", before / now, LEAST_RATIO / 2.0);

    let four = Tree::shapes(4).into_iter().map(|tree| shape(tree, FOUR));
    row("four shapes of 4 actors", None, four.map(|config| verdict(&config, 1)).sum());
    if large {
        let five = Tree::shapes(5).into_iter().map(|tree| shape(tree, FIVE));
        row("nine shapes of 5 actors", None, five.map(|config| verdict(&config, 2)).sum());
    }

    let wide = config(("root(a(b(c)))", FOUR));
    let (one, two) = (verdict(&wide, 1), verdict(&wide, 2));
    row("a chain of four, two threads after one", Some(one), two);
    let bytes = bytes_a_state(&wide);
    println!("\na state of a chain of four takes {bytes:.1} bytes");
    gate("24 bytes a state, times", MOST_BYTES / bytes, 1.0);

    failed.iter().for_each(|what| println!("FAILED: {what}"));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn row(what: &str, before: Option<f64>, now: f64) {
    let (seconds, ratio) = match before {
        Some(before) => (format!("{before:.2} s"), format!("{:.1}", before / now)),
        None => (String::new(), String::new()),
    };
    println!("| {what} | {seconds} | {now:.2} s | {ratio} |");
}

fn config((tree, faults): (&str, &str)) -> Config {
    shape(tree.parse().expect("a tree"), faults)
}

fn shape(tree: Tree, faults: &str) -> Config {
    let faults = faults.parse().expect("a budget");
    Config::new(tree, Policy::RELAY, Placement::OwnSession, faults)
}

fn options(threads: usize) -> Options {
    let threads = NonZeroUsize::new(threads).expect("not zero");
    Options { threads, until: StopWhen::Exhausted, max_bytes: 16 << 30, ..Options::default() }
}

/// Seconds until everything holds.
fn verdict(config: &Config, threads: usize) -> f64 {
    let start = Instant::now();
    let report = check(config.clone(), options(threads), &Progress::default());
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(report.outcome(), CheckOutcome::Holds, "{}", config.tree);
    seconds
}

/// Seconds until the full graph is explored and swept.
fn full_and_swept(config: &Config) -> f64 {
    let topology = Topology::new(config.clone());
    let options = Options { reduction: StateReduction::Off, ..options(1) };
    let start = Instant::now();
    let found = explore(&topology, options, &Progress::default());
    let swept = sweep(&found, &Progress::default());
    assert!(matches!(swept, Sweep::Acyclic(_)), "{} has a cycle", config.tree);
    start.elapsed().as_secs_f64()
}

/// Seconds until stateright has searched.
fn stateright(config: &Config) -> f64 {
    let topology = Topology::new(config.clone());
    let start = Instant::now();
    let (_, steps) = stateright_model::check(&topology);
    assert_eq!(steps, None, "{} holds", config.tree);
    start.elapsed().as_secs_f64()
}

fn bytes_a_state(config: &Config) -> f64 {
    let topology = Topology::new(config.clone());
    let symmetry = SymmetryReduction::Off;
    let found = explore(&topology, Options { symmetry, ..options(1) }, &Progress::default());
    found.space.bytes() as f64 / found.space.len() as f64
}
