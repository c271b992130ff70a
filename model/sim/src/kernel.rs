//! What the kernel and the terminal do for the actors of one run, under one lock.
//!
//! ```text
//!     process:  Later --spawn--> Booting --boot--> Running --exit, SIGKILL--> Zombie --reap--> Gone
//! ```
//!
//! A SIGKILL strikes between any two outputs of its victim: what is not performed yet is lost.

use super::links::{Baton, Lane};
use super::observer::Observer;
use holdfast_check::monitor::TreeMonitor;
use holdfast_check::world::Topology;
use holdfast_check::world::shared::TerminalModes;
use holdfast_protocol::Placement;
use holdfast_protocol::policy::{BootInterrupt, Orphans, TerminalReader};
use holdfast_protocol::{
    ActorId, Answer, Origin, Output, RequestId, Shielding, Signal, Status, Timer,
};
use holdfast_sync::engine::{Arc, Condvar, Mutex, MutexGuard, lock, thread, wait};
use holdfast_sync::mailbox::Sender;
use std::collections::{BTreeMap, BTreeSet};

/// What an actor's driver hears.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// There is something to read.
    Readable(ActorId),
    /// A child that is watched has ended.
    ChildEnded(ActorId),
    /// The root has new children.
    Orphans,
    /// A signal is pending.
    Signal(Signal),
    /// A prompt was answered.
    Answered(RequestId, Answer),
    /// The root's end of a baton is at its end.
    BatonEnded(RequestId),
    /// A timer has expired, unless it was armed anew since.
    Expired(Timer, u64),
    /// The own code wants something, or has ended.
    Local(Local),
}

/// What the own code of an actor does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Local {
    Pause(Shielding),
    Cancel,
    CancelChild(ActorId),
    Spawn(ActorId),
    /// It has ended.
    Ended(Ending),
}

/// How the own code of an actor ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    Returned,
    Failed,
    FailedUnexamined,
    /// It was told to.
    Dropped,
}

/// The mailboxes of one actor.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) events: Sender<Event>,
    pub(crate) urgent: Sender<Event>,
    pub(crate) timers: Sender<Event>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Later,
    Booting,
    Running,
    Zombie(Status),
    Gone,
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) state: State,
    /// None: init, which reaps at once.
    pub(crate) parent: Option<ActorId>,
    /// Whether its parent watches it.
    watched: bool,
    /// Whether its start was asked for.
    claimed: bool,
    pending: Vec<(Signal, Origin)>,
    post: Option<Post>,
    /// How many events it was sent and has not dealt with.
    unhandled: usize,
}

impl Process {
    pub(crate) fn alive(&self) -> bool {
        matches!(self.state, State::Booting | State::Running)
    }
}

/// What happens at some later time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Later {
    Expire(ActorId, Timer, u64),
    EndBody(ActorId),
}

#[derive(Debug)]
pub(crate) struct Kernel {
    pub(crate) topology: Arc<Topology>,
    pub(crate) processes: Vec<Process>,
    pub(crate) lanes: BTreeMap<(ActorId, ActorId), Lane>,
    pub(crate) batons: BTreeMap<RequestId, Baton>,
    pub(crate) modes: TerminalModes,
    pub(crate) later: Vec<Later>,
    pub(crate) observer: Observer,
    /// The contract of every link.
    pub(crate) monitor: TreeMonitor,
    person: Option<Sender<(ActorId, RequestId)>>,
    /// How many prompts the person has not looked at.
    pub(crate) unanswered: usize,
    /// Whether the person was told of a stop and has left.
    pub(crate) person_gone: bool,
    /// How many of the next answers are to quit.
    pub(crate) quits: usize,
    next_arming: u64,
    /// Nothing more happens.
    pub(crate) over: bool,
    pub(crate) threads: Vec<thread::JoinHandle<()>>,
}

/// What all threads of a run share.
#[derive(Clone)]
pub(crate) struct Machine {
    shared: Arc<(Mutex<Kernel>, Condvar)>,
}

impl Machine {
    pub(crate) fn new(
        topology: &Arc<Topology>,
        observer: Observer,
        person: Sender<(ActorId, RequestId)>,
    ) -> Self {
        let process = |id: ActorId| Process {
            state: State::Later,
            parent: topology.config().tree.supervisor(id),
            watched: true,
            claimed: false,
            pending: Vec::new(),
            post: None,
            unhandled: 0,
        };
        let lanes = topology.links().iter().flat_map(|(upper, lower)| {
            [(*upper, *lower), (*lower, *upper)].map(|way| (way, Lane::open()))
        });
        let kernel = Kernel {
            topology: Arc::clone(topology),
            processes: topology.actors().map(process).collect(),
            lanes: lanes.collect(),
            batons: BTreeMap::new(),
            modes: TerminalModes::Original,
            later: Vec::new(),
            observer,
            monitor: TreeMonitor::default(),
            person: Some(person),
            unanswered: 0,
            person_gone: false,
            quits: 0,
            next_arming: 0,
            over: false,
            threads: Vec::new(),
        };
        Self { shared: Arc::new((Mutex::new(kernel), Condvar::new())) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Kernel> {
        lock(&self.shared.0)
    }

    /// Does something, and lets everybody who waits look again.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Kernel) -> T) -> T {
        let mut kernel = self.lock();
        let done = act(&mut kernel);
        let wake = kernel.over || !kernel.later.is_empty() || kernel.idle();
        drop(kernel);
        if wake {
            self.shared.1.notify_all();
        }
        done
    }

    /// Waits until something is so.
    pub(crate) fn until(&self, so: impl Fn(&Kernel) -> bool) -> MutexGuard<'_, Kernel> {
        let mut kernel = self.lock();
        while !so(&kernel) {
            kernel = wait(&self.shared.1, kernel);
        }
        kernel
    }
}

impl Kernel {
    pub(crate) fn root(&self) -> ActorId {
        self.topology.root()
    }

    pub(crate) fn name(&self, actor: ActorId) -> &str {
        self.topology.config().tree.name(actor)
    }

    pub(crate) fn process(&self, actor: ActorId) -> &Process {
        &self.processes[actor.index()]
    }

    pub(crate) fn alive(&self, actor: ActorId) -> bool {
        self.process(actor).alive()
    }

    /// Whether nothing happens any more unless the environment does something.
    pub(crate) fn idle(&self) -> bool {
        let busy = |process: &Process| process.alive() && process.unhandled > 0;
        self.later.is_empty()
            && (self.person_gone || self.unanswered == 0)
            && !self.processes.iter().any(busy)
    }

    /// Starts a process: it counts as busy until it has booted.
    pub(crate) fn start(&mut self, actor: ActorId, post: Post) {
        let process = &mut self.processes[actor.index()];
        assert_eq!(process.state, State::Later, "each actor is started once");
        (process.state, process.post, process.unhandled) = (State::Booting, Some(post), 1);
    }

    /// Whether this is the first who asks for its start.
    pub(crate) fn claim(&mut self, actor: ActorId) -> bool {
        !std::mem::replace(&mut self.processes[actor.index()].claimed, true)
    }

    /// Sends an event to an actor, if it is there.
    pub(crate) fn post(&mut self, to: ActorId, event: Event) {
        let process = &mut self.processes[to.index()];
        let Some(post) = &process.post else { return };
        let mailbox = match event {
            Event::Signal(_) | Event::Answered(..) | Event::BatonEnded(_) => &post.urgent,
            Event::Expired(..) => &post.timers,
            Event::Readable(_) | Event::ChildEnded(_) | Event::Orphans | Event::Local(_) => {
                &post.events
            }
        };
        if mailbox.send(event).is_ok() {
            process.unhandled += 1;
        }
    }

    /// An actor has dealt with an event, its boot among them.
    pub(crate) fn dealt_with(&mut self, actor: ActorId) {
        let process = &mut self.processes[actor.index()];
        process.unhandled = process.unhandled.saturating_sub(1);
    }

    /// A prompt is open: the person hears of it.
    pub(crate) fn ask_person(&mut self, actor: ActorId, request: RequestId) {
        if self.root_gone() {
            return self.post(actor, Event::Answered(request, Answer::Hangup));
        }
        if let Some(person) = &self.person
            && person.send((actor, request)).is_ok()
        {
            self.unanswered += 1;
        }
    }

    fn root_gone(&self) -> bool {
        let reads = self.topology.config().policy.reader == TerminalReader::Root;
        reads && !self.alive(self.root())
    }

    pub(crate) fn arm(&mut self, actor: ActorId, timer: Timer) -> u64 {
        self.next_arming += 1;
        self.disarm(actor, timer);
        self.later.push(Later::Expire(actor, timer, self.next_arming));
        self.next_arming
    }

    pub(crate) fn disarm(&mut self, actor: ActorId, timer: Timer) {
        let is =
            |later: &Later| matches!(later, Later::Expire(a, t, _) if (*a, *t) == (actor, timer));
        self.later.retain(|later| !is(later));
    }

    /// Something whose time has come happens.
    pub(crate) fn happen(&mut self, index: usize) {
        match self.later.swap_remove(index) {
            Later::Expire(actor, timer, arming) => self.post(actor, Event::Expired(timer, arming)),
            Later::EndBody(actor) => self.post(actor, Event::Local(Local::Ended(Ending::Dropped))),
        }
    }

    /// Ctrl-C is typed.
    pub(crate) fn interrupt(&mut self) {
        self.observer.tell(|| "Ctrl-C".to_owned());
        let placement = self.topology.config().placement;
        for actor in self.topology.actors() {
            if placement == Placement::SharedGroup || actor == self.root() {
                self.signal(actor, Signal::Interrupt, Origin::Terminal);
            }
        }
    }

    pub(crate) fn signal(&mut self, to: ActorId, signal: Signal, origin: Origin) {
        let process = &mut self.processes[to.index()];
        match process.state {
            State::Running => {
                if process.pending.iter().all(|(pending, _)| *pending != signal) {
                    process.pending.push((signal, origin));
                    self.post(to, Event::Signal(signal));
                }
            }
            State::Booting => {
                let dies = self.topology.config().policy.boot_interrupt == BootInterrupt::Dies;
                if signal == Signal::Interrupt && dies {
                    Observer::output(self, to, Output::InterruptObeyed, Some(origin));
                }
                if signal != Signal::Interrupt || dies {
                    self.die(to, Status::Killed);
                }
            }
            State::Later | State::Zombie(_) | State::Gone => {}
        }
    }

    /// An actor reads a pending signal: where it came from.
    pub(crate) fn take_signal(&mut self, actor: ActorId, signal: Signal) -> Option<Origin> {
        let pending = &mut self.processes[actor.index()].pending;
        let at = pending.iter().position(|(pending, _)| *pending == signal)?;
        Some(pending.remove(at).1)
    }

    /// A process ends.
    pub(crate) fn die(&mut self, actor: ActorId, status: Status) {
        if !self.alive(actor) {
            return;
        }
        self.observer.tell(|| format!("{} is gone: {status:?}", self.name(actor)));
        let process = &mut self.processes[actor.index()];
        let parent = process.parent;
        process.state = if parent.is_some() { State::Zombie(status) } else { State::Gone };
        (process.post, process.unhandled) = (None, 0);
        self.later.retain(|later| match later {
            Later::Expire(whose, ..) | Later::EndBody(whose) => *whose != actor,
        });
        let holds = self.observer.open_prompts().iter().any(|(holder, _)| *holder == actor);
        if !holds && self.batons.values().any(|baton| *baton == Baton::Actor(actor)) {
            self.observer.see("a grant dies with a hand");
        }
        self.observer.gone(actor);
        let neighbours: BTreeSet<_> =
            self.lanes.keys().filter(|(from, _)| *from == actor).map(|(_, to)| *to).collect();
        for peer in neighbours {
            self.close_link(actor, peer);
        }
        self.close_batons(|baton| baton == Baton::Actor(actor), None);
        self.reparent(actor);
        if let Some(parent) = parent
            && self.process(actor).watched
        {
            self.post(parent, Event::ChildEnded(actor));
        }
        if actor == self.root() {
            Observer::root_ended(self, status);
            if self.root_gone() {
                for (holder, request) in self.observer.open_prompts() {
                    self.post(holder, Event::Answered(request, Answer::Hangup));
                }
            }
        }
    }

    fn reparent(&mut self, dead: ActorId) {
        let root = self.root();
        let adopts = self.topology.config().policy.orphans == Orphans::End
            && dead != root
            && self.alive(root);
        for process in &mut self.processes {
            if process.parent != Some(dead) || matches!(process.state, State::Later | State::Gone) {
                continue;
            }
            (process.parent, process.watched) = (adopts.then_some(root), false);
            if !adopts && matches!(process.state, State::Zombie(_)) {
                process.state = State::Gone;
            }
        }
        if adopts {
            self.post(root, Event::Orphans);
        }
    }

    /// The children of a process, and whether it watches each.
    pub(crate) fn children(&self, parent: ActorId) -> Vec<ActorId> {
        let there = |id: &ActorId| {
            let process = self.process(*id);
            process.parent == Some(parent) && !matches!(process.state, State::Later | State::Gone)
        };
        self.topology.actors().filter(there).collect()
    }

    /// A parent watches a child from now on.
    pub(crate) fn watch(&mut self, parent: ActorId, child: ActorId) {
        let process = &mut self.processes[child.index()];
        process.watched = true;
        if matches!(process.state, State::Zombie(_)) {
            self.post(parent, Event::ChildEnded(child));
        }
    }

    /// A parent waits for a child that has ended.
    pub(crate) fn reap(&mut self, parent: ActorId, child: ActorId) -> Option<Status> {
        let process = &mut self.processes[child.index()];
        if process.parent != Some(parent) {
            return None;
        }
        let State::Zombie(status) = process.state else { return None };
        process.state = State::Gone;
        Some(status)
    }

    /// Nothing more happens: every thread that waits for something ends.
    pub(crate) fn end(&mut self) -> Vec<thread::JoinHandle<()>> {
        self.over = true;
        self.person = None;
        std::mem::take(&mut self.threads)
    }
}
