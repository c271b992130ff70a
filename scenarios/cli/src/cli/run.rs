//! `holdfast run`: scenario files against their claims.

use super::following::follow_trace;
use super::named;
use super::rerun::{PassView, passes};
use super::setup::graph;
use super::{complain, note, print, print_json_line};
use crate::case::load::{LoadedCase, load};
use crate::case::resolve::{CaseRun, Golden};
use crate::exit::ExitClass;
use crate::expect::{ClaimOutcome, Met};
use crate::golden::{self, Comparison};
use crate::json::run::{CaseRunJson, TotalsJson};
use crate::on_live::follow::FollowError;
use crate::on_live::{self, Setup};
use crate::on_model::{self, ModelResult};
use crate::pool::run_all;
use crate::report::{PlannedRun, ReportTotals, RunReport, junit, table, text};
use crate::shard::{Shard, ShardJson, fingerprint};
use clap::Args;
use holdfast_check::explore::{Options, Progress};
use holdfast_check::trace::TraceError;
use holdfast_protocol::policy::PolicyName;
use indicatif::{ProgressBar, ProgressStyle};
use std::num::{NonZeroU32, NonZeroUsize};
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
    /// Only under this policy.
    #[arg(long, value_parser = named::parser::<PolicyName>(), ignore_case = true)]
    policy: Option<PolicyName>,
    /// Only cases with this word in their id, title, sources or other names.
    #[arg(long, value_name = "WORD")]
    filter: Option<String>,
    /// What to run them on.
    #[arg(long, default_value = "both", value_parser = named::parser::<CaseEngine>())]
    on: CaseEngine,
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
    /// Drive real processes along a counterexample instead, and see whether the property is violated.
    #[arg(long, value_name = "TRACE", conflicts_with_all = ["on", "bless", "table", "json"])]
    follow: Option<PathBuf>,
    /// How many live runs at once; they wait most of the time.
    #[arg(long, value_name = "N", default_value = "6")]
    live_threads: NonZeroUsize,
    /// How often to repeat the live runs; a pass with a run that is not as claimed is the last.
    #[arg(long, value_name = "N", default_value = "1", conflicts_with = "follow")]
    repeat: NonZeroU32,
    /// Where to keep the records of live runs; a temporary folder by default. Of several passes
    /// those of the one that is not as claimed are kept.
    #[arg(long, value_name = "DIR")]
    records: Option<PathBuf>,
    /// How many states a run may have.
    #[arg(long, value_name = "N", default_value_t = MOST_STATES)]
    max_states: u64,
    /// Explore everything on the model; ten times the states, and the same verdicts.
    #[arg(long)]
    full: bool,
    /// Run again whenever a scenario file changes, until Ctrl-C; ends as the last pass.
    #[arg(long, conflicts_with_all = ["follow", "repeat"])]
    watch: bool,
    /// Run only part K of N; `holdfast merge` makes one of the JSON of all parts.
    #[arg(long, value_name = "K/N", conflicts_with_all = ["follow", "watch"])]
    shard: Option<Shard>,
}

/// What cases run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseEngine {
    /// The model: every interleaving.
    Model,
    /// Real processes on a terminal of their own: one interleaving.
    Live,
    /// The model, then real processes.
    Both,
}

holdfast_protocol::named! {
    CaseEngine, "what cases run on":
    Model => "model",
    Live => "live",
    Both => "both",
}

/// Why cases cannot be run, or the results cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// No case has the word of the filter.
    #[error("no case mentions `{0}`; `holdfast list` shows all cases")]
    NoCase(String),
    /// The live runs could not be prepared.
    #[error("failed to prepare runs on real processes")]
    Prepare(#[source] io::Error),
    /// A golden trace could not be written.
    #[error("failed to keep a trace beside the cases")]
    Bless(#[source] io::Error),
    /// The report could not be written.
    #[error("failed to write {}; choose another {option}", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// The option that names it.
        option: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The trace to follow could not be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file to follow is not a trace.
    #[error("failed to follow {}", path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: TraceError,
    },
    /// Real processes cannot follow the trace.
    #[error("failed to follow {}", path.display())]
    Follow {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: FollowError,
    },
}

/// Reads the cases at the paths, or says what is wrong with them.
///
/// # Errors
/// If a file cannot be used, or none is left by the filter.
pub fn read(paths: &[PathBuf], filter: Option<&str>) -> Result<Vec<LoadedCase>, ExitClass> {
    let mut cases = load(paths).map_err(|errors| {
        errors.iter().for_each(|error| note(&error.to_string()));
        ExitClass::BadInput
    })?;
    if let Some(word) = filter {
        cases.retain(|loaded| loaded.case.mentions(word));
        if cases.is_empty() {
            return Err(complain(&RunError::NoCase(word.to_owned())));
        }
    }
    Ok(cases)
}

impl RunArgs {
    /// Runs the cases and reports what came of them.
    #[must_use]
    pub fn run(&self) -> ExitClass {
        if let Some(file) = &self.follow {
            return follow_trace(file).unwrap_or_else(|error| complain(&error));
        }
        if self.watch {
            let view = if self.json { PassView::Plain } else { PassView::Labelled };
            let done = passes(&self.paths, view, |interrupt| self.pass(interrupt));
            return done.unwrap_or_else(|error| complain(&error));
        }
        let interrupt = Arc::new(AtomicBool::new(false));
        // Without the handler a Ctrl-C just ends the program, and its subreaper shims clear up.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&interrupt));
        self.pass(&interrupt)
    }

    /// Reads the cases and runs them once.
    fn pass(&self, interrupt: &AtomicBool) -> ExitClass {
        match read(&self.paths, self.filter.as_deref()) {
            Ok(cases) => self.run_cases(&cases, interrupt).unwrap_or_else(|error| complain(&error)),
            Err(exit) => exit,
        }
    }

    fn run_cases(
        &self,
        cases: &[LoadedCase],
        interrupt: &AtomicBool,
    ) -> Result<ExitClass, RunError> {
        let started = Instant::now();
        let runs: Vec<(&LoadedCase, CaseRun)> = cases
            .iter()
            .flat_map(|loaded| loaded.case.runs().into_iter().map(move |run| (loaded, run)))
            .filter(|(_, run)| self.policy.is_none_or(|policy| policy == run.policy))
            .collect();
        let mut jobs: Vec<_> =
            runs.iter().map(|(loaded, run)| PlannedRun { loaded, run }).collect();
        let (whole, of) = (self.whole(&jobs), jobs.len() as u64);
        if let Some(shard) = self.shard {
            let mut place = 0..;
            jobs.retain(|_| place.next().is_some_and(|place| shard.has(place)));
        }
        let not_run = || ModelResult::without_run(ClaimOutcome::NotRun);
        let mut rows = match self.on {
            CaseEngine::Model | CaseEngine::Both => self.explore(&jobs, interrupt),
            CaseEngine::Live => jobs.iter().map(|job| RunReport::new(*job, not_run())).collect(),
        };
        if self.on != CaseEngine::Model {
            rows = self.live_passes(&jobs, rows, interrupt).map_err(RunError::Prepare)?;
        }
        if self.bless {
            bless(&mut rows).map_err(RunError::Bless)?;
        }
        let exit = verdict(&rows, interrupt);
        let part = self.shard.map(|shard| ShardJson::new(shard, of, whole, exit as u8));
        self.report(&rows, started, part)?;
        Ok(exit)
    }

    /// What is run, and how: equal for the parts of one whole.
    fn whole(&self, jobs: &[PlannedRun<'_>]) -> String {
        let options = format!("run {} {} {}", self.on, self.full, self.max_states);
        let job = |job: &PlannedRun<'_>| format!("{} {:?}", job.id(), job.run);
        fingerprint(std::iter::once(options).chain(jobs.iter().map(job)))
    }

    fn explore<'a>(&self, jobs: &[PlannedRun<'a>], interrupt: &AtomicBool) -> Vec<RunReport<'a>> {
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let bar = ProgressBar::new(jobs.len() as u64).with_style(
            ProgressStyle::with_template("{pos}/{len} runs {wide_bar} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let progress: Vec<Progress> = jobs.iter().map(|_| Progress::default()).collect();
        let reduction = graph(self.full);
        let options = Options { max_states: self.max_states, reduction, ..Options::default() };
        let work =
            |index: usize, job: &PlannedRun<'a>| on_model::run(job.run, options, &progress[index]);
        let threads = self.threads.unwrap_or(cores);
        let results = run_all(jobs, threads, interrupt, work, |pool| {
            if let Some((index, ..)) = pool.ended {
                progress[index].states.store(0, Relaxed);
            }
            let interrupted = interrupt.load(Relaxed);
            progress.iter().for_each(|one| one.interrupt.store(interrupted, Relaxed));
            let states = progress.iter().map(|one| one.states.load(Relaxed)).sum();
            bar.set_position(pool.done as u64);
            bar.set_message(format!("{} states under way", text::grouped(states)));
        });
        bar.finish_and_clear();
        let interrupted = || ModelResult::without_run(ClaimOutcome::Interrupted);
        let results = results.into_iter().map(|result| result.unwrap_or_else(interrupted));
        jobs.iter().zip(results).map(|(job, result)| RunReport::new(*job, result)).collect()
    }

    /// Real processes, pass after pass, until something is not as claimed.
    fn live_passes<'a>(
        &self,
        jobs: &[PlannedRun<'a>],
        mut rows: Vec<RunReport<'a>>,
        interrupt: &AtomicBool,
    ) -> io::Result<Vec<RunReport<'a>>> {
        let mut own = tempfile::Builder::new().prefix("holdfast-records-").tempdir()?;
        let folder = self.records.clone().unwrap_or_else(|| own.path().to_owned());
        let passes = self.repeat.get();
        if passes == 1 {
            return Ok(self.live(jobs, rows, &Setup::here(&folder)?, interrupt));
        }
        for pass in 1..=passes {
            let records = folder.join(format!("pass-{pass}"));
            let _ = fs::remove_dir_all(&records);
            rows = self.live(jobs, rows, &Setup::here(&records)?, interrupt);
            if interrupt.load(Relaxed) {
                break;
            }
            if rows.iter().any(|row| row.met() != Met::Yes) {
                own.disable_cleanup(true);
                let records = records.display();
                note(&format!("pass {pass} of {passes} is not as claimed; see {records}"));
                break;
            }
            note(&format!("pass {pass} of {passes}: {} live runs as claimed", jobs.len()));
            let _ = fs::remove_dir_all(&records);
        }
        Ok(rows)
    }

    fn live<'a>(
        &self,
        jobs: &[PlannedRun<'a>],
        rows: Vec<RunReport<'a>>,
        setup: &Setup,
        interrupt: &AtomicBool,
    ) -> Vec<RunReport<'a>> {
        let bar = ProgressBar::new(jobs.len() as u64).with_style(
            ProgressStyle::with_template("{pos}/{len} live runs {wide_bar} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let work = |_, job: &PlannedRun<'a>| on_live::run(job.run, setup, &job.slug(), interrupt);
        let live_result = run_all(jobs, self.live_threads, interrupt, work, |pool| {
            let Some((_, job, _)) = pool.ended else { return };
            bar.set_position(pool.done as u64);
            bar.set_message(job.slug());
        });
        bar.finish_and_clear();
        let done = live_result.iter().flatten().count();
        if interrupt.load(Relaxed) {
            let all = jobs.len();
            note(&format!("stopped after {done} of {all} live runs; no process is left"));
        }
        rows.into_iter()
            .zip(live_result)
            .map(|(row, live_result)| row.and_live(live_result))
            .collect()
    }

    fn report(
        &self,
        rows: &[RunReport<'_>],
        started: Instant,
        part: Option<ShardJson>,
    ) -> Result<(), RunError> {
        if let Some(file) = &self.junit {
            fs::write(file, junit::xml(rows)).map_err(|source| {
                let path = file.clone();
                RunError::Report { path, option: "--junit", source }
            })?;
        }
        let sum = ReportTotals::of(rows);
        if self.json {
            rows.iter().for_each(|row| print_json_line(&CaseRunJson::new(row)));
            print_json_line(&TotalsJson { shard: part, ..TotalsJson::from(sum) });
            return Ok(());
        }
        if self.table {
            print(&table::markdown(rows));
            return Ok(());
        }
        print(&text::lines(rows));
        for row in rows.iter().filter(|row| row.met() != Met::Yes) {
            let file = self.write_trace(row).map_err(|source| {
                let path = self.trace_dir.clone();
                RunError::Report { path, option: "--trace-dir", source }
            })?;
            print(&format!("\n{}\n", text::details(row, file.as_deref())));
        }
        print(&format!("{}\n", text::summary(sum, started.elapsed())));
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
