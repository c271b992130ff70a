//! The lock client: the requests of one actor's own tasks. Runs in every actor.

use crate::id::{ActorId, RequestId};
use crate::input::Shielding;
use crate::rename;
use alloc::vec::Vec;

/// How far an own request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestStage {
    /// Asked, not answered.
    Waiting,
    /// Its prompt is open; the actor has the baton.
    Open,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// A breakpoint: the task goes on afterwards.
    Breakpoint(Shielding),
    /// A post-mortem: the actor fails afterwards.
    PostMortem,
}

impl Purpose {
    /// What a cancel does to the request while it waits. A post-mortem is withdrawn: the actor is
    /// on its way out already.
    #[must_use]
    pub fn shielding(self) -> Shielding {
        match self {
            Self::Breakpoint(shielding) => shielding,
            Self::PostMortem => Shielding::Plain,
        }
    }
}

/// One request of a local task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnRequest {
    /// Its name.
    pub request: RequestId,
    /// How far it is.
    pub stage: RequestStage,
    /// What it is for.
    pub purpose: Purpose,
}

/// The requests of one actor, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requests {
    pub(crate) own: Vec<OwnRequest>,
    pub(crate) next_serial: u32,
}

impl Requests {
    /// Records a new request, which waits.
    pub fn ask(&mut self, actor: ActorId, purpose: Purpose) -> RequestId {
        let request = self.name(actor);
        self.own.push(OwnRequest { request, stage: RequestStage::Waiting, purpose });
        request
    }

    /// A fresh name, for a request that is refused on the spot.
    pub fn name(&mut self, actor: ActorId) -> RequestId {
        let request = RequestId { actor, serial: self.next_serial };
        self.next_serial += 1;
        request
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// Whether one of them examines a failure.
    #[must_use]
    pub fn examines(&self) -> bool {
        self.iter().any(|own| own.purpose == Purpose::PostMortem)
    }

    /// All of them, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = OwnRequest> + '_ {
        self.own.iter().copied()
    }

    /// The one of that name.
    #[must_use]
    pub fn find(&self, request: RequestId) -> Option<OwnRequest> {
        self.iter().find(|own| own.request == request)
    }

    /// The one whose prompt is open.
    #[must_use]
    pub fn open(&self) -> Option<OwnRequest> {
        self.iter().find(|own| own.stage == RequestStage::Open)
    }

    /// Marks the prompt of a request as open.
    ///
    /// # Panics
    /// If there is no such request.
    pub fn set_open(&mut self, request: RequestId) {
        let own = self.own.iter_mut().find(|own| own.request == request);
        own.expect("only a request that waits is opened").stage = RequestStage::Open;
    }

    /// Forgets a request.
    pub fn remove(&mut self, request: RequestId) {
        self.own.retain(|own| own.request != request);
    }
}

rename!(struct Requests { own, next_serial });
rename!(struct OwnRequest { request, stage, purpose });
rename!(nothing in RequestStage, Purpose);
