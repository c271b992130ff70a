//! What a live actor owns, and how it performs each output: one arm, one call.

mod prompt;

use crate::agent::{Agent, Scene};
use crate::body::{Body, Filter};
use crate::event::Event;
use crate::failure::Failure;
use crate::front::Front;
use crate::inherited::Inherited;
use crate::kin::{Kin, KinKind, Neighbour, Neighbours};
use crate::link::Heard;
use crate::output::Relay;
use crate::pause::{Resumed, Wish};
use crate::probe::{Point, Probe};
use crate::process::{self, Process};
use crate::recorder::Recorder;
use crate::settings::{NoTerminal, Settings};
use crate::survey::Survey;
use crate::terminal::Terminal;
use crate::timers::Timers;
use crate::wire::{Frame, Outcome, WireError};
use holdfast_protocol::driver::Hands;
use holdfast_protocol::policy::LockRelease as ReleasePolicy;
use holdfast_protocol::{
    ActorId, Answer, Cause, Input, LadderSignal, Message, Node, Output, RequestId, Signal, Status,
    Timer,
};
use holdfast_sync::children::Children;
use holdfast_sync::mailbox::Sender;
use holdfast_sync::ticket::Ticket;
use rustix::process::Signal as Send_;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;

/// Who waits for a prompt of this actor.
pub(crate) enum Asker {
    /// A task or thread. The scene goes to the agent when the prompt opens.
    Pause(Option<Box<Scene>>, Ticket<Resumed>, u64),
    /// The failure of the actor.
    PostMortem(Option<Box<Scene>>),
}

/// The end of an actor, decided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    pub(crate) status: Status,
    pub(crate) cause: Cause,
}

/// What only the root has.
pub(crate) struct Top {
    pub(crate) no_terminal: NoTerminal,
    /// The actors below, as far as they were announced.
    pub(crate) roster: BTreeSet<u32>,
    pub(crate) relay: Option<Arc<Relay>>,
}

/// What a live actor owns.
pub(crate) struct Live {
    pub(crate) me: ActorId,
    pub(crate) path: Vec<String>,
    pub(crate) settings: Settings,
    pub(crate) root: ActorId,
    pub(crate) events: Sender<Event>,
    /// For what is taken even while a prompt freezes the driver.
    pub(crate) urgent: Sender<Event>,
    pub(crate) neighbours: Neighbours,
    pub(crate) children: Children<ActorId, Process>,
    pub(crate) kin: BTreeMap<ActorId, Kin>,
    pub(crate) timers: Timers,
    /// The pause that the next `Requested` is the name of.
    pub(crate) asking: Option<Wish>,
    pub(crate) askers: BTreeMap<RequestId, Asker>,
    /// Batons that came with a grant.
    pub(crate) batons: BTreeMap<RequestId, OwnedFd>,
    pub(crate) agent: Option<(RequestId, Agent)>,
    pub(crate) front: Option<(RequestId, Arc<Front>)>,
    /// The last answer at a prompt of this actor.
    pub(crate) answer: Option<(RequestId, Answer)>,
    /// Whether the hint about Ctrl-C was given in this debug session.
    pub(crate) hinted: BTreeSet<RequestId>,
    pub(crate) terminal: Option<Terminal>,
    pub(crate) body: Body,
    pub(crate) body_over: bool,
    /// How many shielded tasks the own code has.
    pub(crate) shields: watch::Receiver<usize>,
    pub(crate) filter: Filter,
    /// What programs that this actor starts would have without the runtime.
    pub(crate) inherited: Inherited,
    pub(crate) own_failure: Option<(Failure, Box<Scene>)>,
    pub(crate) child_failure: Option<Failure>,
    pub(crate) cause: Cause,
    pub(crate) stopped_by: Option<Signal>,
    pub(crate) surveys: BTreeMap<u32, Asked>,
    pub(crate) next_survey: u32,
    pub(crate) exit: Option<Exit>,
    pub(crate) top: Option<Top>,
    pub(crate) recorder: Recorder,
    pub(crate) probe: Arc<dyn Probe>,
}

/// A survey that this actor has asked for.
pub(crate) struct Asked {
    pub(crate) survey: Survey,
    pub(crate) reply: Box<dyn FnOnce(String)>,
}

impl Hands for Live {
    fn handled(&mut self, _node: &Node, input: Input, outputs: &[Output]) {
        tracing::trace!(target: "holdfast", ?input, ?outputs);
        // What the probe tells of is on file by then.
        self.recorder.handled(input, outputs);
        self.probe.handled(input, outputs);
    }

    fn perform(&mut self, output: Output, follow: &mut VecDeque<Input>) {
        match output {
            Output::Send { to, message } => self.send(to, message),
            Output::Arm { timer } => self.arm(timer),
            Output::Disarm { timer } => self.disarm(timer),
            Output::Signal { child, signal } => self.signal(child, signal),
            Output::Requested { request } => self.requested(request),
            Output::PromptOpened { request } => self.open_prompt(request, follow),
            Output::PromptClosed { request } => self.close_prompt(request),
            Output::Refused { request } => self.end_pause(request, Resumed::Refused),
            Output::BatonDropped { request } => drop(self.batons.remove(&request)),
            Output::TerminalTaken => self.take_terminal(),
            Output::TerminalRestored => self.restore_terminal(),
            Output::InterruptObeyed => {
                tracing::info!(target: "holdfast", "SIGINT: the tree is being cancelled");
            }
            Output::TeardownStarted { cause } => self.start_teardown(cause, follow),
            Output::Sweep => self.sweep(follow),
            Output::Exit { status } => self.exit = Some(Exit { status, cause: self.cause }),
            Output::Noticed { notice } => self.noticed(notice),
            Output::Alarmed { alarm } => {
                tracing::error!(target: "holdfast", ?alarm, "the protocol is in a state that should be impossible");
            }
        }
    }
}

impl Live {
    pub(crate) fn path_text(&self) -> String {
        self.path.join("/")
    }

    fn send(&mut self, to: ActorId, message: Message) {
        let baton = match message {
            Message::Grant { request } => self.baton_for(request),
            _ => None,
        };
        match self.neighbours.get_mut(to) {
            Some(neighbour) => {
                neighbour.say(&Frame::Say(message), baton, &self.events);
            }
            // A foreign program has no link; SIGTERM is how it is asked to end.
            None if matches!(message, Message::Cancel { .. }) => {
                self.children.signal(to, |child| child.signal(Send_::TERM));
            }
            None => {}
        }
    }

    /// The baton that goes along with a grant: a fresh one at the root, else the one that came.
    fn baton_for(&mut self, request: RequestId) -> Option<OwnedFd> {
        let policy = self.settings.policy();
        if policy.release() != ReleasePolicy::BatonClosed {
            return None;
        }
        if self.top.is_none() {
            return self.batons.remove(&request);
        }
        let (front, baton) = self.pair()?;
        self.open_front(request, front);
        Some(baton.into())
    }

    pub(super) fn pair(&self) -> Option<(UnixStream, UnixStream)> {
        UnixStream::pair()
            .inspect_err(|error| {
                tracing::error!(target: "holdfast", %error, "no socket pair can be had for a prompt");
            })
            .ok()
    }

    fn arm(&mut self, timer: Timer) {
        let timing = self.settings.timing;
        let after = match timer {
            Timer::Grace(child) => {
                timing.grace_of(self.kin.get(&child).map_or(0, |kin| kin.levels))
            }
            Timer::Yield(_) => timing.stop,
        };
        self.probe.forget(Point::Timer(timer));
        self.timers.arm(timer, after);
    }

    fn disarm(&mut self, timer: Timer) {
        self.probe.forget(Point::Timer(timer));
        self.timers.disarm(timer);
    }

    fn signal(&self, child: ActorId, signal: LadderSignal) {
        self.children.signal(child, |process| match signal {
            LadderSignal::Terminate => {
                process.signal(Send_::TERM);
                process.signal(Send_::CONT);
            }
            LadderSignal::Kill => process.signal(Send_::KILL),
        });
    }

    fn start_teardown(&mut self, cause: Cause, follow: &mut VecDeque<Input>) {
        self.cause = cause;
        if self.body_over {
            if self.probe.passes(Point::Body) {
                follow.push_back(Input::UserTaskEnded);
            }
            return;
        }
        self.body.cancel();
        self.watch_body();
    }

    /// Gives the own code its time to end.
    pub(crate) fn watch_body(&self) {
        let (events, after) = (self.events.clone(), self.settings.timing.body);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(after).await;
            let _ = events.send(Event::BodyOverdue);
        });
    }

    /// Sends a signal to every child: actors take the first, others the second.
    pub(crate) fn signal_branch(&self, to_actors: Send_, to_others: Send_) {
        self.children.each(|child, process| {
            let actor = self.kin.get(&child).is_some_and(|kin| kin.kind == KinKind::Actor);
            process.signal(if actor { to_actors } else { to_others });
        });
    }

    /// The root has no child that it knows: whoever is there was never announced.
    pub(crate) fn sweep(&mut self, follow: &mut VecDeque<Input>) {
        let Ok(found) = process::children() else { return };
        if found.is_empty() && self.probe.passes(Point::ChildrenGone) {
            return follow.push_back(Input::ChildrenGone);
        }
        for pid in found {
            self.adopt(pid, follow);
        }
    }

    /// Reads the next frame of a neighbour; none if it is none, or a test holds the frame back.
    pub(crate) fn hear(&mut self, peer: ActorId) -> Option<Result<Heard, WireError>> {
        let link = &mut self.neighbours.get_mut(peer)?.link;
        let heard = link.hear();
        let counts = matches!(heard, Ok(Heard::End | Heard::Frame(Frame::Say(_), _)));
        if !counts || self.probe.passes(Point::Message(peer)) {
            return Some(heard);
        }
        if let Ok(Heard::Frame(frame, descriptor)) = heard {
            link.put_back(frame, descriptor);
        }
        None
    }

    /// Takes an orphan over that became a child of this process.
    pub(crate) fn adopt(&mut self, pid: u32, follow: &mut VecDeque<Input>) {
        let child = ActorId(pid);
        if self.children.signal(child, |_| ()).is_some() {
            return;
        }
        if !self.probe.passes(Point::Adopt(child)) {
            return;
        }
        let Ok(process) = Process::child(pid) else { return };
        self.watch(&process);
        self.kin.insert(child, Kin::adopted());
        self.children.insert(child, process);
        follow.push_back(Input::Adopted { child });
    }

    /// Wakes the driver when a process has ended.
    pub(crate) fn watch(&self, process: &Process) {
        let (child, events) = (ActorId(process.pid()), self.events.clone());
        let pidfd = process.watch();
        tokio::task::spawn_local(async move {
            // SAFETY: an `OwnedFd` owns its descriptor, and keeps it for as long as it lives.
            let ready = pidfd.map(|pidfd| unsafe { AsyncFd::register(pidfd) });
            if let Ok(Ok(pidfd)) = ready {
                let _ = pidfd.readable().await;
            }
            let _ = events.send(Event::ChildEnded(child));
        });
    }

    /// Sends a frame to the supervisor, if there is one.
    pub(crate) fn say_up(&mut self, frame: &Frame) {
        let events = self.events.clone();
        if let Some(supervisor) = self.neighbours.supervisor_mut() {
            supervisor.say(frame, None, &events);
        }
    }

    /// The last words: the outcome, then everything that is queued.
    pub(crate) fn say_outcome(&mut self, status: Status) {
        if status == Status::Failed {
            let failure = self.failure();
            self.say_up(&Frame::Outcome(Outcome::Failed(failure)));
        }
        if let Some(Neighbour { link, .. }) = self.neighbours.supervisor_mut() {
            link.flush_all();
        }
    }

    /// Why this actor failed.
    pub(crate) fn failure(&mut self) -> Failure {
        let own = self.own_failure.take().map(|(failure, _)| failure);
        own.or_else(|| self.child_failure.take()).unwrap_or_else(|| {
            let kind = crate::failure::FailureKind::Runtime;
            Failure::new(kind, &self.path_text(), "it failed and did not say why")
        })
    }
}
