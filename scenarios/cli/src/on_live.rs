//! A run of a case on a real tree: processes, a pseudo-terminal, signals, a person at the keyboard.
//!
//! ```text
//!     steps --perform--> tree of test actors --tell--> view (what every actor's protocol has handled)
//!       ^                     |                      |
//!       +---- its effect -----|----------------------+----- screen, processes, modes, exit
//!                             +--record--> judgement <----- what the script did, and what was seen
//! ```
//!
//! A step waits for its own effect. After the last one the person answers every prompt with
//! `continue`, and then ends the tree with a Ctrl-C if it does not end by itself.
//!
//! # Rules
//! 1. What the case says holds must be seen to hold, and the tree must end and leave nothing.
//! 2. Where the case says that properties are violated, at least one of them must be seen to be
//!    violated, and no other. A run is one interleaving and the claim is about all, so a run need not
//!    violate them all. Where a free run can be expected to violate none, the case says so
//!    (`[[forced]]`), and the tree is made to take the order of the model's counterexample
//!    ([`follow`]).
//! 3. Nothing waits by the clock, except to find out that nothing happens any longer.
//!
//! Reading order: this file, `perform` (steps), `view`, `mirrored_actor` and `program_view`, `ending`, `judgement`,
//! [`follow`].

mod ending;
pub mod follow;
mod judgement;
mod mirrored_actor;
mod perform;
mod program_view;
mod view;

use crate::case::resolve::CaseRun;
use crate::expect::{ClaimOutcome, Met};
use ending::Ending;
use holdfast_check::property::{PropertyId, PropertySet};
use holdfast_check::world::{EnvironmentAction, ScriptStep};
use holdfast_protocol::Placement;
use holdfast_protocol::policy::TerminalReader;
use holdfast_testkit::defect::TestDefect;
use holdfast_testkit::gate::EVERY_INPUT;
use holdfast_testkit::points::STARTING;
use holdfast_testkit::tree::Result as Grew;
use holdfast_testkit::{ProcessEnd, TestTreeBuilder};
use judgement::{Found, LiveJudgement};
use perform::Live;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{fmt, io};
use view::View;

/// The hidden argument with which this program is an actor of a live tree.
pub const TEST_ACTOR: &str = "live-actor";
/// The hidden argument with which it is what stands between a terminal and its tree.
pub const SHIM: &str = "live-shim";

/// The hidden argument with which it is a program below a host; its path in the tree comes next.
pub const PROGRAM: &str = "live-program";

/// Does what a process of a live tree does, if this is one.
///
/// To be called first in `main`, before any other thread.
#[must_use]
pub fn play_a_part() -> Option<ExitCode> {
    let part = std::env::args_os().nth(1)?;
    match part.to_str() {
        Some(TEST_ACTOR) => Some(holdfast_testkit::actor::run()),
        Some(SHIM) => Some(holdfast_testkit::shim::run()),
        Some(PROGRAM) => {
            let path = std::env::args().nth(2).unwrap_or_default();
            Some(holdfast_testkit::reader::run(&path))
        }
        Some(_) | None => None,
    }
}

/// What live runs have in common.
#[derive(Clone, Debug)]
pub struct Setup {
    /// This program.
    pub program: PathBuf,
    /// Where the records of each run are kept, in a folder of its own.
    pub records: PathBuf,
    /// What its test actors get wrong on purpose.
    pub defect: Option<TestDefect>,
}

impl Setup {
    /// This program, and records in a folder.
    ///
    /// # Errors
    /// The path of this program cannot be found, or its locks are those of shuttle.
    pub fn here(records: &Path) -> io::Result<Self> {
        if cfg!(model_shuttle) {
            let why = "real processes need a build without `--cfg model_shuttle`";
            return Err(io::Error::other(why));
        }
        let program = std::env::current_exe()?;
        Ok(Self { program, records: records.to_owned(), defect: None })
    }
}

/// What came of a live run.
#[derive(Clone, Debug)]
pub struct LiveResult {
    /// Whether the claim is met.
    pub outcome: ClaimOutcome,
    /// The properties that were seen to be violated, and how that showed.
    pub violated: Vec<(PropertyId, String)>,
    /// What was done and seen.
    pub story: Vec<String>,
    /// How the root ended; none if it did not.
    pub exit: Option<ProcessEnd>,
    /// Why the run could not be staged.
    pub trouble: Option<String>,
    /// Whether what was recorded is a run of the model.
    pub conformance: Conformance,
    /// Where its records are.
    pub records: PathBuf,
    /// How long it took.
    pub time: Duration,
}

/// Whether what real processes recorded is a run of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conformance {
    /// The records are a run of the model.
    Conforms,
    /// The records are not a run of the model, and where they differ.
    Differs(String),
    /// Nobody has looked.
    Unchecked,
}

impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Conforms => "conforms",
            Self::Differs(_) => "DIFFERS",
            Self::Unchecked => "-",
        })
    }
}

impl LiveResult {
    /// Whether it is what the case claims, and a run of the model.
    #[must_use]
    pub fn met(&self) -> Met {
        match (self.outcome.met(), &self.conformance) {
            (Met::Yes, Conformance::Differs(_)) => Met::No,
            (met, Conformance::Conforms | Conformance::Unchecked | Conformance::Differs(_)) => met,
        }
    }

    /// The properties that were seen to be violated.
    #[must_use]
    pub fn violated(&self) -> PropertySet {
        self.violated.iter().map(|(property, _)| *property).collect()
    }
}

/// How patient a run is, and whether the person wants it to end.
struct TimeOuts<'a> {
    /// After so long without any event, and without a timer, nothing will happen any longer.
    still: Duration,
    /// After so long what was waited for does not come.
    limit: Duration,
    interrupt: &'a AtomicBool,
}

impl TimeOuts<'_> {
    fn interrupted(&self) -> bool {
        self.interrupt.load(Relaxed)
    }
}

/// Whether the actors of a tree are held before each of their inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stepping {
    /// The tree does what it does.
    Free,
    /// Each actor takes what it is let take.
    Held,
}

/// Why the steps stop.
#[derive(Clone, Debug)]
enum Halt {
    /// What the script waits for cannot come in this run: one of the orders in which it stops.
    Never(String),
    /// A prompt did not close when it was told to.
    Deaf(String),
    /// A step had no effect.
    NoEffect(String),
    /// A step that real processes cannot perform.
    NotStaged(String),
    /// The stage failed.
    Stage(String),
    /// The person stopped it.
    Interrupted,
}

/// How real processes come to fail in a run that is claimed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveMode {
    /// The processes fail if they are left to themselves.
    ByItself,
    /// The processes are made to take the order of the model's counterexample.
    Forced,
}

/// Runs a case on real processes.
///
/// That a case is violated is a claim about some of its interleavings, and a run takes one: where nothing
/// is violated it is run again, a few times. That it holds is a claim about all: once is all it gets.
#[must_use]
pub fn run(run: &CaseRun, setup: &Setup, slug: &str, interrupt: &AtomicBool) -> LiveResult {
    let mut live_result = attempt(run, setup, slug, interrupt);
    for number in 2..=ATTEMPTS {
        let nothing_fell = live_result.outcome == ClaimOutcome::UnexpectedPass;
        let differs = matches!(live_result.conformance, Conformance::Differs(_));
        if !nothing_fell || differs || run.live_mode == LiveMode::Forced {
            break;
        }
        live_result = attempt(run, setup, &format!("{slug}-{number}"), interrupt);
    }
    live_result
}

/// How often a case is run whose failure is not seen.
const ATTEMPTS: u32 = 4;

fn attempt(run: &CaseRun, setup: &Setup, slug: &str, interrupt: &AtomicBool) -> LiveResult {
    let begun = Instant::now();
    let records = setup.records.join(slug);
    let violations = run.expectation.violations();
    let patient = violations.members().count() == 0;
    let time_outs = TimeOuts {
        still: if patient { Duration::from_secs(5) } else { Duration::from_millis(1200) },
        limit: Duration::from_secs(10),
        interrupt,
    };
    if let Some(why) = unstageable(run) {
        return failed(ClaimOutcome::NoStage, why);
    }
    let mut live_result = match run.live_mode {
        LiveMode::ByItself => match grow(run, setup, &records, Stepping::Free) {
            Err(error) => failed(ClaimOutcome::NotStaged, &error.to_string()),
            Ok(grown) => play(run, grown, &records, &time_outs),
        },
        LiveMode::Forced => follow::force(run, setup, &records, interrupt),
    };
    if interrupt.load(Relaxed) {
        live_result.outcome = ClaimOutcome::Interrupted;
    }
    live_result.records = records;
    live_result.time = begun.elapsed();
    live_result
}

/// Why a run cannot be staged at all.
fn unstageable(run: &CaseRun) -> Option<&'static str> {
    let apart = run.config.placement == Placement::OwnSession;
    let reads = run.config.policy.reader == TerminalReader::Holder;
    // A crash of the root alone reads a terminal that the root has.
    let below = run.config.tree.len() > 1;
    (apart && reads && below).then_some(
        "under this policy the holder reads the terminal, and in a session of its own it has none",
    )
}

fn failed(outcome: ClaimOutcome, why: &str) -> LiveResult {
    LiveResult {
        outcome,
        violated: Vec::new(),
        story: Vec::new(),
        exit: None,
        trouble: Some(why.to_owned()),
        conformance: Conformance::Unchecked,
        records: PathBuf::new(),
        time: Duration::ZERO,
    }
}

fn grow(
    run: &CaseRun,
    setup: &Setup,
    records: &Path,
    stepping: Stepping,
) -> Grew<holdfast_testkit::TestTree> {
    let config = &run.config;
    let debug: Vec<&str> = config
        .tree
        .ids()
        .filter(|actor| config.debug[actor.index()] == holdfast_protocol::DebugMode::On)
        .map(|actor| config.tree.name(actor))
        .collect();
    let mut growth = TestTreeBuilder::shaped(config.tree.clone())
        .policy(run.named())
        .placement(config.placement)
        .debug(&debug)
        .grace_ms(GRACE_MS)
        .args(&[TEST_ACTOR])
        .programs(&[PROGRAM])
        .patience(Duration::from_secs(10))
        .records(records)
        .told();
    if let Some(defect) = setup.defect {
        growth = growth.defect(defect);
    }
    if stepping == Stepping::Held {
        growth = growth.point(EVERY_INPUT);
    }
    let spawns =
        |step: &ScriptStep| matches!(step, ScriptStep::Do(EnvironmentAction::Spawn { .. }));
    if config.script.steps.iter().any(spawns) {
        growth = growth.point(STARTING);
    }
    let mut shim = Command::new(&setup.program);
    shim.arg(OsStr::new(SHIM));
    growth.grow(shim, &setup.program)
}

fn play(
    run: &CaseRun,
    grown: holdfast_testkit::TestTree,
    records: &Path,
    time_outs: &TimeOuts<'_>,
) -> LiveResult {
    let config = &run.config;
    let mut live = Live::new(grown, View::new(config), time_outs, Stepping::Free);
    let stop = live.steps(&config.script.steps).err();
    let trouble = match &stop {
        None | Some(Halt::Never(_) | Halt::Deaf(_) | Halt::Interrupted) => None,
        Some(Halt::NoEffect(what)) => Some(format!("{what} had no effect")),
        Some(Halt::NotStaged(what)) => Some(format!("{what} cannot be staged")),
        Some(Halt::Stage(what)) => Some(what.clone()),
    };
    if let Some(Halt::Never(why)) = &stop {
        live.story.push(format!("the steps end here: {why}"));
    }
    let deaf = match stop {
        Some(Halt::Deaf(name)) => Some(name),
        _ => None,
    };
    let Ending { exit, found } = match &trouble {
        None if !time_outs.interrupted() => ending::end(&mut live, run, deaf),
        None | Some(_) => Ending { exit: None, found: Found::new() },
    };
    let trouble = trouble.map(|why| format!("{why}\n{}", live.grown.stage.dump()));
    let LiveJudgement { found: violated, conformance } = live.clear_and_judge(records);
    let violated: Vec<_> = violated.into_iter().chain(found).chain(live.seen.clone()).collect();
    let seen: PropertySet = violated.iter().map(|(property, _)| *property).collect();
    let outcome = match &trouble {
        Some(_) => ClaimOutcome::NotStaged,
        None => ClaimOutcome::seen(run.expectation.violations(), seen),
    };
    let conformance = match &trouble {
        None if !time_outs.interrupted() => conformance,
        None | Some(_) => Conformance::Unchecked,
    };
    let story = live.story;
    let (records, time) = (PathBuf::new(), Duration::ZERO);
    LiveResult { outcome, violated, story, exit, trouble, conformance, records, time }
}

/// The grace period of a leaf: short, so that ladders that climb do so in a run.
const GRACE_MS: u64 = 150;
