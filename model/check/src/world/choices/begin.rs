//! The inputs with which an action begins.

use super::deeds::{self, fault_of, in_foreground};
use crate::world::action::{Action, Deed, Move};
use crate::world::config::Environment;
use crate::world::facts::{ActorFacts, PartFacts};
use crate::world::link::LinkInput;
use crate::world::part::{ActorInput, Part, PartInput};
use crate::world::room::RoomInput;
use crate::world::script::ScriptStep;
use crate::world::topology::Topology;
use holdfast_protocol::policy::LostBranch;
use holdfast_protocol::{ActorId, Answer, Input, Origin, Shielding, Signal};

/// The part that a possible action happens to: the one that offers it.
#[must_use]
pub fn subject(topology: &Topology, action: Action) -> Part {
    match action {
        Action::Deed(deed) => {
            deeds::subject(topology, deed).expect("a possible deed happens to some part")
        }
        Action::Move(tree_move) => match tree_move {
            Move::Deliver { from, to } => Part::Link(topology.link(to, from).0),
            Move::TakeSignal { actor, .. }
            | Move::Expire { actor, .. }
            | Move::EndBody { actor }
            | Move::Boot { actor }
            | Move::Reap { actor }
            | Move::Adopt { actor }
            | Move::LosePrompt { actor } => Part::Actor(actor),
            Move::SeeChildrenGone => Part::Actor(topology.root()),
            Move::ReadBaton { .. } | Move::Pass { .. } => Part::Room,
        },
    }
}

/// Where an action begins: all that decides with which inputs.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// What stays fixed.
    pub topology: &'a Topology,
    /// The script's position.
    pub at: u8,
    /// The facts of the part that the action happens to.
    pub facts: &'a PartFacts,
}

/// Appends what an action begins with, in order.
pub fn begin(place: Place<'_>, action: Action, begun: &mut Vec<Begun>) {
    let topology = place.topology;
    let mut handle = |actor, input| begun.push(to_actor(actor, ActorInput::Handle(input)));
    match action {
        Action::Deed(deed) => {
            let script = &topology.config().script;
            if script.step(place.at) == Some(ScriptStep::Do(deed)) {
                begun.push((Part::Room, RoomInput::Advance.into()));
            } else if let (Environment::Bounded, Some(fault)) =
                (topology.config().environment, fault_of(topology, deed))
            {
                begun.push((Part::Room, RoomInput::Spend(fault).into()));
            }
            begin_deed(place, deed, begun);
        }
        Action::Move(tree_move) => match tree_move {
            Move::Deliver { from, to } => {
                let (link, end) = topology.link(to, from);
                begun.push((Part::Link(link), LinkInput::Read(end).into()));
            }
            Move::TakeSignal { actor, signal } => {
                begun.push(to_actor(actor, ActorInput::Take(signal)));
            }
            Move::Expire { actor, timer } => handle(actor, Input::Expired { timer }),
            Move::EndBody { actor } => handle(actor, Input::BodyEnded),
            Move::Boot { actor } => begun.push(to_actor(actor, ActorInput::Boot)),
            Move::Reap { actor } => begin_reap(place, actor, begun),
            Move::Adopt { actor } => {
                begun.push(to_actor(actor, ActorInput::Find));
                let found = ActorInput::Handle(Input::Adopted { child: actor });
                begun.push(to_actor(topology.root(), found));
            }
            Move::SeeChildrenGone => handle(topology.root(), Input::ChildrenGone),
            Move::ReadBaton { request } => {
                begun.push((Part::Room, RoomInput::ReadBaton(request).into()));
                let read = ActorInput::Handle(Input::BatonClosed { request });
                begun.push(to_actor(topology.root(), read));
            }
            Move::LosePrompt { actor } => {
                handle(actor, answered(place, Answer::Hangup));
            }
            Move::Pass { .. } => begun.push((Part::Room, RoomInput::Advance.into())),
        },
    }
}

/// A part and the input with which an action begins there.
pub type Begun = (Part, PartInput);

fn to_actor(actor: ActorId, input: ActorInput) -> Begun {
    (Part::Actor(actor), input.into())
}

impl<'a> Place<'a> {
    fn actor(self) -> &'a ActorFacts {
        match self.facts {
            PartFacts::Actor(facts) => facts,
            PartFacts::Link(_) | PartFacts::Room(_) => unreachable!("it happens to an actor"),
        }
    }
}

fn answered(place: Place<'_>, answer: Answer) -> Input {
    let open = place.actor().prompt;
    Input::Answered { request: open.expect("only an open prompt is answered"), answer }
}

fn begin_reap(place: Place<'_>, actor: ActorId, begun: &mut Vec<Begun>) {
    let status = place.actor().zombie.expect("only a zombie is reaped");
    let parent = place.actor().parent.expect("a zombie below init is gone");
    begun.push(to_actor(actor, ActorInput::Reap));
    let config = place.topology.config();
    // Where nobody tells of a lost branch, the connection is read to its end all the same.
    let closes = config.policy.lost_branch != LostBranch::Untold;
    if closes && config.tree.supervisor(actor) == Some(parent) {
        let (link, _) = place.topology.link(actor, parent);
        begun.push((Part::Link(link), LinkInput::Abandon.into()));
    }
    begun.push(to_actor(parent, ActorInput::Handle(Input::Exited { child: actor, status })));
}

fn begin_deed(place: Place<'_>, deed: Deed, begun: &mut Vec<Begun>) {
    let topology = place.topology;
    let handle = |actor, input| to_actor(actor, ActorInput::Handle(input));
    match deed {
        Deed::Pause { actor } => {
            begun.push(handle(actor, Input::Pause { shielding: Shielding::Plain }));
        }
        Deed::PauseShielded { actor } => {
            begun.push(handle(actor, Input::Pause { shielding: Shielding::Shielded }));
        }
        Deed::Answer { actor, answer } => {
            begun.push(handle(actor, answered(place, answer)));
        }
        Deed::Provoke { actor, cause } => begun.push(handle(actor, Input::Cancel { cause })),
        Deed::FailUnexamined { actor, cause } => {
            begun.push(handle(actor, Input::Unexamined { cause }));
        }
        Deed::CancelChild { actor } => {
            let above = topology.config().tree.supervisor(actor).expect("not the root");
            begun.push(handle(above, Input::CancelChild { child: actor }));
        }
        Deed::Interrupt => {
            // Whoever is not alive takes no notice.
            for actor in topology.actors().filter(|actor| in_foreground(topology, *actor)) {
                let pend = ActorInput::Pend(Signal::Interrupt, Origin::Terminal);
                begun.push(to_actor(actor, pend));
            }
        }
        Deed::Signal { actor, signal } => {
            begun.push(to_actor(actor, ActorInput::Pend(signal, Origin::Process)));
        }
        Deed::Kill { actor } => begun.push(to_actor(actor, ActorInput::Kill)),
        Deed::Cut { actor } => {
            let link = topology.link_up(actor).expect("only an actor below the root is cut");
            begun.push((Part::Link(link), LinkInput::Cut.into()));
        }
        Deed::Spawn { actor } => {
            let above = topology.config().tree.supervisor(actor).expect("not the root");
            begun.push(to_actor(actor, ActorInput::Start));
            begun.push(handle(above, Input::Spawned { child: actor }));
        }
        Deed::Die { actor, status } => begun.push(to_actor(actor, ActorInput::Die(status))),
        Deed::Appear { actor } => begun.push(to_actor(actor, ActorInput::Appear)),
        Deed::Vanish { actor } => begun.push(to_actor(actor, ActorInput::Reap)),
    }
}
