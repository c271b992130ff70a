//! A plan on a real tree.

use super::draw::{ChaosEvent, ChaosPlan, ChaosStart};
use super::judge;
use crate::process::{self, ProcessInfo, RunState};
use crate::program::SessionLeader;
use crate::shim::ProcessEnd;
use crate::tree::{TestTree, TestTreeBuilder};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Every grace period, in milliseconds.
const GRACE_MS: u64 = 100;

/// How long the tree has for its end, on a busy machine.
const END: Duration = Duration::from_secs(30);

/// What runs have in common.
#[derive(Clone, Debug)]
pub struct ChaosSetup {
    /// The program and its first argument that make it the shim.
    pub shim: (PathBuf, Vec<String>),
    /// The program that is the root.
    pub actor: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

/// What a run did not keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChaosFault {
    /// What was judged.
    pub what: String,
    /// What was found.
    pub found: String,
}

impl ChaosFault {
    /// A fault.
    pub fn new(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { what: what.into(), found: found.into() }
    }
}

impl fmt::Display for ChaosFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.found)
    }
}

impl ChaosSetup {
    /// Runs a plan, with records in a folder; what it did not keep, if it did not.
    #[must_use]
    pub fn run(&self, plan: &ChaosPlan, records: &Path) -> Option<ChaosFault> {
        let tree = match self.grow(plan, records) {
            Ok(tree) => tree,
            Err(error) => return Some(ChaosFault::new("the start", error.to_string())),
        };
        let mut run = ChaosRun { tree, closed: false, killed: false, root: 0 };
        let judged = run.perform(plan).and_then(|()| run.judge(plan, records));
        judged.err()
    }

    fn grow(&self, plan: &ChaosPlan, records: &Path) -> crate::tree::Result<TestTree> {
        let mut shim = Command::new(&self.shim.0);
        shim.args(&self.shim.1);
        let debug: Vec<&str> = plan.debug.iter().map(String::as_str).collect();
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let leader = match plan.start {
            ChaosStart::Leader => SessionLeader::Program,
            _ => SessionLeader::Shell,
        };
        let mut growth = TestTreeBuilder::of(&plan.shape)?
            .placement(plan.placement)
            .debug(&debug)
            .grace_ms(GRACE_MS)
            .args(&args)
            .leader(leader)
            .records(records);
        if let Some(words) = plan.start.words() {
            growth = growth.started_by(&words);
        }
        growth.grow(shim, &self.actor)
    }
}

struct ChaosRun {
    tree: TestTree,
    /// Whether the window was closed.
    closed: bool,
    /// Whether the root was sent SIGKILL.
    killed: bool,
    root: i32,
}

type Kept = Result<(), ChaosFault>;

impl ChaosRun {
    fn perform(&mut self, plan: &ChaosPlan) -> Kept {
        self.root = self.tree.actor("root").map_or(0, |root| root.pid());
        for event in &plan.events {
            // Whoever is gone cannot be told; that is not a fault.
            match event {
                ChaosEvent::Instruct(name, instruction) => {
                    drop(self.tree.instruct(name, instruction.clone()));
                }
                ChaosEvent::Signal(name, signal) => {
                    let Ok(signal) = Signal::try_from(*signal) else { continue };
                    self.killed |= name == "root" && signal == Signal::SIGKILL;
                    drop(self.tree.signal(name, signal));
                }
                ChaosEvent::Keys(keys) => drop(self.tree.stage.write(keys.as_bytes())),
                ChaosEvent::Resize(rows, columns) => {
                    drop(self.tree.stage.resize(*rows, *columns));
                }
                ChaosEvent::Foreground => drop(self.tree.stage.ask_for_foreground()),
                ChaosEvent::Close => {
                    self.tree.stage.close_terminal();
                    self.closed = true;
                }
                ChaosEvent::Beat(ms) => std::thread::park_timeout(Duration::from_millis(*ms)),
            }
        }
        Ok(())
    }

    /// Lets everybody go on, until the root and the program that has started it have ended, or their
    /// time is over: a key that stops may come late.
    fn let_go_on(&self) {
        let begun = Instant::now();
        let runs = |pid| ProcessInfo::read(pid).is_ok_and(|one| one.state != RunState::Zombie);
        while begun.elapsed() < END && (runs(self.root) || runs(self.tree.stage.pid())) {
            let _ = self.tree.stage.ask_for_foreground();
            for process in self.tree.stage.processes() {
                let _ = process.signal(Signal::SIGCONT);
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Ends the tree, and looks at what there is.
    fn judge(&mut self, plan: &ChaosPlan, records: &Path) -> Kept {
        if !self.closed {
            // A terminal that was held goes on.
            let _ = self.tree.stage.write(b"\x11");
        }
        let _ = process::signal(self.root, Signal::SIGTERM);
        self.let_go_on();
        let fault = |what: &str, error: &dyn fmt::Display| ChaosFault::new(what, error.to_string());
        let end = self.tree.stage.exit().map_err(|error| fault("the end", &error))?;
        self.tree.stage.wait_gone().map_err(|error| fault("who is left", &error))?;
        if !self.closed {
            self.tree.wait_modes().map_err(|error| fault("the terminal", &error))?;
        }
        let expected = judge::expected(records, self.root);
        let expected = expected.map_err(|error| fault("the record of the root", &error))?;
        let by_kill = self.killed && end == ProcessEnd::by(Signal::SIGKILL);
        match expected {
            _ if !plan.start.shows_the_end() || by_kill => Ok(()),
            Some(expected) if expected == end => Ok(()),
            expected => {
                let found = format!("expected {expected:?} by the root's record, found {end:?}");
                Err(ChaosFault::new("the exit code", found))
            }
        }
    }
}
