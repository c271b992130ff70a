//! Where an action begins: which component it happens to, with which inputs.

use super::action::{Action, EnvironmentAction, Fault, SystemStep};
use super::component::{ActorInput, Component, ComponentInput};
use super::config::Environment;
use super::enabled::in_foreground;
use super::facts::{ActorFacts, ComponentFacts};
use super::link::LinkInput;
use super::process::ProgramInput;
use super::script::ScriptStep;
use super::shared::SharedInput;
use super::topology::Topology;
use holdfast_protocol::policy::LostBranch;
use holdfast_protocol::{ActorId, Answer, Cause, Input, Origin, Shielding, Signal, Status};

/// The component that an enabled action happens to.
#[must_use]
pub fn subject(topology: &Topology, action: Action) -> Component {
    match action {
        Action::Environment(action) => {
            subject_of(topology, action).expect("what is enabled happens to some component")
        }
        Action::System(step) => match step {
            SystemStep::Deliver { from, to } => Component::Link(topology.link(to, from).0),
            SystemStep::TakeSignal { actor, .. }
            | SystemStep::Expire { actor, .. }
            | SystemStep::EndUserTask { actor }
            | SystemStep::Boot { actor }
            | SystemStep::Reap { actor }
            | SystemStep::Adopt { actor }
            | SystemStep::LosePrompt { actor }
            | SystemStep::AskForProgram { actor }
            | SystemStep::GiveForeground { actor }
            | SystemStep::FinishHost { actor } => Component::Actor(actor),
            SystemStep::SeeChildrenGone => Component::Actor(topology.root()),
            SystemStep::ReadBaton { .. } | SystemStep::Pass { .. } => Component::SharedEnvironment,
        },
    }
}

/// All that decides with which inputs an action begins.
#[derive(Clone, Copy, Debug)]
pub struct ActionContext<'a> {
    /// What stays fixed.
    pub topology: &'a Topology,
    /// The script's position.
    pub at: u8,
    /// The facts of the component that the action happens to.
    pub facts: &'a ComponentFacts,
}

/// Appends what an action begins with, in order.
pub fn begin(context: ActionContext<'_>, action: Action, begun: &mut Vec<Begun>) {
    let topology = context.topology;
    let mut handle = |actor, input| begun.push(to_actor(actor, ActorInput::Handle(input)));
    match action {
        Action::Environment(action) => {
            let script = &topology.config().script;
            if script.step(context.at) == Some(ScriptStep::Do(action)) {
                begun.push((Component::SharedEnvironment, SharedInput::Advance.into()));
            } else if let (Environment::Bounded, Some(fault)) =
                (topology.config().environment, fault_of(topology, action))
            {
                begun.push((Component::SharedEnvironment, SharedInput::Spend(fault).into()));
            }
            begin_environment(context, action, begun);
        }
        Action::System(step) => match step {
            SystemStep::Deliver { from, to } => {
                let (link, end) = topology.link(to, from);
                begun.push((Component::Link(link), LinkInput::Read(end).into()));
            }
            SystemStep::TakeSignal { actor, signal } => {
                begun.push(to_actor(actor, ActorInput::Take(signal)));
            }
            SystemStep::Expire { actor, timer } => handle(actor, Input::Expired { timer }),
            SystemStep::EndUserTask { actor } => handle(actor, Input::UserTaskEnded),
            SystemStep::Boot { actor } => begun.push(to_actor(actor, ActorInput::Boot)),
            SystemStep::Reap { actor } => begin_reap(context, actor, begun),
            SystemStep::Adopt { actor } => {
                begun.push(to_actor(actor, ActorInput::Find));
                let found = ActorInput::Handle(Input::Adopted { child: actor });
                begun.push(to_actor(topology.root(), found));
            }
            SystemStep::SeeChildrenGone => handle(topology.root(), Input::ChildrenGone),
            SystemStep::ReadBaton { request } => {
                begun.push((Component::SharedEnvironment, SharedInput::ReadBaton(request).into()));
                let read = ActorInput::Handle(Input::BatonClosed { request });
                begun.push(to_actor(topology.root(), read));
            }
            SystemStep::LosePrompt { actor } => {
                handle(actor, answered(context, Answer::Hangup));
            }
            SystemStep::AskForProgram { actor } => {
                begun.push(to_actor(actor, ActorInput::Program(ProgramInput::Asked)));
                let pause = Input::Pause { shielding: Shielding::Plain };
                begun.push(to_actor(actor, ActorInput::Handle(pause)));
            }
            SystemStep::GiveForeground { actor } => {
                begun.push(to_actor(actor, ActorInput::Program(ProgramInput::Foreground)));
            }
            SystemStep::FinishHost { actor } => {
                handle(actor, Input::Cancel { cause: Cause::Finished });
            }
            SystemStep::Pass { .. } => {
                begun.push((Component::SharedEnvironment, SharedInput::Advance.into()))
            }
        },
    }
}

/// A component and the input with which an action begins there.
pub type Begun = (Component, ComponentInput);

fn to_actor(actor: ActorId, input: ActorInput) -> Begun {
    (Component::Actor(actor), input.into())
}

impl<'a> ActionContext<'a> {
    fn actor(self) -> &'a ActorFacts {
        match self.facts {
            ComponentFacts::Actor(facts) => facts,
            ComponentFacts::Link(_) | ComponentFacts::SharedEnvironment(_) => {
                unreachable!("it happens to an actor")
            }
        }
    }
}

fn answered(context: ActionContext<'_>, answer: Answer) -> Input {
    let open = context.actor().prompt;
    Input::Answered { request: open.expect("only an open prompt is answered"), answer }
}

fn begin_reap(context: ActionContext<'_>, actor: ActorId, begun: &mut Vec<Begun>) {
    let status = context.actor().zombie.expect("only a zombie is reaped");
    let parent = context.actor().parent.expect("a zombie below init is gone");
    begun.push(to_actor(actor, ActorInput::Reap));
    let config = context.topology.config();
    // The end of its program is a result for a host, whatever it is.
    let hosted = config.tree.is_program(actor) && config.tree.supervisor(actor) == Some(parent);
    let status = if hosted { Status::Finished } else { status };
    // Where nobody tells of a lost branch, the connection is read to its end all the same.
    let closes = config.policy.lost_branch != LostBranch::Untold;
    if closes && config.tree.supervisor(actor) == Some(parent) {
        let (link, _) = context.topology.link(actor, parent);
        begun.push((Component::Link(link), LinkInput::Abandon.into()));
    }
    begun.push(to_actor(parent, ActorInput::Handle(Input::Exited { child: actor, status })));
}

fn begin_environment(
    context: ActionContext<'_>,
    action: EnvironmentAction,
    begun: &mut Vec<Begun>,
) {
    let topology = context.topology;
    let handle = |actor, input| to_actor(actor, ActorInput::Handle(input));
    match action {
        EnvironmentAction::Pause { actor } => {
            begun.push(handle(actor, Input::Pause { shielding: Shielding::Plain }));
        }
        EnvironmentAction::PauseShielded { actor } => {
            begun.push(handle(actor, Input::Pause { shielding: Shielding::Shielded }));
        }
        EnvironmentAction::Answer { actor, answer } => {
            begun.push(handle(actor, answered(context, answer)));
        }
        EnvironmentAction::Provoke { actor, cause } => {
            begun.push(handle(actor, Input::Cancel { cause }))
        }
        EnvironmentAction::FailUnexamined { actor, cause } => {
            begun.push(handle(actor, Input::Unexamined { cause }));
        }
        EnvironmentAction::CancelChild { actor } => {
            let above = topology.config().tree.supervisor(actor).expect("not the root");
            begun.push(handle(above, Input::CancelChild { child: actor }));
        }
        EnvironmentAction::Interrupt => {
            // Whoever is not alive takes no notice.
            for actor in topology.actors().filter(|actor| in_foreground(topology, *actor)) {
                let pend = ActorInput::Pend(Signal::Interrupt, Origin::Terminal);
                begun.push(to_actor(actor, pend));
            }
        }
        EnvironmentAction::Signal { actor, signal } => {
            begun.push(to_actor(actor, ActorInput::Pend(signal, Origin::Process)));
        }
        EnvironmentAction::Kill { actor } => begun.push(to_actor(actor, ActorInput::Kill)),
        EnvironmentAction::Cut { actor } => {
            let link = topology.link_up(actor).expect("only an actor below the root is cut");
            begun.push((Component::Link(link), LinkInput::Cut.into()));
        }
        EnvironmentAction::Spawn { actor } => {
            let above = topology.config().tree.supervisor(actor).expect("not the root");
            begun.push(to_actor(actor, ActorInput::Start));
            begun.push(handle(above, Input::Spawned { child: actor }));
        }
        EnvironmentAction::Read { actor } => {
            begun
                .push(to_actor(host_of(topology, actor), ActorInput::Program(ProgramInput::Reads)));
        }
        EnvironmentAction::Type { actor } => {
            begun
                .push(to_actor(host_of(topology, actor), ActorInput::Program(ProgramInput::Typed)));
        }
        EnvironmentAction::TakeBack { actor } => {
            begun.push(handle(host_of(topology, actor), answered(context, Answer::Continue)));
        }
        EnvironmentAction::Die { actor, status } => {
            begun.push(to_actor(actor, ActorInput::Die(status)))
        }
        EnvironmentAction::Appear { actor } => begun.push(to_actor(actor, ActorInput::Appear)),
        EnvironmentAction::Vanish { actor } => begun.push(to_actor(actor, ActorInput::Reap)),
        EnvironmentAction::CutShort { actor, performed } => {
            begun.push(to_actor(actor, ActorInput::CutShort(performed)));
        }
    }
}

fn host_of(topology: &Topology, program: ActorId) -> ActorId {
    topology.config().tree.supervisor(program).expect("a program has a host")
}

/// The component that something happens to; none for what cannot happen to the root.
#[must_use]
pub fn subject_of(topology: &Topology, action: EnvironmentAction) -> Option<Component> {
    match action {
        EnvironmentAction::Interrupt => Some(Component::SharedEnvironment),
        EnvironmentAction::Cut { actor } => topology.link_up(actor).map(Component::Link),
        EnvironmentAction::CancelChild { actor }
        | EnvironmentAction::Read { actor }
        | EnvironmentAction::Type { actor }
        | EnvironmentAction::TakeBack { actor } => {
            topology.config().tree.supervisor(actor).map(Component::Actor)
        }
        EnvironmentAction::Pause { actor }
        | EnvironmentAction::PauseShielded { actor }
        | EnvironmentAction::Answer { actor, .. }
        | EnvironmentAction::Provoke { actor, .. }
        | EnvironmentAction::FailUnexamined { actor, .. }
        | EnvironmentAction::Signal { actor, .. }
        | EnvironmentAction::Kill { actor }
        | EnvironmentAction::Spawn { actor }
        | EnvironmentAction::Die { actor, .. }
        | EnvironmentAction::Appear { actor }
        | EnvironmentAction::Vanish { actor }
        | EnvironmentAction::CutShort { actor, .. } => Some(Component::Actor(actor)),
    }
}

/// The fault that an action of the environment uses up, unless the script has it do it.
#[must_use]
pub fn fault_of(topology: &Topology, action: EnvironmentAction) -> Option<Fault> {
    let root = topology.root();
    match action {
        EnvironmentAction::Pause { .. } => Some(Fault::Request),
        EnvironmentAction::PauseShielded { .. } => Some(Fault::Shielded),
        EnvironmentAction::Answer { answer: Answer::Quit, .. } => Some(Fault::Quit),
        EnvironmentAction::Read { .. } => Some(Fault::Read),
        EnvironmentAction::TakeBack { .. } => Some(Fault::TakeBack),
        EnvironmentAction::Answer { .. }
        | EnvironmentAction::Type { .. }
        | EnvironmentAction::Spawn { .. }
        | EnvironmentAction::Die { .. }
        | EnvironmentAction::Appear { .. }
        | EnvironmentAction::Vanish { .. }
        | EnvironmentAction::CutShort { .. } => None,
        EnvironmentAction::Provoke { cause: Cause::Failed, .. } => Some(Fault::Error),
        EnvironmentAction::Provoke { .. } => Some(Fault::Cancel),
        EnvironmentAction::FailUnexamined { .. } => Some(Fault::ErrorUnexamined),
        EnvironmentAction::CancelChild { .. } => Some(Fault::CancelChild),
        EnvironmentAction::Interrupt => Some(Fault::Interrupt),
        EnvironmentAction::Signal { signal: Signal::Interrupt, .. } => Some(Fault::InterruptOne),
        EnvironmentAction::Signal { .. } => Some(Fault::Stop),
        EnvironmentAction::Kill { actor } if actor == root => Some(Fault::KillRoot),
        EnvironmentAction::Kill { .. } => Some(Fault::Kill),
        EnvironmentAction::Cut { .. } => Some(Fault::Cut),
    }
}
