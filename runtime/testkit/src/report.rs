//! What each protocol of a live tree handles, told to the test as it happens.
//!
//! Runs in every test actor whose environment has [`VARIABLE`], on a connection of its own beside
//! that of the actor. The test hears what is recorded ([`holdfast::recorder`]), at the same moment:
//! before the outputs are performed. So what a test waits for is an event of the actor, never time.

use crate::control::{ActorEvent, ControlClient, EventSender};
use holdfast_protocol::{Input, Output};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The variable that asks for it.
pub const VARIABLE: &str = "HOLDFAST_TEST_REPORT";

/// What stands before the path of an actor in the hello of such a connection.
pub const PREFIX: &str = "protocol@";

/// The protocol of one actor, as it tells what it handles.
#[derive(Debug)]
pub(crate) struct Reporter {
    /// Kept so that the connection lives as long as the actor.
    _client: ControlClient,
    events: EventSender,
    /// The test is gone: nobody hears any longer.
    unheard: AtomicBool,
}

impl Reporter {
    /// Starts to report, if the environment asks for it.
    pub(crate) fn start(actor: &str) -> Option<Self> {
        std::env::var_os(VARIABLE)?;
        let client = ControlClient::connect_from_env().ok().flatten()?;
        client.hello(format!("{PREFIX}{actor}")).ok()?;
        Some(Self { events: client.events(), _client: client, unheard: AtomicBool::new(false) })
    }

    /// Reports an input and what came of it.
    pub(crate) fn handled(&self, input: Input, outputs: &[Output]) {
        if self.unheard.load(Relaxed) {
            return;
        }
        let event = ActorEvent::Handled { input, outputs: outputs.to_vec() };
        if self.events.send(&event).is_err() {
            self.unheard.store(true, Relaxed);
        }
    }
}
