//! The actor loop: what happens becomes inputs of the node, and its outputs are performed.
//!
//! ```text
//!     Effects::next --> Event --> handle --> Input --> Node::handle --> Output --> Effects::perform
//!                                              ^                          |
//!                                              +------- follow-ups -------+
//! ```
//!
//! Runs in every live actor, and in every actor of a stress run under shuttle: the same code. What
//! it acts through is an [`Effects`]: the operating system there, a simulation here.
//!
//! # Rules
//! 1. The outputs of one input are performed, in order, before the next input is handled. What
//!    others do meanwhile falls between any two of them.
//! 2. What an output leads to at once follows before anything else does.
//! 3. Nothing is handled after the exit, and only what is urgent while a prompt of a policy that
//!    freezes is open.
//! 4. What a child has sent is read before its link ends, and its link ends before it is reaped.
//! 5. A baton that came with a grant and was neither sent on nor used for a prompt is closed.
//! 6. A peer that sends what it must not loses its link, and nobody else does.
//! 7. An answer counts for the open prompt alone.
//! 8. Children are started only while nobody has asked for the actor's end.
//! 9. A user task ends once. One that does not end is waited for while a part of it is shielded or a
//!    request of this actor is left, then given up.
//! 10. The probe is asked where an input would be handed to the node, and what it holds back
//!     is found as it was.

mod effects;
mod event;

pub use effects::{ChildScope, Effects, EventOf, FrameVerdict, Incoming, Intake};
pub use event::{Event, Examine, Point, TaskEnd};

use crate::ladder::LadderRung;
use crate::policy::WhilePrompt;
use crate::teardown::Teardown;
use crate::{
    ActorId, Answer, Cause, Input, Message, Node, Outbox, Output, RequestId, Status, Timer,
};
#[cfg(debug_assertions)]
use crate::{contract::ActorMonitor, node::TreePosition, policy::Policy};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

/// Whether the node still waits for the end of the user task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UserTaskReport {
    Pending,
    /// The task has ended, or was given up.
    Settled,
}

/// One actor: its node and what it acts through.
#[derive(Debug)]
pub struct ActorLoop<E: Effects> {
    node: Node,
    effects: E,
    outbox: Outbox,
    follow_ups: VecDeque<Input>,
    user_task: UserTaskReport,
    exit: Option<Status>,
    /// What the probe holds back: the next of a link.
    withheld: BTreeMap<ActorId, Incoming<E::Frame>>,
    /// Children that have ended and whose last words are held back.
    unread: BTreeSet<ActorId>,
    /// Timers that have expired and are held back.
    overdue: BTreeSet<Timer>,
    /// In debug builds every link of the actor is watched.
    #[cfg(debug_assertions)]
    monitor: ActorMonitor,
}

impl<E: Effects> ActorLoop<E> {
    /// Puts the two together.
    pub fn new(node: Node, effects: E) -> Self {
        Self {
            node,
            effects,
            outbox: Outbox::new(),
            follow_ups: VecDeque::new(),
            user_task: UserTaskReport::Pending,
            exit: None,
            withheld: BTreeMap::new(),
            unread: BTreeSet::new(),
            overdue: BTreeSet::new(),
            #[cfg(debug_assertions)]
            monitor: ActorMonitor::default(),
        }
    }

    /// What the actor acts through, when it is over.
    pub fn into_effects(self) -> E {
        self.effects
    }

    /// Takes events until the actor exits, and says how it does; none if no event comes any longer.
    pub async fn run(&mut self) -> Option<Status> {
        while self.exit.is_none() {
            let intake = if self.is_frozen() { Intake::UrgentOnly } else { Intake::All };
            let event = self.effects.next(&self.node, intake).await?;
            self.take(event);
        }
        self.exit
    }

    /// Whether its prompt is a synchronous call that leaves room for signals alone.
    fn is_frozen(&self) -> bool {
        let freezes = self.node.policy().while_prompt() == WhilePrompt::Freezes;
        freezes && self.node.requests().open().is_some()
    }

    /// Whether what comes behind the last input is for later, or for nobody.
    fn takes_no_more(&self) -> bool {
        self.is_frozen() || self.exit.is_some()
    }

    fn take(&mut self, event: EventOf<E>) {
        match event {
            Event::Readable(peer) => self.read_on(peer),
            Event::ChildEnded(child) => self.child_ended(child),
            Event::Orphans => self.look_for_orphans(),
            Event::Signalled(signal, origin) => {
                if self.effects.passes(Point::Signal(signal, origin)) {
                    self.handle(Input::Signalled { signal, origin });
                }
            }
            Event::Answered(request, answer) => self.answered(request, answer),
            Event::BatonEnded(request) => self.baton_ended(request),
            Event::Expired(timer) => self.expired(timer),
            Event::Pause(shielding) => self.handle(Input::Pause { shielding }),
            Event::Spawn(order) => self.spawn(order),
            Event::CancelChild(child) => self.handle(Input::CancelChild { child }),
            Event::Cancel(cause) => self.handle(Input::Cancel { cause }),
            Event::TaskEnded(ending) => self.task_ended(ending),
            Event::TaskOverdue => self.task_overdue(),
            Event::Released(point) => self.released(point),
        }
    }

    /// Lets the node handle an input, and performs all that follows.
    fn handle(&mut self, input: Input) {
        self.follow_ups.push_back(input);
        while let Some(input) = self.follow_ups.pop_front() {
            self.node.handle(input, &mut self.outbox);
            let outputs: Vec<Output> = self.outbox.drain().collect();
            self.effects.handled(&self.node, input, &outputs);
            #[cfg(debug_assertions)]
            self.keeps_contract(input, &outputs);
            for output in outputs {
                self.perform(output);
            }
        }
    }

    /// An actor that breaks the contract of a link, though no neighbour did before, is a bug.
    #[cfg(debug_assertions)]
    fn keeps_contract(&mut self, input: Input, outputs: &[Output]) {
        let relays = self.node.policy() == Policy::RELAY;
        let supervisor = match self.node.position() {
            TreePosition::Root { .. } => None,
            TreePosition::Below { supervisor, .. } => Some(*supervisor),
        };
        if let Err(breach) = self.monitor.observe(supervisor, input, outputs) {
            assert!(!relays, "{breach}");
        }
    }

    fn perform(&mut self, output: Output) {
        self.effects.perform(output);
        match output {
            Output::Arm { timer } | Output::Disarm { timer } => {
                self.overdue.remove(&timer);
            }
            Output::TeardownStarted { .. } => {
                if self.user_task == UserTaskReport::Settled && self.effects.passes(Point::UserTask)
                {
                    self.follow_ups.push_back(Input::UserTaskEnded);
                }
            }
            Output::Sweep => {
                let found = self.sweep();
                self.follow_ups.extend(found);
            }
            Output::Exit { status } => self.exit = Some(status),
            Output::Send { .. }
            | Output::Signal { .. }
            | Output::Requested { .. }
            | Output::PromptOpened { .. }
            | Output::PromptClosed { .. }
            | Output::Refused { .. }
            | Output::BatonDropped { .. }
            | Output::TerminalTaken
            | Output::TerminalRestored
            | Output::InterruptObeyed
            | Output::Noticed { .. }
            | Output::Alarmed { .. } => {}
        }
    }
}

/// What arrives on links.
impl<E: Effects> ActorLoop<E> {
    /// Reads a link, which may be that of a child whose end waits for it.
    fn read_on(&mut self, peer: ActorId) {
        if self.unread.remove(&peer) { self.child_ended(peer) } else { self.read(peer) }
    }

    /// Reads what a link has, up to a turn's worth.
    fn read(&mut self, peer: ActorId) {
        for _ in 0..E::TURN {
            if self.takes_no_more() {
                break;
            }
            match self.next_of(peer) {
                Some(Incoming::Message(message)) => self.received(peer, message),
                Some(Incoming::Frame(frame)) => self.frame(peer, frame),
                Some(Incoming::End) => return self.link_over(peer),
                Some(Incoming::Nothing | Incoming::NoLink) | None => return,
            }
        }
        self.effects.requeue(Event::Readable(peer));
    }

    /// The next of a link; none if the probe holds it back.
    fn next_of(&mut self, peer: ActorId) -> Option<Incoming<E::Frame>> {
        let next = self.withheld.remove(&peer).unwrap_or_else(|| self.effects.read(peer));
        let is_input = matches!(next, Incoming::Message(_) | Incoming::End);
        if is_input && !self.effects.passes(Point::Message(peer)) {
            self.withheld.insert(peer, next);
            return None;
        }
        Some(next)
    }

    fn received(&mut self, from: ActorId, message: Message) {
        self.handle(Input::Received { from, message });
        if let Message::Grant { request } = message {
            // Whatever became of the grant has become of it.
            self.effects.close_unused_baton(request);
        }
    }

    fn frame(&mut self, peer: ActorId, frame: E::Frame) {
        match self.effects.frame(&self.node, peer, frame) {
            FrameVerdict::Fine => {}
            FrameVerdict::Orphans => self.look_for_orphans(),
            FrameVerdict::Misbehaves => self.link_over(peer),
        }
    }

    fn link_over(&mut self, peer: ActorId) {
        self.effects.close_link(peer);
        self.handle(Input::LinkEnded { peer });
    }
}

/// What becomes of children.
impl<E: Effects> ActorLoop<E> {
    fn spawn(&mut self, order: E::Order) {
        if self.node.teardown() != Teardown::NotAsked {
            return self.effects.refuse(order);
        }
        if let Some(child) = self.effects.spawn(order) {
            self.handle(Input::Spawned { child });
        }
    }

    fn child_ended(&mut self, child: ActorId) {
        while !self.takes_no_more() {
            match self.next_of(child) {
                Some(Incoming::Message(message)) => self.received(child, message),
                Some(Incoming::Frame(frame)) => self.frame(child, frame),
                // A process that has ended sends nothing more.
                Some(Incoming::Nothing | Incoming::End) => self.link_over(child),
                Some(Incoming::NoLink) => return self.reap(child),
                None => {
                    self.unread.insert(child);
                    return;
                }
            }
        }
        self.effects.requeue(Event::ChildEnded(child));
    }

    fn reap(&mut self, child: ActorId) {
        if !self.effects.passes(Point::Reap(child)) {
            return;
        }
        let Some(status) = self.effects.reap(child) else { return };
        let known = self.node.children().get(&child);
        let asked = known.is_none_or(|known| known.rung >= LadderRung::Cancel);
        let failed = matches!(status, Status::Failed | Status::Killed);
        if failed && !asked && self.effects.child_failed(child) == Examine::No {
            self.handle(Input::Unexamined { cause: Cause::ChildFailed });
        }
        self.handle(Input::Exited { child, status });
        self.effects.child_gone(child);
        self.look_for_orphans();
    }

    /// Takes over whoever became a child of this process. Only a root has such children.
    fn look_for_orphans(&mut self) {
        for child in self.effects.children(ChildScope::Actors).unwrap_or_default() {
            self.adopt(child);
        }
    }

    fn adopt(&mut self, child: ActorId) {
        if self.adopts(child) {
            self.handle(Input::Adopted { child });
        }
    }

    fn adopts(&mut self, child: ActorId) -> bool {
        !self.node.children().contains_key(&child)
            && self.effects.passes(Point::Adopt(child))
            && self.effects.adopt(child)
    }

    /// The root has no child that it knows: whoever is there was never announced.
    fn sweep(&mut self) -> Vec<Input> {
        let Some(found) = self.effects.children(ChildScope::All) else { return Vec::new() };
        if found.is_empty() {
            let gone = self.effects.passes(Point::ChildrenGone);
            return gone.then_some(Input::ChildrenGone).into_iter().collect();
        }
        let adopted = found.into_iter().filter(|child| self.adopts(*child));
        adopted.map(|child| Input::Adopted { child }).collect()
    }
}

/// Prompts, timers, the user task.
impl<E: Effects> ActorLoop<E> {
    fn answered(&mut self, request: RequestId, answer: Answer) {
        let open = self.node.requests().open();
        if open.is_none_or(|own| own.request != request) {
            return;
        }
        if answer != Answer::Hangup || self.effects.passes(Point::Hangup(request)) {
            self.handle(Input::Answered { request, answer });
        }
    }

    fn baton_ended(&mut self, request: RequestId) {
        // Whether the own prompt is over is known without it.
        let own = request.actor == self.node.id();
        if !own && !self.effects.passes(Point::Baton(request)) {
            return;
        }
        self.effects.end_session(request);
        if !own {
            self.handle(Input::BatonClosed { request });
        }
    }

    fn expired(&mut self, timer: Timer) {
        if self.effects.passes(Point::Timer(timer)) {
            self.handle(Input::Expired { timer });
        } else {
            self.overdue.insert(timer);
        }
    }

    /// The user task has ended: by itself, or because it was told to.
    fn task_ended(&mut self, ending: E::Ending) {
        if self.user_task == UserTaskReport::Settled {
            return;
        }
        self.user_task = UserTaskReport::Settled;
        let (cause, examine) = match self.effects.task_ended(ending) {
            TaskEnd::Returned => (Cause::Finished, Examine::Yes),
            TaskEnd::Failed(examine) => (Cause::Failed, examine),
            TaskEnd::Dropped => (Cause::Requested, Examine::Yes),
        };
        match (self.node.teardown(), examine) {
            (Teardown::Running(_), _) => self.node_hears_task_end(),
            (Teardown::NotAsked | Teardown::Deferred(_) | Teardown::Over, Examine::Yes) => {
                self.handle(Input::Cancel { cause });
            }
            (Teardown::NotAsked | Teardown::Deferred(_) | Teardown::Over, Examine::No) => {
                self.handle(Input::Unexamined { cause });
            }
        }
    }

    fn task_overdue(&mut self) {
        if self.user_task == UserTaskReport::Settled {
            return;
        }
        if self.effects.task_is_shielded() || !self.node.requests().is_empty() {
            return self.effects.await_task();
        }
        self.effects.give_up_task();
        self.user_task = UserTaskReport::Settled;
        self.node_hears_task_end();
    }

    fn node_hears_task_end(&mut self) {
        if self.effects.passes(Point::UserTask) {
            self.handle(Input::UserTaskEnded);
        }
    }

    /// What was held back at a point is taken, if it is there.
    fn released(&mut self, point: Point) {
        match point {
            Point::Message(from) => self.read_on(from),
            Point::Signal(signal, origin) => self.take(Event::Signalled(signal, origin)),
            Point::Timer(timer) => {
                if self.overdue.remove(&timer) {
                    self.expired(timer);
                }
            }
            Point::UserTask => self.node_hears_task_end(),
            Point::Reap(child) => self.child_ended(child),
            Point::Adopt(child) => self.adopt(child),
            Point::ChildrenGone => self.sweep().into_iter().for_each(|input| self.handle(input)),
            Point::Baton(request) => self.baton_ended(request),
            Point::Hangup(request) => self.answered(request, Answer::Hangup),
        }
    }
}
