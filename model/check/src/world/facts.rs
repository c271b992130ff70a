//! What the rest of the world can see of a component.
//!
//! Which actions are possible and whether a property holds depends on these facts alone, so they
//! are computed once for each value of a component.

use super::link::{LaneState, LinkState};
use super::process::{Parent, ProcessState, ProgramTerminal, RunningProcess};
use super::shared::SharedEnvironment;
use super::topology::Topology;
use bitflags::bitflags;
use holdfast_protocol::input::Shielding;
use holdfast_protocol::ladder::{Child, Grace, LadderRung};
use holdfast_protocol::lock::client::{OwnRequest, Purpose, RequestStage};
use holdfast_protocol::node::{StopOrder, TreePosition, Uplink};
use holdfast_protocol::policy::{Shield, WhilePrompt};
use holdfast_protocol::sigint::Disposition;
use holdfast_protocol::teardown::{Teardown, UserTaskState};
use holdfast_protocol::{ActorId, Message, Policy, RequestId, Signal, Status, Timer, Urgency};

bitflags! {
    /// What is so about a process.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ActorFlags: u32 {
        /// May be started.
        const LATER = 1;
        /// Was started and does not listen yet.
        const BOOTING = 1 << 1;
        /// Runs, and listens.
        const RUNNING = 1 << 2;
        /// Has ended and was not reaped.
        const ZOMBIE = 1 << 3;
        /// Takes inputs: runs, and is not frozen by a prompt.
        const SERVING = 1 << 4;
        /// The root must find it yet.
        const UNFOUND = 1 << 5;
        /// Was told to end.
        const CANCELLED = 1 << 6;
        /// Its teardown has begun.
        const TEARING_DOWN = 1 << 7;
        /// Holds protect nobody in it any longer.
        const FORCED = 1 << 8;
        /// Is a root that was told to stop.
        const STOPPING = 1 << 9;
        /// Is a root that only waits for the last descendant.
        const SWEEPING = 1 << 10;
        /// Its local tasks were told to end.
        const USER_TASK_ASKED = 1 << 11;
        /// Its local tasks have ended.
        const USER_TASK_ENDED = 1 << 12;
        /// A SIGINT would not be acted on.
        const SHIELDED = 1 << 13;
        /// Its link to the supervisor is at its end.
        const ORPHAN = 1 << 14;
        /// One of its own requests waits.
        const WAITING = 1 << 15;
        /// Has a hold for somebody below.
        const HOLDING = 1 << 16;
        /// A prompt opened by a request that no cancel withdraws.
        const PROMPT_SHIELDED = 1 << 17;
        /// Examines its failure.
        const FAILING = 1 << 18;
    }
}

/// What can be seen of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorFacts {
    /// Yes and no.
    pub flags: ActorFlags,
    /// Its parent process, if that is an actor.
    pub parent: Option<ActorId>,
    /// The request of its open prompt.
    pub prompt: Option<RequestId>,
    /// How it ended, if it is a zombie.
    pub zombie: Option<Status>,
    /// Its own requests that wait.
    pub waiting: Vec<RequestId>,
    /// The requests that it protects somebody for.
    pub holds: Vec<RequestId>,
    /// Root only: the owner of the lock.
    pub owner: Option<RequestId>,
    /// Its armed timers.
    pub timers: Vec<Timer>,
    /// Its pending signals.
    pub pending: Vec<Signal>,
    /// How far its children are on the ladder, and whether their grace runs.
    pub rungs: Vec<(ActorId, LadderRung, Grace)>,
    /// Of a host: what its program does at the terminal.
    pub program: ProgramTerminal,
}

impl ActorFacts {
    /// Whether the process is there and not ended.
    #[must_use]
    pub fn alive(&self) -> bool {
        self.flags.intersects(ActorFlags::BOOTING | ActorFlags::RUNNING)
    }

    /// What can be seen of a process.
    #[must_use]
    pub fn of(topology: &Topology, actor: ActorId, process: &ProcessState) -> Self {
        let mut facts = Self {
            flags: ActorFlags::empty(),
            parent: None,
            prompt: None,
            zombie: None,
            waiting: Vec::new(),
            holds: Vec::new(),
            owner: None,
            timers: Vec::new(),
            pending: Vec::new(),
            rungs: Vec::new(),
            program: ProgramTerminal::NoProgram,
        };
        let parent = match process {
            ProcessState::Later => {
                facts.flags |= ActorFlags::LATER;
                return facts;
            }
            ProcessState::Gone => return facts,
            ProcessState::Booting(parent) => {
                facts.flags |= ActorFlags::BOOTING;
                *parent
            }
            ProcessState::Zombie(status, parent) => {
                facts.flags |= ActorFlags::ZOMBIE;
                facts.zombie = Some(*status);
                *parent
            }
            ProcessState::Running(running) => {
                facts.see_running(running, topology.config().policy);
                running.parent
            }
        };
        facts.parent = match parent {
            Parent::Supervisor => topology.config().tree.supervisor(actor),
            Parent::RootUnaware | Parent::RootAware => Some(topology.root()),
            Parent::Init => None,
        };
        facts.flags.set(ActorFlags::UNFOUND, parent == Parent::RootUnaware);
        facts
    }

    fn see_running(&mut self, running: &RunningProcess, policy: Policy) {
        let node = &running.node;
        let open = node.requests().open();
        self.prompt = open.map(|own| own.request);
        self.waiting = node
            .requests()
            .iter()
            .filter(|own| own.stage == RequestStage::Waiting)
            .map(|own| own.request)
            .collect();
        self.holds = node.holds().protecting().map(|(request, _)| request).collect();
        self.timers = running.timers.iter().copied().collect();
        self.pending = running.pending.iter().collect();
        self.program = running.program;
        let rung = |(id, child): (&ActorId, &Child)| (*id, child.rung, child.grace);
        self.rungs = node.children().iter().map(rung).collect();
        let (root, orphan) = match node.position() {
            TreePosition::Root { server, .. } => {
                self.owner = server.owner();
                (true, false)
            }
            TreePosition::Below { uplink, .. } => (false, *uplink == Uplink::Ended),
        };
        let tearing = matches!(node.teardown(), Teardown::Running(_));
        let frozen = policy.while_prompt == WhilePrompt::Freezes && open.is_some();
        let shielded = policy.shield == Shield::On && node.disposition() == Disposition::Shield;
        let plain = |own: &OwnRequest| own.purpose.shielding() == Shielding::Plain;
        let failing = node.requests().iter().any(|own| own.purpose == Purpose::PostMortem);
        let sweeping = root
            && tearing
            && node.children().is_empty()
            && node.requests().is_empty()
            && node.user_task() == UserTaskState::Ended;
        let table = [
            (ActorFlags::RUNNING, true),
            (ActorFlags::SERVING, !frozen),
            (ActorFlags::CANCELLED, node.teardown() != Teardown::NotAsked),
            (ActorFlags::TEARING_DOWN, tearing),
            (ActorFlags::FORCED, node.urgency() == Urgency::Forced),
            (ActorFlags::STOPPING, node.stop_order() == StopOrder::Received),
            (ActorFlags::SWEEPING, sweeping),
            (ActorFlags::USER_TASK_ASKED, node.user_task() == UserTaskState::Asked),
            (ActorFlags::USER_TASK_ENDED, node.user_task() == UserTaskState::Ended),
            (ActorFlags::SHIELDED, shielded),
            (ActorFlags::ORPHAN, orphan),
            (ActorFlags::WAITING, !self.waiting.is_empty()),
            (ActorFlags::HOLDING, !self.holds.is_empty()),
            (ActorFlags::PROMPT_SHIELDED, open.is_some_and(|own| !plain(&own))),
            (ActorFlags::FAILING, failing),
        ];
        for (flag, value) in table {
            self.flags.set(flag, value);
        }
    }
}

/// What can be seen of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneFacts {
    /// A message or the end can be read.
    pub readable: bool,
    /// Both ends are there.
    pub open: bool,
    /// A request is spoken of by some message under way.
    pub about_request: bool,
    /// A grant is under way.
    pub grant: Option<RequestId>,
}

/// What can be seen of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkFacts {
    /// Read by the lower end.
    pub down: LaneFacts,
    /// Read by the upper end.
    pub up: LaneFacts,
}

impl LaneFacts {
    /// Of a lane that is not there.
    const NONE: Self = Self { readable: false, open: false, about_request: false, grant: None };
}

impl LinkFacts {
    /// Of the link to a program that knows nothing of the tree: there is none.
    pub const NONE: Self = Self { down: LaneFacts::NONE, up: LaneFacts::NONE };

    /// What can be seen of a link.
    #[must_use]
    pub fn of(link: &LinkState) -> Self {
        let lane = |lane: &super::link::MessageLane| LaneFacts {
            readable: lane.queue().next().is_some() || lane.state() == LaneState::Closed,
            open: lane.state() == LaneState::Open,
            about_request: lane.queue().any(|message| !matches!(message, Message::Cancel { .. })),
            grant: lane.queue().find_map(|message| match message {
                Message::Grant { request } => Some(request),
                _ => None,
            }),
        };
        Self { down: lane(&link.down), up: lane(&link.up) }
    }
}

/// What can be seen of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentFacts {
    /// Of a process.
    Actor(ActorFacts),
    /// Of a link.
    Link(LinkFacts),
    /// Of the shared environment, which hides nothing.
    SharedEnvironment(SharedEnvironment),
}

/// What can be seen of the world: the facts of every component.
#[derive(Clone, Copy, Debug)]
pub struct WorldView<'a> {
    /// What stays fixed.
    pub topology: &'a Topology,
    /// The facts of every component, by slot.
    pub components: &'a [&'a ComponentFacts],
}

impl<'a> WorldView<'a> {
    /// The facts of an actor.
    #[must_use]
    pub fn actor(&self, actor: ActorId) -> &'a ActorFacts {
        match self.components[actor.index()] {
            ComponentFacts::Actor(facts) => facts,
            ComponentFacts::Link(_) | ComponentFacts::SharedEnvironment(_) => {
                unreachable!("actors come first")
            }
        }
    }

    /// The facts of the root.
    #[must_use]
    pub fn root(&self) -> &'a ActorFacts {
        self.actor(self.topology.root())
    }

    /// All actors with their facts.
    pub fn actors(&self) -> impl Iterator<Item = (ActorId, &'a ActorFacts)> + use<'a> {
        self.components.iter().enumerate().map_while(|(slot, facts)| match facts {
            ComponentFacts::Actor(facts) => Some((ActorId(slot as u32), facts)),
            ComponentFacts::Link(_) | ComponentFacts::SharedEnvironment(_) => None,
        })
    }

    /// All links, with their upper and lower actors.
    pub fn links(&self) -> impl Iterator<Item = ((ActorId, ActorId), &'a LinkFacts)> + use<'a> {
        let actors = self.topology.config().tree.len();
        let links = self.topology.links();
        self.components[actors..].iter().zip(links).map(|(facts, ends)| match facts {
            ComponentFacts::Link(facts) => (*ends, facts),
            ComponentFacts::Actor(_) | ComponentFacts::SharedEnvironment(_) => {
                unreachable!("links come second")
            }
        })
    }

    /// The facts of the link from an actor to its supervisor.
    #[must_use]
    pub fn link_up(&self, actor: ActorId) -> Option<&'a LinkFacts> {
        let link = self.topology.link_up(actor)?;
        match self.components[self.topology.config().tree.len() + usize::from(link)] {
            ComponentFacts::Link(facts) => Some(facts),
            ComponentFacts::Actor(_) | ComponentFacts::SharedEnvironment(_) => {
                unreachable!("links come second")
            }
        }
    }

    /// Whether a message, or the end, of what one actor says to another can be read.
    #[must_use]
    pub fn readable(&self, from: ActorId, to: ActorId) -> bool {
        self.links().any(|(ends, link)| {
            (ends == (to, from) && link.up.readable) || (ends == (from, to) && link.down.readable)
        })
    }

    /// What all actors share.
    #[must_use]
    pub fn shared(&self) -> &'a SharedEnvironment {
        match self.components[self.components.len() - 1] {
            ComponentFacts::SharedEnvironment(shared) => shared,
            ComponentFacts::Actor(_) | ComponentFacts::Link(_) => {
                unreachable!("the shared comes last")
            }
        }
    }

    /// Whether the tree has ended: no process is left, alive or zombie, the root's own end aside.
    #[must_use]
    pub fn ended(&self) -> bool {
        let gone = |facts: &ActorFacts| !facts.alive() && !facts.flags.contains(ActorFlags::ZOMBIE);
        !self.root().alive() && self.actors().skip(1).all(|(_, facts)| gone(facts))
    }

    /// Whether some prompt is open.
    #[must_use]
    pub fn prompt_open(&self) -> bool {
        self.actors().any(|(_, facts)| facts.prompt.is_some())
    }

    /// Whether any request is known to anybody or spoken of on any link.
    #[must_use]
    pub fn request_outstanding(&self) -> bool {
        self.actors()
            .any(|(_, facts)| facts.prompt.is_some() || facts.flags.contains(ActorFlags::WAITING))
            || self.links().any(|(_, link)| link.up.about_request || link.down.about_request)
            || !self.shared().batons.is_empty()
    }
}
