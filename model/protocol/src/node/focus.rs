//! One request in focus: the part of a node that concerns it, and the rest.
//!
//! Used by the proof for trees of every size, which explores [`Node::in_focus`] and, before each
//! input, puts a [`Rest`] beside it ([`Node::beside`]) and runs [`Node::handle`] on the whole.

use super::{Node, Teardown, TreePosition, UserTaskState};
use crate::hold::Hold;
use crate::id::{ActorId, RequestId};
use crate::input::Cause;
use crate::ladder::Child;
use crate::lock::client::OwnRequest;
use crate::policy::Restore;
use crate::sigint::Slot;
use alloc::vec::Vec;

/// What a node knows that does not concern the request in focus.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rest {
    /// Own requests that are older than the one in focus.
    pub own_before: Vec<OwnRequest>,
    /// Own requests that are younger.
    pub own_after: Vec<OwnRequest>,
    /// The number of the next own request.
    pub next_serial: u32,
    /// Holds for other requests.
    pub holds: Vec<(RequestId, Hold)>,
    /// Children that are not in focus.
    pub children: Vec<(ActorId, Child)>,
    /// The user task.
    pub user_task: UserTaskState,
    /// At the root, the owner of a lock that is another's.
    pub owner: Option<RequestId>,
    /// At the root, who waits before the request in focus.
    pub queue_before: Vec<RequestId>,
    /// At the root, who waits behind it.
    pub queue_after: Vec<RequestId>,
}

impl Node {
    /// The same node without all that does not concern `request` or the children `kids`. An owner
    /// of the lock that is not `request` is called by the first of `owners` if it is this actor's
    /// own, and by the second if not.
    #[must_use]
    pub fn in_focus(
        &self,
        request: RequestId,
        kids: &[ActorId],
        owners: (RequestId, RequestId),
    ) -> Self {
        let mut node = self.clone();
        node.requests.own.retain(|own| own.request == request);
        node.requests.next_serial = 0;
        node.holds.by_request.retain(|name, _| *name == request);
        node.children.retain(|id, _| kids.contains(id));
        node.user_task = UserTaskState::Running;
        // The cause decides how the process ends and nothing else.
        node.teardown = match node.teardown {
            Teardown::Deferred(_) => Teardown::Deferred(Cause::Requested),
            Teardown::Running(_) => Teardown::Running(Cause::Requested),
            Teardown::NotAsked | Teardown::Over => node.teardown,
        };
        if node.policy.restore() == Restore::Derived {
            node.slot = Slot::default();
        }
        if let TreePosition::Root { server, .. } = &mut node.position {
            server.owner = server.owner.map(|owner| match owner {
                _ if owner == request => owner,
                _ if owner.actor == self.id || owner == owners.0 => owners.0,
                _ => owners.1,
            });
            server.queue.retain(|waiting| *waiting == request);
        }
        node
    }

    /// A node in focus with a rest beside it.
    #[must_use]
    pub fn beside(&self, rest: &Rest) -> Self {
        let mut node = self.clone();
        let focused = core::mem::take(&mut node.requests.own);
        node.requests.own = rest.own_before.iter().copied().chain(focused).collect();
        node.requests.own.extend(rest.own_after.iter().copied());
        node.requests.next_serial = rest.next_serial;
        node.holds.by_request.extend(rest.holds.iter().copied());
        node.children.extend(rest.children.iter().copied());
        node.user_task = rest.user_task;
        if let TreePosition::Root { server, .. } = &mut node.position {
            if server.owner.is_some() && rest.owner.is_some() {
                server.owner = rest.owner;
            }
            let focused = core::mem::take(&mut server.queue);
            server.queue = rest.queue_before.iter().copied().chain(focused).collect();
            server.queue.extend(rest.queue_after.iter().copied());
        }
        node
    }

    /// A node in focus under other names: `name` renames actors, every serial becomes zero.
    #[must_use]
    pub fn under_names(
        &self,
        name: &dyn Fn(ActorId) -> ActorId,
        above: ActorId,
        top: ActorId,
    ) -> Self {
        let mut node = self.clone();
        let rename = |request: RequestId| RequestId { actor: name(request.actor), serial: 0 };
        node.id = name(node.id);
        for own in &mut node.requests.own {
            own.request = rename(own.request);
        }
        let renamed = |(of, mut hold): (RequestId, Hold)| {
            hold.via = name(hold.via);
            (rename(of), hold)
        };
        node.holds.by_request = self.holds.iter().map(renamed).collect();
        node.children = self.children.iter().map(|(id, child)| (name(*id), *child)).collect();
        match &mut node.position {
            TreePosition::Root { server, .. } => {
                server.owner = server.owner.map(rename);
                server.queue = server.queue.iter().copied().map(rename).collect();
            }
            TreePosition::Below { supervisor, root, .. } => {
                *supervisor = above;
                *root = top;
            }
        }
        node
    }
}
