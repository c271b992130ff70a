//! A run that a case takes step by step.

use holdfast_check::world::component::ComponentValue;
use holdfast_check::world::enabled::{can_do, can_step};
use holdfast_check::world::link::LinkState;
use holdfast_check::world::process::{PendingSignals, ProcessState};
use holdfast_check::world::shared::BatonState;
use holdfast_check::world::{
    Action, ActorFlags, Config, Environment, EnvironmentAction, Observation, ScriptStep, System,
    SystemStep, Topology, WorldView,
};
use holdfast_protocol::policy::{Policy, WhilePrompt};
use holdfast_protocol::{ActorId, Answer, Cause, Message, Placement, RequestId, Signal};
use std::collections::{BTreeSet, VecDeque};

pub(crate) const ROOT: ActorId = ActorId(0);
pub(crate) const A: ActorId = ActorId(1);
pub(crate) const B: ActorId = ActorId(2);
pub(crate) const RELAY: Policy = Policy::RELAY;
pub(crate) const FREEZES: Policy = Policy { while_prompt: WhilePrompt::Freezes, ..RELAY };
pub(crate) const FIRST: RequestId = RequestId { actor: A, serial: 0 };

/// A run, step by step.
pub(crate) struct Run {
    pub(crate) topology: Topology,
    pub(crate) system: System,
}

impl From<Config> for Run {
    fn from(config: Config) -> Self {
        let topology = Topology::new(config);
        Self { system: System::new(&topology), topology }
    }
}

pub(crate) fn config(tree: &str, faults: &str, policy: Policy) -> Config {
    let tree = tree.parse().expect("the trees are well formed");
    let faults = faults.parse().expect("the budgets are well formed");
    Config::new(tree, policy, Placement::OwnSession, faults)
}

/// A run in which the environment is bounded by nothing.
pub(crate) fn run(tree: &str, policy: Policy) -> Run {
    Config { environment: Environment::Recorded, ..config(tree, "none", policy) }.into()
}

pub(crate) fn bounded(tree: &str, faults: &str) -> Run {
    config(tree, faults, RELAY).into()
}

pub(crate) fn scripted(tree: &str, policy: Policy, steps: Vec<ScriptStep>) -> Run {
    let mut config = config(tree, "none", policy);
    config.environment = Environment::Recorded;
    config.script.steps = steps;
    config.into()
}

pub(crate) fn deliver(from: ActorId, to: ActorId) -> SystemStep {
    SystemStep::Deliver { from, to }
}

pub(crate) fn pause(actor: ActorId) -> EnvironmentAction {
    EnvironmentAction::Pause { actor }
}

pub(crate) fn kill(actor: ActorId) -> EnvironmentAction {
    EnvironmentAction::Kill { actor }
}

pub(crate) fn signal(actor: ActorId, signal: Signal) -> EnvironmentAction {
    EnvironmentAction::Signal { actor, signal }
}

pub(crate) fn fails(actor: ActorId) -> EnvironmentAction {
    EnvironmentAction::Provoke { actor, cause: Cause::Failed }
}

pub(crate) fn ends(actor: ActorId) -> EnvironmentAction {
    EnvironmentAction::Provoke { actor, cause: Cause::Requested }
}

pub(crate) fn answer(actor: ActorId) -> EnvironmentAction {
    EnvironmentAction::Answer { actor, answer: Answer::Continue }
}

impl Run {
    pub(crate) fn see<T>(&self, see: impl FnOnce(&WorldView<'_>) -> T) -> T {
        self.system.look(&self.topology, see)
    }

    /// Whether a step can be taken.
    pub(crate) fn may(&self, step: SystemStep) -> bool {
        self.see(|view| can_step(view, step))
    }

    /// Whether the environment can do something, budget and script aside.
    pub(crate) fn can(&self, action: EnvironmentAction) -> bool {
        self.see(|view| can_do(view, action))
    }

    /// Whether the explorer would try it.
    pub(crate) fn tries(&self, action: EnvironmentAction) -> bool {
        self.system.enabled(&self.topology).contains(&Action::Environment(action))
    }

    pub(crate) fn is(&self, actor: ActorId, flags: ActorFlags) -> bool {
        self.see(|view| view.actor(actor).flags.contains(flags))
    }

    pub(crate) fn takes(&mut self, step: SystemStep) -> Vec<Observation> {
        assert!(self.may(step), "{step:?} can be taken");
        self.system.apply(&self.topology, Action::System(step))
    }

    /// Lets the environment do something that it can do.
    pub(crate) fn does(mut self, action: EnvironmentAction) -> Self {
        assert!(self.can(action), "{action:?} can be done");
        self.system.apply(&self.topology, Action::Environment(action));
        self
    }

    /// The nearest state of this kind that the tree comes to of itself.
    pub(crate) fn until(mut self, goal: impl Fn(&WorldView<'_>) -> bool) -> Self {
        let mut seen = BTreeSet::from([self.system.clone()]);
        let mut queue = VecDeque::from([self.system.clone()]);
        while let Some(system) = queue.pop_front() {
            if system.look(&self.topology, &goal) {
                self.system = system;
                return self;
            }
            for action in system.enabled(&self.topology) {
                if let Action::System(_) = action {
                    let mut next = system.clone();
                    next.apply(&self.topology, action);
                    if seen.insert(next.clone()) {
                        queue.push_back(next);
                    }
                }
            }
        }
        panic!("no such state is reached")
    }

    pub(crate) fn at_prompt(self, actor: ActorId) -> Self {
        self.does(pause(actor)).until(|view| view.actor(actor).prompt.is_some())
    }

    pub(crate) fn until_flags(self, actor: ActorId, flags: ActorFlags) -> Self {
        self.until(|view| view.actor(actor).flags.contains(flags))
    }

    pub(crate) fn process(&self, actor: ActorId) -> &ProcessState {
        match &self.system.components()[actor.index()] {
            ComponentValue::Actor(process) => process,
            other => panic!("{other:?} is not an actor"),
        }
    }

    pub(crate) fn pending(&self, actor: ActorId) -> &PendingSignals {
        match self.process(actor) {
            ProcessState::Running(running) => &running.pending,
            other => panic!("{other:?} does not run"),
        }
    }

    /// The link between the root and the first actor below it.
    pub(crate) fn link(&self) -> &LinkState {
        match &self.system.components()[self.topology.config().tree.len()] {
            ComponentValue::Link(link) => link,
            other => panic!("{other:?} is not a link"),
        }
    }

    pub(crate) fn baton(&self) -> Option<BatonState> {
        self.see(|view| view.shared().batons.get(&FIRST).copied())
    }

    /// What the root reads next of what the first actor said.
    pub(crate) fn root_reads(&mut self) -> Option<Message> {
        self.takes(deliver(A, ROOT)).into_iter().find_map(|what| match what {
            Observation::Delivered { message, .. } => Some(message),
            _ => None,
        })
    }
}
