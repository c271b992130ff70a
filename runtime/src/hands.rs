//! What a live actor owns, and how it performs each output: one arm, one call.

use crate::agent::{self, Agent, Scene};
use crate::body::{Body, Filter, post_mortem};
use crate::event::Event;
use crate::failure::Failure;
use crate::front::{self, Color, Front, FrontEvent, Reader};
use crate::kin::{Kin, KinKind, Neighbour, Neighbours};
use crate::logs;
use crate::pause::{Resumed, Wish};
use crate::process::{self, Process};
use crate::recorder::Recorder;
use crate::session::Kind;
use crate::settings::{NoTerminal, Settings};
use crate::survey::Survey;
use crate::terminal::Terminal;
use crate::timers::Timers;
use crate::wire::{Frame, Outcome};
use holdfast_model::driver::Hands;
use holdfast_model::protocol::policy::{Reader as Who, Release as ReleasePolicy};
use holdfast_model::protocol::{
    ActorId, Answer, Cause, Input, LadderSignal, Message, Node, Notice, Output, RequestId, Signal,
    Status, Timer,
};
use holdfast_model::shared::children::Children;
use holdfast_model::shared::mailbox::Sender;
use holdfast_model::shared::ticket::Ticket;
use nix::sys::signal::SigSet;
use rustix::process::Signal as Send_;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;

use crate::output::Relay;

/// Who waits for a prompt of this actor.
pub(crate) enum Asker {
    /// A task or thread.
    Pause(Box<Scene>, Ticket<Resumed>, u64),
    /// The failure of the actor.
    PostMortem(Box<Scene>),
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
    /// The signal mask of foreign programs.
    pub(crate) foreign_mask: SigSet,
    pub(crate) own_failure: Option<(Failure, Box<Scene>)>,
    pub(crate) child_failure: Option<Failure>,
    pub(crate) cause: Cause,
    pub(crate) stopped_by: Option<Signal>,
    pub(crate) surveys: BTreeMap<u32, Asked>,
    pub(crate) next_survey: u32,
    pub(crate) exit: Option<Exit>,
    pub(crate) top: Option<Top>,
    pub(crate) recorder: Recorder,
}

/// A survey that this actor has asked for.
pub(crate) struct Asked {
    pub(crate) survey: Survey,
    pub(crate) reply: Box<dyn FnOnce(String)>,
}

impl Hands for Live {
    fn handled(&mut self, _node: &Node, input: Input, outputs: &[Output]) {
        tracing::trace!(target: "holdfast", ?input, ?outputs);
        self.recorder.handled(input, outputs);
    }

    fn perform(&mut self, output: Output, follow: &mut VecDeque<Input>) {
        match output {
            Output::Send { to, message } => self.send(to, message),
            Output::Arm { timer } => self.arm(timer),
            Output::Disarm { timer } => self.timers.disarm(timer),
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
        if policy.release != ReleasePolicy::BatonClosed {
            return None;
        }
        if self.top.is_none() {
            return self.batons.remove(&request);
        }
        let (front, baton) = self.pair()?;
        self.open_front(request, front);
        Some(baton.into())
    }

    fn pair(&self) -> Option<(UnixStream, UnixStream)> {
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
        self.timers.arm(timer, after);
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

    fn requested(&mut self, request: RequestId) {
        let asker = match self.asking.take() {
            Some(Wish { id, scene, shielding: _, ticket }) => Asker::Pause(scene, ticket, id),
            None => Asker::PostMortem(self.failure_scene()),
        };
        self.askers.insert(request, asker);
    }

    /// What a post-mortem prompt of this actor shows: its own failure, else its child's.
    fn failure_scene(&mut self) -> Box<Scene> {
        match (&mut self.own_failure, &self.child_failure) {
            (Some((failure, scene)), _) => std::mem::replace(scene, Box::new(post_mortem(failure))),
            (None, Some(failure)) => Box::new(post_mortem(failure)),
            (None, None) => {
                let kind = crate::failure::FailureKind::Runtime;
                let path = self.path_text();
                Box::new(post_mortem(&Failure::new(kind, &path, "a child failed")))
            }
        }
    }

    fn open_prompt(&mut self, request: RequestId, follow: &mut VecDeque<Input>) {
        let hangup = Input::Answered { request, answer: Answer::Hangup };
        let scene = match self.askers.get_mut(&request) {
            Some(Asker::Pause(scene, ..) | Asker::PostMortem(scene)) => {
                let shown = Scene { values: Vec::new(), ..post_mortem_like(scene) };
                std::mem::replace(scene.as_mut(), shown)
            }
            // Nobody waits any more.
            None => {
                return follow.push_back(Input::Answered { request, answer: Answer::Continue });
            }
        };
        let socket = match self.batons.remove(&request) {
            Some(baton) => UnixStream::from(baton),
            None => {
                let Some((front, socket)) = self.pair() else { return follow.push_back(hangup) };
                self.open_front(request, front);
                socket
            }
        };
        let urgent = self.urgent.clone();
        let answer = move |answer| {
            let _ = urgent.send(Event::Answered(request, answer));
        };
        match agent::start(socket, scene, logs::Ring::global(), answer) {
            Ok(agent) => self.agent = Some((request, agent)),
            Err(error) => {
                tracing::error!(target: "holdfast", %error, "a prompt can not be opened");
                follow.push_back(hangup);
            }
        }
    }

    fn close_prompt(&mut self, request: RequestId) {
        if let Some((_, agent)) = self.agent.take_if(|(open, _)| *open == request) {
            agent.close();
        }
        self.batons.remove(&request);
        let answer = self.answer.take().filter(|(answered, _)| *answered == request);
        let resumed = match answer {
            Some((_, Answer::Continue)) => Resumed::Continued,
            Some((_, Answer::Quit)) => {
                let failure =
                    Failure::new(crate::failure::FailureKind::Quit, &self.path_text(), "quit");
                let scene = Box::new(post_mortem(&failure));
                self.own_failure.get_or_insert((failure, scene));
                Resumed::Quit
            }
            Some((_, Answer::Hangup)) | None => Resumed::Revoked,
        };
        self.end_pause(request, resumed);
    }

    fn end_pause(&mut self, request: RequestId, resumed: Resumed) {
        if let Some(Asker::Pause(_, ticket, _)) = self.askers.remove(&request) {
            let _ = ticket.end(resumed);
        }
    }

    /// Opens the front end of a debug session: here is where the terminal is read.
    fn open_front(&mut self, request: RequestId, socket: UnixStream) {
        let urgent = self.urgent.clone();
        let notify = Box::new(move |event: FrontEvent| {
            let _ = urgent.send(Event::Front(request, event));
        });
        let holder_reads = self.settings.policy().reader == Who::Holder;
        let reader = match (&self.terminal, &self.top) {
            (Some(terminal), _) if holder_reads => Reader::Cooked(terminal.path().into()),
            (Some(terminal), _) => Reader::Terminal(terminal.path().into()),
            (_, Some(top)) => match &top.no_terminal {
                NoTerminal::Report => Reader::Report,
                NoTerminal::Script(file) => Reader::Script(file.clone()),
                NoTerminal::Wait(limit) => Reader::Wait(*limit),
            },
            (_, None) => Reader::Report,
        };
        match front::open(front::Setup { socket, reader, notify, color: color() }) {
            Ok(front) => {
                let front = Arc::new(front);
                if let Some(relay) = self.top.as_ref().and_then(|top| top.relay.as_ref()) {
                    relay.above(Arc::clone(&front));
                }
                self.front = Some((request, front));
            }
            Err(error) => {
                tracing::error!(target: "holdfast", %error, "the terminal can not be read");
                let _ = self.urgent.send(Event::Front(request, FrontEvent::Ended));
            }
        }
    }

    /// Lets go of the terminal, whoever reads it.
    pub(crate) fn close_front(&mut self) {
        if let Some(relay) = self.top.as_ref().and_then(|top| top.relay.as_ref()) {
            relay.direct();
        }
        if let Some((_, front)) = self.front.take() {
            front.close();
        }
    }

    fn take_terminal(&mut self) {
        if self.terminal.is_none() && self.settings.policy().reader == Who::Holder {
            self.terminal = Terminal::controlling();
        }
        if let Some(terminal) = &mut self.terminal {
            terminal.save();
        }
    }

    fn restore_terminal(&mut self) {
        self.close_front();
        self.hinted.clear();
        if let Some(terminal) = &mut self.terminal {
            terminal.restore();
        }
    }

    fn start_teardown(&mut self, cause: Cause, follow: &mut VecDeque<Input>) {
        self.cause = cause;
        if self.body_over {
            return follow.push_back(Input::BodyEnded);
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

    /// Drops what is known of a pause, and says which request it is.
    pub(crate) fn forget_pause(&mut self, id: u64) -> Option<RequestId> {
        let is = |asker: &Asker| matches!(asker, Asker::Pause(_, _, pause) if *pause == id);
        let request = *self.askers.iter().find(|(_, asker)| is(asker))?.0;
        self.askers.remove(&request);
        Some(request)
    }

    /// Sends a signal to every child: actors take the first, others the second.
    pub(crate) fn signal_branch(&self, to_actors: Send_, to_others: Send_) {
        self.children.each(|child, process| {
            let actor = self.kin.get(&child).is_some_and(|kin| kin.kind == KinKind::Actor);
            process.signal(if actor { to_actors } else { to_others });
        });
    }

    /// The root has no child that it knows: whoever is there was never announced.
    fn sweep(&mut self, follow: &mut VecDeque<Input>) {
        let Ok(found) = process::children() else { return };
        if found.is_empty() {
            return follow.push_back(Input::ChildrenGone);
        }
        for pid in found {
            self.adopt(pid, follow);
        }
    }

    /// Takes an orphan over that became a child of this process.
    pub(crate) fn adopt(&mut self, pid: u32, follow: &mut VecDeque<Input>) {
        let child = ActorId(pid);
        if self.children.signal(child, |_| ()).is_some() {
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

    fn noticed(&mut self, notice: Notice) {
        tracing::debug!(target: "holdfast", ?notice);
        if notice != Notice::InterruptShielded {
            return;
        }
        if let Some((request, front)) = &self.front
            && self.hinted.insert(*request)
        {
            front.note(CTRL_C_HINT);
        }
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

/// Said once in each debug session when a Ctrl-C reaches the root as a signal.
const CTRL_C_HINT: &str = "Ctrl-C is ignored while a prompt is open; `continue` goes on, \
                           `quit` fails this actor, `stop` cancels the tree";

/// Whether prompts have colours: as the terminal and <https://no-color.org> say.
fn color() -> Color {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if plain { Color::Plain } else { Color::Ansi }
}

/// What is left of a scene that was handed to the agent.
fn post_mortem_like(scene: &Scene) -> Scene {
    Scene {
        path: scene.path.clone(),
        kind: Kind::Breakpoint,
        file: scene.file.clone(),
        line: scene.line,
        column: scene.column,
        values: Vec::new(),
        backtrace: std::backtrace::Backtrace::disabled(),
        failure: None,
        task: scene.task.clone(),
    }
}
