//! What two neighbouring actors say to each other.
//!
//! Sent on the one ordered, reliable link between an actor and its supervisor.
//!
//! ```text
//!     up:    Want -> ............ -> Done | Lost
//!     down:          Grant | Refuse, Revoke, Cancel
//! ```
//!
//! # Rules
//! 1. `Want` climbs hop by hop and leaves a hold on each (R1). Checked by `ancestors-know`.
//! 2. `Grant` carries the baton (R7). Checked by `released-once`.
//! 3. A message is believed from the side that may say it, and from no other ([`Message::direction`]).
//!    Checked by `tests/hostile.rs`.

use super::id::RequestId;
use crate::rename;
use core::fmt;
use serde::{Deserialize, Serialize};

/// How a cancel treats a prompt that is open below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// Wait until no hold is left (R4).
    Patient,
    /// The tree was told to stop and the grace is over (R10): holds protect nobody any longer.
    Forced,
}

/// The body of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "say")]
pub enum Message {
    /// Up: somebody wants the terminal.
    Want {
        /// Which request.
        request: RequestId,
    },
    /// Down: the terminal is yours; the baton comes with this message.
    Grant {
        /// Which request.
        request: RequestId,
    },
    /// Up: released or withdrawn by the one who asked.
    Done {
        /// Which request.
        request: RequestId,
    },
    /// Up: the branch that asked is gone (R8).
    Lost {
        /// Which request.
        request: RequestId,
    },
    /// Down: the terminal will not be yours.
    Refuse {
        /// Which request.
        request: RequestId,
    },
    /// Down: close your prompt (R10).
    Revoke {
        /// Which request.
        request: RequestId,
    },
    /// Down: finish. Answered by the end of the process.
    Cancel {
        /// Whether holds still count.
        urgency: Urgency,
    },
}

impl Message {
    /// Who says it to whom.
    #[must_use]
    pub fn direction(self) -> MessageDirection {
        match self {
            Self::Want { .. } | Self::Done { .. } | Self::Lost { .. } => MessageDirection::Up,
            Self::Grant { .. }
            | Self::Refuse { .. }
            | Self::Revoke { .. }
            | Self::Cancel { .. } => MessageDirection::Down,
        }
    }

    /// The request that the message is about.
    #[must_use]
    pub fn request(self) -> About {
        match self {
            Self::Want { request }
            | Self::Grant { request }
            | Self::Done { request }
            | Self::Lost { request }
            | Self::Refuse { request }
            | Self::Revoke { request } => About::Request(request),
            Self::Cancel { urgency: _ } => About::Actor,
        }
    }
}

/// The way of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageDirection {
    /// From a child to its supervisor.
    Up,
    /// From a supervisor to its child.
    Down,
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// One request for the terminal.
    Request(RequestId),
    /// The receiving actor itself.
    Actor,
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Want { .. } => f.write_str("Want"),
            Self::Grant { .. } => f.write_str("Grant"),
            Self::Done { .. } => f.write_str("Done"),
            Self::Lost { .. } => f.write_str("Lost"),
            Self::Refuse { .. } => f.write_str("Refuse"),
            Self::Revoke { .. } => f.write_str("Revoke"),
            Self::Cancel { urgency: Urgency::Patient } => f.write_str("Cancel"),
            Self::Cancel { urgency: Urgency::Forced } => f.write_str("Cancel now"),
        }
    }
}

rename!(enum Message {
    Want { request },
    Grant { request },
    Done { request },
    Lost { request },
    Refuse { request },
    Revoke { request },
    Cancel { urgency },
});
rename!(nothing in Urgency);
