//! The inputs with which an action begins.

use super::deeds::{self, fault_of, in_foreground};
use crate::world::action::{Action, EnvironmentAction, SystemStep};
use crate::world::component::{ActorInput, Component, ComponentInput};
use crate::world::config::Environment;
use crate::world::facts::{ActorFacts, ComponentFacts};
use crate::world::link::LinkInput;
use crate::world::script::ScriptStep;
use crate::world::shared::SharedInput;
use crate::world::topology::Topology;
use holdfast_protocol::policy::LostBranch;
use holdfast_protocol::{ActorId, Answer, Input, Origin, Shielding, Signal};

/// The part that a possible action happens to: the one that offers it.
#[must_use]
pub fn subject(topology: &Topology, action: Action) -> Component {
    match action {
        Action::Environment(deed) => {
            deeds::subject(topology, deed).expect("a possible deed happens to some part")
        }
        Action::System(tree_move) => match tree_move {
            SystemStep::Deliver { from, to } => Component::Link(topology.link(to, from).0),
            SystemStep::TakeSignal { actor, .. }
            | SystemStep::Expire { actor, .. }
            | SystemStep::EndUserTask { actor }
            | SystemStep::Boot { actor }
            | SystemStep::Reap { actor }
            | SystemStep::Adopt { actor }
            | SystemStep::LosePrompt { actor } => Component::Actor(actor),
            SystemStep::SeeChildrenGone => Component::Actor(topology.root()),
            SystemStep::ReadBaton { .. } | SystemStep::Pass { .. } => Component::SharedEnvironment,
        },
    }
}

/// Where an action begins: all that decides with which inputs.
#[derive(Clone, Copy, Debug)]
pub struct ActionContext<'a> {
    /// What stays fixed.
    pub topology: &'a Topology,
    /// The script's position.
    pub at: u8,
    /// The facts of the part that the action happens to.
    pub facts: &'a ComponentFacts,
}

/// Appends what an action begins with, in order.
pub fn begin(place: ActionContext<'_>, action: Action, begun: &mut Vec<Begun>) {
    let topology = place.topology;
    let mut handle = |actor, input| begun.push(to_actor(actor, ActorInput::Handle(input)));
    match action {
        Action::Environment(deed) => {
            let script = &topology.config().script;
            if script.step(place.at) == Some(ScriptStep::Do(deed)) {
                begun.push((Component::SharedEnvironment, SharedInput::Advance.into()));
            } else if let (Environment::Bounded, Some(fault)) =
                (topology.config().environment, fault_of(topology, deed))
            {
                begun.push((Component::SharedEnvironment, SharedInput::Spend(fault).into()));
            }
            begin_deed(place, deed, begun);
        }
        Action::System(tree_move) => match tree_move {
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
            SystemStep::Reap { actor } => begin_reap(place, actor, begun),
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
                handle(actor, answered(place, Answer::Hangup));
            }
            SystemStep::Pass { .. } => {
                begun.push((Component::SharedEnvironment, SharedInput::Advance.into()))
            }
        },
    }
}

/// A part and the input with which an action begins there.
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

fn answered(place: ActionContext<'_>, answer: Answer) -> Input {
    let open = place.actor().prompt;
    Input::Answered { request: open.expect("only an open prompt is answered"), answer }
}

fn begin_reap(place: ActionContext<'_>, actor: ActorId, begun: &mut Vec<Begun>) {
    let status = place.actor().zombie.expect("only a zombie is reaped");
    let parent = place.actor().parent.expect("a zombie below init is gone");
    begun.push(to_actor(actor, ActorInput::Reap));
    let config = place.topology.config();
    // Where nobody tells of a lost branch, the connection is read to its end all the same.
    let closes = config.policy.lost_branch != LostBranch::Untold;
    if closes && config.tree.supervisor(actor) == Some(parent) {
        let (link, _) = place.topology.link(actor, parent);
        begun.push((Component::Link(link), LinkInput::Abandon.into()));
    }
    begun.push(to_actor(parent, ActorInput::Handle(Input::Exited { child: actor, status })));
}

fn begin_deed(place: ActionContext<'_>, deed: EnvironmentAction, begun: &mut Vec<Begun>) {
    let topology = place.topology;
    let handle = |actor, input| to_actor(actor, ActorInput::Handle(input));
    match deed {
        EnvironmentAction::Pause { actor } => {
            begun.push(handle(actor, Input::Pause { shielding: Shielding::Plain }));
        }
        EnvironmentAction::PauseShielded { actor } => {
            begun.push(handle(actor, Input::Pause { shielding: Shielding::Shielded }));
        }
        EnvironmentAction::Answer { actor, answer } => {
            begun.push(handle(actor, answered(place, answer)));
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
        EnvironmentAction::Die { actor, status } => {
            begun.push(to_actor(actor, ActorInput::Die(status)))
        }
        EnvironmentAction::Appear { actor } => begun.push(to_actor(actor, ActorInput::Appear)),
        EnvironmentAction::Vanish { actor } => begun.push(to_actor(actor, ActorInput::Reap)),
    }
}
