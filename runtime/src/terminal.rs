//! The terminal's modes: saved when a debug session begins, restored when it ends.
//!
//! Runs in the root (under other policies in whoever reads the terminal). See termios(3).

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The controlling terminal.
pub(crate) const CONTROLLING: &str = "/dev/tty";

/// A terminal and the modes that it had before.
#[derive(Debug)]
pub(crate) struct Terminal {
    path: PathBuf,
    file: File,
    saved: Option<Termios>,
}

impl Terminal {
    /// Opens the controlling terminal, if there is one.
    pub(crate) fn controlling() -> Option<Self> {
        let path = Path::new(CONTROLLING);
        let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
        let file = File::from(open(path, flags, Mode::empty()).ok()?);
        Some(Self { path: path.to_owned(), file, saved: None })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this process is in the foreground: a background process gets nothing to read.
    pub(crate) fn is_ours(&self) -> bool {
        nix::unistd::tcgetpgrp(&self.file) == Ok(nix::unistd::getpgrp())
    }

    /// Saves the modes, if they are not saved already.
    pub(crate) fn save(&mut self) {
        if self.saved.is_none() {
            self.saved = tcgetattr(&self.file).ok();
        }
    }

    /// Restores the saved modes. SIGTTOU is blocked, so this works from the background too.
    pub(crate) fn restore(&mut self) {
        if let Some(modes) = self.saved.take() {
            let _ = tcsetattr(&self.file, SetArg::TCSANOW, &modes);
        }
    }

    /// Sets the saved modes for as long as the process is stopped, and says what to set after.
    pub(crate) fn park(&self) -> Option<Termios> {
        let saved = self.saved.as_ref()?;
        let now = tcgetattr(&self.file).ok()?;
        let _ = tcsetattr(&self.file, SetArg::TCSANOW, saved);
        Some(now)
    }

    /// Sets the modes from before [`Terminal::park`].
    pub(crate) fn unpark(&self, modes: &Termios) {
        let _ = tcsetattr(&self.file, SetArg::TCSANOW, modes);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.restore();
    }
}
