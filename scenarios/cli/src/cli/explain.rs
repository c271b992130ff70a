//! `holdfast explain`: one case under each policy, the failure drawn, the cure beside it.

use super::run::read;
use super::watch::{ProgressView, watched};
use super::{complain, print};
use crate::case::Case;
use crate::case::resolve::{CaseRun, Golden};
use crate::chart::wrap;
use crate::exit::ExitClass;
use crate::expect::{Expectation, Met};
use crate::golden::draw;
use crate::on_live::{self, LiveResult, Setup};
use crate::on_model::{self, ModelResult};
use anstyle::Style;
use clap::Args;
use holdfast_check::explore::Options;
use holdfast_protocol::PolicyName;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Show what happens in a case: the failure as a chart, what becomes of it under `relay`, and both
/// on real processes.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// The file.
    case: PathBuf,
    /// How many states a run may have.
    #[arg(long, value_name = "N", default_value_t = 50_000_000)]
    max_states: u64,
    /// Only the model, no real processes.
    #[arg(long)]
    model_only: bool,
}

impl ExplainArgs {
    /// Does it.
    #[must_use]
    pub fn run(&self) -> ExitClass {
        let cases = match read(std::slice::from_ref(&self.case), None) {
            Ok(cases) => cases,
            Err(exit) => return exit,
        };
        let mut exit = ExitClass::Holds;
        for loaded in &cases {
            print(&head(&loaded.case));
            for run in loaded.case.runs().iter().filter(|run| run.golden == Golden::Kept) {
                let options = Options { max_states: self.max_states, ..Options::default() };
                let search = |progress: &_| on_model::run(run, options, progress);
                let ran = match watched(ProgressView::Search, search) {
                    Ok((ran, _)) => ran,
                    Err(error) => return complain(&error),
                };
                print(&explained(run, &ran));
                if !self.model_only {
                    match live(run, &loaded.case) {
                        Ok(live_result) => {
                            print(&told(&live_result));
                            if live_result.met() == Met::No {
                                exit = ExitClass::Expectation;
                            }
                        }
                        Err(error) => return complain(&error),
                    }
                }
                exit = match (exit, ran.outcome.met()) {
                    (ExitClass::Holds, Met::Yes) => ExitClass::Holds,
                    (_, Met::No) => ExitClass::Expectation,
                    (ExitClass::Holds, _) => ExitClass::NotExhausted,
                    (before, _) => before,
                };
            }
        }
        exit
    }
}

/// The same on real processes.
fn live(run: &CaseRun, case: &Case) -> io::Result<LiveResult> {
    let records = tempfile::Builder::new().prefix("holdfast-records-").tempdir()?;
    let setup = Setup::here(records.path())?;
    let name = format!("{}.{}", case.id, run.policy);
    Ok(on_live::run(run, &setup, &name, &AtomicBool::new(false)))
}

fn told(live_result: &LiveResult) -> String {
    let bold = Style::new().bold();
    let mut text =
        format!("\n{bold}the same with real processes:{bold:#} {}\n", live_result.outcome);
    let events = live_result.story.iter().enumerate();
    events.for_each(|(at, event)| text.push_str(&format!("{:>4}  {event}\n", at + 1)));
    for (property, seen) in &live_result.violated {
        let _ = writeln!(text, "   {bold}✗{bold:#}  {seen} ({property})");
    }
    if let Some(trouble) = &live_result.trouble {
        let _ = writeln!(text, "   it could not be staged: {trouble}");
    }
    if live_result.violated.is_empty() && live_result.trouble.is_none() {
        text.push_str("   ✓  nothing was violated, nobody is left, the terminal is as it was\n");
    }
    text
}

fn head(case: &Case) -> String {
    let bold = Style::new().bold();
    let mut text = format!("{bold}{}{bold:#}\n{}\n", case.title, case.tree);
    for source in &case.source {
        let _ = writeln!(text, "reported: {source}");
    }
    if let Some(upstream) = &case.upstream {
        let _ = writeln!(text, "seen upstream: {}", upstream.seen);
    }
    text
}

fn explained(run: &CaseRun, ran: &ModelResult) -> String {
    let bold = Style::new().bold();
    let mut text = format!("\n{bold}── {} ──{bold:#} ", run.policy);
    let _ = match &run.expectation {
        Expectation::Holds => {
            writeln!(text, "every interleaving of the case: {} states", ran.states)
        }
        Expectation::Violates(violation) => {
            writeln!(text, "the shortest interleaving that breaks {}", violation.violates)
        }
    };
    match (&ran.trace, ran.violated.is_empty()) {
        (Some(trace), _) => text.push_str(&format!("\n{}", draw(trace))),
        (None, true) => text.push_str("no property is violated.\n"),
        (None, false) => {}
    }
    if !ran.violated.is_empty() {
        let violated: Vec<_> =
            ran.violated.members().map(|property| property.to_string()).collect();
        let lines = wrap(&format!("In all, {} are violated here.", violated.join(", ")), 96);
        let _ = writeln!(text, "{}", lines.join("\n"));
    }
    if ran.outcome.met() != Met::Yes {
        let _ = writeln!(text, "{bold}This is not what the case claims{bold:#}: {:?}", ran.outcome);
    }
    if run.policy == PolicyName::Relay && ran.outcome.met() == Met::Yes && ran.violated.is_empty() {
        text.push_str("The session survives, and a later Ctrl-C ends the tree.\n");
    }
    text
}
