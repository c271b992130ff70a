//! A script: what the environment does, in order, while everything else is left open.
//!
//! Between two steps the explorer interleaves everything that the tree does of itself, and the
//! faults that the budget allows.

use super::action::EnvironmentAction;
use holdfast_protocol::ActorId;
use serde::{Deserialize, Serialize};

/// One step of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptStep {
    /// The environment does this, at any time from now on.
    Do(EnvironmentAction),
    /// The script goes on once this is so.
    Until(Condition),
}

/// What a script can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// The actor's prompt is open.
    PromptOpen(ActorId),
    /// The actor has asked for the terminal and waits.
    Waiting(ActorId),
    /// No prompt is open and nobody waits for one.
    NoPrompt,
    /// The actor's process has ended.
    Ended(ActorId),
    /// The actor was told to end.
    Cancelled(ActorId),
    /// The actor's teardown has begun.
    TearingDown(ActorId),
    /// The actor runs (its boot is over).
    Running(ActorId),
    /// The kernel has stopped the program, which reads its terminal in the background.
    Stopped(ActorId),
    /// The program is in the foreground of its terminal.
    Foreground(ActorId),
    /// Nothing is in flight and no timer is armed.
    Quiet,
}

/// The steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Script {
    /// In order.
    pub steps: Vec<ScriptStep>,
}

impl Script {
    /// The step at a position; none behind the end.
    #[must_use]
    pub fn step(&self, at: u8) -> Option<ScriptStep> {
        self.steps.get(usize::from(at)).copied()
    }

    /// Every actor that a step names.
    #[must_use]
    pub fn actors(&self) -> Vec<ActorId> {
        self.steps.iter().filter_map(|step| step.actor()).collect()
    }
}

impl ScriptStep {
    fn actor(self) -> Option<ActorId> {
        match self {
            Self::Do(action) => action.actor(),
            Self::Until(condition) => match condition {
                Condition::PromptOpen(actor)
                | Condition::Waiting(actor)
                | Condition::Ended(actor)
                | Condition::Cancelled(actor)
                | Condition::TearingDown(actor)
                | Condition::Running(actor)
                | Condition::Stopped(actor)
                | Condition::Foreground(actor) => Some(actor),
                Condition::NoPrompt | Condition::Quiet => None,
            },
        }
    }
}
