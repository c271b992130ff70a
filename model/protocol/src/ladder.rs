//! The ladder of a child that is to end: one rung a grace period.
//!
//! Runs in every supervisor.
//!
//! ```text
//!     Unasked --asked--------> Cancel --grace--> Terminate --grace--> Kill --> reaped
//!          \--link ended--> Unlinked --grace------/
//!                    \__ suspended while a hold came through this child __/   (R5)
//! ```
//!
//! # Rules
//! 1. The ladder only climbs, and only while no hold came through the child (R5).
//!    Checked by `no-signal-under-hold`.
//! 2. A child whose link ended ends by itself (R9), but nobody here has asked it to: if it fails or
//!    is killed, that is a failure of its supervisor like any other.
//! 3. Each Ctrl-C after the first climbs one rung (R11). Checked by `interrupt-obeyed`.

use super::policy::Rungs;

/// The rungs, in order of severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LadderRung {
    /// Not asked to end.
    Unasked,
    /// Its link ended, which asks it to end; nobody here did.
    Unlinked,
    /// Asked to end.
    Cancel,
    /// Sent SIGTERM.
    Terminate,
    /// Sent SIGKILL.
    Kill,
}

/// The grace period on the present rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grace {
    /// Not running.
    Off,
    /// The grace period runs.
    On,
}

/// Whether messages still reach a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChildLink {
    /// Messages reach the child.
    Up,
    /// The link ended, or there never was one.
    Ended,
}

/// How a child came to this supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kinship {
    /// Spawned here.
    Own,
    /// An orphan that the root adopted (R9).
    Adopted,
}

/// What a supervisor knows about one child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Child {
    /// How far the ladder is.
    pub rung: LadderRung,
    /// The grace period.
    pub grace: Grace,
    /// Its link.
    pub link: ChildLink,
    /// Whose child it is.
    pub kinship: Kinship,
}

/// What [`Child::climb`] asks for.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Climbed {
    /// Send SIGTERM.
    Terminate,
    /// Send SIGKILL.
    Kill,
    /// The child is at the top already, or not on the ladder.
    Stays,
}

impl Child {
    /// A child that was just spawned.
    #[must_use]
    pub fn spawned() -> Self {
        let (rung, grace) = (LadderRung::Unasked, Grace::Off);
        Self { rung, grace, link: ChildLink::Up, kinship: Kinship::Own }
    }

    /// An orphan: the end of its link has asked it to end.
    #[must_use]
    pub fn adopted() -> Self {
        let (rung, grace) = (LadderRung::Cancel, Grace::Off);
        Self { rung, grace, link: ChildLink::Ended, kinship: Kinship::Adopted }
    }

    /// Moves up one rung.
    pub fn climb(&mut self, rungs: Rungs) -> Climbed {
        match (self.rung, rungs) {
            (LadderRung::Unlinked | LadderRung::Cancel, Rungs::CancelTerminateKill) => {
                self.rung = LadderRung::Terminate;
                Climbed::Terminate
            }
            (LadderRung::Unlinked | LadderRung::Cancel, Rungs::CancelKill)
            | (LadderRung::Terminate, _) => {
                self.rung = LadderRung::Kill;
                Climbed::Kill
            }
            (LadderRung::Unasked | LadderRung::Kill, _) => Climbed::Stays,
        }
    }

    /// Whether a grace period belongs to the present rung.
    #[must_use]
    pub fn wants_grace(self) -> Grace {
        match self.rung {
            LadderRung::Unlinked | LadderRung::Cancel | LadderRung::Terminate => Grace::On,
            LadderRung::Unasked | LadderRung::Kill => Grace::Off,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_climbs_every_rung_in_order_and_stays_at_the_top() {
        use Climbed::{Kill, Stays, Terminate};
        let table = [
            (Rungs::CancelTerminateKill, LadderRung::Unasked, Stays, LadderRung::Unasked),
            (Rungs::CancelTerminateKill, LadderRung::Unlinked, Terminate, LadderRung::Terminate),
            (Rungs::CancelTerminateKill, LadderRung::Cancel, Terminate, LadderRung::Terminate),
            (Rungs::CancelTerminateKill, LadderRung::Terminate, Kill, LadderRung::Kill),
            (Rungs::CancelTerminateKill, LadderRung::Kill, Stays, LadderRung::Kill),
            (Rungs::CancelKill, LadderRung::Unasked, Stays, LadderRung::Unasked),
            (Rungs::CancelKill, LadderRung::Unlinked, Kill, LadderRung::Kill),
            (Rungs::CancelKill, LadderRung::Cancel, Kill, LadderRung::Kill),
            (Rungs::CancelKill, LadderRung::Terminate, Kill, LadderRung::Kill),
            (Rungs::CancelKill, LadderRung::Kill, Stays, LadderRung::Kill),
        ];
        for (rungs, from, asks, to) in table {
            let mut child = Child { rung: from, ..Child::spawned() };
            assert_eq!((child.climb(rungs), child.rung), (asks, to), "{rungs:?} from {from:?}");
        }
    }
}
