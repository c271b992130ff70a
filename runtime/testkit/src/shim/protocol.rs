//! What a stage asks of its shim, and what the shim reports: lines of JSON over a socket pair.

use crate::process::ProcessInfo;
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a stage asks. The first line is not a request but the program; the end of the stream is
/// [`ShimRequest::Clear`], and the end of the shim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, tag = "ask")]
pub(crate) enum ShimRequest {
    /// Which descendants are there, the program aside?
    Leftovers {},
    /// Kill every descendant and reap it.
    Clear {},
    /// Say when there is no descendant any longer; reap those that end by themselves.
    Gone {},
    /// Let the program go on, with the terminal.
    Foreground {},
    /// Let the program go on, without the terminal.
    Background {},
}

/// What a shim reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, tag = "report")]
pub(crate) enum ShimReport {
    /// The program runs.
    Started { pid: i32 },
    /// The program could not be started.
    Failed { why: String },
    /// A signal stopped the program; the terminal was taken back.
    Stopped { signal: i32 },
    /// The answer to [`ShimRequest::Foreground`] and [`ShimRequest::Background`]: the program goes on.
    Continued {},
    /// The program has ended, and these were left at that moment.
    Ended { exit: ProcessEnd, leftovers: Vec<ProcessInfo> },
    /// The answer to [`ShimRequest::Leftovers`].
    Leftovers { leftovers: Vec<ProcessInfo> },
    /// The answer to [`ShimRequest::Clear`]: what was there.
    Cleared { killed: Vec<ProcessInfo> },
    /// The answer to [`ShimRequest::Gone`].
    Gone {},
}

/// How a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ProcessEnd {
    /// With this exit code.
    Code(i32),
    /// By this signal, as a number.
    Signal(i32),
}

impl ProcessEnd {
    /// Killed by a signal.
    #[must_use]
    pub fn by(signal: Signal) -> Self {
        Self::Signal(signal as i32)
    }
}

impl fmt::Display for ProcessEnd {
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

impl fmt::Debug for ProcessEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
