//! A flag that is raised once and never lowered, for many who look and many who wait.
//!
//! Runs between the driver, which raises it when its actor is told to end, and all user code:
//! tasks wait for it, a loop in a plain thread looks at it, at the cost of one load.
//!
//! ```text
//!     Down --raise--> Up: everybody who waits is woken, and nobody waits again
//! ```
//!
//! # Rules
//! 1. Who sees it up sees everything that was done before it was raised.
//! 2. Who waits is woken: it looks again under the lock that the raiser takes after raising.

use crate::engine::atomic::{AtomicBool, Ordering};
use crate::engine::{Arc, Mutex, lock};
use crate::park::block_on;
use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A flag; clones are the same flag.
#[derive(Clone)]
pub struct Flag {
    state: Arc<FlagState>,
}

/// Whether a flag is up.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlagLevel {
    /// The flag was not raised yet.
    Down,
    /// The flag was raised.
    Up,
}

/// Waits until a flag is up.
#[must_use = "a future that is dropped does not wait"]
pub struct Raised {
    state: Arc<FlagState>,
    /// The place in [`Waiters`], once it has waited.
    place: Option<u64>,
}

struct FlagState {
    up: AtomicBool,
    waiters: Mutex<Waiters>,
}

#[derive(Default)]
struct Waiters {
    wakers: BTreeMap<u64, Waker>,
    next_place: u64,
}

impl Flag {
    /// A flag that is down.
    #[must_use]
    pub fn new() -> Self {
        let waiters = Mutex::new(Waiters::default());
        Self { state: Arc::new(FlagState { up: AtomicBool::new(false), waiters }) }
    }

    /// Raises it; says how it was before.
    pub fn raise(&self) -> FlagLevel {
        let before = look(self.state.up.swap(true, Ordering::AcqRel));
        let wakers = mem::take(&mut lock(&self.state.waiters).wakers);
        wakers.into_values().for_each(Waker::wake);
        before
    }

    /// Looks at it.
    pub fn look(&self) -> FlagLevel {
        self.state.look()
    }

    /// A future that is ready once it is up.
    pub fn raised(&self) -> Raised {
        Raised { state: Arc::clone(&self.state), place: None }
    }

    /// Blocks the thread until it is up.
    pub fn wait(&self) {
        block_on(self.raised());
    }
}

impl FlagState {
    fn look(&self) -> FlagLevel {
        look(self.up.load(Ordering::Acquire))
    }
}

impl Future for Raised {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.state.look() == FlagLevel::Up {
            return Poll::Ready(());
        }
        let state = Arc::clone(&self.state);
        let mut waiters = lock(&state.waiters);
        if state.look() == FlagLevel::Up {
            return Poll::Ready(());
        }
        let place = *self.place.get_or_insert(waiters.next_place);
        waiters.next_place = waiters.next_place.max(place + 1);
        let before = waiters.wakers.insert(place, cx.waker().clone());
        drop(waiters);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        let waker = self.place.and_then(|place| lock(&self.state.waiters).wakers.remove(&place));
        drop(waker);
    }
}

impl Default for Flag {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Flag").field(&self.look()).finish()
    }
}

impl fmt::Debug for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Raised")
    }
}

fn look(up: bool) -> FlagLevel {
    if up { FlagLevel::Up } else { FlagLevel::Down }
}

#[cfg(all(test, not(any(model_loom, model_shuttle))))]
mod tests;
