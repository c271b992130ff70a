//! What each published crate depends on, with the reason: a new dependency is a decision.
//!
//! The protocol is pure because it has no standard library and nothing below it; the library that
//! users add has neither the checker nor the scenarios below it.

use std::collections::BTreeMap;
use std::process::Command;

/// Every direct dependency of the crates that are published.
const DEPENDENCIES: [(&str, &[(&str, &str)]); 6] = [
    ("holdfast-protocol", &[("serde", "messages and names are written and read")]),
    ("holdfast-sync", &[("thiserror", "error messages beside their variants")]),
    (
        "holdfast-check",
        &[
            ("bitflags", "facts and sets of properties are words, not vectors of booleans"),
            ("foldhash", "the hash of a visited state, the same on every run"),
            ("holdfast-protocol", "what is explored"),
            ("rustc-hash", "a fast map for interning, never iterated"),
            ("serde", "traces and scenarios are written and read"),
            ("serde_json", "traces are JSON lines"),
            ("thiserror", "error messages beside their variants"),
        ],
    ),
    (
        "holdfast-prove",
        &[
            ("holdfast-check", "the links of the world, properties, traces"),
            ("holdfast-protocol", "what is proved"),
            ("rustc-hash", "fast maps for interning, never iterated"),
            ("thiserror", "error messages beside their variants"),
        ],
    ),
    (
        "holdfast-sim",
        &[
            ("holdfast-check", "properties, trees and traces"),
            ("holdfast-protocol", "what runs on the simulated machine"),
            ("holdfast-sync", "mailboxes and locks, under shuttle"),
        ],
    ),
    (
        "holdfast-runtime",
        &[
            ("futures-util", "a panic of the user's task is caught"),
            ("holdfast-protocol", "what every actor executes"),
            ("holdfast-sync", "what its threads share"),
            ("libc", "what neither nix nor rustix has"),
            ("nix", "terminals, sessions, signals, descriptors over sockets"),
            ("rmp-serde", "frames"),
            ("rustix", "pidfds"),
            ("rustyline", "the line editor of the prompt"),
            ("serde", "arguments and results of actors"),
            ("serde_bytes", "frames"),
            ("serde_json", "records are JSON lines"),
            ("strsim", "a command that was mistyped"),
            ("thiserror", "error messages beside their variants"),
            ("tokio", "the loop of the driver, and the user's tasks"),
            ("tracing", "the log"),
            ("tracing-subscriber", "the log at the prompt"),
            ("unicode-width", "the columns of what is typed"),
        ],
    ),
];

#[test]
fn the_dependencies_are_those_of_the_list() {
    for (package, expected) in DEPENDENCIES {
        let reasons: BTreeMap<_, _> = expected.iter().copied().collect();
        assert_eq!(direct(package), reasons.into_keys().collect::<Vec<_>>(), "of {package}");
    }
}

#[test]
fn who_uses_the_library_compiles_no_checker() {
    let all = tree("holdfast-runtime", None);
    assert!(all.iter().any(|name| name == "holdfast-protocol"), "{all:?}");
    for not in ["holdfast-check", "holdfast-sim", "holdfast-cli", "loom", "shuttle", "stateright"] {
        assert!(!all.iter().any(|name| name == not), "{not} is below the library");
    }
}

#[test]
fn who_uses_the_library_compiles_relay_alone() {
    let features = cargo_tree("holdfast-runtime", &["--edges", "normal,features"]);
    assert!(features.contains("holdfast-protocol"), "{features}");
    assert!(!features.contains("alternatives"), "other policies are compiled:\n{features}");
    let features = cargo_tree("holdfast-check", &["--edges", "normal,features"]);
    assert!(features.contains("alternatives"), "the feature has another name:\n{features}");
}

fn direct(package: &str) -> Vec<String> {
    tree(package, Some(1))
}

/// The names of all that a package depends on, in order, without itself.
fn tree(package: &str, depth: Option<u8>) -> Vec<String> {
    let depth = depth.map(|depth| depth.to_string());
    let mut options = vec!["--edges", "normal", "--prefix", "none", "--format", "{p}"];
    options.extend(depth.iter().flat_map(|depth| ["--depth", depth]));
    let text = cargo_tree(package, &options);
    let names = text.lines().skip(1).filter_map(|line| line.split(' ').next());
    let mut names: Vec<_> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn cargo_tree(package: &str, options: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--package", package, "--offline", "--locked"]).args(options);
    // What a normal build depends on: loom and shuttle come with a cfg, and with it only.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}
