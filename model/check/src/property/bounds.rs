//! What a run must allow for the antecedent of a property to be reachable in it.

use crate::world::{Config, Fault};
use holdfast_protocol::DebugMode;

/// What a run allows, by its budget and its tree.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    config: &'a Config,
}

/// Something that a run must allow: whether it does, and how a person calls it.
pub type Requirement = (bool, &'static str);

impl<'a> Bounds<'a> {
    /// Those of a run without a script.
    #[must_use]
    pub fn of(config: &'a Config) -> Self {
        Self { config }
    }

    /// Whether one of these faults may happen.
    pub(super) fn any(self, faults: &[Fault]) -> bool {
        faults.iter().any(|fault| self.config.budget.left(*fault) > 0)
    }

    /// Whether an actor may open a post-mortem prompt.
    pub(super) fn examines(self) -> bool {
        self.any(&[Fault::Error]) && self.config.debug.contains(&DebugMode::On)
    }

    /// Whether an actor has a supervisor that has one.
    pub(super) fn is_deep(self) -> bool {
        let tree = &self.config.tree;
        tree.ids().any(|id| !tree.is_program(id) && tree.depth(id) > 1)
    }

    /// Whether something may end the tree.
    pub(super) fn ends(self) -> bool {
        let reasons =
            [Fault::Error, Fault::ErrorUnexamined, Fault::Interrupt, Fault::Cancel, Fault::Stop];
        self.any(&reasons)
    }

    pub(super) fn a_request(self) -> Requirement {
        let reads = self.config.tree.has_hosts() && self.any(&[Fault::Read]);
        let asks = self.any(&[Fault::Request, Fault::Shielded]) || self.examines();
        (asks || reads, "a request")
    }

    pub(super) fn two_requests(self) -> Requirement {
        let left = |fault| u16::from(self.config.budget.left(fault));
        let hosts = self.config.tree.ids().filter(|id| self.config.tree.is_program(*id)).count();
        let reads = if hosts > 0 { left(Fault::Read) } else { 0 };
        let own = left(Fault::Request) + left(Fault::Shielded);
        // A host asks for its program once at a time.
        let asks = usize::from(own) + usize::from(reads).min(hosts);
        (asks > 1, "two requests")
    }

    pub(super) fn an_actor_below(self) -> Requirement {
        (self.config.tree.len() > 1, "an actor below the root")
    }

    pub(super) fn a_reason_to_end(self) -> Requirement {
        (self.ends(), "a reason to end: interrupt, error, cancel or stop")
    }

    /// The same for any actor, which its supervisor may ask to end.
    pub(super) fn a_reason_for_any(self) -> Requirement {
        (self.ends() || self.any(&[Fault::CancelChild]), self.a_reason_to_end().1)
    }
}
