//! What a hostile actor can put into a message: everything.
//!
//! Runs in `cargo test`, for the files that let children lie.

use holdfast_protocol::{ActorId, Message, RequestId, Urgency};
use proptest::prelude::*;

/// A message without its request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Word {
    Want,
    Grant,
    Done,
    Lost,
    Refuse,
    Revoke,
    Cancel,
    CancelNow,
}
use Word::{Cancel, CancelNow, Done, Grant, Lost, Refuse, Revoke, Want};

impl Word {
    /// The message, about a request of an actor.
    pub(crate) fn about(self, actor: u32, serial: u32) -> Message {
        let request = RequestId { actor: ActorId(actor), serial };
        match self {
            Want => Message::Want { request },
            Grant => Message::Grant { request },
            Done => Message::Done { request },
            Lost => Message::Lost { request },
            Refuse => Message::Refuse { request },
            Revoke => Message::Revoke { request },
            Cancel => Message::Cancel { urgency: Urgency::Patient },
            CancelNow => Message::Cancel { urgency: Urgency::Forced },
        }
    }
}

/// Words, those above all that a child may say.
pub(crate) fn words() -> impl Strategy<Value = Word> {
    prop::sample::select(vec![
        Want, Want, Want, Want, Done, Done, Done, Lost, Grant, Refuse, Revoke, Cancel, CancelNow,
    ])
}
