//! This checker against stateright's breadth-first search, on the same world, in one run.
//!
//! `cargo bench -p holdfast-check`. Each repetition measures both, one after the other and on one
//! thread each, so that whatever else the machine does slows both. Fails if the median of all
//! ratios is below [`LEAST_RATIO`], or a state takes more than [`MOST_BYTES`] bytes.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use holdfast_check::explore::SymmetryReduction;
use holdfast_check::explore::{Exploration, Options, Progress, StateReduction, explore};
use holdfast_check::world::{Config, Topology};
use holdfast_protocol::Placement;
use holdfast_protocol::policy::PolicyName;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Instant;

#[path = "../tests/support/stateright_model.rs"]
mod stateright_model;

/// The search must be this many times as fast as stateright.
const LEAST_RATIO: f64 = 8.0;

/// The bytes that a stored state may take, the way to it included.
const MOST_BYTES: f64 = 40.0;

/// Tree, faults, and how often both are measured.
const RUNS: [(&str, &str, usize); 3] = [
    ("root(a)", "request=2,interrupt=2,kill=1,error=1,stop=1", 5),
    ("root(a(b))", "request=1,interrupt=1,kill=1,stop=1", 5),
    ("root(a(b))", "request=2,interrupt=1,kill=1,error=1", 1),
];

/// A run on which all cores are compared with one.
const WIDE: (&str, &str) = ("root(a(b))", "request=2,interrupt=2,kill=1,error=1");

/// A run of six actors, cut off, to see what its states take.
const SIX: (&str, &str, u64) = ("root(a,b,c,d,e)", "request=1,interrupt=1", 2_000_000);

fn main() -> ExitCode {
    let mut ratios = Vec::new();
    println!("one thread each; states a second; `relay`, own-session, no symmetry");
    for (tree, faults, repetitions) in RUNS {
        println!("\n{tree} {faults}");
        let topology = topology(tree, faults);
        let of_run: Vec<_> = (0..repetitions).map(|_| measure(&topology)).collect();
        println!("  ratio {}", spread(&of_run));
        ratios.extend(of_run);
    }
    println!("\nratio of all repetitions: {}", spread(&ratios));
    let speed_up = speed_up();
    println!("all cores against one: {}", spread(&speed_up));
    let bytes = bytes_of_six();
    let ratio = median(&ratios);
    if ratio < LEAST_RATIO {
        println!("FAILED: the median ratio is {ratio:.1}, below {LEAST_RATIO}");
        return ExitCode::FAILURE;
    }
    if bytes > MOST_BYTES {
        println!("FAILED: a state takes {bytes:.1} bytes, more than {MOST_BYTES}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn topology(tree: &str, faults: &str) -> Topology {
    let (tree, faults) = (tree.parse().expect("a tree"), faults.parse().expect("a budget"));
    let policy = PolicyName::Relay.policy();
    Topology::new(Config::new(tree, policy, Placement::OwnSession, faults))
}

fn options(threads: NonZeroUsize) -> Options {
    let symmetry = SymmetryReduction::Off;
    let reduction = StateReduction::Off;
    let (shared_from, max_bytes) = (0, 16 << 30);
    Options { threads, shared_from, symmetry, reduction, max_bytes, ..Options::default() }
}

/// One search, and how many seconds it took.
fn search<'t>(topology: &'t Topology, options: Options) -> (Exploration<'t>, f64) {
    let start = Instant::now();
    let found = explore(topology, options, &Progress::default());
    (found, start.elapsed().as_secs_f64())
}

/// How many times as fast as stateright the search is on a run.
fn measure(topology: &Topology) -> f64 {
    let (found, seconds) = search(topology, options(NonZeroUsize::MIN));
    let ours = found.space.len() as f64 / seconds;
    let start = Instant::now();
    let (states, steps) = stateright_model::check(topology);
    let theirs = states as f64 / start.elapsed().as_secs_f64();
    assert_eq!((states as u64, steps), (found.space.len(), None), "both see the same");
    println!("  {states} states: {ours:.0} here, {theirs:.0} stateright: {:.1}", ours / theirs);
    ours / theirs
}

/// How many times as fast all cores are as one.
fn speed_up() -> Vec<f64> {
    let (tree, faults) = WIDE;
    let topology = topology(tree, faults);
    let all = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    println!("\n{tree} {faults}");
    let repeat = |_| {
        let (one, alone) = search(&topology, options(NonZeroUsize::MIN));
        let (_, together) = search(&topology, options(all));
        let states = one.space.len() as f64;
        println!(
            "  {states} states: {:.0} on one thread, {:.0} on {all}; {:.1} bytes a state",
            states / alone,
            states / together,
            one.space.bytes() as f64 / states,
        );
        alone / together
    };
    (0..3).map(repeat).collect()
}

fn bytes_of_six() -> f64 {
    let (tree, faults, max_states) = SIX;
    let topology = topology(tree, faults);
    let (found, _) = search(&topology, Options { max_states, ..options(NonZeroUsize::MIN) });
    let bytes = found.space.bytes() as f64 / found.space.len() as f64;
    println!("\n{tree} {faults}, the first {} states: {bytes:.1} bytes a state", found.space.len());
    bytes
}

fn median(of: &[f64]) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn spread(of: &[f64]) -> String {
    let least = of.iter().copied().fold(f64::INFINITY, f64::min);
    let most = of.iter().copied().fold(0.0, f64::max);
    format!("median {:.1}, least {least:.1}, most {most:.1}", median(of))
}
