//! Who an actor is linked with, and what it knows of its children beside the protocol.

use crate::event::Event;
use crate::failure::{Failure, FailureKind};
use crate::link::Link;
use crate::portal::{End, Spawned};
use crate::process::Ended;
use crate::wire::{Frame, Outcome};
use holdfast_protocol::ActorId;
use holdfast_sync::mailbox::Sender;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// On which side of the tree a neighbour is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Supervisor,
    Child,
    /// Policies without relay: the root, or an actor deep below it.
    Direct,
}

/// The messages of a neighbour's program.
pub(crate) struct Post {
    pub(crate) inbox: mpsc::UnboundedSender<Vec<u8>>,
    pub(crate) credits: Arc<Semaphore>,
    /// How many were received that nobody has read.
    pub(crate) unread: usize,
}

/// One neighbour and the link to it.
pub(crate) struct Neighbour {
    pub(crate) link: Link,
    pub(crate) side: Side,
    pub(crate) post: Option<Post>,
    rearm: Rc<Notify>,
    reader: JoinHandle<()>,
    writer: Option<JoinHandle<()>>,
    peer: ActorId,
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.reader.abort();
        if let Some(writer) = &self.writer {
            writer.abort();
        }
        if let Some(post) = &self.post {
            post.credits.close();
        }
    }
}

impl Neighbour {
    pub(crate) fn new(peer: ActorId, link: Link, side: Side, events: &Sender<Event>) -> Self {
        let rearm = Rc::new(Notify::new());
        let (socket, wake, events) = (link.socket(), Rc::clone(&rearm), events.clone());
        let reader = tokio::task::spawn_local(async move {
            loop {
                let _ = socket.readable().await;
                if events.send(Event::Readable(peer)).is_err() {
                    return;
                }
                wake.notified().await;
            }
        });
        Self { link, side, post: None, rearm, reader, writer: None, peer }
    }

    /// Sends a frame, now or as soon as there is room.
    pub(crate) fn say(
        &mut self,
        frame: &Frame,
        descriptor: Option<OwnedFd>,
        events: &Sender<Event>,
    ) {
        if let Err(error) = self.link.say(frame, descriptor) {
            tracing::error!(target: "holdfast", %error, "a frame was not sent");
        }
        self.wait_for_room(events);
    }

    pub(crate) fn wait_for_room(&mut self, events: &Sender<Event>) {
        if !self.link.is_blocked() {
            self.writer = None;
        } else if self.writer.as_ref().is_none_or(JoinHandle::is_finished) {
            let (socket, events, peer) = (self.link.socket(), events.clone(), self.peer);
            self.writer = Some(tokio::task::spawn_local(async move {
                let _ = socket.writable().await;
                let _ = events.send(Event::Writable(peer));
            }));
        }
    }
}

/// Everybody this actor is linked with.
#[derive(Default)]
pub(crate) struct Neighbours {
    by_id: BTreeMap<ActorId, Neighbour>,
}

impl Neighbours {
    pub(crate) fn insert(&mut self, id: ActorId, neighbour: Neighbour) {
        self.by_id.insert(id, neighbour);
    }

    pub(crate) fn get_mut(&mut self, id: ActorId) -> Option<&mut Neighbour> {
        self.by_id.get_mut(&id)
    }

    /// Asks to be told of the next bytes of this one.
    pub(crate) fn listen(&self, id: ActorId) {
        if let Some(neighbour) = self.by_id.get(&id) {
            neighbour.rearm.notify_one();
        }
    }

    pub(crate) fn remove(&mut self, id: ActorId) -> Option<Neighbour> {
        self.by_id.remove(&id)
    }

    pub(crate) fn supervisor_mut(&mut self) -> Option<&mut Neighbour> {
        self.by_id.values_mut().find(|neighbour| neighbour.side == Side::Supervisor)
    }

    /// The actors among the children whose link is up.
    pub(crate) fn children_mut(&mut self) -> impl Iterator<Item = &mut Neighbour> {
        self.by_id.values_mut().filter(|neighbour| neighbour.side == Side::Child)
    }

    pub(crate) fn is_linked(&self, id: ActorId) -> bool {
        self.by_id.contains_key(&id)
    }
}

/// What a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KinKind {
    Actor,
    Foreign,
    /// An orphan that this root adopted.
    Adopted,
}

/// What an actor knows of a child beside the protocol.
pub(crate) struct Kin {
    pub(crate) kind: KinKind,
    pub(crate) name: String,
    pub(crate) path: String,
    /// How many levels of actors are below it.
    pub(crate) levels: u32,
    /// How its program ended, if it said so.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) booting: Option<Booting>,
    pub(crate) end: watch::Sender<Option<End>>,
}

/// A child that has not said that it is ready.
pub(crate) struct Booting {
    pub(crate) reply: oneshot::Sender<Result<Spawned, crate::error::RuntimeError>>,
    pub(crate) spawned: Spawned,
}

impl Kin {
    pub(crate) fn new(kind: KinKind, name: String, path: String) -> Self {
        let end = watch::Sender::new(None);
        Self { kind, name, path, levels: 0, outcome: None, booting: None, end }
    }

    pub(crate) fn adopted() -> Self {
        Self::new(KinKind::Adopted, "an orphan".to_owned(), String::new())
    }

    /// How the child ended, from what it said and how its process ended.
    pub(crate) fn conclude(&mut self, ended: Ended) -> End {
        use holdfast_protocol::Status;
        let failure = |kind| Failure::new(kind, &self.path, ended.to_string());
        match (self.outcome.take(), self.kind, ended) {
            (Some(Outcome::Failed(failure)), _, _) => Err(failure),
            (_, _, Ended::Unknown) => Err(failure(FailureKind::Unknown)),
            (_, _, Ended::Signal(signal)) => Err(failure(FailureKind::Killed(signal))),
            (Some(Outcome::Returned(bytes)), _, Ended::Code(0)) => Ok(bytes),
            (None, KinKind::Foreign, Ended::Code(0)) => {
                Ok(crate::context::encode("a result", &()).unwrap_or_default())
            }
            (_, KinKind::Actor, Ended::Code(_))
                if crate::exit::status_of_actor(ended) == Status::Cancelled =>
            {
                Err(failure(FailureKind::Cancelled))
            }
            (_, _, Ended::Code(code)) => Err(failure(FailureKind::Exited(code))),
        }
    }
}
