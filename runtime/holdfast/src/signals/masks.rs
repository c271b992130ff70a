//! The signal masks of threads, and of what they start.

use super::HANDLED;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};

/// Signals that this thread does not hear until this is dropped.
#[must_use = "the mask is as before when this is dropped"]
pub(crate) struct Held {
    before: SigSet,
}

impl Held {
    /// All: what is started meanwhile hears what came when it stops to be deaf.
    pub(crate) fn all() -> Self {
        Self::these(&SigSet::all())
    }

    /// What stops a process that sets modes of a terminal, or writes to one, from the background.
    pub(crate) fn background() -> Self {
        Self::these(&SigSet::from_iter([Signal::SIGTTOU]))
    }

    fn these(signals: &SigSet) -> Self {
        let mut before = SigSet::empty();
        // It fails only for a value of the first argument that does not exist.
        let _ = pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(signals), Some(&mut before));
        Self { before }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&self.before), None);
    }
}

/// Gives this thread a mask, and all that it starts.
pub(crate) fn set_mask(mask: &SigSet) {
    let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(mask), None);
}

/// A mask, with all that the driver handles blocked besides.
pub(crate) fn deafened(mask: &SigSet) -> SigSet {
    mask.iter().chain(HANDLED).collect()
}

/// A mask as a number, with the bit `n - 1` for the signal `n`.
pub(crate) fn mask_to_bits(mask: &SigSet) -> u64 {
    (1..=64_u64).fold(0, |bits, number| {
        // SAFETY: reads a live set; a number that is not a signal is an error, and not in it.
        let blocked = unsafe { libc::sigismember(mask.as_ref(), number as libc::c_int) } == 1;
        if blocked { bits | 1 << (number - 1) } else { bits }
    })
}

/// The mask of such a number.
pub(crate) fn mask_from_bits(bits: u64) -> SigSet {
    let mut mask = *SigSet::empty().as_ref();
    for number in (1..=64).filter(|number| bits >> (number - 1) & 1 == 1) {
        // SAFETY: changes a live set; a number that is not a signal is an error, and changes nothing.
        unsafe { libc::sigaddset(&raw mut mask, number) };
    }
    // SAFETY: the set was made by sigemptyset(3) and changed by sigaddset(3) alone.
    unsafe { SigSet::from_sigset_t_unchecked(mask) }
}
