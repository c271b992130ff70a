//! The commands `conform` and `record`: text, JSON, exit codes.

use crate::recorded::{Files, two_prompts, write};
use crate::support::{code, holdfast, stderr, stdout};
use crate::{place_of, tampered};
use serde_json::Value;
use std::path::Path;
use std::process::Output;

fn folder_of(files: &Files) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), files);
    folder
}

fn path_of(folder: &Path) -> &str {
    folder.to_str().expect("a temporary path is UTF-8")
}

/// The grant of the root went to nobody.
fn without_grant() -> Files {
    tampered(&two_prompts().files(), "root.jsonl", |lines| {
        let grant = place_of(lines, &["grant", "\"actor\":2"]);
        let send = lines[grant].find(",{\"output\":\"send\"").expect("the grant is sent");
        lines[grant].truncate(send);
        lines[grant].push_str("]}");
    })
}

#[test]
fn the_command_says_what_it_found() {
    let good = folder_of(&two_prompts().files());
    let output = holdfast(&["conform", path_of(good.path())]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    insta::assert_snapshot!("conforms", stdout(&output));

    let bad = folder_of(&without_grant());
    let output = holdfast(&["conform", path_of(bad.path())]);
    assert_eq!(code(&output), 12, "{}", stderr(&output));
    insta::assert_snapshot!("differs", stdout(&output));
    let output = holdfast(&["conform", "--json", path_of(bad.path())]);
    assert_eq!(code(&output), 12);
    let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(json["exit"], 12);
    assert_eq!(json["trees"][0]["verdict"], "differs");
    assert_eq!(json["trees"][0]["difference"]["place"], "root.jsonl:4");
}

#[test]
fn a_merged_run_is_a_trace_that_replays() {
    let folder = folder_of(&two_prompts().files());
    let trace = folder.path().join("run.trace");
    let args = ["conform", path_of(folder.path()), "--trace-out", path_of(&trace)];
    assert_eq!(code(&holdfast(&args)), 0);
    let output = holdfast(&["replay", path_of(&trace)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("steps are possible; the trace claims no more"));
}

#[test]
fn folders_in_a_folder_are_runs_of_their_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, files) in [("one", two_prompts().files()), ("two", without_grant())] {
        std::fs::create_dir(folder.path().join(name)).expect("the folder can be written");
        write(&folder.path().join(name), &files);
    }
    let output = holdfast(&["conform", path_of(folder.path())]);
    assert_eq!(code(&output), 12);
    let text = stdout(&output);
    assert!(text.contains("two/root.jsonl:4: root: reads Want"), "{text}");
    assert!(text.ends_with("1 of 2 trees conform\n"), "{text}");
}

#[test]
fn records_that_can_not_be_used_are_bad_input() {
    let empty = tempfile::tempdir().expect("a temporary folder");
    let garbled = folder_of(&tampered(&two_prompts().files(), "root~mid.jsonl", |lines| {
        lines[2] = "garbage".to_owned();
    }));
    let newer = folder_of(&tampered(&two_prompts().files(), "root.jsonl", |lines| {
        lines[0] = lines[0].replace("\"holdfast_record\":2", "\"holdfast_record\":9");
    }));
    let mut files = two_prompts().files();
    files.remove("root~mid.jsonl");
    let missing = folder_of(&files);
    let mut text = String::new();
    for (what, folder) in [
        ("no record", &empty),
        ("a garbled line", &garbled),
        ("a newer record", &newer),
        ("a missing record", &missing),
    ] {
        let output = holdfast(&["conform", path_of(folder.path())]);
        assert_eq!(code(&output), 2, "{what}: {}", stderr(&output));
        let stderr = stderr(&output).replace(path_of(folder.path()), "FOLDER");
        text.push_str(&format!("## {what}\n{stderr}\n"));
    }
    insta::assert_snapshot!("unusable", text);
}

/// `holdfast record` of a program that leaves these files and ends with this code.
fn recorded_as(files: &Files, code: &str, more: &[&str]) -> Output {
    let folder = folder_of(files);
    let script = format!("cp {}/* \"$HOLDFAST_RECORD\"; exit {code}", path_of(folder.path()));
    holdfast(&[&["record"], more, &["--", "sh", "-c", &script]].concat())
}

#[test]
fn a_recorded_program_keeps_its_exit_code_if_its_run_conforms() {
    let output = recorded_as(&two_prompts().files(), "3", &[]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
    insta::assert_snapshot!("record", stderr(&output));

    let kept = tempfile::tempdir().expect("a temporary folder");
    let place = path_of(kept.path());
    let output = recorded_as(&without_grant(), "0", &["--dir", place]);
    assert_eq!(code(&output), 12);
    assert!(stderr(&output).contains("does not conform"), "{}", stderr(&output));
    assert!(kept.path().join("root.jsonl").exists());
    let output = recorded_as(&two_prompts().files(), "0", &["--dir", place]);
    assert_eq!(code(&output), 2, "the folder is used");
}

#[test]
fn a_program_without_a_record_is_bad_input() {
    let output = holdfast(&["record", "--", "true"]);
    assert_eq!(code(&output), 2);
    assert_eq!(
        stderr(&output),
        "error: true left no record; is it built on the holdfast runtime?\n"
    );
    let output = holdfast(&["record", "--", "/nowhere/program"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("failed to run /nowhere/program"));
}
