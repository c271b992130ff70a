//! The always-properties once more, as a sceptic reads their sentences: over the plain values of a
//! system, one sentence after the other, with nothing shared but the values themselves.
//!
//! Naive on purpose. What the product judges by is `safety`; this is its oracle, in tests alone.

use holdfast_check::property::safety::Judgement;
use holdfast_check::property::{PropertyId, PropertySet};
use holdfast_check::world::component::ComponentValue;
use holdfast_check::world::config::Config;
use holdfast_check::world::link::{LaneState, LinkState, MessageLane};
use holdfast_check::world::process::{ProcessState, RunningProcess};
use holdfast_check::world::shared::{BatonState, RootEnd, SharedEnvironment, TerminalModes};
use holdfast_check::world::{Fault, Observation, System, Topology};
use holdfast_protocol::input::Shielding;
use holdfast_protocol::ladder::LadderRung;
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::node::{Node, TreePosition};
use holdfast_protocol::policy::{Lock, LockRelease, Shield};
use holdfast_protocol::sigint::Disposition;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{ActorId, DebugMode, Message, Origin, Output, RequestId, Signal, Urgency};

/// Notes that a sentence speaks of what is there.
fn triggered(judgement: &mut Judgement, property: PropertyId, is_so: bool) {
    if is_so {
        judgement.triggered |= PropertySet::of(property);
    }
}

/// Notes that a sentence is violated.
fn violated(judgement: &mut Judgement, property: PropertyId, is_so: bool) {
    if is_so {
        judgement.violated |= PropertySet::of(property);
        judgement.triggered |= PropertySet::of(property);
    }
}

/// A system, as it is read.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) topology: &'a Topology,
    pub(crate) system: &'a System,
}

pub(crate) const ROOT: ActorId = ActorId(0);

impl<'a> World<'a> {
    pub(crate) fn config(self) -> &'a Config {
        self.topology.config()
    }

    pub(crate) fn actors(self) -> impl Iterator<Item = ActorId> {
        (0..self.config().tree.len() as u32).map(ActorId)
    }

    pub(crate) fn process(self, actor: ActorId) -> &'a ProcessState {
        match &self.system.components()[actor.0 as usize] {
            ComponentValue::Actor(process) => process,
            other => panic!("{other:?} stands where actor {actor:?} should"),
        }
    }

    pub(crate) fn running(self, actor: ActorId) -> Option<&'a RunningProcess> {
        match self.process(actor) {
            ProcessState::Running(running) => Some(running),
            ProcessState::Later
            | ProcessState::Booting(_)
            | ProcessState::Zombie(..)
            | ProcessState::Gone => None,
        }
    }

    pub(crate) fn node(self, actor: ActorId) -> Option<&'a Node> {
        self.running(actor).map(|running| &running.node)
    }

    /// Every process that is there: it boots, runs, or has ended and was not reaped.
    fn is_there(self, actor: ActorId) -> bool {
        !matches!(self.process(actor), ProcessState::Later | ProcessState::Gone)
    }

    pub(crate) fn is_alive(self, actor: ActorId) -> bool {
        matches!(self.process(actor), ProcessState::Booting(_) | ProcessState::Running(_))
    }

    fn links(self) -> impl Iterator<Item = ((ActorId, ActorId), &'a LinkState)> {
        let first = self.config().tree.len();
        self.topology.links().iter().enumerate().map(move |(number, ends)| {
            match &self.system.components()[first + number] {
                ComponentValue::Link(link) => (*ends, link),
                other => panic!("{other:?} stands where link {number} should"),
            }
        })
    }

    fn lanes(self) -> impl Iterator<Item = &'a MessageLane> {
        self.links().flat_map(|(_, link)| [&link.up, &link.down])
    }

    pub(crate) fn rest(self) -> &'a SharedEnvironment {
        match self.system.components().last() {
            Some(ComponentValue::SharedEnvironment(rest)) => rest,
            other => panic!("{other:?} stands last"),
        }
    }

    pub(crate) fn open_prompt(self, actor: ActorId) -> Option<RequestId> {
        let own = self.node(actor)?.requests().iter().find(|own| own.stage == RequestStage::Open);
        own.map(|own| own.request)
    }

    fn prompts(self) -> impl Iterator<Item = (ActorId, RequestId)> {
        self.actors().filter_map(move |actor| Some((actor, self.open_prompt(actor)?)))
    }

    pub(crate) fn waits(self, actor: ActorId) -> bool {
        self.node(actor).is_some_and(|node| {
            node.requests().iter().any(|own| own.stage == RequestStage::Waiting)
        })
    }

    /// The supervisors above an actor as far as messages pass: both run, and both directions of
    /// the link between them are open.
    fn connected_above(self, actor: ActorId) -> Vec<ActorId> {
        let mut above = Vec::new();
        let mut at = actor;
        while let Some(supervisor) = self.config().tree.supervisor(at) {
            let link = self.links().find(|(ends, _)| *ends == (supervisor, at));
            let open = |lane: &MessageLane| lane.state() == LaneState::Open;
            let passes = link.is_some_and(|(_, link)| open(&link.up) && open(&link.down));
            if !passes || self.running(supervisor).is_none() {
                break;
            }
            above.push(supervisor);
            at = supervisor;
        }
        above
    }

    fn prompt_below(self, actor: ActorId) -> bool {
        self.prompts().any(|(prompt, _)| self.connected_above(prompt).contains(&actor))
    }

    fn prompt_in_branch(self, actor: ActorId) -> bool {
        self.open_prompt(actor).is_some() || self.prompt_below(actor)
    }

    /// Told, by whoever may, that the grace of a stop is over: holds protect nobody any longer.
    fn grace_is_over_for(self, actor: ActorId) -> bool {
        self.node(actor).is_some_and(|node| node.urgency() == Urgency::Forced)
    }

    pub(crate) fn told_to_end(self, actor: ActorId) -> bool {
        self.node(actor).is_some_and(|node| node.teardown() != Teardown::NotAsked)
    }

    fn tearing_down(self, actor: ActorId) -> bool {
        let running = |node: &Node| matches!(node.teardown(), Teardown::Running(_));
        self.node(actor).is_some_and(running)
    }

    /// Nobody has, wants, or speaks of a request, and no baton is about.
    pub(crate) fn nobody_asks(self) -> bool {
        let asks = |actor| self.open_prompt(actor).is_some() || self.waits(actor);
        let speaks = |message: Message| match message {
            Message::Cancel { .. } => false,
            Message::Want { .. }
            | Message::Grant { .. }
            | Message::Done { .. }
            | Message::Lost { .. }
            | Message::Refuse { .. }
            | Message::Revoke { .. } => true,
        };
        !self.actors().any(asks)
            && !self.lanes().any(|lane| lane.queue().any(speaks))
            && self.rest().batons.is_empty()
    }

    /// Nobody is about to hear of an end: no zombie, no end of a link that can be read, no orphan
    /// on its way out.
    fn no_end_is_news(self) -> bool {
        let zombie = |actor| matches!(self.process(actor), ProcessState::Zombie(..));
        let orphan = |actor: ActorId| {
            let cut_off = |node: &Node| match node.position() {
                TreePosition::Root { .. } => false,
                TreePosition::Below { uplink, .. } => {
                    *uplink == holdfast_protocol::node::Uplink::Ended
                }
            };
            self.node(actor).is_some_and(cut_off) && self.told_to_end(actor)
        };
        let unread = |lane: &MessageLane| match lane.state() {
            LaneState::Open => false,
            LaneState::Closed => true,
            LaneState::Over => lane.queue().next().is_some(),
        };
        !self.actors().any(|actor| zombie(actor) || orphan(actor)) && !self.lanes().any(unread)
    }

    pub(crate) fn tree_has_ended(self) -> bool {
        !self.is_alive(ROOT) && self.actors().skip(1).all(|actor| !self.is_there(actor))
    }

    fn root_exited(self) -> bool {
        self.rest().root_end == Some(RootEnd::Exited)
    }

    /// Somebody wanted the terminal in this run, by what was spent or scripted.
    fn was_asked(self) -> bool {
        let left = |fault| (self.rest().budget.left(fault), self.config().budget.left(fault));
        let spent = |fault| left(fault).0 < left(fault).1;
        spent(Fault::Request)
            || spent(Fault::Shielded)
            || (spent(Fault::Error) && self.config().debug.contains(&DebugMode::On))
            || self.rest().at > 0
    }
}

/// What the sentences say of a state.
pub(crate) fn of_state(topology: &Topology, system: &System) -> Judgement {
    let world = World { topology, system };
    let mut judgement = Judgement::default();
    let any_prompt = world.prompts().next().is_some();
    let prompt_below_root = world.prompts().any(|(actor, _)| actor != ROOT);

    // At most one actor has an open prompt.
    let first = world.prompts().next().map(|(actor, _)| actor);
    let another_wants = world.actors().any(|actor| Some(actor) != first && world.waits(actor));
    triggered(&mut judgement, PropertyId::OnePrompt, any_prompt && another_wants);
    violated(&mut judgement, PropertyId::OnePrompt, world.prompts().count() > 1);

    // Every live, connected ancestor of an open prompt holds for it.
    let holds_for = |above: ActorId, request: RequestId| {
        let node = world.node(above).expect("a connected ancestor runs");
        node.holds().protecting().any(|(held, _)| held == request)
    };
    triggered(&mut judgement, PropertyId::AncestorsKnow, prompt_below_root);
    for (actor, request) in world.prompts() {
        for above in world.connected_above(actor) {
            violated(&mut judgement, PropertyId::AncestorsKnow, !holds_for(above, request));
        }
    }

    // What the next two speak of; only a step can violate them.
    let on_ladder = |rung| match rung {
        LadderRung::Unlinked | LadderRung::Cancel | LadderRung::Terminate => true,
        LadderRung::Unasked | LadderRung::Kill => false,
    };
    for actor in world.actors() {
        let Some(node) = world.node(actor) else { continue };
        for (child, record) in node.children() {
            let under = on_ladder(record.rung) && world.prompt_in_branch(*child);
            triggered(&mut judgement, PropertyId::NoSignalUnderHold, under);
        }
        let waits = world.told_to_end(actor) && !world.tearing_down(actor);
        triggered(
            &mut judgement,
            PropertyId::NoCancelUnderHold,
            waits && world.prompt_below(actor),
        );
    }

    // No state that the code declares impossible is reached. A state always is one.
    triggered(&mut judgement, PropertyId::NoAlarm, true);

    // A granted request owns the lock until its prompt cannot open any longer, and no longer than
    // until its baton's end is read.
    if let (Some(root), Lock::FirstComeFirstServed) = (world.node(ROOT), world.config().policy.lock)
    {
        let owner = match root.position() {
            TreePosition::Root { server, .. } => server.owner(),
            TreePosition::Below { .. } => panic!("the root stands below somebody"),
        };
        triggered(&mut judgement, PropertyId::ReleasedOnce, prompt_below_root);
        for (_, request) in world.prompts() {
            violated(&mut judgement, PropertyId::ReleasedOnce, owner != Some(request));
        }
        for (_, link) in world.links() {
            for message in link.down.queue() {
                if let Message::Grant { request } = message {
                    violated(&mut judgement, PropertyId::ReleasedOnce, owner != Some(request));
                }
            }
        }
        if let (Some(owner), LockRelease::BatonClosed) = (owner, world.config().policy.release) {
            let known = world.rest().batons.iter().any(|(baton, state)| {
                *baton == owner && matches!(state, BatonState::Out | BatonState::Closed)
            });
            violated(&mut judgement, PropertyId::ReleasedOnce, owner.actor != ROOT && !known);
        }
    }

    if world.is_alive(ROOT) {
        // When no prompt is open, no request waits and nothing is in flight, nobody has a hold or
        // a shield, and the terminal's modes are those from before.
        if world.nobody_asks() && world.no_end_is_news() {
            triggered(&mut judgement, PropertyId::NothingStale, world.was_asked());
            for node in world.actors().filter_map(|actor| world.node(actor)) {
                let holds = node.holds().protecting().next().is_some();
                let shields = world.config().policy.shield == Shield::On
                    && node.disposition() == Disposition::Shield;
                violated(&mut judgement, PropertyId::NothingStale, holds || shields);
            }
            violated(
                &mut judgement,
                PropertyId::NothingStale,
                world.rest().modes == TerminalModes::Session,
            );
        }
    } else {
        // When the tree has ended, the modes are those from before.
        if world.tree_has_ended() && world.root_exited() {
            triggered(&mut judgement, PropertyId::TerminalRestored, world.was_asked());
            violated(
                &mut judgement,
                PropertyId::TerminalRestored,
                world.rest().modes == TerminalModes::Session,
            );
        }
        // When the root has ended, not by SIGKILL, no descendant is left, alive or zombie.
        triggered(&mut judgement, PropertyId::NoneLeft, world.root_exited());
        for actor in world.actors().skip(1) {
            violated(
                &mut judgement,
                PropertyId::NoneLeft,
                world.root_exited() && world.is_there(actor),
            );
        }
    }
    judgement
}

/// What the sentences say of a step, by what was seen between the two states.
pub(crate) fn of_step(
    topology: &Topology,
    before: &System,
    seen: &[Observation],
    after: &System,
) -> Judgement {
    let (before, after) = (World { topology, system: before }, World { topology, system: after });
    let mut judgement = Judgement::default();
    // The SIGINT that was taken last, up to a place in what was seen.
    let interrupt = |upto: usize| {
        seen[..upto].iter().rev().find_map(|what| match what {
            Observation::Took { actor, signal: Signal::Interrupt, origin } => {
                Some((*actor, *origin))
            }
            _ => None,
        })
    };
    for (at, what) in seen.iter().enumerate() {
        match *what {
            Observation::Took { signal: Signal::Interrupt, .. } => {
                let any = before.prompts().next().is_some();
                triggered(&mut judgement, PropertyId::InterruptShielded, any);
            }
            Observation::Output { actor, output } => {
                let excused = after.grace_is_over_for(actor);
                match output {
                    // No SIGTERM or SIGKILL of a ladder goes to an actor that is, or has in its
                    // connected branch, an open prompt.
                    Output::Signal { child, .. } => violated(
                        &mut judgement,
                        PropertyId::NoSignalUnderHold,
                        !excused && before.prompt_in_branch(child),
                    ),
                    // Nobody starts a teardown above a connected open prompt.
                    Output::TeardownStarted { .. } => violated(
                        &mut judgement,
                        PropertyId::NoCancelUnderHold,
                        !excused && after.prompt_below(actor),
                    ),
                    // No actor acts on a Ctrl-C while a prompt is open anywhere, nor on a SIGINT
                    // of its own while one is open in its connected branch.
                    Output::InterruptObeyed => {
                        let open = match interrupt(at) {
                            Some((_, Origin::Process)) => before.prompt_in_branch(actor),
                            Some((_, Origin::Terminal)) | None => before.prompts().next().is_some(),
                        };
                        violated(&mut judgement, PropertyId::InterruptShielded, !excused && open);
                    }
                    // No prompt opens in an actor that was told to end, unless the request is
                    // shielded.
                    Output::PromptOpened { .. } => {
                        let plain = after.node(actor).is_none_or(|node| {
                            !node.requests().iter().any(|own| {
                                own.stage == RequestStage::Open
                                    && own.purpose.shielding() == Shielding::Shielded
                            })
                        });
                        violated(
                            &mut judgement,
                            PropertyId::NoPromptAfterCancel,
                            before.told_to_end(actor) && plain,
                        );
                    }
                    Output::Refused { .. } => {
                        triggered(
                            &mut judgement,
                            PropertyId::NoPromptAfterCancel,
                            after.told_to_end(actor),
                        );
                    }
                    Output::Alarmed { .. } => violated(&mut judgement, PropertyId::NoAlarm, true),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    // A SIGINT that the root takes while no request is outstanding, and no end is news, cancels
    // the tree, or moves every ladder up one rung.
    if interrupt(seen.len()).is_some_and(|(actor, _)| actor == ROOT)
        && before.nobody_asks()
        && before.no_end_is_news()
    {
        let children = before.node(ROOT).into_iter().flat_map(Node::children);
        let climbing: Vec<_> =
            children.filter(|(_, child)| child.rung < LadderRung::Kill).collect();
        let tearing = before.tearing_down(ROOT);
        let due = if tearing { !climbing.is_empty() } else { !before.told_to_end(ROOT) };
        let obeyed = seen.iter().any(|what| {
            matches!(what, Observation::Output { actor: ROOT, output: Output::InterruptObeyed })
        });
        let stayed = climbing.iter().any(|(id, child)| {
            let now = after.node(ROOT).and_then(|root| root.children().get(id));
            now.is_some_and(|now| now.rung <= child.rung)
        });
        triggered(&mut judgement, PropertyId::InterruptObeyed, due);
        violated(
            &mut judgement,
            PropertyId::InterruptObeyed,
            due && (!obeyed || (tearing && stayed)),
        );
    }
    judgement
}
