//! Whom an actor is linked with.

use crate::event::{ActorEvent, DriverEvent, Mail, Senders};
use crate::link::Link;
use crate::wire::{Frame, MAX_FRAME};
use holdfast_protocol::{ActorId, Node};
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::{Mutex, Notify, Semaphore, mpsc};
use tokio::task::JoinHandle;

/// How many messages may be under way each way before a sender waits, if they are small.
pub(crate) const CREDITS: usize = 64;

/// How many bytes of a message cost one credit: so what a peer has sent and nobody has read is at
/// most one largest frame.
const CREDIT_BYTES: usize = MAX_FRAME / CREDITS;

/// How many credits a message of so many bytes costs.
pub(crate) fn cost_of(bytes: usize) -> usize {
    (1 + bytes / CREDIT_BYTES).min(CREDITS)
}

/// How many requests for the terminal may wait in the branch of one child.
pub(crate) const MOST_REQUESTS_BELOW: usize = 16 << 10;

/// After how many requests of a branch it is looked at how many of them wait.
const LOOK_AT_REQUESTS: usize = 1 << 10;

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
    /// The cost of those that were received and that nobody has read.
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
    /// Requests since it was last looked at how many wait.
    wants: usize,
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
        Self { link, role, mail: None, rearm, reader, writer: None, id, wants: 0 }
    }

    /// Notes a request for the terminal, and ends the link if too many of its branch wait.
    pub(crate) fn wants(&mut self, node: &Node) {
        self.wants += 1;
        if self.wants < LOOK_AT_REQUESTS {
            return;
        }
        self.wants = 0;
        let waiting = node.holds().iter().filter(|(_, hold)| hold.via == self.id).count();
        if waiting > MOST_REQUESTS_BELOW {
            let (peer, most) = (self.id.0, MOST_REQUESTS_BELOW);
            tracing::warn!(target: "holdfast", peer, most, "too many requests wait: it is cut off");
            self.link.cut();
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::MAX_PAYLOAD;

    #[test]
    fn what_nobody_has_read_is_at_most_one_largest_frame() {
        assert_eq!((cost_of(0), cost_of(CREDIT_BYTES - 1), cost_of(CREDIT_BYTES)), (1, 1, 2));
        assert_eq!(cost_of(MAX_PAYLOAD), CREDITS, "the largest message can be sent");
        assert_eq!(CREDITS * CREDIT_BYTES, MAX_FRAME);
    }
}
