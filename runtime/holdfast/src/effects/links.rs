//! Messages of the protocol, and the batons that go along with grants.

use super::ActorResources;
use crate::link::Heard;
use crate::peer::PeerRole;
use crate::wire::Frame;
use holdfast_protocol::actor_loop::Incoming;
use holdfast_protocol::policy::LockRelease;
use holdfast_protocol::{ActorId, Message, RequestId};
use rustix::process::Signal as ProcessSignal;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// A frame that is not a message of the protocol, with the descriptor that came with it.
pub(crate) type OtherFrame = (Frame, Option<OwnedFd>);

impl ActorResources {
    pub(super) fn send(&mut self, to: ActorId, message: Message) {
        let baton = match message {
            Message::Grant { request } => self.baton_for(request),
            _ => None,
        };
        match self.peers.get_mut(to) {
            Some(peer) => peer.say(&Frame::Say(message), baton, &self.senders),
            // A foreign program has no link; SIGTERM is how it is asked to end.
            None if matches!(message, Message::Cancel { .. }) => {
                self.children.signal(to, |child| child.signal(ProcessSignal::TERM));
            }
            None => {}
        }
    }

    /// The baton that goes along with a grant: a fresh one at the root, else the one that came.
    fn baton_for(&mut self, request: RequestId) -> Option<OwnedFd> {
        let policy = self.settings.policy();
        if policy.release() != LockRelease::BatonClosed {
            return None;
        }
        if self.root_resources.is_none() {
            return self.batons.remove(&request);
        }
        let (prompt, baton) = self.pair()?;
        self.open_prompt_session(request, prompt);
        Some(baton.into())
    }

    pub(super) fn pair(&self) -> Option<(UnixStream, UnixStream)> {
        UnixStream::pair()
            .inspect_err(|error| {
                tracing::error!(target: "holdfast", %error, "no socket pair can be had for a prompt");
            })
            .ok()
    }

    /// Reads the next frame of a peer.
    pub(super) fn read_link(&mut self, from: ActorId) -> Incoming<OtherFrame> {
        let Some(peer) = self.peers.get_mut(from) else { return Incoming::NoLink };
        match peer.link.hear() {
            Ok(Heard::Frame(Frame::Say(message), baton)) => {
                if let (Message::Grant { request }, Some(baton)) = (message, baton)
                    && matches!(peer.role, PeerRole::Supervisor | PeerRole::Direct)
                {
                    self.batons.insert(request, baton);
                }
                Incoming::Message(message)
            }
            Ok(Heard::Frame(frame, descriptor)) => Incoming::Frame((frame, descriptor)),
            Ok(Heard::Nothing) => {
                peer.listen();
                Incoming::Nothing
            }
            Ok(Heard::End) => Incoming::End,
            Err(error) => {
                let what = error.to_string();
                tracing::warn!(target: "holdfast", peer = from.0, what, "a peer is cut off");
                Incoming::End
            }
        }
    }

    /// Sends a frame to the supervisor, if there is one.
    pub(crate) fn say_up(&mut self, frame: &Frame) {
        if let Some(supervisor) = self.peers.supervisor_mut() {
            supervisor.say(frame, None, &self.senders);
        }
    }
}
