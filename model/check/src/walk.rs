//! Random schedules: any run that a seed leads to, larger than a search can go.
//!
//! Runs in `holdfast walk` and in `tests/random.rs`. A walk has two phases.
//!
//! ```text
//!     wild: whatever is possible, faults within the budget --> healing: what must happen in the
//!     end, and the person's answer --> rest: nothing has to happen any longer
//! ```
//!
//! # Rules
//! 1. Every state and step is judged by the always-properties.
//! 2. Every link keeps its contract.
//! 3. A walk comes to rest within a bound, and at rest no request is outstanding and a tree that
//!    was told to end has ended.
//! 4. A seed and the number of a walk name it: the same actions on every machine.

use crate::monitor::{LinkBreach, TreeMonitor};
use crate::property::liveness::{Fairness, is_fair};
use crate::property::safety::{judge_state, judge_step};
use crate::property::{PropertyId, PropertyKind, PropertySet};
use crate::report::Counterexample;
use crate::rng::Rng;
use crate::trace::{NamedPolicy, Trace};
use crate::world::{Action, ActorFlags, System, Topology};

/// A walk that broke nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walked {
    /// How many steps it had.
    pub steps: usize,
}

/// A walk that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalkFailure {
    /// What it broke; none if it did not come to rest, or a link did not keep its contract.
    pub property: Option<PropertyId>,
    /// The breach of the contract of a link, if that is what went wrong.
    pub breach: Option<LinkBreach>,
    /// The same in words.
    pub what: &'static str,
    /// The actions up to there.
    pub steps: Vec<Action>,
}

impl WalkFailure {
    /// Whether it broke an always-property.
    #[must_use]
    pub fn kind(&self) -> PropertyKind {
        self.property.map_or(PropertyKind::LeadsTo, PropertyId::kind)
    }

    /// The failure as a trace.
    #[must_use]
    pub fn trace(&self, topology: &Topology, named: &NamedPolicy) -> Trace {
        let found = Counterexample {
            property: self.property.unwrap_or(PropertyId::CanAlwaysEnd),
            steps: self.steps.clone(),
            round: Vec::new(),
        };
        let mut trace = Trace::new(topology.config(), named, &found);
        trace.header.breaks = self.property;
        trace
    }
}

/// Takes the walk of that number.
///
/// # Errors
/// If it goes wrong.
pub fn walk(topology: &Topology, seed: u64, number: u64) -> Result<Walked, WalkFailure> {
    let mut rng = Rng::new(seed, number);
    let actors = topology.config().tree.len();
    let mut length = rng.below(WILD_STEPS * actors + 1);
    // In a calm walk the tree goes on before the environment does something again.
    let calm = rng.below(8);
    let mut both = rng.clone();
    let wild = |actions: &[Action]| {
        length = length.checked_sub(1)?;
        let moves = actions.iter().filter(|action| matches!(action, Action::System(_))).count();
        let calm = moves > 0 && rng.below(8) < calm;
        if !calm {
            return Some(rng.below(actions.len()));
        }
        let is_move = |(_, action): &(usize, &Action)| matches!(action, Action::System(_));
        let mut moving = actions.iter().enumerate().filter(is_move);
        moving.nth(rng.below(moves)).map(|(place, _)| place)
    };
    let mut bound = HEALING_STEPS * actors;
    let healing = |actions: &[Action]| {
        bound = bound.checked_sub(1)?;
        Some(both.below(actions.len()))
    };
    walk_with(topology, wild, healing)
}

/// Takes a walk. Each phase is told what is possible and picks one of it, or ends.
///
/// # Errors
/// If it goes wrong: a property is violated, or the second phase ends before the tree is at rest.
pub fn walk_with(
    topology: &Topology,
    mut wild: impl FnMut(&[Action]) -> Option<usize>,
    mut healing: impl FnMut(&[Action]) -> Option<usize>,
) -> Result<Walked, WalkFailure> {
    let mut way = WalkInProgress::new(topology);
    loop {
        let actions = way.system.enabled(topology);
        match wild(&actions).and_then(|pick| actions.get(pick)) {
            Some(action) => way.take(*action)?,
            None => break,
        }
    }
    loop {
        let actions = way.must();
        if actions.is_empty() {
            way.judge_rest()?;
            return Ok(Walked { steps: way.steps.len() });
        }
        match healing(&actions).and_then(|pick| actions.get(pick)) {
            Some(action) => way.take(*action)?,
            None => return Err(way.failure(None, "the tree does not come to rest")),
        }
    }
}

/// The same failure with steps left out, as far as that goes.
#[must_use]
pub fn shrink(topology: &Topology, mut failure: WalkFailure) -> WalkFailure {
    let mut chunk = failure.steps.len();
    while chunk > 0 && failure.property.is_some() {
        let mut from = 0;
        while from < failure.steps.len() {
            let mut steps = failure.steps.clone();
            steps.drain(from..(from + chunk).min(steps.len()));
            match again(topology, &steps) {
                Some(shorter) if shorter.property == failure.property => failure = shorter,
                Some(_) | None => from += chunk,
            }
        }
        chunk /= 2;
    }
    failure
}

/// Performs those steps that are possible, and says how that goes wrong.
fn again(topology: &Topology, steps: &[Action]) -> Option<WalkFailure> {
    let mut way = WalkInProgress::new(topology);
    for action in steps {
        if way.system.can(topology, *action)
            && let Err(failure) = way.take(*action)
        {
            return Some(failure);
        }
    }
    if way.must().is_empty() { way.judge_rest().err() } else { None }
}

/// A walk under way.
struct WalkInProgress<'t> {
    topology: &'t Topology,
    system: System,
    monitor: TreeMonitor,
    steps: Vec<Action>,
}

impl<'t> WalkInProgress<'t> {
    fn new(topology: &'t Topology) -> Self {
        let (system, monitor) = (System::new(topology), TreeMonitor::default());
        Self { topology, system, monitor, steps: Vec::new() }
    }

    fn take(&mut self, action: Action) -> Result<(), WalkFailure> {
        let before = self.system.clone();
        let observations = self.system.apply(self.topology, action);
        self.steps.push(action);
        let broken: PropertySet = before.look(self.topology, |before| {
            self.system.look(self.topology, |after| {
                judge_step(before, &observations, after).violated | judge_state(after).violated
            })
        });
        if let Some(property) = broken.members().next() {
            return Err(self.failure(Some(property), property.statement()));
        }
        self.monitor.observe(self.topology, &observations).map_err(|breach| WalkFailure {
            breach: Some(breach),
            ..self.failure(None, "a link does not keep its contract")
        })
    }

    fn failure(&self, property: Option<PropertyId>, what: &'static str) -> WalkFailure {
        WalkFailure { property, breach: None, what, steps: self.steps.clone() }
    }

    /// What must happen in the end, and the person's answer.
    fn must(&self) -> Vec<Action> {
        let mut actions = self.system.enabled(self.topology);
        self.system.look(self.topology, |view| {
            actions.retain(|action| is_fair(view, *action, Fairness::Everybody));
        });
        actions
    }

    fn judge_rest(&self) -> Result<(), WalkFailure> {
        self.system.look(self.topology, |view| {
            let alive = view.root().alive();
            let told = !alive || view.root().flags.contains(ActorFlags::CANCELLED);
            // Nobody reads the batons of a dead root; its tree must end, which is asked next.
            if alive && view.request_outstanding() {
                let property = Some(PropertyId::RequestAnswered);
                return Err(self.failure(property, "a request is outstanding at rest"));
            }
            if told && !view.ended() {
                let property = Some(PropertyId::TeardownCompletes);
                return Err(self.failure(property, "the tree was told to end and did not"));
            }
            Ok(())
        })
    }
}

/// How many wild steps there are at most, for each actor.
const WILD_STEPS: usize = 40;

/// More steps for each actor than any tree can need to come to rest.
const HEALING_STEPS: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Confirmed, confirm};
    use crate::world::Config;
    use holdfast_protocol::Placement;
    use holdfast_protocol::PolicyName;

    fn topology(policy: PolicyName, tree: &str, faults: &str) -> Topology {
        let (tree, faults) = (tree.parse().expect("a tree"), faults.parse().expect("faults"));
        Topology::new(Config::new(tree, policy.policy(), Placement::SharedGroup, faults))
    }

    #[test]
    fn a_number_names_a_walk() {
        let topology = topology(PolicyName::Relay, "root(a(b),c)", "request=2,interrupt=1,kill=1");
        let walks = |seed| (0..50).map(|number| walk(&topology, seed, number)).collect::<Vec<_>>();
        assert_eq!(walks(1), walks(1));
        assert_ne!(walks(1), walks(2));
    }

    #[test]
    fn a_failure_is_shrunk_and_still_one() {
        let faults = "request=2,interrupt=2,error=1";
        let topology = topology(PolicyName::SingleDepth, "root(a(b),c)", faults);
        let found = (0..200).find_map(|number| walk(&topology, 1, number).err());
        let found = found.expect("single-depth does not protect a nested tree");
        let small = shrink(&topology, found.clone());
        assert_eq!(small.property, found.property);
        assert!(small.steps.len() <= found.steps.len());
        let named = NamedPolicy { policy: PolicyName::SingleDepth, without: Vec::new() };
        let confirmed =
            confirm(&topology, &small.trace(&topology, &named)).expect("it is possible");
        assert_eq!(confirmed, Confirmed::Violated(small.steps.len()));
    }
}
