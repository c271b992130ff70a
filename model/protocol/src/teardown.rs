//! How far an actor is with ending.
//!
//! Runs in every actor.
//!
//! ```text
//!     NotAsked --cancel--> Deferred --no hold, no request (R4)--> Running --children gone--> Over
//! ```

use super::input::Cause;

/// How far an actor is with ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Teardown {
    /// Nothing asked it to end.
    NotAsked,
    /// The actor must end, and waits until it has neither a hold nor a request of its own.
    Deferred(Cause),
    /// Its children and local tasks were told to end.
    Running(Cause),
    /// The actor has exited.
    Over,
}

/// The actor's own program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserTaskState {
    /// The user task runs.
    Running,
    /// The user task was told to end.
    Asked,
    /// The user task has ended.
    Ended,
}
