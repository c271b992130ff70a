//! The terminal's modes: saved when a debug session begins, restored when it ends.
//!
//! Runs in the root (under other policies in whoever reads the terminal). See termios(3).

use crate::signals::Held;
use crate::warden;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::stat::Mode;
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd as _, IntoRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

/// The controlling terminal.
pub(crate) const CONTROLLING: &str = "/dev/tty";

/// The modes that a terminal had, to be put back.
#[derive(Debug)]
pub(crate) struct SavedModes {
    /// The plain struct: that of nix is not for several threads.
    pub(crate) modes: libc::termios,
}

impl SavedModes {
    /// The present modes of an open terminal.
    pub(crate) fn of(tty: &File) -> io::Result<Self> {
        Ok(Self { modes: tcgetattr(tty)?.into() })
    }

    /// Whether the terminal has other modes now. One that is gone has none.
    pub(crate) fn differ(&self, tty: &File) -> bool {
        tcgetattr(tty).is_ok_and(|now| now != Termios::from(self.modes))
    }

    /// Puts them back without waiting for output, from the background too.
    pub(crate) fn put_back(&self, tty: &File) {
        let _held = Held::background();
        let modes = Termios::from(self.modes);
        while tcsetattr(tty, SetArg::TCSANOW, &modes) == Err(Errno::EINTR) {}
    }
}

/// The controlling terminal, and the modes that it had before the debug session.
#[derive(Debug)]
pub(crate) struct ControllingTerminal {
    path: PathBuf,
    file: File,
    saved: Option<SavedModes>,
}

impl ControllingTerminal {
    /// Opens the controlling terminal, if there is one.
    pub(crate) fn open() -> Option<Self> {
        let path = Path::new(CONTROLLING);
        let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
        let file = File::from(nix::fcntl::open(path, flags, Mode::empty()).ok()?);
        Some(Self { path: path.to_owned(), file, saved: None })
    }

    /// A descriptor of the controlling terminal, if there is one.
    pub(crate) fn descriptor() -> Option<OwnedFd> {
        let terminal = Self::open()?;
        terminal.file.try_clone().ok().map(Into::into)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The open terminal.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Saves the modes, if they are not saved already.
    pub(crate) fn save(&mut self) {
        if self.saved.is_none() {
            self.saved = SavedModes::of(&self.file).ok();
            if let (Some(shared), Some(saved)) = (warden::shared(), &self.saved) {
                shared.note_before(&saved.modes);
            }
        }
    }

    /// Restores the saved modes, from the background too.
    pub(crate) fn restore(&mut self) {
        if let Some(modes) = self.saved.take() {
            modes.put_back(&self.file);
            if let Some(shared) = warden::shared() {
                shared.forget_modes();
            }
        }
    }
}

impl Drop for ControllingTerminal {
    fn drop(&mut self) {
        self.restore();
    }
}

/// A new pseudo-terminal: the side of whoever reads its screen, and that of the programs on it.
pub(crate) fn pseudo_terminal() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let master = posix_openpt(flags)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let slave = nix::fcntl::open(ptsname_r(&master)?.as_str(), flags, Mode::empty())?;
    // SAFETY: the master has just given its descriptor away.
    let master = unsafe { OwnedFd::from_raw_fd(master.into_raw_fd()) };
    fcntl(&master, FcntlArg::F_SETFL(OFlag::O_RDWR | OFlag::O_NONBLOCK))?;
    Ok((master, slave))
}

/// Sets the size of a pseudo-terminal's window, by its master; its foreground hears SIGWINCH if it is
/// another than before.
pub(crate) fn resize(master: &impl AsRawFd, rows: u16, columns: u16) {
    let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the request reads a `winsize`, which lives until the call returns.
    unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
}

/// The size of a terminal's window, in lines and characters a line; zeros if it has none.
pub(crate) fn window_size(terminal: &impl AsRawFd) -> (u16, u16) {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the request writes a `winsize`, which lives until the call returns.
    unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (size.ws_row, size.ws_col)
}
