//! `holdfast prove` as a person or a script meets it.

use serde_json::Value;
use support::{code, holdfast, stderr, stdout};

#[path = "support/command.rs"]
mod support;

#[test]
fn a_rule_that_is_missing_falls_in_three_columns_and_in_a_small_tree() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("r4.trace");
    let path = file.to_str().expect("a temporary path is UTF-8");
    let output = holdfast(&["prove", "--without", "R4", "--trace-out", path]);
    assert_eq!(code(&output), 10, "{}", stderr(&output));
    let text = stdout(&output);
    for part in ["root:\n", "says Want", "`no-cancel-under-hold` is violated", "violated\n"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let replayed = holdfast(&["replay", path]);
    assert_eq!(code(&replayed), 0, "{}", stderr(&replayed));
    assert!(stdout(&replayed).contains("no-cancel-under-hold"), "{}", stdout(&replayed));
}

#[test]
fn upstreams_policy_is_not_proved_and_says_why() {
    let output = holdfast(&["prove", "--policy", "single-depth", "--json"]);
    assert_eq!(code(&output), 10);
    let json: Value = serde_json::from_str(&stdout(&output)).expect("one JSON object");
    assert_eq!(json["conclusion"], "violated");
    assert_eq!(json["kinds"][0]["violated"][0]["claim"], "contract: nobody-else");
    let text = stdout(&holdfast(&["prove", "--policy", "single-depth"]));
    assert!(text.contains("issue #320"), "{text}");
}
