//! The modes of a terminal as a value that can be compared.

use nix::libc;
use nix::sys::termios;
use std::io;
use std::os::fd::AsFd;

/// All that tcgetattr(3) tells, field by field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modes {
    /// `c_iflag`.
    pub input: u32,
    /// `c_oflag`.
    pub output: u32,
    /// `c_cflag`.
    pub control: u32,
    /// `c_lflag`.
    pub local: u32,
    /// `c_line`.
    pub line: u8,
    /// `c_cc`.
    pub characters: Vec<u8>,
    /// `c_ispeed` and `c_ospeed`.
    pub speeds: [u32; 2],
}

impl Modes {
    /// Reads them. Through the master of a pseudo-terminal these are the modes of its slave.
    ///
    /// # Errors
    /// It is no terminal.
    pub fn read(terminal: impl AsFd) -> io::Result<Self> {
        let modes: libc::termios = termios::tcgetattr(terminal)?.into();
        Ok(Self {
            input: modes.c_iflag,
            output: modes.c_oflag,
            control: modes.c_cflag,
            local: modes.c_lflag,
            line: modes.c_line,
            characters: modes.c_cc.to_vec(),
            speeds: [modes.c_ispeed, modes.c_ospeed],
        })
    }

    /// Whether what is typed shows.
    #[must_use]
    pub fn echo(&self) -> Echo {
        if self.local & libc::ECHO == 0 { Echo::Off } else { Echo::On }
    }
}

/// Whether a terminal shows what is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// It does.
    On,
    /// It does not: a password, or a line editor that draws itself.
    Off,
}
