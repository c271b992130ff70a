//! Frames that are not messages of the protocol: of the boot, of user tasks, of the roster, of
//! surveys.

use crate::child_record::Booting;
use crate::effects::{ActorResources, OtherFrame};
use crate::link::Link;
use crate::peer::{CREDITS, Peer, PeerMail, PeerRole, cost_of};
use crate::wire::{Frame, VERSION};
use holdfast_protocol::actor_loop::FrameVerdict;
use holdfast_protocol::{ActorId, Node};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

impl ActorResources {
    pub(crate) fn take_frame(
        &mut self,
        node: &Node,
        from: ActorId,
        (frame, descriptor): OtherFrame,
    ) -> FrameVerdict {
        let Some(role) = self.peers.get_mut(from).map(|peer| peer.role) else {
            return FrameVerdict::Fine;
        };
        match (role, frame) {
            (PeerRole::Child, Frame::Ready { version: VERSION }) => return self.booted(from),
            (PeerRole::Child, Frame::Outcome(outcome)) => {
                if let Some(record) = self.records.get_mut(&from) {
                    record.outcome = Some(outcome);
                }
            }
            (PeerRole::Child | PeerRole::Supervisor, Frame::Data(bytes)) => {
                return self.data(from, bytes);
            }
            (PeerRole::Child | PeerRole::Supervisor, Frame::Credit(count)) => {
                if let Some(mail) = self.mail_of(from) {
                    let room = CREDITS.saturating_sub(mail.credits.available_permits());
                    mail.credits.add_permits(room.min(count as usize));
                }
            }
            (PeerRole::Child, Frame::Born { pid, path }) => self.born(pid, path),
            (PeerRole::Child, Frame::Levels(levels)) => {
                if let Some(record) = self.records.get_mut(&from) {
                    record.levels = levels;
                }
                self.tell_levels();
            }
            (PeerRole::Child, Frame::Reaped { pid }) => {
                self.announce_reaped(pid);
                return FrameVerdict::Orphans;
            }
            (PeerRole::Child, Frame::Direct { pid }) => self.direct(pid, descriptor),
            (PeerRole::Supervisor, Frame::Survey { token }) => self.answer_survey(node, token),
            (PeerRole::Child, Frame::Report { token, report }) => self.report(token, *report),
            (_, other) => {
                let what = format!("{other:?}");
                let what = what.get(..what.len().min(80)).unwrap_or("a frame");
                return misbehaves(from, what);
            }
        }
        FrameVerdict::Fine
    }

    fn booted(&mut self, child: ActorId) -> FrameVerdict {
        let Some(record) = self.records.get_mut(&child) else { return FrameVerdict::Fine };
        let Some(Booting { reply, spawned }) = record.booting.take() else {
            return misbehaves(child, "it was ready before");
        };
        let path = record.path.split('/').map(str::to_owned).collect();
        let _ = reply.send(Ok(spawned));
        self.born(child.0, path);
        self.tell_levels();
        FrameVerdict::Fine
    }

    fn born(&mut self, pid: u32, path: Vec<String>) {
        match &mut self.root_resources {
            Some(root) if root.roster.len() < MOST_IN_ROSTER => drop(root.roster.insert(pid)),
            Some(_) => {}
            None => self.say_up(&Frame::Born { pid, path }),
        }
    }

    fn mail_of(&mut self, id: ActorId) -> Option<&mut PeerMail> {
        self.peers.get_mut(id)?.mail.as_mut()
    }

    fn data(&mut self, from: ActorId, bytes: Vec<u8>) -> FrameVerdict {
        let Some(mail) = self.mail_of(from) else { return FrameVerdict::Fine };
        if mail.unread + cost_of(bytes.len()) > CREDITS {
            return misbehaves(from, "more messages than it has credit for");
        }
        mail.unread += cost_of(bytes.len());
        // A program that reads nothing any longer needs no messages.
        let _ = mail.inbox.send(bytes);
        FrameVerdict::Fine
    }

    fn direct(&mut self, pid: u32, descriptor: Option<OwnedFd>) {
        if self.root_resources.is_none() {
            if let Some(supervisor) = self.peers.supervisor_mut() {
                supervisor.say(&Frame::Direct { pid }, descriptor, &self.senders);
            }
            return;
        }
        let Some(Ok(link)) = descriptor.map(|fd| Link::new(UnixStream::from(fd))) else { return };
        let id = ActorId(pid);
        self.peers.insert(id, Peer::new(id, link, PeerRole::Direct, &self.senders));
    }
}

/// The most actors that the root remembers as announced; who ends beyond them is reaped all the same.
const MOST_IN_ROSTER: usize = 64 << 10;

fn misbehaves(peer: ActorId, what: &str) -> FrameVerdict {
    tracing::warn!(target: "holdfast", peer = peer.0, what, "a peer is cut off");
    FrameVerdict::Misbehaves
}
