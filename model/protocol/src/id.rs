//! Names of actors and requests, and the renaming that symmetry reduction needs.
//!
//! Used on every link of the tree and in every component of the model.

use alloc::{vec, vec::Vec};
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
/// so a message about an old request can not be taken for one about a new request.
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

/// A permutation of the actors that maps the tree onto itself.
///
/// Two states that differ by such a renaming behave alike, so the checker explores one of them
/// (symmetry reduction: Ip and Dill, "Better verification through symmetry", 1996).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renaming {
    to: Vec<ActorId>,
}

impl Renaming {
    /// The renaming that sends actor `i` to `to[i]`.
    ///
    /// # Panics
    /// If `to` is not a permutation of `0..to.len()`.
    #[must_use]
    pub fn new(to: Vec<ActorId>) -> Self {
        let mut seen = vec![false; to.len()];
        for id in &to {
            assert!(!seen[id.index()], "actor {} is named twice", id.0);
            seen[id.index()] = true;
        }
        Self { to }
    }

    /// The new name of `id`.
    #[must_use]
    pub fn actor(&self, id: ActorId) -> ActorId {
        self.to[id.index()]
    }

    /// The new name of `request`.
    #[must_use]
    pub fn request(&self, request: RequestId) -> RequestId {
        RequestId { actor: self.actor(request.actor), ..request }
    }
}

/// A value that names actors and can be told their new names.
pub trait Rename {
    /// The same value with every actor renamed.
    #[must_use]
    fn renamed(&self, by: &Renaming) -> Self;
}
