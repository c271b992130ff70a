//! The whole world as a value, and one step of it.

use super::action::Action;
use super::choices::begin::{ActionContext, begin, subject};
use super::choices::enabled;
use super::choices::recorded::can_happen;
use super::component::{Component, ComponentInput, ComponentValue, Effect, Observation};
use super::config::Environment;
use super::facts::{ActorFacts, ComponentFacts, LinkFacts, WorldView};
use super::link::LinkState;
use super::process::{Parent, ProcessState};
use super::shared::SharedEnvironment;
use super::topology::Topology;
use crate::tree::ActorStart;
use holdfast_protocol::{Input, Outbox, Rename, Renaming};

/// Everything that changes during a run, one value a part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct System {
    components: Vec<ComponentValue>,
}

/// Somewhere a step can run: plain values, or interned ones that remember the answer.
pub trait Components {
    /// A part and an input to it.
    type Task: Copy;

    /// Lets one part take one input and appends what follows: tasks for parts, facts for checkers.
    fn step(&mut self, task: Self::Task, follow: &mut Vec<Self::Task>, did: &mut Vec<Observation>);

    /// Runs a step to its end: what follows from an input comes before what follows from that.
    fn run(&mut self, tasks: &mut Vec<Self::Task>, did: &mut Vec<Observation>) {
        let mut next = 0;
        while let Some(task) = tasks.get(next) {
            self.step(*task, tasks, did);
            next += 1;
        }
    }
}

/// Lets one part take one input.
pub fn step_component(
    topology: &Topology,
    part: Component,
    value: &mut ComponentValue,
    input: ComponentInput,
    effects: &mut Vec<Effect>,
) {
    match (part, value, input) {
        (Component::Actor(id), ComponentValue::Actor(process), ComponentInput::Actor(input)) => {
            process.step(topology, id, input, effects);
        }
        (Component::Link(number), ComponentValue::Link(link), ComponentInput::Link(input)) => {
            let ends = topology.links()[usize::from(number)];
            link.step(ends, topology.config().policy, input, effects);
        }
        (
            Component::SharedEnvironment,
            ComponentValue::SharedEnvironment(room),
            ComponentInput::SharedEnvironment(input),
        ) => room.step(input),
        (part, _, input) => unreachable!("{input:?} is no input for {part:?}"),
    }
}

/// What can be seen of a part.
#[must_use]
pub fn see_component(
    topology: &Topology,
    part: Component,
    value: &ComponentValue,
) -> ComponentFacts {
    match (part, value) {
        (Component::Actor(id), ComponentValue::Actor(process)) => {
            ComponentFacts::Actor(ActorFacts::of(topology, id, process))
        }
        (_, ComponentValue::Link(link)) => ComponentFacts::Link(LinkFacts::of(link)),
        (_, ComponentValue::SharedEnvironment(room)) => {
            ComponentFacts::SharedEnvironment(room.clone())
        }
        (part, ComponentValue::Actor(_)) => unreachable!("{part:?} is no actor"),
    }
}

struct PlainComponents<'a> {
    topology: &'a Topology,
    parts: &'a mut [ComponentValue],
}

impl Components for PlainComponents<'_> {
    type Task = (Component, ComponentInput);

    fn step(&mut self, task: Self::Task, follow: &mut Vec<Self::Task>, did: &mut Vec<Observation>) {
        let (part, input) = task;
        let mut effects = Vec::new();
        let value = &mut self.parts[self.topology.slot(part)];
        step_component(self.topology, part, value, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::To(part, input) => follow.push((part, input)),
                Effect::Observation(what) => did.push(what),
            }
        }
    }
}

impl System {
    /// How a run begins.
    #[must_use]
    pub fn new(topology: &Topology) -> Self {
        let tree = &topology.config().tree;
        let mut parts = Vec::with_capacity(topology.components());
        for id in tree.ids() {
            parts.push(ComponentValue::Actor(match tree.start(id) {
                ActorStart::Later => ProcessState::Later,
                ActorStart::Running => {
                    let mut node = topology.node(id);
                    for child in
                        tree.children(id).filter(|id| tree.start(*id) == ActorStart::Running)
                    {
                        node.handle(Input::Spawned { child }, &mut Outbox::new());
                    }
                    let parent = tree.supervisor(id).map_or(Parent::Init, |_| Parent::Supervisor);
                    ProcessState::running(node, parent)
                }
            }));
        }
        parts.extend(topology.links().iter().map(|_| ComponentValue::Link(LinkState::default())));
        parts.push(ComponentValue::SharedEnvironment(SharedEnvironment::new(
            topology.config().budget,
        )));
        Self { components: parts }
    }

    /// A system of the given parts.
    #[must_use]
    pub fn from_components(parts: Vec<ComponentValue>) -> Self {
        Self { components: parts }
    }

    /// Its parts, by slot.
    #[must_use]
    pub fn components(&self) -> &[ComponentValue] {
        &self.components
    }

    /// What can be seen of it.
    pub fn look<T>(&self, topology: &Topology, see: impl FnOnce(&WorldView<'_>) -> T) -> T {
        let facts: Vec<_> = self
            .components
            .iter()
            .enumerate()
            .map(|(slot, value)| see_component(topology, topology.component(slot), value))
            .collect();
        let parts: Vec<_> = facts.iter().collect();
        see(&WorldView { topology, components: &parts })
    }

    /// Every action that is possible now, in a fixed order.
    #[must_use]
    pub fn enabled(&self, topology: &Topology) -> Vec<Action> {
        let mut actions = Vec::new();
        self.look(topology, |scene| enabled(scene, &mut actions));
        actions
    }

    /// Whether an action is possible now. A recorded environment can do more than is offered.
    #[must_use]
    pub fn can(&self, topology: &Topology, action: Action) -> bool {
        match topology.config().environment {
            Environment::Bounded => self.enabled(topology).contains(&action),
            Environment::Recorded => self.look(topology, |scene| can_happen(scene, action)),
        }
    }

    /// Performs an action that is possible now and tells what was done.
    pub fn apply(&mut self, topology: &Topology, action: Action) -> Vec<Observation> {
        let (mut begun, mut did) = (Vec::new(), Vec::new());
        let slot = topology.slot(subject(topology, action));
        let Some(ComponentValue::SharedEnvironment(SharedEnvironment { at, .. })) =
            self.components.last()
        else {
            unreachable!("the room comes last")
        };
        let facts = see_component(topology, topology.component(slot), &self.components[slot]);
        begin(ActionContext { topology, at: *at, facts: &facts }, action, &mut begun);
        PlainComponents { topology, parts: &mut self.components }.run(&mut begun, &mut did);
        did
    }

    /// The same system with its actors renamed.
    #[must_use]
    pub fn renamed(&self, topology: &Topology, by: &Renaming) -> Self {
        let mut parts = self.components.clone();
        for (slot, value) in self.components.iter().enumerate() {
            let to = topology.slot(topology.renamed(topology.component(slot), by));
            parts[to] = value.renamed(by);
        }
        Self { components: parts }
    }
}
