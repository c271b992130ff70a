//! The guard whose drop is the release.
//!
//! Runs in the holder: the agent thread, the driver and the person's commands all may end the
//! prompt, and each has a handle.
//!
//! ```text
//!     Pending --answer: continue, quit, revoke, lost channel--> Answered   (delivered)
//!     Pending --last Release dropped, or unwound--> Answered               (`on_drop` delivered)
//! ```
//!
//! # Rules
//! 1. Something is delivered exactly once, whichever of them race.
//! 2. What is delivered is the answer of whoever got [`Delivery::First`], and `on_drop` only if
//!    nobody did.
//! 3. A [`Remote`] may answer, but its being there puts off no drop: a driver that can revoke the
//!    prompt does not keep a prompt that panicked from being released.
//! 4. [`Delivery::Late`] says that another was first, not that its delivery is over.

use crate::engine::{Arc, Mutex, lock};
use std::fmt;

/// A new guard: `deliver` takes the first answer, or `on_drop` if there never is one.
pub fn release<A>(deliver: impl FnOnce(A) + Send + 'static, on_drop: A) -> Release<A> {
    let pending = PendingRelease { deliver: Box::new(deliver), on_drop };
    let state = Arc::new(Mutex::new(Some(pending)));
    Release { guards: Arc::new(Guards { state }) }
}

/// The guard, held by whoever is at the prompt. Clones are the same guard.
#[must_use = "dropping the last one is the release"]
pub struct Release<A> {
    guards: Arc<Guards<A>>,
}

/// May answer, like the guard; its drop means nothing.
pub struct Remote<A> {
    state: Arc<ReleaseState<A>>,
}

/// What a call of [`Release::answer`] came to.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    /// The answer was the first, and is delivered.
    First,
    /// Another was first, or the guard is gone; nothing is delivered.
    Late,
}

struct PendingRelease<A> {
    deliver: Box<dyn FnOnce(A) + Send>,
    on_drop: A,
}

/// There until the answer.
type ReleaseState<A> = Mutex<Option<PendingRelease<A>>>;

/// What all clones of a guard share; its drop is the drop of the last one.
struct Guards<A> {
    state: Arc<ReleaseState<A>>,
}

impl<A> Release<A> {
    /// Answers, unless somebody did.
    pub fn answer(&self, answer: A) -> Delivery {
        first(&self.guards.state, answer)
    }

    /// A handle for others that may have to answer.
    #[must_use]
    pub fn remote(&self) -> Remote<A> {
        Remote { state: Arc::clone(&self.guards.state) }
    }
}

impl<A> Remote<A> {
    /// Answers, unless somebody did or the guard is gone.
    pub fn answer(&self, answer: A) -> Delivery {
        first(&self.state, answer)
    }
}

fn first<A>(state: &ReleaseState<A>, answer: A) -> Delivery {
    let pending = lock(state).take();
    match pending {
        Some(PendingRelease { deliver, .. }) => {
            deliver(answer);
            Delivery::First
        }
        None => Delivery::Late,
    }
}

impl<A> Drop for Guards<A> {
    fn drop(&mut self) {
        let pending = lock(&self.state).take();
        if let Some(PendingRelease { deliver, on_drop }) = pending {
            deliver(on_drop);
        }
    }
}

impl<A> Clone for Release<A> {
    fn clone(&self) -> Self {
        Self { guards: Arc::clone(&self.guards) }
    }
}

impl<A> Clone for Remote<A> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state) }
    }
}

impl<A> fmt::Debug for Release<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Release")
    }
}

impl<A> fmt::Debug for Remote<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote")
    }
}

#[cfg(all(test, not(any(model_loom, model_shuttle))))]
mod tests;
