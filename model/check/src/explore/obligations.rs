//! Leads-to and can-always-end, decided while the graph is explored.
//!
//! A state keeps the obligations that a run may have when it comes there. They are handed on along
//! every step, until a state discharges them; a state that is expanded already is expanded once
//! more if it gets another one. In a graph without cycles ([`recurrence`](mod@super::recurrence)) that is all:
//!
//! - A fair run can stay nowhere but in a state in which no fair action is possible. So a leads-to
//!   is violated if and only if some such state has its obligation.
//! - Every run leads to a state without any action. So every state can reach an ending if and only
//!   if each of those is one.
//!
//! Neither asks for the steps once more. What is violated, or has cycles, is left to
//! [`super::sweep`] and [`super::lasso`], which find counterexamples.

use super::recurrence::Recurrence;
use crate::property::liveness::{Fairness, Obligation, is_ending, obligations};
use crate::property::{Applies, PropertyId, PropertySet};
use crate::world::{Config, WorldView};

/// A set of obligations of a run: one bit each, in the order of [`Obligations`].
pub type ObligationBits = u8;

/// The leads-to properties that apply to a run.
#[derive(Clone, Debug)]
pub struct Obligations {
    list: Vec<(PropertyId, Obligation)>,
}

/// What a state says of every obligation.
#[derive(Clone, Copy, Debug, Default)]
pub struct ObligationState {
    /// A run is obliged here.
    pub obliged: ObligationBits,
    /// Obligations that are not discharged here.
    pub undischarged: ObligationBits,
}

impl ObligationState {
    /// The obligations of a run here, given those with which it came.
    #[must_use]
    pub fn pending(self, came_with: ObligationBits) -> ObligationBits {
        (came_with | self.obliged) & self.undischarged
    }
}

impl Obligations {
    /// Those that apply to a run.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let applies = |(property, _): &(PropertyId, _)| property.applies(config) == Applies::Yes;
        let list: Vec<_> = obligations().filter(applies).collect();
        assert!(list.len() <= ObligationBits::BITS as usize, "a state has a bit for each");
        Self { list }
    }

    /// All of them, in the order of the bits.
    pub fn iter(&self) -> impl Iterator<Item = (PropertyId, Obligation)> + '_ {
        self.list.iter().copied()
    }

    /// What a state says of each.
    #[must_use]
    pub fn at(&self, view: &WorldView<'_>) -> ObligationState {
        let mut at = ObligationState::default();
        for (bit, (_, obligation)) in self.list.iter().enumerate() {
            if !(obligation.discharged)(view) {
                at.undischarged |= 1 << bit;
                at.obliged |= ObligationBits::from((obligation.obliged)(view)) << bit;
            }
        }
        at
    }

    /// Those of `pending` that rely on nobody who must act, if `owed` says whether somebody must.
    pub fn stuck(
        &self,
        pending: ObligationBits,
        mut owed: impl FnMut(Fairness) -> bool,
    ) -> ObligationBits {
        let mut stuck = 0;
        for (bit, (_, obligation)) in self.list.iter().enumerate() {
            if pending >> bit & 1 == 1 && !owed(obligation.fairness) {
                stuck |= 1 << bit;
            }
        }
        stuck
    }

    fn properties(&self, bits: ObligationBits) -> PropertySet {
        let set = self.list.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
        set.map(|(_, (property, _))| *property).collect()
    }
}

/// What a search has seen of runs that stay somewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standstills {
    /// Obligations that a run has in a state in which nobody must act on them.
    pub stuck: ObligationBits,
    /// A state without any action is not an ending.
    pub locked: bool,
    /// A step leads from a state to itself.
    pub loops: bool,
}

impl Standstills {
    /// Adds a state without any action.
    pub fn add_last(&mut self, view: &WorldView<'_>) {
        self.locked |= !is_ending(view);
    }

    /// What two threads have seen.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            stuck: self.stuck | other.stuck,
            locked: self.locked || other.locked,
            loops: self.loops || other.loops,
        }
    }
}

/// What a search says of leads-to and can-always-end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// The graph has no cycle, and exactly these are violated.
    Acyclic(PropertySet),
    /// The graph may have a cycle, or the search was cut short.
    Undecided,
}

impl Liveness {
    /// What follows from an exhausted search.
    #[must_use]
    pub fn of(obligations: &Obligations, seen: Standstills, recurrence: Recurrence) -> Self {
        match recurrence {
            Recurrence::Never if !seen.loops => {
                let locked = seen.locked.then_some(PropertyId::CanAlwaysEnd);
                Self::Acyclic(obligations.properties(seen.stuck) | locked.into_iter().collect())
            }
            Recurrence::Never | Recurrence::Possible => Self::Undecided,
        }
    }
}
