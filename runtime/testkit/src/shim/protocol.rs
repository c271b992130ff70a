//! What a stage asks of its nanny, and what the nanny reports: lines of JSON over a socket pair.

use crate::process::Process;
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a stage asks. The first line is no ask, it is the program; the end of the stream is
/// [`Ask::Clear`], and the end of the nanny.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, tag = "ask")]
pub(crate) enum Ask {
    /// Which descendants are there, the program aside?
    Leftovers {},
    /// Kill every descendant and reap it.
    Clear {},
    /// Say when there is no descendant any more; reap those that end by themselves.
    Gone {},
    /// Let the program go on, with the terminal.
    Foreground {},
    /// Let the program go on, without the terminal.
    Background {},
}

/// What a nanny reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, tag = "report")]
pub(crate) enum Report {
    /// The program runs.
    Started { pid: i32 },
    /// It could not be started.
    Failed { why: String },
    /// A signal stopped the program; the terminal was taken back.
    Stopped { signal: i32 },
    /// The answer to [`Ask::Foreground`] and [`Ask::Background`]: the program goes on.
    Continued {},
    /// The program has ended, and these were left at that moment.
    Ended { exit: Exit, leftovers: Vec<Process> },
    /// The answer to [`Ask::Leftovers`].
    Leftovers { leftovers: Vec<Process> },
    /// The answer to [`Ask::Clear`]: what was there.
    Cleared { killed: Vec<Process> },
    /// The answer to [`Ask::Gone`].
    Gone {},
}

/// How a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Exit {
    /// With this exit code.
    Code(i32),
    /// By this signal, as a number.
    Signal(i32),
}

impl Exit {
    /// Killed by a signal.
    #[must_use]
    pub fn by(signal: Signal) -> Self {
        Self::Signal(signal as i32)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "ended with code {code}"),
            Self::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "killed by {signal}"),
                Err(_) => write!(f, "killed by signal {number}"),
            },
        }
    }
}

impl fmt::Debug for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
