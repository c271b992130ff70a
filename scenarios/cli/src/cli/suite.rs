//! The project's own suite: a table of runs, each with what must come of it.
//!
//! Runs are checked side by side, one thread each, so a small run does not wait for a large one
//! and every number is the same each time.

use super::check::CheckError;
use super::render;
use super::setup::{SearchArgs, command};
use super::watch::{Interruption, ProgressView, watched};
use super::{Format, print, print_json};
use crate::exit::ExitClass;
use crate::expect::Met;
use crate::json::check::RunJson;
use crate::json::suite::{RowJson, SuiteJson};
use crate::pool::run_all;
use crate::shard::{Shard, ShardJson, fingerprint};
use holdfast_check::explore::{Options, Progress, StopWhen};
use holdfast_check::report::{CheckOutcome, CheckReport, PropertyVerdict, check};
use holdfast_check::suite::{self, Expected, SuiteRun, suite};
use holdfast_check::trace::NamedPolicy;
use indicatif::HumanCount;
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// What is expected of a row, in words.
fn expected(row: &SuiteRun) -> String {
    match row.expected {
        Expected::Holds => "holds".to_owned(),
        Expected::Violates(property) => format!("{property} is violated"),
    }
}

/// A run that was checked.
struct Done<'a> {
    row: &'a SuiteRun,
    report: CheckReport,
    took: Duration,
}

impl Done<'_> {
    fn met(&self) -> Met {
        let met = match self.row.expected {
            Expected::Holds => self.report.outcome() == CheckOutcome::Holds,
            Expected::Violates(property) => self.report.violated().has(property),
        };
        if met { Met::Yes } else { Met::No }
    }

    /// The verdict of the whole run, in words.
    fn verdict(&self) -> String {
        let named = match self.row.expected {
            Expected::Violates(property) => self.report.verdicts.get(&property),
            Expected::Holds => None,
        };
        match (named, self.report.shortest(), self.report.outcome()) {
            (Some(said @ PropertyVerdict::Violated(found)), ..) => {
                render::verdict(found.property, said)
            }
            (_, Some(found), _) => {
                let said = PropertyVerdict::Violated(found.clone());
                format!("{} {}", found.property, render::verdict(found.property, &said))
            }
            (_, None, CheckOutcome::Holds) => "holds".to_owned(),
            (_, None, CheckOutcome::Vacuous) => "vacuous".to_owned(),
            (_, None, _) => format!("not exhausted: {}", self.report.ending),
        }
    }

    fn cells(&self) -> [String; 7] {
        let row = self.row;
        let mark = match self.met() {
            Met::Yes => "",
            Met::No | Met::Unknown => "✗ ",
        };
        [
            format!("{mark}{}", row.config.tree),
            policy(&row.named),
            row.config.budget.to_string(),
            expected(row),
            self.verdict(),
            HumanCount(self.report.states).to_string(),
            format!("{:.1}", self.took.as_secs_f64()),
        ]
    }
}

fn policy(named: &NamedPolicy) -> String {
    named.without.iter().fold(named.policy.to_string(), |said, rule| format!("{said} -{rule}"))
}

impl RowJson {
    fn new(done: &Done<'_>) -> Self {
        let report = &done.report;
        Self {
            purpose: done.row.purpose.to_owned(),
            run: RunJson::new(&report.config, &done.row.named),
            expected: expected(done.row),
            verdict: done.verdict(),
            met: done.met(),
            ending: report.ending,
            states: report.states,
            transitions: report.transitions,
            depth: report.depth,
            bytes: report.bytes,
            seconds: done.took.as_secs_f64(),
        }
    }
}

/// What the rows are, and how they are searched: equal for the parts of one whole.
fn whole(rows: &[SuiteRun], search: &SearchArgs) -> String {
    let SearchArgs { threads: _, max_states, max_memory, symmetry, full } = search;
    let options = format!("suite {max_states} {max_memory:?} {symmetry} {full}");
    let row = |row: &SuiteRun| format!("{} {:?}", row.purpose, row.config);
    fingerprint(std::iter::once(options).chain(rows.iter().map(row)))
}

/// Checks the project's suite, or a part of it.
///
/// # Errors
/// If Ctrl-C cannot be caught.
pub fn run(
    search: &SearchArgs,
    shard: Option<Shard>,
    format: Format,
) -> Result<ExitClass, CheckError> {
    let mut rows = suite();
    let (whole, of) = (whole(&rows, search), rows.len() as u64);
    if let Some(shard) = shard {
        let places = rows.into_iter().enumerate().filter(|(place, _)| shard.has(*place));
        rows = places.map(|(_, row)| row).collect();
    }
    let columns = Columns::of(&rows);
    if format == Format::Text {
        print(&columns.head());
    }
    let started = Instant::now();
    let each = |done: &Done<'_>| {
        if format == Format::Text {
            print(&columns.line(&done.cells()));
        }
    };
    let (done, asked) =
        watched(ProgressView::None, |progress| check_all(&rows, search, progress, each))?;
    let took = started.elapsed();
    let unmet = done.iter().filter(|done| done.met() == Met::No).count();
    let exit = match (asked, unmet) {
        (Interruption::ByUser, _) => ExitClass::Interrupted,
        (Interruption::None, 0) if done.len() == rows.len() => ExitClass::Holds,
        (Interruption::None, _) => ExitClass::Expectation,
    };
    match format {
        Format::Text => print(&sum(&rows, &done, took, asked)),
        Format::Json => print_json(&SuiteJson {
            shard: shard.map(|shard| ShardJson::new(shard, of, whole, exit as u8)),
            exit: exit as u8,
            seconds: took.as_secs_f64(),
            rows: done.iter().map(RowJson::new).collect(),
        }),
    }
    Ok(exit)
}

fn sum(rows: &[SuiteRun], done: &[Done<'_>], took: Duration, asked: Interruption) -> String {
    let met = done.iter().filter(|done| done.met() == Met::Yes).count();
    let states: u64 = done.iter().map(|done| done.report.states).sum();
    let mut text = format!(
        "\n{met} of {} as expected, {} states, {:.1} s\n",
        rows.len(),
        HumanCount(states),
        took.as_secs_f64()
    );
    if asked == Interruption::ByUser {
        text.push_str("Interrupted: what is missing or not exhausted was not decided.\n");
    }
    for done in done.iter().filter(|done| done.met() == Met::No) {
        let _ =
            writeln!(text, "To look at {} ({}):\n  {}", done.row.config.tree, done.row.purpose, {
                command(&done.row.config, &done.row.named)
            });
    }
    text
}

/// Checks every row, as many at a time as there are threads; in the order of the rows.
fn check_all<'r>(
    rows: &'r [SuiteRun],
    search: &SearchArgs,
    progress: &Progress,
    each: impl Fn(&Done<'_>),
) -> Vec<Done<'r>> {
    let threads = search.options(StopWhen::Exhausted).threads;
    let at_a_time = threads.get().min(rows.len().max(1));
    let rows: Vec<&'r SuiteRun> = rows.iter().collect();
    let work = |_, row: &&'r SuiteRun| check_one(row, search, at_a_time, progress);
    let done = run_all(&rows, threads, &progress.interrupt, work, |pool| {
        if let Some((_, _, done)) = pool.ended {
            each(done);
        }
    });
    done.into_iter().flatten().collect()
}

fn check_one<'r>(
    row: &'r SuiteRun,
    search: &SearchArgs,
    at_a_time: usize,
    progress: &Progress,
) -> Done<'r> {
    let options = suite::options(row, search.options(StopWhen::Exhausted));
    let max_bytes = options.max_bytes / at_a_time as u64;
    let options = Options { threads: NonZeroUsize::MIN, max_bytes, ..options };
    let started = Instant::now();
    let report = check(row.config.clone(), options, progress);
    Done { row, report, took: started.elapsed() }
}

const HEAD: [&str; 7] = ["tree", "policy", "faults", "expected", "verdict", "states", "seconds"];

/// How wide the columns are, so that rows can be printed as they finish.
struct Columns {
    widths: [usize; 7],
}

impl Columns {
    fn of(rows: &[SuiteRun]) -> Self {
        let length = |text: &str| text.chars().count();
        let mut widths = HEAD.map(length);
        widths[4] = widths[4].max("violated in 10 steps".len());
        widths[5] = widths[5].max("10,000,000".len());
        for row in rows {
            let known = [
                format!("✗ {}", row.config.tree),
                policy(&row.named),
                row.config.budget.to_string(),
                expected(row),
            ];
            for (width, text) in widths.iter_mut().zip(&known) {
                *width = (*width).max(length(text));
            }
        }
        Self { widths }
    }

    fn head(&self) -> String {
        let rules = self.widths.map(|width| "─".repeat(width));
        format!("{}{}", self.line(&HEAD.map(str::to_owned)), self.line(&rules))
    }

    fn line(&self, cells: &[String; 7]) -> String {
        let mut line = String::new();
        for (place, (cell, width)) in cells.iter().zip(self.widths).enumerate() {
            let _ = match place {
                5.. => write!(line, "{cell:>width$}  "),
                _ => write!(line, "{cell:<width$}  "),
            };
        }
        format!("{}\n", line.trim_end())
    }
}
