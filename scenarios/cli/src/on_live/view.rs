//! What can be seen of a live tree: the state of every actor, from what its protocol has handled.
//!
//! Each actor tells the inputs that its node has taken ([`holdfast_testkit::report`]). A second node
//! takes them here, so the state of the first is known without asking.

use super::member::{Life, Member};
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
    members: BTreeMap<ActorId, Member>,
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
            members: BTreeMap::new(),
            names: BTreeMap::new(),
            dead: BTreeSet::new(),
            closed: BTreeSet::new(),
            doomed: BTreeSet::new(),
            cut: BTreeSet::new(),
            asked: BTreeSet::new(),
            failed: Vec::new(),
            read: 0,
            early: Vec::new(),
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

    fn at(&self, connection: usize) -> Option<ActorId> {
        let mut members = self.members.iter();
        members.find(|(_, member)| member.connection == connection).map(|(actor, _)| *actor)
    }

    fn greet(&mut self, connection: usize, pid: i32, hello: &str) -> Greeted {
        let name = hello.rsplit(['/', '@']).next().unwrap_or(hello);
        let Some(actor) = self.config.tree.find(name) else { return Greeted::Unknown };
        let pid = pid.cast_unsigned();
        let (policy, debug) = (self.config.policy, self.config.debug[actor.index()]);
        let me = ActorId(pid);
        let above = self.config.tree.supervisor(actor).and_then(|above| self.member(above));
        let root = self.member(ActorId(0)).map_or(me, |root| ActorId(root.pid));
        if above.is_none() && actor != ActorId(0) {
            return Greeted::TooEarly;
        }
        let node = match above {
            None => Node::root(me, policy, debug),
            Some(above) => Node::below(ActorId(above.pid), root, me, policy, debug),
        };
        self.names.insert(pid, actor);
        self.members.insert(actor, Member::new(pid, node, connection));
        Greeted::Known
    }

    /// The gate of an actor holds it before an input.
    fn held(&mut self, gate: &str, point: Point) {
        let name = gate.rsplit(['/', '@']).next().unwrap_or(gate);
        let actor = self.config.tree.find(name);
        let Some(member) = actor.and_then(|actor| self.members.get_mut(&actor)) else { return };
        member.hold(point);
    }

    fn handled(&mut self, actor: ActorId, input: Input, outputs: &[Output]) {
        let Some(member) = self.members.get_mut(&actor) else { return };
        member.take(input);
        let mut over = false;
        for output in outputs {
            member.did(*output);
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
        if let Some(member) = self.members.get_mut(&actor) {
            member.life = Life::Ended;
            member.armed.clear();
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
        self.members.values_mut().for_each(Member::let_go);
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

    pub(super) fn member(&self, actor: ActorId) -> Option<&Member> {
        self.members.get(&actor)
    }

    pub(super) fn root(&self) -> Option<&Member> {
        self.member(ActorId(0))
    }

    /// Every actor that runs.
    pub(super) fn running(&self) -> impl Iterator<Item = (ActorId, &Member)> {
        let members = self.members.iter().map(|(actor, member)| (*actor, member));
        members.filter(|(_, member)| member.life == Life::Running)
    }

    pub(super) fn runs(&self, actor: ActorId) -> bool {
        self.member(actor).is_some_and(|member| member.life == Life::Running)
    }

    /// Every actor at an open prompt.
    pub(super) fn prompts(&self) -> impl Iterator<Item = ActorId> {
        let open = |member: &Member| member.prompt().is_some_and(|one| !self.closed.contains(&one));
        self.running().filter(move |(_, member)| open(member)).map(|(actor, _)| actor)
    }

    /// Whether anybody is at a prompt or wants one.
    pub(super) fn outstanding(&self) -> bool {
        let wants = |member: &Member| !member.node.requests().is_empty();
        let owned = self.root().is_some_and(|root| match root.node.position() {
            TreePosition::Root { server, .. } => {
                server.owner().is_some() || server.waiting().count() > 0
            }
            TreePosition::Below { .. } => false,
        });
        let root_runs = self.runs(ActorId(0));
        (owned && root_runs) || self.running().any(|(_, member)| wants(member))
    }

    /// Whether everything that was sent was taken, and every end was noticed.
    pub(super) fn settled(&self) -> bool {
        let taken = |(from, member): (ActorId, &Member)| {
            member.sent.iter().all(|(to, sent)| {
                let Some(peer) = self.actor_of(ActorId(*to)).and_then(|to| self.member(to)) else {
                    return true;
                };
                let got = peer.received(member.pid);
                let to_actor = self.actor_of(ActorId(*to));
                let apart = to_actor.is_some_and(|to| self.cut_between(from, to));
                peer.life == Life::Ended || peer.frozen() || apart || got >= *sent
            })
        };
        let doomed = |(_, member): (ActorId, &Member)| self.doomed.contains(&member.pid);
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
        let noticed = |(actor, member): (&ActorId, &Member)| {
            let above = self.config.tree.supervisor(*actor).and_then(|above| self.member(above));
            member.life == Life::Running
                || self.dead.contains(&member.pid)
                || above.is_none_or(|above| above.life == Life::Ended || above.frozen())
        };
        self.members.iter().all(noticed)
    }

    /// Whether a timer runs that can expire.
    pub(super) fn timed(&self) -> bool {
        self.running().any(|(_, member)| !member.armed.is_empty() && !member.frozen())
    }

    /// Nothing is in flight and no timer is armed.
    pub(super) fn quiet(&self) -> bool {
        self.settled() && !self.timed()
    }

    /// No request, no end under way, nothing in flight: only a person or a program goes on.
    pub(super) fn idle(&self) -> bool {
        self.quiet() && !self.outstanding() && self.running().all(|(_, member)| !member.told())
    }
}
