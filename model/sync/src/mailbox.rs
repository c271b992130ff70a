//! A mailbox: any thread or task sends, one receiver takes in the order of sending.
//!
//! Runs between the driver, which owns the receiving end, and everything else in its actor; and
//! from the driver to the threads that wait for it.
//!
//! ```text
//!     Open --last Sender dropped--> Ended: what is in it can be taken, then None
//!     Open, Ended --Receiver dropped--> Closed: its contents are dropped, `send` fails
//! ```
//!
//! # Rules
//! 1. What one sender sends is taken in that order, and what was sent before another send began is
//!    taken before it.
//! 2. A receiver that found it empty is woken by the next send and by the last sender's drop.
//! 3. A send that succeeded is taken or dropped with the receiver; one that fails gives it back.

use crate::engine::{Arc, Mutex, lock};
use crate::park::{block_on, wake};
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::task::{Context, Poll, Waker};

/// A new mailbox, empty.
pub fn mailbox<T>() -> (Sender<T>, Receiver<T>) {
    let state = QueueState { queue: VecDeque::new(), ends: QueueEnds::Open, waker: None };
    let state = Arc::new(Mutex::new(state));
    let senders = Arc::new(SendersGuard { state: Arc::clone(&state) });
    (Sender { senders }, Receiver { state })
}

/// The end that sends. Each clone is a sender of its own.
pub struct Sender<T> {
    senders: Arc<SendersGuard<T>>,
}

/// The end that receives.
pub struct Receiver<T> {
    state: Arc<Mutex<QueueState<T>>>,
}

/// Nobody receives any longer; what was to be sent comes back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody receives from this mailbox any longer")]
pub struct Closed<T>(pub T);

impl<T> fmt::Debug for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QueueEnds {
    Open,
    /// No sender is left.
    Ended,
    /// The receiver is gone.
    Closed,
}

struct QueueState<T> {
    queue: VecDeque<T>,
    ends: QueueEnds,
    /// There while the receiver waits.
    waker: Option<Waker>,
}

/// What all senders share; its drop is the drop of the last one.
struct SendersGuard<T> {
    state: Arc<Mutex<QueueState<T>>>,
}

impl<T> Sender<T> {
    /// Puts an item in and wakes the receiver.
    ///
    /// # Errors
    /// The receiver is gone; the item comes back.
    pub fn send(&self, item: T) -> Result<(), Closed<T>> {
        let mut state = lock(&self.senders.state);
        match state.ends {
            QueueEnds::Open | QueueEnds::Ended => state.queue.push_back(item),
            QueueEnds::Closed => return Err(Closed(item)),
        }
        let waker = state.waker.take();
        drop(state);
        wake(waker);
        Ok(())
    }
}

impl<T> Receiver<T> {
    /// Takes the next item, if there is one.
    pub fn try_recv(&mut self) -> Option<T> {
        lock(&self.state).queue.pop_front()
    }

    /// Takes the next item; `None` once it is empty and no sender is left.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = lock(&self.state);
        if let Some(item) = state.queue.pop_front() {
            return Poll::Ready(Some(item));
        }
        match state.ends {
            QueueEnds::Open => {
                let before = state.waker.replace(cx.waker().clone());
                drop(state);
                drop(before);
                Poll::Pending
            }
            QueueEnds::Ended | QueueEnds::Closed => Poll::Ready(None),
        }
    }

    /// Waits for the next item; `None` once it is empty and no sender is left.
    ///
    /// A future that is dropped early takes nothing along.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Like [`Self::recv`], but blocks the thread.
    pub fn wait(&mut self) -> Option<T> {
        block_on(self.recv())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { senders: Arc::clone(&self.senders) }
    }
}

impl<T> Drop for SendersGuard<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        if state.ends == QueueEnds::Open {
            state.ends = QueueEnds::Ended;
        }
        let waker = state.waker.take();
        drop(state);
        wake(waker);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.ends = QueueEnds::Closed;
        let contents = mem::take(&mut state.queue);
        let waker = state.waker.take();
        drop(state);
        drop((contents, waker));
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}

#[cfg(all(test, not(any(model_loom, model_shuttle))))]
mod tests;
