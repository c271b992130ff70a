//! What a live actor owns, and how the actor loop acts through it: one method, one call.

mod children;
mod links;
mod prompt;
mod teardown;

use crate::agent::{Agent, PausedTask};
use crate::child_record::ChildRecord;
use crate::event::{ActorEvent, Asker, ChildOrder, PauseRequest, Resumed, Senders, UserTaskEnd};
use crate::failure::Failure;
use crate::inherited::Inherited;
use crate::intake::Queues;
use crate::orphans::OtherChildren;
use crate::output::OutputRelay;
use crate::peer::Peers;
use crate::probe::Probe;
use crate::process::Process;
use crate::prompt::PromptSession;
use crate::recorder::Recorder;
use crate::settings::{NoTerminal, Settings};
use crate::starts::PendingStarts;
use crate::survey::{Survey, SurveyTopic};
use crate::terminal::ControllingTerminal;
use crate::timers::Timers;
use crate::user_task::{Filter, UserTask};
use holdfast_protocol::actor_loop::{
    ChildScope, Effects, Examine, FrameVerdict, Incoming, Intake, Point, TaskEnd,
};
use holdfast_protocol::late_interrupts::LateInterrupts;
use holdfast_protocol::{
    ActorId, Answer, Cause, Input, Message, Node, Output, RequestId, Signal, Status,
};
use holdfast_sync::children::Children;
use holdfast_sync::ticket::Ticket;
pub(crate) use links::OtherFrame;
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Who waits for a prompt of this actor.
pub(crate) enum PendingPause {
    /// A task or thread, or a program. It gets the session when the prompt opens.
    Breakpoint(Option<Asker>, Ticket<Resumed>, u64),
    /// The failure of the actor.
    PostMortem(Option<Box<PausedTask>>),
}

/// What only the root has.
pub(crate) struct RootResources {
    pub(crate) no_terminal: NoTerminal,
    /// The actors below, as far as they were announced.
    pub(crate) roster: BTreeSet<u32>,
    pub(crate) relay: Option<Arc<OutputRelay>>,
    /// The children that the runtime did not start.
    pub(crate) others: OtherChildren,
}

/// A task that ends when this is dropped.
pub(crate) struct Abort(pub(crate) JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a live actor owns.
pub(crate) struct ActorResources {
    pub(crate) me: ActorId,
    pub(crate) path: Vec<String>,
    pub(crate) settings: Settings,
    pub(crate) root: ActorId,
    pub(crate) queues: Queues,
    pub(crate) senders: Senders,
    pub(crate) peers: Peers,
    pub(crate) children: Children<ActorId, Process>,
    pub(crate) records: BTreeMap<ActorId, ChildRecord>,
    pub(crate) starts: PendingStarts,
    pub(crate) timers: Timers,
    /// The pause that the next `Requested` is the name of.
    pub(crate) asking: Option<PauseRequest>,
    pub(crate) pending: BTreeMap<RequestId, PendingPause>,
    /// Batons that came with a grant.
    pub(crate) batons: BTreeMap<RequestId, OwnedFd>,
    pub(crate) agent: Option<(RequestId, Agent)>,
    pub(crate) prompt: Option<(RequestId, Arc<PromptSession>)>,
    /// LastOutput for the end of the holder's process, at the root.
    pub(crate) holder: Option<Abort>,
    pub(crate) late_interrupts: LateInterrupts,
    /// The last answer at a prompt of this actor.
    pub(crate) answer: Option<(RequestId, Answer)>,
    /// Whether the hint about Ctrl-C was given in this debug session.
    pub(crate) hinted: BTreeSet<RequestId>,
    pub(crate) terminal: Option<ControllingTerminal>,
    pub(crate) user_task: UserTask,
    /// How many shielded tasks the user task has.
    pub(crate) shields: watch::Receiver<usize>,
    pub(crate) filter: Filter,
    /// What programs that this actor starts would have without the runtime.
    pub(crate) inherited: Inherited,
    pub(crate) own_failure: Option<(Failure, Box<PausedTask>)>,
    pub(crate) child_failure: Option<Failure>,
    pub(crate) cause: Cause,
    pub(crate) stopped_by: Option<Signal>,
    pub(crate) surveys: BTreeMap<u32, PendingSurvey>,
    pub(crate) next_survey: u32,
    pub(crate) root_resources: Option<RootResources>,
    pub(crate) recorder: Recorder,
    pub(crate) probe: Arc<dyn Probe>,
}

/// A survey that this actor has asked for.
pub(crate) struct PendingSurvey {
    pub(crate) survey: Survey,
    pub(crate) about: SurveyTopic,
    pub(crate) reply: Box<dyn FnOnce(String)>,
}

impl Effects for ActorResources {
    type Order = ChildOrder;
    type Ending = UserTaskEnd;
    type Frame = OtherFrame;

    const TURN: usize = 64;

    async fn next(&mut self, node: &Node, intake: Intake) -> Option<ActorEvent> {
        Some(self.next_event(node, intake).await)
    }

    fn requeue(&mut self, event: ActorEvent) {
        self.senders.send(event);
    }

    fn handled(&mut self, node: &Node, input: Input, outputs: &[Output]) {
        tracing::trace!(target: "holdfast", ?input, ?outputs);
        self.recorder.handled(input, outputs);
        self.probe.handled(input, outputs);
        match input {
            Input::Answered { request, answer } => self.answer = Some((request, answer)),
            Input::Received { from, message: Message::Want { .. } } => {
                if let Some(peer) = self.peers.get_mut(from) {
                    peer.wants(node);
                }
            }
            Input::Signalled { signal, .. } if signal != Signal::Interrupt => {
                self.stopped_by.get_or_insert(signal);
            }
            _ => {}
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Send { to, message } => self.send(to, message),
            Output::Arm { timer } => self.arm(timer),
            Output::Disarm { timer } => self.timers.disarm(timer),
            Output::Signal { child, signal } => self.signal(child, signal),
            Output::Requested { request } => self.requested(request),
            Output::PromptOpened { request } => self.open_prompt(request),
            Output::PromptClosed { request } => self.close_prompt(request),
            Output::Refused { request } => self.end_pause(request, Resumed::Refused),
            Output::BatonDropped { request } => self.drop_baton(request),
            Output::TerminalTaken => self.take_terminal(),
            Output::TerminalRestored => self.restore_terminal(),
            Output::InterruptObeyed => {
                tracing::info!(target: "holdfast", "SIGINT: the tree is being cancelled");
            }
            Output::TeardownStarted { cause } => self.start_teardown(cause),
            Output::Sweep | Output::Exit { .. } => {}
            Output::Noticed { notice } => self.noticed(notice),
            Output::Alarmed { alarm } => {
                tracing::error!(target: "holdfast", ?alarm, "the protocol is in a state that should be impossible");
            }
        }
    }

    fn read(&mut self, peer: ActorId) -> Incoming<OtherFrame> {
        self.read_link(peer)
    }

    fn frame(&mut self, node: &Node, peer: ActorId, frame: OtherFrame) -> FrameVerdict {
        self.take_frame(node, peer, frame)
    }

    fn close_link(&mut self, peer: ActorId) {
        self.peers.remove(peer);
        self.lose_in_surveys(peer.0);
    }

    fn close_unused_baton(&mut self, request: RequestId) {
        self.drop_baton(request);
    }

    fn end_session(&mut self, request: RequestId) {
        if self.prompt.as_ref().is_some_and(|(open, _)| *open == request) {
            self.close_prompt_session();
        }
    }

    fn reap(&mut self, child: ActorId) -> Option<Status> {
        self.reap_child(child)
    }

    fn child_failed(&mut self, child: ActorId) -> Examine {
        self.note_failure_of(child)
    }

    fn child_gone(&mut self, child: ActorId) {
        self.forget_child(child);
    }

    fn children(&mut self, search: ChildScope) -> Option<Vec<ActorId>> {
        self.processes(search)
    }

    fn adopt(&mut self, child: ActorId) -> bool {
        self.adopt_child(child)
    }

    fn spawn(&mut self, order: ChildOrder) -> Option<ActorId> {
        self.start_child(order)
    }

    fn refuse(&mut self, order: ChildOrder) {
        self.refuse_child(order);
    }

    fn task_ended(&mut self, ending: UserTaskEnd) -> TaskEnd {
        self.note_end(ending)
    }

    fn task_is_shielded(&self) -> bool {
        *self.shields.borrow() > 0
    }

    fn await_task(&mut self) {
        self.watch_user_task();
    }

    fn give_up_task(&mut self) {
        tracing::warn!(target: "holdfast", "the actor's own code does not end; its process ends without it");
    }

    fn passes(&mut self, point: Point) -> bool {
        self.probe.passes(point)
    }
}

impl ActorResources {
    /// Whether somebody has told this actor to end: a signal, or the key for one.
    pub(crate) fn was_told_to_end(&self) -> bool {
        self.stopped_by.is_some() || matches!(self.cause, Cause::Interrupted | Cause::Stopped)
    }

    pub(crate) fn path_text(&self) -> String {
        self.path.join("/")
    }
}
