//! The places at which a test can look into an actor and hold it back: one trait, whose default
//! does nothing.
//!
//! A test chooses which of the orders that are possible is taken, without a build of its own: what
//! it drives is the library that users have, in a program that has set a [`Probe`]
//! ([`Program::probe`](crate::Program::probe)). No variable of the environment sets one.

use crate::event::{ActorEvent, DriverEvent, Senders};
use holdfast_protocol::{Input, NamedPolicy, Output, PolicyName};
use std::fmt::Debug;

pub use crate::process::LINK_FD;
pub use holdfast_protocol::actor_loop::Point;

/// What a test sees of one actor, and where it can hold it. Every method does nothing by default.
///
/// All are called on the thread of the driver, so one that blocks holds the whole actor.
pub trait Probe: Debug + Send + Sync {
    /// The policy of the tree; asked in the root alone. What a user builds has relay and no other.
    fn policy(&self) -> NamedPolicy {
        PolicyName::Relay.into()
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
    senders: Senders,
}

impl DriverWaker {
    pub(crate) fn new(senders: Senders) -> Self {
        Self { senders }
    }

    /// Has the driver ask [`Probe::resumes`] about a point, in the turn of what is held there:
    /// what is urgent reaches a driver that is frozen at a prompt.
    pub fn resume(&self, point: Point) {
        let urgent = ActorEvent::Released(point).is_urgent();
        let way = if urgent { &self.senders.urgent } else { &self.senders.events };
        // An actor that has ended has nothing to resume.
        let _ = way.send(DriverEvent::Resume(point));
    }
}
