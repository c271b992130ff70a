//! The terminal's modes: saved when a debug session begins, restored when it ends.
//!
//! Runs in the root (under other policies in whoever reads the terminal). See termios(3).

use crate::signals::Held;
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

    /// Saves the modes, if they are not saved already.
    pub(crate) fn save(&mut self) {
        if self.saved.is_none() {
            self.saved = tcgetattr(&self.file).ok();
        }
    }

    /// Restores the saved modes, from the background too.
    pub(crate) fn restore(&mut self) {
        if let Some(modes) = self.saved.take() {
            let _held = Held::background();
            let _ = tcsetattr(&self.file, SetArg::TCSANOW, &modes);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.restore();
    }
}
