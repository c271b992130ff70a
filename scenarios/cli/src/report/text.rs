//! Lines for people: one a case and policy, more only where something is not as claimed.

use super::{ReportTotals, RunReport, live};
use crate::expect::{ClaimOutcome, Expectation, Met};
use crate::golden::{Comparison, draw};
use holdfast_check::property::PropertySet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// The lines of all rows; rows of one case and policy stand together and share a line if all of
/// them are as claimed.
#[must_use]
pub fn lines(rows: &[RunReport<'_>]) -> String {
    let mut text = String::new();
    let together = |a: &RunReport<'_>, b: &RunReport<'_>| {
        a.job.id() == b.job.id() && a.job.run.policy == b.job.run.policy
    };
    if rows.iter().any(|row| row.live.is_some()) {
        return live::lines(rows);
    }
    for group in rows.chunk_by(together) {
        if group.iter().all(|row| row.met() == Met::Yes) {
            write_group(group, &mut text);
        } else {
            group.iter().for_each(|row| write_row(row, &mut text));
        }
    }
    text
}

fn write_group(group: &[RunReport<'_>], text: &mut String) {
    let violated = group.iter().filter(|row| row.ran.outcome == ClaimOutcome::ExpectedFail).count();
    // The first of those in which most is violated.
    let worst = group.iter().rev().max_by_key(|row| row.ran.violated.members().count());
    let shown = worst.unwrap_or(&group[0]);
    let states = group.iter().map(|row| row.ran.states).sum();
    let runs = match (group.len(), violated) {
        (1, _) => String::new(),
        (all, 0) => format!("{all} runs"),
        (all, violated) if all == violated => format!("{all} runs"),
        (all, violated) => format!("violated in {violated} of {all} runs"),
    };
    write_line(shown, &runs, states, group.iter().map(|row| row.ran.time).sum(), text);
}

fn write_row(row: &RunReport<'_>, text: &mut String) {
    write_line(row, &row.job.setting(), row.ran.states, row.ran.time, text);
}

fn write_line(row: &RunReport<'_>, note: &str, states: u64, time: Duration, text: &mut String) {
    let outcome = match (&row.golden, &row.ran.outcome) {
        (Comparison::Same, outcome) => outcome.to_string(),
        (Comparison::Missing, _) => "NO-TRACE".to_owned(),
        (Comparison::Changed(_), _) => "OTHER-TRACE".to_owned(),
    };
    let violated = match &row.job.run.expectation {
        Expectation::Violates(violation) if row.met() == Met::Yes => match violation.also.len() {
            0 => violation.violates.to_string(),
            more => format!("{} +{more}", violation.violates),
        },
        _ => names(row.ran.violated),
    };
    let notes: Vec<_> =
        [violated.as_str(), note].into_iter().filter(|note| !note.is_empty()).collect();
    let line = format!(
        "{outcome:<15} {:<30} {:<12} {:>9} states {:>5.1} s  {}",
        row.job.id(),
        row.job.run.policy.to_string(),
        grouped(states),
        time.as_secs_f64(),
        notes.join(", ")
    );
    let _ = writeln!(text, "{}", line.trim_end());
}

/// Everything about a row that is not as claimed.
#[must_use]
pub fn details(row: &RunReport<'_>, trace_file: Option<&Path>) -> String {
    let mut text = String::new();
    let job = row.job;
    let policy = job.run.policy;
    let _ = writeln!(
        text,
        "{} under {policy} ({}): {}",
        job.id(),
        job.setting(),
        job.loaded.case.title
    );
    match &row.ran.outcome {
        ClaimOutcome::Stuck(at) => {
            let case = &job.loaded.case;
            let name = job.run.variant.as_ref();
            let variant = case.variant.iter().find(|variant| Some(&variant.name) == name);
            let step = case.steps(variant).into_iter().nth(usize::from(*at));
            let step = step.map(|step| step.to_string()).unwrap_or_default();
            let _ = writeln!(text, "  the steps cannot be performed: no order gets past {step}");
        }
        ClaimOutcome::NotExhausted => {
            let _ = writeln!(text, "  the search reached its limit; see --max-states");
        }
        ClaimOutcome::Interrupted | ClaimOutcome::NotRun | ClaimOutcome::NoStage => {}
        ClaimOutcome::NotStaged
        | ClaimOutcome::Pass
        | ClaimOutcome::ExpectedFail
        | ClaimOutcome::Fail
        | ClaimOutcome::UnexpectedPass => {
            let expected = names(job.run.expectation.violations());
            let _ = writeln!(text, "  expected to be violated: {}", or_nothing(&expected));
            let _ = writeln!(
                text,
                "  violated:                {}",
                or_nothing(&names(row.ran.violated))
            );
            let _ = writeln!(text, "  as a claim:       {policy} = {}", claim(row));
        }
    }
    match &row.golden {
        Comparison::Same => {}
        Comparison::Missing => {
            let kept = job.golden_path();
            let _ = writeln!(text, "  no trace is kept in {}; --bless keeps it", kept.display());
        }
        Comparison::Changed(diff) => {
            let _ = writeln!(text, "  the trace is another one; --bless keeps it\n\n{diff}");
        }
    }
    if let Some(trace) = row.ran.trace.as_ref().filter(|_| row.met_by_model() != Met::Yes) {
        let _ = writeln!(text, "\n{}", draw(trace).trim_end());
    }
    if let Some(live_result) = &row.live {
        text.push_str(&live::details(row, live_result));
    }
    if let Some(file) = trace_file {
        let _ = writeln!(text, "\n  holdfast replay {}", file.display());
    }
    text
}

/// What the case would have to say for this row to be as claimed.
#[must_use]
pub fn claim(row: &RunReport<'_>) -> String {
    let Some(trace) = &row.ran.trace else { return "\"holds\"".to_owned() };
    let mut also: Vec<_> = row.ran.violated.members().map(|one| format!("\"{one}\"")).collect();
    let headline = trace.header.breaks.map(|one| format!("\"{one}\"")).unwrap_or_default();
    also.retain(|one| *one != headline);
    match also.len() {
        0 => format!("{{ violates = {headline} }}"),
        _ => format!("{{ violates = {headline}, also = [{}] }}", also.join(", ")),
    }
}

/// The last line.
#[must_use]
pub fn summary(sum: ReportTotals, time: Duration) -> String {
    let mut text = format!("{} runs as claimed", sum.met);
    let _ = write!(text, " ({} of them expected failures)", sum.expected_failures);
    if sum.not_met > 0 {
        let _ = write!(text, ", {} NOT as claimed", sum.not_met);
    }
    if sum.unknown > 0 {
        let _ = write!(text, ", {} not explored to the end", sum.unknown);
    }
    match sum.states {
        0 => {}
        states => {
            let _ = write!(text, "; {} states", grouped(states));
        }
    }
    let _ = write!(text, " in {:.1} s", time.as_secs_f64());
    text
}

fn or_nothing(names: &str) -> &str {
    if names.is_empty() { "nothing" } else { names }
}

/// The properties of a set, in words.
#[must_use]
pub fn names(set: PropertySet) -> String {
    set.members().map(|property| property.to_string()).collect::<Vec<_>>().join(", ")
}

/// A number in groups of three digits.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
