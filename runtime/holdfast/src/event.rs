//! What wakes the driver. The vocabulary of everything around it: nothing here knows who sends an
//! event, or what becomes of it.

use crate::agent::PausedTask;
use crate::error::RuntimeError;
use crate::failure::Failure;
use crate::process::Process;
use crate::prompt::PromptEvent;
use crate::settings::Debugging;
use crate::signals::Taken;
use holdfast_protocol::actor_loop::{self, Examine, Point};
use holdfast_protocol::{ActorId, Answer, RequestId, Shielding};
use holdfast_sync::mailbox::Sender;
use holdfast_sync::ticket::Ticket;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot, watch};

/// An event of the actor loop.
pub(crate) type ActorEvent = actor_loop::Event<ChildOrder, UserTaskEnd>;

/// One thing that happened.
pub(crate) enum DriverEvent {
    /// One for the actor loop.
    Actor(ActorEvent),
    /// A link has room again.
    Writable(ActorId),
    /// The prompt session has something to say.
    PromptSession(RequestId, PromptEvent),
    /// A signal.
    Signal(Taken),
    /// A task or thread pauses.
    Pause(PauseRequest),
    /// Nobody waits for this pause any longer.
    Abandoned(u64),
    /// The program has a message for a peer.
    Data { to: ActorId, bytes: Vec<u8> },
    /// The program has read a message: the sender may send another.
    Consumed { from: ActorId, cost: usize },
    /// The tree is asked for, as text.
    Survey(oneshot::Sender<String>),
    /// The end of this actor takes long.
    EndsLate,
    /// A survey had its time.
    SurveyOverdue(u32),
    /// A probe lets one input pass that it holds back.
    Resume(Point),
}

/// The way to the driver of this process.
#[derive(Clone, Debug)]
pub(crate) struct Senders {
    pub(crate) events: Sender<DriverEvent>,
    /// For what is taken even while a prompt freezes the driver.
    pub(crate) urgent: Sender<DriverEvent>,
}

impl Senders {
    /// Sends an event the way that it must take. A driver that has ended needs none.
    pub(crate) fn send(&self, event: ActorEvent) {
        let way = if event.is_urgent() { &self.urgent } else { &self.events };
        let _ = way.send(DriverEvent::Actor(event));
    }
}

/// How the user task ended.
pub(crate) enum UserTaskEnd {
    /// With a result.
    Returned(Vec<u8>),
    /// With an error or a panic, and where.
    Failed(Failure, Box<PausedTask>, Examine),
    /// The task was dropped: a cancel.
    Dropped,
}

/// A child that is to be started.
pub(crate) struct ChildOrder {
    pub(crate) program: ChildProgram,
    pub(crate) name: String,
    pub(crate) reply: SpawnReply,
    /// Its process, once there is one.
    pub(crate) started: Option<StartedProcess>,
}

/// A process that was started for an order, with the link to it.
pub(crate) struct StartedProcess {
    pub(crate) process: Process,
    pub(crate) link: Option<UnixStream>,
}

/// Who hears whether a child was started.
pub(crate) type SpawnReply = oneshot::Sender<Result<Spawned, RuntimeError>>;

/// What a child executes.
pub(crate) enum ChildProgram {
    /// A function of this program, as an actor.
    Actor { function: &'static str, args: Vec<u8>, debugging: Option<Debugging>, given: Given },
    /// A program that knows nothing of the tree.
    Foreign(Option<Box<Command>>),
    /// The program of a host: it has a process group of its own in the host's session, and its end
    /// is a result, whatever it is.
    Hosted(Option<Box<Command>>),
}

/// Which descriptors a child is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// The standard output and error, and its link.
    Output,
    /// All that are not close-on-exec, as exec(2) does it, and its link; and a session of its own.
    All,
}

/// What the driver hands out for a new child.
pub(crate) struct Spawned {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) mail: Mail,
    pub(crate) end: watch::Receiver<Option<ChildEnd>>,
}

/// How a child ended: its result, or its failure.
pub(crate) type ChildEnd = Result<Vec<u8>, Failure>;

/// The user task's end of the messages between this actor and a peer.
#[derive(Clone)]
pub(crate) struct Mail {
    pub(crate) peer: ActorId,
    pub(crate) inbox: Arc<Mutex<mpsc::UnboundedReceiver<Vec<u8>>>>,
    pub(crate) credits: Arc<Semaphore>,
}

/// What gets the terminal when a prompt opens.
pub(crate) enum Asker {
    /// A paused task, which an agent describes.
    Task(Box<PausedTask>),
    /// A program that reads the terminal itself, by its host.
    Program(TurnStart),
}

/// Takes the session of a prompt that opens, and what ends it.
pub(crate) type TurnStart = Box<dyn FnOnce(UnixStream, TurnEnd) + Send>;

/// Ends the session of a prompt.
pub(crate) type TurnEnd = Box<dyn FnOnce(Answer) + Send>;

/// A pause, as the driver gets it.
pub(crate) struct PauseRequest {
    pub(crate) id: u64,
    pub(crate) asker: Asker,
    pub(crate) shielding: Shielding,
    pub(crate) ticket: Ticket<Resumed>,
}

/// How a pause came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resumed {
    /// The person typed `continue`, or nobody could be asked.
    Continued,
    /// The person typed `quit`: this actor fails now.
    Quit,
    /// The prompt was closed by the runtime: the tree was told to stop, or lost its root.
    Revoked,
    /// There was no prompt: the actor, or the tree, is on its way out.
    Refused,
    /// There was no prompt: debugging is off, this process is not an actor, or the same task pauses already.
    Passed,
}
