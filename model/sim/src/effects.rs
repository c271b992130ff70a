//! What a simulated actor acts through: the simulated kernel.
//!
//! ```text
//!     urgent: signals, answers, ends of batons --\
//!     timers ------------------------------------> next --> ActorLoop --> the simulated kernel
//!     events: links, children, the user task ----/
//! ```
//!
//! A thread an actor: [`ActorLoop`] is the code that a live actor runs, and nothing here decides.

use super::kernel::{Machine, Posted, SimulatedEvent, SimulatedKernel, State, Ways};
use super::links::{Baton, LinkItem, SimulatedFrame};
use super::observer::Observer;
use holdfast_check::tree::ActorStart;
use holdfast_check::world::shared::TerminalModes;
use holdfast_protocol::actor_loop::{
    ActorLoop, ChildScope, Effects, Event, Examine, FrameVerdict, Incoming, Intake, Point, TaskEnd,
};
use holdfast_protocol::{
    ActorId, Input, LadderSignal, Node, Origin, Outbox, Output, RequestId, Signal, Status,
};
use holdfast_sync::engine::thread;
use holdfast_sync::mailbox::{Receiver, mailbox};
use holdfast_sync::park::block_on;
use shuttle::rand::Rng;
use std::future::poll_fn;
use std::task::Poll;

/// Where the events of an actor come from.
struct Mailboxes {
    urgent: Receiver<Posted>,
    timers: Receiver<Posted>,
    events: Receiver<Posted>,
}

/// What a simulated actor acts through.
struct SimulatedEffects {
    me: ActorId,
    machine: Machine,
    mailboxes: Mailboxes,
}

/// Starts the process of an actor.
pub(crate) fn start(machine: &Machine, kernel: &mut SimulatedKernel, me: ActorId) {
    let ((to_events, events), (to_urgent, urgent), (to_timers, timers)) =
        (mailbox(), mailbox(), mailbox());
    kernel.start(me, Ways { events: to_events, urgent: to_urgent, timers: to_timers });
    let machine = machine.clone();
    let mailboxes = Mailboxes { urgent, timers, events };
    let thread = thread::spawn(move || run(machine, me, mailboxes));
    kernel.threads.push(thread);
}

fn run(machine: Machine, me: ActorId, mailboxes: Mailboxes) {
    let booted = machine.with(|kernel| {
        let booted = kernel.alive(me);
        if booted {
            kernel.processes[me.index()].state = State::Running;
            kernel.observer.booted(me);
        }
        booted.then(|| kernel.topology.clone())
    });
    let Some(topology) = booted else { return };
    let tree = &topology.config().tree;
    let mut node = topology.node(me);
    for child in tree.children(me).filter(|id| tree.start(*id) == ActorStart::Running) {
        node.handle(Input::Spawned { child }, &mut Outbox::new());
    }
    let effects = SimulatedEffects { me, machine: machine.clone(), mailboxes };
    let mut actor = ActorLoop::new(node, effects);
    // Others go on between the decision to exit and the end of the process.
    if let Some(status) = block_on(actor.run()) {
        machine.with(|kernel| kernel.die(me, status));
    }
}

impl Mailboxes {
    async fn next(&mut self, intake: Intake) -> Option<Posted> {
        let timers_first = shuttle::rand::thread_rng().gen_bool(0.5);
        poll_fn(|cx| {
            let mut order = [&mut self.urgent, &mut self.events, &mut self.timers];
            if timers_first {
                order.swap(1, 2);
            }
            let open = match intake {
                Intake::All => 3,
                Intake::UrgentOnly => 1,
            };
            for mailbox in order.into_iter().take(open) {
                if let Poll::Ready(posted) = mailbox.poll_recv(cx) {
                    return Poll::Ready(posted);
                }
            }
            Poll::Pending
        })
        .await
    }
}

impl Effects for SimulatedEffects {
    type Order = ActorId;
    type Ending = TaskEnd;
    type Frame = SimulatedFrame;

    const TURN: usize = 2;

    async fn next(&mut self, _: &Node, intake: Intake) -> Option<SimulatedEvent> {
        loop {
            // Whoever asks for the next has dealt with the one before, or has booted.
            let alive = self.with(|kernel, me| {
                kernel.dealt_with(me);
                kernel.alive(me)
            });
            if !alive {
                return None;
            }
            let event = match self.mailboxes.next(intake).await? {
                Posted::Event(event) => Some(event),
                Posted::Signal(signal) => self.with(|kernel, me| {
                    let origin = kernel.take_signal(me, signal)?;
                    Some(Event::Signalled(signal, origin))
                }),
                Posted::Expiry => {
                    self.with(|kernel, me| kernel.take_expired(me).map(Event::Expired))
                }
            };
            if event.is_some() {
                return event;
            }
        }
    }

    fn requeue(&mut self, event: SimulatedEvent) {
        self.with(|kernel, me| kernel.post(me, event));
    }

    fn handled(&mut self, node: &Node, input: Input, outputs: &[Output]) {
        self.with(|kernel, me| {
            if kernel.alive(me) {
                if let Input::Received { from, message } = input {
                    kernel.monitor.hears(&kernel.topology, from, me, message);
                }
                Observer::handled(kernel, me, node, input, outputs);
            }
        });
    }

    fn perform(&mut self, output: Output) {
        self.with(|kernel, me| {
            // A process that is gone performs nothing.
            if !kernel.alive(me) {
                return kernel.observer.see("an output of a dead actor");
            }
            Observer::output(kernel, me, output);
            match output {
                Output::Send { to, message } => kernel.send(me, to, LinkItem::Message(message)),
                Output::Arm { timer } => kernel.arm(me, timer),
                Output::Disarm { timer } => kernel.disarm(me, timer),
                Output::Signal { child, signal } => match signal {
                    LadderSignal::Terminate => {
                        kernel.signal(child, Signal::Terminate, Origin::Process);
                    }
                    LadderSignal::Kill => kernel.die(child, Status::Killed),
                },
                Output::PromptOpened { request } => kernel.open_prompt(me, request),
                Output::PromptClosed { request } => kernel.close_prompt(me, request),
                Output::Refused { .. } => kernel.request_over(me),
                Output::BatonDropped { request } => {
                    kernel.close_batons(|baton| baton == Baton::Actor(me), Some(request));
                }
                Output::TerminalTaken => kernel.modes = TerminalModes::Session,
                Output::TerminalRestored => kernel.modes = TerminalModes::Original,
                Output::TeardownStarted { .. } => kernel.end_task(me),
                Output::Requested { .. }
                | Output::InterruptObeyed
                | Output::Sweep
                | Output::Exit { .. }
                | Output::Noticed { .. }
                | Output::Alarmed { .. } => {}
            }
        });
    }

    fn read(&mut self, peer: ActorId) -> Incoming<SimulatedFrame> {
        self.with(|kernel, me| kernel.read(peer, me))
    }

    fn frame(&mut self, _: &Node, _: ActorId, frame: SimulatedFrame) -> FrameVerdict {
        match frame {
            SimulatedFrame::Reaped => self.with(|kernel, me| {
                if me == kernel.root() {
                    return FrameVerdict::Orphans;
                }
                kernel.announce_reaped(me);
                FrameVerdict::Fine
            }),
            SimulatedFrame::Garbage => FrameVerdict::Misbehaves,
        }
    }

    fn close_link(&mut self, peer: ActorId) {
        self.with(|kernel, me| kernel.close_link(me, peer));
    }

    fn close_unused_baton(&mut self, request: RequestId) {
        self.with(|kernel, me| {
            kernel.close_batons(|baton| baton == Baton::Actor(me), Some(request));
        });
    }

    fn end_session(&mut self, request: RequestId) {
        self.with(|kernel, _| kernel.batons.remove(&request));
    }

    fn reap(&mut self, child: ActorId) -> Option<Status> {
        self.with(|kernel, me| kernel.reap(me, child))
    }

    fn child_failed(&mut self, child: ActorId) -> Examine {
        self.with(|kernel, me| {
            Observer::child_failed(kernel, me, child);
            let examine = kernel.process(child).examine;
            kernel.processes[me.index()].examine = examine;
            examine
        })
    }

    fn child_gone(&mut self, _: ActorId) {
        self.with(|kernel, me| kernel.announce_reaped(me));
    }

    fn children(&mut self, search: ChildScope) -> Option<Vec<ActorId>> {
        self.with(|kernel, me| match search {
            ChildScope::Actors if me != kernel.root() => None,
            ChildScope::Actors | ChildScope::All => Some(kernel.children(me)),
        })
    }

    fn adopt(&mut self, child: ActorId) -> bool {
        self.with(|kernel, me| kernel.adopt(me, child))
    }

    fn spawn(&mut self, child: ActorId) -> Option<ActorId> {
        let machine = self.machine.clone();
        self.with(|kernel, me| {
            let alive = kernel.alive(me);
            if alive {
                kernel.observer.see("a child is started");
                start(&machine, kernel, child);
            }
            alive.then_some(child)
        })
    }

    fn refuse(&mut self, _: ActorId) {
        self.with(|kernel, _| kernel.observer.see("a child is refused"));
    }

    fn task_ended(&mut self, ending: TaskEnd) -> TaskEnd {
        self.with(|kernel, me| {
            kernel.processes[me.index()].examine = match ending {
                TaskEnd::Failed(examine) => examine,
                TaskEnd::Returned | TaskEnd::Dropped => Examine::Yes,
            };
        });
        ending
    }

    fn task_is_shielded(&self) -> bool {
        self.machine.with(|kernel| kernel.process(self.me).task_is_shielded())
    }

    fn await_task(&mut self) {
        self.with(|kernel, me| kernel.await_task(me));
    }

    fn give_up_task(&mut self) {
        self.with(Observer::task_given_up);
    }

    fn passes(&mut self, point: Point) -> bool {
        self.with(|kernel, me| kernel.passes(me, point))
    }
}

impl SimulatedEffects {
    /// Does something in the simulated kernel, as this actor.
    fn with<T>(&self, act: impl FnOnce(&mut SimulatedKernel, ActorId) -> T) -> T {
        self.machine.with(|kernel| act(kernel, self.me))
    }
}
