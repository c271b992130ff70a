//! From a state number back to the concrete actions that lead there.

use super::intern::Number;
use super::store::StateId;
use super::worker::Worker;
use super::{Exploration, Violation, ViolationSite};
use crate::property::PropertyId;
use crate::property::safety::judge_step;
use crate::world::{Action, Observation, System};

impl Exploration<'_> {
    /// The actions of a shortest way to a finding.
    ///
    /// # Panics
    /// If the finding is not of this exploration.
    #[must_use]
    pub fn actions_to(&self, property: PropertyId, finding: Violation) -> Vec<Action> {
        let (mut actions, system) = self.walk_to(finding.state);
        if finding.site == ViolationSite::Step {
            let breaks = |action: &Action| {
                let (observations, after) = self.step(&system, *action);
                system.look(self.topology, |before| {
                    after.look(self.topology, |after| {
                        judge_step(before, &observations, after).violated.has(property)
                    })
                })
            };
            let last = system.enabled(self.topology).into_iter().find(breaks);
            actions.push(last.expect("the step that violated the property is still there"));
        }
        actions
    }

    /// The actions that lead to the first state of a way, and on along it.
    #[must_use]
    pub fn actions_along(&self, way: &[StateId]) -> Vec<Action> {
        let (mut actions, system) = self.walk_to(way[0]);
        let (further, _) = self.follow(system, &way[1..]);
        actions.extend(further);
        actions
    }

    /// The actions that lead to a state, and the state.
    #[must_use]
    pub fn walk_to(&self, id: StateId) -> (Vec<Action>, System) {
        let mut ids = vec![id];
        while self.space.parent(ids[ids.len() - 1]) != ids[ids.len() - 1] {
            ids.push(self.space.parent(ids[ids.len() - 1]));
        }
        ids.reverse();
        self.follow(System::new(self.topology), &ids[1..])
    }

    /// The actions from a system along stored states, and where they end.
    fn follow(&self, mut system: System, ids: &[StateId]) -> (Vec<Action>, System) {
        let mut worker = Worker::new(&self.tables, self.options);
        let mut actions = Vec::new();
        for id in ids {
            let (action, after) = self
                .step_to(&mut worker, &system, &self.space.state(*id))
                .expect("each state of a way follows from the one before");
            actions.push(action);
            system = after;
        }
        (actions, system)
    }

    fn step_to(
        &self,
        worker: &mut Worker<'_, '_>,
        system: &System,
        target: &[Number],
    ) -> Option<(Action, System)> {
        system.enabled(self.topology).into_iter().find_map(|action| {
            let (_, after) = self.step(system, action);
            (worker.pack(&after).as_deref() == Ok(target)).then_some((action, after))
        })
    }

    fn step(&self, system: &System, action: Action) -> (Vec<Observation>, System) {
        let mut after = system.clone();
        let observations = after.apply(self.topology, action);
        (observations, after)
    }
}
