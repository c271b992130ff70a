//! Named places in the runtime at which a test can hold an actor, to force an interleaving.
//!
//! Nothing is compiled into a program without the feature `live`; with it, a place that nobody has
//! named in [`VARIABLE`] costs one look at a table.
//!
//! `HOLDFAST_POINTS=booting@root/mid,...` names the places: the actor of that path says
//! [`Event::Noted`] that it has reached the place and waits there for [`Order::Boot`].

use super::orders::{Client, Event, Order};

/// The variable that names the places.
pub const VARIABLE: &str = "HOLDFAST_POINTS";

/// A place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// A child knows who it is, and has not said that it is ready.
    Booting,
}

impl Point {
    fn name(self) -> &'static str {
        match self {
            Self::Booting => "booting",
        }
    }
}

/// Waits here if a test has asked this actor to.
pub(crate) fn reach(point: Point, actor: &str) {
    let Ok(wanted) = std::env::var(VARIABLE) else { return };
    let here = format!("{}@{actor}", point.name());
    if !wanted.split(',').any(|place| place == here) {
        return;
    }
    let Ok(Some(mut client)) = Client::connect_from_env() else { return };
    let _ = client.hello(here.clone());
    let _ = client.send(&Event::Noted { text: here });
    while let Ok(Some(order)) = client.recv() {
        if order == (Order::Boot {}) {
            return;
        }
    }
}
