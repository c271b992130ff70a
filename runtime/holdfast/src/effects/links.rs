//! Messages of the protocol, and the batons that go along with grants.

use super::{Abort, ActorResources};
use crate::link::Heard;
use crate::peer::PeerRole;
use crate::process::Process;
use crate::wire::Frame;
use holdfast_protocol::actor_loop::Incoming;
use holdfast_protocol::policy::LockRelease;
use holdfast_protocol::{ActorId, Message, RequestId};
use rustix::process::Signal as ProcessSignal;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use tokio::io::unix::AsyncFd;

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
        let watch = watch_holder(request.actor, &prompt);
        self.open_prompt_session(request, prompt);
        self.holder = watch;
        Some(baton.into())
    }

    /// Closes a baton that nobody will use, in all its copies.
    pub(super) fn drop_baton(&mut self, request: RequestId) {
        if let Some(baton) = self.batons.remove(&request) {
            // It fails only if the other end is gone already.
            let _ = UnixStream::from(baton).shutdown(Shutdown::Both);
        }
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

/// Ends the session when the holder's process has ended. Its end of the baton is closed by then,
/// unless a copy of it (fork without exec) lives on: the lock is not the copy's.
fn watch_holder(holder: ActorId, front: &UnixStream) -> Option<Abort> {
    let ours = front.try_clone().ok()?;
    let pidfd = Process::child(holder.0).and_then(|process| process.watch());
    Some(Abort(tokio::task::spawn_local(async move {
        // SAFETY: an `OwnedFd` owns its descriptor, and keeps it for as long as it lives.
        let ended = pidfd.map(|pidfd| unsafe { AsyncFd::register(pidfd) });
        match ended {
            Ok(Ok(pidfd)) => drop(pidfd.readable().await),
            // A process that is gone needs no waiting.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
            Ok(Err(_)) | Err(_) => return,
        }
        // It fails only if the other end is gone already.
        let _ = ours.shutdown(Shutdown::Both);
    })))
}
