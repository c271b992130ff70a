//! `holdfast walk --on drivers` and its `replay`, as a person or a script meets them.
//!
//! With `--cfg model_shuttle` they run; without it they name the command that does.

use std::path::Path;
use support::{code, holdfast, stderr, stdout};

#[path = "support/command.rs"]
mod support;

/// Nobody is shielded from a Ctrl-C.
const WITHOUT_R3: [&str; 9] = [
    "walk",
    "--on=drivers",
    "--tree",
    "root(a(b),c)",
    "--without=R3",
    "--faults",
    "request=2,interrupt=2",
    "--seed=7",
    "--json",
];

/// A file as it is written for a failure, its schedule aside.
const HEADER: &str = r#"{"holdfast-schedule":1,"what":"a SIGINT is acted on under an open prompt",
"run":{"holdfast-trace":1,"breaks":"interrupt-shielded","tree":"root(a(b),c)","policy":"relay",
"without":["R3"],"placement":"own-session","faults":"request=2,interrupt=2"},"ends":"any",
"scheduler":"random","seed":7,"iteration":0}"#;

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("the folder can be written");
    path.to_str().expect("a temporary path is UTF-8").to_owned()
}

/// The file says in one line what it is; here it is wrapped.
fn schedule(rest: &str) -> String {
    format!("{}\n{rest}\n", HEADER.replace('\n', ""))
}

#[test]
fn a_file_that_is_no_schedule_is_refused_with_its_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let table = [
        ("garbage", schedule("[0,x]"), "line 2, column 4"),
        ("cut", schedule("[0,1"), "line 2, column 4"),
        ("field", schedule("[0]").replace("\"ends\"", "\"end\""), "unknown field `end`"),
        ("version", schedule("[0]").replace("schedule\":1", "schedule\":2"), "version 2"),
        ("tree", schedule("[0]").replace("root(a(b),c)", "root(a(b),c"), "failed to read the run"),
    ];
    for (name, text, says) in table {
        let output = holdfast(&["replay", &written(folder.path(), name, &text)]);
        assert_eq!(code(&output), 2, "{name}");
        assert!(stderr(&output).contains(says), "{name}: {}", stderr(&output));
        assert!(!stderr(&output).contains("panicked"), "{name}: {}", stderr(&output));
    }
    let file = written(folder.path(), "fine", &schedule("[0]"));
    let output = holdfast(&["replay", &file, "--step=3"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("--step is for traces"), "{}", stderr(&output));
}

#[test]
fn a_scheduler_is_for_drivers() {
    let output = holdfast(&["walk", "--tree", "root(a)", "--scheduler=pct"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("add --on drivers"), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
}

#[cfg(not(model_shuttle))]
#[test]
fn a_build_without_the_engine_names_the_command_that_has_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = written(folder.path(), "fine.schedule", &schedule("[0]"));
    for args in [&["replay", &file][..], &WITHOUT_R3] {
        let output = holdfast(args);
        assert_eq!(code(&output), 2);
        let said = stderr(&output);
        let command = "RUSTFLAGS='--cfg model_shuttle' cargo run --release --locked --target-dir \
                       target/shuttle --package holdfast-cli -- ";
        let again = args.join(" ").replace("root(a(b),c)", "'root(a(b),c)'");
        assert!(said.contains(&format!("{command}{again}\n")), "{said}");
    }
}

#[cfg(model_shuttle)]
mod with_the_engine {
    use super::*;
    use serde_json::Value;
    use std::process::Output;

    fn json(output: &Output) -> Value {
        let error = |error| panic!("{error}: {}", stderr(output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(error)
    }

    /// Walks, and what was written.
    fn walk(folder: &Path, rest: &[&str]) -> (Value, String) {
        let file = folder.join("found.schedule");
        let path = file.to_str().expect("a temporary path is UTF-8");
        let output = holdfast(&[&WITHOUT_R3[..], &["--trace-out", path], rest].concat());
        assert_eq!(code(&output), 10, "{}", stderr(&output));
        (json(&output), std::fs::read_to_string(&file).expect("a failure was written"))
    }

    #[test]
    fn a_failure_is_written_and_its_replay_falls_in_the_same_way() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for scheduler in ["random", "pct"] {
            let (found, text) = walk(folder.path(), &["--scheduler", scheduler]);
            assert_eq!(found["outcome"], "safety-violated");
            assert_eq!(found["scheduler"], scheduler);
            let file = found["failure"]["file"].as_str().expect("a path");
            assert!(found["failure"]["replay"].as_str().is_some_and(|it| it.ends_with(file)));
            let output = holdfast(&["replay", file, "--json"]);
            assert_eq!(code(&output), 0, "{}", stderr(&output));
            let replayed = json(&output);
            assert_eq!(replayed["confirmed"], "violated");
            assert_eq!(replayed["header"]["run"]["breaks"], found["failure"]["property"]);
            let story = replayed["story"].as_array().expect("a story");
            let last = story.last().and_then(Value::as_str).expect("a line");
            let property = found["failure"]["property"].as_str().expect("one is violated");
            assert!(last.contains(property), "{story:#?}");
            // The same file with the rule back in: it is mended.
            let mended = text.replace(r#","without":["R3"]"#, "");
            let output = holdfast(&["replay", &written(folder.path(), "mended", &mended)]);
            assert_eq!(code(&output), 2);
            let said = stderr(&output);
            let fits = said.contains("does not fail any longer") || said.contains("cannot go on");
            assert!(fits && !said.contains("panicked"), "{said}");
        }
    }

    #[test]
    fn a_schedule_that_was_tampered_with_says_so() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (_, text) = walk(folder.path(), &[]);
        let header = text.lines().next().expect("a header");
        let table = [
            ("thread", format!("{header}\n[0,0,77]\n"), "at choice 3 of 3 thread 77 cannot go on"),
            ("nothing", format!("{header}\n"), "all 0 choices"),
            ("tree", text.replace("root(a(b),c)", "root"), "cannot go on"),
        ];
        for (name, text, says) in table {
            let output = holdfast(&["replay", &written(folder.path(), name, &text)]);
            assert_eq!(code(&output), 2, "{name}");
            let said = stderr(&output);
            assert!(said.contains(says) && !said.contains("panicked"), "{name}: {said}");
        }
    }

    #[test]
    fn a_number_names_a_schedule_wherever_a_walk_begins() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for scheduler in ["--scheduler=random", "--scheduler=pct"] {
            let (first, _) = walk(folder.path(), &[scheduler]);
            let next = first["next"].to_string();
            let (second, schedule) = walk(folder.path(), &[scheduler, "--from", &next]);
            let number = second["failure"]["iteration"].to_string();
            let (_, again) =
                walk(folder.path(), &[scheduler, "--from", &number, "--iterations", "1"]);
            assert_eq!(again, schedule);
        }
    }

    #[test]
    fn relay_holds_and_two_parts_are_the_whole() {
        let relay = |rest: &[&str]| {
            let args = ["walk", "--on=drivers", "--tree", "root(a(b(c),d),e?(f?))", "--json"];
            let faults = ["--faults", "request=2,interrupt=1,error=1,kill=1,cancel=1,cut=1"];
            let output = holdfast(&[&args[..], &faults, rest].concat());
            assert_eq!(code(&output), 0, "{}", stderr(&output));
            json(&output)["steps"].as_u64().expect("a number")
        };
        let whole = relay(&["--iterations=450"]);
        let parts = [&["--iterations=130"][..], &["--iterations=320", "--from=130"]].map(relay);
        assert_eq!(whole, parts.iter().sum::<u64>());
    }

    #[test]
    fn real_processes_are_refused() {
        let case = concat!(env!("CARGO_MANIFEST_DIR"), "/../cases/nested-ctrlc.toml");
        let output = holdfast(&["run", case, "--on=live"]);
        assert_eq!(code(&output), 2);
        let said = stderr(&output);
        assert!(said.contains("a build without `--cfg model_shuttle`"), "{said}");
    }
}
