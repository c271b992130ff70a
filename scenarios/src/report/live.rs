//! Lines about live runs: the model's verdict, what real processes did, and whether the two agree.

use super::Row;
use super::text::names;
use crate::expect::{Expectation, Met};
use crate::on_live::{Conformance, Lived};
use std::fmt::Write as _;

/// A table: a line a case and policy, more only where something is not as claimed.
#[must_use]
pub fn lines(rows: &[Row<'_>]) -> String {
    let mut text = line("model", "live", "conformance", "case", "policy", "");
    let together =
        |a: &Row<'_>, b: &Row<'_>| a.job.id() == b.job.id() && a.job.run.policy == b.job.run.policy;
    for group in rows.chunk_by(together) {
        if group.iter().all(|row| row.met() == Met::Yes && row.live.is_some()) {
            write_group(group, &mut text);
        } else {
            group.iter().for_each(|row| write_row(row, row.job.setting(), &mut text));
        }
    }
    text
}

fn line(
    model: &str,
    live: &str,
    conformance: &str,
    case: &str,
    policy: &str,
    note: &str,
) -> String {
    let line = format!("{model:<15} {live:<15} {conformance:<11} {case:<30} {policy:<12} {note}");
    format!("{}\n", line.trim_end())
}

fn write_group(group: &[Row<'_>], text: &mut String) {
    // The first of those in which most was seen to fall.
    let seen = |row: &&Row<'_>| row.live.as_ref().map_or(0, |live| live.fell.len());
    let shown = group.iter().rev().max_by_key(seen).unwrap_or(&group[0]);
    let fell = group.iter().filter(|row| seen(row) > 0).count();
    let note = match (group.len(), fell) {
        (1, _) => String::new(),
        (all, 0) => format!("{all} runs"),
        (all, fell) if all == fell => format!("{all} runs"),
        (all, fell) => format!("seen to fall in {fell} of {all} runs"),
    };
    write_row(shown, note, text);
}

fn write_row(row: &Row<'_>, note: String, text: &mut String) {
    let (live, conformance, fell) = match &row.live {
        Some(live) => {
            (live.outcome.to_string(), live.conformance.to_string(), names(live.fallen()))
        }
        None => ("not run".to_owned(), "-".to_owned(), String::new()),
    };
    let fell = match &row.job.run.expectation {
        Expectation::Violates(_) if fell.is_empty() => names(row.ran.fell),
        _ => fell,
    };
    let notes: Vec<_> = [fell, note].into_iter().filter(|note| !note.is_empty()).collect();
    let (model, policy) = (row.ran.outcome.to_string(), row.job.run.policy.to_string());
    *text += &line(&model, &live, &conformance, row.job.id(), &policy, &notes.join(", "));
}

/// What happened on real processes.
#[must_use]
pub fn details(row: &Row<'_>, lived: &Lived) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "  on real processes: {}", lived.outcome);
    for event in &lived.story {
        let _ = writeln!(text, "    {event}");
    }
    for (property, seen) in &lived.fell {
        let claimed = row.job.run.expectation.falling().has(*property);
        let beside = if claimed { "" } else { ", which is not claimed" };
        let _ = writeln!(text, "  falls: {property}{beside}: {seen}");
    }
    if let Some(trouble) = &lived.trouble {
        let _ = writeln!(text, "  it is no run: {}", trouble.replace('\n', "\n    "));
    }
    if let Conformance::Differs(place) = &lived.conformance {
        let _ = writeln!(text, "  what was recorded is no run of the model: {place}");
    }
    if lived.met() != Met::Yes {
        let command = format!(
            "holdfast run {} --policy {} --on live",
            row.job.loaded.path.display(),
            row.job.run.policy
        );
        let _ = writeln!(text, "  to see it again: {command}");
    }
    text
}
