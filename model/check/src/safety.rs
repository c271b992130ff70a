//! The always-properties: one function each, for states or for steps.

use super::property::{PropertyId, PropertySet};
use crate::world::facts::{ActorFacts, LaneFacts};
use crate::world::shared::{Modes, RootEnd};
use crate::world::{Fault, Is, Observation, WorldView};
use holdfast_protocol::policy::{Lock, Release};
use holdfast_protocol::reaper::Rung;
use holdfast_protocol::{ActorId, DebugMode, Origin, Output, RequestId, Signal};

/// What was found in a state or on a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Properties whose premise was reached.
    pub reached: PropertySet,
    /// Properties that were broken.
    pub broken: PropertySet,
}

impl Judgement {
    fn judge(&mut self, property: PropertyId, finding: Finding) {
        match finding {
            Finding::Beside => {}
            Finding::Holds => self.reached |= PropertySet::of(property),
            Finding::Broken => {
                self.reached |= PropertySet::of(property);
                self.broken |= PropertySet::of(property);
            }
        }
    }
}

/// What one property says.
enum Finding {
    /// Its premise is not reached.
    Beside,
    /// Its premise is reached and it holds.
    Holds,
    /// It is broken.
    Broken,
}

impl Finding {
    fn of(reached: bool, broken: bool) -> Self {
        match (reached, broken) {
            (_, true) => Self::Broken,
            (true, false) => Self::Holds,
            (false, false) => Self::Beside,
        }
    }
}

/// Judges a state.
#[must_use]
pub fn judge_state(scene: &WorldView<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    if scene.prompt_open() {
        judgement.judge(PropertyId::OnePrompt, one_prompt(scene));
        judgement.judge(PropertyId::AncestorsKnow, ancestors_know(scene));
        judgement.judge(PropertyId::NoSignalUnderHold, ladder_under_prompt(scene));
        judgement.judge(PropertyId::NoCancelUnderHold, cancelled_above_prompt(scene));
    }
    judgement.judge(PropertyId::NoAlarm, Finding::Holds);
    judgement.judge(PropertyId::ReleasedOnce, released_once(scene));
    if !scene.root().alive() {
        judgement.judge(PropertyId::TerminalRestored, terminal_restored(scene));
        judgement.judge(PropertyId::NoneLeft, none_left(scene));
    } else if at_rest(scene) {
        judgement.judge(PropertyId::NothingStale, nothing_stale(scene));
    }
    judgement
}

/// Whether [`judge_step`] looks at it. A step without any such fact breaks nothing.
#[must_use]
pub fn matters(did: &Observation) -> bool {
    match did {
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
pub fn judge_step(before: &WorldView<'_>, did: &[Observation], after: &WorldView<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    let mut taken: Option<(ActorId, Origin)> = None;
    for what in did {
        match *what {
            Observation::Took { actor, signal: Signal::Interrupt, origin } => {
                taken = Some((actor, origin));
                if before.prompt_open() {
                    judgement.judge(PropertyId::InterruptShielded, Finding::Holds);
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
        judgement.judge(PropertyId::InterruptObeyed, interrupt_obeyed(before, did, after));
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
    let forced = after.actor(actor).is.contains(Is::FORCED);
    match output {
        Output::Signal { child, .. } => {
            if !forced && prompt_in_branch(before, child) {
                judgement.judge(PropertyId::NoSignalUnderHold, Finding::Broken);
            }
        }
        Output::TeardownStarted { .. } => {
            if !forced && prompt_below(after, actor) {
                judgement.judge(PropertyId::NoCancelUnderHold, Finding::Broken);
            }
        }
        Output::InterruptObeyed => {
            let protected = match taken {
                Some((_, Origin::Terminal)) | None => before.prompt_open(),
                Some((_, Origin::Process)) => prompt_in_branch(before, actor),
            };
            if protected && !forced {
                judgement.judge(PropertyId::InterruptShielded, Finding::Broken);
            }
        }
        Output::PromptOpened { .. } => {
            let told = before.actor(actor).is.contains(Is::CANCELLED);
            if told && !after.actor(actor).is.contains(Is::PROMPT_SHIELDED) {
                judgement.judge(PropertyId::NoPromptAfterCancel, Finding::Broken);
            }
        }
        Output::Refused { .. } => {
            if after.actor(actor).is.contains(Is::CANCELLED) {
                judgement.judge(PropertyId::NoPromptAfterCancel, Finding::Holds);
            }
        }
        Output::Alarmed { .. } => judgement.judge(PropertyId::NoAlarm, Finding::Broken),
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
fn connected_up(scene: &WorldView<'_>, actor: ActorId) -> Option<ActorId> {
    let above = scene.topology.config().tree.supervisor(actor)?;
    let open = |lane: LaneFacts| lane.open;
    let link = scene.link_up(actor)?;
    (open(link.up) && open(link.down) && scene.actor(above).is.contains(Is::RUNNING))
        .then_some(above)
}

/// The supervisors above an actor, as far as messages still pass.
fn connected_ancestors<'a>(
    scene: &'a WorldView<'_>,
    actor: ActorId,
) -> impl Iterator<Item = ActorId> + 'a {
    std::iter::successors(connected_up(scene, actor), |above| connected_up(scene, *above))
}

fn prompts<'a>(scene: &'a WorldView<'_>) -> impl Iterator<Item = ActorId> + 'a {
    scene.actors().filter(|(_, facts)| facts.prompt.is_some()).map(|(actor, _)| actor)
}

fn prompt_below(scene: &WorldView<'_>, actor: ActorId) -> bool {
    prompts(scene).any(|prompt| connected_ancestors(scene, prompt).any(|above| above == actor))
}

fn prompt_in_branch(scene: &WorldView<'_>, actor: ActorId) -> bool {
    scene.actor(actor).prompt.is_some() || prompt_below(scene, actor)
}

fn one_prompt(scene: &WorldView<'_>) -> Finding {
    let mut open = prompts(scene);
    let (first, second) = (open.next(), open.next());
    let wants = |(actor, facts): (ActorId, &ActorFacts)| {
        Some(actor) != first && facts.is.contains(Is::WAITING)
    };
    Finding::of(scene.actors().any(wants), second.is_some())
}

fn ancestors_know(scene: &WorldView<'_>) -> Finding {
    let below = |actor: &ActorId| *actor != scene.topology.root();
    let ignorant = |prompt: ActorId| {
        connected_ancestors(scene, prompt)
            .any(|above| scene.actor(above).holds_for & (1 << prompt.index()) == 0)
    };
    Finding::of(prompts(scene).any(|actor| below(&actor)), prompts(scene).any(ignorant))
}

/// The premise of `no-signal-under-hold`; it is broken by steps alone.
fn ladder_under_prompt(scene: &WorldView<'_>) -> Finding {
    let mut on_ladder = scene
        .actors()
        .flat_map(|(_, facts)| &facts.rungs)
        .filter(|(_, rung, _)| matches!(rung, Rung::Unlinked | Rung::Cancel | Rung::Terminate));
    Finding::of(on_ladder.any(|(child, _, _)| prompt_in_branch(scene, *child)), false)
}

/// The premise of `no-cancel-under-hold`; it is broken by steps alone.
fn cancelled_above_prompt(scene: &WorldView<'_>) -> Finding {
    let told = |(actor, facts): (ActorId, &ActorFacts)| {
        facts.is.contains(Is::CANCELLED)
            && !facts.is.contains(Is::TEARING_DOWN)
            && prompt_below(scene, actor)
    };
    Finding::of(scene.actors().any(told), false)
}

fn released_once(scene: &WorldView<'_>) -> Finding {
    let policy = scene.topology.config().policy;
    if policy.lock == Lock::Absent || !scene.root().alive() {
        return Finding::Beside;
    }
    let owner = scene.root().owner;
    let granted = |request: RequestId| owner != Some(request);
    let premature = scene.actors().filter_map(|(_, facts)| facts.prompt).any(granted)
        || scene.links().filter_map(|(_, link)| link.down.grant).any(granted);
    let leaked = policy.release == Release::BatonClosed
        && owner.is_some_and(|owner| {
            owner.actor != scene.topology.root() && !scene.room().batons.contains_key(&owner)
        });
    let below = prompts(scene).any(|actor| actor != scene.topology.root());
    Finding::of(below, premature || leaked)
}

/// Whether somebody asked for the terminal in this run, as the budget or the script shows.
fn asked(scene: &WorldView<'_>) -> bool {
    let (room, config) = (scene.room(), scene.topology.config());
    let spent = |fault| room.budget.left(fault) < config.budget.left(fault);
    let examined = config.debug.contains(&DebugMode::On) && spent(Fault::Error);
    spent(Fault::Request) || spent(Fault::Shielded) || examined || room.at > 0
}

fn terminal_restored(scene: &WorldView<'_>) -> Finding {
    let counts = scene.ended() && scene.room().root_end == Some(RootEnd::Exited);
    Finding::of(counts && asked(scene), counts && scene.room().modes == Modes::Session)
}

fn none_left(scene: &WorldView<'_>) -> Finding {
    let counts = scene.room().root_end == Some(RootEnd::Exited);
    Finding::of(counts, counts && !scene.ended())
}

/// Whether no request is outstanding, no news of an end is under way, and no orphan is ending.
fn at_rest(scene: &WorldView<'_>) -> bool {
    let news = |facts: &ActorFacts| {
        facts.is.contains(Is::ZOMBIE) || facts.is.contains(Is::ORPHAN | Is::RUNNING | Is::CANCELLED)
    };
    let unread = scene.links().any(|(_, link)| {
        (link.up.readable && !link.up.open) || (link.down.readable && !link.down.open)
    });
    !scene.request_outstanding() && !unread && !scene.actors().any(|(_, facts)| news(facts))
}

fn nothing_stale(scene: &WorldView<'_>) -> Finding {
    let stale = |facts: &ActorFacts| facts.is.intersects(Is::HOLDING | Is::SHIELDED);
    let found = scene.actors().any(|(_, facts)| stale(facts));
    Finding::of(asked(scene), found || scene.room().modes == Modes::Session)
}

fn interrupt_obeyed(before: &WorldView<'_>, did: &[Observation], after: &WorldView<'_>) -> Finding {
    let root = before.root();
    let climbs = |(_, rung, _): &(ActorId, Rung, _)| *rung < Rung::Kill;
    let due = if root.is.contains(Is::TEARING_DOWN) {
        root.rungs.iter().any(climbs)
    } else {
        !root.is.contains(Is::CANCELLED)
    };
    if before.request_outstanding() || !due || !at_rest(before) {
        return Finding::Beside;
    }
    let obeyed = did.iter().any(|what| {
        matches!(what, Observation::Output { output: Output::InterruptObeyed, actor }
            if *actor == before.topology.root())
    });
    let stayed = root.rungs.iter().filter(|child| climbs(child)).any(|(child, rung, _)| {
        after.root().rungs.iter().any(|(other, now, _)| other == child && now <= rung)
    });
    Finding::of(true, !obeyed || (root.is.contains(Is::TEARING_DOWN) && stayed))
}
