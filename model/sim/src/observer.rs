//! Watches a run while it happens.
//!
//! Whether a property holds is said in one place, for the world of the checker: each input that an
//! actor has handled, and each end of a process, is a step of that world too (`mirror`), and once
//! nothing happens any longer nothing may be owed there. What is said here besides is what that world
//! does not see: turns, user tasks, what the actor loop asks of what it acts through.

mod turn;

use super::kernel::{SimulatedKernel, State};
use super::mirror::MirroredWorld;
use holdfast_check::property::{PropertyId, PropertySet};
use holdfast_check::world::Topology;
use holdfast_protocol::actor_loop::Examine;
use holdfast_protocol::ladder::LadderRung;
use holdfast_protocol::policy::WhilePrompt;
use holdfast_protocol::{
    ActorId, Input, Message, Node, Notice, Origin, Output, RequestId, Signal, Status,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::panicking;

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Every property.
    Everything,
    /// This one alone.
    Only(PropertyId),
}

/// Whether a run is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    Verbose,
    Quiet,
}

/// What was found in some runs.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What fell, and how that showed.
    pub(crate) fell: Option<(PropertyId, String)>,
    /// How often something was seen.
    pub(crate) seen: BTreeMap<&'static str, usize>,
    /// What happened, line by line.
    pub(crate) story: Vec<String>,
}

/// What is judged, and what was found; outlives the runs.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    watch: Watch,
    verbosity: Verbosity,
    found: Arc<Mutex<Found>>,
}

impl Book {
    pub(crate) fn new(watch: Watch, verbosity: Verbosity) -> Self {
        Self { watch, verbosity, found: Arc::default() }
    }

    /// What was found so far.
    pub(crate) fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().expect("nobody panics while he writes")
    }
}

/// What an actor has told of itself.
#[derive(Clone, Debug, Default)]
struct Reported {
    /// Whether a prompt is open that leaves room for what is urgent alone.
    frozen: bool,
    /// The children that were asked to end.
    asked: BTreeSet<ActorId>,
    /// Whether it has decided to exit.
    exits: bool,
}

#[derive(Debug)]
pub(crate) struct Observer {
    book: Book,
    mirror: MirroredWorld,
    told: Vec<Reported>,
    /// From the output that opens one to the output that closes it.
    prompts: BTreeMap<ActorId, RequestId>,
    /// Requests that nobody has answered.
    askers: BTreeSet<RequestId>,
}

impl Observer {
    pub(crate) fn new(book: Book, topology: &Arc<Topology>) -> Self {
        Self {
            book,
            mirror: MirroredWorld::new(topology),
            told: topology.actors().map(|_| Reported::default()).collect(),
            prompts: BTreeMap::new(),
            askers: BTreeSet::new(),
        }
    }

    pub(crate) fn see(&self, what: &'static str) {
        *self.book.found().seen.entry(what).or_default() += 1;
    }

    /// Tells what happens, if that is wanted, until the first thread panics.
    ///
    /// All threads of a run take turns on one thread of the machine, and while the one that has
    /// found what is broken unwinds, the others go on wherever it lets go of a lock: what they do
    /// then is not of the run any longer.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        match self.book.verbosity {
            Verbosity::Verbose if !panicking() => self.book.found().story.push(what()),
            Verbosity::Verbose | Verbosity::Quiet => {}
        }
    }

    /// A property is broken. The first is what the run is about.
    fn fell(&self, property: PropertyId, what: &str) {
        if self.book.watch == Watch::Everything || self.book.watch == Watch::Only(property) {
            self.tell(|| format!("`{property}` is broken: {what}"));
            self.book.found().fell.get_or_insert_with(|| (property, what.to_owned()));
            panic!("`{property}` is broken: {what}");
        }
    }

    /// Some properties are broken.
    fn all_fell(&self, broken: PropertySet, what: impl FnOnce() -> String) {
        let watched = |property: &PropertyId| match self.book.watch {
            Watch::Everything => true,
            Watch::Only(only) => *property == only,
        };
        if let Some(property) = broken.members().find(watched) {
            self.fell(property, &what());
        }
    }

    /// What no property speaks of is not as it must be.
    pub(crate) fn wrong(&self, what: &str) {
        if self.book.watch == Watch::Everything {
            self.tell(|| what.to_owned());
            panic!("{what}");
        }
    }

    pub(crate) fn open_prompts(&self) -> Vec<(ActorId, RequestId)> {
        self.prompts.iter().map(|(actor, request)| (*actor, *request)).collect()
    }

    /// A process is started.
    pub(crate) fn started(&mut self, actor: ActorId) {
        self.mirror.started(actor);
    }

    /// Its boot is over.
    pub(crate) fn booted(&mut self, actor: ActorId) {
        self.mirror.booted(actor);
    }

    /// A signal reaches an actor that boots.
    pub(crate) fn signalled_at_boot(&mut self, actor: ActorId, signal: Signal, origin: Origin) {
        let broken = self.mirror.signalled_at_boot(actor, signal, origin);
        self.all_fell(broken, || format!("actor {} takes {signal} as it boots", actor.0));
    }

    /// A message is sent to nobody.
    pub(crate) fn lost(&mut self, from: ActorId, to: ActorId, message: Message) {
        self.mirror.lost(from, to, message);
    }

    /// A link is cut.
    pub(crate) fn cut(&mut self, actor: ActorId) {
        self.mirror.cut(actor);
    }

    /// A process has ended, and its prompt with it.
    pub(crate) fn gone(kernel: &mut SimulatedKernel, actor: ActorId, status: Status) {
        let reaped = |child: &ActorId| {
            let process = kernel.process(*child);
            process.parent == Some(actor) && process.state == State::Gone
        };
        let reaped: Vec<_> = kernel.topology.actors().filter(reaped).collect();
        let this = &mut kernel.observer;
        if this.prompts.remove(&actor).is_some() {
            this.see("a holder dies");
        }
        this.askers.retain(|request| request.actor != actor);
        this.told[actor.index()] = Reported::default();
        let broken = this.mirror.gone(actor, status, &reaped);
        this.all_fell(broken, || format!("the end of actor {} ({status:?})", actor.0));
        if actor == kernel.root() && status == Status::Killed {
            kernel.observer.see("the root is killed");
        }
    }

    /// An actor has handled an input, and nothing of it was performed yet.
    pub(crate) fn handled(
        kernel: &mut SimulatedKernel,
        actor: ActorId,
        node: &Node,
        input: Input,
        outputs: &[Output],
    ) {
        let name = kernel.name(actor).to_owned();
        kernel.observer.tell(|| format!("{name}: {input:?} --> {outputs:?}"));
        let told = Reported {
            frozen: node.policy().while_prompt == WhilePrompt::Freezes
                && node.requests().open().is_some(),
            asked: node
                .children()
                .iter()
                .filter(|(_, child)| child.rung >= LadderRung::Cancel)
                .map(|(id, _)| *id)
                .collect(),
            exits: outputs.iter().any(|output| matches!(output, Output::Exit { .. })),
        };
        let this = &mut kernel.observer;
        let before = std::mem::replace(&mut this.told[actor.index()], told);
        this.in_turn(&before, input);
        Self::asked_before(kernel, actor, input);
        if let Input::Exited { child, .. } = input
            && kernel.process(child).examine == Examine::No
            && outputs.iter().any(|output| matches!(output, Output::Requested { .. }))
        {
            kernel.observer.wrong("a failure that is not to be examined opens a prompt");
        }
        let this = &mut kernel.observer;
        let broken = this.mirror.handled(actor, input, outputs);
        this.all_fell(broken, || format!("{name} handles {input:?}: {outputs:?}"));
    }

    /// An actor performs an output.
    pub(crate) fn output(kernel: &mut SimulatedKernel, actor: ActorId, output: Output) {
        kernel.observer.mirror.performed(actor);
        match output {
            Output::Signal { .. } => kernel.observer.see("a ladder signals"),
            Output::InterruptObeyed => kernel.observer.see("a SIGINT is obeyed"),
            Output::Requested { request } => drop(kernel.observer.askers.insert(request)),
            Output::Refused { request } => {
                kernel.observer.see("a request is refused");
                kernel.observer.answered(request);
            }
            Output::PromptOpened { request } => Self::opened(kernel, actor, request),
            Output::PromptClosed { request } => {
                let this = &mut kernel.observer;
                this.prompts.remove(&actor);
                this.answered(request);
            }
            Output::Noticed { notice } => {
                if notice == Notice::InterruptShielded {
                    kernel.observer.see("a SIGINT is shielded");
                }
            }
            Output::Send { message: Message::Revoke { .. }, .. } => {
                kernel.observer.see("a prompt is revoked");
            }
            Output::Send { .. }
            | Output::Arm { .. }
            | Output::Disarm { .. }
            | Output::BatonDropped { .. }
            | Output::TerminalTaken
            | Output::TerminalRestored
            | Output::TeardownStarted { .. }
            | Output::Sweep
            | Output::Alarmed { .. }
            | Output::Exit { .. } => {}
        }
    }

    fn answered(&mut self, request: RequestId) {
        if !self.askers.remove(&request) {
            self.wrong("a request is answered twice");
        }
    }

    fn opened(kernel: &mut SimulatedKernel, actor: ActorId, request: RequestId) {
        let root = actor == kernel.root();
        kernel.observer.see(if root { "a prompt of the root" } else { "a prompt below" });
        kernel.observer.prompts.insert(actor, request);
    }

    /// Nothing happens any longer.
    pub(crate) fn at_rest(kernel: &SimulatedKernel, told_to_end: Option<PropertyId>) {
        let this = &kernel.observer;
        this.tell(|| {
            let state = |id| format!("{} {:?}", kernel.name(id), kernel.process(id).state);
            let states: Vec<_> = kernel.topology.actors().map(state).collect();
            format!("at rest: {}", states.join(", "))
        });
        let keeps =
            |(from, to): &(ActorId, ActorId)| kernel.alive(*to) && kernel.has_unread(*from, *to);
        if kernel.cut_off.iter().any(keeps) {
            this.wrong("a peer that sends what no actor sends keeps its link");
        }
        let person = (!kernel.person_gone).then_some(PropertyId::RequestAnswered);
        let owed = this.mirror.look(|scene| {
            let of = |one: &PropertyId| one.obligation().expect("it is a leads-to");
            let asked = told_to_end.filter(|property| !(of(property).discharged)(scene));
            let owed = |one: &PropertyId| (of(one).obliged)(scene) && !(of(one).discharged)(scene);
            let always = [PropertyId::TeardownCompletes].into_iter().chain(person).filter(owed);
            asked.into_iter().chain(always).collect::<PropertySet>()
        });
        this.all_fell(owed, || "nothing moves any longer".to_owned());
        let quiet = this.prompts.is_empty() && this.askers.is_empty();
        if !quiet && !kernel.person_gone {
            this.wrong("a request is not answered, and nothing moves any longer");
        }
        if quiet && kernel.alive(kernel.root()) {
            let unreaped = |state: State| matches!(state, State::Zombie(_));
            if kernel.processes.iter().any(|process| unreaped(process.state)) {
                this.wrong("a child that has ended is not reaped at rest");
            }
        }
    }
}
