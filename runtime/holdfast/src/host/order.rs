//! What a host is told, and what it says: the program, the terminal, the end.

use crate::process::ProcessEnd;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, isatty, tcgetpgrp, ttyname};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::time::Duration;

/// A program that is to run below a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HostedProgram {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Variables of its environment, beside those of the tree.
    pub variables: Vec<(OsString, OsString)>,
    /// Its working folder; none is that of the tree.
    pub folder: Option<PathBuf>,
    /// The person's terminal; none if there is none: then the descriptors are handed on as they are.
    pub terminal: Option<PersonTerminal>,
    /// Whether it begins with the terminal, or gets it when it reads.
    pub begins: Begins,
    /// What stands in front of each of its lines.
    pub label: String,
    /// How long what it leaves behind has to end.
    pub grace: Duration,
}

/// Whether a program begins with the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Begins {
    /// The program has the terminal, and loses it when another asks and it does not read.
    WithTerminal,
    /// The program gets the terminal in turn, when it reads.
    WithoutTerminal,
}

impl HostedProgram {
    /// A program with its arguments, in the terminal of this process, if there is one.
    ///
    /// Call it before [`crate::Program::run`], which replaces the standard output.
    #[must_use]
    pub fn new(command: Vec<OsString>) -> Self {
        let terminal = PersonTerminal::here();
        let begins = match &terminal {
            Some(terminal) if terminal.is_ours_alone() => Begins::WithTerminal,
            Some(_) | None => Begins::WithoutTerminal,
        };
        Self {
            command,
            variables: Vec::new(),
            folder: None,
            terminal,
            begins,
            label: String::new(),
            grace: Duration::from_secs(2),
        }
    }
}

/// The person's terminal, as a program's own is made like it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonTerminal {
    pub(super) shape: TerminalShape,
    /// Which of the standard descriptors are terminals.
    pub(super) streams: [bool; 3],
    foreground: bool,
    /// Where it is, if a standard descriptor says so.
    path: Option<PathBuf>,
}

/// The size and the modes of a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TerminalShape {
    pub(super) rows: u16,
    pub(super) columns: u16,
    /// Input, output, control and local flags.
    flags: [u32; 4],
    keys: Vec<u8>,
}

impl PersonTerminal {
    fn here() -> Option<Self> {
        let terminal = crate::terminal::ControllingTerminal::open()?;
        let shape = TerminalShape::of(terminal.file())?;
        let (input, output, error) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
        let streams = [input.as_fd(), output.as_fd(), error.as_fd()];
        let path = streams.into_iter().find_map(|stream| ttyname(stream).ok());
        let streams = streams.map(|stream| isatty(stream).unwrap_or(false));
        let foreground = tcgetpgrp(terminal.file()).is_ok_and(|group| group == getpgrp());
        Some(Self { shape, streams, foreground, path })
    }

    /// Puts the modes back, after a root that was killed while it passed keys; not if somebody else
    /// has set others since.
    pub(super) fn put_back(&self) {
        let (Some(path), Some(before)) = (&self.path, self.shape.modes()) else { return };
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        let Ok(terminal) = open(path, flags, Mode::empty()) else { return };
        let before = Termios::from(before);
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        if tcgetattr(&terminal).is_ok_and(|now| now.local_flags == raw.local_flags) {
            let _ = tcsetattr(&terminal, SetArg::TCSANOW, &before);
        }
    }

    /// Whether nobody else reads the keys: not a background job, and not a part of a pipeline.
    fn is_ours_alone(&self) -> bool {
        self.foreground && self.streams[0] && self.streams[1]
    }
}

impl TerminalShape {
    pub(super) fn of(terminal: &std::fs::File) -> Option<Self> {
        let modes: libc::termios = tcgetattr(terminal).ok()?.into();
        let (rows, columns) = crate::terminal::window_size(terminal);
        let flags = [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag];
        Some(Self { rows, columns, flags, keys: modes.c_cc.to_vec() })
    }

    pub(super) fn modes(&self) -> Option<libc::termios> {
        // SAFETY: zeros are a valid value.
        let mut modes: libc::termios = unsafe { std::mem::zeroed() };
        [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag] = self.flags;
        modes.c_cc = self.keys.as_slice().try_into().ok()?;
        Some(modes)
    }
}

/// How the program of a host ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ProgramEnd {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Somebody else took its exit status.
    Unknown,
    /// The program was not found.
    NotFound(String),
    /// The program could not be executed, and why.
    NotStarted(String),
}

impl ProgramEnd {
    /// The code with which a shell would report it: the program's own, 128 + n for a signal, 126
    /// for what cannot be executed and 127 for what is not there.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let code = match self {
            Self::Code(code) => *code,
            Self::Signal(signal) => 128 + signal,
            Self::Unknown => 1,
            Self::NotStarted(_) => 126,
            Self::NotFound(_) => 127,
        };
        u8::try_from(code & 0xff).unwrap_or(1)
    }
}

impl From<ProcessEnd> for ProgramEnd {
    fn from(ended: ProcessEnd) -> Self {
        match ended {
            ProcessEnd::Code(code) => Self::Code(code),
            ProcessEnd::Signal(signal) => Self::Signal(signal),
            ProcessEnd::Unknown => Self::Unknown,
        }
    }
}

/// What the actor that has started a host tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HostCommand {
    /// The program's group is to get this signal, by number.
    Signal(i32),
}

/// What a host tells the actor that has started it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HostReport {
    /// The program runs, as this process.
    Started(u32),
    /// The program asks for the terminal.
    Asks,
    /// The program has the terminal.
    Has,
    /// The program does not ask for the terminal any longer.
    Rests,
    /// The program has ended, and nothing that it started is left.
    Ended(ProgramEnd),
}
