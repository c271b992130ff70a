//! `holdfast chaos`: random trees of real processes, random events, and a judge.

use super::watch::{CtrlCError, Interruption, ProgressView, watched};
use super::{complain, print};
use crate::conform::conform;
use crate::exit::ExitClass;
use crate::on_live::{SHIM, TEST_ACTOR};
use clap::Args;
use holdfast_check::explore::Progress;
use holdfast_testkit::chaos::{ChaosFault, ChaosPlan, ChaosSetup, shrink};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{fs, io, thread};

/// Runs random trees of real processes under random signals, keys, faults and limits, and judges
/// each: nothing is left, the terminal is as it was, the exit code is true, the end is bounded, the
/// records conform.
///
/// A seed names a plan; what real processes make of it differs from run to run. A plan that fails is
/// tried with fewer events, and the least that still fails is shown.
#[derive(Debug, Args)]
pub struct ChaosArgs {
    /// How many runs; any number, for as long as one likes.
    #[arg(long, value_name = "N", default_value_t = 300)]
    runs: u64,
    /// The seed of the first run; the next runs have the next numbers.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// How many runs at once [default: four for each core].
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

/// Why nothing was run.
#[derive(Debug, thiserror::Error)]
enum ChaosCommandError {
    /// The records need a folder.
    #[error("failed to make a folder for the records")]
    Folder(#[source] io::Error),
    /// This program is its own shim and actor.
    #[error("failed to find this program")]
    Program(#[source] io::Error),
    /// Ctrl-C cannot be caught.
    #[error(transparent)]
    CtrlC(#[from] CtrlCError),
}

impl ChaosArgs {
    /// Does it.
    pub fn run(&self) -> ExitClass {
        match self.soak() {
            Ok(exit) => exit,
            Err(error) => complain(&error),
        }
    }

    fn soak(&self) -> Result<ExitClass, ChaosCommandError> {
        let program = std::env::current_exe().map_err(ChaosCommandError::Program)?;
        let setup = ChaosSetup {
            shim: (program.clone(), vec![SHIM.to_owned()]),
            actor: program,
            args: vec![TEST_ACTOR.to_owned()],
        };
        let folder = tempfile::tempdir().map_err(ChaosCommandError::Folder)?;
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let jobs = self.jobs.map_or(4 * cores, NonZeroUsize::get);
        let judge = |plan: &ChaosPlan| judged(&setup, plan, folder.path());
        let (soaked, asked) =
            watched(ProgressView::Runs, |progress| self.runs(jobs, progress, judge))?;
        let Soaked { done, failed } = soaked;
        let Some((plan, fault)) = failed else {
            let seed = self.seed;
            return Ok(match asked {
                Interruption::None => {
                    print(&format!("{done} runs from seed {seed}: no fault\n"));
                    ExitClass::Holds
                }
                Interruption::ByUser => {
                    print(&format!("interrupted after {done} runs from seed {seed}: no fault\n"));
                    ExitClass::Interrupted
                }
            });
        };
        print(&format!("seed {}: {fault}\n", plan.seed));
        let (least, fault) = shrink(plan, fault, judge);
        let events = least.events.iter().map(|event| format!("  {event:?}\n"));
        let events: String = events.collect();
        let ChaosPlan { seed, shape, placement, start, debug, events: _ } = &least;
        print(&format!(
            "least: seed {seed}, {shape}, {placement}, {start:?}, debug {debug:?}\n{events}{fault}\n"
        ));
        Ok(ExitClass::Expectation)
    }

    /// Runs plans side by side until the first that fails.
    fn runs(
        &self,
        jobs: usize,
        progress: &Progress,
        judge: impl Fn(&ChaosPlan) -> Option<ChaosFault> + Sync,
    ) -> Soaked {
        let next = AtomicU64::new(0);
        let failed = Mutex::new(None);
        thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(|| {
                    while !progress.interrupt.load(Ordering::Relaxed) {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= self.runs {
                            return;
                        }
                        let plan = ChaosPlan::of(self.seed.wrapping_add(number));
                        let fault = judge(&plan);
                        progress.states.fetch_add(1, Ordering::Relaxed);
                        if let Some(fault) = fault {
                            progress.interrupt.store(true, Ordering::Relaxed);
                            let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                            failed.get_or_insert((plan, fault));
                        }
                    }
                });
            }
        });
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        Soaked { done: progress.states.load(Ordering::Relaxed), failed }
    }
}

/// What came of many runs: how many there were, and the first that failed.
struct Soaked {
    done: u64,
    failed: Option<(ChaosPlan, ChaosFault)>,
}

/// Runs a plan, and checks its records against the model.
fn judged(setup: &ChaosSetup, plan: &ChaosPlan, above: &Path) -> Option<ChaosFault> {
    let folder = match tempfile::tempdir_in(above) {
        Ok(folder) => folder,
        Err(error) => return Some(ChaosFault::new("the folder for records", error.to_string())),
    };
    setup.run(plan, folder.path()).or_else(|| conforms(folder.path()))
}

fn conforms(records: &Path) -> Option<ChaosFault> {
    let runs = fs::read_dir(records).into_iter().flatten().flatten();
    runs.map(|run| run.path()).find_map(|run| {
        let wrong = match conform(&run) {
            Ok(verdicts) => {
                let exit = super::conform::worst(&verdicts);
                let shown = || super::conform::text(&verdicts, super::conform::Draw::Failures);
                (exit != ExitClass::Holds).then(shown)
            }
            Err(error) => Some(error.to_string()),
        };
        wrong.map(|found| ChaosFault::new("conformance", found))
    })
}
