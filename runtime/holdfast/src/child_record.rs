//! What an actor knows of a child beside the protocol.

use crate::event::{ChildEnd, SpawnReply, Spawned};
use crate::failure::{Failure, FailureKind};
use crate::host::ProgramEnd;
use crate::process::ProcessEnd;
use crate::wire::Outcome;
use holdfast_protocol::Status;
use tokio::sync::watch;

/// What a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChildKind {
    Actor,
    Foreign,
    /// The program of a host.
    Hosted,
    /// An orphan that this root adopted.
    Adopted,
}

/// What an actor knows of a child beside the protocol.
pub(crate) struct ChildRecord {
    pub(crate) kind: ChildKind,
    pub(crate) name: String,
    pub(crate) path: String,
    /// How many levels of actors are below it.
    pub(crate) levels: u32,
    /// How its program ended, if it said so.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) booting: Option<Booting>,
    pub(crate) end: watch::Sender<Option<ChildEnd>>,
}

/// A child that has not said that it is ready.
pub(crate) struct Booting {
    pub(crate) reply: SpawnReply,
    pub(crate) spawned: Spawned,
}

impl ChildRecord {
    pub(crate) fn new(kind: ChildKind, name: String, path: String) -> Self {
        let end = watch::Sender::new(None);
        Self { kind, name, path, levels: 0, outcome: None, booting: None, end }
    }

    pub(crate) fn adopted() -> Self {
        Self::new(ChildKind::Adopted, "an orphan".to_owned(), String::new())
    }

    /// How the child ended, from what it said and how its process ended.
    pub(crate) fn conclude(&mut self, ended: ProcessEnd) -> ChildEnd {
        let failure = |kind| Failure::new(kind, &self.path, ended.to_string());
        match (self.outcome.take(), self.kind, ended) {
            (_, ChildKind::Hosted, ended) => {
                Ok(crate::context::encode("an end", &ProgramEnd::from(ended)).unwrap_or_default())
            }
            (Some(Outcome::Failed(failure)), _, _) => Err(failure),
            (_, _, ProcessEnd::Unknown) => Err(failure(FailureKind::Unknown)),
            (_, _, ProcessEnd::Signal(signal)) => Err(failure(FailureKind::Killed(signal))),
            (Some(Outcome::Returned(bytes)), _, ProcessEnd::Code(0)) => Ok(bytes),
            (None, ChildKind::Foreign, ProcessEnd::Code(0)) => {
                Ok(crate::context::encode("a result", &()).unwrap_or_default())
            }
            (_, ChildKind::Actor, ProcessEnd::Code(_))
                if crate::exit::status_of_actor(ended) == Status::Cancelled =>
            {
                Err(failure(FailureKind::Cancelled))
            }
            (_, _, ProcessEnd::Code(code)) => Err(failure(FailureKind::Exited(code))),
        }
    }
}
