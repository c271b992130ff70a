//! The project's own suite: a table of runs, each with what must come of it.
//!
//! Runs are checked side by side, one thread each, so a small run does not wait for a large one
//! and every number is the same each time.

use super::check::CheckError;
use super::json::RunJson;
use super::render::{self, ending_word};
use super::setup::{SearchArgs, command};
use super::watch::{Asked, Show, watched};
use super::{Format, print, print_json};
use crate::exit::Exit;
use holdfast_model::check::explore::{Options, Progress, Until};
use holdfast_model::check::property::PropertyId;
use holdfast_model::check::trace::Named;
use holdfast_model::check::verdict::{Outcome, Report, Verdict, check};
use holdfast_model::protocol::PolicyName;
use holdfast_model::tree::Tree;
use holdfast_model::world::{Budget, Config, Fault, Placement};
use indicatif::HumanCount;
use serde::Serialize;
use std::fmt::{self, Write as _};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// One run of the suite.
#[derive(Clone, Debug)]
pub struct SuiteRow {
    /// Its name.
    pub name: String,
    /// What is checked.
    pub config: Config,
    /// How it was set up.
    pub named: Named,
    /// What must come of it.
    pub expected: Expected,
}

/// What must come of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Everything holds, and the search is exhausted.
    Holds,
    /// This property falls.
    Falls(PropertyId),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("holds"),
            Self::Falls(property) => write!(f, "{property} falls"),
        }
    }
}

/// Stands in for the suite of the model.
fn rows() -> Vec<SuiteRow> {
    let row = |tree: &str, policy: PolicyName, expected: Expected| {
        let tree: Tree = tree.parse().expect("a tree");
        let named = Named { policy, without: Vec::new() };
        let budget = Budget::NONE.with(Fault::Request, 1).with(Fault::Interrupt, 1);
        SuiteRow {
            name: tree.to_string(),
            config: Config::new(tree, named.policy(), Placement::SharedGroup, budget),
            named,
            expected,
        }
    };
    let shielded = Expected::Falls(PropertyId::InterruptShielded);
    vec![
        row("root(mid(leaf))", PolicyName::Relay, Expected::Holds),
        row("root(mid(leaf))", PolicyName::SingleDepth, shielded),
        row("root(mid(leaf))", PolicyName::Unprotected, shielded),
    ]
}

/// Whether a run came out as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Met {
    Met,
    Unmet,
}

/// A run that was checked.
struct Done<'a> {
    row: &'a SuiteRow,
    report: Report,
    took: Duration,
}

impl Done<'_> {
    fn met(&self) -> Met {
        let met = match self.row.expected {
            Expected::Holds => self.report.outcome() == Outcome::Holds,
            Expected::Falls(property) => self.report.violated().has(property),
        };
        if met { Met::Met } else { Met::Unmet }
    }

    /// The verdict of the whole run, in words.
    fn verdict(&self) -> String {
        let named = match self.row.expected {
            Expected::Falls(property) => self.report.verdicts.get(&property),
            Expected::Holds => None,
        };
        match (named, self.report.shortest(), self.report.outcome()) {
            (Some(said @ Verdict::Violated(found)), ..) => render::verdict(found.property, said),
            (_, Some(found), _) => {
                let said = Verdict::Violated(found.clone());
                format!("{} {}", found.property, render::verdict(found.property, &said))
            }
            (_, None, Outcome::Holds) => "holds".to_owned(),
            (_, None, Outcome::Vacuous) => "vacuous".to_owned(),
            (_, None, _) => format!("not exhausted: {}", ending_word(self.report.ending)),
        }
    }

    fn cells(&self) -> [String; 7] {
        let row = self.row;
        let mark = match self.met() {
            Met::Met => "",
            Met::Unmet => "✗ ",
        };
        [
            format!("{mark}{}", row.name),
            policy(&row.named),
            row.config.budget.to_string(),
            row.expected.to_string(),
            self.verdict(),
            HumanCount(self.report.states).to_string(),
            format!("{:.1}", self.took.as_secs_f64()),
        ]
    }
}

fn policy(named: &Named) -> String {
    named.without.iter().fold(named.policy.to_string(), |said, rule| format!("{said} -{rule}"))
}

/// One row of the suite for machines.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct RowJson {
    name: String,
    run: RunJson,
    expected: String,
    verdict: String,
    met: Met,
    ending: &'static str,
    states: u64,
    transitions: u64,
    depth: u32,
    bytes: u64,
    seconds: f64,
}

/// The result of `holdfast check --json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct SuiteJson {
    exit: u8,
    seconds: f64,
    rows: Vec<RowJson>,
}

impl RowJson {
    fn new(done: &Done<'_>) -> Self {
        let report = &done.report;
        Self {
            name: done.row.name.clone(),
            run: RunJson::new(&report.config, &done.row.named),
            expected: done.row.expected.to_string(),
            verdict: done.verdict(),
            met: done.met(),
            ending: ending_word(report.ending),
            states: report.states,
            transitions: report.transitions,
            depth: report.depth,
            bytes: report.bytes,
            seconds: done.took.as_secs_f64(),
        }
    }
}

/// Checks the project's suite.
///
/// # Errors
/// If Ctrl-C can not be caught.
pub fn run(search: &SearchArgs, format: Format) -> Result<Exit, CheckError> {
    let rows = rows();
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
    let (done, asked) = watched(Show::Nothing, |progress| check_all(&rows, search, progress, each))
        .map_err(CheckError::Signal)?;
    let took = started.elapsed();
    let unmet = done.iter().filter(|done| done.met() == Met::Unmet).count();
    let exit = match (asked, unmet) {
        (Asked::ToStop, _) => Exit::Interrupted,
        (Asked::Nothing, 0) if done.len() == rows.len() => Exit::Holds,
        (Asked::Nothing, _) => Exit::Expectation,
    };
    match format {
        Format::Text => print(&sum(&rows, &done, took, asked)),
        Format::Json => print_json(&SuiteJson {
            exit: exit as u8,
            seconds: took.as_secs_f64(),
            rows: done.iter().map(RowJson::new).collect(),
        }),
    }
    Ok(exit)
}

fn sum(rows: &[SuiteRow], done: &[Done<'_>], took: Duration, asked: Asked) -> String {
    let met = done.iter().filter(|done| done.met() == Met::Met).count();
    let states: u64 = done.iter().map(|done| done.report.states).sum();
    let mut text = format!(
        "\n{met} of {} as expected, {} states, {:.1} s\n",
        rows.len(),
        HumanCount(states),
        took.as_secs_f64()
    );
    if asked == Asked::ToStop {
        text.push_str("Interrupted: what is missing or not exhausted was not decided.\n");
    }
    for done in done.iter().filter(|done| done.met() == Met::Unmet) {
        let _ = writeln!(text, "To look at {}:\n  {}", done.row.name, {
            command(&done.row.config, &done.row.named)
        });
    }
    text
}

/// Checks every row, as many at a time as there are threads; in the order of the rows.
fn check_all<'r>(
    rows: &'r [SuiteRow],
    search: &SearchArgs,
    progress: &Progress,
    each: impl Fn(&Done<'_>),
) -> Vec<Done<'r>> {
    let at_a_time = search.options(Until::Exhausted).threads.get().min(rows.len().max(1));
    let next = AtomicUsize::new(0);
    let (send, receive) = channel();
    let mut done = std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                while let Some((place, row)) =
                    Some(next.fetch_add(1, Relaxed)).and_then(|at| Some((at, rows.get(at)?)))
                    && !progress.interrupt.load(Relaxed)
                {
                    let done = check_one(row, search, at_a_time, progress);
                    if send.send((place, done)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let mut all = Vec::new();
        for (place, done) in receive {
            each(&done);
            all.push((place, done));
        }
        all
    });
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, done)| done).collect()
}

fn check_one<'r>(
    row: &'r SuiteRow,
    search: &SearchArgs,
    at_a_time: usize,
    progress: &Progress,
) -> Done<'r> {
    // Another property may fall before the one that is expected to.
    let options = search.options(Until::Exhausted);
    let max_bytes = options.max_bytes / at_a_time as u64;
    let options = Options { threads: NonZeroUsize::MIN, max_bytes, ..options };
    let started = Instant::now();
    let report = check(row.config.clone(), options, progress);
    Done { row, report, took: started.elapsed() }
}

const HEAD: [&str; 7] =
    ["configuration", "policy", "faults", "expected", "verdict", "states", "seconds"];

/// How wide the columns are, so that rows can be printed as they finish.
struct Columns {
    widths: [usize; 7],
}

impl Columns {
    fn of(rows: &[SuiteRow]) -> Self {
        let length = |text: &str| text.chars().count();
        let mut widths = HEAD.map(length);
        widths[4] = widths[4].max("violated in 10 steps".len());
        widths[5] = widths[5].max("10,000,000".len());
        for row in rows {
            let known = [
                format!("✗ {}", row.name),
                policy(&row.named),
                row.config.budget.to_string(),
                row.expected.to_string(),
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
