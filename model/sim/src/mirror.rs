//! The run as a run of the checker's world, so that the properties of the checker judge it.
//!
//! Each input that a node has handled is a step of this world, whole and at once, in the order in
//! which the actors tell of them. What the simulated kernel does takes effect when it does it: a
//! process is killed, a link is cut. The nodes are fed twice, here and in the actor, and must give
//! the same outputs.
//!
//! A simulated actor can be killed between two outputs. What it had decided and did not do is taken
//! back, so that nobody waits here for what was never sent.

use holdfast_check::property::PropertySet;
use holdfast_check::property::safety::{judge_state, judge_step};
use holdfast_check::world::component::{
    ActorInput, Component, ComponentInput, ComponentValue, Effect,
};
use holdfast_check::world::facts::{ActorFacts, ComponentFacts};
use holdfast_check::world::link::{LaneState, LinkEnd, LinkInput};
use holdfast_check::world::process::ProcessState;
use holdfast_check::world::shared::SharedInput;
use holdfast_check::world::system::{see_component, step_component};
use holdfast_check::world::{Observation, System, Topology, WorldView};
use holdfast_protocol::policy::LostBranch;
use holdfast_protocol::{ActorId, Input, Message, Origin, Output, Signal, Status};
use holdfast_sync::engine::Arc;
use std::collections::VecDeque;

type Task = (Component, ComponentInput);

/// The run in the world of the checker.
#[derive(Debug)]
pub(crate) struct MirroredWorld {
    topology: Arc<Topology>,
    components: Vec<ComponentValue>,
    facts: Vec<ComponentFacts>,
    /// What each actor has decided and not performed.
    undone: Vec<VecDeque<Output>>,
}

impl MirroredWorld {
    pub(crate) fn new(topology: &Arc<Topology>) -> Self {
        let components = System::new(topology).components().to_vec();
        let see = |(slot, value)| see_component(topology, topology.component(slot), value);
        let facts = components.iter().enumerate().map(see).collect();
        let undone = topology.actors().map(|_| VecDeque::new()).collect();
        Self { topology: Arc::clone(topology), components, facts, undone }
    }

    /// Looks at it as it is now.
    pub(crate) fn look<T>(&self, see: impl FnOnce(&WorldView<'_>) -> T) -> T {
        let components: Vec<_> = self.facts.iter().collect();
        see(&WorldView { topology: &self.topology, components: &components })
    }

    /// A process is started.
    pub(crate) fn started(&mut self, actor: ActorId) {
        if matches!(self.process(actor), ProcessState::Later) {
            let _ = self.run(vec![to_actor(actor, ActorInput::Start)]);
        }
    }

    /// Its boot is over.
    pub(crate) fn booted(&mut self, actor: ActorId) {
        let _ = self.run(vec![to_actor(actor, ActorInput::Boot)]);
    }

    /// A node has handled an input, and nothing of what follows was performed yet: what that breaks.
    pub(crate) fn handled(
        &mut self,
        actor: ActorId,
        input: Input,
        outputs: &[Output],
    ) -> PropertySet {
        let before = self.facts.clone();
        let begun = self.begin(actor, input);
        let did = self.run(begun);
        let output = |did: &Observation| match *did {
            Observation::Output { actor: who, output } if who == actor => Some(output),
            _ => None,
        };
        let expected: Vec<_> = did.iter().filter_map(output).collect();
        assert_eq!(outputs, expected, "{actor:?} handles {input:?} as the model does not");
        self.undone[actor.index()] = outputs.iter().copied().collect();
        self.judge(&before, &did)
    }

    /// An actor has performed the next of its outputs.
    pub(crate) fn performed(&mut self, actor: ActorId) {
        self.undone[actor.index()].pop_front();
    }

    /// A message came to nobody: its link had ended before it was sent.
    pub(crate) fn lost(&mut self, from: ActorId, to: ActorId, message: Message) {
        let (link, end) = self.topology.link(from, to);
        let slot = self.topology.slot(Component::Link(link));
        if let ComponentValue::Link(link) = &mut self.components[slot] {
            link.take_back(end, message);
        }
        self.see(slot);
    }

    /// A signal reaches an actor that boots: what that breaks.
    pub(crate) fn signalled_at_boot(
        &mut self,
        actor: ActorId,
        signal: Signal,
        origin: Origin,
    ) -> PropertySet {
        let before = self.facts.clone();
        let did = self.run(vec![to_actor(actor, ActorInput::Pend(signal, origin))]);
        self.judge(&before, &did)
    }

    /// A process is gone, and so are `reaped`: children of which it can tell nobody any longer that
    /// it has reaped them.
    pub(crate) fn gone(
        &mut self,
        actor: ActorId,
        status: Status,
        reaped: &[ActorId],
    ) -> PropertySet {
        while let Some(output) = self.undone[actor.index()].pop_back() {
            if let Output::Send { to, message } = output {
                self.lost(actor, to, message);
            }
        }
        let alive =
            matches!(self.process(actor), ProcessState::Booting(_) | ProcessState::Running(_));
        let end = if status == Status::Killed { ActorInput::Kill } else { ActorInput::Die(status) };
        let end = alive.then(|| to_actor(actor, end));
        let zombie = |child: &&ActorId| matches!(self.process(**child), ProcessState::Zombie(..));
        let reaped = reaped.iter().filter(zombie).map(|child| to_actor(*child, ActorInput::Reap));
        let tasks = end.into_iter().chain(reaped).collect();
        let before = self.facts.clone();
        let did = self.run(tasks);
        self.init_reaps();
        self.judge(&before, &did)
    }

    /// Where the root is gone init reaps, at once, whoever it has adopted or would have.
    fn init_reaps(&mut self) {
        let left = self.look(|scene| {
            let root = scene.topology.root();
            let adopted = |facts: &ActorFacts| facts.zombie.is_some() && facts.parent == Some(root);
            let left = scene.actors().filter(|(_, facts)| adopted(facts));
            let left: Vec<_> = left.map(|(actor, _)| actor).collect();
            if scene.root().alive() { Vec::new() } else { left }
        });
        let reap = |actor: ActorId| to_actor(actor, ActorInput::Reap);
        let _ = self.run(left.into_iter().map(reap).collect());
    }

    /// The link between an actor and its supervisor ends.
    pub(crate) fn cut(&mut self, actor: ActorId) {
        if let Some(link) = self.topology.link_up(actor) {
            let _ = self.run(vec![(Component::Link(link), LinkInput::Cut.into())]);
        }
    }

    fn process(&self, actor: ActorId) -> &ProcessState {
        match &self.components[actor.index()] {
            ComponentValue::Actor(process) => process,
            ComponentValue::Link(_) | ComponentValue::SharedEnvironment(_) => {
                unreachable!("actors come first")
            }
        }
    }

    /// What the step of an input begins with.
    fn begin(&mut self, actor: ActorId, input: Input) -> Vec<Task> {
        let handle = to_actor(actor, ActorInput::Handle(input));
        match input {
            Input::Received { from, .. } => {
                let (link, end) = self.topology.link(actor, from);
                vec![(Component::Link(link), LinkInput::Read(end).into())]
            }
            Input::LinkEnded { peer } => {
                let (link, end) = self.topology.link(actor, peer);
                let slot = self.topology.slot(Component::Link(link));
                let ComponentValue::Link(value) = &mut self.components[slot] else {
                    unreachable!("a link is a link")
                };
                let (lane, sender) = match end {
                    LinkEnd::Upper => (&value.up, LinkEnd::Lower),
                    LinkEnd::Lower => (&value.down, LinkEnd::Upper),
                };
                // A peer that says what nobody understands is not read to its end.
                let (unread, state): (Vec<_>, _) = (lane.queue().collect(), lane.state());
                unread.iter().rev().for_each(|message| value.take_back(sender, *message));
                let cut = (state == LaneState::Open).then_some(LinkInput::Cut);
                let tasks = cut.into_iter().chain([LinkInput::Read(end)]);
                tasks.map(|input| (Component::Link(link), input.into())).collect()
            }
            Input::Signalled { signal, origin } => vec![
                to_actor(actor, ActorInput::Pend(signal, origin)),
                to_actor(actor, ActorInput::Take(signal)),
            ],
            Input::Exited { child, .. } => {
                let closes = self.topology.config().policy.lost_branch != LostBranch::Untold;
                let own = self.topology.config().tree.supervisor(child) == Some(actor);
                let link = (closes && own).then(|| self.topology.link(child, actor).0);
                let abandon = link.map(|link| (Component::Link(link), LinkInput::Abandon.into()));
                let reap = to_actor(child, ActorInput::Reap);
                [reap].into_iter().chain(abandon).chain([handle]).collect()
            }
            Input::Adopted { child } => vec![to_actor(child, ActorInput::Find), handle],
            Input::BatonClosed { request } => {
                let read = SharedInput::ReadBaton(request).into();
                vec![(Component::SharedEnvironment, read), handle]
            }
            Input::Pause { .. }
            | Input::Answered { .. }
            | Input::Cancel { .. }
            | Input::Unexamined { .. }
            | Input::CancelChild { .. }
            | Input::UserTaskEnded
            | Input::Expired { .. }
            | Input::Spawned { .. }
            | Input::ChildrenGone => vec![handle],
        }
    }

    /// Runs a step to its end.
    fn run(&mut self, mut tasks: Vec<Task>) -> Vec<Observation> {
        let (mut did, mut effects, mut next) = (Vec::new(), Vec::new(), 0);
        while let Some((component, input)) = tasks.get(next).copied() {
            next += 1;
            let slot = self.topology.slot(component);
            let value = &mut self.components[slot];
            step_component(&self.topology, component, value, input, &mut effects);
            self.see(slot);
            for effect in effects.drain(..) {
                match effect {
                    Effect::Observation(what) => did.push(what),
                    // The simulated kernel says when a signal arrives, and what it does there.
                    Effect::To(
                        Component::Actor(_),
                        ComponentInput::Actor(ActorInput::Pend(..) | ActorInput::Kill),
                    ) => {}
                    Effect::To(component, input) => tasks.push((component, input)),
                }
            }
        }
        did
    }

    fn see(&mut self, slot: usize) {
        let component = self.topology.component(slot);
        self.facts[slot] = see_component(&self.topology, component, &self.components[slot]);
    }

    fn judge(&self, before: &[ComponentFacts], did: &[Observation]) -> PropertySet {
        let before: Vec<_> = before.iter().collect();
        let before = WorldView { topology: &self.topology, components: &before };
        self.look(|after| judge_step(&before, did, after).violated | judge_state(after).violated)
    }
}

fn to_actor(actor: ActorId, input: ActorInput) -> Task {
    (Component::Actor(actor), input.into())
}
