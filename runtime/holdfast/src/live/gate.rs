//! Holds an actor before each input that comes from outside, until the test lets it pass.
//!
//! ```text
//!     driver                         gate                     test
//!       passes(point)? --- no ------ Held { point } -------->
//!                                                  <--------- Order::Pass { point }
//!       take(Event::Pass(point)) <-- (thread)
//!       passes(point)? --- yes: the input is taken
//! ```
//!
//! A pass lets one input through, and may come before it.
//!
//! # Rules
//! 1. What is held is what the kernel holds: a signal is pending once, whatever is sent again.
//! 2. Passes for signals come the way of signals: also to an actor that is frozen at its prompt.
//! 3. With the test gone, or told to open, everything passes.

use super::orders::{Client, Event, Events, Order};
use crate::event::Event as Woken;
use crate::gate::Point;
use holdfast_sync::mailbox::Sender;
use std::collections::{BTreeMap, BTreeSet};

/// What stands in [`super::points::VARIABLE`] to hold every actor before each of its inputs.
pub const EVERY_INPUT: &str = "every-input";

/// What stands before the path of an actor in the hello of its gate.
pub const PREFIX: &str = "gate@";

/// The gate of one actor.
#[derive(Debug)]
pub(crate) struct Gate {
    /// None: everything passes.
    events: Option<Events>,
    passes: BTreeMap<Point, u32>,
    held: BTreeSet<Point>,
}

impl Gate {
    /// The gate of the actor with this path: closed, if the test has asked for that.
    pub(crate) fn new(actor: &str, events: &Sender<Woken>, urgent: &Sender<Woken>) -> Self {
        let client = super::points::wants(EVERY_INPUT).then(Client::connect_from_env);
        let client = client.and_then(Result::ok).flatten();
        let client = client.filter(|one| one.hello(format!("{PREFIX}{actor}")).is_ok());
        let says = client.as_ref().map(Client::events);
        if let Some(client) = client {
            let (events, urgent) = (events.clone(), urgent.clone());
            std::thread::spawn(move || hear(client, &events, &urgent));
        }
        Self { events: says, passes: BTreeMap::new(), held: BTreeSet::new() }
    }

    /// Whether the actor may go past a point now. If not, it does nothing and is woken with
    /// [`Woken::Pass`].
    pub(crate) fn passes(&mut self, point: Point) -> bool {
        let Some(events) = &self.events else { return true };
        if let Some(left) = self.passes.get_mut(&point).filter(|left| **left > 0) {
            *left -= 1;
            return true;
        }
        if !self.held.iter().any(|held| held.is_pending_with(point)) {
            self.held.insert(point);
        }
        // A test that is gone holds nobody; its end is heard by the other thread.
        let _ = events.send(&Event::Held { point });
        false
    }

    /// Has it held before something that can not happen yet.
    pub(crate) fn hold(&mut self, point: Point) {
        self.held.insert(point);
    }

    /// What it was held before will not happen.
    pub(crate) fn forget(&mut self, point: Point) {
        self.held.remove(&point);
    }

    /// Adds a pass, and says whether somebody waits for it.
    pub(crate) fn admit(&mut self, point: Point) -> bool {
        *self.passes.entry(point).or_default() += 1;
        self.held.remove(&point)
    }

    /// From now on everything passes: what is held is to be admitted.
    pub(crate) fn open(&mut self) -> Vec<Point> {
        self.events = None;
        self.held.iter().copied().collect()
    }
}

fn hear(mut client: Client, events: &Sender<Woken>, urgent: &Sender<Woken>) {
    while let Ok(Some(order)) = client.recv() {
        let _ = match order {
            Order::Pass { point: point @ Point::Signal(..) } => urgent.send(Woken::Pass(point)),
            Order::Pass { point } => events.send(Woken::Pass(point)),
            Order::Open {} => urgent.send(Woken::Open),
            _ => continue,
        };
    }
    let _ = urgent.send(Woken::Open);
}
