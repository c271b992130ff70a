//! Everything that can happen to a node.
//!
//! The caller (the explorer's world, or the runtime's driver) turns each event into one [`Input`].

use super::id::{ActorId, RequestId};
use super::message::Message;
use super::timer::Timer;
use crate::rename;
use core::fmt;
use serde::{Deserialize, Serialize};

/// Whether a request survives a cancel of its actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shielding {
    /// A cancel withdraws it while it waits (R6).
    Plain,
    /// The request stays: somebody debugs a teardown.
    Shielded,
}

/// How a prompt came to its end, seen from the holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The person let the actor continue.
    Continue,
    /// The person quit: the actor fails. End of file means the same.
    Quit,
    /// The other end of the baton is gone, and the terminal with it.
    Hangup,
}

/// Why an actor must cancel its children and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Its program left the scope.
    Finished,
    /// Somebody asked: the supervisor, or its own program.
    Requested,
    /// A deadline passed.
    Deadline,
    /// A SIGINT that nothing shielded.
    Interrupted,
    /// Its supervisor is gone.
    Orphaned,
    /// SIGTERM, SIGHUP or SIGQUIT.
    Stopped,
    /// The actor failed: an error, a panic, or `quit` at its prompt.
    Failed,
    /// A child failed, or died without being asked to.
    ChildFailed,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Its program finished.
    Finished,
    /// The process was cancelled and obeyed.
    Cancelled,
    /// The process failed.
    Failed,
    /// A signal ended it.
    Killed,
}

impl From<Cause> for Status {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Finished => Self::Finished,
            Cause::Requested
            | Cause::Deadline
            | Cause::Interrupted
            | Cause::Orphaned
            | Cause::Stopped => Self::Cancelled,
            Cause::Failed | Cause::ChildFailed => Self::Failed,
        }
    }
}

/// A signal that an actor handles. SIGKILL is handled by nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// The signal SIGINT.
    Interrupt,
    /// The signal SIGTERM.
    Terminate,
    /// The signal SIGHUP.
    Hangup,
    /// The signal SIGQUIT.
    Quit,
}

/// Where a signal came from (`si_code` of sigaction(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The terminal sent it to its foreground process group.
    Terminal,
    /// A process sent it to this one.
    Process,
}

/// Everything that can happen to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "input")]
pub enum Input {
    /// A local task hit a breakpoint.
    Pause {
        /// Whether a cancel may withdraw it.
        shielding: Shielding,
    },
    /// The open prompt of this actor was answered.
    Answered {
        /// Whose prompt.
        request: RequestId,
        /// The answer.
        answer: Answer,
    },
    /// Something in this actor asks for its end. In debug mode a failure is examined first.
    Cancel {
        /// The cause of the end.
        cause: Cause,
    },
    /// The same, and a failure is not examined: the program does not want to see this one.
    Unexamined {
        /// The cause of the end.
        cause: Cause,
    },
    /// The program asks one child to end.
    CancelChild {
        /// The child.
        child: ActorId,
    },
    /// The local tasks, told to end by [`super::Output::TeardownStarted`], are gone.
    UserTaskEnded,
    /// A message from a neighbour.
    Received {
        /// The neighbour.
        from: ActorId,
        /// What it says.
        message: Message,
    },
    /// The link to a neighbour is at its end; no message will come from it any longer.
    LinkEnded {
        /// The neighbour.
        peer: ActorId,
    },
    /// A signal arrived.
    Signalled {
        /// The signal.
        signal: Signal,
        /// From where.
        origin: Origin,
    },
    /// An armed timer fired.
    Expired {
        /// The timer.
        timer: Timer,
    },
    /// A child was started.
    Spawned {
        /// The child.
        child: ActorId,
    },
    /// A child was reaped.
    Exited {
        /// The child.
        child: ActorId,
        /// How it ended.
        status: Status,
    },
    /// The root found an orphan among its children.
    Adopted {
        /// The orphan.
        child: ActorId,
    },
    /// The root has no child left, alive or zombie (`ECHILD` of waitid(2)).
    ChildrenGone,
    /// The root read end of file on its end of the baton.
    BatonClosed {
        /// The request that the baton was made for.
        request: RequestId,
    },
}

rename!(enum Input {
    Pause { shielding },
    Answered { request, answer },
    Cancel { cause },
    Unexamined { cause },
    CancelChild { child },
    UserTaskEnded,
    Received { from, message },
    LinkEnded { peer },
    Signalled { signal, origin },
    Expired { timer },
    Spawned { child },
    Exited { child, status },
    Adopted { child },
    ChildrenGone,
    BatonClosed { request },
});
rename!(nothing in Shielding, Answer, Cause, Status, Signal, Origin);

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
            Self::Quit => "SIGQUIT",
        })
    }
}
