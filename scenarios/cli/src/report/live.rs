//! Live runs: the model's verdict, what real processes did, and whether the two agree; as lines and
//! as the table that `scenarios/docs/LIVE.md` is.

use super::RunReport;
use super::text::names;
use crate::expect::{ClaimOutcome, Expectation, Met};
use crate::on_live::{Conformance, LiveMode, LiveResult};
use std::fmt::Write as _;

/// A table: a line a case and policy, more only where something is not as claimed.
#[must_use]
pub fn lines(rows: &[RunReport<'_>]) -> String {
    let mut text = line("model", "live", "conformance", "case", "policy", "");
    let together = |a: &RunReport<'_>, b: &RunReport<'_>| {
        a.job.id() == b.job.id() && a.job.run.policy == b.job.run.policy
    };
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

fn write_group(group: &[RunReport<'_>], text: &mut String) {
    // The first of those in which most was seen to be violated.
    let seen = |row: &&RunReport<'_>| row.live.as_ref().map_or(0, |live| live.violated.len());
    let shown = group.iter().rev().max_by_key(seen).unwrap_or(&group[0]);
    let violated = group.iter().filter(|row| seen(row) > 0).count();
    let note = match (group.len(), violated) {
        (1, _) => String::new(),
        (all, 0) => format!("{all} runs"),
        (all, violated) if all == violated => format!("{all} runs"),
        (all, violated) => format!("seen to be violated in {violated} of {all} runs"),
    };
    write_row(shown, note, text);
}

fn write_row(row: &RunReport<'_>, note: String, text: &mut String) {
    let (live, conformance, violated) = match &row.live {
        Some(live) => {
            (live.outcome.to_string(), live.conformance.to_string(), names(live.violated()))
        }
        None => ("not run".to_owned(), "-".to_owned(), String::new()),
    };
    let violated = match &row.job.run.expectation {
        Expectation::Violates(_) if violated.is_empty() => names(row.ran.violated),
        _ => violated,
    };
    let notes: Vec<_> = [violated, note].into_iter().filter(|note| !note.is_empty()).collect();
    let (model, policy) = (row.ran.outcome.to_string(), row.job.run.policy.to_string());
    *text += &line(&model, &live, &conformance, row.job.id(), &policy, &notes.join(", "));
}

/// A Markdown table: a line a case and policy.
///
/// What the scheduler decides is not in it, so it is the same each time that all is as claimed.
#[must_use]
pub fn markdown(rows: &[RunReport<'_>]) -> String {
    let mut text = HEAD.to_owned();
    let together = |a: &RunReport<'_>, b: &RunReport<'_>| {
        a.job.id() == b.job.id() && a.job.run.policy == b.job.run.policy
    };
    for group in rows.chunk_by(together) {
        let live_result: Vec<_> = group.iter().filter_map(|row| row.live.as_ref()).collect();
        let count =
            |outcome: ClaimOutcome| group.iter().filter(|row| row.ran.outcome == outcome).count();
        let model = [
            (count(ClaimOutcome::Pass), "holds"),
            (count(ClaimOutcome::ExpectedFail), "violated"),
            (
                group.iter().filter(|row| row.met_by_model() == Met::No).count(),
                "**not as claimed**",
            ),
        ];
        let (job, all) = (group[0].job, group.len());
        let live = live_cell(group);
        let staged = live_result.iter().filter(|one| one.outcome != ClaimOutcome::NoStage).count();
        let conforms =
            live_result.iter().filter(|one| one.conformance == Conformance::Conforms).count();
        let conformance = match (staged, conforms) {
            (0, _) => "–".to_owned(),
            (staged, conforms) if staged == conforms => "conforms".to_owned(),
            (staged, conforms) => format!("**{} of {staged} differ**", staged - conforms),
        };
        let _ = writeln!(
            text,
            "| [{id}](../cases/{id}.toml) | {} | {} | {live} | {conformance} |",
            job.run.policy,
            counted(&model, all),
            id = job.id(),
        );
    }
    let live_result = rows.iter().filter_map(|row| row.live.as_ref());
    let staged = live_result.filter(|live| live.outcome != ClaimOutcome::NoStage).count();
    let _ = writeln!(text, "| all | | {} runs | {staged} runs | |", rows.len());
    text
}

fn live_cell(group: &[RunReport<'_>]) -> String {
    let mut counts = [
        (0, "holds"),
        (0, "violated"),
        (0, "violated when forced"),
        (0, "no stage"),
        (0, "**not as claimed**"),
        (0, "not run"),
    ];
    for row in group {
        let kind = match row.live.as_ref().map(|live| (&live.outcome, live.met())) {
            None => 5,
            Some((_, Met::No | Met::Unknown)) => 4,
            Some((ClaimOutcome::NoStage, _)) => 3,
            Some(_) => match (&row.job.run.expectation, &row.job.run.live_mode) {
                (Expectation::Holds, _) => 0,
                (Expectation::Violates(_), LiveMode::ByItself) => 1,
                (Expectation::Violates(_), LiveMode::Forced) => 2,
            },
        };
        counts[kind].0 += 1;
    }
    counted(&counts, group.len())
}

/// What occurs, and how often if not always.
fn counted(counts: &[(usize, &str)], all: usize) -> String {
    let some = counts.iter().filter(|(count, _)| *count > 0);
    let words = some.map(|(count, word)| match *count == all {
        true => (*word).to_owned(),
        false => format!("{word} in {count} of {all}"),
    });
    let words: Vec<_> = words.collect();
    if words.is_empty() { "–".to_owned() } else { words.join(", ") }
}

/// What stands above the table of `scenarios/docs/LIVE.md`.
pub const HEAD: &str = "\
# The cases on the model and on real processes

Written by `holdfast run scenarios/cases --on both --table`.
On the model, a run is every interleaving that the steps leave open. On real processes, which have a \
pseudo-terminal of their own, it is one of these interleavings.
\"Violated\": at least one of the properties that the case names was seen to be violated, and no other.
\"Conforms\": what the actors recorded is a run of the model.
\"No stage\": the run cannot be staged, since its actor at the prompt would have to read a terminal \
that its session does not have.

| case | policy | model | live | conformance |
|---|---|---|---|---|
";

/// What happened on real processes.
#[must_use]
pub fn details(row: &RunReport<'_>, live_result: &LiveResult) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "  on real processes: {}", live_result.outcome);
    for event in &live_result.story {
        let _ = writeln!(text, "    {event}");
    }
    for (property, seen) in &live_result.violated {
        let claimed = row.job.run.expectation.violations().has(*property);
        let beside = if claimed { "" } else { ", which is not claimed" };
        let _ = writeln!(text, "  violated: {property}{beside}: {seen}");
    }
    if let Some(trouble) = &live_result.trouble {
        let _ = writeln!(text, "  it could not be staged: {}", trouble.replace('\n', "\n    "));
    }
    if let Conformance::Differs(place) = &live_result.conformance {
        let _ = writeln!(text, "  what was recorded is not a run of the model: {place}");
    }
    if live_result.met() != Met::Yes {
        let command = format!(
            "holdfast run {} --policy {} --on live",
            row.job.loaded.path.display(),
            row.job.run.policy
        );
        let _ = writeln!(text, "  to see it again: {command}");
    }
    text
}
