//! What is said about claims that are not met, for people and for machines.

use holdfast_check::explore::{Options, Progress};
use holdfast_cli::case::load::{LoadedCase, parse};
use holdfast_cli::expect::ClaimOutcome;
use holdfast_cli::json::run::{CaseRunJson, TotalsJson};
use holdfast_cli::on_model::run;
use holdfast_cli::report::{PlannedRun, ReportTotals, RunReport, junit, text};
use std::path::PathBuf;
use std::time::Duration;

const CASE: &str = r#"
id = "claims"
title = "Claims that are not met"
source = ["a test"]
tree = "root(leaf)"
step = [
    { do = "breakpoint", actor = "leaf" },
    { do = "wait", until = "prompt", actor = "leaf" },
    { do = "mark", name = "at-prompt" },
    { do = "ctrl-c" },
]

[expect]
unprotected = "holds"
single-depth = { violates = "one-prompt" }
relay = "holds"

[[variant]]
name = "another-property"
placement = "own-session"
[variant.expect]
unprotected = { violates = "one-prompt", also = ["no-alarm"] }

[[variant]]
name = "a-step-that-can-not-be"
insert = { at-prompt = [{ do = "kill", actor = "leaf" }, { do = "continue", actor = "leaf" }] }
"#;

fn with_rows(look: impl FnOnce(Vec<RunReport<'_>>)) {
    let case = parse(CASE, "claims").expect("it has no mistakes");
    let runs = case.runs();
    let loaded = LoadedCase { path: PathBuf::from("claims.toml"), case };
    let row = |run_of| {
        let mut ran = run(run_of, Options::default(), &Progress::default());
        ran.time = Duration::ZERO;
        RunReport::new(PlannedRun { loaded: &loaded, run: run_of }, ran)
    };
    look(runs.iter().map(row).collect());
}

#[test]
fn outcomes_are_told_apart() {
    with_rows(|rows| {
        use ClaimOutcome::{Fail, Pass, Stuck, UnexpectedPass};
        let outcomes: Vec<_> = rows.iter().map(|row| row.ran.outcome.clone()).collect();
        let of_one = [Fail, Fail, Stuck(3)];
        let of_two = [UnexpectedPass, UnexpectedPass, Stuck(3)];
        let of_three = [Pass, Pass, Stuck(3)];
        assert_eq!(outcomes, [of_one, of_two, of_three].concat());
    });
}

#[test]
fn lines_details_and_sum() {
    with_rows(|rows| {
        insta::assert_snapshot!("lines", text::lines(&rows));
        insta::assert_snapshot!("unexpected_pass", text::details(&rows[3], None));
        insta::assert_snapshot!("stuck", text::details(&rows[5], None));
        let violated = text::details(&rows[0], Some(&PathBuf::from("target/x.trace")));
        let before_the_chart = violated.split("\n\n").next().unwrap_or_default();
        assert!(violated.ends_with("  holdfast replay target/x.trace\n"), "{violated}");
        insta::assert_snapshot!("violated", before_the_chart);
        insta::assert_snapshot!("summary", text::summary(ReportTotals::of(&rows), Duration::ZERO));
    });
}

#[test]
fn machines_get_lines_and_xml() {
    with_rows(|rows| {
        let line = |row| serde_json::to_string(&CaseRunJson::new(row)).expect("plain data");
        let lines: Vec<_> = rows.iter().map(line).collect();
        let totals = TotalsJson::from(ReportTotals::of(&rows));
        let totals = serde_json::to_string(&totals).expect("plain data");
        insta::assert_snapshot!("json", lines.join("\n") + "\n" + &totals);
        let passed: Vec<_> = rows.into_iter().skip(6).take(2).collect();
        insta::assert_snapshot!("junit", junit::xml(&passed));
    });
}
