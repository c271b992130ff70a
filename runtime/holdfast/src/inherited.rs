//! What a program would inherit without the runtime, kept for all that a tree starts.
//!
//! Read once, in the root; every actor gets it from its supervisor when it boots.
//!
//! # Rules
//! 1. What the runtime changes for itself (the mask of the driver's thread, the soft limit of
//!    descriptors) is changed back between fork and exec.

use crate::signals::{Before, mask_from_bits, mask_to_bits};
use nix::sys::signal::SigSet;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// The most descriptors that the runtime asks for. A child of an actor takes four at most.
const ENOUGH: u64 = 1 << 16;

/// What a program would inherit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inherited {
    /// The signals that are blocked: the bit `n - 1` for the signal `n`.
    blocked: u64,
    /// The soft limit of descriptors; none means no limit.
    descriptors: Option<u64>,
}

impl Inherited {
    /// What this process has inherited.
    pub(crate) fn here(before: &Before) -> Self {
        let descriptors = getrlimit(Resource::Nofile).current;
        Self { blocked: mask_to_bits(&before.mask()), descriptors }
    }

    /// The signals that are blocked.
    pub(crate) fn mask(&self) -> SigSet {
        mask_from_bits(self.blocked)
    }

    /// Raises the soft limit of descriptors of this process as far as is useful and allowed.
    pub(crate) fn raise_limits() {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let most = maximum.unwrap_or(ENOUGH).min(ENOUGH);
        if current.is_some_and(|current| current < most) {
            // Where it is refused, fewer children can be had, and starting one says so.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum });
        }
    }

    /// Sets the limit back, in this process. Async-signal-safe.
    pub(crate) fn restore_limits(&self) {
        let maximum = getrlimit(Resource::Nofile).maximum;
        // A soft limit from before is never above the hard one.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: self.descriptors, maximum });
    }
}
