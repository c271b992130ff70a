//! A process and the node in it.
//!
//! ```text
//!     Later --spawn--> Booting --boot--> Running --exit, SIGKILL--> Zombie --reap--> Gone
//!                         \____________ SIGKILL, default dispositions __/
//! ```
//!
//! SIGKILL takes effect in the step that sends it: what a victim could still do afterwards it
//! could as well have done before.

use super::component::{ActorInput, Component, Effect, Observation};
use super::link::LinkInput;
pub use super::program::{ProgramInput, ProgramTerminal};
use super::shared::{RootEnd, SharedInput, TerminalModes};
use super::topology::Topology;
use holdfast_protocol::node::Node;
use holdfast_protocol::policy::{BootInterrupt, LockRelease, Orphans};
use holdfast_protocol::rename;
use holdfast_protocol::{
    ActorId, Input, LadderSignal, Message, Origin, Outbox, Output, Signal, Status, Timer,
};
use std::collections::BTreeSet;

/// The parent of a process, as the kernel has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parent {
    /// The actor that spawned it.
    Supervisor,
    /// The root, as subreaper, which has not seen it yet.
    RootUnaware,
    /// The root, as subreaper, which knows it.
    RootAware,
    /// init, which reaps at once.
    Init,
}

/// The signals that wait to be handled.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PendingSignals {
    signals: Vec<(Signal, Origin)>,
}

impl PendingSignals {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Signal> + '_ {
        self.signals.iter().map(|(signal, _)| *signal)
    }

    /// Where a pending signal came from.
    #[must_use]
    pub fn origin(&self, signal: Signal) -> Option<Origin> {
        self.signals.iter().find(|(pending, _)| *pending == signal).map(|(_, origin)| *origin)
    }

    fn add(&mut self, signal: Signal, origin: Origin) {
        if !self.iter().any(|pending| pending == signal) {
            self.signals.push((signal, origin));
            self.signals.sort_unstable();
        }
    }

    fn take(&mut self, signal: Signal) -> Origin {
        let index = self.iter().position(|pending| pending == signal);
        self.signals.remove(index.expect("only a pending signal is taken")).1
    }
}

/// A process that runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunningProcess {
    /// Its half of the protocol.
    pub node: Node,
    /// The timers that it armed.
    pub timers: BTreeSet<Timer>,
    /// Signals that it has not handled.
    pub pending: PendingSignals,
    /// Its parent.
    pub parent: Parent,
    /// How many outputs of its next input the process performs before it is killed; none if it
    /// performs all. In recorded runs alone.
    pub cut_short: Option<u8>,
    /// Of a host: what its program does at the terminal.
    pub program: ProgramTerminal,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProcessState {
    /// Not started.
    Later,
    /// Started, not yet listening; a program that knows nothing of the tree never listens.
    Booting(Parent),
    /// Started, and listening.
    Running(Box<RunningProcess>),
    /// Ended, not reaped.
    Zombie(Status, Parent),
    /// Ended and reaped.
    Gone,
}

impl ProcessState {
    /// A process that listens from now on.
    #[must_use]
    pub fn running(topology: &Topology, node: Node, parent: Parent) -> Self {
        let (timers, pending) = (BTreeSet::new(), PendingSignals::default());
        let program = ProgramTerminal::new(topology, node.id());
        let cut_short = None;
        let running = RunningProcess { node, timers, pending, parent, cut_short, program };
        Self::Running(Box::new(running))
    }

    /// Takes one input.
    pub fn step(
        &mut self,
        topology: &Topology,
        actor: ActorId,
        input: ActorInput,
        effects: &mut Vec<Effect>,
    ) {
        match input {
            ActorInput::Handle(input) => self.handle(topology, actor, input, effects),
            ActorInput::Pend(signal, origin) => self.pend(topology, actor, signal, origin, effects),
            ActorInput::Take(signal) => {
                let Self::Running(running) = self else { return };
                let origin = running.pending.take(signal);
                effects.push(Effect::Observation(Observation::Took { actor, signal, origin }));
                self.handle(topology, actor, Input::Signalled { signal, origin }, effects);
            }
            ActorInput::Kill => self.end_at_once(topology, actor, Status::Killed, effects),
            ActorInput::Die(status) => match self {
                // It had said its last word, and its process was killed before it was gone.
                Self::Zombie(ended, _) => *ended = status,
                Self::Later | Self::Booting(_) | Self::Running(_) | Self::Gone => {
                    self.end_at_once(topology, actor, status, effects);
                }
            },
            ActorInput::ParentDied(dead) => {
                self.lose_parent(topology, actor, dead);
                // The kernel ends it with SIGTERM (PR_SET_PDEATHSIG), and hangs its terminal up.
                let tree = &topology.config().tree;
                if tree.is_program(actor) && tree.supervisor(actor) == Some(dead) {
                    self.die(topology, actor, Status::Killed, effects);
                }
            }
            ActorInput::Start => *self = Self::Booting(Parent::Supervisor),
            ActorInput::Appear => *self = Self::Booting(Parent::RootUnaware),
            ActorInput::Boot => {
                let Self::Booting(parent) = *self else { return };
                *self = Self::running(topology, topology.node(actor), parent);
            }
            ActorInput::Reap => *self = Self::Gone,
            ActorInput::Find => {
                if let Some(parent) = self.parent_mut() {
                    *parent = Parent::RootAware;
                }
            }
            ActorInput::CutShort(performed) => {
                if let Self::Running(running) = self {
                    running.cut_short = Some(performed);
                }
            }
            ActorInput::Program(input) => {
                let Self::Running(running) = self else { return };
                running.program = running.program.step(input);
            }
        }
    }

    fn handle(
        &mut self,
        topology: &Topology,
        actor: ActorId,
        input: Input,
        effects: &mut Vec<Effect>,
    ) {
        let Self::Running(running) = self else { return };
        if let Input::Expired { timer } = input {
            running.timers.remove(&timer);
        }
        if let Input::Exited { child, .. } = input
            && topology.config().tree.program_of(actor) == Some(child)
        {
            running.program = ProgramTerminal::Gone;
        }
        let mut outbox = Outbox::new();
        running.node.handle(input, &mut outbox);
        let performed = running.cut_short.map_or(usize::MAX, usize::from);
        for output in outbox.drain().take(performed) {
            effects.push(Effect::Observation(Observation::Output { actor, output }));
            self.perform(topology, actor, output, effects);
        }
    }

    fn perform(
        &mut self,
        topology: &Topology,
        actor: ActorId,
        output: Output,
        effects: &mut Vec<Effect>,
    ) {
        let Self::Running(running) = self else { return };
        running.program = running.program.after(output, topology.config().hosts);
        let batons = topology.config().policy.release == LockRelease::BatonClosed;
        let shared = |input: SharedInput| Effect::To(Component::SharedEnvironment, input.into());
        match output {
            Output::Send { to, message } => {
                if let (true, Message::Grant { request }) = (batons, message) {
                    effects.push(shared(SharedInput::MakeBaton(request)));
                }
                let (link, end) = topology.link(actor, to);
                let push = LinkInput::Push(end, message);
                effects.push(Effect::To(Component::Link(link), push.into()));
            }
            Output::Arm { timer } => {
                running.timers.insert(timer);
            }
            Output::Disarm { timer } => {
                running.timers.remove(&timer);
            }
            Output::Signal { child, signal } => {
                let input = match signal {
                    LadderSignal::Terminate => ActorInput::Pend(Signal::Terminate, Origin::Process),
                    LadderSignal::Kill => ActorInput::Kill,
                };
                effects.push(Effect::To(Component::Actor(child), input.into()));
            }
            Output::PromptClosed { request } | Output::BatonDropped { request } if batons => {
                effects.push(shared(SharedInput::CloseBaton(request)));
            }
            Output::TerminalTaken => {
                effects.push(shared(SharedInput::SetModes(TerminalModes::Session)));
            }
            Output::TerminalRestored => {
                effects.push(shared(SharedInput::SetModes(TerminalModes::Original)));
            }
            Output::Exit { status } => {
                if actor == topology.root() {
                    effects.push(shared(SharedInput::EndRoot(RootEnd::Exited)));
                }
                self.die(topology, actor, status, effects);
            }
            Output::PromptClosed { .. }
            | Output::BatonDropped { .. }
            | Output::Requested { .. }
            | Output::PromptOpened { .. }
            | Output::Refused { .. }
            | Output::InterruptObeyed
            | Output::TeardownStarted { .. }
            | Output::Sweep
            | Output::Noticed { .. }
            | Output::Alarmed { .. } => {}
        }
    }

    fn pend(
        &mut self,
        topology: &Topology,
        actor: ActorId,
        signal: Signal,
        origin: Origin,
        effects: &mut Vec<Effect>,
    ) {
        match self {
            Self::Running(running) => running.pending.add(signal, origin),
            Self::Booting(_) => {
                let ignored = topology.config().policy.boot_interrupt == BootInterrupt::Ignored;
                if !(signal == Signal::Interrupt && ignored) {
                    if signal == Signal::Interrupt {
                        // The default disposition is a way to act on it, and judged as one.
                        let output = Output::InterruptObeyed;
                        effects.push(Effect::Observation(Observation::Took {
                            actor,
                            signal,
                            origin,
                        }));
                        effects.push(Effect::Observation(Observation::Output { actor, output }));
                    }
                    self.die(topology, actor, Status::Killed, effects);
                }
            }
            Self::Later | Self::Zombie(..) | Self::Gone => {}
        }
    }

    fn parent_mut(&mut self) -> Option<&mut Parent> {
        match self {
            Self::Running(running) => Some(&mut running.parent),
            Self::Booting(parent) | Self::Zombie(_, parent) => Some(parent),
            Self::Later | Self::Gone => None,
        }
    }

    fn lose_parent(&mut self, topology: &Topology, actor: ActorId, dead: ActorId) {
        let Some(parent) = self.parent_mut() else { return };
        let lost = match parent {
            Parent::Supervisor => topology.config().tree.supervisor(actor) == Some(dead),
            Parent::RootUnaware | Parent::RootAware => dead == topology.root(),
            Parent::Init => false,
        };
        if !lost {
            return;
        }
        let subreaper = topology.config().policy.orphans == Orphans::End;
        let adopts = subreaper && dead != topology.root();
        *parent = if adopts { Parent::RootUnaware } else { Parent::Init };
        if matches!(self, Self::Zombie(_, Parent::Init)) {
            *self = Self::Gone;
        }
    }

    fn end_at_once(
        &mut self,
        topology: &Topology,
        actor: ActorId,
        status: Status,
        effects: &mut Vec<Effect>,
    ) {
        if actor == topology.root() && matches!(self, Self::Running(_)) {
            let end = SharedInput::EndRoot(RootEnd::Killed);
            effects.push(Effect::To(Component::SharedEnvironment, end.into()));
        }
        self.die(topology, actor, status, effects);
    }

    fn die(
        &mut self,
        topology: &Topology,
        actor: ActorId,
        status: Status,
        effects: &mut Vec<Effect>,
    ) {
        let parent = match self {
            Self::Running(running) => {
                let open = running.node.requests().open();
                if let (Some(own), LockRelease::BatonClosed) =
                    (open, topology.config().policy.release)
                {
                    let close = SharedInput::CloseBaton(own.request);
                    effects.push(Effect::To(Component::SharedEnvironment, close.into()));
                }
                running.parent
            }
            Self::Booting(parent) => *parent,
            Self::Later | Self::Zombie(..) | Self::Gone => return,
        };
        *self = match parent {
            Parent::Init => Self::Gone,
            Parent::Supervisor | Parent::RootUnaware | Parent::RootAware => {
                Self::Zombie(status, parent)
            }
        };
        effects.push(Effect::Observation(Observation::Died { actor, status }));
        for (link, end) in topology.links_of(actor) {
            effects.push(Effect::To(Component::Link(link), LinkInput::Died(end).into()));
        }
        for orphan in topology.may_lose_parent(actor) {
            effects
                .push(Effect::To(Component::Actor(orphan), ActorInput::ParentDied(actor).into()));
        }
    }
}

rename!(
    enum ProcessState {
        Later,
        Booting(parent),
        Running(running),
        Zombie(status, parent),
        Gone,
    }
);
rename!(struct RunningProcess { node, timers, pending, parent, cut_short, program });
rename!(nothing in Parent, PendingSignals, ProgramTerminal);
