//! The always-properties: one function each, over a state, over a step, or over both.
//!
//! A row of [`super::TABLE`] names the function of its property. A function says whether the
//! antecedent is reached and whether the property holds, and decides that by itself: the order of
//! the rows does not matter.

use super::{AlwaysClaim, PropertyId, PropertySet};
use crate::world::facts::{ActorFacts, LaneFacts};
use crate::world::process::ProgramTerminal;
use crate::world::shared::{RootEnd, TerminalModes};
use crate::world::{ActorFlags, Fault, Observation, WorldView};
use holdfast_protocol::ladder::LadderRung;
use holdfast_protocol::policy::{Lock, LockRelease, TerminalReader};
use holdfast_protocol::{ActorId, DebugMode, Origin, Output, RequestId, Signal};

/// What was found in a state or on a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Properties whose antecedent was reached.
    pub triggered: PropertySet,
    /// Properties that were violated.
    pub violated: PropertySet,
}

impl Judgement {
    /// How many antecedents were reached, and how many properties violated: what a search that
    /// counts all of them cannot have left unjudged.
    #[must_use]
    pub fn findings(&self) -> u64 {
        let count = |set: PropertySet| u64::from(set.bits().count_ones());
        count(self.triggered) + count(self.violated)
    }

    fn note(&mut self, property: PropertyId, evaluation: Evaluation) {
        if evaluation != Evaluation::NotTriggered {
            self.triggered |= PropertySet::of(property);
        }
        if evaluation == Evaluation::Violated {
            self.violated |= PropertySet::of(property);
        }
    }
}

/// What one property says, the better first.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evaluation {
    /// Its antecedent is not reached.
    NotTriggered,
    /// Its antecedent is reached and it holds.
    Holds,
    /// The property is violated.
    Violated,
}

impl Evaluation {
    fn of(triggered: bool, violated: bool) -> Self {
        match (triggered, violated) {
            (_, true) => Self::Violated,
            (true, false) => Self::Holds,
            (false, false) => Self::NotTriggered,
        }
    }
}

/// What a property says of a state.
pub type StateCheck = fn(&WorldView<'_>) -> Evaluation;

/// What a property says of a step.
#[derive(Clone, Copy, Debug)]
pub struct StepCheck {
    /// Whether the check looks at an observation. A step without any such one is not judged.
    pub reads: fn(&Observation) -> bool,
    /// The check.
    pub check: fn(&StepView<'_>) -> Evaluation,
}

/// A step: the states around it, and what was observed on it.
#[derive(Clone, Copy, Debug)]
pub struct StepView<'a> {
    /// The state before.
    pub before: &'a WorldView<'a>,
    /// What was observed, in order.
    pub observations: &'a [Observation],
    /// The state after.
    pub after: &'a WorldView<'a>,
}

/// Judges a state.
#[must_use]
pub fn judge_state(view: &WorldView<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    for (property, claim) in always() {
        if let Some(check) = claim.in_states {
            judgement.note(property, check(view));
        }
    }
    judgement
}

/// Judges a step, by what was observed between two states.
#[must_use]
pub fn judge_step(
    before: &WorldView<'_>,
    observations: &[Observation],
    after: &WorldView<'_>,
) -> Judgement {
    let mut judgement = Judgement::default();
    for (property, claim) in always() {
        if let Some(StepCheck { check, .. }) = claim.on_steps {
            judgement.note(property, check(&StepView { before, observations, after }));
        }
    }
    judgement
}

/// Whether [`judge_step`] looks at it. A step without any such observation violates nothing.
#[must_use]
pub fn matters(observation: &Observation) -> bool {
    let mut checks = always().filter_map(|(_, claim)| claim.on_steps);
    checks.any(|check| (check.reads)(observation))
}

fn always() -> impl Iterator<Item = (PropertyId, AlwaysClaim)> {
    PropertyId::ALL.into_iter().filter_map(|property| Some((property, property.always()?)))
}

impl StepView<'_> {
    /// What the nodes gave out, each with its actor.
    fn outputs(&self) -> impl Iterator<Item = (ActorId, Output)> {
        self.observations.iter().filter_map(|observation| match *observation {
            Observation::Output { actor, output } => Some((actor, output)),
            Observation::Took { .. }
            | Observation::Delivered { .. }
            | Observation::EndRead { .. }
            | Observation::Died { .. } => None,
        })
    }

    /// Whether holds protect nobody in an actor any longer.
    fn is_forced(&self, actor: ActorId) -> bool {
        self.after.actor(actor).flags.contains(ActorFlags::FORCED)
    }

    /// The worst of what is said of each output.
    fn worst(&self, of: impl FnMut((ActorId, Output)) -> Evaluation) -> Evaluation {
        self.outputs().map(of).max().unwrap_or(Evaluation::NotTriggered)
    }
}

/// Whether an observation is an output of this kind.
macro_rules! output {
    ($($kind:pat_param)|+) => {
        |observation| matches!(observation, Observation::Output { output: $($kind)|+, .. })
    };
}

/// Whether messages pass between an actor and its supervisor, both alive.
fn connected_up(view: &WorldView<'_>, actor: ActorId) -> Option<ActorId> {
    let above = view.topology.config().tree.supervisor(actor)?;
    let open = |lane: LaneFacts| lane.open;
    let link = view.link_up(actor)?;
    (open(link.up) && open(link.down) && view.actor(above).flags.contains(ActorFlags::RUNNING))
        .then_some(above)
}

/// The supervisors above an actor, as far as messages still pass.
fn connected_ancestors<'a>(
    view: &'a WorldView<'_>,
    actor: ActorId,
) -> impl Iterator<Item = ActorId> + 'a {
    std::iter::successors(connected_up(view, actor), |above| connected_up(view, *above))
}

fn prompts<'a>(view: &'a WorldView<'_>) -> impl Iterator<Item = ActorId> + 'a {
    view.actors().filter(|(_, facts)| facts.prompt.is_some()).map(|(actor, _)| actor)
}

fn prompt_below(view: &WorldView<'_>, actor: ActorId) -> bool {
    prompts(view).any(|prompt| connected_ancestors(view, prompt).any(|above| above == actor))
}

fn prompt_in_branch(view: &WorldView<'_>, actor: ActorId) -> bool {
    view.actor(actor).prompt.is_some() || prompt_below(view, actor)
}

// The properties, in the order of the table.

pub(super) fn one_prompt(view: &WorldView<'_>) -> Evaluation {
    let reader = view.topology.config().policy.reader;
    let at_keys = |facts: &ActorFacts| facts.prompt.is_some() || program_has_keys(reader, facts);
    let mut open = view.actors().filter(|(_, facts)| at_keys(facts));
    let Some((first, _)) = open.next() else { return Evaluation::NotTriggered };
    let wants = |(actor, facts): (ActorId, &ActorFacts)| {
        actor != first && facts.flags.contains(ActorFlags::WAITING)
    };
    Evaluation::of(view.actors().any(wants), open.next().is_some())
}

/// Whether the keys that are typed are those of a host's program.
fn program_has_keys(reader: TerminalReader, facts: &ActorFacts) -> bool {
    match (facts.program, reader) {
        (ProgramTerminal::Reads, _) | (ProgramTerminal::Has, TerminalReader::Root) => true,
        // All programs are in the foreground of one terminal, and have what they read.
        (ProgramTerminal::Has, TerminalReader::Holder) => false,
        (
            ProgramTerminal::NoProgram
            | ProgramTerminal::Away
            | ProgramTerminal::Stopped
            | ProgramTerminal::Asked
            | ProgramTerminal::GivenUp
            | ProgramTerminal::Gone,
            _,
        ) => false,
    }
}

pub(super) fn ancestors_know(view: &WorldView<'_>) -> Evaluation {
    let below = |actor: &ActorId| *actor != view.topology.root();
    let ignorant = |prompt: ActorId| {
        let open = view.actor(prompt).prompt;
        connected_ancestors(view, prompt)
            .any(|above| !view.actor(above).holds.iter().any(|held| Some(*held) == open))
    };
    Evaluation::of(prompts(view).any(|actor| below(&actor)), prompts(view).any(ignorant))
}

/// The antecedent of `no-signal-under-hold`, which steps alone violate.
pub(super) fn ladder_under_prompt(view: &WorldView<'_>) -> Evaluation {
    if !view.prompt_open() {
        return Evaluation::NotTriggered;
    }
    let mut on_ladder = view.actors().flat_map(|(_, facts)| &facts.rungs).filter(|(_, rung, _)| {
        matches!(rung, LadderRung::Unlinked | LadderRung::Cancel | LadderRung::Terminate)
    });
    Evaluation::of(on_ladder.any(|(child, _, _)| prompt_in_branch(view, *child)), false)
}

pub(super) const NO_SIGNAL_UNDER_HOLD: StepCheck = StepCheck {
    reads: output!(Output::Signal { .. }),
    check: |step| {
        step.worst(|(actor, output)| {
            let Output::Signal { child, .. } = output else { return Evaluation::NotTriggered };
            let unprotected = !step.is_forced(actor) && prompt_in_branch(step.before, child);
            Evaluation::of(false, unprotected)
        })
    },
};

/// The antecedent of `no-cancel-under-hold`, which steps alone violate.
pub(super) fn cancelled_above_prompt(view: &WorldView<'_>) -> Evaluation {
    if !view.prompt_open() {
        return Evaluation::NotTriggered;
    }
    let told = |(actor, facts): (ActorId, &ActorFacts)| {
        facts.flags.contains(ActorFlags::CANCELLED)
            && !facts.flags.contains(ActorFlags::TEARING_DOWN)
            && prompt_below(view, actor)
    };
    Evaluation::of(view.actors().any(told), false)
}

pub(super) const NO_CANCEL_UNDER_HOLD: StepCheck = StepCheck {
    reads: output!(Output::TeardownStarted { .. }),
    check: |step| {
        step.worst(|(actor, output)| {
            let starts = matches!(output, Output::TeardownStarted { .. });
            let protected = starts && !step.is_forced(actor) && prompt_below(step.after, actor);
            Evaluation::of(false, protected)
        })
    },
};

/// Whether a SIGINT was taken, or acted on.
fn is_interrupt(observation: &Observation) -> bool {
    matches!(
        observation,
        Observation::Took { signal: Signal::Interrupt, .. }
            | Observation::Output { output: Output::InterruptObeyed, .. }
    )
}

pub(super) const INTERRUPT_SHIELDED: StepCheck =
    StepCheck { reads: is_interrupt, check: interrupt_shielded };

fn interrupt_shielded(step: &StepView<'_>) -> Evaluation {
    let mut found = Evaluation::NotTriggered;
    let mut origin = Origin::Terminal;
    for observation in step.observations {
        match *observation {
            Observation::Took { signal: Signal::Interrupt, origin: from, .. } => {
                origin = from;
                found = found.max(Evaluation::of(step.before.prompt_open(), false));
            }
            Observation::Output { actor, output: Output::InterruptObeyed } => {
                let protected = match origin {
                    Origin::Terminal => step.before.prompt_open(),
                    Origin::Process => prompt_in_branch(step.before, actor),
                };
                found = found.max(Evaluation::of(false, protected && !step.is_forced(actor)));
            }
            Observation::Output { .. }
            | Observation::Took { .. }
            | Observation::Delivered { .. }
            | Observation::EndRead { .. }
            | Observation::Died { .. } => {}
        }
    }
    found
}

pub(super) const INTERRUPT_OBEYED: StepCheck =
    StepCheck { reads: is_interrupt, check: interrupt_obeyed };

fn interrupt_obeyed(step: &StepView<'_>) -> Evaluation {
    let StepView { before, observations, after } = *step;
    let taken = observations.iter().rev().find_map(|observation| match observation {
        Observation::Took { actor, signal: Signal::Interrupt, .. } => Some(*actor),
        _ => None,
    });
    if taken != Some(before.topology.root()) {
        return Evaluation::NotTriggered;
    }
    let root = before.root();
    let climbs = |(_, rung, _): &(ActorId, LadderRung, _)| *rung < LadderRung::Kill;
    let due = if root.flags.contains(ActorFlags::TEARING_DOWN) {
        root.rungs.iter().any(climbs)
    } else {
        !root.flags.contains(ActorFlags::CANCELLED)
    };
    if before.request_outstanding() || !due || !at_rest(before) {
        return Evaluation::NotTriggered;
    }
    let obeyed = observations.iter().any(|what| {
        matches!(what, Observation::Output { output: Output::InterruptObeyed, actor }
            if *actor == before.topology.root())
    });
    let stayed = root.rungs.iter().filter(|child| climbs(child)).any(|(child, rung, _)| {
        after.root().rungs.iter().any(|(other, now, _)| other == child && now <= rung)
    });
    Evaluation::of(true, !obeyed || (root.flags.contains(ActorFlags::TEARING_DOWN) && stayed))
}

pub(super) const NO_PROMPT_AFTER_CANCEL: StepCheck = StepCheck {
    reads: output!(Output::PromptOpened { .. } | Output::Refused { .. }),
    check: |step| {
        let is = |view: &WorldView<'_>, actor, flag| view.actor(actor).flags.contains(flag);
        step.worst(|(actor, output)| match output {
            Output::PromptOpened { .. } => {
                let told = is(step.before, actor, ActorFlags::CANCELLED);
                let shielded = is(step.after, actor, ActorFlags::PROMPT_SHIELDED);
                Evaluation::of(false, told && !shielded)
            }
            Output::Refused { .. } => {
                Evaluation::of(is(step.after, actor, ActorFlags::CANCELLED), false)
            }
            _ => Evaluation::NotTriggered,
        })
    },
};

pub(super) fn released_once(view: &WorldView<'_>) -> Evaluation {
    let policy = view.topology.config().policy;
    if policy.lock == Lock::Absent || !view.root().alive() {
        return Evaluation::NotTriggered;
    }
    let owner = view.root().owner;
    let granted = |request: RequestId| owner != Some(request);
    let premature = view.actors().filter_map(|(_, facts)| facts.prompt).any(granted)
        || view.links().filter_map(|(_, link)| link.down.grant).any(granted);
    let leaked = policy.release == LockRelease::BatonClosed
        && owner.is_some_and(|owner| {
            owner.actor != view.topology.root() && !view.shared().batons.contains_key(&owner)
        });
    let below = prompts(view).any(|actor| actor != view.topology.root());
    Evaluation::of(below, premature || leaked)
}

/// Whether somebody asked for the terminal in this run, as the budget or the script shows.
fn asked(view: &WorldView<'_>) -> bool {
    let (shared, config) = (view.shared(), view.topology.config());
    let spent = |fault| shared.budget.left(fault) < config.budget.left(fault);
    let examined = config.debug.contains(&DebugMode::On) && spent(Fault::Error);
    let requests = [Fault::Request, Fault::Shielded, Fault::Read].into_iter().any(spent);
    requests || examined || shared.at > 0
}

pub(super) fn terminal_restored(view: &WorldView<'_>) -> Evaluation {
    if view.root().alive() {
        return Evaluation::NotTriggered;
    }
    let counts = view.ended() && view.shared().root_end == Some(RootEnd::Exited);
    Evaluation::of(counts && asked(view), counts && view.shared().modes == TerminalModes::Session)
}

pub(super) fn none_left(view: &WorldView<'_>) -> Evaluation {
    let counts = !view.root().alive() && view.shared().root_end == Some(RootEnd::Exited);
    Evaluation::of(counts, counts && !view.ended())
}

/// Whether no request is outstanding, no news of an end is under way, and no orphan is ending.
fn at_rest(view: &WorldView<'_>) -> bool {
    let news = |facts: &ActorFacts| {
        facts.flags.contains(ActorFlags::ZOMBIE)
            || facts
                .flags
                .contains(ActorFlags::ORPHAN | ActorFlags::RUNNING | ActorFlags::CANCELLED)
    };
    let unread = view.links().any(|(_, link)| {
        (link.up.readable && !link.up.open) || (link.down.readable && !link.down.open)
    });
    !view.request_outstanding() && !unread && !view.actors().any(|(_, facts)| news(facts))
}

pub(super) fn nothing_stale(view: &WorldView<'_>) -> Evaluation {
    if !view.root().alive() || !at_rest(view) {
        return Evaluation::NotTriggered;
    }
    let stale =
        |facts: &ActorFacts| facts.flags.intersects(ActorFlags::HOLDING | ActorFlags::SHIELDED);
    let found = view.actors().any(|(_, facts)| stale(facts));
    Evaluation::of(asked(view), found || view.shared().modes == TerminalModes::Session)
}

/// The antecedent of `no-alarm`: every state counts.
pub(super) fn any_state(_: &WorldView<'_>) -> Evaluation {
    Evaluation::Holds
}

pub(super) const NO_ALARM: StepCheck = StepCheck {
    reads: output!(Output::Alarmed { .. }),
    check: |step| {
        let alarmed = |output| matches!(output, Output::Alarmed { .. });
        step.worst(|(_, output)| Evaluation::of(false, alarmed(output)))
    },
};
