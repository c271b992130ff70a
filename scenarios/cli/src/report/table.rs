//! The table of all cases, as Markdown. `scenarios/docs/CASES.md` is this, and a test compares the two.

use super::text::grouped;
use super::{RunReport, live};
use crate::case::{Case, UpstreamOutcome};
use crate::expect::ClaimOutcome;
use holdfast_protocol::policy::PolicyName;
use std::fmt::Write as _;

/// The whole file.
#[must_use]
pub fn markdown(rows: &[RunReport<'_>]) -> String {
    if rows.iter().any(|row| row.live.is_some()) {
        return live::markdown(rows);
    }
    let mut text = HEAD.to_owned();
    let (mut runs, mut states) = (0, 0);
    for of_case in rows.chunk_by(|a, b| a.job.id() == b.job.id()) {
        let case = &of_case[0].job.loaded.case;
        let sum: u64 = of_case.iter().map(|row| row.ran.states).sum();
        let _ = writeln!(
            text,
            "| [{id}](../cases/{id}.toml) | {} | {} | {} | {} | {} | {} |",
            upstream(case),
            cell(of_case, PolicyName::Unprotected),
            cell(of_case, PolicyName::SingleDepth),
            cell(of_case, PolicyName::Relay),
            of_case.len(),
            grouped(sum),
            id = case.id,
        );
        runs += of_case.len();
        states += sum;
    }
    let _ = writeln!(text, "| all | | | | | {runs} | {} |", grouped(states));
    text
}

fn upstream(case: &Case) -> &'static str {
    match case.upstream.as_ref().map(|upstream| upstream.outcome) {
        Some(UpstreamOutcome::Works) => "works",
        Some(UpstreamOutcome::Flaky) => "flaky",
        Some(UpstreamOutcome::Fails) => "**fails**",
        Some(UpstreamOutcome::Untested) | None => "–",
    }
}

/// What came of a case under a policy: the properties that name the failures, and how often.
fn cell(rows: &[RunReport<'_>], policy: PolicyName) -> String {
    let rows: Vec<_> = rows.iter().filter(|row| row.job.run.policy == policy).collect();
    let mut violated: Vec<_> =
        rows.iter().filter(|row| row.ran.outcome != ClaimOutcome::Pass).collect();
    if violated.is_empty() {
        return if rows.is_empty() { "–" } else { "holds" }.to_owned();
    }
    violated.sort_by_key(|row| std::cmp::Reverse(row.ran.violated.members().count()));
    let name =
        |row: &RunReport<'_>| match row.ran.trace.as_ref().and_then(|trace| trace.header.breaks) {
            Some(property) => property.to_string(),
            None => row.ran.outcome.to_string(),
        };
    let mut names: Vec<(String, usize)> = Vec::new();
    for name in violated.into_iter().map(|row| name(row)) {
        match names.iter_mut().find(|(other, _)| *other == name) {
            Some((_, count)) => *count += 1,
            None => names.push((name, 1)),
        }
    }
    let all = rows.len();
    let counted = |(name, count): &(String, usize)| match *count == all {
        true => format!("`{name}`"),
        false => format!("`{name}` in {count} of {all}"),
    };
    names.iter().map(counted).collect::<Vec<_>>().join(", ")
}

const HEAD: &str = "\
# The cases

Written by `holdfast run scenarios/cases --on model --table`, and checked by `cargo test`.
A cell names the property that is violated, or says that everything holds; \"in 2 of 5\" counts the runs \
of the case, that is its variants and placements.
The column *upstream* is what was seen of the project that the case stems from, as of the version \
that `single-depth` follows.

| case | upstream | unprotected | single-depth | relay | runs | states |
|---|---|---|---|---|---:|---:|
";
