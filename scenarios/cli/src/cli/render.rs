//! What a check has found, for people.

use super::check::Checked;
use super::setup::command;
use super::watch::Interruption;
use crate::chart::{Chart, WIDTH, wrap};
use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, LineStyle, Table, presets};
use holdfast_check::explore::{SearchEnd, StateReduction};
use holdfast_check::property::PropertyId;
use holdfast_check::report::{CheckOutcome, CheckReport, Counterexample, PropertyVerdict};
use holdfast_check::trace::{NamedPolicy, perform};
use holdfast_check::world::{Config, Topology};
use indicatif::{HumanBytes, HumanCount};
use std::fmt::Write as _;
use std::time::Duration;

/// What a table's rows hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// A line each.
    Short,
    /// Sentences, so that a rule between the rows helps.
    Long,
}

/// A table as all of them look here.
#[must_use]
pub fn table<const N: usize>(rows: Rows, head: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(match rows {
        Rows::Short => presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()),
        Rows::Long => presets::UTF8_HORIZONTAL_ONLY,
    });
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH as u16);
    table.set_header(head);
    table
}

/// The whole text of a check.
#[must_use]
pub fn checked(checked: &Checked) -> String {
    let report = &checked.report;
    let mut text = format!("{}\n\n", run(&report.config, &checked.named));
    let mut verdicts = table(Rows::Short, ["property", "verdict"]);
    for (property, said) in &report.verdicts {
        verdicts.add_row([property.to_string(), verdict(*property, said)]);
    }
    let _ = writeln!(text, "{}", verdicts.trim_fmt());
    let _ = writeln!(text, "{}", numbers(report, checked.took, checked.threads));
    for line in wrap(&ending(report, checked.asked), WIDTH) {
        let _ = writeln!(text, "{line}");
    }
    if let Some(found) = checked.counterexample() {
        let _ = write!(text, "\n{}", counterexample(checked, found));
    }
    let (style, sum) = match checked.outcome() {
        CheckOutcome::Holds => (AnsiColor::Green.on_default().bold(), "holds"),
        CheckOutcome::SafetyViolated => (AnsiColor::Red.on_default().bold(), "safety violated"),
        CheckOutcome::LivenessViolated => (AnsiColor::Red.on_default().bold(), "liveness violated"),
        CheckOutcome::Vacuous => {
            (AnsiColor::Red.on_default().bold(), "vacuous: proves less than asked")
        }
        CheckOutcome::NotExhausted => (AnsiColor::Yellow.on_default().bold(), "not exhausted"),
        CheckOutcome::Interrupted => (AnsiColor::Yellow.on_default().bold(), "interrupted"),
    };
    let _ = writeln!(text, "\n{style}{sum}{style:#}");
    text
}

/// A run in one line.
#[must_use]
pub fn run(config: &Config, named: &NamedPolicy) -> String {
    let (tree, placement, faults) = (&config.tree, config.placement, config.budget);
    format!("{tree} under {named}, {placement}, faults {faults}")
}

/// A verdict in words.
#[must_use]
pub fn verdict(property: PropertyId, said: &PropertyVerdict) -> String {
    match said {
        PropertyVerdict::Holds => "holds".to_owned(),
        PropertyVerdict::Violated(found) if found.round.is_empty() => {
            format!("violated in {}", count(found.steps.len(), "step"))
        }
        PropertyVerdict::Violated(found) => {
            let round = count(found.round.len(), "step");
            format!("violated in {}, then {round} forever", count(found.steps.len(), "step"))
        }
        PropertyVerdict::Vacuous => {
            format!("vacuous: never reached that {}", property.antecedent())
        }
        PropertyVerdict::DoesNotApply(needs) => format!("does not apply: needs {needs}"),
        PropertyVerdict::Undecided => "undecided".to_owned(),
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// States, steps, depth, time.
fn numbers(report: &CheckReport, took: Duration, threads: usize) -> String {
    let seconds = took.as_secs_f64();
    // Tables grow in large steps, so a small search says nothing about the size of a state.
    let bytes = match report.states {
        0..MANY => String::new(),
        many => format!(", {:.1} bytes/state", report.bytes as f64 / many as f64),
    };
    // After an exhausted search the time goes to the leads-to properties as well.
    let rate = match report.ending {
        SearchEnd::Exhausted => " with leads-to".to_owned(),
        SearchEnd::Violation
        | SearchEnd::StateLimit
        | SearchEnd::MemoryLimit
        | SearchEnd::TableFull
        | SearchEnd::Interrupted => {
            format!(", {} states/s", HumanCount((report.states as f64 / seconds.max(1e-6)) as u64))
        }
    };
    format!(
        "{} states{}, {} transitions, depth {}, {seconds:.2} s{rate} on {}, {}{bytes}",
        HumanCount(report.states),
        match report.reduction {
            StateReduction::On => " (reduced)",
            StateReduction::Off => "",
        },
        HumanCount(report.transitions),
        report.depth,
        count(threads, "thread"),
        HumanBytes(report.bytes),
    )
}

/// From how many states on their size is told.
const MANY: u64 = 100_000;

/// How the search ended, and what it means.
fn ending(report: &CheckReport, asked: Interruption) -> String {
    let undecided = report.verdicts.values().any(|said| *said == PropertyVerdict::Undecided);
    let because = match report.ending {
        SearchEnd::Exhausted if undecided && asked == Interruption::ByUser => {
            "it was interrupted before the leads-to properties were decided"
        }
        SearchEnd::Exhausted if undecided => {
            "of a limit that was reached in the search without symmetry, which the leads-to \
             properties need; raise --max-states or --max-memory"
        }
        SearchEnd::Exhausted => {
            return "Exhausted: every interleaving within these bounds.".to_owned();
        }
        SearchEnd::Violation => {
            return "Stopped at the first violation; --all goes on and decides the rest."
                .to_owned();
        }
        SearchEnd::StateLimit => "of the state limit; raise --max-states",
        SearchEnd::MemoryLimit => "of the memory limit; raise --max-memory",
        SearchEnd::TableFull => {
            "a part of the model took more values than there are numbers; choose a smaller tree or \
             fewer faults"
        }
        SearchEnd::Interrupted => "it was interrupted",
    };
    let estimate = report
        .estimate
        .map_or_else(String::new, |told| format!(" Estimate from how the levels grow: {told}."));
    format!(
        "NOT EXHAUSTED: {} states, depth {}, because {because}.{estimate}",
        HumanCount(report.states),
        report.depth
    )
}

fn counterexample(checked: &Checked, found: &Counterexample) -> String {
    let topology = Topology::new(checked.report.config.clone());
    let trace = checked.trace(found);
    let mut text = String::new();
    let bold = Style::new().bold();
    let which = if checked.show == Some(found.property) { "C" } else { "Shortest c" };
    let _ = writeln!(text, "{bold}{}ounterexample to {}:{bold:#}\n", which, found.property);
    match perform(&topology, &trace.steps) {
        Ok(steps) => {
            let (breaks, repeats) = (Some(found.property), found.round.len());
            let _ =
                write!(text, "{}", Chart { topology: &topology, steps: &steps, breaks, repeats });
        }
        Err(error) => {
            let _ =
                writeln!(text, "It cannot be drawn, which is an error of this program: {error}");
        }
    }
    let mut again = command(&checked.report.config, &checked.named);
    if let Some(property) = checked.show {
        let _ = write!(again, " --show {property}");
    }
    let _ = match &checked.trace {
        Some(path) => writeln!(text, "\nTo replay it: holdfast replay {}", path.display()),
        None => writeln!(
            text,
            "\nTo keep and replay it:\n  {again} --trace-out FILE\n  holdfast replay FILE"
        ),
    };
    text
}
