//! The guard whose drop is the release.
//!
//! Runs in the holder: the agent thread, the driver and the person's commands all may end the
//! prompt, and each has a handle.
//!
//! ```text
//!     Pending --answer: continue, quit, revoke, lost channel--> Answered   (delivered)
//!     Pending --last handle dropped, or unwound--> Answered                (`on_drop` delivered)
//! ```
//!
//! # Rules
//! 1. Something is delivered exactly once, whichever of them race.
//! 2. What is delivered is the answer of whoever got [`Answered::First`], and `on_drop` only if
//!    nobody did.
//! 3. [`Answered::Late`] says that another was first, not that its delivery is over.

use crate::sync::{Arc, Mutex, lock};
use std::fmt;

/// A new guard: `deliver` takes the first answer, or `on_drop` if there never is one.
pub fn release<A>(deliver: impl FnOnce(A) + Send + 'static, on_drop: A) -> Release<A> {
    let pending = Pending { deliver: Box::new(deliver), on_drop };
    Release { handles: Arc::new(Handles { pending: Mutex::new(Some(pending)) }) }
}

/// A handle of the guard.
#[must_use = "dropping the last handle is the release"]
pub struct Release<A> {
    handles: Arc<Handles<A>>,
}

/// What a call of [`Release::answer`] came to.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It was the first, and is delivered.
    First,
    /// Another was first; nothing is delivered.
    Late,
}

struct Pending<A> {
    deliver: Box<dyn FnOnce(A) + Send>,
    on_drop: A,
}

/// What all handles share; its drop is the drop of the last one.
struct Handles<A> {
    pending: Mutex<Option<Pending<A>>>,
}

impl<A> Release<A> {
    /// Answers, unless somebody did.
    pub fn answer(&self, answer: A) -> Answered {
        let pending = lock(&self.handles.pending).take();
        match pending {
            Some(Pending { deliver, .. }) => {
                deliver(answer);
                Answered::First
            }
            None => Answered::Late,
        }
    }
}

impl<A> Clone for Release<A> {
    fn clone(&self) -> Self {
        Self { handles: Arc::clone(&self.handles) }
    }
}

impl<A> Drop for Handles<A> {
    fn drop(&mut self) {
        let pending = lock(&self.pending).take();
        if let Some(Pending { deliver, on_drop }) = pending {
            deliver(on_drop);
        }
    }
}

impl<A> fmt::Debug for Release<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Release")
    }
}

#[cfg(all(test, not(any(model_loom, model_shuttle))))]
mod tests;
