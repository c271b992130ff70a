//! Everything a node may ask of its caller, and the outbox it is appended to.

use super::id::{ActorId, RequestId};
use super::input::{Cause, Status};
use super::message::Message;
use super::timer::Timer;
use crate::rename;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A signal that climbs the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LadderSignal {
    /// SIGTERM (and SIGCONT, so that a stopped process sees it).
    Terminate,
    /// The signal SIGKILL.
    Kill,
}

/// Something worth telling the person who reads the log; no state depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notice {
    /// A SIGINT was not acted on: this actor holds (R3).
    InterruptShielded,
    /// A SIGINT was not acted on: it is the root's to decide (R3).
    InterruptLeftToRoot,
    /// A SIGINT was not acted on: the tree is being cancelled and nothing is left to hurry.
    InterruptTooLate,
    /// A message about a request that this actor does not know (any longer).
    UnexpectedMessage,
    /// A request that is known already, or bears the name of an actor that did not ask.
    DuplicateWant,
    /// A grant of a request that was granted before: the child below used its name again.
    DuplicateGrant,
    /// A message from somebody who has no business saying it. What came with it is dropped.
    WrongWay,
    /// A request from a child that was sent SIGKILL before.
    WantTooLate,
}

/// A state that the protocol declares impossible. The property `no-alarm` watches them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarm {
    /// A baton of a request that does not own the lock was closed: the lock was given away while
    /// somebody could still open a prompt on it.
    ReleaseByNonOwner,
    /// A grant or refusal for a request of this actor that was granted before: grants are made
    /// once, links do not repeat.
    GrantedTwice,
    /// A prompt was answered that is not open here.
    AnswerWithoutPrompt,
    /// A timer fired that was not armed: the driver must drop the expiry of a disarmed timer.
    TimerNotArmed,
}

/// Everything a node may ask of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "output")]
pub enum Output {
    /// Send a message to a neighbour. If the link is gone, drop the message (and the baton in it).
    Send {
        /// The neighbour.
        to: ActorId,
        /// What to say. A `Grant` takes the baton along: a fresh one if this is the root, else
        /// the one that was received.
        message: Message,
    },
    /// Start a timer, or start it anew.
    Arm {
        /// The timer.
        timer: Timer,
    },
    /// Stop a timer.
    Disarm {
        /// The timer.
        timer: Timer,
    },
    /// Send a signal to a child.
    Signal {
        /// The child.
        child: ActorId,
        /// The signal.
        signal: LadderSignal,
    },
    /// The name of the request that a [`super::Input::Pause`] or a post-mortem became.
    Requested {
        /// Its name.
        request: RequestId,
    },
    /// Open the prompt of this actor on the baton that came with the grant.
    PromptOpened {
        /// For which request.
        request: RequestId,
    },
    /// The prompt is over: drop the baton, let the paused task go on.
    PromptClosed {
        /// For which request.
        request: RequestId,
    },
    /// The request gets no prompt: let the paused task go on.
    Refused {
        /// Which request.
        request: RequestId,
    },
    /// Drop the baton of a grant that nobody waits for any longer.
    BatonDropped {
        /// The request that it was granted to.
        request: RequestId,
    },
    /// A debug session begins: save the terminal's modes.
    TerminalTaken,
    /// The debug session is over: restore the terminal's modes.
    TerminalRestored,
    /// A SIGINT is acted on.
    InterruptObeyed,
    /// The teardown begins: cancel the local tasks, then report [`super::Input::UserTaskEnded`].
    TeardownStarted {
        /// The cause of the end.
        cause: Cause,
    },
    /// Look for children that nobody knows: report each as [`super::Input::Adopted`], or
    /// [`super::Input::ChildrenGone`].
    Sweep,
    /// End this process.
    Exit {
        /// The exit status.
        status: Status,
    },
    /// Log this.
    Noticed {
        /// The notice.
        notice: Notice,
    },
    /// Log this loudly: the protocol itself is wrong.
    Alarmed {
        /// The alarm.
        alarm: Alarm,
    },
}

rename!(enum Output {
    Send { to, message },
    Arm { timer },
    Disarm { timer },
    Signal { child, signal },
    Requested { request },
    PromptOpened { request },
    PromptClosed { request },
    Refused { request },
    BatonDropped { request },
    TerminalTaken,
    TerminalRestored,
    InterruptObeyed,
    TeardownStarted { cause },
    Sweep,
    Exit { status },
    Noticed { notice },
    Alarmed { alarm },
});
rename!(nothing in LadderSignal, Notice, Alarm);

/// Where a node appends its outputs. The caller owns it and performs them in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    outputs: Vec<Output>,
}

impl Outbox {
    /// An empty outbox.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what was appended, in order, and leaves the outbox empty.
    pub fn drain(&mut self) -> alloc::vec::Drain<'_, Output> {
        self.outputs.drain(..)
    }

    pub(super) fn push(&mut self, output: Output) {
        self.outputs.push(output);
    }

    pub(super) fn send(&mut self, to: ActorId, message: Message) {
        self.push(Output::Send { to, message });
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        self.push(Output::Noticed { notice });
    }

    pub(super) fn alarm(&mut self, alarm: Alarm) {
        self.push(Output::Alarmed { alarm });
    }
}
