//! The terminal's modes: kept, compared, and put back.
//!
//! Runs in the prompt's threads. The line editor puts the modes back itself, but a signal that
//! comes while it does makes that call fail, and it does not try again. So they are looked at
//! after every line.
//!
//! SIGTTOU is blocked around what changes them: it would stop a background process.

use crate::signals::Held;
use crate::terminal::SavedModes;
use nix::errno::Errno;
use nix::sys::termios::{
    FlowArg, FlushArg, SetArg, SpecialCharacterIndices, Termios, cfmakeraw, tcflow, tcflush,
    tcgetattr, tcsetattr,
};
use nix::unistd::{getpgrp, tcgetpgrp};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;

/// An open terminal and the modes that it had.
#[derive(Debug)]
pub(super) struct PromptTerminal {
    tty: File,
    saved: SavedModes,
}

/// Whose terminal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    /// This process group is in the foreground.
    Ours,
    /// Another is.
    Others,
    /// The terminal is gone.
    Gone,
}

impl PromptTerminal {
    /// The modes of an open terminal.
    pub(super) fn of(tty: File) -> io::Result<Self> {
        let saved = SavedModes::of(&tty)?;
        Ok(Self { tty, saved })
    }

    /// The terminal.
    pub(super) fn tty(&self) -> &File {
        &self.tty
    }

    /// A key that the terminal has for a purpose of its own.
    pub(super) fn key(&self, index: SpecialCharacterIndices) -> char {
        char::from(self.saved.modes.c_cc[index as usize])
    }

    /// The modes as they are now, to be put back later.
    pub(super) fn again(&self) -> io::Result<Self> {
        Self::of(self.tty.try_clone()?)
    }

    /// Hands every key through as it is, and every byte of output.
    pub(super) fn raw(&self) -> io::Result<()> {
        let _held = Held::background();
        let mut raw = Termios::from(self.saved.modes);
        cfmakeraw(&mut raw);
        tcsetattr(&self.tty, SetArg::TCSANOW, &raw)?;
        if let Some(shared) = crate::warden::shared() {
            shared.note_raw(&self.tty);
        }
        Ok(())
    }

    /// Gives another terminal the modes that this one had.
    pub(super) fn lend_modes(&self, to: &OwnedFd) {
        let _held = Held::background();
        let _ = tcsetattr(to, SetArg::TCSANOW, &Termios::from(self.saved.modes));
    }

    /// The size of the window, in lines and characters a line.
    pub(super) fn size(&self) -> (u16, u16) {
        crate::terminal::window_size(&self.tty)
    }

    /// Puts the modes back, if they are not as they were.
    pub(super) fn restore(&self) {
        if self.saved.differ(&self.tty) {
            self.force();
        }
    }

    /// Puts the modes back without waiting for output, and ends bracketed paste.
    pub(super) fn force(&self) {
        let _held = Held::background();
        self.saved.put_back(&self.tty);
        let _ = (&self.tty).write_all(PASTE_OFF.as_bytes());
    }

    /// Frees a writer that a stopped or unread terminal blocks: what it wrote is lost.
    pub(super) fn unblock(&self) {
        let _held = Held::background();
        let _ = tcflow(&self.tty, FlowArg::TCOON);
        let _ = tcflush(&self.tty, FlushArg::TCOFLUSH);
    }

    /// Whose terminal it is.
    pub(super) fn ownership(&self) -> Ownership {
        match (tcgetattr(&self.tty), tcgetpgrp(&self.tty)) {
            (Ok(_), Ok(group)) if group == getpgrp() => Ownership::Ours,
            (Ok(_), Ok(_)) => Ownership::Others,
            // Not our session's: no job control reaches us through it.
            (Ok(_), Err(Errno::ENOTTY)) => Ownership::Ours,
            (Ok(_) | Err(_), _) => Ownership::Gone,
        }
    }
}

const PASTE_OFF: &str = "\x1b[?2004l";
