//! A supervisor's handle for one child: its messages, its result, its end.

use crate::context::{decode, encode};
use crate::error::RuntimeError;
use crate::event::{ActorEvent, ChildEnd, DriverEvent, Mail, Spawned};
use crate::failure::Failure;
use crate::peer::cost_of;
use holdfast_sync::mailbox::Sender;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;
use std::marker::PhantomData;
use tokio::sync::watch;

/// The messages between this actor and one peer.
pub(crate) struct Mailbox {
    pub(crate) mail: Mail,
    pub(crate) events: Sender<DriverEvent>,
}

impl Mailbox {
    pub(crate) async fn send<M: Serialize>(&self, message: &M) -> Result<(), RuntimeError> {
        let bytes = encode("a message", message)?;
        let gone = || RuntimeError::Gone("send a message");
        let cost = u32::try_from(cost_of(bytes.len())).unwrap_or(u32::MAX);
        self.mail.credits.acquire_many(cost).await.map_err(|_| gone())?.forget();
        self.events.send(DriverEvent::Data { to: self.mail.peer, bytes }).map_err(|_| gone())
    }

    pub(crate) async fn receive<M: DeserializeOwned>(&self) -> Result<Option<M>, RuntimeError> {
        let Some(bytes) = self.mail.inbox.lock().await.recv().await else { return Ok(None) };
        let _ = self
            .events
            .send(DriverEvent::Consumed { from: self.mail.peer, cost: cost_of(bytes.len()) });
        decode("a message", &bytes).map(Some)
    }
}

/// A supervisor's handle for one child whose result is an `R`.
///
/// Dropping it changes nothing: the child lives until it ends, or until its supervisor does.
pub struct Portal<R> {
    name: String,
    path: String,
    mailbox: Mailbox,
    end: watch::Receiver<Option<ChildEnd>>,
    result: PhantomData<fn() -> R>,
}

impl<R> fmt::Debug for Portal<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, pid) = (self.path(), self.pid());
        f.debug_struct("Portal").field("path", &path).field("pid", &pid).finish_non_exhaustive()
    }
}

impl<R> Portal<R> {
    pub(crate) fn new(spawned: Spawned, events: Sender<DriverEvent>) -> Self {
        let Spawned { name, path, mail, end } = spawned;
        Self { name, path, mailbox: Mailbox { mail, events }, end, result: PhantomData }
    }

    /// The child's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The child's path from the root, like `root/mid/leaf`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The child's process. Signal it only while you hold its supervisor alive: a number is used
    /// again once its process is reaped.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.mailbox.mail.peer.0
    }

    /// Sends the child a message, which it takes with [`crate::Context::receive`]. Waits while too
    /// many are under way.
    ///
    /// # Errors
    /// The message cannot be serialised or is over 15 MiB; the child, or this actor, has ended.
    pub async fn send<M: Serialize>(&self, message: &M) -> Result<(), RuntimeError> {
        self.mailbox.send(message).await
    }

    /// Takes the child's next message; `None` once it has ended.
    ///
    /// # Errors
    /// The message is not an `M`.
    pub async fn receive<M: DeserializeOwned>(&self) -> Result<Option<M>, RuntimeError> {
        self.mailbox.receive().await
    }

    /// Waits until the child has ended and was reaped.
    async fn end(&self) -> ChildEnd {
        let mut end = self.end.clone();
        let gone =
            || Failure::new(crate::failure::FailureKind::Cancelled, &self.path, String::new());
        let Ok(end) = end.wait_for(Option::is_some).await else { return Err(gone()) };
        end.clone().unwrap_or_else(|| Err(gone()))
    }

    /// Asks the child to end, and waits until it has and was reaped: the acknowledgement.
    ///
    /// A person at a prompt in its branch is waited for.
    pub async fn cancel_and_wait(&self) {
        let _ = self.cancel();
        let _ = self.end().await;
    }

    /// Asks the child to end, and does not wait.
    ///
    /// # Errors
    /// This actor has ended.
    pub fn cancel(&self) -> Result<(), RuntimeError> {
        let cancel = ActorEvent::CancelChild(self.mailbox.mail.peer);
        let gone = |_| RuntimeError::Gone("cancel a child");
        self.mailbox.events.send(DriverEvent::Actor(cancel)).map_err(gone)
    }
}

impl<R: DeserializeOwned> Portal<R> {
    /// The child's result, once its process has ended and was reaped.
    ///
    /// # Errors
    /// The child failed, or was cancelled. A failure cancels the supervisor too, so code behind
    /// this call may not run any longer.
    pub async fn result(&self) -> Result<R, Failure> {
        let bytes = self.end().await?;
        decode("the result", &bytes)
            .map_err(|error| Failure::returned(Box::new(error), self.path()))
    }
}
