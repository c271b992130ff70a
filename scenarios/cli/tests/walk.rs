//! `holdfast walk` as a person or a script meets it: walks, failures, resumption.

use serde_json::Value;
use std::process::Output;
use support::{code, holdfast, stderr, stdout};

#[path = "support/command.rs"]
mod support;

fn json(output: &Output) -> Value {
    let said = stderr(output);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// A tree whose intermediates obey a Ctrl-C.
const SINGLE_DEPTH: [&str; 11] = [
    "walk",
    "--tree",
    "root(a(b(c)),d)",
    "--policy",
    "single-depth",
    "--placement",
    "shared-group",
    "--faults",
    "request=2,interrupt=1",
    "--seed=7",
    "--json",
];

#[test]
fn a_failure_is_written_and_its_replay_confirms_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("found.trace");
    let path = file.to_str().expect("a temporary path is UTF-8");
    let output = holdfast(&[&SINGLE_DEPTH[..], &["--trace-out", path]].concat());
    assert_eq!(code(&output), 10);
    let found = json(&output);
    assert_eq!(found["outcome"], "safety-violated");
    assert_eq!(found["failure"]["file"], path);
    let replayed = holdfast(&["replay", path, "--json"]);
    assert_eq!(code(&replayed), 0);
    let replayed = json(&replayed);
    assert_eq!(replayed["confirmed"], "violated");
    assert_eq!(replayed["header"]["breaks"], found["failure"]["property"]);
    assert_eq!(replayed["step"], found["failure"]["steps"]);
}

#[test]
fn a_number_names_a_walk_wherever_one_begins() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let walk = |name: &str, rest: &[&str]| {
        let file = folder.path().join(name);
        let path = file.to_str().expect("a temporary path is UTF-8");
        let output = holdfast(&[&SINGLE_DEPTH[..], &["--trace-out", path], rest].concat());
        (json(&output), std::fs::read_to_string(&file).expect("a failure was written"))
    };
    let (first, _) = walk("first", &[]);
    let next = first["next"].to_string();
    let (second, trace) = walk("second", &["--from", &next]);
    let number = second["failure"]["iteration"].to_string();
    let (same, again) = walk("again", &["--from", &number, "--iterations", "1"]);
    assert_eq!(same["failure"]["walked"], second["failure"]["walked"]);
    assert_eq!(again, trace);
}

#[test]
fn relay_holds_on_thousands_of_walks_and_two_parts_are_the_whole() {
    let relay = |rest: &[&str]| {
        let args = ["walk", "--tree", "root(a(b(c),d),e?(f?))", "--debug=b,e", "--json"];
        let faults = ["--faults", "request=2,interrupt=1,error=1,kill=1,cancel=1,cut=1"];
        let output = holdfast(&[&args[..], &faults, rest].concat());
        assert_eq!(code(&output), 0, "{}", stdout(&output));
        json(&output)
    };
    let whole = relay(&["--iterations=3000"]);
    let (one, two) = (relay(&["--iterations=1000"]), relay(&["--iterations=2000", "--from=1000"]));
    let steps = |json: &Value| json["steps"].as_u64().expect("a number");
    assert_eq!(steps(&whole), steps(&one) + steps(&two));
    assert_eq!((&whole["next"], &two["next"]), (&3000.into(), &3000.into()));
}

#[test]
fn a_walk_without_a_tree_is_bad_input() {
    let output = holdfast(&["walk"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("needs a tree"));
}
