//! The prompt's end of the baton: questions go out, the greeting and the replies come in.
//!
//! Runs in the thread `prompt-baton`, which reads; the editor's thread writes.
//!
//! # Rules
//! 1. End of file is read to the very end: [`PromptEvent::Ended`] means that the holder's end is
//!    closed, and never that this side gave up.
//! 2. What breaks the format ends the session: this end stops writing, which the agent takes as a
//!    hangup, and the rest of what it sends is thrown away.

use super::state::{EditorOrder, SessionState, Waited};
use super::{PromptEvent, Suspension};
use crate::session::{
    Greeting, NumberedCommand, NumberedReply, PromptCommand, Received, Reply, SessionError, drain,
    receive, send,
};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The writing half.
#[derive(Debug)]
pub(super) struct BatonLink {
    socket: UnixStream,
    asked: AtomicU64,
}

impl BatonLink {
    /// The half of this socket.
    pub(super) fn new(socket: UnixStream) -> Self {
        Self { socket, asked: AtomicU64::new(0) }
    }

    /// Sends a command.
    pub(super) fn tell(&self, command: PromptCommand) -> Result<u64, SessionError> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        send(&self.socket, &NumberedCommand { number, command })?;
        Ok(number)
    }

    /// Sends a command and waits for its reply.
    pub(super) fn ask(
        &self,
        session: &SessionState,
        command: PromptCommand,
        limit: Duration,
    ) -> Waited<Reply> {
        match self.tell(command) {
            Ok(number) => session.await_some(limit, |look| look.reply(number)),
            // The other end is gone or takes nothing; which of them, the reading half will see.
            Err(_) => Waited::Late,
        }
    }

    /// Whether the holder has sent something that nobody has taken yet.
    pub(super) fn has_unread(&self) -> bool {
        let mut count: libc::c_int = 0;
        // SAFETY: the request writes a number to a live value.
        unsafe { libc::ioctl(self.socket.as_raw_fd(), libc::FIONREAD, &raw mut count) };
        count > 0
    }

    /// Stops writing: the agent takes it as a hangup.
    pub(super) fn hang_up(&self) {
        // It fails only if the other end is gone already.
        let _ = self.socket.shutdown(Shutdown::Write);
    }
}

/// Reads until end of file, lets the editor go, and says that the session has ended.
pub(super) fn listen(socket: &UnixStream, link: &BatonLink, session: &SessionState) {
    match read(socket, session) {
        Ok(()) => session.lost(None),
        Err(error) => {
            link.hang_up();
            session.lost(Some(format!("failed to {error}")));
            drain(socket);
        }
    }
    session.notify(PromptEvent::Ended);
}

fn read(socket: &UnixStream, session: &SessionState) -> Result<(), SessionError> {
    match receive::<Greeting>(socket)? {
        Received::Message(greeting) => session.greeted(greeting),
        Received::End => return Ok(()),
    }
    loop {
        // Until it is taken, it can be seen in the socket; from then on, in the session.
        let mut ready = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut ready, PollTimeout::NONE);
        session.takes_output();
        let received = receive::<NumberedReply>(socket);
        if let Ok(Received::Message(NumberedReply { reply: Reply::Output(bytes), .. })) = &received
        {
            session.pass_output(bytes);
        }
        session.took_output();
        match received? {
            Received::Message(NumberedReply { reply: Reply::Output(_), .. }) => {}
            Received::Message(NumberedReply { reply: Reply::Stopped, .. }) => {
                session.let_go(EditorOrder::Rest);
                session.notify(PromptEvent::Suspend(Suspension::Key));
            }
            Received::Message(answered) => session.replied(answered),
            Received::End => return Ok(()),
        }
    }
}
