//! What can happen in a scenario, one step each.

use holdfast_check::world::script::Condition;
use holdfast_check::world::{EnvironmentAction, ScriptStep};
use holdfast_protocol::{ActorId, Answer, Cause, Signal, Status};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One step: something the environment does, or something it waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, tag = "do")]
pub enum Step {
    /// The supervisor starts the actor, which boots. The tree must write it `name?`.
    Spawn {
        /// The new actor.
        actor: String,
    },
    /// A task of the actor hits a breakpoint.
    Breakpoint {
        /// The actor.
        actor: String,
    },
    /// A task hits a breakpoint that a cancel does not withdraw: somebody debugs a teardown.
    BreakpointShielded {
        /// The actor.
        actor: String,
    },
    /// The actor fails, in debug mode: a post-mortem prompt is asked for.
    Crash {
        /// The actor.
        actor: String,
    },
    /// The actor fails, without debug mode.
    Error {
        /// The actor.
        actor: String,
    },
    /// The actor fails, and its program does not want that examined, even in debug mode.
    ErrorUnexamined {
        /// The actor.
        actor: String,
    },
    /// A deadline around the actor's scope passes.
    Deadline {
        /// The actor.
        actor: String,
    },
    /// The actor is asked to end, by its own program.
    Cancel {
        /// The actor.
        actor: String,
    },
    /// The program of the actor's supervisor asks it to end.
    CancelChild {
        /// The child.
        actor: String,
    },
    /// The actor's program leaves its scope.
    Finish {
        /// The actor.
        actor: String,
    },
    /// Ctrl-C is typed: SIGINT to everybody in the foreground.
    CtrlC {},
    /// Somebody sends a signal to one actor.
    Signal {
        /// To whom.
        actor: String,
        /// The signal.
        #[schemars(schema_with = "signals")]
        signal: Signal,
    },
    /// SIGKILL to one actor.
    Kill {
        /// To whom.
        actor: String,
    },
    /// The link from the actor to its supervisor ends; both live on.
    Cut {
        /// The lower end.
        actor: String,
    },
    /// The person says `continue` at the actor's prompt.
    Continue {
        /// Whose prompt.
        actor: String,
    },
    /// The person says `quit`, or ends the input, at the actor's prompt.
    Quit {
        /// Whose prompt.
        actor: String,
    },
    /// A program that knows nothing of the tree (`name!` in it) reads its terminal.
    Read {
        /// The program.
        actor: String,
    },
    /// The person types a line to the program, which reads it.
    Type {
        /// The program.
        actor: String,
    },
    /// The terminal is taken back from the program although it reads: its host has guessed wrong, or
    /// the person wants the next one to have it.
    TakeBack {
        /// The program.
        actor: String,
    },
    /// The program ends of itself.
    Exit {
        /// The program.
        actor: String,
    },
    /// Nothing further happens until this is so.
    Wait {
        /// What must be so.
        until: WaitCondition,
        /// Of whom; not for `no-prompt` and `quiet`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<String>,
    },
    /// No step, a name for this moment: a variant can put steps in here.
    Mark {
        /// The name.
        name: String,
    },
}

/// What a step can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaitCondition {
    /// The actor's prompt is open.
    Prompt,
    /// The actor has asked for the terminal and waits.
    Waiting,
    /// No prompt is open and nobody waits for one.
    NoPrompt,
    /// The actor's process has ended.
    Ended,
    /// The actor was told to end.
    Cancelled,
    /// The actor's teardown has begun.
    TearingDown,
    /// The actor runs: its boot is over.
    Running,
    /// The kernel has stopped the program, because it reads in the background.
    Stopped,
    /// The program has the foreground of its terminal.
    Foreground,
    /// Nothing is in flight and no timer is armed.
    Quiet,
}

/// Whether a condition speaks of one actor or of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionScope {
    /// Of one actor.
    OfActor,
    /// Of the whole tree.
    OfTree,
}

impl WaitCondition {
    /// Of whom the condition speaks.
    #[must_use]
    pub fn speaks(self) -> ConditionScope {
        match self {
            Self::NoPrompt | Self::Quiet => ConditionScope::OfTree,
            Self::Prompt
            | Self::Waiting
            | Self::Ended
            | Self::Cancelled
            | Self::TearingDown
            | Self::Running
            | Self::Stopped
            | Self::Foreground => ConditionScope::OfActor,
        }
    }

    fn condition(self, actor: ActorId) -> Condition {
        match self {
            Self::Prompt => Condition::PromptOpen(actor),
            Self::Waiting => Condition::Waiting(actor),
            Self::NoPrompt => Condition::NoPrompt,
            Self::Ended => Condition::Ended(actor),
            Self::Cancelled => Condition::Cancelled(actor),
            Self::TearingDown => Condition::TearingDown(actor),
            Self::Running => Condition::Running(actor),
            Self::Stopped => Condition::Stopped(actor),
            Self::Foreground => Condition::Foreground(actor),
            Self::Quiet => Condition::Quiet,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = serde_json::to_value(self).map_err(|_| fmt::Error)?;
        let fields: Vec<_> = ["do", "until", "signal", "name", "actor"]
            .into_iter()
            .filter_map(|key| Some(format!("{key} = {}", value.get(key)?)))
            .collect();
        write!(f, "{{ {} }}", fields.join(", "))
    }
}

impl Step {
    /// The actor that the step names.
    #[must_use]
    pub fn actor(&self) -> Option<&str> {
        match self {
            Self::Spawn { actor }
            | Self::Breakpoint { actor }
            | Self::BreakpointShielded { actor }
            | Self::Crash { actor }
            | Self::Error { actor }
            | Self::ErrorUnexamined { actor }
            | Self::Deadline { actor }
            | Self::Cancel { actor }
            | Self::CancelChild { actor }
            | Self::Finish { actor }
            | Self::Signal { actor, .. }
            | Self::Kill { actor }
            | Self::Cut { actor }
            | Self::Continue { actor }
            | Self::Quit { actor }
            | Self::Read { actor }
            | Self::Type { actor }
            | Self::TakeBack { actor }
            | Self::Exit { actor } => Some(actor),
            Self::Wait { actor, .. } => actor.as_deref(),
            Self::CtrlC {} | Self::Mark { .. } => None,
        }
    }

    /// The step of the script, done to `actor`; a mark is none.
    ///
    /// A `deadline`, for example, is [`EnvironmentAction::Provoke`] with [`Cause::Deadline`]. The model
    /// gives that cause to the node ([`holdfast_check::world::begin`]). In a live run, `perform` of
    /// [`crate::on_live`] sends the test actor
    /// [`Instruction::Deadline`](holdfast_testkit::Instruction::Deadline).
    #[must_use]
    pub fn script_step(&self, actor: ActorId) -> Option<ScriptStep> {
        let provoke = |cause| EnvironmentAction::Provoke { actor, cause };
        let action = match self {
            Self::Spawn { .. } => EnvironmentAction::Spawn { actor },
            Self::Breakpoint { .. } => EnvironmentAction::Pause { actor },
            Self::BreakpointShielded { .. } => EnvironmentAction::PauseShielded { actor },
            Self::Crash { .. } | Self::Error { .. } => provoke(Cause::Failed),
            Self::ErrorUnexamined { .. } => {
                EnvironmentAction::FailUnexamined { actor, cause: Cause::Failed }
            }
            Self::Deadline { .. } => provoke(Cause::Deadline),
            Self::Cancel { .. } => provoke(Cause::Requested),
            Self::CancelChild { .. } => EnvironmentAction::CancelChild { actor },
            Self::Finish { .. } => provoke(Cause::Finished),
            Self::CtrlC {} => EnvironmentAction::Interrupt,
            Self::Signal { signal, .. } => EnvironmentAction::Signal { actor, signal: *signal },
            Self::Kill { .. } => EnvironmentAction::Kill { actor },
            Self::Cut { .. } => EnvironmentAction::Cut { actor },
            Self::Continue { .. } => EnvironmentAction::Answer { actor, answer: Answer::Continue },
            Self::Quit { .. } => EnvironmentAction::Answer { actor, answer: Answer::Quit },
            Self::Read { .. } => EnvironmentAction::Read { actor },
            Self::Type { .. } => EnvironmentAction::Type { actor },
            Self::TakeBack { .. } => EnvironmentAction::TakeBack { actor },
            Self::Exit { .. } => EnvironmentAction::Die { actor, status: Status::Finished },
            Self::Wait { until, .. } => return Some(ScriptStep::Until(until.condition(actor))),
            Self::Mark { .. } => return None,
        };
        Some(ScriptStep::Do(action))
    }
}

fn signals(_: &mut SchemaGenerator) -> Schema {
    let all = [Signal::Interrupt, Signal::Terminate, Signal::Hangup, Signal::Quit];
    json_schema!({ "type": "string", "enum": all })
}
