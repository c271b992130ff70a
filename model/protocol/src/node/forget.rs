//! What a node knows that cannot matter any longer.
//!
//! Used by the checker, which counts nodes that differ in it alone as one ([`Node::forgotten`]).
//! For each field that is forgotten the reason is written beside it: no input can bring about an
//! output, or a change of anything else in the node, that depends on it.

use super::{DebugMode, Node};
use crate::id::ActorId;
use crate::input::Cause;
use crate::ladder::LadderRung;
use crate::policy::{AfterInterrupt, Deferral, Restore};
use crate::sigint::Slot;
use crate::teardown::Teardown;

/// What may still be asked of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StillAsked {
    /// Whether somebody will look at how it ends.
    pub status: bool,
    /// Whether its program may hit another breakpoint.
    pub breakpoint: bool,
    /// Whether its program may hit another one that no cancel withdraws.
    pub shielded: bool,
}

impl Node {
    /// The same node without what cannot matter any longer.
    #[must_use]
    pub fn forgotten(&self, asked: StillAsked) -> Self {
        let mut node = self.clone();
        node.teardown = match self.teardown {
            Teardown::Deferred(cause) => Teardown::Deferred(self.forgotten_cause(cause, asked)),
            Teardown::Running(cause) => Teardown::Running(self.forgotten_cause(cause, asked)),
            Teardown::NotAsked | Teardown::Over => self.teardown,
        };
        match self.policy.restore() {
            // The disposition follows from requests and holds; the slot is never read.
            Restore::Derived => node.slot = Slot::default(),
            Restore::SavedSlot => {}
        }
        if !self.may_ask(asked) {
            // The number only names the next request, and there is none. One that is refused on
            // the spot has a name too, but nobody hears it.
            node.requests.next_serial = 0;
        }
        node
    }

    /// Whether how this child ends makes no difference, now and for good: rungs only climb, a
    /// teardown is never taken back, and an orphan is adopted as one that was asked to end.
    #[must_use]
    pub fn ignores_end_of(&self, child: ActorId) -> bool {
        // A failure cancels (`child_exited`), which changes nothing if this node is cancelled; and
        // it counts only if the child was not asked to end.
        self.teardown != Teardown::NotAsked
            || self.children.get(&child).is_none_or(|child| child.rung >= LadderRung::Cancel)
    }

    /// The cause decides how the process ends and, under the policies of others, who defers a
    /// teardown and who lingers after it. All causes that end in success are one then, and so are
    /// those that end in failure.
    fn forgotten_cause(&self, cause: Cause, asked: StillAsked) -> Cause {
        let defers = self.policy.deferral() == Deferral::RootAfterError;
        let lingers = self.policy.after_interrupt() == AfterInterrupt::Lingers;
        match cause {
            _ if defers || lingers => cause,
            Cause::Failed | Cause::ChildFailed if asked.status => Cause::Failed,
            Cause::Finished
            | Cause::Requested
            | Cause::Deadline
            | Cause::Interrupted
            | Cause::Orphaned
            | Cause::Stopped
            | Cause::Failed
            | Cause::ChildFailed => Cause::Requested,
        }
    }

    /// Whether this actor may ask for the terminal once more. A cancel lets a shielded breakpoint
    /// through alone; in debug mode a failure is examined, and that may be a child's.
    fn may_ask(&self, asked: StillAsked) -> bool {
        let uncancelled = self.teardown == Teardown::NotAsked;
        asked.shielded || (uncancelled && (asked.breakpoint || self.debug == DebugMode::On))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, Outbox, Policy};

    const NOTHING: StillAsked = StillAsked { status: false, breakpoint: false, shielded: false };

    fn node(inputs: &[Input]) -> Node {
        let mut node =
            Node::below(ActorId(0), ActorId(0), ActorId(1), Policy::RELAY, DebugMode::Off);
        inputs.iter().for_each(|input| node.handle(*input, &mut Outbox::new()));
        node
    }

    #[test]
    fn causes_are_one_and_failures_as_long_as_somebody_asks() {
        let cancel = |cause| node(&[Input::Cancel { cause }]);
        let asked = StillAsked { status: true, ..NOTHING };
        let (requested, failed) = (cancel(Cause::Requested), cancel(Cause::Failed));
        assert_eq!(requested.forgotten(asked), cancel(Cause::Interrupted).forgotten(asked));
        assert_eq!(failed.forgotten(asked), cancel(Cause::ChildFailed).forgotten(asked));
        assert_ne!(requested.forgotten(asked), failed.forgotten(asked));
        assert_eq!(requested.forgotten(NOTHING), failed.forgotten(NOTHING));
    }

    #[test]
    fn the_next_name_is_kept_as_long_as_there_may_be_a_next_request() {
        let mut used = node(&[]);
        used.requests.next_serial = 3;
        let table = [
            (NOTHING, 0),
            (StillAsked { breakpoint: true, ..NOTHING }, 3),
            (StillAsked { shielded: true, ..NOTHING }, 3),
        ];
        for (asked, serial) in table {
            assert_eq!(used.forgotten(asked).requests.next_serial, serial, "{asked:?}");
        }
        used.handle(Input::Cancel { cause: Cause::Requested }, &mut Outbox::new());
        let breakpoint = StillAsked { breakpoint: true, ..NOTHING };
        assert_eq!(used.forgotten(breakpoint).requests.next_serial, 0, "it is cancelled");
    }

    #[test]
    fn the_end_of_a_child_is_ignored_once_it_was_asked_to_end() {
        let child = ActorId(2);
        let spawned = Input::Spawned { child };
        assert!(node(&[]).ignores_end_of(child), "there is no such child");
        assert!(!node(&[spawned]).ignores_end_of(child));
        assert!(node(&[spawned, Input::CancelChild { child }]).ignores_end_of(child));
        assert!(!node(&[spawned, Input::LinkEnded { peer: child }]).ignores_end_of(child));
        let cancel = Input::Cancel { cause: Cause::Requested };
        assert!(node(&[spawned, cancel]).ignores_end_of(child));
    }
}
