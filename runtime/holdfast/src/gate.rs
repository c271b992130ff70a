//! The places at which a test can hold an actor back: before it takes an input that comes from
//! outside its own program. So a test chooses which of the orders that are possible is taken.
//!
//! Without the feature `live` nothing is ever held and nothing of this is left after compilation.

#[cfg(feature = "live")]
pub(crate) use crate::live::gate::Gate;

use holdfast_protocol::{ActorId, Origin, RequestId, Signal, Timer};
#[cfg(feature = "live")]
use holdfast_protocol::{Answer, Input};
use serde::{Deserialize, Serialize};

/// What an actor can be held before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "live"), expect(unreachable_pub, reason = "tests name it"))]
pub enum Point {
    /// It reads the next message of a neighbour, or the end of their link.
    Message(ActorId),
    /// It takes a signal that comes from there.
    Signal(Signal, Origin),
    /// One of its timers fires.
    Timer(Timer),
    /// Its own code, which was told to end, has ended.
    Body,
    /// It reaps a child.
    Reap(ActorId),
    /// It takes an orphan over.
    Adopt(ActorId),
    /// It sees that it has no child left.
    ChildrenGone,
    /// It reads the end of a baton.
    Baton(RequestId),
    /// It sees that the root is gone from a prompt of its own.
    Hangup(RequestId),
}

#[cfg(feature = "live")]
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
            (Self::Body, Input::BodyEnded) | (Self::ChildrenGone, Input::ChildrenGone) => true,
            _ => false,
        }
    }

    /// Whether both are one signal, which is pending once whoever sends it again.
    pub(crate) fn is_pending_with(self, other: Self) -> bool {
        matches!((self, other), (Self::Signal(one, _), Self::Signal(other, _)) if one == other)
    }
}

/// Lets everything through.
#[cfg(not(feature = "live"))]
#[derive(Debug)]
pub(crate) struct Gate;

#[cfg(not(feature = "live"))]
impl Gate {
    /// Whether an actor may go past a point now.
    #[expect(clippy::unused_self, reason = "the other one has something to look at")]
    pub(crate) fn passes(&mut self, _: Point) -> bool {
        true
    }

    /// Has it held before something that can not happen yet.
    #[expect(clippy::unused_self, reason = "the other one has something to look at")]
    pub(crate) fn hold(&mut self, _: Point) {}

    /// What it was held before will not happen.
    #[expect(clippy::unused_self, reason = "the other one has something to look at")]
    pub(crate) fn forget(&mut self, _: Point) {}
}
