//! Whole trees of drivers under shuttle: what `holdfast walk --on drivers` walks, and `holdfast
//! replay` of what failed there.
//!
//! shuttle is there in a build with `--cfg model_shuttle` alone. Any other knows the arguments and
//! the files, and names the command line that has it.

use super::walk::Walks;
use super::{Format, print, print_json, render};
use crate::json::replay::ScheduleJson;
use holdfast_check::explore::Progress;
use holdfast_check::schedule::{
    COMMAND, Schedule, ScheduleError, ScheduleHeader, SchedulerName, SimulatedRun,
};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Drivers are asked for, and this build has no engine for them.
#[derive(Debug, thiserror::Error)]
#[error("trees of drivers run under shuttle, which is not in this build; run instead:\n  {0}")]
pub struct NoEngine(String);

#[cfg(not(model_shuttle))]
impl NoEngine {
    /// For what this process was asked for.
    fn here() -> Self {
        let words = std::env::args_os().skip(1);
        let words: Vec<_> = std::iter::once(COMMAND.to_owned()).chain(words.map(quoted)).collect();
        Self(words.join(" "))
    }
}

/// A word as a shell reads it.
pub(super) fn quoted(word: OsString) -> String {
    let word = word.to_string_lossy().into_owned();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-=,".contains(c);
    let plain = !word.is_empty() && word.chars().all(is_plain);
    if plain { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// The command that replays a schedule.
pub(super) fn replay_command(file: &Path) -> String {
    format!("{COMMAND} replay {}", quoted(file.into()))
}

/// Takes schedules of a tree of drivers, until one fails or the person wants no more.
///
/// # Errors
/// If this build has no engine.
#[cfg(not(model_shuttle))]
pub(super) fn take(
    _: &SimulatedRun,
    _: SchedulerName,
    _: u64,
    _: std::ops::Range<u64>,
    _: &Progress,
) -> Result<Walks, NoEngine> {
    Err(NoEngine::here())
}

/// Takes schedules of a tree of drivers, until one fails or the person wants no more.
///
/// # Errors
/// If this build has no engine: not this one.
#[cfg(model_shuttle)]
pub(super) fn take(
    run: &SimulatedRun,
    scheduler: SchedulerName,
    seed: u64,
    numbers: std::ops::Range<u64>,
    progress: &Progress,
) -> Result<Walks, NoEngine> {
    use super::walk::FailedWalk;
    use holdfast_sim::{Watch, stress::StressRun};
    use std::sync::atomic::Ordering::Relaxed;
    let stress = StressRun { scheduler, seed, watch: Watch::Everything };
    let mut walks = Walks::default();
    let mut from = numbers.start;
    while from < numbers.end && walks.failure.is_none() && !progress.interrupt.load(Relaxed) {
        let some = from..numbers.end.min(from.saturating_add(BETWEEN_LOOKS));
        from = some.end;
        let run = run.clone();
        let result = stress.take(some, move |_| run.clone());
        walks.taken += result.schedules;
        walks.steps += result.choices;
        walks.failure = result.failure.map(|failure| FailedWalk {
            iteration: failure.header.iteration,
            property: failure.header.run.breaks,
            what: failure.header.what.clone(),
            walked: failure.threads.len(),
            steps: failure.threads.len(),
            file: failure.to_text(),
        });
        progress.states.store(walks.taken, Relaxed);
        progress.frontier.store(walks.steps, Relaxed);
    }
    Ok(walks)
}

/// How many schedules are taken before somebody looks whether the person wants more.
#[cfg(model_shuttle)]
const BETWEEN_LOOKS: u64 = 100;

/// Why a schedule cannot be replayed, or does not show what it claims.
#[derive(Debug, thiserror::Error)]
pub enum DriversError {
    /// This build cannot.
    #[error("failed to replay {path}")]
    NoEngine {
        /// Which file.
        path: PathBuf,
        /// The underlying error.
        source: NoEngine,
    },
    /// The file is not a schedule of this model.
    #[error("failed to replay {path}")]
    Schedule {
        /// Which file.
        path: PathBuf,
        /// The underlying error.
        source: ScheduleError,
    },
    /// Steps are those of a trace.
    #[error("--step is for traces; {0} is a schedule of driver trees, whose story is told whole")]
    NoSteps(PathBuf),
    /// The schedule does not fit the run.
    #[error(
        "failed to replay {path}: at choice {choice} of {choices} thread {thread} cannot go on; \
         the schedule was edited, or written by another version: look for it anew with `holdfast \
         walk --on drivers`"
    )]
    Strays {
        /// Which file.
        path: PathBuf,
        /// Which choice, counted from one.
        choice: usize,
        /// How many there are.
        choices: usize,
        /// Whose turn it should be.
        thread: u32,
    },
    /// Nothing is broken.
    #[error(
        "all {choices} choices of {path} are possible, but it does not fail any longer: {what}"
    )]
    Harmless {
        /// Which file.
        path: PathBuf,
        /// How many choices there are.
        choices: usize,
        /// What should be violated.
        what: String,
    },
    /// Something else is broken.
    #[error("{path} fails in another way: {instead}; it should be: {what}")]
    Otherwise {
        /// Which file.
        path: PathBuf,
        /// What should be violated.
        what: String,
        /// What panics.
        instead: String,
    },
}

/// Runs a schedule again, and says whether the same is violated.
///
/// # Errors
/// If the file is not a schedule, or does not fail as it claims.
pub(super) fn replay(path: &Path, text: &str, format: Format) -> Result<(), DriversError> {
    let path = || path.to_owned();
    let wrong = |source| DriversError::Schedule { path: path(), source };
    let schedule = Schedule::from_text(text).map_err(wrong)?;
    let run = schedule.run().map_err(wrong)?;
    let story = performed(&schedule, path())?;
    match format {
        Format::Json => print_json(&ScheduleJson {
            header: &schedule.header,
            confirmed: "violated",
            choices: schedule.threads.len(),
            story: &story,
        }),
        Format::Text => print(&told(&run, &schedule, &story)),
    }
    Ok(())
}

/// The story of a schedule that fails as it claims.
#[cfg(not(model_shuttle))]
fn performed(_: &Schedule, path: PathBuf) -> Result<Vec<String>, DriversError> {
    Err(DriversError::NoEngine { path, source: NoEngine::here() })
}

/// The story of a schedule that fails as it claims.
#[cfg(model_shuttle)]
fn performed(schedule: &Schedule, path: PathBuf) -> Result<Vec<String>, DriversError> {
    use holdfast_sim::stress::{Went, replay};
    let replayed = match replay(schedule) {
        Ok(replayed) => replayed,
        Err(source) => return Err(DriversError::Schedule { path, source }),
    };
    let (choices, what) = (schedule.threads.len(), claim(&schedule.header));
    match replayed.went {
        Went::Falls => Ok(replayed.story),
        Went::Strays(choice) => {
            let thread = schedule.threads[choice - 1];
            Err(DriversError::Strays { path, choice, choices, thread })
        }
        Went::Otherwise(instead) => Err(DriversError::Otherwise { path, what, instead }),
        Went::Holds => Err(DriversError::Harmless { path, choices, what }),
    }
}

/// What a schedule says is broken.
fn claim(header: &ScheduleHeader) -> String {
    let property = header.run.breaks.map_or_else(String::new, |id| format!("`{id}`: "));
    format!("{property}{}", header.what)
}

fn told(run: &SimulatedRun, schedule: &Schedule, story: &[String]) -> String {
    let header = &schedule.header;
    let mut text = format!(
        "{}\ndrivers, scheduler {}, seed {}, schedule {}\n\n",
        render::run(&run.config, &run.named),
        header.scheduler,
        header.seed,
        header.iteration
    );
    for (at, line) in story.iter().enumerate() {
        let _ = writeln!(text, "{:>4}  {line}", at + 1);
    }
    let choices = schedule.threads.len();
    let _ = writeln!(text, "\nConfirmed, after {choices} choices: {}", claim(header));
    text
}
