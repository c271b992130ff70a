//! What comes on the links: frames of neighbours, and the ends of links.

use super::Actor;
use crate::event::Event;
use crate::kin::{Neighbour, Post, Side};
use crate::link::{Heard, Link};
use crate::portal::CREDITS;
use crate::wire::{Frame, VERSION};
use holdfast_protocol::{ActorId, Input};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// How many frames of one link are taken before others get their turn.
const TURN: usize = 64;

impl Actor {
    /// Reads what a link has, up to a turn's worth.
    pub(super) fn read(&mut self, peer: ActorId) {
        for _ in 0..TURN {
            if self.takes_no_more() {
                break;
            }
            let Some(heard) = self.hands_mut().hear(peer) else { return };
            match heard {
                Ok(Heard::Frame(frame, descriptor)) => self.frame(peer, frame, descriptor),
                Ok(Heard::Nothing) => return self.hands_mut().neighbours.listen(peer),
                Ok(Heard::End) => return self.link_over(peer),
                Err(error) => return self.misbehaves(peer, &error.to_string()),
            }
        }
        let _ = self.hands().events.send(Event::Readable(peer));
    }

    pub(super) fn write(&mut self, peer: ActorId) {
        let events = self.hands().events.clone();
        if let Some(neighbour) = self.hands_mut().neighbours.get_mut(peer) {
            neighbour.link.flush();
            neighbour.wait_for_room(&events);
        }
    }

    /// A peer that sends what it should not is cut off, and nobody else is.
    pub(super) fn misbehaves(&mut self, peer: ActorId, what: &str) {
        tracing::warn!(target: "holdfast", peer = peer.0, what, "a neighbour is cut off");
        self.link_over(peer);
    }

    pub(super) fn link_over(&mut self, peer: ActorId) {
        if self.hands_mut().neighbours.remove(peer).is_some() {
            self.lose_in_surveys(peer.0);
            self.feed(Input::LinkEnded { peer });
        }
    }

    pub(super) fn frame(&mut self, peer: ActorId, frame: Frame, descriptor: Option<OwnedFd>) {
        let Some(side) = self.hands_mut().neighbours.get_mut(peer).map(|one| one.side) else {
            return;
        };
        match (side, frame) {
            (_, Frame::Say(message)) => self.said(peer, side, message, descriptor),
            (Side::Child, Frame::Ready { version: VERSION }) => self.booted(peer),
            (Side::Child, Frame::Outcome(outcome)) => {
                if let Some(kin) = self.hands_mut().kin.get_mut(&peer) {
                    kin.outcome = Some(outcome);
                }
            }
            (Side::Child | Side::Supervisor, Frame::Data(bytes)) => self.mail(peer, bytes),
            (Side::Child | Side::Supervisor, Frame::Credit(count)) => {
                if let Some(post) = self.post(peer) {
                    let room = CREDITS.saturating_sub(post.credits.available_permits());
                    post.credits.add_permits(room.min(count as usize));
                }
            }
            (Side::Child, Frame::Born { pid, path }) => self.born(pid, path),
            (Side::Child, Frame::Levels(levels)) => {
                if let Some(kin) = self.hands_mut().kin.get_mut(&peer) {
                    kin.levels = levels;
                }
                self.tell_levels();
            }
            (Side::Child, Frame::Reaped { pid }) => self.orphaned_by(pid),
            (Side::Child, Frame::Direct { pid }) => self.direct(pid, descriptor),
            (Side::Supervisor, Frame::Survey { token }) => self.answer_survey(token),
            (Side::Child, Frame::Report { token, report }) => self.report(token, *report),
            (_, other) => {
                let what = format!("{other:?}");
                self.misbehaves(peer, what.get(..what.len().min(80)).unwrap_or("a frame"));
            }
        }
    }

    pub(super) fn said(
        &mut self,
        from: ActorId,
        side: Side,
        message: holdfast_protocol::Message,
        baton: Option<OwnedFd>,
    ) {
        use holdfast_protocol::Message;
        let granted = match (message, side, baton) {
            (Message::Grant { request }, Side::Supervisor | Side::Direct, Some(baton)) => {
                self.hands_mut().batons.insert(request, baton);
                Some(request)
            }
            _ => None,
        };
        self.feed(Input::Received { from, message });
        if let Some(request) = granted {
            // Whatever became of the grant has become of it: a baton that is left is closed.
            self.hands_mut().batons.remove(&request);
        }
    }

    pub(super) fn post(&mut self, peer: ActorId) -> Option<&mut Post> {
        self.hands_mut().neighbours.get_mut(peer)?.post.as_mut()
    }

    pub(super) fn mail(&mut self, peer: ActorId, bytes: Vec<u8>) {
        let Some(post) = self.post(peer) else { return };
        if post.unread == CREDITS {
            return self.misbehaves(peer, "more messages than it has credit for");
        }
        post.unread += 1;
        // A program that reads nothing any more needs no messages.
        let _ = post.inbox.send(bytes);
    }

    pub(super) fn direct(&mut self, pid: u32, descriptor: Option<OwnedFd>) {
        let live = self.hands_mut();
        let events = live.events.clone();
        if live.top.is_none() {
            if let Some(supervisor) = live.neighbours.supervisor_mut() {
                supervisor.say(&Frame::Direct { pid }, descriptor, &events);
            }
            return;
        }
        let Some(Ok(link)) = descriptor.map(|fd| Link::new(UnixStream::from(fd))) else { return };
        let peer = ActorId(pid);
        live.neighbours.insert(peer, Neighbour::new(peer, link, Side::Direct, &events));
    }
}
