//! What each protocol of a live tree handles, told to the test as it happens.
//!
//! Runs in every actor whose environment has [`VARIABLE`], on a connection of its own beside that of
//! the puppet. It hears what is recorded ([`crate::recorder`]), at the same moment: before the
//! outputs are performed. So what a test waits for is an event of the actor, never time.

use super::orders::{Client, Event, Events};
use holdfast_protocol::{Input, Output};
use nix::time::{ClockId, clock_gettime};

/// The variable that asks for it.
pub const VARIABLE: &str = "HOLDFAST_TELL";

/// What stands before the path of an actor in the hello of such a connection.
pub const PREFIX: &str = "protocol@";

/// The protocol of one actor, as it tells what it handles.
#[derive(Debug)]
pub(crate) struct Teller {
    /// Kept so that the connection lives as long as the actor.
    _client: Option<Client>,
    events: Option<Events>,
}

impl Teller {
    /// Starts to tell, if the environment asks for it.
    pub(crate) fn start(path: &[String]) -> Self {
        let asked = std::env::var_os(VARIABLE).is_some();
        let client = asked.then(Client::connect_from_env).and_then(Result::ok).flatten();
        let client = client.filter(|one| one.hello(format!("{PREFIX}{}", path.join("/"))).is_ok());
        Self { events: client.as_ref().map(Client::events), _client: client }
    }

    /// Tells an input and what came of it.
    pub(crate) fn handled(&mut self, input: Input, outputs: &[Output]) {
        let Some(events) = &self.events else { return };
        let event = Event::Handled { at_ns: now_ns(), input, outputs: outputs.to_vec() };
        if events.send(&event).is_err() {
            self.events = None;
        }
    }
}

/// The time since boot: one clock for all processes, so it orders what one of them led to after
/// what it was led to by.
#[must_use]
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(std::time::Duration::from);
    now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}
