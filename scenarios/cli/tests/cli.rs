//! The command as a person or a script meets it: the real binary, its text and its exit codes.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::{code, holdfast, stderr, stdout};

#[path = "support/command.rs"]
mod support;

/// Issue #320: the intermediate actor obeys a Ctrl-C while its child is at a prompt.
const ISSUE_320: [&str; 12] = [
    "check",
    "--tree",
    "root(mid(leaf))",
    "--policy",
    "single-depth",
    "--placement",
    "shared-group",
    "--faults",
    "interrupt=1",
    "--threads=1",
    "--show",
    "no-signal-under-hold",
];

/// The text from the counterexample on: what stands before it holds times.
fn from_counterexample(text: &str) -> &str {
    let at = text.find("ounterexample to").expect("a counterexample is drawn");
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    &text[line..]
}

fn trace_of_320(folder: &Path) -> PathBuf {
    let file = folder.join("320.trace");
    let path = file.to_str().expect("a temporary path is UTF-8");
    let output = holdfast(&[&ISSUE_320[..], &["--trace-out", path]].concat());
    assert_eq!(code(&output), 10, "{}", stderr(&output));
    file
}

#[test]
fn issue_320_is_drawn_as_a_chart() {
    let output = holdfast(&ISSUE_320);
    assert_eq!(code(&output), 10);
    insta::assert_snapshot!("chart_320", from_counterexample(&stdout(&output)));
}

#[test]
fn a_run_that_gets_stuck_is_drawn_as_a_chart() {
    let args = ["check", "--tree", "root(mid(leaf))", "--without", "R10", "--faults", "stop=1"];
    let output = holdfast(&[&args[..], &["--threads=1"]].concat());
    assert_eq!(code(&output), 11);
    insta::assert_snapshot!("chart_stuck", from_counterexample(&stdout(&output)));
}

#[test]
fn six_actors_fit_a_hundred_columns_and_seven_become_a_list() {
    for (tree, name) in [
        ("root(one(two(three(four(five)))))", "chart_six"),
        ("root(one(two(three(four(five(six))))))", "list_seven"),
    ] {
        let args = ["check", "--tree", tree, "--policy", "single-depth", "--threads=1"];
        let rest = ["--placement", "shared-group", "--faults", "interrupt=1,error=1,kill=1"];
        let output = holdfast(&[&args[..], &rest].concat());
        assert_eq!(code(&output), 10, "{}", stderr(&output));
        let text = stdout(&output);
        let chart = from_counterexample(&text).split("\nTo keep").next().expect("a chart");
        for line in chart.lines() {
            assert!(line.chars().count() <= 100, "too wide: {line}");
        }
        insta::assert_snapshot!(name, chart);
    }
}

#[test]
fn lists_are_complete() {
    let output = holdfast(&["list", "--properties", "--rules", "--policies"]);
    assert_eq!(code(&output), 0);
    insta::assert_snapshot!("list", stdout(&output));
    let rules = stdout(&holdfast(&["list", "--rules"]));
    assert!(stdout(&output).contains(&rules), "a switch shows a part of the whole");
}

#[test]
fn errors_name_the_place_and_the_remedy() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the folder can be written");
        path.to_str().expect("a temporary path is UTF-8").to_owned()
    };
    let header = r#"{"holdfast-trace":1,"tree":"root(mid)","policy":"relay","placement":"#;
    let empty = file("empty.trace", "");
    let garbled =
        file("garbled.trace", &format!("{header}\"own-session\",\"faults\":\"none\"}}\n{{"));
    let newer = header.replace("trace\":1", "trace\":9");
    let newer = file("newer.trace", &format!("{newer}\"own-session\",\"faults\":\"none\"}}\n"));
    let unknown = r#""own-session","faults":"none","debug":["nobody"]}"#;
    let unknown = file("unknown-actor.trace", &format!("{header}{unknown}\n"));
    let tree = ["check", "--tree", "root(mid)"];
    let with = |rest: &[&'static str]| [&tree[..], rest].concat();
    let table: Vec<(&str, Vec<&str>)> = vec![
        ("a tree that ends early", vec!["check", "--tree", "root(mid"]),
        ("a name twice", vec!["check", "--tree", "root(mid,mid)"]),
        ("no such policy", with(&["--policy", "rely"])),
        ("no such placement", with(&["--placement", "group"])),
        ("no such fault", with(&["--faults", "interupt=1"])),
        ("a fault without number", with(&["--faults", "kill"])),
        ("no such rule", with(&["--without", "R13"])),
        ("debug mode for nobody", with(&["--debug", "leaf"])),
        ("requests twice", with(&["--requests", "2", "--faults", "request=1"])),
        ("no thread", with(&["--threads", "0"])),
        ("no memory", with(&["--max-memory", "4 gigs"])),
        ("no such property", with(&["--show", "on-prompt"])),
        ("a policy without tree", vec!["check", "--policy", "relay"]),
        ("a folder that is not there", {
            let mut args = with(&["--policy=single-depth", "--placement=shared-group"]);
            args.extend(["--faults=interrupt=1", "--trace-out", "/nowhere/a.trace"]);
            args
        }),
        ("no such file", vec!["replay", "nowhere.trace"]),
        ("an empty trace", vec!["replay", &empty]),
        ("a garbled line", vec!["replay", &garbled]),
        ("a newer trace", vec!["replay", &newer]),
        ("an unknown actor in a trace", vec!["replay", &unknown]),
    ];
    let mut said = String::new();
    for (what, args) in table {
        let output = holdfast(&args);
        assert_eq!(code(&output), 2, "{what}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{what}");
        said.push_str(&format!("## {what}\n{}\n", stderr(&output)));
    }
    let said = said.replace(folder.path().to_str().expect("UTF-8"), "FOLDER");
    insta::assert_snapshot!("errors", said);
}

#[test]
fn a_written_trace_replays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = trace_of_320(folder.path());
    let path = file.to_str().expect("a temporary path is UTF-8");
    let whole = holdfast(&["replay", path]);
    assert_eq!(code(&whole), 0, "{}", stderr(&whole));
    insta::assert_snapshot!("replay_320", stdout(&whole));
    let step = holdfast(&["replay", path, "--step", "5"]);
    assert_eq!(code(&step), 0, "{}", stderr(&step));
    insta::assert_snapshot!("replay_320_step", stdout(&step));
    let beyond = holdfast(&["replay", path, "--step", "7"]);
    assert_eq!(code(&beyond), 2);
    assert!(stderr(&beyond).contains("has 6 steps"), "{}", stderr(&beyond));
    let json: Value = serde_json::from_slice(&holdfast(&["replay", path, "--json"]).stdout)
        .expect("one JSON object");
    assert_eq!(json["confirmed"], "violated");
    assert_eq!(json["step"], 6);
    assert_eq!(json["steps"].as_array().map(Vec::len), Some(6));
}

#[test]
fn a_tampered_trace_is_refused_by_the_step() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = trace_of_320(folder.path());
    let text = std::fs::read_to_string(&file).expect("it was written");
    let lines: Vec<_> = text.lines().collect();
    let path = file.to_str().expect("a temporary path is UTF-8");
    let refuse = |lines: &[&str]| {
        std::fs::write(&file, lines.join("\n")).expect("the folder can be written");
        let output = holdfast(&["replay", path]);
        assert_eq!(code(&output), 2, "{}", stdout(&output));
        stderr(&output).replace(folder.path().to_str().expect("UTF-8"), "FOLDER")
    };
    // Without the step on which the request is read, the grant cannot be read.
    let torn = refuse(&[&lines[..2], &lines[3..]].concat());
    assert!(torn.contains("step 2 (leaf reads from root) is not possible there"), "{torn}");
    let cut = refuse(&lines[..lines.len() - 1]);
    assert!(cut.contains("all 5 steps are possible, but `no-signal-under-hold`"), "{cut}");
    let unknown = lines[lines.len() - 1].replace("\"actor\":1", "\"actor\":77");
    let strange = refuse(&[&lines[..lines.len() - 1], &[unknown.as_str()]].concat());
    assert!(strange.contains("step 6 (at actor 77, "), "{strange}");
}

#[test]
fn a_stuck_run_is_confirmed_and_a_shorter_one_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("stuck.trace");
    let path = file.to_str().expect("a temporary path is UTF-8");
    let args = ["check", "--tree", "root(mid(leaf))", "--without", "R10", "--faults", "stop=1"];
    let output = holdfast(&[&args[..], &["--threads=1", "--trace-out", path]].concat());
    assert_eq!(code(&output), 11, "{}", stderr(&output));
    assert_eq!(code(&holdfast(&["replay", path])), 0);
    let text = std::fs::read_to_string(&file).expect("it was written");
    let lines: Vec<_> = text.lines().collect();
    let header = lines[0].replace("\"faults\"", "\"repeats\":2,\"faults\"");
    let round: Vec<_> =
        std::iter::once(header.as_str()).chain(lines[1..].iter().copied()).collect();
    std::fs::write(&file, round.join("\n")).expect("it can be written");
    let output = holdfast(&["replay", path]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("do not lead back to where step"), "{}", stderr(&output));
    // After the breakpoint and the SIGTERM, the root has yet to take it.
    std::fs::write(&file, lines[..3].join("\n")).expect("it can be written");
    let output = holdfast(&["replay", path]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("must still happen"), "{}", stderr(&output));
}

#[test]
fn exit_codes_tell_the_class_of_the_outcome() {
    let small = ["check", "--tree", "root(mid)", "--threads=1"];
    let faults = ["--faults", "interrupt=1,stop=1"];
    let table: [(&str, i32, &[&str]); 5] = [
        ("everything holds", 0, &[]),
        ("bad input", 2, &["--policy", "none"]),
        ("safety", 10, &["--policy", "unprotected"]),
        ("liveness", 11, &["--without", "R10"]),
        ("not exhausted", 14, &["--max-states", "20"]),
    ];
    for (what, exit, rest) in table {
        let output = holdfast(&[&small[..], &faults, rest].concat());
        assert_eq!(code(&output), exit, "{what}\n{}{}", stdout(&output), stderr(&output));
    }
}

#[test]
fn an_unfinished_search_says_so() {
    let args = ["check", "--tree", "root(mid)", "--faults", "interrupt=1", "--threads=1"];
    for (limit, because) in [
        (["--max-states", "20"], "because of the state limit; raise --max-states"),
        (["--max-memory", "1MiB"], "because of the memory limit; raise --max-memory"),
    ] {
        let output = holdfast(&[&args[..], &limit].concat());
        let text = stdout(&output);
        assert_eq!(code(&output), 14, "{text}");
        assert!(text.contains("NOT EXHAUSTED: "), "{text}");
        assert!(text.contains(because), "{text}");
        assert!(!text.ends_with("\nholds\n"), "{text}");
    }
}

#[test]
fn an_unfinished_search_estimates_how_many_states_there_are() {
    let args = ["check", "--tree", "root(a(b))", "--faults", "interrupt=1,kill=1", "--threads=1"];
    let limited = [&args[..], &["--full", "--max-states", "10000"]].concat();
    let output = holdfast(&limited);
    let text = stdout(&output).replace('\n', " ");
    assert!(text.contains("Estimate from how the levels grow: "), "{text}");
    let output = holdfast(&[&limited[..], &["--json"]].concat());
    let told: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let whole = holdfast(&[&args[..], &["--full", "--json"]].concat());
    let whole: Value = serde_json::from_slice(&whole.stdout).expect("one JSON object");
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{value}"));
    let (least, most) = (&told["estimate"]["at-least"], &told["estimate"]["at-most"]);
    assert!(number(least) <= number(&whole["states"]), "{told}");
    assert!(number(&whole["states"]) <= number(most), "{told}");
    assert!(whole.get("estimate").is_none(), "what is known is not estimated: {whole}");
}

/// Whether a process catches SIGINT, as its status in /proc says.
#[cfg(target_os = "linux")]
fn catches_interrupt(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(caught.trim(), 16).is_ok_and(|mask| mask & (1 << (2 - 1)) != 0)
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_a_search_with_what_it_has() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    let faults = "interrupt=2,kill=2,error=2,stop=1,cut=2,request=3";
    command.args(["check", "--tree", "root(a(b(c)),d(e))", "--threads=1", "--faults", faults]);
    let search = command.stdout(Stdio::piped()).spawn().expect("the binary was built");
    while !catches_interrupt(search.id()) {
        std::thread::yield_now();
    }
    let interrupt = Command::new("kill").args(["-INT", &search.id().to_string()]).status();
    assert!(interrupt.expect("kill(1) is there").success());
    let output = search.wait_with_output().expect("it ends");
    assert_eq!(code(&output), 130, "{}", stdout(&output));
    assert!(stdout(&output).contains("because it was interrupted."), "{}", stdout(&output));
}

#[test]
fn json_holds_everything_and_no_colour() {
    let output = holdfast(&[&ISSUE_320[..], &["--json"]].concat());
    assert_eq!(code(&output), 10);
    assert!(!stdout(&output).contains('\u{1b}'));
    let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(json["outcome"], "safety-violated");
    assert_eq!(json["exit"], 10);
    assert_eq!(json["ending"], "exhausted");
    assert_eq!(json["run"]["tree"], "root(mid(leaf))");
    assert_eq!(json["run"]["faults"], "request=1,interrupt=1");
    assert_eq!(json["counterexample"]["header"]["breaks"], "no-signal-under-hold");
    assert_eq!(json["counterexample"]["steps"].as_array().map(Vec::len), Some(6));
    let verdicts = json["verdicts"].as_array().expect("an array");
    let of = |id: &str| verdicts.iter().find(|said| said["property"] == id).expect("listed");
    assert_eq!(of("no-signal-under-hold")["steps"], 6);
    assert_eq!(of("stop-is-bounded")["needs"], "a stop");
}

#[test]
fn colours_appear_only_where_they_are_asked_for() {
    let plain = stdout(&holdfast(&ISSUE_320));
    assert!(!plain.contains('\u{1b}'), "a pipe gets plain text");
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    let forced = command.args(ISSUE_320).env("CLICOLOR_FORCE", "1").env_remove("NO_COLOR");
    let coloured = stdout(&forced.output().expect("the binary was built"));
    assert!(coloured.contains('\u{1b}'));
}

#[test]
fn the_command_that_is_printed_checks_the_same_run() {
    let args = ["check", "--tree", "root(mid(leaf?))", "--without", "R5", "--without", "R9"];
    let rest = ["--debug", "mid", "--faults", "error=1,kill=1", "--threads=1"];
    let first = stdout(&holdfast(&[&args[..], &rest].concat()));
    let line =
        first.lines().find_map(|line| line.strip_prefix("  holdfast check")).expect("a line");
    let line = line.replace("--trace-out FILE", "--threads=1").replace('\'', "");
    let again: Vec<_> = ["check"].into_iter().chain(line.split_whitespace()).collect();
    let second = stdout(&holdfast(&again));
    assert_eq!(from_counterexample(&first), from_counterexample(&second));
}
