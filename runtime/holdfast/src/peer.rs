//! Whom an actor is linked with.

use crate::event::{ActorEvent, DriverEvent, Mail, Senders};
use crate::link::Link;
use crate::wire::Frame;
use holdfast_protocol::ActorId;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::{Mutex, Notify, Semaphore, mpsc};
use tokio::task::JoinHandle;

/// How many messages may be under way each way before a sender waits.
pub(crate) const CREDITS: usize = 64;

/// What a peer is to this actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeerRole {
    Supervisor,
    Child,
    /// Policies without relay: the root, or an actor deep below it.
    Direct,
}

/// The driver's end of the messages between this actor's user task and that of a peer.
pub(crate) struct PeerMail {
    pub(crate) inbox: mpsc::UnboundedSender<Vec<u8>>,
    pub(crate) credits: Arc<Semaphore>,
    /// How many were received that nobody has read.
    pub(crate) unread: usize,
}

/// The two ends of the messages with a peer: the user task's and the driver's.
pub(crate) fn mail_with(peer: ActorId) -> (Mail, PeerMail) {
    let (sender, inbox) = mpsc::unbounded_channel();
    let credits = Arc::new(Semaphore::new(CREDITS));
    let ours = PeerMail { inbox: sender, credits: Arc::clone(&credits), unread: 0 };
    (Mail { peer, inbox: Arc::new(Mutex::new(inbox)), credits }, ours)
}

/// One peer and the link to it.
pub(crate) struct Peer {
    pub(crate) link: Link,
    pub(crate) role: PeerRole,
    pub(crate) mail: Option<PeerMail>,
    rearm: Rc<Notify>,
    reader: JoinHandle<()>,
    writer: Option<JoinHandle<()>>,
    id: ActorId,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.reader.abort();
        if let Some(writer) = &self.writer {
            writer.abort();
        }
        if let Some(mail) = &self.mail {
            mail.credits.close();
        }
    }
}

impl Peer {
    pub(crate) fn new(id: ActorId, link: Link, role: PeerRole, senders: &Senders) -> Self {
        let rearm = Rc::new(Notify::new());
        let (socket, wake, events) = (link.socket(), Rc::clone(&rearm), senders.events.clone());
        let reader = tokio::task::spawn_local(async move {
            loop {
                let _ = socket.readable().await;
                if events.send(DriverEvent::Actor(ActorEvent::Readable(id))).is_err() {
                    return;
                }
                wake.notified().await;
            }
        });
        Self { link, role, mail: None, rearm, reader, writer: None, id }
    }

    /// Asks to be told of the next bytes.
    pub(crate) fn listen(&self) {
        self.rearm.notify_one();
    }

    /// Sends a frame, now or as soon as there is room.
    pub(crate) fn say(&mut self, frame: &Frame, descriptor: Option<OwnedFd>, senders: &Senders) {
        if let Err(error) = self.link.say(frame, descriptor) {
            tracing::error!(target: "holdfast", %error, "a frame was not sent");
        }
        self.wait_for_room(senders);
    }

    /// Asks to be told when there is room again, if something waits to be sent.
    pub(crate) fn wait_for_room(&mut self, senders: &Senders) {
        if !self.link.is_blocked() {
            self.writer = None;
        } else if self.writer.as_ref().is_none_or(JoinHandle::is_finished) {
            let (socket, events, id) = (self.link.socket(), senders.events.clone(), self.id);
            self.writer = Some(tokio::task::spawn_local(async move {
                let _ = socket.writable().await;
                let _ = events.send(DriverEvent::Writable(id));
            }));
        }
    }
}

/// Everybody this actor is linked with.
#[derive(Default)]
pub(crate) struct Peers {
    by_id: BTreeMap<ActorId, Peer>,
}

impl Peers {
    pub(crate) fn insert(&mut self, id: ActorId, peer: Peer) {
        self.by_id.insert(id, peer);
    }

    pub(crate) fn get_mut(&mut self, id: ActorId) -> Option<&mut Peer> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn remove(&mut self, id: ActorId) -> Option<Peer> {
        self.by_id.remove(&id)
    }

    pub(crate) fn supervisor_mut(&mut self) -> Option<&mut Peer> {
        self.by_id.values_mut().find(|peer| peer.role == PeerRole::Supervisor)
    }

    /// The actors among the children whose link is up.
    pub(crate) fn children_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.by_id.values_mut().filter(|peer| peer.role == PeerRole::Child)
    }

    pub(crate) fn is_linked(&self, id: ActorId) -> bool {
        self.by_id.contains_key(&id)
    }
}
