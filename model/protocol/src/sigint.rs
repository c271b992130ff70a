//! What a SIGINT does: the shield, and the slot in which upstream keeps it.
//!
//! Runs in every actor.
//!
//! # Rules
//! 1. An actor with a hold or an own request does not act on SIGINT (R3).
//!    Checked by `interrupt-shielded`.
//! 2. The shield is gone when the last of them is (R12). Checked by `nothing-stale`.
//!
//! # Upstream
//! [`Slot`] is `Lock.shield_sigint` / `unshield_sigint` (`tractor/_debug.py` at 641ed7a3): a
//! second request saves the shield itself as "the disposition from before".

/// What the process does on SIGINT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disposition {
    /// The process acts on the signal.
    #[default]
    Obey,
    /// The process does not act on the signal.
    Shield,
}

/// A disposition that is installed and restored, with room for one from before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    installed: Disposition,
    saved: Option<Disposition>,
}

impl Slot {
    /// What is installed now.
    #[must_use]
    pub fn installed(self) -> Disposition {
        self.installed
    }

    /// Installs the shield and overwrites what was saved.
    pub fn shield(&mut self) {
        self.saved = Some(self.installed);
        self.installed = Disposition::Shield;
    }

    /// Installs what was saved, if anything was.
    pub fn unshield(&mut self) {
        if let Some(saved) = self.saved.take() {
            self.installed = saved;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_restores_and_two_overlapping_ones_leave_the_shield_on() {
        let mut slot = Slot::default();
        slot.shield();
        assert_eq!(slot.installed(), Disposition::Shield);
        slot.unshield();
        assert_eq!(slot.installed(), Disposition::Obey);

        slot.shield();
        slot.shield();
        slot.unshield();
        slot.unshield();
        assert_eq!(slot.installed(), Disposition::Shield, "upstream's hole H1");
    }
}
