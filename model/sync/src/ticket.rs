//! A ticket: one pause, shared between who pauses and who lets it go on.
//!
//! Runs between a paused task or thread, which holds the [`TicketReceiver`], and the driver, which has the
//! [`Ticket`] and may lend clones of it.
//!
//! ```text
//!     Open --end--> Ended(outcome) --the receiver is ready--> Taken
//!     Open --last Ticket dropped--> Lost
//!     Open --TicketReceiver dropped--> Abandoned, and `on_abandon` runs
//! ```
//!
//! # Rules
//! 1. Exactly one of the three ways out of `Open` is taken: exactly one `end` gets [`TicketEnd::Now`], or
//!    none does and it was lost or abandoned.
//! 2. Whoever waits is woken by an end and by a loss, so nobody waits forever.
//! 3. `on_abandon` runs once if the receiver was dropped while open, and never otherwise.

use crate::engine::{Arc, Mutex, lock};
use crate::park::{block_on, wake};
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A new pause. `on_abandon` tells the driver that nobody waits any longer.
pub fn ticket<O>(on_abandon: impl FnOnce() + Send + 'static) -> (TicketReceiver<O>, Ticket<O>) {
    let state = Arc::new(Mutex::new(TicketState { phase: Phase::Open, waker: None }));
    let tickets = Arc::new(Tickets { state: Arc::clone(&state) });
    (TicketReceiver { state, on_abandon: Some(Box::new(on_abandon)) }, Ticket { tickets })
}

/// Held by who pauses: a future, or [`Self::wait`].
#[must_use = "a receiver that is dropped abandons the pause"]
pub struct TicketReceiver<O> {
    state: Arc<Mutex<TicketState<O>>>,
    on_abandon: Option<Box<dyn FnOnce() + Send>>,
}

/// Held by who may end the pause. The drop of the last clone is a loss.
pub struct Ticket<O> {
    tickets: Arc<Tickets<O>>,
}

/// What a call of [`Ticket::end`] came to.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TicketEnd {
    /// The call ended the pause.
    Now,
    /// Another call had ended it.
    Before,
    /// Nobody waits any longer.
    Abandoned,
}

/// Whoever could have ended the pause is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("whoever could have ended the pause is gone")]
pub struct Lost;

enum Phase<O> {
    Open,
    Ended(O),
    Taken,
    Lost,
    Abandoned,
}

struct TicketState<O> {
    phase: Phase<O>,
    /// There while the receiver waits.
    waker: Option<Waker>,
}

/// What all clones of a ticket share; its drop is the drop of the last one.
struct Tickets<O> {
    state: Arc<Mutex<TicketState<O>>>,
}

impl<O> Ticket<O> {
    /// Ends the pause with this outcome, unless it is over.
    pub fn end(&self, outcome: O) -> TicketEnd {
        let mut state = lock(&self.tickets.state);
        match state.phase {
            Phase::Open => {
                state.phase = Phase::Ended(outcome);
                let waker = state.waker.take();
                drop(state);
                wake(waker);
                TicketEnd::Now
            }
            Phase::Ended(_) | Phase::Taken | Phase::Lost => TicketEnd::Before,
            Phase::Abandoned => TicketEnd::Abandoned,
        }
    }
}

impl<O> TicketReceiver<O> {
    /// Blocks the thread until the pause is over.
    ///
    /// # Errors
    /// Whoever could have ended it is gone.
    pub fn wait(self) -> Result<O, Lost> {
        block_on(self)
    }
}

/// Ready once the pause is over, and then not to be polled again.
impl<O> Future for TicketReceiver<O> {
    type Output = Result<O, Lost>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = lock(&self.state);
        match mem::replace(&mut state.phase, Phase::Taken) {
            Phase::Open => {
                state.phase = Phase::Open;
                let before = state.waker.replace(cx.waker().clone());
                drop(state);
                drop(before);
                Poll::Pending
            }
            Phase::Ended(outcome) => Poll::Ready(Ok(outcome)),
            Phase::Taken | Phase::Lost | Phase::Abandoned => Poll::Ready(Err(Lost)),
        }
    }
}

impl<O> Clone for Ticket<O> {
    fn clone(&self) -> Self {
        Self { tickets: Arc::clone(&self.tickets) }
    }
}

impl<O> Drop for Tickets<O> {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        if let Phase::Open = state.phase {
            state.phase = Phase::Lost;
            let waker = state.waker.take();
            drop(state);
            wake(waker);
        }
    }
}

impl<O> Drop for TicketReceiver<O> {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        let waker = state.waker.take();
        match mem::replace(&mut state.phase, Phase::Abandoned) {
            Phase::Open => {
                drop(state);
                if let Some(on_abandon) = self.on_abandon.take() {
                    on_abandon();
                }
            }
            over @ (Phase::Ended(_) | Phase::Taken | Phase::Lost | Phase::Abandoned) => {
                state.phase = Phase::Taken;
                drop(state);
                drop(over);
            }
        }
        drop(waker);
    }
}

impl<O> fmt::Debug for TicketReceiver<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketReceiver")
    }
}

impl<O> fmt::Debug for Ticket<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}

#[cfg(all(test, not(any(model_loom, model_shuttle))))]
mod tests;
