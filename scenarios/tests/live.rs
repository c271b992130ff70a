//! Live runs as a user starts them: the issue that this project is about, counterexamples with real
//! processes, and a person who stops it.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn holdfast(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.args(args).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

#[test]
fn a_nested_session_is_lost_under_single_depth_and_survives_under_relay() {
    let case = "scenarios/cases/nested-ctrlc.toml";
    let output = holdfast(&["run", case, "--on", "live", "--json"]).output().expect("it runs");
    assert!(output.status.success(), "{}", text(&output));
    let all = text(&output);
    let lines = all.lines().filter_map(|line| serde_json::from_str(line).ok());
    let runs: Vec<serde_json::Value> =
        lines.filter(|run: &serde_json::Value| run["case"].is_string()).collect();
    let of = |policy: &'static str| runs.iter().filter(move |run| run["policy"] == policy);
    for run in of("relay") {
        assert_eq!(run["live"]["outcome"], "pass", "{run}");
        assert_eq!(run["live"]["conformance"], "conforms", "{run}");
    }
    let killed =
        |run: &serde_json::Value| run["live"]["fell"].to_string().contains("no-signal-under-hold");
    assert!(of("single-depth").any(killed), "the leaf is killed at its prompt: {all}");
}

#[test]
fn counterexamples_of_the_model_fall_on_real_processes() {
    for trace in [
        "nested-ctrlc.single-depth",
        "nested-mid-error.single-depth",
        "nested-cancel-mid.single-depth",
        "nested-root-deadline.single-depth",
        "ctrlc-beside-sibling.single-depth",
        "two-in-turn-then-ctrlc.single-depth",
        "kill-holder.single-depth",
        "terminate-at-prompt.single-depth",
    ] {
        let file = format!("scenarios/cases/{trace}.trace");
        let output = holdfast(&["run", "--follow", &file]).output().expect("it runs");
        assert!(output.status.success(), "{trace}: {}", text(&output));
    }
}

#[test]
fn who_stops_it_hears_how_far_it_came_and_nothing_is_left() {
    let records = tempfile::tempdir().expect("writable");
    let folder = records.path().display().to_string();
    let args = ["run", "scenarios/cases", "--on", "live", "--json", "--records", &folder];
    let mut command = holdfast(&args);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    // The first record says that a tree is under way.
    while std::fs::read_dir(records.path()).map_or(0, Iterator::count) < 3 {
        assert!(child.try_wait().expect("it is ours").is_none(), "it ended early");
        std::thread::yield_now();
    }
    let pid = Pid::from_raw(child.id().cast_signed());
    kill(pid, Signal::SIGINT).expect("it runs");
    let stderr = BufReader::new(child.stderr.take().expect("piped"));
    let output = child.wait_with_output().expect("it ends");
    let said: Vec<String> = stderr.lines().map_while(Result::ok).collect();
    assert_eq!(output.status.code(), Some(130), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("stopped after")), "{said:?}");
    let ours = format!("HOLDFAST_RECORD={folder}");
    let left = std::fs::read_dir("/proc").expect("Linux").flatten().filter(|entry| {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        environment.windows(ours.len()).any(|window| window == ours.as_bytes())
    });
    assert_eq!(left.count(), 0, "nobody is left");
}
