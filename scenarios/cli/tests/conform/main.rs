//! Recorded runs: what the model has done conforms, what was tampered with does not.

mod command;
mod random;
mod recorded;
mod tampered;

#[path = "../../../../model/check/tests/support/random_tree.rs"]
mod random_tree;
#[path = "../support/command.rs"]
mod support;

use holdfast_cli::conform::outside::Outside;
use holdfast_cli::conform::participants::{ParticipantsError, group};
use holdfast_cli::conform::record::parse;
use holdfast_cli::conform::verdict::{Difference, Finding, Verdict};
use recorded::{Files, Recorder};

fn check(files: &Files) -> Result<Verdict, ParticipantsError> {
    let records = files.iter().filter_map(|(name, text)| {
        parse(name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
    });
    let mut runs = group(records.collect(), &Outside::default())?;
    assert_eq!(runs.len(), 1, "one tree");
    Ok(Verdict::of(runs.remove(0)))
}

fn conforms(run: &Recorder) -> Verdict {
    let verdict = check(&run.files()).expect("the records make a run");
    assert_eq!(verdict.finding, Finding::Conforms, "{:#?}", run.files());
    verdict
}

fn differs(files: &Files) -> Difference {
    match check(files).expect("the records make a run").finding {
        Finding::Differs(difference) => difference,
        other => panic!("{other:?}: {files:#?}"),
    }
}

/// Changes the lines of one file.
fn tampered(files: &Files, name: &str, change: impl Fn(&mut Vec<String>)) -> Files {
    let mut files = files.clone();
    let text = files.get_mut(name).expect("such a file");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    *text = lines.join("\n") + "\n";
    files
}

fn place_of(lines: &[String], words: &[&str]) -> usize {
    let has = |line: &String| words.iter().all(|word| line.contains(word));
    lines.iter().position(has).unwrap_or_else(|| panic!("no line with {words:?}: {lines:#?}"))
}
