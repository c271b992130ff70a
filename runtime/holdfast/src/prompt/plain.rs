//! Plain lines from a terminal, for one that has no line editor.
//!
//! Runs in the editor's thread. The terminal stays in its own modes: it echoes, it edits, and its
//! keys are signals, which the driver reads.

use super::console::{Read, Typed};
use super::state::{EditorOrder, SessionState};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

/// The reader of plain lines.
#[derive(Debug)]
pub(super) struct PlainLines {
    wake: UnixStream,
    /// What was read behind the last line.
    rest: Vec<u8>,
}

impl PlainLines {
    /// A reader that looks at the session when there is something to read from `wake`.
    pub(super) fn new(wake: UnixStream) -> Self {
        Self { wake, rest: Vec::new() }
    }

    /// Reads a line.
    pub(super) fn read(&mut self, session: &SessionState, prompt: &str, typed: &mut Typed) -> Read {
        // What is typed and not finished is with the terminal.
        *typed = Typed::default();
        let Some(modes) = session.terminal() else { return Read::End };
        session.write(prompt);
        session.polling();
        let read = self.line(session, modes.tty(), prompt);
        session.busy();
        if !matches!(read, Read::Line(_)) {
            session.write("\n");
        }
        read
    }

    fn line(&mut self, session: &SessionState, mut tty: &File, prompt: &str) -> Read {
        loop {
            if let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return match String::from_utf8(line) {
                    Ok(line) => Read::Line(line),
                    Err(_) => Read::NoText,
                };
            }
            let mut ready = [
                PollFd::new(self.wake.as_fd(), PollFlags::POLLIN),
                PollFd::new(tty.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut ready, PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Read::Failed(error.into()),
            }
            let events = ready.map(|one| one.any().unwrap_or(false));
            if events[0] {
                self.drain();
                if session.peek() > EditorOrder::Stay {
                    return Read::Ordered;
                }
                session.flush_above(prompt);
            }
            if events[1] {
                let mut bytes = [0; 4096];
                match tty.read(&mut bytes) {
                    Ok(0) => return Read::End,
                    Ok(read) => self.rest.extend_from_slice(&bytes[..read]),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Read::Failed(error),
                }
            }
        }
    }

    fn drain(&mut self) {
        let mut bytes = [0; 64];
        while let Ok(1..) = io::Read::read(&mut self.wake, &mut bytes) {}
    }
}
