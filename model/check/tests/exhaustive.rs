//! Every interleaving of the project's own suite, with pinned numbers of states.
//!
//! Runs in `cargo test`. A number that changes means that the protocol or its world changed: look
//! at why, then accept the new table with `INSTA_UPDATE=always cargo test -p holdfast-check`.

use holdfast_check::explore::{Options, Progress, SearchEnd};
use holdfast_check::report::{CheckOutcome, CheckReport, check};
use holdfast_check::suite::{Expected, SuiteRun, options, suite};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Checks one row of the suite on one thread, so that it is the same every time.
fn report(row: &SuiteRun) -> CheckReport {
    check(row.config.clone(), options(row, Options::default()), &Progress::default())
}

/// Maps all rows on two threads and keeps their order.
fn on_two_threads<T: Send>(rows: &[SuiteRun], map: impl Fn(&SuiteRun) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        while let Some((index, row)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            rows.get(index).map(|row| (index, row))
        } {
            let result = map(row);
            done.lock().expect("no thread panics with the lock held").push((index, result));
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let mut done = done.into_inner().expect("both threads are joined");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What became of a row's claim.
fn outcome(row: &SuiteRun, report: &CheckReport) -> String {
    assert_eq!(report.ending, SearchEnd::Exhausted, "{}: the search did not end", row.purpose);
    match row.expected {
        Expected::Holds if report.outcome() == CheckOutcome::Holds => "holds".to_owned(),
        Expected::Violates(property) if report.violated().has(property) => {
            format!("breaks {property}")
        }
        Expected::Holds | Expected::Violates(_) => {
            format!("NOT AS EXPECTED ({:?}): {:?}", row.expected, report.verdicts)
        }
    }
}

fn line(row: &SuiteRun, states: u64, outcome: &str) -> String {
    let SuiteRun { purpose, config, named, .. } = row;
    let tree = config.tree.to_string();
    let (policy, faults) = (named.policy.to_string(), config.budget.to_string());
    let placement = config.placement.to_string();
    format!(
        "{purpose:<46} {tree:<15} {policy:<12} {faults:<47} {placement:<12} {states:>8} {outcome}"
    )
}

#[test]
fn the_suite_is_as_expected_and_its_numbers_of_states_are_pinned() {
    let rows = suite();
    let results = on_two_threads(&rows, |row| {
        let report = report(row);
        (report.states, outcome(row, &report))
    });
    let mut table = Vec::new();
    let mut wrong = Vec::new();
    for (row, (states, outcome)) in rows.iter().zip(&results) {
        let line = line(row, *states, outcome);
        if outcome.starts_with("NOT") {
            wrong.push(line.clone());
        }
        table.push(line);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    insta::assert_snapshot!("suite", table.join("\n"));
}
