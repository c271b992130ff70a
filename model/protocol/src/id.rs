//! Names of actors and requests.
//!
//! Used on every link of the tree and in every component of the model.

use core::fmt;
use serde::{Deserialize, Serialize};

/// One process of the tree.
///
/// Unique among the processes that are alive or unreaped at one time. The model numbers actors in
/// tree order, the root first; a runtime may use process ids, since a supervisor drops all it
/// knows of a child before it reaps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActorId(pub u32);

impl ActorId {
    /// The actor's place in tables that hold one entry an actor. Only meaningful in the model.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One wish for the terminal. An actor numbers its requests from zero and never uses one again,
/// so a message about an old request cannot be taken for one about a new request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId {
    /// Who asks.
    pub actor: ActorId,
    /// Which of its requests.
    pub serial: u32,
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.actor.0, self.serial)
    }
}
