//! Which properties a live run has broken, as far as its actors have told.
//!
//! The statements are those of [`holdfast_check::safety`], over one order of what all actors
//! have handled: that of the clock, which all processes of a machine share.

use super::member::Member;
use super::view::View;
use holdfast_check::property::{PropertyId, PropertySet};
use holdfast_check::world::Config;
use holdfast_protocol::reaper::Rung;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{ActorId, Input, Origin, Output, RequestId, Shielding, Signal, Urgency};
use holdfast_testkit::control::{Entry, Event, Heard};
use std::collections::BTreeMap;

/// What the script did that no actor can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It killed an actor.
    Killed(ActorId),
    /// Its Ctrl-C ended one that was booting.
    DiedBooting(ActorId),
    /// It cut the link of one.
    Cut(ActorId),
    /// It is over: what comes now is the person who ends the tree.
    Over,
}

/// A broken property, and how it shows.
pub(super) type Found = BTreeMap<PropertyId, String>;

/// Judges all that was told.
///
/// Where something is claimed to fall, what happens after the script is none of the case.
pub(super) fn judge(
    config: &Config,
    log: &[Entry],
    marks: &[(u64, Mark)],
    claimed: PropertySet,
) -> Found {
    let mut view = View::new(config);
    let mut lines: Vec<(u64, Item<'_>)> = Vec::new();
    for entry in log {
        match &entry.heard {
            Heard::Said(Event::Hello { .. }) => view.hear(entry),
            Heard::Said(Event::Handled { at_ns, .. }) => {
                lines.push((*at_ns, Item::Told(entry)));
            }
            Heard::Said(_) | Heard::Ordered(_) | Heard::Garbled(_) | Heard::Gone => {}
        }
    }
    lines.extend(marks.iter().map(|(at_ns, mark)| (*at_ns, Item::Mark(*mark))));
    // Stable: the lines of one actor are in its order even within one tick of the clock.
    lines.sort_by_key(|(at_ns, ..)| *at_ns);
    let mut judge = Judge { view, found: Found::new(), over: Over::No };
    for (_, item) in lines {
        match item {
            Item::Told(entry) => judge.told(entry),
            Item::Mark(Mark::Killed(actor)) => judge.view.ended(actor),
            Item::Mark(Mark::DiedBooting(actor)) => judge.died_booting(actor),
            Item::Mark(Mark::Cut(actor)) => judge.view.cut(actor),
            Item::Mark(Mark::Over) if claimed.members().count() > 0 => break,
            Item::Mark(Mark::Over) => judge.over = Over::Yes,
        }
    }
    judge.found
}

enum Item<'a> {
    Told(&'a Entry),
    Mark(Mark),
}

/// Whether the script is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    No,
    Yes,
}

struct Judge<'a> {
    view: View<'a>,
    found: Found,
    over: Over,
}

impl Judge<'_> {
    fn told(&mut self, entry: &Entry) {
        let Heard::Said(Event::Handled { input, outputs, .. }) = &entry.heard else { return };
        let path = entry.actor.rsplit('/').next().unwrap_or_default();
        let name = path.rsplit('@').next().unwrap_or_default();
        let Some(actor) = self.view.config.tree.find(name) else { return };
        let prompt_before = self.view.prompts().next();
        let branch_before = self.view.prompt_in_branch(actor);
        let told_before = self.view.member(actor).is_some_and(Member::told);
        let at_rest = !self.view.outstanding() && self.view.all_noticed();
        let in_signalled: Vec<_> = outputs
            .iter()
            .filter_map(|output| match output {
                Output::Signal { child, signal } => {
                    let child = self.view.actor_of(*child)?;
                    Some((child, *signal, self.view.prompt_in_branch(child)?))
                }
                _ => None,
            })
            .collect();
        let rungs = |view: &View<'_>| {
            let node = view.member(actor).map(|member| member.node.children().clone());
            node.unwrap_or_default()
        };
        let rungs_before = rungs(&self.view);
        self.view.hear(entry);
        let Some(member) = self.view.member(actor) else { return };
        let forced = member.node.urgency() == Urgency::Forced;
        let open_shielded = member
            .node
            .requests()
            .open()
            .is_some_and(|own| own.purpose.shielding() == Shielding::Shielded);
        if !forced {
            for (child, signal, prompt) in in_signalled {
                let (child, prompt) = (self.view.name(child), self.view.name(prompt));
                let said =
                    format!("{name} sent {signal:?} to {child} while {prompt} was at its prompt");
                self.fell(PropertyId::NoSignalUnderHold, said);
            }
        }
        for output in outputs {
            self.output(actor, name, *input, *output, forced, prompt_before, branch_before);
            if let Output::PromptOpened { request } = output {
                self.opened(actor, name, *request, told_before && !open_shielded);
            }
        }
        self.rest();
        let Some(member) = self.view.member(actor) else { return };
        let teardown = member.node.teardown();
        let interrupted = matches!(input, Input::Signalled { signal: Signal::Interrupt, .. });
        if interrupted && actor == ActorId(0) && at_rest && self.over == Over::No {
            let after = rungs(&self.view);
            let obeyed = outputs.contains(&Output::InterruptObeyed);
            let climbs = rungs_before.iter().filter(|(_, child)| child.rung < Rung::Kill);
            let stayed = climbs
                .clone()
                .any(|(id, before)| after.get(id).is_some_and(|now| now.rung <= before.rung));
            let due = match teardown {
                _ if !told_before => true,
                Teardown::Running(_) => climbs.count() > 0,
                Teardown::NotAsked | Teardown::Deferred(_) | Teardown::Over => false,
            };
            let tearing = told_before && matches!(teardown, Teardown::Running(_));
            if due && (!obeyed || (tearing && stayed)) {
                let said = "the root took a Ctrl-C while nobody wanted the terminal, and did not act on it";
                self.fell(PropertyId::InterruptObeyed, said.to_owned());
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what was so before the step, and what it did")]
    fn output(
        &mut self,
        actor: ActorId,
        name: &str,
        input: Input,
        output: Output,
        forced: bool,
        prompt_before: Option<ActorId>,
        branch_before: Option<ActorId>,
    ) {
        match output {
            Output::TeardownStarted { cause } if !forced => {
                if let Some(prompt) = self.view.prompt_below(actor) {
                    let prompt = self.view.name(prompt);
                    let said =
                        format!("{name} began to end ({cause:?}) while {prompt} was at its prompt");
                    self.fell(PropertyId::NoCancelUnderHold, said);
                }
            }
            Output::InterruptObeyed if !forced => {
                let own = matches!(input, Input::Signalled { origin: Origin::Process, .. });
                // In raw mode the key is the editor's, and what it says comes from the process.
                let prompt = if own && actor != ActorId(0) { branch_before } else { prompt_before };
                if let Some(prompt) = prompt {
                    let prompt = self.view.name(prompt);
                    let said = format!("{name} obeyed a SIGINT while {prompt} was at its prompt");
                    self.fell(PropertyId::InterruptShielded, said);
                }
            }
            Output::Alarmed { alarm } => {
                self.fell(PropertyId::NoAlarm, format!("{name} raised {alarm:?}"));
            }
            _ => {}
        }
    }

    /// The default disposition is a way to act on a signal.
    fn died_booting(&mut self, actor: ActorId) {
        let prompt = self.view.prompts().next();
        if let Some(prompt) = prompt {
            let (name, prompt) = (self.view.name(actor), self.view.name(prompt));
            let said = format!("{name} died of a SIGINT while {prompt} was at its prompt");
            self.fell(PropertyId::InterruptShielded, said);
        }
    }

    /// When nobody wants the terminal and nothing is under way, nobody is shielded.
    fn rest(&mut self) {
        let view = &self.view;
        let asked = view.running().any(|(_, member)| member.requests > 0);
        if !asked || view.outstanding() || !view.settled() {
            return;
        }
        let stale = |member: &Member| {
            member.shielded() || member.node.holds().protecting().next().is_some()
        };
        let who = view.running().find(|(_, member)| stale(member)).map(|(actor, _)| actor);
        if let Some(actor) = who {
            let name = self.view.name(actor);
            let said = format!("{name} is still shielded when nobody wants the terminal");
            self.fell(PropertyId::NothingStale, said);
        }
    }

    fn opened(&mut self, actor: ActorId, name: &str, request: RequestId, told: bool) {
        if told {
            let said = format!("the prompt of {name} opened after it was told to end");
            self.fell(PropertyId::NoPromptAfterCancel, said);
        }
        let others: Vec<_> = self.view.prompts().filter(|other| *other != actor).collect();
        if let Some(other) = others.first() {
            let said = format!("{name} and {} are at a prompt at once", self.view.name(*other));
            self.fell(PropertyId::OnePrompt, said);
        }
        let holds = |above: &ActorId| {
            let member = self.view.member(*above);
            member.is_some_and(|one| one.node.holds().protecting().any(|(held, _)| held == request))
        };
        let ignorant = self.view.connected_ancestors(actor).find(|above| !holds(above));
        if let Some(above) = ignorant {
            let said =
                format!("{} does not know that {name} is at its prompt", self.view.name(above));
            self.fell(PropertyId::AncestorsKnow, said);
        }
    }

    fn fell(&mut self, property: PropertyId, how: String) {
        self.found.entry(property).or_insert(how);
    }
}
