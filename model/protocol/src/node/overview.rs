//! What one request can see of the rest of its actor.
//!
//! Runs in every actor. An actor has any number of requests, holds and children. How it handles one
//! of them depends on the others through an [`Overview`] alone: each decision of a node that weighs
//! more than one of them is a function here, which is given an overview and has no node to look at.
//!
//! ```text
//!     all requests, holds, children --> Overview --> defers a teardown? suspends a ladder? shields?
//!                                                    is anything left? was a failure examined?
//! ```
//!
//! Two things are left that an overview does not say. The lock serves whoever came first, and knows
//! the order ([`crate::lock::server`]). And a name belongs to one request at a time, so a new one is
//! compared with those in use. Whatever else is done to many is done to each by itself.
//!
//! So finitely many values stand for the rest of an actor of any size, which the proof for trees of
//! every size relies on. Checked by `tests/commute.rs` of `model/prove`.

use crate::input::Cause;
use crate::ladder::Kinship;
use crate::message::Urgency;
use crate::policy::{Deferral, LadderUnderHold, Policy};
use crate::sigint::Disposition;
use crate::teardown::UserTaskState;

/// The requests of an actor's own tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnTasks {
    /// None is waiting or at a prompt.
    AskNothing,
    /// Some are, and none of them is a post-mortem.
    AtBreakpoints,
    /// A failure is examined.
    Examined,
}

/// Who has the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockUse {
    /// The lock is in the root, which is another actor.
    Elsewhere,
    /// Nobody has it.
    Free,
    /// A task of the root.
    Own,
    /// Somebody below.
    Lent,
}

/// What one request can see of all others of its actor, and of its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Overview {
    /// The requests of its own tasks.
    pub own: OwnTasks,
    /// Whether any hold protects somebody.
    pub protects: bool,
    /// Whether there is any child.
    pub children: bool,
    /// Its program.
    pub user_task: UserTaskState,
    /// The lock.
    pub lock: LockUse,
}

/// Whether something holds a teardown or a ladder back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeldBack {
    Yes,
    No,
}

impl HeldBack {
    fn when(held_back: bool) -> Self {
        if held_back { Self::Yes } else { Self::No }
    }
}

impl Overview {
    /// R4: whether a teardown must wait.
    pub(super) fn defers(self, policy: Policy, urgency: Urgency, cause: Cause) -> HeldBack {
        let own = self.own != OwnTasks::AskNothing;
        HeldBack::when(match (policy.deferral(), urgency) {
            (Deferral::Never, _) | (_, Urgency::Forced) => false,
            (Deferral::AnyHold, Urgency::Patient) => own || self.protects,
            (Deferral::OwnRequests, Urgency::Patient) => own,
            (Deferral::RootAfterError, Urgency::Patient) => {
                self.defers_in_root_after_error(own, cause)
            }
        })
    }

    /// R5: whether the ladder of a child must wait. `through` says whether any hold that came
    /// through that child protects somebody.
    pub(super) fn suspends(
        self,
        policy: Policy,
        urgency: Urgency,
        kinship: Kinship,
        through: bool,
    ) -> HeldBack {
        HeldBack::when(match (policy.ladder_under_hold(), urgency) {
            (LadderUnderHold::Climbs, _) | (_, Urgency::Forced) => false,
            (LadderUnderHold::SuspendedInRoot, Urgency::Patient) => self.protects_in_root(),
            // Nobody knows whose branch an orphan belongs to, so the holder may be below it.
            (LadderUnderHold::Suspended, Urgency::Patient) => {
                through || (kinship == Kinship::Adopted && self.lock == LockUse::Lent)
            }
        })
    }

    /// Upstream's: after an error, and in the root alone.
    fn defers_in_root_after_error(self, own: bool, cause: Cause) -> bool {
        own || (matches!(cause, Cause::Failed | Cause::ChildFailed) && self.protects_in_root())
    }

    fn protects_in_root(self) -> bool {
        self.protects && self.lock != LockUse::Elsewhere
    }

    /// R3, R12: what a SIGINT does that is this actor's to decide.
    pub(super) fn disposition(self) -> Disposition {
        if self.own == OwnTasks::AskNothing && !self.protects {
            Disposition::Obey
        } else {
            Disposition::Shield
        }
    }

    /// Whether nothing of the actor is left but the actor itself.
    pub(super) fn is_done(self) -> bool {
        self.user_task == UserTaskState::Ended && !self.children && self.own == OwnTasks::AskNothing
    }
}
