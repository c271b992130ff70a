//! What can be seen of a live tree: the state of every actor, from what its protocol has handled.
//!
//! Each actor tells the inputs that its node has taken ([`holdfast_testkit::report`]). A second node
//! takes them here, so the state of the first is known without asking.

use super::mirrored_actor::{Life, MirroredActor};
use super::program_view::ProgramView;
use holdfast_check::world::Config;
use holdfast_protocol::node::TreePosition;
use holdfast_protocol::{ActorId, Input, LadderSignal, Node, Output, RequestId};
use holdfast_testkit::Point;
use holdfast_testkit::control::{ActorEvent, ControlEntry, ControlLine};
use holdfast_testkit::report::PREFIX;
use std::collections::{BTreeMap, BTreeSet};

/// All actors, as they are known.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) config: &'a Config,
    mirrors: BTreeMap<ActorId, MirroredActor>,
    names: BTreeMap<u32, ActorId>,
    /// Processes whose death is known.
    dead: BTreeSet<u32>,
    /// Requests whose baton's end was read.
    closed: BTreeSet<RequestId>,
    /// Processes that a ladder has sent SIGKILL.
    doomed: BTreeSet<u32>,
    /// Links that the script has cut, by their lower end.
    cut: BTreeSet<ActorId>,
    /// Breakpoints that a task has reached.
    pub(super) asked: BTreeSet<u32>,
    /// Orders that an actor could not carry out.
    pub(super) failed: Vec<String>,
    pub(super) read: usize,
    /// What came before its actor was known.
    early: Vec<ControlEntry>,
    programs: BTreeMap<ActorId, ProgramView>,
}

/// What became of a hello.
enum Greeted {
    /// The actor is known from now on.
    Known,
    /// Its supervisor is not known yet.
    TooEarly,
    /// There is no such actor in the tree.
    Unknown,
}

impl<'a> View<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        Self {
            config,
            mirrors: BTreeMap::new(),
            names: BTreeMap::new(),
            dead: BTreeSet::new(),
            closed: BTreeSet::new(),
            doomed: BTreeSet::new(),
            cut: BTreeSet::new(),
            asked: BTreeSet::new(),
            failed: Vec::new(),
            read: 0,
            early: Vec::new(),
            programs: BTreeMap::new(),
        }
    }

    /// Takes the entries in that are new in a log.
    pub(super) fn follow(&mut self, log: &[ControlEntry]) {
        let new = log.get(self.read..).unwrap_or_default();
        new.iter().for_each(|entry| self.hear(entry));
        self.read = log.len();
    }

    /// Takes an entry in.
    pub(super) fn hear(&mut self, entry: &ControlEntry) {
        match &entry.line {
            ControlLine::Said(ActorEvent::Hello { pid, actor }) if actor.starts_with(PREFIX) => {
                match self.greet(entry.connection, *pid, actor) {
                    Greeted::Known => self.hear_early(),
                    Greeted::TooEarly => self.early.push(entry.clone()),
                    Greeted::Unknown => {}
                }
            }
            ControlLine::Said(ActorEvent::Handled { input, outputs }) => {
                match self.at(entry.connection) {
                    Some(actor) => self.handled(actor, *input, outputs),
                    None => self.early.push(entry.clone()),
                }
            }
            ControlLine::Said(ActorEvent::Hello { pid, actor }) => {
                self.greet_program(entry.connection, *pid, actor);
            }
            ControlLine::Said(
                event @ (ActorEvent::Reading {}
                | ActorEvent::Line { .. }
                | ActorEvent::Interrupted {}),
            ) => {
                let of = |program: &&mut ProgramView| program.connection == entry.connection;
                if let Some(program) = self.programs.values_mut().find(of) {
                    program.said(event);
                }
            }
            ControlLine::Said(ActorEvent::Asked { id }) => {
                self.asked.insert(*id);
            }
            ControlLine::Said(ActorEvent::Held { point }) => self.held(&entry.actor, *point),
            ControlLine::Said(ActorEvent::Failed { text }) => {
                self.failed.push(format!("{}: {text}", entry.actor));
            }
            ControlLine::Gone => {
                if let Some(actor) = self.at(entry.connection) {
                    self.ended(actor);
                }
            }
            ControlLine::Said(_) | ControlLine::Instructed(_) | ControlLine::Garbled(_) => {}
        }
    }

    /// Connections are read by threads of their own: what an actor says can come before the hello
    /// of its supervisor.
    fn hear_early(&mut self) {
        let early = std::mem::take(&mut self.early);
        early.iter().for_each(|entry| self.hear(entry));
    }

    fn greet_program(&mut self, connection: usize, pid: i32, hello: &str) {
        let name = hello.rsplit('/').next().unwrap_or(hello);
        let tree = &self.config.tree;
        if let Some(program) = tree.find(name).filter(|actor| tree.is_program(*actor)) {
            let pid = pid.cast_unsigned();
            self.names.insert(pid, program);
            self.programs.insert(program, ProgramView::new(pid, connection));
        }
    }

    fn at(&self, connection: usize) -> Option<ActorId> {
        let of = |(_, program): &(&ActorId, &ProgramView)| program.connection == connection;
        if let Some((program, _)) = self.programs.iter().find(of) {
            return Some(*program);
        }
        let mut mirrors = self.mirrors.iter();
        mirrors.find(|(_, mirror)| mirror.connection == connection).map(|(actor, _)| *actor)
    }

    fn greet(&mut self, connection: usize, pid: i32, hello: &str) -> Greeted {
        let name = hello.rsplit(['/', '@']).next().unwrap_or(hello);
        let Some(actor) = self.config.tree.find(name) else { return Greeted::Unknown };
        let pid = pid.cast_unsigned();
        let (policy, debug) = (self.config.policy, self.config.debug[actor.index()]);
        let me = ActorId(pid);
        let above = self.config.tree.supervisor(actor).and_then(|above| self.mirror(above));
        let root = self.mirror(ActorId(0)).map_or(me, |root| ActorId(root.pid));
        if above.is_none() && actor != ActorId(0) {
            return Greeted::TooEarly;
        }
        let node = match above {
            None => Node::root(me, policy, debug),
            Some(above) => Node::below(ActorId(above.pid), root, me, policy, debug),
        };
        self.names.insert(pid, actor);
        self.mirrors.insert(actor, MirroredActor::new(pid, node, connection));
        Greeted::Known
    }

    /// The gate of an actor holds it before an input.
    fn held(&mut self, gate: &str, point: Point) {
        let name = gate.rsplit(['/', '@']).next().unwrap_or(gate);
        let actor = self.config.tree.find(name);
        let Some(mirror) = actor.and_then(|actor| self.mirrors.get_mut(&actor)) else { return };
        mirror.hold(point);
    }

    fn handled(&mut self, actor: ActorId, input: Input, outputs: &[Output]) {
        let Some(mirror) = self.mirrors.get_mut(&actor) else { return };
        mirror.take(input);
        let mut over = false;
        for output in outputs {
            mirror.did(*output);
            match *output {
                Output::Signal { child, signal: LadderSignal::Kill } => {
                    self.doomed.insert(child.0);
                }
                Output::Exit { .. } => over = true,
                _ => {}
            }
        }
        match input {
            Input::Exited { child, .. } => self.died(child.0),
            // The holder closes the baton before its own protocol hears of the answer.
            Input::BatonClosed { request } => {
                self.closed.insert(request);
            }
            _ => {}
        }
        if over {
            self.ended(actor);
        }
    }

    /// The process of an actor is over.
    pub(super) fn ended(&mut self, actor: ActorId) {
        if let Some(mirror) = self.mirrors.get_mut(&actor) {
            mirror.life = Life::Ended;
            mirror.armed.clear();
        }
        if let Some(program) = self.programs.get_mut(&actor) {
            program.life = Life::Ended;
        }
    }

    fn died(&mut self, pid: u32) {
        self.dead.insert(pid);
        if let Some(actor) = self.names.get(&pid).copied() {
            self.ended(actor);
        }
    }

    /// Nobody is held any longer: what was, comes.
    pub(super) fn open(&mut self) {
        self.mirrors.values_mut().for_each(MirroredActor::let_go);
    }

    /// The script has cut the link of an actor.
    pub(super) fn cut(&mut self, actor: ActorId) {
        self.cut.insert(actor);
    }

    pub(super) fn name(&self, actor: ActorId) -> String {
        self.config.tree.name(actor).to_owned()
    }

    /// The name behind a process number.
    pub(super) fn named(&self, pid: ActorId) -> String {
        self.names.get(&pid.0).map_or_else(|| pid.0.to_string(), |actor| self.name(*actor))
    }

    pub(super) fn actor_of(&self, pid: ActorId) -> Option<ActorId> {
        self.names.get(&pid.0).copied()
    }

    pub(super) fn mirror(&self, actor: ActorId) -> Option<&MirroredActor> {
        self.mirrors.get(&actor)
    }

    pub(super) fn root(&self) -> Option<&MirroredActor> {
        self.mirror(ActorId(0))
    }

    /// Every actor that runs.
    pub(super) fn running(&self) -> impl Iterator<Item = (ActorId, &MirroredActor)> {
        let mirrors = self.mirrors.iter().map(|(actor, mirror)| (*actor, mirror));
        mirrors.filter(|(_, mirror)| mirror.life == Life::Running)
    }

    pub(super) fn runs(&self, actor: ActorId) -> bool {
        let program = self.program(actor).map(|program| program.life);
        let life = program.or_else(|| self.mirror(actor).map(|mirror| mirror.life));
        life == Some(Life::Running)
    }

    /// A program below a host.
    pub(super) fn program(&self, actor: ActorId) -> Option<&ProgramView> {
        self.programs.get(&actor)
    }

    /// All programs that run.
    pub(super) fn programs(&self) -> impl Iterator<Item = (ActorId, &ProgramView)> {
        let running = self.programs.iter().filter(|(_, program)| program.life == Life::Running);
        running.map(|(actor, program)| (*actor, program))
    }

    /// Whether somebody waits for the terminal.
    pub(super) fn somebody_waits(&self) -> bool {
        self.running().any(|(_, mirror)| mirror.waits())
    }

    /// Every actor at an open prompt.
    pub(super) fn prompts(&self) -> impl Iterator<Item = ActorId> {
        let open =
            |mirror: &MirroredActor| mirror.prompt().is_some_and(|one| !self.closed.contains(&one));
        self.running().filter(move |(_, mirror)| open(mirror)).map(|(actor, _)| actor)
    }

    /// Whether anybody is at a prompt or wants one.
    pub(super) fn outstanding(&self) -> bool {
        let wants = |mirror: &MirroredActor| !mirror.node.requests().is_empty();
        let owned = self.root().is_some_and(|root| match root.node.position() {
            TreePosition::Root { server, .. } => {
                server.owner().is_some() || server.waiting().count() > 0
            }
            TreePosition::Below { .. } => false,
        });
        let root_runs = self.runs(ActorId(0));
        (owned && root_runs) || self.running().any(|(_, mirror)| wants(mirror))
    }

    /// Whether everything that was sent was taken, and every end was noticed.
    pub(super) fn settled(&self) -> bool {
        let taken = |(from, mirror): (ActorId, &MirroredActor)| {
            mirror.sent.iter().all(|(to, sent)| {
                let Some(peer) = self.actor_of(ActorId(*to)).and_then(|to| self.mirror(to)) else {
                    return true;
                };
                let got = peer.received(mirror.pid);
                let to_actor = self.actor_of(ActorId(*to));
                let apart = to_actor.is_some_and(|to| self.cut_between(from, to));
                peer.life == Life::Ended || peer.frozen() || apart || got >= *sent
            })
        };
        let doomed = |(_, mirror): (ActorId, &MirroredActor)| self.doomed.contains(&mirror.pid);
        self.running().all(taken) && self.all_noticed() && !self.running().any(doomed)
    }

    /// Whether the script has cut the link between the two.
    fn cut_between(&self, one: ActorId, other: ActorId) -> bool {
        let below = |lower: ActorId, upper| {
            self.cut.contains(&lower) && self.config.tree.supervisor(lower) == Some(upper)
        };
        below(one, other) || below(other, one)
    }

    /// Whether every end was noticed by a supervisor that can.
    pub(super) fn all_noticed(&self) -> bool {
        let noticed = |(actor, mirror): (&ActorId, &MirroredActor)| {
            let above = self.config.tree.supervisor(*actor).and_then(|above| self.mirror(above));
            mirror.life == Life::Running
                || self.dead.contains(&mirror.pid)
                || above.is_none_or(|above| above.life == Life::Ended || above.frozen())
        };
        self.mirrors.iter().all(noticed)
    }

    /// Whether a timer runs that can expire.
    pub(super) fn timed(&self) -> bool {
        self.running().any(|(_, mirror)| !mirror.armed.is_empty() && !mirror.frozen())
    }

    /// Nothing is in flight and no timer is armed.
    pub(super) fn quiet(&self) -> bool {
        self.settled() && !self.timed()
    }

    /// No request, no end under way, nothing in flight: only a person or a program goes on.
    pub(super) fn idle(&self) -> bool {
        self.quiet() && !self.outstanding() && self.running().all(|(_, mirror)| !mirror.told())
    }
}
