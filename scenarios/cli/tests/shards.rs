//! `--shard K/N` and `holdfast merge`: the parts of a run are the run, byte for byte, times aside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::{code, holdfast, stderr, stdout};
use tempfile::TempDir;

#[path = "support/command.rs"]
mod support;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cases");

/// The suite, each search of it cut short.
const SUITE: [&str; 4] = ["check", "--json", "--max-states", "1000"];

/// Walks of which none fails.
const WALK: [&str; 8] = [
    "walk",
    "--tree=root(a(b),c)",
    "--faults=request=2,interrupt=1,kill=1",
    "--seed=3",
    "--from=100",
    "--iterations=500",
    "--json",
    "--policy=relay",
];

/// The text without its figures of time.
fn timeless(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    let figure = |rest: &str| {
        ["\"seconds\":", "\"per-second\":"].iter().filter_map(|key| rest.find(key)).min()
    };
    while let Some(at) = figure(rest) {
        let colon = at + rest[at..].find(':').expect("it was found") + 1;
        kept.push_str(&rest[..colon]);
        rest = rest[colon..].trim_start_matches(|c: char| c.is_ascii_digit() || " .e-".contains(c));
    }
    kept + rest
}

/// Runs all shards of a command; one file each.
fn shards(folder: &Path, args: &[&str], count: usize) -> Vec<PathBuf> {
    let one = |index: usize| {
        let shard = format!("--shard={index}/{count}");
        let output = holdfast(&[args, &[&shard]].concat());
        let file = folder.join(format!("{index}-of-{count}.json"));
        fs::write(&file, &output.stdout).expect("the folder can be written");
        file
    };
    (1..=count).map(one).collect()
}

fn merge(files: &[PathBuf]) -> Output {
    let files = files.iter().map(|file| file.to_str().expect("a temporary path is UTF-8"));
    holdfast(&["merge"].into_iter().chain(files).collect::<Vec<_>>())
}

/// The parts are the whole, in whichever order they are given.
fn parts_are_the_whole(args: &[&str]) {
    let folder = TempDir::new().expect("a temporary folder");
    let whole = holdfast(args);
    for count in [1, 2, 3, 7] {
        let mut files = shards(folder.path(), args, count);
        files.reverse();
        let merged = merge(&files);
        assert_eq!(timeless(&stdout(&merged)), timeless(&stdout(&whole)), "{count} shards");
        assert_eq!(code(&merged), code(&whole), "{count} shards: {}", stderr(&merged));
    }
}

#[test]
fn shards_of_the_suite_are_the_suite() {
    parts_are_the_whole(&SUITE);
}

#[test]
fn shards_of_the_cases_are_the_cases() {
    parts_are_the_whole(&["run", CASES, "--on=model", "--json", "--max-states=2000"]);
    parts_are_the_whole(&["run", CASES, "--on=model", "--json", "--filter=nested-ctrlc"]);
}

#[test]
fn shards_of_walks_are_the_walks() {
    parts_are_the_whole(&WALK);
}

#[test]
fn shards_of_walks_end_where_the_first_of_all_fails() {
    let folder = TempDir::new().expect("a temporary folder");
    let trace = format!("--trace-out={}", folder.path().join("found.trace").display());
    let mut args = WALK;
    args[7] = "--policy=single-depth";
    let args = [&args[..], &["--placement=shared-group", &trace]].concat();
    let output = holdfast(&args);
    assert_eq!(code(&output), 10, "{}", stdout(&output));
    parts_are_the_whole(&args);
}

#[test]
fn what_is_not_a_shard_is_refused_by_name() {
    for bad in ["0/3", "4/3", "3", "a/b", "1/0", "1/99999"] {
        let output = holdfast(&[&SUITE[..], &["--shard", bad]].concat());
        assert_eq!((code(&output), stdout(&output).as_str()), (2, ""), "{bad}");
        assert!(stderr(&output).contains("expected K/N with K from 1 to N"), "{}", stderr(&output));
    }
    let output = holdfast(&["check", "--tree=root(a)", "--shard=1/2"]);
    assert_eq!(code(&output), 2, "one search is not shared: {}", stdout(&output));
}

#[test]
fn files_that_are_not_the_parts_of_one_whole_are_refused_by_name() {
    let folder = TempDir::new().expect("a temporary folder");
    let written = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        fs::write(&file, bytes).expect("the folder can be written");
        file
    };
    let [one, two, three] = &shards(folder.path(), &WALK, 3)[..] else { panic!("three files") };
    let mut other = WALK;
    other[3] = "--seed=4";
    let part = |args: &[&str]| holdfast(args).stdout;
    let foreign = written("foreign.json", &part(&[&other[..], &["--shard=2/3"]].concat()));
    let suite = written("suite.json", &part(&[&SUITE[..], &["--shard=2/3"]].concat()));
    let whole = written("whole.json", &part(&WALK));
    let text = fs::read_to_string(two).expect("it was written");
    let cut = written("cut.json", &text.as_bytes()[..text.len() / 2]);
    let fewer = text.replace("\"walks\": 167", "\"walks\": 166");
    assert_ne!(fewer, text);
    let fewer = written("fewer.json", fewer.as_bytes());
    let stopped = text.replace("\"exit\": 0", "\"exit\": 130");
    let stopped = written("stopped.json", stopped.as_bytes());
    let edited = written("edited.json", text.replace("\"index\": 2", "\"index\": 9").as_bytes());
    let empty = written("empty.json", b"");
    let nowhere = folder.path().join("nowhere.json");
    let table: [(&[&PathBuf], &str, &str); 11] = [
        (&[one, three], "1-of-3.json", "expected all 3 shards of the run of"),
        (&[one, two, three, two], "2-of-3.json is shard 2 again, as", "leave one of them out"),
        (&[one, &foreign, three], "foreign.json is not a shard of the same run as", "1-of-3.json"),
        (&[one, &suite, three], "suite.json is not a shard of the same run as", "1-of-3.json"),
        (&[one, &whole, three], "whole.json: expected a part of a run, found a whole one", ""),
        (&[one, &cut, three], "cut.json: expected what", "was it cut?"),
        (&[one, &fewer, three], "fewer.json: expected 167 results, found 166", "run this shard"),
        (&[one, &stopped, three], "stopped.json: expected 167 results", "run this shard again"),
        (&[one, &edited, three], "edited.json: expected a shard from 1 to 3, found 9", ""),
        (&[one, &empty, three], "empty.json: expected what", ""),
        (&[one, &nowhere, three], "nowhere.json", "No such file"),
    ];
    for (files, says, too) in table {
        let output = merge(&files.iter().copied().cloned().collect::<Vec<_>>());
        let said = stderr(&output);
        assert_eq!((code(&output), stdout(&output).as_str()), (2, ""), "{says}: {said}");
        assert!(said.contains(says) && said.contains(too), "expected {says} … {too}\n{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn the_lines_of_a_run_that_were_cut_are_missed() {
    let folder = TempDir::new().expect("a temporary folder");
    let args = ["run", CASES, "--on=model", "--json", "--filter=nested-ctrlc"];
    let files = shards(folder.path(), &args, 2);
    let text = fs::read_to_string(&files[0]).expect("it was written");
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() > 2, "{text}");
    fs::write(&files[0], lines[1..].join("\n")).expect("it can be written");
    let output = merge(&files);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("1-of-2.json: expected"), "{}", stderr(&output));
    fs::write(&files[0], lines[..lines.len() - 1].join("\n")).expect("it can be written");
    let output = merge(&files);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("1-of-2.json: expected what"), "{}", stderr(&output));
}
