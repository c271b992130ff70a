//! Holds an actor before each input that comes from outside, until the test lets it pass.
//!
//! ```text
//!     driver                         gate                     test
//!       passes(point)? --- no ------ Held { point } -------->
//!                                                  <--------- Instruction::Pass { point }
//!       resumes(point)? <- (thread)
//!       passes(point)? --- yes: the input is taken
//! ```
//!
//! A pass lets one input through, and may come before it.
//!
//! # Rules
//! 1. What is held is what the kernel holds: a signal is pending once, whatever is sent again.
//! 2. Passes for what is urgent come the urgent way: also to an actor that is frozen at its prompt.
//! 3. With the test gone, or told to open, everything passes.

use crate::control::{ActorEvent, ControlClient, EventSender, Instruction};
use holdfast::probe::{DriverWaker, Point};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What stands in [`crate::points::VARIABLE`] to hold every actor before each of its inputs.
pub const EVERY_INPUT: &str = "every-input";

/// What stands before the path of an actor in the hello of its gate.
pub const PREFIX: &str = "gate@";

/// The gate of one actor.
#[derive(Debug)]
pub(crate) struct Gate {
    state: Arc<Mutex<GateState>>,
}

#[derive(Debug)]
struct GateState {
    /// None: everything passes.
    events: Option<EventSender>,
    passes: BTreeMap<Point, u32>,
    held: BTreeSet<Point>,
}

impl Gate {
    /// The gate of the actor with this path, if the test has asked for one.
    pub(crate) fn close(actor: &str, waker: DriverWaker) -> Option<Self> {
        let client = crate::points::wants(EVERY_INPUT).then(ControlClient::connect_from_env);
        let client = client.and_then(Result::ok).flatten();
        let client = client.filter(|one| one.hello(format!("{PREFIX}{actor}")).is_ok())?;
        let (events, passes, held) = (Some(client.events()), BTreeMap::new(), BTreeSet::new());
        let state = Arc::new(Mutex::new(GateState { events, passes, held }));
        let gate = Self { state: Arc::clone(&state) };
        std::thread::spawn(move || Self { state }.hear(client, &waker));
        Some(gate)
    }

    /// The state is whole between any two calls, so a panic elsewhere tears nothing.
    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the actor may go past a point now. If not, it does nothing, and is woken for it.
    pub(crate) fn passes(&self, point: Point) -> bool {
        let mut state = self.lock();
        let Some(events) = state.events.clone() else { return true };
        if let Some(left) = state.passes.get_mut(&point).filter(|left| **left > 0) {
            *left -= 1;
            return true;
        }
        if !state.held.iter().any(|held| held.is_pending_with(point)) {
            state.held.insert(point);
        }
        // A test that is gone holds nobody; its end is heard by the other thread.
        let _ = events.send(&ActorEvent::Held { point });
        false
    }

    /// Adds a pass, and says whether somebody waits for it.
    pub(crate) fn admit(&self, point: Point) -> bool {
        let mut state = self.lock();
        *state.passes.entry(point).or_default() += 1;
        state.held.remove(&point)
    }

    /// From now on everything passes. What is held is taken in its turn: a prompt may freeze the
    /// driver.
    fn open(&self, waker: &DriverWaker) {
        let mut state = self.lock();
        state.events = None;
        state.held.iter().for_each(|point| waker.resume(*point));
    }

    fn hear(&self, mut client: ControlClient, waker: &DriverWaker) {
        while let Ok(Some(instruction)) = client.recv() {
            match instruction {
                Instruction::Pass { point } => waker.resume(point),
                Instruction::Open {} => self.open(waker),
                _ => {}
            }
        }
        self.open(waker);
    }
}
