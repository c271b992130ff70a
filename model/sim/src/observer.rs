//! Judges a run while it happens, by what is certain at that moment.
//!
//! Actors run at the same time, so no snapshot of the whole tree means anything. What is judged:
//!
//! * an output, when it is performed, under the one lock: prompts open and close, links open and
//!   end, processes live and die under that lock, too;
//! * an actor's own state, which it tells after each input and before any output of it: so what an
//!   output rests on is told before the output can be seen;
//! * the whole tree, once nothing happens any longer.

mod turn;

use super::kernel::{SimulatedKernel, State};
use super::links::Baton;
use holdfast_check::property::PropertyId;
use holdfast_check::world::shared::TerminalModes;
use holdfast_protocol::actor_loop::Examine;
use holdfast_protocol::input::Shielding;
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::node::TreePosition;
use holdfast_protocol::policy::{Lock, Shield, WhilePrompt};
use holdfast_protocol::reaper::{Child, LadderRung};
use holdfast_protocol::sigint::Disposition;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{
    ActorId, Input, Message, Node, Notice, Origin, Output, RequestId, Signal, Status, Urgency,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

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
    holds: BTreeSet<RequestId>,
    cancelled: bool,
    forced: bool,
    shielded: bool,
    waiting: bool,
    open_shielded: bool,
    owner: Option<RequestId>,
    /// Whether it would act on a SIGINT if it were the root: it has something to end or to hurry,
    /// and nothing to protect.
    due: bool,
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
    told: Vec<Reported>,
    /// From the output that opens one to the output that closes it.
    prompts: BTreeMap<ActorId, RequestId>,
    /// Those whose actor has decided that they are over.
    closing: BTreeSet<ActorId>,
    /// Requests that nobody has answered.
    askers: BTreeSet<RequestId>,
}

impl Observer {
    pub(crate) fn new(book: Book, actors: usize) -> Self {
        Self {
            book,
            told: vec![Reported::default(); actors],
            prompts: BTreeMap::new(),
            closing: BTreeSet::new(),
            askers: BTreeSet::new(),
        }
    }

    pub(crate) fn see(&self, what: &'static str) {
        *self.book.found().seen.entry(what).or_default() += 1;
    }

    /// Tells what happens, if that is wanted.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        match self.book.verbosity {
            Verbosity::Verbose => self.book.found().story.push(what()),
            Verbosity::Quiet => {}
        }
    }

    /// A property is broken.
    fn fell(&self, property: PropertyId, what: &str) {
        if self.book.watch == Watch::Everything || self.book.watch == Watch::Only(property) {
            self.tell(|| format!("`{property}` is broken: {what}"));
            self.book.found().fell = Some((property, what.to_owned()));
            panic!("`{property}` is broken: {what}");
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

    /// Whether somebody still protects: a request is known to somebody.
    pub(crate) fn quiet(&self) -> bool {
        self.prompts.is_empty() && self.askers.is_empty()
    }

    /// A process has ended, and its prompt with it.
    pub(crate) fn gone(&mut self, actor: ActorId) {
        if self.prompts.remove(&actor).is_some() {
            self.see("a holder dies");
        }
        self.closing.remove(&actor);
        self.askers.retain(|request| request.actor != actor);
        self.told[actor.index()] = Reported::default();
    }

    /// An actor has handled an input, and nothing of it was performed yet.
    pub(crate) fn handled(
        kernel: &mut SimulatedKernel,
        actor: ActorId,
        node: &Node,
        input: Input,
        outputs: &[Output],
    ) {
        let name = kernel.name(actor);
        kernel.observer.tell(|| format!("{name}: {input:?} --> {outputs:?}"));
        let shield = node.policy().shield == Shield::On;
        let climbs = |child: &Child| child.rung < LadderRung::Kill;
        let owner = match node.position() {
            TreePosition::Root { server, .. } => server.owner(),
            TreePosition::Below { .. } => None,
        };
        let protects = !node.requests().is_empty() || node.holds().iter().next().is_some();
        let told = Reported {
            holds: node.holds().protecting().map(|(request, _)| request).collect(),
            cancelled: node.teardown() != Teardown::NotAsked,
            forced: node.urgency() == Urgency::Forced,
            shielded: shield && node.disposition() == Disposition::Shield,
            waiting: node.requests().iter().any(|own| own.stage == RequestStage::Waiting),
            open_shielded: node
                .requests()
                .open()
                .is_some_and(|own| own.purpose.shielding() == Shielding::Shielded),
            owner,
            due: !protects
                && owner.is_none()
                && match node.teardown() {
                    Teardown::NotAsked => true,
                    Teardown::Running(_) => node.children().values().any(climbs),
                    Teardown::Deferred(_) | Teardown::Over => false,
                },
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
        let interrupt = matches!(input, Input::Signalled { signal: Signal::Interrupt, .. });
        let obeyed = outputs.contains(&Output::InterruptObeyed);
        if interrupt && before.due && !obeyed && actor == kernel.topology.root() {
            this.fell(PropertyId::InterruptObeyed, "a SIGINT changes nothing");
        }
        for output in outputs {
            match output {
                Output::PromptClosed { .. } => drop(this.closing.insert(actor)),
                Output::PromptOpened { .. }
                    if before.cancelled && !this.told[actor.index()].open_shielded =>
                {
                    let what = "a prompt opens in an actor that was told to end";
                    this.fell(PropertyId::NoPromptAfterCancel, what);
                }
                _ => {}
            }
        }
        let ignorant = kernel.observer.open_prompts().into_iter().find(|(holder, request)| {
            !kernel.observer.closing.contains(holder)
                && above(kernel, *holder).any(|above| above == actor)
                && !kernel.observer.told[actor.index()].holds.contains(request)
        });
        if ignorant.is_some() {
            kernel
                .observer
                .fell(PropertyId::AncestorsKnow, "an ancestor lets go of an open prompt");
        }
        if actor == kernel.root() && kernel.topology.config().policy.lock != Lock::Absent {
            let out = |(request, baton): (&RequestId, &Baton)| {
                *baton != Baton::Closed && Some(*request) != owner
            };
            if kernel.batons.iter().any(out) {
                let what = "the lock was given on while a grant is out";
                kernel.observer.fell(PropertyId::ReleasedOnce, what);
            }
        }
    }

    /// An actor performs an output. `taken` is where the SIGINT that it acts on came from.
    pub(crate) fn output(
        kernel: &mut SimulatedKernel,
        actor: ActorId,
        output: Output,
        taken: Option<Origin>,
    ) {
        let forced = kernel.observer.told[actor.index()].forced;
        match output {
            Output::Signal { child, .. } => {
                kernel.observer.see("a ladder signals");
                if !forced && in_branch(kernel, child) {
                    let what = "a ladder signals the branch of an open prompt";
                    kernel.observer.fell(PropertyId::NoSignalUnderHold, what);
                }
            }
            Output::TeardownStarted { .. } => {
                if !forced && below(kernel, actor) {
                    let what = "a teardown begins above an open prompt";
                    kernel.observer.fell(PropertyId::NoCancelUnderHold, what);
                }
            }
            Output::InterruptObeyed => {
                let protected = match taken {
                    Some(Origin::Process) => in_branch(kernel, actor),
                    Some(Origin::Terminal) | None => !kernel.observer.prompts.is_empty(),
                };
                if protected && !forced {
                    let what = "a SIGINT is acted on under an open prompt";
                    kernel.observer.fell(PropertyId::InterruptShielded, what);
                }
                kernel.observer.see("a SIGINT is obeyed");
            }
            Output::Requested { request } => drop(kernel.observer.askers.insert(request)),
            Output::Refused { request } => {
                kernel.observer.see("a request is refused");
                kernel.observer.answered(request);
            }
            Output::PromptOpened { request } => Self::opened(kernel, actor, request),
            Output::PromptClosed { request } => {
                let this = &mut kernel.observer;
                this.prompts.remove(&actor);
                this.closing.remove(&actor);
                this.answered(request);
            }
            Output::Alarmed { alarm } => {
                kernel.observer.fell(PropertyId::NoAlarm, &format!("{alarm:?}"));
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
            | Output::Sweep
            | Output::Exit { .. } => {}
        }
    }

    fn answered(&mut self, request: RequestId) {
        if !self.askers.remove(&request) {
            self.fell(PropertyId::ReleasedOnce, "a request is answered twice");
        }
    }

    fn opened(kernel: &mut SimulatedKernel, actor: ActorId, request: RequestId) {
        let root = kernel.root();
        kernel.observer.see(if actor == root { "a prompt of the root" } else { "a prompt below" });
        kernel.observer.prompts.insert(actor, request);
        if kernel.observer.prompts.len() > 1 {
            kernel.observer.fell(PropertyId::OnePrompt, "a second prompt opens");
        }
        let ignorant = above(kernel, actor)
            .find(|a| !kernel.observer.told[a.index()].holds.contains(&request));
        if ignorant.is_some() {
            kernel
                .observer
                .fell(PropertyId::AncestorsKnow, "a prompt opens and an ancestor does not hold");
        }
        let lock = kernel.topology.config().policy.lock != Lock::Absent;
        let owner = kernel.observer.told[root.index()].owner;
        if lock && kernel.alive(root) && owner != Some(request) {
            kernel.observer.fell(PropertyId::ReleasedOnce, "a prompt opens without the lock");
        }
    }

    /// The root's process has ended.
    pub(crate) fn root_ended(kernel: &mut SimulatedKernel, status: Status) {
        if status == Status::Killed {
            return kernel.observer.see("the root is killed");
        }
        let left = |state: State| !matches!(state, State::Later | State::Gone);
        if kernel.processes[1..].iter().any(|process| left(process.state)) {
            kernel.observer.fell(PropertyId::NoneLeft, "the root ends before its descendants");
        }
        if kernel.modes != TerminalModes::Original {
            kernel.observer.fell(PropertyId::TerminalRestored, "the root ends in a debug session");
        }
    }

    /// Nothing happens any longer.
    pub(crate) fn at_rest(kernel: &SimulatedKernel, told_to_end: Option<PropertyId>) {
        let this = &kernel.observer;
        let left = |state: State| !matches!(state, State::Later | State::Gone);
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
        let root = kernel.alive(kernel.root());
        let ended = !root && !kernel.processes[1..].iter().any(|process| left(process.state));
        let cancelled = !root || this.told[kernel.root().index()].cancelled;
        if let Some(property) = told_to_end
            && !ended
        {
            this.fell(property, "the tree was told to end, is at rest and has not ended");
        }
        if !ended && cancelled {
            this.fell(PropertyId::TeardownCompletes, "the tree is at rest and has not ended");
        }
        if !kernel.person_gone && !this.quiet() {
            this.fell(PropertyId::RequestAnswered, "a request is outstanding at rest");
        }
        if root && this.quiet() {
            let stale = |told: &Reported| !told.holds.is_empty() || told.shielded || told.waiting;
            if this.told.iter().any(stale) || kernel.modes != TerminalModes::Original {
                this.fell(PropertyId::NothingStale, "a hold or a shield is left at rest");
            }
            if this.told[kernel.root().index()].owner.is_some() {
                this.fell(PropertyId::ReleasedOnce, "the lock is owned at rest");
            }
            let unreaped = |state: State| matches!(state, State::Zombie(_));
            if kernel.processes.iter().any(|process| unreaped(process.state)) {
                this.wrong("a child that has ended is not reaped at rest");
            }
        }
    }
}

/// The supervisors above an actor, as far as messages pass.
fn above(kernel: &SimulatedKernel, actor: ActorId) -> impl Iterator<Item = ActorId> + '_ {
    std::iter::successors(kernel.connected_up(actor), |above| kernel.connected_up(*above))
}

/// Whether a prompt is open in the connected branch below an actor.
fn below(kernel: &SimulatedKernel, actor: ActorId) -> bool {
    let this = &kernel.observer;
    let open = this.prompts.keys().filter(|holder| !this.closing.contains(holder));
    open.into_iter().any(|holder| above(kernel, *holder).any(|above| above == actor))
}

/// Whether a prompt is open in an actor or in its connected branch.
fn in_branch(kernel: &SimulatedKernel, actor: ActorId) -> bool {
    let this = &kernel.observer;
    let own = this.prompts.contains_key(&actor) && !this.closing.contains(&actor);
    own || below(kernel, actor)
}
