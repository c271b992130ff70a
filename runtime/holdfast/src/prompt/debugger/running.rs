//! A debugger that runs, and its terminal.

use super::command::{DebuggerCommand, PausePlace};
use crate::error::{RuntimeError, failed};
use crate::process::{Process, ProcessEnd, Start, start_on_terminal};
use crate::prompt::prompt_terminal::PromptTerminal;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use rustix::process::Signal;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process::Stdio;

/// What came from a debugger's terminal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DebuggerOutput {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing at the moment, or nothing any longer.
    Nothing,
}

/// A debugger, its terminal, and the keys that it has not taken.
#[derive(Debug)]
pub(super) struct RunningDebugger {
    process: Process,
    ends: OwnedFd,
    /// None once nobody has the other side.
    master: Option<OwnedFd>,
    size: (u16, u16),
    pending: Vec<u8>,
    /// What is typed to make it let the program go.
    farewell: &'static [u8],
}

impl RunningDebugger {
    /// Starts one, on a terminal like the person's.
    pub(super) fn start(
        command: &DebuggerCommand,
        pid: u32,
        thread: Option<i32>,
        place: &PausePlace,
        start: Start,
        like: &PromptTerminal,
    ) -> Result<Self, RuntimeError> {
        let opened = crate::terminal::pseudo_terminal();
        let (master, slave) = opened.map_err(failed("make a pseudo-terminal"))?;
        like.lend_modes(&slave);
        let size = like.size();
        crate::terminal::resize(&master, size.0, size.1);
        let farewell = command.farewell();
        let mut command = command.command(pid, thread, place);
        let descriptor = || slave.try_clone().map(Stdio::from);
        command.stdin(descriptor().map_err(failed("share a terminal"))?);
        command.stdout(descriptor().map_err(failed("share a terminal"))?);
        command.stderr(descriptor().map_err(failed("share a terminal"))?);
        let process = start_on_terminal(start, command)?;
        let ends = process.watch().map_err(failed("watch the debugger"))?;
        Ok(Self { process, ends, master: Some(master), size, pending: Vec::new(), farewell })
    }

    /// Readable once it has ended.
    pub(super) fn ends(&self) -> BorrowedFd<'_> {
        self.ends.as_fd()
    }

    /// Its terminal, and what to wait for there.
    pub(super) fn master(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let events = match self.pending.is_empty() {
            true => PollFlags::POLLIN,
            false => PollFlags::POLLIN | PollFlags::POLLOUT,
        };
        self.master.as_ref().map(|master| (master.as_fd(), events))
    }

    /// Gives its window this size.
    pub(super) fn resize(&mut self, size: (u16, u16)) {
        if let Some(master) = self.master.as_ref().filter(|_| size != self.size) {
            crate::terminal::resize(master, size.0, size.1);
            self.size = size;
        }
    }

    /// What it has written.
    pub(super) fn output(&mut self) -> DebuggerOutput {
        let Some(master) = &self.master else { return DebuggerOutput::Nothing };
        let mut bytes = [0; 16 << 10];
        match nix::unistd::read(master, &mut bytes) {
            Ok(count @ 1..) => DebuggerOutput::Bytes(bytes[..count].to_vec()),
            Err(Errno::EINTR | Errno::EAGAIN) => DebuggerOutput::Nothing,
            Ok(0) | Err(_) => {
                self.master = None;
                DebuggerOutput::Nothing
            }
        }
    }

    /// Types keys; what it does not take now, it gets later.
    pub(super) fn type_keys(&mut self, keys: &[u8]) {
        let room = MOST_PENDING.saturating_sub(self.pending.len());
        self.pending.extend_from_slice(&keys[..keys.len().min(room)]);
        self.type_pending();
    }

    pub(super) fn type_pending(&mut self) {
        let Some(master) = &self.master else { return };
        while !self.pending.is_empty() {
            match nix::unistd::write(master, &self.pending) {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    }

    /// Ends it and what it has started in its group, if it has not ended; how it did.
    pub(super) fn end(mut self) -> ProcessEnd {
        if !self.ends_within(0) && !self.farewell.is_empty() {
            self.pending.clear();
            self.type_keys(self.farewell);
            let _ = self.ends_within(GRACE);
        }
        if !self.ends_within(0) {
            // gdb takes its breakpoints out of the program then, and lets it go on.
            self.process.signal(Signal::TERM);
            self.process.signal(Signal::CONT);
            let _ = self.ends_within(GRACE);
        }
        // The group is there as long as its leader is not reaped.
        self.process.signal(Signal::KILL);
        loop {
            match self.process.reap() {
                Ok(Some(end)) => return end,
                Ok(None) => drop(self.ends_within(GRACE)),
                Err(_) => return ProcessEnd::Unknown,
            }
        }
    }

    fn ends_within(&self, milliseconds: u16) -> bool {
        let mut ready = [PollFd::new(self.ends(), PollFlags::POLLIN)];
        poll(&mut ready, milliseconds).is_ok_and(|ready| ready > 0)
    }
}

/// How long a debugger has to let the program go by itself, in milliseconds.
const GRACE: u16 = 500;

/// The most keys that wait for a debugger that does not read.
const MOST_PENDING: usize = 64 << 10;
