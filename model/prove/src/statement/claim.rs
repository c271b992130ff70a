//! What is claimed of every explored state and step: a property, or a clause of the contract.

use holdfast_check::property::{PropertyId, PropertyKind};
use holdfast_protocol::contract::Clause;
use std::collections::BTreeMap;
use std::fmt;

/// A claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProofClaim {
    /// A property of the protocol.
    Property(PropertyId),
    /// The contract of a link, on which the induction over the tree rests.
    Contract(Clause),
}

impl ProofClaim {
    /// Everything that is proved: each always-property, each leads-to, and the contract.
    pub fn all() -> impl Iterator<Item = Self> {
        let proved = |property: &PropertyId| property.kind() != PropertyKind::CanAlwaysEnd;
        let properties = PropertyId::ALL.into_iter().filter(proved).map(Self::Property);
        properties.chain(Clause::ALL.into_iter().map(Self::Contract))
    }
}

impl fmt::Display for ProofClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property(property) => write!(f, "{property}"),
            Self::Contract(clause) => write!(f, "contract: {clause}"),
        }
    }
}

/// A claim that is violated, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimViolation {
    /// The claim.
    pub claim: ProofClaim,
    /// What is wrong, in words.
    pub what: &'static str,
}

impl ClaimViolation {
    /// A property does not hold.
    #[must_use]
    pub fn of(property: PropertyId, what: &'static str) -> Self {
        Self { claim: ProofClaim::Property(property), what }
    }

    /// A clause is not kept.
    #[must_use]
    pub fn breach(clause: Clause, what: &'static str) -> Self {
        Self { claim: ProofClaim::Contract(clause), what }
    }
}

/// How often the antecedent of each claim was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    counts: BTreeMap<ProofClaim, u64>,
}

impl Reached {
    /// The antecedent of a property is reached once more.
    pub fn property(&mut self, property: PropertyId) {
        self.claim(ProofClaim::Property(property));
    }

    /// A clause of the contract is put to the test once more.
    pub fn clause(&mut self, clause: Clause) {
        self.claim(ProofClaim::Contract(clause));
    }

    fn claim(&mut self, claim: ProofClaim) {
        *self.counts.entry(claim).or_default() += 1;
    }

    /// How often the antecedent of a claim was reached.
    #[must_use]
    pub fn count(&self, claim: ProofClaim) -> u64 {
        self.counts.get(&claim).copied().unwrap_or(0)
    }
}

/// What is found wrong with a state or a step, and what was reached on the way.
#[derive(Debug)]
pub struct Findings<'a> {
    /// The antecedents.
    pub reached: &'a mut Reached,
    /// The violations.
    pub violations: Vec<ClaimViolation>,
}

impl Findings<'_> {
    /// If the antecedent is reached, the property must hold.
    pub fn claim(&mut self, property: PropertyId, reached: bool, holds: bool, what: &'static str) {
        if reached {
            self.reached.property(property);
        }
        self.demand(property, holds, what);
    }

    /// The property must hold; this clause of it has no antecedent of its own.
    pub fn demand(&mut self, property: PropertyId, holds: bool, what: &'static str) {
        if !holds {
            self.violations.push(ClaimViolation::of(property, what));
        }
    }

    /// If the clause applies, it must be kept.
    pub fn contract(&mut self, clause: Clause, applies: bool, kept: bool, what: &'static str) {
        if applies {
            self.reached.clause(clause);
        }
        if !kept {
            self.violations.push(ClaimViolation::breach(clause, what));
        }
    }
}
