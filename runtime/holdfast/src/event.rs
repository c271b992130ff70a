//! What the driver is woken for, before it is an input of the protocol.

use crate::error::RuntimeError;
use crate::failure::Failure;
use crate::front::FrontEvent;
use crate::pause::Wish;
use crate::portal::Spawned;
use crate::probe::Point;
use crate::settings::Debugging;
use crate::signals::Taken;
use holdfast_protocol::{ActorId, Answer, Cause, RequestId};
use std::process::Command;
use tokio::sync::oneshot;

/// One thing that happened.
pub(crate) enum Event {
    /// A link has something to be read.
    Readable(ActorId),
    /// A link has room again.
    Writable(ActorId),
    /// The process of a child has ended.
    ChildEnded(ActorId),
    /// The prompt of this actor was answered.
    Answered(RequestId, Answer),
    /// The front end of a debug session has something to say.
    Front(RequestId, FrontEvent),
    /// Nobody waits for this pause any more.
    Abandoned(u64),
    /// A signal.
    Signal(Taken),
    /// Something that this actor's own program wants.
    Local(Local),
    /// The own code had its time to end.
    BodyOverdue,
    /// A survey had its time.
    SurveyOverdue(u32),
    /// A probe lets one input pass that it holds back.
    Resume(Point),
}

/// How the own program ended.
pub(crate) enum Ending {
    /// With a result.
    Returned(Vec<u8>),
    /// With an error or a panic, and where.
    Failed(Failure, Box<crate::agent::Scene>, Examine),
    /// It was dropped: a cancel.
    Dropped,
}

/// Whether a failure may open a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Examine {
    Yes,
    No,
}

/// What the own program wants.
pub(crate) enum Local {
    /// A task or thread pauses.
    Pause(Wish),
    /// A child is to be started.
    Spawn(SpawnOrder),
    /// A foreign program is to be started.
    Command {
        name: String,
        command: Box<Command>,
        reply: oneshot::Sender<Result<Spawned, RuntimeError>>,
    },
    /// A message for a neighbour.
    Data { to: ActorId, bytes: Vec<u8> },
    /// The program has read a message: the sender may send another.
    Consumed { from: ActorId },
    /// A child is to end.
    CancelChild(ActorId),
    /// This actor is to end.
    Cancel(Cause),
    /// Its link to the supervisor is to be cut.
    Cut,
    /// The tree is asked for, as text.
    Survey(oneshot::Sender<String>),
    /// The program has ended.
    Ended(Ending),
}

/// A child that is to be started.
pub(crate) struct SpawnOrder {
    pub(crate) function: &'static str,
    pub(crate) name: String,
    pub(crate) args: Vec<u8>,
    pub(crate) debugging: Option<Debugging>,
    pub(crate) reply: oneshot::Sender<Result<Spawned, RuntimeError>>,
}
