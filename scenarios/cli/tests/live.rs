//! Live runs as a user starts them: the issue that this project is about, counterexamples with real
//! processes, and a person who stops it.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;

fn holdfast(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.args(args).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
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
    let killed = |run: &serde_json::Value| {
        run["live"]["violated"].to_string().contains("no-signal-under-hold")
    };
    assert!(of("single-depth").any(killed), "the leaf is killed at its prompt: {all}");
}

/// What cannot be forced, and why: `scenarios/README.md` has it in full.
const NOT_FORCED: [&str; 4] = [
    // The kernel stops who reads a terminal whose job has ended.
    "kill-root-at-prompt.single-depth",
    "nested-kill-root.single-depth",
    // Two read one terminal, and the kernel gives the line to either.
    "sibling-error.unprotected",
    // No step is left to force: no continuation leads to the end.
    "link-lost-at-prompt.single-depth",
];

#[test]
fn counterexamples_of_the_model_are_forced_upon_real_processes() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases");
    let files = std::fs::read_dir(cases).expect("the cases").map(|entry| entry.expect("legible"));
    let traces =
        files.map(|entry| entry.path()).filter(|path| path.extension() == Some("trace".as_ref()));
    let name = |path: &PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    let (not, traces): (Vec<_>, Vec<_>) =
        traces.partition(|path| NOT_FORCED.contains(&name(path).as_str()));
    assert_eq!(not.len(), NOT_FORCED.len());
    let left = Mutex::new(traces);
    let next = || left.lock().expect("whole").pop();
    let work = || {
        while let Some(trace) = next() {
            let args = ["run".as_ref(), "--follow".as_ref(), trace.as_os_str()];
            let output = Command::new(env!("CARGO_BIN_EXE_holdfast")).args(args).output();
            let output = output.expect("it runs");
            assert!(output.status.success(), "{}: {}", name(&trace), text(&output));
        }
    };
    // Most of the time nothing moves, so more than cores.
    thread::scope(|scope| {
        (0..4).for_each(|_| {
            scope.spawn(work);
        });
    });
}

#[test]
fn a_trace_that_is_no_run_of_the_tree_is_left_at_the_step_that_can_not_come() {
    let case =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases/nested-ctrlc.single-depth.trace");
    let whole = std::fs::read_to_string(case).expect("a trace");
    // The grant arrives before the request was read.
    let early = r#"{"system":"deliver","from":2,"to":0}"#;
    let trace = whole.replacen(&format!("{early}\n"), "", 1);
    assert_ne!(trace, whole);
    let file = tempfile::NamedTempFile::new().expect("writable");
    std::fs::write(file.path(), trace).expect("writable");
    let path = file.path().display().to_string();
    let output = holdfast(&["run", "--follow", &path]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(12), "{}", text(&output));
    let said = "1 of 6 steps of the trace were seen\nthere the real tree left the trace: it does not come to Deliver";
    assert!(text(&output).contains(said), "{}", text(&output));
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
        thread::yield_now();
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
