//! Holds: what a supervisor knows about requests from below it (R1).
//!
//! Runs in every actor. A hold is the shield (R3), defers teardown (R4) and suspends the ladder of
//! the child it came through (R5).
//!
//! ```text
//!     everywhere:    (none) --Want--> Waiting --Done, Lost, Refuse--> (none)
//!     intermediate:                   Waiting --Grant--> Granted --Done, Lost--> (none)
//!     root:                           Granted --Done, Lost--> Detached --baton closed--> (none)
//!                                     Granted --baton closed--> Closed --Done, Lost--> (none)
//! ```
//!
//! # Rules
//! 1. A granted hold of the root does not go by message (R8). Checked by `interrupt-shielded`.
//! 2. No request, no hold (R12). Checked by `nothing-stale`.

use super::id::{ActorId, RequestId};
use crate::rename;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// How far the request behind a hold is, as this actor knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldStage {
    /// Relayed upward, not granted.
    Waiting,
    /// Granted through this actor.
    Granted,
    /// Root only: the path says it is over, the baton is still out.
    Detached,
    /// Root only: the baton is closed, the path has not said so yet. Protects nothing any longer.
    Closed,
}

/// One hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hold {
    /// The child that the request came through.
    pub via: ActorId,
    /// How far it is.
    pub stage: HoldStage,
}

impl Hold {
    /// Whether the hold still protects somebody.
    pub fn protects(self) -> Protects {
        match self.stage {
            HoldStage::Waiting | HoldStage::Granted | HoldStage::Detached => Protects::Somebody,
            HoldStage::Closed => Protects::Nobody,
        }
    }
}

/// What [`Hold::protects`] says.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protects {
    /// A prompt is, or may yet be, open below.
    Somebody,
    /// The prompt is over.
    Nobody,
}

/// All holds of one actor.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holds {
    pub(crate) by_request: BTreeMap<RequestId, Hold>,
}

impl Holds {
    /// The hold for a request.
    #[must_use]
    pub fn find(&self, request: RequestId) -> Option<Hold> {
        self.by_request.get(&request).copied()
    }

    /// Records or changes a hold.
    pub fn set(&mut self, request: RequestId, hold: Hold) {
        self.by_request.insert(request, hold);
    }

    /// Forgets a hold.
    pub fn remove(&mut self, request: RequestId) {
        self.by_request.remove(&request);
    }

    /// All holds.
    pub fn iter(&self) -> impl Iterator<Item = (RequestId, Hold)> + '_ {
        self.by_request.iter().map(|(request, hold)| (*request, *hold))
    }

    /// The requests that this actor protects, with the child each came through.
    pub fn protecting(&self) -> impl Iterator<Item = (RequestId, Hold)> + '_ {
        self.iter().filter(|(_, hold)| hold.protects() == Protects::Somebody)
    }

    /// The requests that came through one child.
    #[must_use]
    pub fn through(&self, child: ActorId) -> Vec<(RequestId, Hold)> {
        self.iter().filter(|(_, hold)| hold.via == child).collect()
    }
}

rename!(struct Holds { by_request });
rename!(struct Hold { via, stage });
rename!(nothing in HoldStage);
