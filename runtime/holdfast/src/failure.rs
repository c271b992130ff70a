//! How an actor failed, and which way the news took.

use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;

/// What kind of failure it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FailureKind {
    /// The actor's function returned an error.
    Error,
    /// The function panicked.
    Panic,
    /// The person quit at its prompt.
    Quit,
    /// A signal ended its process.
    Killed(i32),
    /// Its process ended with an exit code that the runtime does not give.
    Exited(i32),
    /// Its process has ended, and nobody knows how: its exit status was taken by somebody else.
    Unknown,
    /// The actor was cancelled before it had a result.
    Cancelled,
    /// The actor could not be started, or not understood.
    Runtime,
}

/// The most bytes of a text that are kept, and the most causes: a failure must get through the links
/// up to the root.
const MOST_KEPT: usize = 1 << 20;
const MOST_CAUSES: usize = 8;

/// A text, or its beginning and how much is missing.
fn short(mut text: String) -> String {
    if text.len() > MOST_KEPT {
        let cut = text.floor_char_boundary(MOST_KEPT);
        let missing = text.len() - cut;
        text.truncate(cut);
        text.push_str(&format!("… ({missing} bytes more)"));
    }
    text
}

/// The failure of an actor, as its supervisors see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// What kind.
    pub kind: FailureKind,
    /// What it said.
    pub message: String,
    /// Why, the nearest cause first.
    pub causes: Vec<String>,
    /// The actor that failed, from the root.
    pub actor: String,
    /// The supervisors that failed because of it, the nearest first.
    pub through: Vec<String>,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, actor: &str, message: impl Into<String>) -> Self {
        let (message, actor) = (short(message.into()), actor.to_owned());
        Self { kind, message, causes: Vec::new(), actor, through: Vec::new() }
    }

    /// What an actor's function returned. A child's failure that is passed on stays the child's.
    pub(crate) fn returned(error: Box<dyn Error + Send + Sync>, actor: &str) -> Self {
        match error.downcast::<Self>() {
            Ok(failure) if failure.actor == actor => *failure,
            Ok(failure) => failure.passed_on_by(actor),
            Err(error) => {
                let mut failure = Self::new(FailureKind::Error, actor, error.to_string());
                let mut cause = error.source();
                while let Some(error) = cause {
                    failure.causes.push(short(error.to_string()));
                    cause = error.source().filter(|_| failure.causes.len() < MOST_CAUSES);
                }
                failure
            }
        }
    }

    pub(crate) fn passed_on_by(mut self, supervisor: &str) -> Self {
        if self.through.last().is_none_or(|last| last != supervisor) && self.actor != supervisor {
            self.through.push(supervisor.to_owned());
        }
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actor = &self.actor;
        match &self.kind {
            FailureKind::Error | FailureKind::Runtime => {
                write!(f, "{actor} failed: {}", self.message)?;
            }
            FailureKind::Panic => write!(f, "{actor} panicked: {}", self.message)?,
            FailureKind::Quit => write!(f, "{actor} was quit at its prompt")?,
            FailureKind::Killed(signal) => {
                let name = nix::sys::signal::Signal::try_from(*signal);
                match name {
                    Ok(name) => write!(f, "{actor} was ended by {name}")?,
                    Err(_) => write!(f, "{actor} was ended by signal {signal}")?,
                }
            }
            FailureKind::Exited(code) => write!(f, "{actor} ended with exit code {code}")?,
            FailureKind::Unknown => write!(
                f,
                "{actor} has ended and nobody knows how: its exit status is lost (the program \
                 waits for any child, or ignores SIGCHLD; wait for your own children alone)"
            )?,
            FailureKind::Cancelled => write!(f, "{actor} was cancelled")?,
        }
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        if !self.through.is_empty() {
            write!(f, " (passed on by {})", self.through.join(", "))?;
        }
        Ok(())
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_actor_and_its_way() {
        let io = std::io::Error::other("disk full");
        let leaf = Failure::returned(Box::new(io), "root/mid/leaf");
        assert_eq!(leaf.to_string(), "root/mid/leaf failed: disk full");
        let passed = Failure::returned(Box::new(leaf), "root/mid").passed_on_by("root");
        assert_eq!(
            passed.to_string(),
            "root/mid/leaf failed: disk full (passed on by root/mid, root)"
        );
        let killed = Failure::new(FailureKind::Killed(9), "root/a", "");
        assert_eq!(killed.to_string(), "root/a was ended by SIGKILL");
    }
}
