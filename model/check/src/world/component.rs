//! The components of the world and what they do to each other.
//!
//! A step starts with one input to one component; the component changes and names the inputs that follow for
//! other components, until none is left. So the same code runs on plain values ([`super::System`]) and
//! on interned ones (the explorer), which remember the answer.

use super::link::{LinkInput, LinkState};
use super::process::{ProcessState, ProgramInput};
use super::shared::{SharedEnvironment, SharedInput};
use holdfast_protocol::rename;
use holdfast_protocol::{
    ActorId, Input, Message, Origin, Output, Rename, Renaming, Signal, Status,
};

/// The name of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// A process and the node in it.
    Actor(ActorId),
    /// A link, by its number in the topology.
    Link(u8),
    /// Terminal, baton, budget, script.
    SharedEnvironment,
}

/// The value of a component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComponentValue {
    /// Of [`Component::Actor`].
    Actor(ProcessState),
    /// Of [`Component::Link`].
    Link(LinkState),
    /// Of [`Component::SharedEnvironment`].
    SharedEnvironment(SharedEnvironment),
}

rename!(
    enum ComponentValue {
        Actor(process),
        Link(link),
        SharedEnvironment(shared),
    }
);

/// What happens to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorInput {
    /// Its node takes an input.
    Handle(Input),
    /// A signal is sent to it. Standard signals coalesce: one that is pending stays as it is.
    Pend(Signal, Origin),
    /// The process takes a pending signal.
    Take(Signal),
    /// The signal SIGKILL.
    Kill,
    /// The process ends, and its node is not asked.
    Die(Status),
    /// Its parent process died.
    ParentDied(ActorId),
    /// The process is started.
    Start,
    /// The process was started by somebody unknown, who is gone.
    Appear,
    /// Its boot is over.
    Boot,
    /// The process is reaped.
    Reap,
    /// The root has found it among its children.
    Find,
    /// The process performs so many outputs of its next input before it is killed.
    CutShort(u8),
    /// Something happens at the terminal between a host and its program; to the host.
    Program(ProgramInput),
}

/// An input to some component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComponentInput {
    /// To a process.
    Actor(ActorInput),
    /// To a link.
    Link(LinkInput),
    /// To the shared environment.
    SharedEnvironment(SharedInput),
}

impl ComponentInput {
    /// The same input with its actors renamed.
    #[must_use]
    pub fn renamed(self, by: &Renaming) -> Self {
        match self {
            Self::Actor(input) => Self::Actor(match input {
                ActorInput::Handle(input) => ActorInput::Handle(input.renamed(by)),
                ActorInput::ParentDied(dead) => ActorInput::ParentDied(by.actor(dead)),
                ActorInput::Pend(..)
                | ActorInput::Take(_)
                | ActorInput::Kill
                | ActorInput::Die(_)
                | ActorInput::Start
                | ActorInput::Appear
                | ActorInput::Boot
                | ActorInput::Reap
                | ActorInput::Find
                | ActorInput::CutShort(_)
                | ActorInput::Program(_) => input,
            }),
            Self::Link(input) => Self::Link(match input {
                LinkInput::Push(end, message) => LinkInput::Push(end, message.renamed(by)),
                LinkInput::Read(_) | LinkInput::Died(_) | LinkInput::Cut | LinkInput::Abandon => {
                    input
                }
            }),
            Self::SharedEnvironment(input) => Self::SharedEnvironment(match input {
                SharedInput::MakeBaton(request) => SharedInput::MakeBaton(request.renamed(by)),
                SharedInput::CloseBaton(request) => SharedInput::CloseBaton(request.renamed(by)),
                SharedInput::ReadBaton(request) => SharedInput::ReadBaton(request.renamed(by)),
                SharedInput::Spend(_)
                | SharedInput::Advance
                | SharedInput::SetModes(_)
                | SharedInput::EndRoot(_) => input,
            }),
        }
    }
}

impl From<ActorInput> for ComponentInput {
    fn from(input: ActorInput) -> Self {
        Self::Actor(input)
    }
}

impl From<LinkInput> for ComponentInput {
    fn from(input: LinkInput) -> Self {
        Self::Link(input)
    }
}

impl From<SharedInput> for ComponentInput {
    fn from(input: SharedInput) -> Self {
        Self::SharedEnvironment(input)
    }
}

/// Something that a property, a chart or a trace looks at. No state depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Observation {
    /// A node gave an output.
    Output {
        /// Which actor.
        actor: ActorId,
        /// What it asked for.
        output: Output,
    },
    /// A message was read.
    Delivered {
        /// The sender.
        from: ActorId,
        /// The reader.
        to: ActorId,
        /// What it says.
        message: Message,
    },
    /// The end of a link was read.
    EndRead {
        /// Who is gone.
        from: ActorId,
        /// The reader.
        to: ActorId,
    },
    /// A signal was handled.
    Took {
        /// The actor.
        actor: ActorId,
        /// The signal.
        signal: Signal,
        /// From where.
        origin: Origin,
    },
    /// A process ended.
    Died {
        /// The actor.
        actor: ActorId,
        /// The exit status.
        status: Status,
    },
}

/// What follows from an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// An input to another component.
    To(Component, ComponentInput),
    /// For the eyes of checkers alone.
    Observation(Observation),
}
