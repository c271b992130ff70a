//! What the kernel and the terminal do for the actors of one run, under one lock.
//!
//! ```text
//!     process:  Later --spawn--> Booting --boot--> Running --exit, SIGKILL--> Zombie --reap--> Gone
//! ```
//!
//! A SIGKILL strikes between any two outputs of its victim: what is not performed yet is lost.

use super::later::{Later, SimulatedTask};
use super::links::{Baton, Lane};
use super::observer::Observer;
use holdfast_check::monitor::TreeMonitor;
use holdfast_check::world::Topology;
use holdfast_check::world::shared::TerminalModes;
use holdfast_protocol::Placement;
use holdfast_protocol::actor_loop::{Event, Examine, Point, TaskEnd};
use holdfast_protocol::policy::{BootInterrupt, Orphans, TerminalReader};
use holdfast_protocol::{ActorId, Answer, Origin, RequestId, Signal, Status, Timer};
use holdfast_sync::engine::{Arc, Condvar, Mutex, MutexGuard, lock, thread, wait};
use holdfast_sync::mailbox::Sender;
use std::collections::{BTreeMap, BTreeSet};

/// An event of a simulated actor: a child is an actor that is started later.
pub(crate) type SimulatedEvent = Event<ActorId, TaskEnd>;

/// What is in the mailboxes of an actor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Posted {
    /// An event.
    Event(SimulatedEvent),
    /// A signal is pending.
    Signal(Signal),
    /// A timer has expired.
    Expiry,
}

/// The ways to one actor.
#[derive(Debug)]
pub(crate) struct Ways {
    pub(crate) events: Sender<Posted>,
    pub(crate) urgent: Sender<Posted>,
    pub(crate) timers: Sender<Posted>,
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
pub(crate) struct SimulatedProcess {
    pub(crate) state: State,
    /// None: init, which reaps at once.
    pub(crate) parent: Option<ActorId>,
    /// Whether its parent watches it.
    watched: bool,
    /// Whether its start was asked for.
    claimed: bool,
    pending: Vec<(Signal, Origin)>,
    ways: Option<Ways>,
    /// How many events it was sent and has not dealt with.
    unhandled: usize,
    /// Timers that have expired and were not taken.
    pub(crate) expired: Vec<Timer>,
    pub(crate) task: SimulatedTask,
    /// Whether the end of a request gives the user task its time once more.
    pub(crate) awaits_request: bool,
    /// How it had ended when it was reaped.
    pub(crate) reaped: Option<Status>,
    /// Whether what the actor failed of may open a prompt.
    pub(crate) examine: Examine,
    /// Where it is held back.
    pub(crate) held: BTreeSet<Point>,
    /// Where it may go on.
    pub(crate) released: BTreeSet<Point>,
    /// Where it went on, and has not handled what was there.
    pub(crate) passed: Vec<Point>,
}

impl SimulatedProcess {
    pub(crate) fn alive(&self) -> bool {
        matches!(self.state, State::Booting | State::Running)
    }

    pub(crate) fn task_is_shielded(&self) -> bool {
        self.task == SimulatedTask::Shielded
    }
}

#[derive(Debug)]
pub(crate) struct SimulatedKernel {
    pub(crate) topology: Arc<Topology>,
    pub(crate) processes: Vec<SimulatedProcess>,
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
    /// Who was sent what no actor sends, and by whom.
    pub(crate) cut_off: Vec<(ActorId, ActorId)>,
    /// How many of the next answers are to quit.
    pub(crate) quits: usize,
    /// Whether inputs are held back for a while.
    pub(crate) holds_back: bool,
    /// Nothing more happens.
    pub(crate) over: bool,
    pub(crate) threads: Vec<thread::JoinHandle<()>>,
}

/// What all threads of a run share.
#[derive(Clone)]
pub(crate) struct Machine {
    shared: Arc<(Mutex<SimulatedKernel>, Condvar)>,
}

impl Machine {
    pub(crate) fn new(
        topology: &Arc<Topology>,
        observer: Observer,
        person: Sender<(ActorId, RequestId)>,
    ) -> Self {
        let process = |id: ActorId| SimulatedProcess {
            state: State::Later,
            parent: topology.config().tree.supervisor(id),
            watched: true,
            claimed: false,
            pending: Vec::new(),
            ways: None,
            unhandled: 0,
            expired: Vec::new(),
            task: SimulatedTask::Running,
            awaits_request: false,
            reaped: None,
            examine: Examine::Yes,
            held: BTreeSet::new(),
            released: BTreeSet::new(),
            passed: Vec::new(),
        };
        let lanes = topology.links().iter().flat_map(|(upper, lower)| {
            [(*upper, *lower), (*lower, *upper)].map(|way| (way, Lane::open()))
        });
        let kernel = SimulatedKernel {
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
            cut_off: Vec::new(),
            quits: 0,
            holds_back: false,
            over: false,
            threads: Vec::new(),
        };
        Self { shared: Arc::new((Mutex::new(kernel), Condvar::new())) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, SimulatedKernel> {
        lock(&self.shared.0)
    }

    /// Does something, and lets everybody who waits look again.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut SimulatedKernel) -> T) -> T {
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
    pub(crate) fn until(
        &self,
        so: impl Fn(&SimulatedKernel) -> bool,
    ) -> MutexGuard<'_, SimulatedKernel> {
        let mut kernel = self.lock();
        while !so(&kernel) {
            kernel = wait(&self.shared.1, kernel);
        }
        kernel
    }
}

impl SimulatedKernel {
    pub(crate) fn root(&self) -> ActorId {
        self.topology.root()
    }

    pub(crate) fn name(&self, actor: ActorId) -> &str {
        self.topology.config().tree.name(actor)
    }

    pub(crate) fn process(&self, actor: ActorId) -> &SimulatedProcess {
        &self.processes[actor.index()]
    }

    pub(crate) fn alive(&self, actor: ActorId) -> bool {
        self.process(actor).alive()
    }

    /// Whether nothing happens any longer unless the environment does something.
    pub(crate) fn idle(&self) -> bool {
        let busy = |process: &SimulatedProcess| process.alive() && process.unhandled > 0;
        self.later.is_empty()
            && (self.person_gone || self.unanswered == 0)
            && !self.processes.iter().any(busy)
    }

    /// Starts a process: it counts as busy until it has booted.
    pub(crate) fn start(&mut self, actor: ActorId, ways: Ways) {
        let process = &mut self.processes[actor.index()];
        assert_eq!(process.state, State::Later, "each actor is started once");
        (process.state, process.ways, process.unhandled) = (State::Booting, Some(ways), 1);
        self.observer.started(actor);
    }

    /// Whether this is the first who asks for its start.
    pub(crate) fn claim(&mut self, actor: ActorId) -> bool {
        !std::mem::replace(&mut self.processes[actor.index()].claimed, true)
    }

    /// Sends an event to an actor, if it is there.
    pub(crate) fn post(&mut self, to: ActorId, event: SimulatedEvent) {
        self.deliver(to, Posted::Event(event));
    }

    pub(crate) fn deliver(&mut self, to: ActorId, posted: Posted) {
        let process = &mut self.processes[to.index()];
        let Some(ways) = &process.ways else { return };
        let way = match &posted {
            Posted::Signal(_) => &ways.urgent,
            Posted::Event(event) if event.is_urgent() => &ways.urgent,
            Posted::Event(_) => &ways.events,
            Posted::Expiry => &ways.timers,
        };
        if way.send(posted).is_ok() {
            process.unhandled += 1;
        }
    }

    /// An actor has dealt with an event, its boot among them.
    pub(crate) fn dealt_with(&mut self, actor: ActorId) {
        let process = &mut self.processes[actor.index()];
        process.unhandled = process.unhandled.saturating_sub(1);
    }

    /// A prompt is open: the person hears of it.
    pub(crate) fn open_prompt(&mut self, actor: ActorId, request: RequestId) {
        if let Some(baton) = self.batons.get_mut(&request)
            && *baton == Baton::Actor(actor)
        {
            *baton = Baton::Prompt(actor);
        }
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
                    self.deliver(to, Posted::Signal(signal));
                }
            }
            State::Booting => {
                let dies = self.topology.config().policy.boot_interrupt == BootInterrupt::Dies;
                if signal == Signal::Interrupt && dies {
                    self.observer.signalled_at_boot(to, signal, origin);
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
        (process.ways, process.unhandled) = (None, 0);
        self.later.retain(|later| later.actor() != actor);
        if self.batons.values().any(|baton| *baton == Baton::Actor(actor)) {
            self.observer.see("a grant dies with a hand");
        }
        Observer::gone(self, actor, status);
        let neighbours: BTreeSet<_> =
            self.lanes.keys().filter(|(from, _)| *from == actor).map(|(_, to)| *to).collect();
        for peer in neighbours {
            self.close_link(actor, peer);
        }
        self.close_batons(
            |baton| [Baton::Actor(actor), Baton::Prompt(actor)].contains(&baton),
            None,
        );
        self.reparent(actor);
        if let Some(parent) = parent
            && self.process(actor).watched
        {
            self.post(parent, Event::ChildEnded(actor));
        }
        if parent == Some(self.root()) {
            self.child_signal();
        }
        if actor == self.root() {
            if self.root_gone() {
                for (holder, request) in self.observer.open_prompts() {
                    self.post(holder, Event::Answered(request, Answer::Hangup));
                }
            }
        }
    }

    /// The root gets a SIGCHLD.
    fn child_signal(&mut self) {
        self.post(self.root(), Event::Orphans);
    }

    fn reparent(&mut self, dead: ActorId) {
        let root = self.root();
        let adopts = self.topology.config().policy.orphans == Orphans::End
            && dead != root
            && self.alive(root);
        let mut ended = false;
        for process in &mut self.processes {
            if process.parent != Some(dead) || matches!(process.state, State::Later | State::Gone) {
                continue;
            }
            (process.parent, process.watched) = (adopts.then_some(root), false);
            if let State::Zombie(_) = process.state {
                if adopts {
                    ended = true;
                } else {
                    process.state = State::Gone;
                }
            }
        }
        // The new parent hears of the dead; of the living it hears nothing.
        if ended {
            self.child_signal();
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

    /// A parent watches a child from now on, if that is its child.
    pub(crate) fn adopt(&mut self, parent: ActorId, child: ActorId) -> bool {
        if !self.children(parent).contains(&child) {
            return false;
        }
        self.observer.see("an orphan is adopted");
        let process = &mut self.processes[child.index()];
        process.watched = true;
        if let State::Zombie(_) = process.state {
            self.post(parent, Event::ChildEnded(child));
        }
        true
    }

    /// A parent waits for a child that has ended.
    pub(crate) fn reap(&mut self, parent: ActorId, child: ActorId) -> Option<Status> {
        let process = &mut self.processes[child.index()];
        if process.parent != Some(parent) {
            return None;
        }
        let State::Zombie(status) = process.state else { return None };
        (process.state, process.reaped) = (State::Gone, Some(status));
        if self.has_unread(child, parent) {
            self.observer.wrong("a child is reaped before its last words are read");
        }
        Some(status)
    }

    /// Nothing more happens: every thread that waits for something ends.
    pub(crate) fn end(&mut self) -> Vec<thread::JoinHandle<()>> {
        self.over = true;
        self.person = None;
        for process in &mut self.processes {
            process.ways = None;
        }
        std::mem::take(&mut self.threads)
    }
}
