//! What a recorded line needs in order to happen: the actions that come to it, or why not yet.

mod children;

use super::participants::{End, ParticipantOrigin, RecordedRun};
use super::record::Line;
use super::words::message_words;
use crate::chart::name_of;
use holdfast_check::world::component::{Component, ComponentValue};
use holdfast_check::world::enabled::in_foreground;
use holdfast_check::world::facts::ActorFacts;
use holdfast_check::world::link::{LaneState, LinkEnd as Side};
use holdfast_check::world::process::ProcessState;
use holdfast_check::world::recorded::can_happen;
use holdfast_check::world::shared::BatonState;
use holdfast_check::world::{Action, ActorFlags, EnvironmentAction, System, SystemStep, WorldView};
use holdfast_protocol::{
    ActorId, Answer, Input, LadderSignal, Message, Origin, Output, RequestId, Shielding, Signal,
    Status,
};

/// How soon something happens of what can: the tree moves before the environment does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// What is under way arrives.
    Arrives,
    /// Somebody starts somebody.
    Starts,
    /// A program does something.
    Program,
    /// A timer fires.
    Timer,
    /// The person answers.
    Person,
    /// A signal comes from outside.
    Outside,
}

/// Whether the next line of an actor can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// As these actions.
    Now(Rank, Vec<Action>),
    /// Once something has happened that nobody wrote down: one of these.
    Inferred(Vec<Vec<Action>>, String),
    /// Once others have moved on.
    Waits(String),
    /// In no way.
    Never(String),
}

/// A place in the merged run.
#[derive(Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) recorded: &'a RecordedRun,
    pub(super) system: &'a System,
    pub(super) view: &'a WorldView<'a>,
    /// How many lines each actor has behind it.
    pub(super) at: &'a [usize],
}

fn system(step: SystemStep) -> Action {
    Action::System(step)
}

fn environment(action: EnvironmentAction) -> Action {
    Action::Environment(action)
}

impl<'a> Here<'a> {
    /// The next line of an actor.
    pub(super) fn next(self, actor: ActorId) -> Option<&'a Line> {
        self.recorded.participants[actor.index()].lines.get(self.at[actor.index()])
    }

    fn name(self, actor: ActorId) -> String {
        name_of(self.recorded.tree(), actor)
    }

    fn facts(self, actor: ActorId) -> &'a ActorFacts {
        self.view.actor(actor)
    }

    pub(super) fn is(self, actor: ActorId, what: ActorFlags) -> bool {
        self.facts(actor).flags.contains(what)
    }

    /// How an actor may have died by now without a word about it.
    pub(super) fn death(self, actor: ActorId) -> Option<Action> {
        let over = self.next(actor).is_none() && self.facts(actor).alive();
        self.silent_end(actor).filter(|_| over)
    }

    /// The end of an actor, if the actor could not write it down.
    pub(super) fn silent_end(self, actor: ActorId) -> Option<Action> {
        match self.recorded.participants[actor.index()].end {
            End::Silent(Status::Killed) => Some(environment(EnvironmentAction::Kill { actor })),
            End::Silent(status) => Some(environment(EnvironmentAction::Die { actor, status })),
            End::Own => None,
        }
    }

    /// Whether the next line of an actor can happen.
    pub(super) fn ready(self, actor: ActorId, line: &Line) -> Ready {
        if !self.is(actor, ActorFlags::RUNNING) {
            return self.not_running(actor);
        }
        for output in &line.outputs {
            if let Output::Signal { child, signal: LadderSignal::Kill } = *output
                && child.index() < self.recorded.participants.len()
                && self.next(child).is_some()
                && self.facts(child).alive()
            {
                return Ready::Waits(format!(
                    "{} has more to do before it is killed",
                    self.name(child)
                ));
            }
        }
        match self.input(actor, line.input) {
            Ready::Now(rank, actions) => match actions.first() {
                Some(first) if !can_happen(self.view, *first) => {
                    let frozen = !self.is(actor, ActorFlags::SERVING);
                    Ready::Never(if frozen { FROZEN } else { IMPOSSIBLE }.to_owned())
                }
                Some(_) | None => Ready::Now(rank, actions),
            },
            other => other,
        }
    }

    fn not_running(self, actor: ActorId) -> Ready {
        let part = &self.recorded.participants[actor.index()];
        if !self.is(actor, ActorFlags::LATER) {
            return Ready::Never(format!("{} has ended before", self.name(actor)));
        }
        let Some(above) = self.recorded.tree().supervisor(actor) else {
            return Ready::Never("the root is not there".to_owned());
        };
        let why = format!("{} has not started it", self.name(above));
        match (part.origin, self.death(above)) {
            // The supervisor was killed before it could write that down.
            (ParticipantOrigin::Unannounced, Some(_)) if self.is(above, ActorFlags::RUNNING) => {
                let start = [
                    environment(EnvironmentAction::Spawn { actor }),
                    system(SystemStep::Boot { actor }),
                ];
                Ready::Inferred(vec![start.to_vec()], why)
            }
            _ if self.next(above).is_none() => Ready::Never(why),
            _ => Ready::Waits(why),
        }
    }

    fn input(self, actor: ActorId, input: Input) -> Ready {
        let now = |rank, action| Ready::Now(rank, vec![action]);
        match input {
            Input::Pause { shielding: Shielding::Plain } => {
                now(Rank::Program, environment(EnvironmentAction::Pause { actor }))
            }
            Input::Pause { shielding: Shielding::Shielded } => {
                now(Rank::Program, environment(EnvironmentAction::PauseShielded { actor }))
            }
            Input::Cancel { cause } => {
                now(Rank::Program, environment(EnvironmentAction::Provoke { actor, cause }))
            }
            Input::Unexamined { cause } => {
                now(Rank::Program, environment(EnvironmentAction::FailUnexamined { actor, cause }))
            }
            Input::CancelChild { child } => match self.recorded.tree().supervisor(child) {
                Some(above) if above == actor => {
                    now(Rank::Program, environment(EnvironmentAction::CancelChild { actor: child }))
                }
                Some(_) | None => Ready::Never(format!("{} is not a child", self.name(child))),
            },
            Input::UserTaskEnded => {
                let step = SystemStep::EndUserTask { actor };
                self.step_or(Rank::Arrives, actor, step, "its tasks were not told to end")
            }
            Input::Received { from, message } => self.received(actor, from, message),
            Input::LinkEnded { peer } => self.link_ended(actor, peer),
            Input::Answered { request, answer } => self.answered(actor, request, answer),
            Input::Signalled { signal, origin } => self.signalled(actor, signal, origin),
            Input::Expired { timer } => {
                let step = SystemStep::Expire { actor, timer };
                self.step_or(Rank::Timer, actor, step, "the timer is not armed")
            }
            Input::Spawned { child } => self.spawned(actor, child),
            Input::Exited { child, status } => self.exited(actor, child, status),
            Input::Adopted { child } => self.adopted(actor, child),
            Input::ChildrenGone => self.children_gone(actor),
            Input::BatonClosed { request } => self.baton_closed(actor, request),
        }
    }

    /// As this step of the actor, or why not.
    fn step_or(self, rank: Rank, actor: ActorId, step: SystemStep, why: &str) -> Ready {
        if can_happen(self.view, system(step)) {
            Ready::Now(rank, vec![system(step)])
        } else if self.is(actor, ActorFlags::SERVING) {
            Ready::Never(why.to_owned())
        } else {
            Ready::Never(FROZEN.to_owned())
        }
    }

    /// The next message on the way from one to the other, and the state of the lane.
    fn lane(self, to: ActorId, from: ActorId) -> Option<(Option<Message>, LaneState)> {
        let topology = self.view.topology;
        let linked = |ends: &(ActorId, ActorId)| [(from, to), (to, from)].contains(ends);
        if !topology.links().iter().any(linked) {
            return None;
        }
        let (link, reader) = topology.link(to, from);
        match &self.system.components()[topology.slot(Component::Link(link))] {
            ComponentValue::Link(link) => {
                let lane = match reader {
                    Side::Upper => &link.up,
                    Side::Lower => &link.down,
                };
                Some((lane.queue().next(), lane.state()))
            }
            ComponentValue::Actor(_) | ComponentValue::SharedEnvironment(_) => None,
        }
    }

    fn received(self, to: ActorId, from: ActorId, message: Message) -> Ready {
        let who = self.name(from);
        match self.lane(to, from) {
            None => Ready::Never(format!("{who} is not a neighbour")),
            Some((Some(next), _)) if next == message => {
                Ready::Now(Rank::Arrives, vec![system(SystemStep::Deliver { from, to })])
            }
            Some((Some(next), _)) => {
                Ready::Never(format!("the next message from {who} is {}", self.said(next)))
            }
            Some((None, LaneState::Open)) if self.next(from).is_some() => {
                Ready::Waits(format!("{who} has not said {}", self.said(message)))
            }
            Some((None, _)) => Ready::Never(format!("{who} never said {}", self.said(message))),
        }
    }

    fn said(self, message: Message) -> String {
        message_words(self.recorded.tree(), message)
    }

    fn link_ended(self, to: ActorId, from: ActorId) -> Ready {
        let who = self.name(from);
        match self.lane(to, from) {
            None => Ready::Never(format!("{who} is not a neighbour")),
            Some((Some(next), _)) => {
                Ready::Never(format!("{} from {who} is unread", self.said(next)))
            }
            Some((None, LaneState::Closed)) => {
                Ready::Now(Rank::Arrives, vec![system(SystemStep::Deliver { from, to })])
            }
            Some((None, LaneState::Over)) => {
                Ready::Never(format!("it knows already that {who} is gone"))
            }
            Some((None, LaneState::Open)) => {
                let ways = self.death(from).into_iter().chain(self.cut(to, from));
                let ways = ways.map(|way| vec![way]).collect();
                Ready::Inferred(ways, format!("the link to {who} is open"))
            }
        }
    }

    /// That the link between two actors was cut: who is cut off reads an end too, so both do.
    pub(super) fn cut(self, one: ActorId, other: ActorId) -> Option<Action> {
        let told = |who: ActorId, peer| {
            let lines = &self.recorded.participants[who.index()].lines[self.at[who.index()]..];
            lines.iter().any(|line| line.input == Input::LinkEnded { peer })
        };
        let lower = if self.recorded.tree().supervisor(one) == Some(other) { one } else { other };
        let cut = environment(EnvironmentAction::Cut { actor: lower });
        let both = told(one, other) && told(other, one);
        (both && can_happen(self.view, cut)).then_some(cut)
    }

    /// That a link was cut before an actor says something on it, which is lost then.
    pub(super) fn cut_before(self, actor: ActorId, line: &Line) -> Vec<Action> {
        let cut = |output: &Output| match *output {
            Output::Send { to, .. } if to.index() < self.at.len() => self.cut(actor, to),
            _ => None,
        };
        line.outputs.iter().filter_map(cut).collect()
    }

    fn answered(self, actor: ActorId, request: RequestId, answer: Answer) -> Ready {
        if self.facts(actor).prompt != Some(request) {
            return Ready::Never(format!("no prompt of request {} is open", request.serial));
        }
        let root_alive = self.facts(self.view.topology.root()).alive();
        let action = match answer {
            Answer::Hangup if !root_alive => system(SystemStep::LosePrompt { actor }),
            Answer::Continue | Answer::Quit | Answer::Hangup => {
                environment(EnvironmentAction::Answer { actor, answer })
            }
        };
        Ready::Now(Rank::Person, vec![action])
    }

    fn signalled(self, actor: ActorId, signal: Signal, origin: Origin) -> Ready {
        let take = system(SystemStep::TakeSignal { actor, signal });
        let pending = match &self.system.components()[actor.index()] {
            ComponentValue::Actor(ProcessState::Running(running)) => running.pending.origin(signal),
            ComponentValue::Actor(_)
            | ComponentValue::Link(_)
            | ComponentValue::SharedEnvironment(_) => None,
        };
        match pending {
            // Only of a SIGINT does it matter where it came from.
            Some(other) if other != origin && signal == Signal::Interrupt => {
                return Ready::Waits("another SIGINT is pending".to_owned());
            }
            Some(_) => return Ready::Now(Rank::Arrives, vec![take]),
            None => {}
        }
        let reached = in_foreground(self.view.topology, actor);
        let action = match (signal, origin) {
            (Signal::Interrupt, Origin::Terminal) if !reached => {
                return Ready::Never("no Ctrl-C reaches it in a session of its own".to_owned());
            }
            (Signal::Interrupt, Origin::Terminal) => {
                let mut actions = self.killed_before_ctrl_c(Some(actor));
                actions.extend([environment(EnvironmentAction::Interrupt), take]);
                return Ready::Now(Rank::Outside, actions);
            }
            _ => EnvironmentAction::Signal { actor, signal },
        };
        let ladder = Output::Signal { child: actor, signal: LadderSignal::Terminate };
        let to_come = |(part, at): (&super::participants::Participant, &usize)| {
            part.lines[*at..].iter().any(|line| line.outputs.contains(&ladder))
        };
        let sent = self.recorded.participants.iter().zip(self.at).any(to_come);
        if signal == Signal::Terminate && sent {
            // Its supervisor's, if that can be: somebody else's only if it cannot.
            let why = format!("no {signal} is pending");
            return Ready::Inferred(vec![vec![environment(action)]], why);
        }
        Ready::Now(Rank::Outside, vec![environment(action), take])
    }

    /// A SIGINT that is pending from elsewhere swallows the one of a Ctrl-C. So whoever takes one
    /// of a process next had it before this Ctrl-C, which was everybody's.
    pub(super) fn killed_before_ctrl_c(self, taker: Option<ActorId>) -> Vec<Action> {
        let process = |line: &Line| match line.input {
            Input::Signalled { signal: Signal::Interrupt, origin } => Some(origin),
            _ => None,
        };
        let next = |other: &ActorId| {
            let lines = &self.recorded.participants[other.index()].lines[self.at[other.index()]..];
            lines.iter().find_map(process) == Some(Origin::Process)
        };
        let others = self.view.topology.actors().filter(|other| Some(*other) != taker);
        let running = others.filter(|other| self.is(*other, ActorFlags::RUNNING));
        let free = running.filter(|other| !self.facts(*other).pending.contains(&Signal::Interrupt));
        let signal =
            |actor| environment(EnvironmentAction::Signal { actor, signal: Signal::Interrupt });
        free.filter(next).map(signal).collect()
    }

    fn baton_closed(self, actor: ActorId, request: RequestId) -> Ready {
        if actor != self.view.topology.root() {
            return Ready::Never("only the root has the other end of a baton".to_owned());
        }
        let why = format!("the baton of {} is out", self.name(request.actor));
        match self.view.shared().batons.get(&request) {
            Some(BatonState::Closed) => {
                Ready::Now(Rank::Arrives, vec![system(SystemStep::ReadBaton { request })])
            }
            Some(BatonState::Out) => {
                // It is with its holder, or with the grant on its way there.
                let holder = request.actor;
                let open = self.facts(holder).prompt == Some(request);
                let above = self.recorded.tree().ancestors(holder).filter(|_| !open);
                let had = std::iter::once(holder).chain(above);
                let ways: Vec<_> =
                    had.filter_map(|one| self.death(one)).map(|way| vec![way]).collect();
                if ways.is_empty() { Ready::Waits(why) } else { Ready::Inferred(ways, why) }
            }
            None => Ready::Never(format!("no baton of {} is out", self.name(request.actor))),
        }
    }
}

const FROZEN: &str = "under this policy an open prompt lets nothing but signals through";
const IMPOSSIBLE: &str = "this is not possible there";
