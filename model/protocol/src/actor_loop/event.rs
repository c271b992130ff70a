//! What can happen to an actor, before it is an input of its node.

use crate::{ActorId, Answer, Cause, Input, Origin, RequestId, Shielding, Signal, Timer};
use serde::{Deserialize, Serialize};

/// One thing that happened. `Order` is a child to be started, `Ending` how a user task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<Order, Ending> {
    /// A link has something to read: a message, or its end.
    Readable(ActorId),
    /// The process of a child has ended.
    ChildEnded(ActorId),
    /// This process may have children that its actor does not know.
    Orphans,
    /// A signal was read.
    Signalled(Signal, Origin),
    /// The prompt of this request was answered, or nobody waits for it any longer.
    Answered(RequestId, Answer),
    /// The other end of a baton was closed.
    BatonEnded(RequestId),
    /// A timer has expired. It was taken off the armed ones at that moment.
    Expired(Timer),
    /// The user task hit a breakpoint.
    Pause(Shielding),
    /// The user task wants a child.
    Spawn(Order),
    /// The user task wants a child to end.
    CancelChild(ActorId),
    /// The user task, or the person at the prompt, wants this actor to end.
    Cancel(Cause),
    /// The user task has ended.
    TaskEnded(Ending),
    /// The user task was told to end, and its time is over.
    TaskOverdue,
    /// What the probe held back there may be taken now.
    Released(Point),
}

impl<Order, Ending> Event<Order, Ending> {
    /// Whether this is taken even while a prompt freezes the actor: what a signal says, and what
    /// ends the prompt.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        match self {
            Self::Orphans | Self::Signalled(..) | Self::Answered(..) | Self::BatonEnded(_) => true,
            Self::Released(point) => match point {
                Point::Signal(..) | Point::Adopt(_) | Point::Baton(_) | Point::Hangup(_) => true,
                Point::Message(_)
                | Point::Timer(_)
                | Point::UserTask
                | Point::Reap(_)
                | Point::ChildrenGone => false,
            },
            Self::Readable(_)
            | Self::ChildEnded(_)
            | Self::Expired(_)
            | Self::Pause(_)
            | Self::Spawn(_)
            | Self::CancelChild(_)
            | Self::Cancel(_)
            | Self::TaskEnded(_)
            | Self::TaskOverdue => false,
        }
    }
}

/// How a user task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskEnd {
    /// With a result.
    Returned,
    /// With an error or a panic.
    Failed(Examine),
    /// The task was told to end, or dropped.
    Dropped,
}

/// Whether a failure may open a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Examine {
    /// The failure may open one.
    Yes,
    /// The program does not want to see this one.
    No,
}

/// A place at which a probe can hold an actor: before it takes an input that comes from outside its
/// own program. A test that holds actors there chooses which of the possible orders is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Point {
    /// The actor reads the next message of a peer, or the end of their link.
    Message(ActorId),
    /// The actor takes a signal that comes from there.
    Signal(Signal, Origin),
    /// One of its timers fires.
    Timer(Timer),
    /// Its user task, which was told to end, has ended.
    UserTask,
    /// The actor reaps a child.
    Reap(ActorId),
    /// The root takes an orphan over.
    Adopt(ActorId),
    /// The root sees that it has no child left.
    ChildrenGone,
    /// The root reads the end of a baton.
    Baton(RequestId),
    /// The actor sees that the root is gone from a prompt of its own.
    Hangup(RequestId),
}

impl Point {
    /// Whether this is an input before which an actor is held there.
    #[must_use]
    pub fn is_before(self, input: Input) -> bool {
        match (self, input) {
            (Self::Message(peer), Input::Received { from, .. }) => from == peer,
            (Self::Message(held), Input::LinkEnded { peer }) => held == peer,
            (Self::Signal(held, from), Input::Signalled { signal, origin }) => {
                (held, from) == (signal, origin)
            }
            (Self::Timer(held), Input::Expired { timer }) => held == timer,
            (Self::Reap(held), Input::Exited { child, .. })
            | (Self::Adopt(held), Input::Adopted { child }) => held == child,
            (Self::Baton(held), Input::BatonClosed { request })
            | (Self::Hangup(held), Input::Answered { request, answer: Answer::Hangup }) => {
                held == request
            }
            (Self::UserTask, Input::UserTaskEnded) | (Self::ChildrenGone, Input::ChildrenGone) => {
                true
            }
            _ => false,
        }
    }

    /// Whether both are one signal, which is pending once whoever sends it again.
    #[must_use]
    pub fn is_pending_with(self, other: Self) -> bool {
        matches!((self, other), (Self::Signal(one, _), Self::Signal(other, _)) if one == other)
    }
}
