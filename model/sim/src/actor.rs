//! One actor: the real driver, over real mailboxes, with hands that reach into the kernel.
//!
//! ```text
//!     urgent: signals, answers, ends of batons --\
//!     timers -------------------------------------> Actor::take --> Driver::feed --> Simulated
//!     events: links, children, own code ---------/   (as runtime/holdfast/src/take.rs does it)
//! ```
//!
//! While a prompt of a policy that freezes is open, only what is urgent is taken.

use super::kernel::{Ending, Event, Kernel, Later, Local, Machine, Post, State};
use super::links::{Baton, Heard};
use super::observer::Observer;
use holdfast_check::tree::ActorStart;
use holdfast_check::world::shared::TerminalModes;
use holdfast_protocol::driver::{Driver, Hands};
use holdfast_protocol::policy::WhilePrompt;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{
    ActorId, Cause, Input, LadderSignal, Message, Node, Origin, Outbox, Output, Signal, Status,
    Timer,
};
use holdfast_sync::engine::thread;
use holdfast_sync::mailbox::{Receiver, mailbox};
use holdfast_sync::park::block_on;
use shuttle::rand::Rng;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::poll_fn;
use std::task::Poll;

/// How many messages of one link are taken before others get their turn.
const TURN: usize = 2;

/// The hands of a simulated actor.
pub(crate) struct Simulated {
    me: ActorId,
    machine: Machine,
    /// The children that it knows as processes.
    children: BTreeSet<ActorId>,
    armed: BTreeMap<Timer, u64>,
    body_over: bool,
    /// Where the SIGINT that is being handled came from.
    taken: Option<Origin>,
    exit: Option<Status>,
}

impl Hands for Simulated {
    fn handled(&mut self, node: &Node, input: Input, outputs: &[Output]) {
        self.machine.with(|kernel| {
            if kernel.alive(self.me) {
                Observer::handled(kernel, self.me, node, input, outputs);
            }
        });
    }

    fn perform(&mut self, output: Output, follow: &mut VecDeque<Input>) {
        let (machine, me) = (self.machine.clone(), self.me);
        machine.with(|kernel| {
            // A process that is gone performs nothing.
            if !kernel.alive(me) {
                return kernel.observer.see("an output of a dead actor");
            }
            Observer::output(kernel, me, output, self.taken);
            match output {
                Output::Send { to, message } => kernel.send(me, to, message),
                Output::Arm { timer } => {
                    let arming = kernel.arm(me, timer);
                    self.armed.insert(timer, arming);
                }
                Output::Disarm { timer } => {
                    kernel.disarm(me, timer);
                    self.armed.remove(&timer);
                }
                Output::Signal { child, signal } if self.children.contains(&child) => {
                    match signal {
                        LadderSignal::Terminate => {
                            kernel.signal(child, Signal::Terminate, Origin::Process);
                        }
                        LadderSignal::Kill => kernel.die(child, Status::Killed),
                    }
                }
                Output::PromptOpened { request } => kernel.ask_person(me, request),
                Output::PromptClosed { request } | Output::BatonDropped { request } => {
                    kernel.close_batons(|baton| baton == Baton::Actor(me), Some(request));
                }
                Output::TerminalTaken => kernel.modes = TerminalModes::Session,
                Output::TerminalRestored => kernel.modes = TerminalModes::Original,
                Output::TeardownStarted { .. } => {
                    if self.body_over {
                        follow.push_back(Input::UserTaskEnded);
                    } else {
                        kernel.later.push(Later::EndBody(me));
                    }
                }
                Output::Sweep => {
                    let found = kernel.children(me);
                    if found.is_empty() {
                        follow.push_back(Input::ChildrenGone);
                    }
                    self.adopt(kernel, &found, follow);
                }
                Output::Exit { status } => self.exit = Some(status),
                Output::Signal { .. }
                | Output::Requested { .. }
                | Output::Refused { .. }
                | Output::InterruptObeyed
                | Output::Noticed { .. }
                | Output::Alarmed { .. } => {}
            }
        });
    }
}

impl Simulated {
    fn adopt(&mut self, kernel: &mut Kernel, found: &[ActorId], follow: &mut VecDeque<Input>) {
        for child in found {
            if self.children.insert(*child) {
                kernel.observer.see("an orphan is adopted");
                kernel.watch(self.me, *child);
                follow.push_back(Input::Adopted { child: *child });
            }
        }
    }
}

/// One actor, running.
struct Actor {
    driver: Driver<Simulated>,
    me: ActorId,
    machine: Machine,
}

/// Starts the process of an actor.
pub(crate) fn start(machine: &Machine, kernel: &mut Kernel, me: ActorId) {
    let ((events, event), (urgent, pressing), (timers, expired)) =
        (mailbox(), mailbox(), mailbox());
    kernel.start(me, Post { events, urgent, timers });
    let machine = machine.clone();
    let thread = thread::spawn(move || run(machine, me, [pressing, expired, event]));
    kernel.threads.push(thread);
}

fn run(machine: Machine, me: ActorId, mailboxes: [Receiver<Event>; 3]) {
    let booted = machine.with(|kernel| {
        let booted = kernel.alive(me);
        if booted {
            kernel.processes[me.index()].state = State::Running;
            kernel.dealt_with(me);
        }
        booted.then(|| kernel.topology.clone())
    });
    let Some(topology) = booted else { return };
    let tree = &topology.config().tree;
    let there = |id: &ActorId| tree.start(*id) == ActorStart::Running;
    let children: BTreeSet<_> = tree.children(me).filter(there).collect();
    let mut node = topology.node(me);
    for child in &children {
        node.handle(Input::Spawned { child: *child }, &mut Outbox::new());
    }
    let hands = Simulated {
        me,
        machine: machine.clone(),
        children,
        armed: BTreeMap::new(),
        body_over: false,
        taken: None,
        exit: None,
    };
    let mut actor = Actor { driver: Driver::new(node, hands), me, machine };
    actor.live(mailboxes);
}

impl Actor {
    fn live(&mut self, [mut pressing, mut expired, mut event]: [Receiver<Event>; 3]) {
        loop {
            let frozen = self.is_frozen();
            let timers_first = shuttle::rand::thread_rng().gen_bool(0.5);
            let next = block_on(poll_fn(|cx| {
                let mut order = [&mut pressing, &mut event, &mut expired];
                if timers_first {
                    order.swap(1, 2);
                }
                let open = if frozen { 1 } else { 3 };
                for mailbox in order.into_iter().take(open) {
                    if let Poll::Ready(event) = mailbox.poll_recv(cx) {
                        return Poll::Ready(event);
                    }
                }
                Poll::Pending
            }));
            // The mailboxes end with the process.
            let Some(event) = next else { return };
            self.take(event);
            // Others go on between the decision to exit and the end of the process.
            let dead = self.machine.with(|kernel| {
                match self.driver.hands().exit {
                    Some(status) => kernel.die(self.me, status),
                    None => kernel.dealt_with(self.me),
                }
                !kernel.alive(self.me)
            });
            if dead {
                return;
            }
        }
    }

    fn is_frozen(&self) -> bool {
        let node = self.driver.node();
        node.policy().while_prompt == WhilePrompt::Freezes && node.requests().open().is_some()
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Readable(peer) => self.read(peer),
            Event::ChildEnded(child) => self.child_ended(child),
            Event::Orphans => self.look_for_orphans(),
            Event::Signal(signal) => {
                let taken = self.machine.with(|kernel| kernel.take_signal(self.me, signal));
                if let Some(origin) = taken {
                    self.driver.hands_mut().taken = Some(origin);
                    self.driver.feed(Input::Signalled { signal, origin });
                    self.driver.hands_mut().taken = None;
                }
            }
            Event::Answered(request, answer) => {
                let open = self.driver.node().requests().open();
                if open.is_some_and(|own| own.request == request) {
                    self.driver.feed(Input::Answered { request, answer });
                }
            }
            Event::BatonEnded(request) => {
                self.machine.with(|kernel| kernel.batons.remove(&request));
                if request.actor != self.me {
                    self.driver.feed(Input::BatonClosed { request });
                }
            }
            Event::Expired(timer, arming) => {
                let hands = self.driver.hands_mut();
                if hands.armed.get(&timer) == Some(&arming) {
                    hands.armed.remove(&timer);
                    self.driver.feed(Input::Expired { timer });
                }
            }
            Event::Local(local) => self.local(local),
        }
    }

    fn hear(&self, peer: ActorId) -> Heard {
        self.machine.with(|kernel| kernel.hear(peer, self.me))
    }

    fn read(&mut self, peer: ActorId) {
        for _ in 0..TURN {
            match self.hear(peer) {
                Heard::Message(message) => self.said(peer, message),
                Heard::Nothing | Heard::NoLink => return,
                Heard::End => return self.link_over(peer),
            }
        }
        self.machine.with(|kernel| kernel.post(self.me, Event::Readable(peer)));
    }

    fn link_over(&mut self, peer: ActorId) {
        self.machine.with(|kernel| kernel.close_link(self.me, peer));
        self.driver.feed(Input::LinkEnded { peer });
    }

    fn said(&mut self, from: ActorId, message: Message) {
        self.driver.feed(Input::Received { from, message });
        if let Message::Grant { request } = message {
            // Whatever became of the grant has become of it: a baton that is left is closed.
            let open = self.driver.node().requests().open();
            if open.is_none_or(|own| own.request != request) {
                self.machine.with(|kernel| {
                    kernel.close_batons(|baton| baton == Baton::Actor(self.me), Some(request));
                });
            }
        }
    }

    fn look_for_orphans(&mut self) {
        let (machine, me) = (self.machine.clone(), self.me);
        let mut follow = VecDeque::new();
        machine.with(|kernel| {
            let found = kernel.children(me);
            self.driver.hands_mut().adopt(kernel, &found, &mut follow);
        });
        for input in follow {
            self.driver.feed(input);
        }
    }

    fn child_ended(&mut self, child: ActorId) {
        // What the child said before it ended comes first.
        loop {
            match self.hear(child) {
                Heard::Message(message) => self.said(child, message),
                Heard::Nothing | Heard::End => break self.link_over(child),
                Heard::NoLink => break,
            }
        }
        if !self.driver.hands_mut().children.remove(&child) {
            return;
        }
        if let Some(status) = self.machine.with(|kernel| kernel.reap(self.me, child)) {
            self.driver.feed(Input::Exited { child, status });
        }
    }

    fn local(&mut self, local: Local) {
        let over = self.driver.hands().body_over;
        match local {
            Local::Pause(shielding) if !over => self.driver.feed(Input::Pause { shielding }),
            Local::Cancel if !over => self.driver.feed(Input::Cancel { cause: Cause::Requested }),
            Local::CancelChild(child) if !over => self.driver.feed(Input::CancelChild { child }),
            Local::Spawn(child) if self.driver.node().teardown() == Teardown::NotAsked => {
                let started = self.machine.with(|kernel| {
                    let alive = kernel.alive(self.me);
                    if alive {
                        start(&self.machine, kernel, child);
                    }
                    alive
                });
                if !started {
                    return;
                }
                self.driver.hands_mut().children.insert(child);
                self.driver.feed(Input::Spawned { child });
            }
            Local::Ended(ending) if !over => self.ended(ending),
            Local::Pause(_)
            | Local::Cancel
            | Local::CancelChild(_)
            | Local::Spawn(_)
            | Local::Ended(_) => {}
        }
    }

    /// The own code has ended: by itself, or because it was told to.
    fn ended(&mut self, ending: Ending) {
        self.driver.hands_mut().body_over = true;
        let running = matches!(self.driver.node().teardown(), Teardown::Running(_));
        self.driver.feed(match ending {
            _ if running => Input::UserTaskEnded,
            Ending::Returned => Input::Cancel { cause: Cause::Finished },
            Ending::Failed => Input::Cancel { cause: Cause::Failed },
            Ending::FailedUnexamined => Input::Unexamined { cause: Cause::Failed },
            Ending::Dropped => Input::Cancel { cause: Cause::Requested },
        });
    }
}
