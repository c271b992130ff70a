//! One actor's half of every sub-protocol: the one place where they meet.
//!
//! Runs in every actor. [`Node::handle`] is the whole surface: one input in, outputs appended.
//!
//! ```text
//!     Input --> route --> session (lock, holds)  \
//!                     --> ending  (cancel, reap)  +--> settle --> Output ...
//!                     --> signals (SIGINT, stop) /
//! ```
//!
//! After each input [`Node::handle`] settles: a deferred teardown begins once nothing defers it,
//! each ladder runs or is suspended as the holds say, and an actor that is done exits.
//! How one request is handled depends on the others through an [`overview::Overview`] alone.

mod ending;
pub mod focus;
pub mod forget;
pub mod overview;
mod path_end;
mod session;
mod signals;

use super::hold::Holds;
use super::id::ActorId;
use super::input::Input;
use super::ladder::{Child, ChildLink};
use super::lock::client::Requests;
use super::lock::server::LockServer;
use super::message::{Message, MessageDirection, Urgency};
use super::output::{Notice, Outbox};
use super::policy::{Policy, Restore, Route};
use super::sigint::{Disposition, Slot};
use super::teardown::{Teardown, UserTaskState};
use crate::rename;
use alloc::collections::BTreeMap;
use overview::{LockUse, Overview, OwnTasks};

/// Whether a failure opens a post-mortem prompt before it climbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DebugMode {
    /// Failures climb at once.
    Off,
    /// A failure opens one first.
    On,
}

/// The link to the supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Uplink {
    /// Messages pass.
    Up,
    /// The link ended: this actor is an orphan.
    Ended,
}

/// Whether the root was told to stop (R10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StopOrder {
    /// The root was not told to stop.
    None,
    /// Yes: no request is granted any longer.
    Received,
}

/// Where in the tree an actor stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TreePosition {
    /// At the top, with the terminal and the lock.
    Root {
        /// The lock.
        server: LockServer,
        /// Whether it was told to stop.
        stop: StopOrder,
    },
    /// Below a supervisor.
    Below {
        /// The supervisor.
        supervisor: ActorId,
        /// The root, which [`super::policy::Route::Direct`] talks to.
        root: ActorId,
        /// The link to the supervisor.
        uplink: Uplink,
    },
}

/// What [`Node::standing`] says.
enum Standing {
    /// The peer of a link on which such things are said.
    Peer,
    /// Somebody else.
    Unrelated,
}

/// One actor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    id: ActorId,
    policy: Policy,
    debug: DebugMode,
    position: TreePosition,
    requests: Requests,
    holds: Holds,
    children: BTreeMap<ActorId, Child>,
    teardown: Teardown,
    urgency: Urgency,
    user_task: UserTaskState,
    slot: Slot,
}

/// Whether somebody is the supervisor, or the root, of an actor that talks to both.
fn from_either(from: ActorId, supervisor: ActorId, root: ActorId) -> bool {
    from == supervisor || from == root
}

impl Node {
    /// The top of a tree.
    #[must_use]
    pub fn root(id: ActorId, policy: Policy, debug: DebugMode) -> Self {
        let post = TreePosition::Root { server: LockServer::default(), stop: StopOrder::None };
        Self::new(id, post, policy, debug)
    }

    /// An actor below `supervisor`.
    #[must_use]
    pub fn below(
        supervisor: ActorId,
        root: ActorId,
        id: ActorId,
        policy: Policy,
        debug: DebugMode,
    ) -> Self {
        Self::new(id, TreePosition::Below { supervisor, root, uplink: Uplink::Up }, policy, debug)
    }

    fn new(id: ActorId, post: TreePosition, policy: Policy, debug: DebugMode) -> Self {
        Self {
            id,
            policy,
            debug,
            position: post,
            requests: Requests::default(),
            holds: Holds::default(),
            children: BTreeMap::new(),
            teardown: Teardown::NotAsked,
            urgency: Urgency::Patient,
            user_task: UserTaskState::Running,
            slot: Slot::default(),
        }
    }

    /// Takes one input and appends what follows from it.
    pub fn handle(&mut self, input: Input, out: &mut Outbox) {
        match input {
            Input::Pause { shielding } => self.pause(shielding, out),
            Input::Answered { request, answer } => self.answered(request, answer, out),
            Input::Cancel { cause } => self.fail_or_cancel(cause, out),
            Input::Unexamined { cause } => self.request_teardown(cause, out),
            Input::CancelChild { child } => self.cancel_child(child, out),
            Input::UserTaskEnded => self.user_task = UserTaskState::Ended,
            Input::Received { from, message } => self.receive(from, message, out),
            Input::LinkEnded { peer } => self.link_ended(peer, out),
            Input::Signalled { signal, origin } => self.signalled(signal, origin, out),
            Input::Expired { timer } => self.expired(timer, out),
            Input::Spawned { child } => {
                self.children.insert(child, Child::spawned());
            }
            Input::Exited { child, status } => self.child_exited(child, status, out),
            Input::Adopted { child } => {
                self.children.entry(child).or_insert_with(Child::adopted);
            }
            Input::ChildrenGone => self.children_gone(out),
            Input::BatonClosed { request } => self.baton_closed(request, out),
        }
        self.settle(out);
    }

    fn receive(&mut self, from: ActorId, message: Message, out: &mut Outbox) {
        match self.standing(from, message.direction()) {
            Standing::Unrelated => return out.notice(Notice::WrongWay),
            Standing::Peer => {}
        }
        match message {
            Message::Want { request } => self.want(from, request, out),
            Message::Grant { request } => self.granted(request, out),
            Message::Done { request } => self.done(from, request, out),
            Message::Lost { request } => self.done(from, request, out),
            Message::Refuse { request } => self.refused(request, out),
            Message::Revoke { request } => self.revoke(request, out),
            Message::Cancel { urgency } => self.cancelled_from_above(urgency, out),
        }
    }

    /// Whether somebody may say what goes this way. A child is not trusted to be a supervisor.
    fn standing(&self, from: ActorId, way: MessageDirection) -> Standing {
        let may = match (self.policy.route(), way, &self.position) {
            (Route::Relayed, MessageDirection::Up, _) => {
                self.children.get(&from).is_some_and(|child| child.link == ChildLink::Up)
            }
            (Route::Direct, MessageDirection::Up, TreePosition::Root { .. }) => true,
            (Route::Direct, MessageDirection::Up, TreePosition::Below { .. })
            | (_, MessageDirection::Down, TreePosition::Root { .. }) => false,
            (
                Route::Relayed,
                MessageDirection::Down,
                TreePosition::Below { supervisor, uplink, .. },
            ) => *supervisor == from && *uplink == Uplink::Up,
            (
                Route::Direct,
                MessageDirection::Down,
                TreePosition::Below { supervisor, root, .. },
            ) => from_either(from, *supervisor, *root),
        };
        if may { Standing::Peer } else { Standing::Unrelated }
    }

    /// Who this is.
    #[must_use]
    pub fn id(&self) -> ActorId {
        self.id
    }

    /// The choices it runs under.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> &TreePosition {
        &self.position
    }

    /// Its own requests.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Its holds.
    #[must_use]
    pub fn holds(&self) -> &Holds {
        &self.holds
    }

    /// Its children.
    #[must_use]
    pub fn children(&self) -> &BTreeMap<ActorId, Child> {
        &self.children
    }

    /// How far its teardown is.
    #[must_use]
    pub fn teardown(&self) -> Teardown {
        self.teardown
    }

    /// Whether holds still count.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        self.urgency
    }

    /// Its program.
    #[must_use]
    pub fn user_task(&self) -> UserTaskState {
        self.user_task
    }

    /// What one request can see of all others.
    #[must_use]
    pub fn overview(&self) -> Overview {
        let own = match (self.requests.is_empty(), self.requests.examines()) {
            (true, _) => OwnTasks::AskNothing,
            (false, false) => OwnTasks::AtBreakpoints,
            (false, true) => OwnTasks::Examined,
        };
        let lock = match &self.position {
            TreePosition::Below { .. } => LockUse::Elsewhere,
            TreePosition::Root { server, .. } => match server.owner() {
                None => LockUse::Free,
                Some(owner) if owner.actor == self.id => LockUse::Own,
                Some(_) => LockUse::Lent,
            },
        };
        let protects = self.holds.protecting().next().is_some();
        let (children, user_task) = (!self.children.is_empty(), self.user_task);
        Overview { own, protects, children, user_task, lock }
    }

    /// What a SIGINT that is this actor's to decide would do now.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self.policy.restore() {
            Restore::SavedSlot => self.slot.installed(),
            Restore::Derived => self.overview().disposition(),
        }
    }
}

rename!(struct Node {
    id, policy, debug, position, requests, holds, children, teardown, urgency, user_task, slot
});
rename!(enum TreePosition { Root { server, stop }, Below { supervisor, root, uplink } });
rename!(nothing in Policy, DebugMode, StopOrder, Uplink, Child, Teardown, UserTaskState, Slot);
