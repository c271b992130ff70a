//! The same world as a stateright model: the oracle, and the yardstick of the benchmark.

use holdfast_check::property::PropertySet;
use holdfast_check::property::safety::{judge_state, judge_step};
use holdfast_check::world::{Action, System, Topology};
use stateright::{Checker, Model, Property};

/// A state, and what the step to it broke.
pub(crate) type Observed = (System, PropertySet);

/// A topology as stateright sees it.
#[derive(Clone)]
pub(crate) struct World {
    /// What stays fixed.
    pub(crate) topology: Topology,
}

impl Model for World {
    type State = Observed;
    type Action = Action;

    fn init_states(&self) -> Vec<Observed> {
        vec![(System::new(&self.topology), PropertySet::default())]
    }

    fn actions(&self, state: &Observed, actions: &mut Vec<Action>) {
        actions.extend(state.0.enabled(&self.topology));
    }

    fn next_state(&self, before: &Observed, action: Action) -> Option<Observed> {
        let mut after = before.0.clone();
        let did = after.apply(&self.topology, action);
        let judgement = before.0.look(&self.topology, |before| {
            after.look(&self.topology, |after| judge_step(before, &did, after))
        });
        Some((after, judgement.violated))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("safe", |world: &Self, state: &Observed| {
            state.1.is_empty()
                && state.0.look(&world.topology, |view| judge_state(view).violated.is_empty())
        })]
    }
}

/// What stateright found: unique states, and the length of a shortest counterexample.
pub(crate) fn check(topology: &Topology) -> (usize, Option<usize>) {
    let world = World { topology: topology.clone() };
    let checker = world.checker().spawn_bfs().join();
    let steps = checker.discovery("safe").map(|path| path.into_actions().len());
    (checker.unique_state_count(), steps)
}
