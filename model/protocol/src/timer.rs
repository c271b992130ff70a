//! Timers by name. Durations are the runtime's; the explorer fires any armed timer at any moment.

use super::id::{ActorId, RequestId};
use crate::rename;
use serde::{Deserialize, Serialize};

/// What an expiry means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timer {
    /// The child had its grace period on this rung; the ladder climbs.
    ///
    /// A supervisor's grace must exceed that of its child, or it kills an actor that is busy
    /// reaping.
    Grace(ActorId),
    /// The holder had its time to yield after `Revoke` (R10).
    Yield(RequestId),
}

rename!(
    enum Timer {
        Grace(child),
        Yield(request),
    }
);
