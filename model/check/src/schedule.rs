//! A failed run of driver trees as a file: JSON lines, the run first, then whose turn it was.
//!
//! ```text
//!     {"holdfast-schedule":1,"what":...,"run":{"holdfast-trace":1,"breaks":...,"tree":...},...}
//!     [0,0,3,1,...]      threads, in the order in which they went on; 0 is the run itself
//! ```
//!
//! `holdfast walk --on drivers` and `tests/driver.rs` write it, `holdfast replay` performs it. What
//! performs it is built with `--cfg model_shuttle` alone; every build reads the format.

use crate::json_lines::{self, JsonLinesError};
use crate::rng::Rng;
use crate::trace::{self, NamedPolicy, TraceError, TraceHeader};
use crate::world::{Config, Environment};
use holdfast_protocol::named;
use serde::{Deserialize, Serialize};

/// The version of the format that this code writes and reads.
pub const VERSION: u32 = 1;

/// The command line that performs schedules; arguments follow.
pub const COMMAND: &str = "RUSTFLAGS='--cfg model_shuttle' cargo run --release --locked \
                           --target-dir target/shuttle --package holdfast-cli --";

/// One run of a tree of drivers: what it is, and how it is brought to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedRun {
    /// The tree, its policy, and what the environment may do.
    pub config: Config,
    /// How the policy is named.
    pub named: NamedPolicy,
    /// What ends the tree.
    pub ends: RunEnd,
}

/// What ends the tree when nothing moves any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// A Ctrl-C, if somebody is there to type it.
    ByCtrlC,
    /// A SIGTERM to the root, while nobody answers a prompt.
    ByStop,
    /// One of these, or the root's own code returns.
    Any,
}

named! {
    RunEnd, "an end of a run":
    ByCtrlC => "by-ctrl-c",
    ByStop => "by-stop",
    Any => "any",
}

/// Who chooses the thread that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchedulerName {
    /// Each that can go on is as likely as any other, at every choice.
    Random,
    /// Probabilistic concurrency testing: few preemptions, at the worst places.
    Pct,
}

named! {
    SchedulerName, "a scheduler":
    Random => "random",
    Pct => "pct",
}

/// What a schedule was drawn from; it names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduleSeed {
    /// Who chose.
    pub scheduler: SchedulerName,
    /// The seed of the soak.
    pub seed: u64,
    /// The number of the schedule in it.
    pub iteration: u64,
}

impl ScheduleSeed {
    /// What the run and the order of its threads are drawn with.
    #[must_use]
    pub fn order(self) -> Rng {
        Rng::new(self.seed, self.iteration.wrapping_mul(2))
    }

    /// What the threads themselves draw from; a schedule does not hold what they drew.
    #[must_use]
    pub fn draws(self) -> Rng {
        Rng::new(self.seed, self.iteration.wrapping_mul(2).wrapping_add(1))
    }
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScheduleHeader {
    /// The version of the format.
    pub holdfast_schedule: u32,
    /// What went wrong.
    pub what: String,
    /// The run, as a trace names it. It breaks nothing if a thread panicked or all wait forever.
    pub run: TraceHeader,
    /// What ends the tree.
    pub ends: RunEnd,
    /// Who chose.
    pub scheduler: SchedulerName,
    /// The seed of the soak.
    pub seed: u64,
    /// The number of the schedule in it.
    pub iteration: u64,
}

impl ScheduleHeader {
    /// What it was drawn from.
    #[must_use]
    pub fn drawn(&self) -> ScheduleSeed {
        ScheduleSeed { scheduler: self.scheduler, seed: self.seed, iteration: self.iteration }
    }
}

/// A failed run and the order in which its threads went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The run.
    pub header: ScheduleHeader,
    /// Whose turn it was at each choice.
    pub threads: Vec<u32>,
}

/// Why a schedule cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The file is not JSON lines of this kind.
    #[error("{0}; the file was edited or cut off: write it anew with `holdfast walk --on drivers`")]
    Lines(#[from] JsonLinesError),
    /// Another version.
    #[error("the schedule has version {0}, this program reads version {VERSION}")]
    Version(u32),
    /// The run is none.
    #[error("failed to read the run on line 1")]
    Run(#[from] TraceError),
    /// The run is one of the explorer.
    #[error("line 1: `script`, `repeats` and `environment` are for traces; leave them out")]
    NotOfDrivers,
}

impl Schedule {
    /// Whether a file means to be one.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        let first = text.lines().find(|line| !line.trim().is_empty());
        first.is_some_and(|line| line.contains("\"holdfast-schedule\""))
    }

    /// The run.
    ///
    /// # Errors
    /// If a component of it is wrong.
    pub fn run(&self) -> Result<SimulatedRun, ScheduleError> {
        let header = &self.header.run;
        if header.holdfast_trace != trace::VERSION {
            return Err(TraceError::Version(header.holdfast_trace).into());
        }
        let bounded = header.environment == Environment::Bounded;
        if !(header.script.is_empty() && header.repeats == 0 && bounded) {
            return Err(ScheduleError::NotOfDrivers);
        }
        Ok(SimulatedRun { config: header.config()?, named: header.named(), ends: self.header.ends })
    }

    /// The file.
    #[must_use]
    pub fn to_text(&self) -> String {
        json_lines::write(&self.header, self.threads.chunks(THREADS_A_LINE))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If a line is not JSON of its kind, or the version is another.
    pub fn from_text(text: &str) -> Result<Self, ScheduleError> {
        let (header, threads) = json_lines::read::<ScheduleHeader>("a schedule", text)?;
        if header.holdfast_schedule != VERSION {
            return Err(ScheduleError::Version(header.holdfast_schedule));
        }
        Ok(Self { header, threads: threads.parse::<Vec<u32>>()?.concat() })
    }
}

/// So that a line fits a screen.
const THREADS_A_LINE: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::property::PropertyId;
    use holdfast_protocol::Placement;
    use holdfast_protocol::{PolicyName, Rule};

    fn schedule() -> Schedule {
        let named = NamedPolicy { policy: PolicyName::Relay, without: vec![Rule::R3] };
        let (tree, faults) = ("root(a)".parse(), "request=1,interrupt=2".parse());
        let (tree, faults) = (tree.expect("a tree"), faults.expect("faults"));
        let config = Config::new(tree, named.policy(), Placement::SharedGroup, faults);
        let header = ScheduleHeader {
            holdfast_schedule: VERSION,
            what: "a SIGINT is acted on under an open prompt".to_owned(),
            run: TraceHeader::new(&config, &named, Some(PropertyId::InterruptShielded)),
            ends: RunEnd::ByCtrlC,
            scheduler: SchedulerName::Pct,
            seed: u64::MAX,
            iteration: 7,
        };
        Schedule { header, threads: (0..100).map(|turn| turn % 3).collect() }
    }

    #[test]
    fn a_schedule_is_read_as_it_was_written() {
        let written = schedule();
        let text = written.to_text();
        assert!(Schedule::is_meant(&text));
        assert_eq!(Schedule::from_text(&text).expect("it was just written"), written);
        let run = written.run().expect("the run is one");
        assert_eq!(TraceHeader::new(&run.config, &run.named, written.header.run.breaks), {
            written.header.run
        });
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_its_place() {
        let text = schedule().to_text();
        let table = [
            ("", "the file is empty"),
            ("{", "line 1, column 1"),
            (&text.replace("schedule\":1", "schedule\":9"), "version 9"),
            (&text.replace("trace\":1", "trace\":9"), "failed to read the run on line 1"),
            (&text.replace("\"seed\"", "\"sed\""), "line 1, column"),
            (&text.replace("root(a)", "root(a"), "failed to read the run on line 1"),
            (&text.replace("},\"ends\"", ",\"repeats\":2},\"ends\""), "are for traces"),
            (&text.replacen("\n[0,", "\n[x,", 1), "line 2, column 2"),
            (&text[..text.len() - 3], "line 4, column"),
        ];
        for (text, says) in table {
            let read = Schedule::from_text(text).and_then(|schedule| schedule.run());
            let said = read.expect_err(says).to_string();
            assert!(said.contains(says), "{said}, but not {says}");
        }
    }
}
