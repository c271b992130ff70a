//! `holdfast run`: scenario files against their claims.

use crate::case::load::{LoadedCase, load};
use crate::case::resolve::{CaseRun, Golden};
use crate::exit::ExitClass;
use crate::expect::{ClaimOutcome, Met};
use crate::golden::{self, Comparison};
use crate::on_live::Setup;
use crate::on_live::follow::{Followed, follow};
use crate::on_model::ModelResult;
use crate::pool::{PoolProgress, run_all, run_live};
use crate::report::{PlannedRun, ReportTotals, RunReport, json, junit, table, text};
use clap::{Args, ValueEnum};
use holdfast_check::trace::Trace;
use holdfast_protocol::policy::PolicyName;
use indicatif::{ProgressBar, ProgressStyle};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;
use std::{fs, io};

/// Where the cases of the project are.
pub const DEFAULT_PATH: &str = "scenarios/cases";

/// Run scenario files and compare what comes of them with what they claim.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// Files, or directories with files.
    #[arg(default_value = DEFAULT_PATH)]
    paths: Vec<PathBuf>,
    /// Only under this policy: unprotected, single-depth or relay.
    #[arg(long)]
    policy: Option<PolicyName>,
    /// Only cases with this word in their id, title, sources or other names.
    #[arg(long, value_name = "WORD")]
    filter: Option<String>,
    /// What to run them on.
    #[arg(long, default_value = "both")]
    on: RunOn,
    /// JSON lines: one a run, then the sum.
    #[arg(long, conflicts_with = "table")]
    json: bool,
    /// A Markdown table of the cases.
    #[arg(long)]
    table: bool,
    /// Also write JUnit XML to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Keep the traces of expected failures beside the cases.
    #[arg(long)]
    bless: bool,
    /// Where to put the traces of failed claims.
    #[arg(long, value_name = "DIR", default_value = "target/scenarios")]
    trace_dir: PathBuf,
    /// How many runs at once; one a core by default.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Drive real processes along a counterexample instead, and see whether the property falls.
    #[arg(long, value_name = "TRACE", conflicts_with_all = ["on", "bless", "table", "json"])]
    follow: Option<PathBuf>,
    /// How many live runs at once; they wait most of the time.
    #[arg(long, value_name = "N", default_value = "6")]
    live_threads: NonZeroUsize,
    /// Where to keep the records of live runs; a temporary folder by default.
    #[arg(long, value_name = "DIR")]
    records: Option<PathBuf>,
    /// How many states a run may have.
    #[arg(long, value_name = "N", default_value_t = MOST_STATES)]
    max_states: u64,
}

/// What cases run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RunOn {
    /// The model: every interleaving.
    Model,
    /// Real processes on a terminal of their own: one interleaving.
    Live,
    /// The model, then real processes.
    Both,
}

/// Reads the cases at the paths, or says what is wrong with them.
///
/// # Errors
/// If a file can not be used, or none is left by the filter.
pub fn read(paths: &[PathBuf], filter: Option<&str>) -> Result<Vec<LoadedCase>, ExitClass> {
    let mut cases = load(paths).map_err(|errors| {
        errors.iter().for_each(|error| anstream::eprintln!("{error}"));
        ExitClass::BadInput
    })?;
    if let Some(word) = filter {
        cases.retain(|loaded| loaded.case.mentions(word));
        if cases.is_empty() {
            anstream::eprintln!("no case mentions `{word}`; `holdfast list` shows what there is");
            return Err(ExitClass::BadInput);
        }
    }
    Ok(cases)
}

impl RunArgs {
    /// Does it.
    #[must_use]
    pub fn run(&self) -> ExitClass {
        let started = Instant::now();
        if let Some(file) = &self.follow {
            return follow_trace(file);
        }
        let cases = match read(&self.paths, self.filter.as_deref()) {
            Ok(cases) => cases,
            Err(exit) => return exit,
        };
        let runs: Vec<(&LoadedCase, CaseRun)> = cases
            .iter()
            .flat_map(|loaded| loaded.case.runs().into_iter().map(move |run| (loaded, run)))
            .filter(|(_, run)| self.policy.is_none_or(|policy| policy == run.policy))
            .collect();
        let jobs: Vec<_> = runs.iter().map(|(loaded, run)| PlannedRun { loaded, run }).collect();
        let interrupt = Arc::new(AtomicBool::new(false));
        // Without the handler a Ctrl-C just ends the program, and its nannies clear up.
        let _ = signal_hook::flag::register(2, Arc::clone(&interrupt));
        let mut rows = match self.on {
            RunOn::Model | RunOn::Both => self.explore(&jobs, &interrupt),
            RunOn::Live => {
                jobs.iter().map(|job| RunReport::new(*job, ModelResult::not_run())).collect()
            }
        };
        if self.on != RunOn::Model {
            rows = match self.live(&jobs, rows, &interrupt) {
                Ok(rows) => rows,
                Err(error) => {
                    anstream::eprintln!("failed to run on real processes: {error}");
                    return ExitClass::BadInput;
                }
            };
        }
        if self.bless
            && let Err(error) = bless(&mut rows)
        {
            anstream::eprintln!("failed to keep a trace: {error}");
            return ExitClass::BadInput;
        }
        match self.tell(&rows, started) {
            Ok(()) => verdict(&rows, &interrupt),
            Err(error) => {
                anstream::eprintln!("failed to write the report: {error}");
                ExitClass::BadInput
            }
        }
    }

    fn explore<'a>(&self, jobs: &[PlannedRun<'a>], interrupt: &AtomicBool) -> Vec<RunReport<'a>> {
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let bar = ProgressBar::new(jobs.len() as u64).with_style(
            ProgressStyle::with_template("{pos}/{len} runs {wide_bar} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let watch = |far: PoolProgress| {
            bar.set_position(far.done as u64);
            bar.set_message(format!("{} states under way", text::grouped(far.states)));
        };
        let threads = self.threads.unwrap_or(cores);
        let ran = run_all(jobs, threads, self.max_states, interrupt, watch);
        bar.finish_and_clear();
        jobs.iter().zip(ran).map(|(job, ran)| RunReport::new(*job, ran)).collect()
    }

    fn live<'a>(
        &self,
        jobs: &[PlannedRun<'a>],
        rows: Vec<RunReport<'a>>,
        interrupt: &AtomicBool,
    ) -> io::Result<Vec<RunReport<'a>>> {
        let own = tempfile::Builder::new().prefix("holdfast-records-").tempdir()?;
        let setup = Setup::here(self.records.as_deref().unwrap_or(own.path()))?;
        let bar = ProgressBar::new(jobs.len() as u64).with_style(
            ProgressStyle::with_template("{pos}/{len} live runs {wide_bar} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let watch = |done: usize, name: &str| {
            bar.set_position(done as u64);
            bar.set_message(name.to_owned());
        };
        let lived = run_live(jobs, self.live_threads, &setup, interrupt, watch);
        bar.finish_and_clear();
        let done = lived.iter().flatten().count();
        if interrupt.load(Relaxed) {
            anstream::eprintln!(
                "stopped after {done} of {} live runs; no process is left",
                jobs.len()
            );
        }
        Ok(rows.into_iter().zip(lived).map(|(row, lived)| row.and_live(lived)).collect())
    }

    fn tell(&self, rows: &[RunReport<'_>], started: Instant) -> io::Result<()> {
        if let Some(file) = &self.junit {
            fs::write(file, junit::xml(rows))?;
        }
        let sum = ReportTotals::of(rows);
        if self.json {
            rows.iter().for_each(|row| anstream::println!("{}", json::line(row)));
            anstream::println!("{}", json::summary(sum));
            return Ok(());
        }
        if self.table {
            anstream::print!("{}", table::markdown(rows));
            return Ok(());
        }
        anstream::print!("{}", text::lines(rows));
        for row in rows.iter().filter(|row| row.met() != Met::Yes) {
            let file = self.write_trace(row)?;
            anstream::println!("\n{}", text::details(row, file.as_deref()));
        }
        anstream::println!("{}", text::summary(sum, started.elapsed()));
        Ok(())
    }

    fn write_trace(&self, row: &RunReport<'_>) -> io::Result<Option<PathBuf>> {
        let Some(trace) = &row.ran.trace else { return Ok(None) };
        fs::create_dir_all(&self.trace_dir)?;
        let file = Path::new(&self.trace_dir).join(format!("{}.trace", row.job.slug()));
        golden::keep(&file, trace)?;
        Ok(Some(file))
    }
}

/// Follows a counterexample with real processes.
fn follow_trace(file: &Path) -> ExitClass {
    let begin = || -> Result<(Trace, Followed), Box<dyn std::error::Error>> {
        let trace = Trace::from_text(&fs::read_to_string(file)?)?;
        let records = tempfile::Builder::new().prefix("holdfast-records-").tempdir()?;
        let setup = Setup::here(records.path())?;
        let followed = follow(&trace, &setup, &AtomicBool::new(false))?;
        Ok((trace, followed))
    };
    let (trace, followed) = match begin() {
        Ok(followed) => followed,
        Err(error) => return super::complain(error.as_ref()),
    };
    for event in &followed.story {
        anstream::println!("  {event}");
    }
    for (property, seen) in &followed.fell {
        anstream::println!("✗ {seen} ({property})");
    }
    let all = trace.steps.len();
    anstream::println!("{} of {all} steps of the trace were seen", followed.steps);
    if let Some(why) = &followed.left {
        anstream::println!("there the real tree left it: {why}");
        return ExitClass::Conformance;
    }
    let breaks = trace.header.breaks;
    if followed.fell.iter().any(|(property, _)| Some(*property) == breaks) {
        anstream::println!("the property that it breaks falls on real processes too");
        return ExitClass::Holds;
    }
    anstream::println!("the property that it breaks was not seen to fall");
    ExitClass::Expectation
}

fn bless(rows: &mut [RunReport<'_>]) -> io::Result<()> {
    for row in rows {
        let path = row.job.golden_path();
        match (row.job.run.golden, &row.ran.outcome, &row.ran.trace) {
            (Golden::Kept, ClaimOutcome::ExpectedFail, Some(trace)) => {
                golden::keep(&path, trace)?;
                row.golden = Comparison::Same;
            }
            (Golden::Kept, ClaimOutcome::Pass, _) if path.exists() => fs::remove_file(&path)?,
            _ => {}
        }
    }
    Ok(())
}

fn verdict(rows: &[RunReport<'_>], interrupt: &AtomicBool) -> ExitClass {
    let live = |row: &RunReport<'_>| row.live.as_ref().map(|live| live.outcome.clone());
    if interrupt.load(Relaxed)
        || rows.iter().any(|row| row.ran.outcome == ClaimOutcome::Interrupted)
        || rows.iter().any(|row| live(row) == Some(ClaimOutcome::Interrupted))
    {
        return ExitClass::Interrupted;
    }
    if rows.iter().any(|row| row.met() == Met::No) {
        return ExitClass::Expectation;
    }
    if rows.iter().any(|row| row.met() == Met::Unknown) {
        return ExitClass::NotExhausted;
    }
    ExitClass::Holds
}

const MOST_STATES: u64 = 5_000_000;
