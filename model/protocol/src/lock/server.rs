//! The lock server: a queue and an owner. Runs in the root alone.

use crate::id::RequestId;
use crate::rename;
use alloc::collections::VecDeque;

/// The one lock of the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockServer {
    pub(crate) owner: Option<RequestId>,
    pub(crate) queue: VecDeque<RequestId>,
}

/// What [`LockServer::grant_next`] found.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextGrant {
    /// This request owns the lock from now on.
    Grant(RequestId),
    /// The lock is owned, or nobody waits.
    Nobody,
}

/// What [`LockServer::release`] did.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// The lock is free.
    Freed,
    /// The request does not own the lock; nothing changed.
    NotTheOwner,
}

impl LockServer {
    /// Who owns the lock.
    #[must_use]
    pub fn owner(&self) -> Option<RequestId> {
        self.owner
    }

    /// Who waits, the next one first.
    pub fn waiting(&self) -> impl Iterator<Item = RequestId> + '_ {
        self.queue.iter().copied()
    }

    /// Puts a request at the end of the queue. The caller has made sure that it is new.
    pub fn enqueue(&mut self, request: RequestId) {
        self.queue.push_back(request);
    }

    /// Takes a request that waits out of the queue.
    pub fn withdraw(&mut self, request: RequestId) {
        self.queue.retain(|waiting| *waiting != request);
    }

    /// Gives the lock to the request that waits longest, if it is free.
    pub fn grant_next(&mut self) -> NextGrant {
        match self.owner {
            Some(_) => NextGrant::Nobody,
            None => match self.queue.pop_front() {
                Some(request) => {
                    self.owner = Some(request);
                    NextGrant::Grant(request)
                }
                None => NextGrant::Nobody,
            },
        }
    }

    /// Takes the lock back from its owner.
    pub fn release(&mut self, request: RequestId) -> Released {
        if self.owner == Some(request) {
            self.owner = None;
            Released::Freed
        } else {
            Released::NotTheOwner
        }
    }
}

rename!(struct LockServer { owner, queue });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ActorId;

    fn request(actor: u32) -> RequestId {
        RequestId { actor: ActorId(actor), serial: 0 }
    }

    #[test]
    fn serves_first_come_first_served_and_releases_once() {
        let mut server = LockServer::default();
        for actor in [2, 1, 3] {
            server.enqueue(request(actor));
        }
        assert_eq!(server.grant_next(), NextGrant::Grant(request(2)));
        assert_eq!(server.grant_next(), NextGrant::Nobody, "the lock is owned");
        server.withdraw(request(1));
        assert_eq!(server.release(request(3)), Released::NotTheOwner);
        assert_eq!(server.release(request(2)), Released::Freed);
        assert_eq!(server.release(request(2)), Released::NotTheOwner, "released twice");
        assert_eq!(server.grant_next(), NextGrant::Grant(request(3)), "1 was withdrawn");
        assert_eq!(server.waiting().count(), 0);
    }
}
