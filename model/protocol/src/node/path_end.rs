//! Why a path says that its request is over, and what follows from that.

use crate::id::RequestId;
use crate::message::Message;
use crate::policy::{LockRelease, LostBranch, Policy};

/// Why a path says that its request is over.
#[derive(Clone, Copy)]
pub(super) enum PathEnd {
    /// `Done`: the request is withdrawn, or its prompt is closed.
    Done,
    /// `Lost`: the branch is gone.
    Lost,
}

impl PathEnd {
    /// The news for the supervisor.
    pub(super) fn says(self, request: RequestId) -> Message {
        match self {
            Self::Done => Message::Done { request },
            Self::Lost => Message::Lost { request },
        }
    }

    /// Whether the root keeps a granted hold until its baton is closed (R7, R8).
    pub(super) fn keeps_granted(self, policy: Policy) -> bool {
        match self {
            Self::Lost => policy.lost_branch() == LostBranch::KeepsGranted,
            Self::Done => policy.release() == LockRelease::BatonClosed,
        }
    }
}
