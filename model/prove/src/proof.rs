//! All kinds of actor together: what is proved, or how it fails.

use super::claim::ProofClaim;
use super::focus::Focus;
use super::search::{Closure, Explored, Violated, explore};
use holdfast_protocol::Policy;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How a proof ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Every claim holds, for trees of every size.
    Proved,
    /// A claim is violated.
    Violated,
    /// The antecedent of a claim was never reached, so nothing is known of it.
    Vacuous,
    /// The states of a kind of actor are more than were expected: nothing is proved.
    NotClosed,
    /// The caller broke off.
    Interrupted,
}

/// One kind of actor, and how long it took.
#[derive(Clone, Debug)]
pub struct Proved {
    /// What is known of it.
    pub explored: Explored,
    /// How long it took.
    pub took: Duration,
}

/// A proof, as far as it came.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The kinds of actor, in order.
    pub kinds: Vec<Proved>,
}

/// Proves what a policy promises, kind by kind. `progress` is told now and then how many states
/// there are, and may break it off.
pub fn prove(policy: Policy, mut progress: impl FnMut(Focus, usize) -> ControlFlow<()>) -> Proof {
    let mut kinds = Vec::new();
    for focus in Focus::ALL {
        let clock = Instant::now();
        let explored = explore(focus, policy, |states| progress(focus, states));
        let interrupted = explored.closure == Closure::Interrupted;
        kinds.push(Proved { explored, took: clock.elapsed() });
        if interrupted {
            break;
        }
    }
    Proof { kinds }
}

impl Proof {
    /// How it ends.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        let ends = |closure| self.kinds.iter().any(|kind| kind.explored.closure == closure);
        if ends(Closure::Interrupted) {
            Conclusion::Interrupted
        } else if ends(Closure::Violated) {
            Conclusion::Violated
        } else if ends(Closure::TooLarge) {
            Conclusion::NotClosed
        } else if self.vacuous().next().is_some() {
            Conclusion::Vacuous
        } else {
            Conclusion::Proved
        }
    }

    /// How often the antecedent of a claim was reached in one kind of actor.
    #[must_use]
    pub fn reached(&self, claim: ProofClaim, focus: Focus) -> u64 {
        let mut kinds = self.kinds.iter().filter(|kind| kind.explored.focus == focus);
        kinds.next().map_or(0, |kind| kind.explored.reached.count(claim))
    }

    /// The claims whose antecedent was reached nowhere.
    pub fn vacuous(&self) -> impl Iterator<Item = ProofClaim> + '_ {
        ProofClaim::all()
            .filter(|claim| Focus::ALL.into_iter().all(|at| self.reached(*claim, at) == 0))
    }

    /// The first violations of each kind of actor.
    pub fn violated(&self) -> impl Iterator<Item = (Focus, &Violated)> {
        let of = |kind: &'_ Proved| kind.explored.focus;
        self.kinds
            .iter()
            .flat_map(move |kind| kind.explored.violated.iter().map(move |it| (of(kind), it)))
    }

    /// The claims that are violated, the one with the fewest steps first.
    #[must_use]
    pub fn claims_violated(&self) -> Vec<ProofClaim> {
        let mut violated: Vec<&Violated> = self.violated().map(|(_, violated)| violated).collect();
        violated.sort_by_key(|violated| violated.steps.len());
        let mut claims: Vec<ProofClaim> = Vec::new();
        for claim in violated.into_iter().map(|violated| violated.violation.claim) {
            if !claims.contains(&claim) {
                claims.push(claim);
            }
        }
        claims
    }

    /// The counterexample with the fewest steps.
    #[must_use]
    pub fn shortest(&self) -> Option<(Focus, &Violated)> {
        self.violated().min_by_key(|(_, violated)| violated.steps.len())
    }
}
