//! The always-properties: one function each, for states or for steps.

use super::{PropertyId, PropertySet};
use crate::world::facts::{ActorFacts, LaneFacts};
use crate::world::shared::{RootEnd, TerminalModes};
use crate::world::{ActorFlags, Fault, Observation, WorldView};
use holdfast_protocol::policy::{Lock, LockRelease};
use holdfast_protocol::reaper::LadderRung;
use holdfast_protocol::{ActorId, DebugMode, Origin, Output, RequestId, Signal};

/// What was found in a state or on a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Properties whose premise was reached.
    pub triggered: PropertySet,
    /// Properties that were broken.
    pub violated: PropertySet,
}

impl Judgement {
    fn judge(&mut self, property: PropertyId, finding: Evaluation) {
        match finding {
            Evaluation::NotTriggered => {}
            Evaluation::Holds => self.triggered |= PropertySet::of(property),
            Evaluation::Violated => {
                self.triggered |= PropertySet::of(property);
                self.violated |= PropertySet::of(property);
            }
        }
    }
}

/// What one property says.
enum Evaluation {
    /// Its premise is not reached.
    NotTriggered,
    /// Its premise is reached and it holds.
    Holds,
    /// It is broken.
    Violated,
}

impl Evaluation {
    fn of(reached: bool, broken: bool) -> Self {
        match (reached, broken) {
            (_, true) => Self::Violated,
            (true, false) => Self::Holds,
            (false, false) => Self::NotTriggered,
        }
    }
}

/// Judges a state.
#[must_use]
pub fn judge_state(view: &WorldView<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    if view.prompt_open() {
        judgement.judge(PropertyId::OnePrompt, one_prompt(view));
        judgement.judge(PropertyId::AncestorsKnow, ancestors_know(view));
        judgement.judge(PropertyId::NoSignalUnderHold, ladder_under_prompt(view));
        judgement.judge(PropertyId::NoCancelUnderHold, cancelled_above_prompt(view));
    }
    judgement.judge(PropertyId::NoAlarm, Evaluation::Holds);
    judgement.judge(PropertyId::ReleasedOnce, released_once(view));
    if !view.root().alive() {
        judgement.judge(PropertyId::TerminalRestored, terminal_restored(view));
        judgement.judge(PropertyId::NoneLeft, none_left(view));
    } else if at_rest(view) {
        judgement.judge(PropertyId::NothingStale, nothing_stale(view));
    }
    judgement
}

/// Whether [`judge_step`] looks at it. A step without any such fact breaks nothing.
#[must_use]
pub fn matters(observations: &Observation) -> bool {
    match observations {
        Observation::Took { signal, .. } => *signal == Signal::Interrupt,
        Observation::Output { output, .. } => matches!(
            output,
            Output::Signal { .. }
                | Output::TeardownStarted { .. }
                | Output::InterruptObeyed
                | Output::PromptOpened { .. }
                | Output::Refused { .. }
                | Output::Alarmed { .. }
        ),
        Observation::Delivered { .. } | Observation::EndRead { .. } | Observation::Died { .. } => {
            false
        }
    }
}

/// Judges a step, by what was done between two states.
#[must_use]
pub fn judge_step(
    before: &WorldView<'_>,
    observations: &[Observation],
    after: &WorldView<'_>,
) -> Judgement {
    let mut judgement = Judgement::default();
    let mut taken: Option<(ActorId, Origin)> = None;
    for what in observations {
        match *what {
            Observation::Took { actor, signal: Signal::Interrupt, origin } => {
                taken = Some((actor, origin));
                if before.prompt_open() {
                    judgement.judge(PropertyId::InterruptShielded, Evaluation::Holds);
                }
            }
            Observation::Output { actor, output } => {
                judge_output(before, actor, output, taken, after, &mut judgement);
            }
            Observation::Took { .. }
            | Observation::Delivered { .. }
            | Observation::EndRead { .. }
            | Observation::Died { .. } => {}
        }
    }
    if let Some((actor, _)) = taken
        && actor == before.topology.root()
    {
        judgement.judge(PropertyId::InterruptObeyed, interrupt_obeyed(before, observations, after));
    }
    judgement
}

fn judge_output(
    before: &WorldView<'_>,
    actor: ActorId,
    output: Output,
    taken: Option<(ActorId, Origin)>,
    after: &WorldView<'_>,
    judgement: &mut Judgement,
) {
    let forced = after.actor(actor).flags.contains(ActorFlags::FORCED);
    match output {
        Output::Signal { child, .. } => {
            if !forced && prompt_in_branch(before, child) {
                judgement.judge(PropertyId::NoSignalUnderHold, Evaluation::Violated);
            }
        }
        Output::TeardownStarted { .. } => {
            if !forced && prompt_below(after, actor) {
                judgement.judge(PropertyId::NoCancelUnderHold, Evaluation::Violated);
            }
        }
        Output::InterruptObeyed => {
            let protected = match taken {
                Some((_, Origin::Terminal)) | None => before.prompt_open(),
                Some((_, Origin::Process)) => prompt_in_branch(before, actor),
            };
            if protected && !forced {
                judgement.judge(PropertyId::InterruptShielded, Evaluation::Violated);
            }
        }
        Output::PromptOpened { .. } => {
            let told = before.actor(actor).flags.contains(ActorFlags::CANCELLED);
            if told && !after.actor(actor).flags.contains(ActorFlags::PROMPT_SHIELDED) {
                judgement.judge(PropertyId::NoPromptAfterCancel, Evaluation::Violated);
            }
        }
        Output::Refused { .. } => {
            if after.actor(actor).flags.contains(ActorFlags::CANCELLED) {
                judgement.judge(PropertyId::NoPromptAfterCancel, Evaluation::Holds);
            }
        }
        Output::Alarmed { .. } => judgement.judge(PropertyId::NoAlarm, Evaluation::Violated),
        Output::Send { .. }
        | Output::Arm { .. }
        | Output::Disarm { .. }
        | Output::Requested { .. }
        | Output::PromptClosed { .. }
        | Output::BatonDropped { .. }
        | Output::TerminalTaken
        | Output::TerminalRestored
        | Output::Sweep
        | Output::Exit { .. }
        | Output::Noticed { .. } => {}
    }
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

fn one_prompt(view: &WorldView<'_>) -> Evaluation {
    let mut open = prompts(view);
    let (first, second) = (open.next(), open.next());
    let wants = |(actor, facts): (ActorId, &ActorFacts)| {
        Some(actor) != first && facts.flags.contains(ActorFlags::WAITING)
    };
    Evaluation::of(view.actors().any(wants), second.is_some())
}

fn ancestors_know(view: &WorldView<'_>) -> Evaluation {
    let below = |actor: &ActorId| *actor != view.topology.root();
    let ignorant = |prompt: ActorId| {
        let open = view.actor(prompt).prompt;
        connected_ancestors(view, prompt)
            .any(|above| !view.actor(above).holds.iter().any(|held| Some(*held) == open))
    };
    Evaluation::of(prompts(view).any(|actor| below(&actor)), prompts(view).any(ignorant))
}

/// The premise of `no-signal-under-hold`; it is broken by steps alone.
fn ladder_under_prompt(view: &WorldView<'_>) -> Evaluation {
    let mut on_ladder = view.actors().flat_map(|(_, facts)| &facts.rungs).filter(|(_, rung, _)| {
        matches!(rung, LadderRung::Unlinked | LadderRung::Cancel | LadderRung::Terminate)
    });
    Evaluation::of(on_ladder.any(|(child, _, _)| prompt_in_branch(view, *child)), false)
}

/// The premise of `no-cancel-under-hold`; it is broken by steps alone.
fn cancelled_above_prompt(view: &WorldView<'_>) -> Evaluation {
    let told = |(actor, facts): (ActorId, &ActorFacts)| {
        facts.flags.contains(ActorFlags::CANCELLED)
            && !facts.flags.contains(ActorFlags::TEARING_DOWN)
            && prompt_below(view, actor)
    };
    Evaluation::of(view.actors().any(told), false)
}

fn released_once(view: &WorldView<'_>) -> Evaluation {
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
    spent(Fault::Request) || spent(Fault::Shielded) || examined || shared.at > 0
}

fn terminal_restored(view: &WorldView<'_>) -> Evaluation {
    let counts = view.ended() && view.shared().root_end == Some(RootEnd::Exited);
    Evaluation::of(counts && asked(view), counts && view.shared().modes == TerminalModes::Session)
}

fn none_left(view: &WorldView<'_>) -> Evaluation {
    let counts = view.shared().root_end == Some(RootEnd::Exited);
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

fn nothing_stale(view: &WorldView<'_>) -> Evaluation {
    let stale =
        |facts: &ActorFacts| facts.flags.intersects(ActorFlags::HOLDING | ActorFlags::SHIELDED);
    let found = view.actors().any(|(_, facts)| stale(facts));
    Evaluation::of(asked(view), found || view.shared().modes == TerminalModes::Session)
}

fn interrupt_obeyed(
    before: &WorldView<'_>,
    observations: &[Observation],
    after: &WorldView<'_>,
) -> Evaluation {
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
