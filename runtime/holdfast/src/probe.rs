//! The places at which a test can look into an actor and hold it back: one trait, whose default
//! does nothing.
//!
//! A test chooses which of the orders that are possible is taken, without a build of its own: what
//! it drives is the library that users have, in a program that has set a [`Probe`]
//! ([`Program::probe`](crate::Program::probe)). No variable of the environment sets one.

use crate::event::Event;
use holdfast_protocol::{
    ActorId, Answer, Input, Origin, Output, PolicyName, RequestId, Signal, Timer,
};
use holdfast_sync::mailbox::Sender;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

pub use crate::process::LINK_FD;

/// What an actor can be held before: the inputs that come from outside its own program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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
            (Self::Body, Input::UserTaskEnded) | (Self::ChildrenGone, Input::ChildrenGone) => true,
            _ => false,
        }
    }
}

/// What a test sees of one actor, and where it can hold it. Every method does nothing by default.
///
/// All are called on the thread of the driver, so one that blocks holds the whole actor.
pub trait Probe: Debug + Send + Sync {
    /// The policy of the tree; asked in the root alone. What a user builds has relay and no other.
    fn policy(&self) -> PolicyName {
        PolicyName::Relay
    }

    /// This process was started as an actor below the root; it does not know its name yet.
    fn starting(&self) {}

    /// This process knows which actor it is, and has not told its supervisor that it is ready.
    fn booting(&self, path: &str) {
        let _ = path;
    }

    /// The driver is about to serve; `waker` leads it to what the probe has held.
    fn running(&self, path: &str, waker: DriverWaker) {
        let _ = (path, waker);
    }

    /// The node has handled an input; its outputs have not been performed yet.
    fn handled(&self, input: Input, outputs: &[Output]) {
        let _ = (input, outputs);
    }

    /// Whether the driver may go past a point now. If not, it leaves the input where it is until
    /// it is woken for that point.
    fn passes(&self, point: Point) -> bool {
        let _ = point;
        true
    }

    /// The driver has come to a point that it can not pass yet, whatever the probe says.
    fn hold(&self, point: Point) {
        let _ = point;
    }

    /// What the driver was held before will not happen any more.
    fn forget(&self, point: Point) {
        let _ = point;
    }

    /// The driver was woken for a point: whether it was held there, and is to look again.
    fn resumes(&self, point: Point) -> bool {
        let _ = point;
        false
    }
}

/// The probe of a program that sets none.
#[derive(Debug)]
pub(crate) struct NoProbe;

impl Probe for NoProbe {}

/// Wakes the driver of one actor, from any thread.
#[derive(Clone, Debug)]
pub struct DriverWaker {
    events: Sender<Event>,
    urgent: Sender<Event>,
}

impl DriverWaker {
    pub(crate) fn new(events: Sender<Event>, urgent: Sender<Event>) -> Self {
        Self { events, urgent }
    }

    /// Has the driver ask [`Probe::resumes`] about a point, in the turn of what is held there:
    /// signals reach a driver that is frozen at a prompt.
    pub fn resume(&self, point: Point) {
        let way = if matches!(point, Point::Signal(..)) { &self.urgent } else { &self.events };
        // An actor that has ended has nothing to resume.
        let _ = way.send(Event::Resume(point));
    }
}
