//! The whole world as a value, and one step of it.

use super::action::Action;
use super::begin::{ActionContext, begin, subject};
use super::component::{Component, ComponentInput, ComponentValue, Effect, Observation};
use super::config::Environment;
use super::enabled::enabled;
use super::facts::{ActorFacts, ComponentFacts, LinkFacts, WorldView};
use super::link::LinkState;
use super::process::{Parent, ProcessState};
use super::recorded::can_happen;
use super::shared::SharedEnvironment;
use super::topology::Topology;
use crate::tree::ActorStart;
use holdfast_protocol::{Input, Outbox, Rename, Renaming};

/// Everything that changes during a run, one value a component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct System {
    components: Vec<ComponentValue>,
}

/// Somewhere a step can run: plain values, or interned ones that remember the answer.
pub trait Components {
    /// A component and an input to it.
    type Task: Copy;

    /// Lets one component take one input and appends what follows: tasks for components, facts for checkers.
    fn step(
        &mut self,
        task: Self::Task,
        follow: &mut Vec<Self::Task>,
        observations: &mut Vec<Observation>,
    );

    /// Runs a step to its end: what follows from an input comes before what follows from that.
    fn run(&mut self, tasks: &mut Vec<Self::Task>, observations: &mut Vec<Observation>) {
        let mut next = 0;
        while let Some(task) = tasks.get(next) {
            self.step(*task, tasks, observations);
            next += 1;
        }
    }
}

/// Lets one component take one input.
pub fn step_component(
    topology: &Topology,
    component: Component,
    value: &mut ComponentValue,
    input: ComponentInput,
    effects: &mut Vec<Effect>,
) {
    match (component, value, input) {
        (Component::Actor(id), ComponentValue::Actor(process), ComponentInput::Actor(input)) => {
            process.step(topology, id, input, effects);
        }
        (Component::Link(number), ComponentValue::Link(link), ComponentInput::Link(input)) => {
            let ends = topology.links()[usize::from(number)];
            link.step(ends, topology.config().policy, input, effects);
        }
        (
            Component::SharedEnvironment,
            ComponentValue::SharedEnvironment(shared),
            ComponentInput::SharedEnvironment(input),
        ) => shared.step(input),
        (component, _, input) => unreachable!("{input:?} is not an input for {component:?}"),
    }
}

/// What can be seen of a component.
#[must_use]
pub fn see_component(
    topology: &Topology,
    component: Component,
    value: &ComponentValue,
) -> ComponentFacts {
    match (component, value) {
        (Component::Actor(id), ComponentValue::Actor(process)) => {
            ComponentFacts::Actor(ActorFacts::of(topology, id, process))
        }
        (Component::Link(number), ComponentValue::Link(link)) => {
            let (_, lower) = topology.links()[usize::from(number)];
            let linked = !topology.config().tree.is_program(lower);
            ComponentFacts::Link(if linked { LinkFacts::of(link) } else { LinkFacts::NONE })
        }
        (component, ComponentValue::Link(_)) => unreachable!("{component:?} is not a link"),
        (_, ComponentValue::SharedEnvironment(shared)) => {
            ComponentFacts::SharedEnvironment(shared.clone())
        }
        (component, ComponentValue::Actor(_)) => unreachable!("{component:?} is not an actor"),
    }
}

struct PlainComponents<'a> {
    topology: &'a Topology,
    components: &'a mut [ComponentValue],
}

impl Components for PlainComponents<'_> {
    type Task = (Component, ComponentInput);

    fn step(
        &mut self,
        task: Self::Task,
        follow: &mut Vec<Self::Task>,
        observations: &mut Vec<Observation>,
    ) {
        let (component, input) = task;
        let mut effects = Vec::new();
        let value = &mut self.components[self.topology.slot(component)];
        step_component(self.topology, component, value, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::To(component, input) => follow.push((component, input)),
                Effect::Observation(what) => observations.push(what),
            }
        }
    }
}

impl System {
    /// How a run begins.
    #[must_use]
    pub fn new(topology: &Topology) -> Self {
        let tree = &topology.config().tree;
        let mut components = Vec::with_capacity(topology.components());
        for id in tree.ids() {
            components.push(ComponentValue::Actor(match tree.start(id) {
                ActorStart::Later => ProcessState::Later,
                ActorStart::Running if tree.is_program(id) => {
                    ProcessState::Booting(Parent::Supervisor)
                }
                ActorStart::Running => {
                    let mut node = topology.node(id);
                    for child in
                        tree.children(id).filter(|id| tree.start(*id) == ActorStart::Running)
                    {
                        node.handle(Input::Spawned { child }, &mut Outbox::new());
                    }
                    let parent = tree.supervisor(id).map_or(Parent::Init, |_| Parent::Supervisor);
                    ProcessState::running(topology, node, parent)
                }
            }));
        }
        components
            .extend(topology.links().iter().map(|_| ComponentValue::Link(LinkState::default())));
        components.push(ComponentValue::SharedEnvironment(SharedEnvironment::new(
            topology.config().budget,
        )));
        Self { components }
    }

    /// A system of the given components.
    #[must_use]
    pub fn from_components(components: Vec<ComponentValue>) -> Self {
        Self { components }
    }

    /// Its components, by slot.
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
        let components: Vec<_> = facts.iter().collect();
        see(&WorldView { topology, components: &components })
    }

    /// Every action that is enabled, in a fixed order.
    #[must_use]
    pub fn enabled(&self, topology: &Topology) -> Vec<Action> {
        self.look(topology, enabled)
    }

    /// Whether an action can happen now. In a recorded run more can than is enabled.
    #[must_use]
    pub fn can(&self, topology: &Topology, action: Action) -> bool {
        match topology.config().environment {
            Environment::Bounded => self.enabled(topology).contains(&action),
            Environment::Recorded => self.look(topology, |view| can_happen(view, action)),
        }
    }

    /// Performs an action that can happen now and tells what was observed.
    pub fn apply(&mut self, topology: &Topology, action: Action) -> Vec<Observation> {
        let (mut begun, mut observations) = (Vec::new(), Vec::new());
        let slot = topology.slot(subject(topology, action));
        let Some(ComponentValue::SharedEnvironment(SharedEnvironment { at, .. })) =
            self.components.last()
        else {
            unreachable!("the shared comes last")
        };
        let facts = see_component(topology, topology.component(slot), &self.components[slot]);
        begin(ActionContext { topology, at: *at, facts: &facts }, action, &mut begun);
        PlainComponents { topology, components: &mut self.components }
            .run(&mut begun, &mut observations);
        observations
    }

    /// The same system with its actors renamed.
    #[must_use]
    pub fn renamed(&self, topology: &Topology, by: &Renaming) -> Self {
        let mut components = self.components.clone();
        for (slot, value) in self.components.iter().enumerate() {
            let to = topology.slot(topology.renamed(topology.component(slot), by));
            components[to] = value.renamed(by);
        }
        Self { components }
    }
}
