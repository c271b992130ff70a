//! What can go wrong between the runtime and the operating system.

use crate::program::BoxError;
use crate::settings::BadVariable;
use crate::wire::WireError;
use std::io;

/// Why a tree cannot be run, or an actor not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The operating system refused something.
    #[error("failed to {what}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The operating system refuses a call that every tree needs.
    #[error(
        "failed to use {call}: a tree needs it (Linux 5.11 or later, and a sandbox that allows it)"
    )]
    Refused {
        /// The system call.
        call: &'static str,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// Other threads run already.
    #[error(
        "failed to take the process over: other threads run already; call `Program::run` first in `main`"
    )]
    Threads,
    /// A variable of the environment cannot be used.
    #[error("failed to read the environment")]
    Environment(#[from] BadVariable),
    /// Two functions have one name.
    #[error("failed to register `{0}`: the name is taken")]
    NameTaken(String),
    /// A name that a process cannot have.
    #[error("failed to name an actor {0:?}: expected no NUL in it; leave it out")]
    Name(String),
    /// A function that nobody registered.
    #[error(
        "failed to start `{0}`: it is not registered; add it with `Program::actor` in every run of the program"
    )]
    Unregistered(String),
    /// Arguments, a result or a message are not what the receiver expects.
    #[error("failed to read {what} as {expected}")]
    Value {
        /// What was read.
        what: &'static str,
        /// The type that was expected.
        expected: &'static str,
        /// What is wrong.
        #[source]
        source: BoxError,
    },
    /// A value cannot be written.
    #[error("failed to write {what}")]
    Unwritable {
        /// What was written.
        what: &'static str,
        /// What is wrong.
        #[source]
        source: BoxError,
    },
    /// A peer sent something that is not a frame, or something too long is to be sent to it.
    #[error("failed to talk to a neighbour: {0}")]
    Wire(String),
    /// The process was started as an actor, but not by a supervisor.
    #[error("failed to boot: {0}")]
    Boot(String),
    /// A child ended before it was booted.
    #[error("failed to start `{name}`: its process ended while it booted ({how})")]
    DiedBooting {
        /// The child.
        name: String,
        /// How it ended.
        how: String,
    },
    /// The actor is on its way out.
    #[error("failed to {0}: this actor is being cancelled")]
    Cancelled(&'static str),
    /// The peer is gone.
    #[error("failed to {0}: the other side is gone")]
    Gone(&'static str),
}

impl From<WireError> for RuntimeError {
    fn from(error: WireError) -> Self {
        Self::Wire(error.to_string())
    }
}

/// Turns an error of the operating system into one that says what was tried.
pub(crate) fn failed<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> RuntimeError {
    move |error| RuntimeError::System { what, source: error.into() }
}
