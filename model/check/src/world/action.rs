//! Everything that can happen next: actions of the environment and moves of the tree.

use holdfast_protocol::{ActorId, Answer, Cause, RequestId, Signal, Status, Timer};
use serde::{Deserialize, Serialize};

/// A kind of action that a [`super::config::Budget`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Fault {
    /// A task hits a breakpoint.
    Request,
    /// A task hits a breakpoint that a cancel does not withdraw.
    Shielded,
    /// Ctrl-C at the terminal.
    Interrupt,
    /// SIGINT to one actor.
    InterruptOne,
    /// An actor fails.
    Error,
    /// An actor fails, and nobody wants to see it: no post-mortem, even in debug mode.
    ErrorUnexamined,
    /// The person quits instead of continuing.
    Quit,
    /// An actor's program asks for its end.
    Cancel,
    /// An actor's program asks one child to end.
    CancelChild,
    /// SIGKILL of an actor below the root.
    Kill,
    /// SIGKILL of the root.
    KillRoot,
    /// SIGTERM to the root.
    Stop,
    /// A link between two live actors ends.
    Cut,
    /// A program begins to read its terminal.
    Read,
    /// The terminal is taken back from a program that reads it: a wrong guess of its host, or the
    /// person's wish.
    TakeBack,
}

holdfast_protocol::named! {
    Fault, "a fault":
    Request => "request",
    Shielded => "shielded",
    Interrupt => "interrupt",
    InterruptOne => "interrupt-one",
    Error => "error",
    ErrorUnexamined => "error-unexamined",
    Quit => "quit",
    Cancel => "cancel",
    CancelChild => "cancel-child",
    Kill => "kill",
    KillRoot => "kill-root",
    Stop => "stop",
    Cut => "cut",
    Read => "read",
    TakeBack => "take-back",
}

/// What the environment does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "environment")]
pub enum EnvironmentAction {
    /// A task of the actor hits a breakpoint.
    Pause {
        /// The actor.
        actor: ActorId,
    },
    /// The same, shielded against cancel.
    PauseShielded {
        /// The actor.
        actor: ActorId,
    },
    /// The person answers the open prompt of the actor.
    Answer {
        /// Whose prompt.
        actor: ActorId,
        /// The answer.
        answer: Answer,
    },
    /// Something in the actor asks for its end: the steps `error`, `crash`, `deadline`, `cancel` and
    /// `finish` of a scenario, each as a [`Cause`]. The node takes it as
    /// [`Input::Cancel`](holdfast_protocol::Input::Cancel) ([`begin`](super::begin)).
    Provoke {
        /// The actor.
        actor: ActorId,
        /// The cause of the end.
        cause: Cause,
    },
    /// The actor fails, and its program does not want that examined.
    FailUnexamined {
        /// The actor.
        actor: ActorId,
        /// The cause of the end.
        #[serde(default = "of_itself", skip_serializing_if = "is_of_itself")]
        cause: Cause,
    },
    /// The program of the actor's supervisor asks it to end.
    CancelChild {
        /// The child.
        actor: ActorId,
    },
    /// Ctrl-C is typed.
    Interrupt,
    /// Somebody sends a signal to one process.
    Signal {
        /// Which process.
        actor: ActorId,
        /// Which signal.
        signal: Signal,
    },
    /// Somebody sends SIGKILL to one process.
    Kill {
        /// Which process.
        actor: ActorId,
    },
    /// The link between an actor and its supervisor ends; what is under way still arrives.
    Cut {
        /// The lower end.
        actor: ActorId,
    },
    /// The supervisor of the actor starts it.
    Spawn {
        /// The new actor.
        actor: ActorId,
    },
    /// A program begins to read its terminal. The kernel stops it unless its group has the foreground.
    Read {
        /// The program.
        actor: ActorId,
    },
    /// The person types what a program in the foreground reads.
    Type {
        /// The program.
        actor: ActorId,
    },
    /// A host takes the terminal back from its program, which reads it: the host has guessed wrong, or
    /// the person wants the next one to have it.
    TakeBack {
        /// The program.
        actor: ActorId,
    },
    /// A process ends behind the protocol's back: it is not an actor, or its program ended it. Seen in
    /// recorded runs alone.
    Die {
        /// Which process.
        actor: ActorId,
        /// The exit status.
        status: Status,
    },
    /// A process that no actor has announced becomes a child of the root. Seen in recorded runs
    /// alone.
    Appear {
        /// Which process.
        actor: ActorId,
    },
    /// A zombie is gone that its supervisor had reaped and was killed before it took that in. Seen
    /// in recorded runs alone.
    Vanish {
        /// The zombie.
        actor: ActorId,
    },
    /// A SIGKILL is about to come while an actor performs what its next input leads to. Seen in
    /// recorded runs alone.
    CutShort {
        /// The actor.
        actor: ActorId,
        /// How many outputs the actor still performs, the first of them.
        performed: u8,
    },
}

fn of_itself() -> Cause {
    Cause::Failed
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_of_itself(cause: &Cause) -> bool {
    *cause == Cause::Failed
}

impl EnvironmentAction {
    /// The actor that it happens to; a Ctrl-C happens to the terminal.
    #[must_use]
    pub fn actor(self) -> Option<ActorId> {
        match self {
            Self::Pause { actor }
            | Self::PauseShielded { actor }
            | Self::Answer { actor, .. }
            | Self::Provoke { actor, .. }
            | Self::FailUnexamined { actor, .. }
            | Self::CancelChild { actor }
            | Self::Signal { actor, .. }
            | Self::Kill { actor }
            | Self::Cut { actor }
            | Self::Spawn { actor }
            | Self::Read { actor }
            | Self::Type { actor }
            | Self::TakeBack { actor }
            | Self::Die { actor, .. }
            | Self::Appear { actor }
            | Self::Vanish { actor }
            | Self::CutShort { actor, .. } => Some(actor),
            Self::Interrupt => None,
        }
    }
}

/// What the tree, the kernel and time do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "system")]
pub enum SystemStep {
    /// An actor reads the next message, or the end, of a link.
    Deliver {
        /// The sender.
        from: ActorId,
        /// The reader.
        to: ActorId,
    },
    /// An actor handles a pending signal.
    TakeSignal {
        /// The actor.
        actor: ActorId,
        /// The signal.
        signal: Signal,
    },
    /// A timer fires.
    Expire {
        /// The actor.
        actor: ActorId,
        /// The timer.
        timer: Timer,
    },
    /// The local tasks of a cancelled actor end.
    EndUserTask {
        /// The actor.
        actor: ActorId,
    },
    /// An actor is booted.
    Boot {
        /// The actor.
        actor: ActorId,
    },
    /// A zombie is reaped by its parent.
    Reap {
        /// The zombie.
        actor: ActorId,
    },
    /// The root finds an orphan among its children.
    Adopt {
        /// The orphan.
        actor: ActorId,
    },
    /// The root sees that it has no child left.
    SeeChildrenGone,
    /// The root reads the end of the baton.
    ReadBaton {
        /// Of which request.
        request: RequestId,
    },
    /// The holder sees that the root's end of the baton is gone.
    LosePrompt {
        /// The holder.
        actor: ActorId,
    },
    /// A host is told that the kernel has stopped its program, and asks for the terminal.
    AskForProgram {
        /// The host.
        actor: ActorId,
    },
    /// A host that was granted the terminal brings its program to the foreground, and lets it go on.
    GiveForeground {
        /// The host.
        actor: ActorId,
    },
    /// A host whose program has ended is done.
    FinishHost {
        /// The host.
        actor: ActorId,
    },
    /// What the script waited for is so.
    Pass {
        /// The position of the step.
        at: u8,
    },
}

impl SystemStep {
    /// The actors that it names.
    #[must_use]
    pub fn actors(self) -> Vec<ActorId> {
        match self {
            Self::Deliver { from, to } => vec![from, to],
            Self::TakeSignal { actor, .. }
            | Self::Expire { actor, .. }
            | Self::EndUserTask { actor }
            | Self::Boot { actor }
            | Self::Reap { actor }
            | Self::Adopt { actor }
            | Self::LosePrompt { actor }
            | Self::AskForProgram { actor }
            | Self::GiveForeground { actor }
            | Self::FinishHost { actor } => vec![actor],
            Self::ReadBaton { request } => vec![request.actor],
            Self::SeeChildrenGone | Self::Pass { .. } => Vec::new(),
        }
    }
}

/// Everything that can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", untagged)]
pub enum Action {
    /// The tree moves.
    System(SystemStep),
    /// The environment acts.
    Environment(EnvironmentAction),
}
