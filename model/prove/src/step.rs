//! The steps of the actor in focus: the real `Node::handle`, on the node beside every rest.

use super::claim::ClaimViolation;
use super::focus::{ABOVE, CHILD, Focus, ORPHAN};
use super::rest::{inputs_aside, inputs_that_ask, rests};
use holdfast_check::property::PropertyId;
use holdfast_protocol::ladder::{Child, LadderRung};
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::message::{About, Urgency};
use holdfast_protocol::node::focus::Rest;
use holdfast_protocol::node::{StopOrder, TreePosition, Uplink};
use holdfast_protocol::sigint::Disposition;
use holdfast_protocol::teardown::{Teardown, UserTaskState};
use holdfast_protocol::{
    ActorId, Cause, Input, Message, Node, Origin, Outbox, Output, Signal, Status, Timer,
};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// What the actor in focus does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The actor takes any input that does not concern `r` and the links in focus.
    Aside,
    /// The actor asks for `r`.
    Asks,
    /// The actor takes this input.
    Takes(Input),
}

/// What a step may lead to, beside some rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FocusOutcome {
    /// The node in focus after it.
    pub node: Node,
    /// The outputs that concern `r` and what is in focus.
    pub outputs: Vec<Output>,
    /// The input.
    pub input: Input,
    /// What is wrong with it, whatever the neighbours do.
    pub violation: Option<ClaimViolation>,
    /// The property whose antecedent it reaches, whatever the neighbours do.
    pub reaches: Option<PropertyId>,
    /// Whether it can be taken beside a rest in which nobody asks for anything.
    pub quiet: bool,
}

/// Inputs that the judgement of a step tells apart; of all others, one stands for each outcome.
#[derive(PartialEq, Eq, Hash)]
enum Told {
    Interrupt(Origin),
    Stop,
    Answer,
    Other,
}

/// All that a step of a node in focus may lead to.
#[must_use]
pub fn outcomes(focus: Focus, node: &Node, trigger: Trigger) -> (Vec<FocusOutcome>, u64) {
    outcomes_beside(focus, node, trigger, &rests(focus, node))
}

/// The same, beside these rests alone; and how often the node was run.
#[must_use]
pub fn outcomes_beside(
    focus: Focus,
    node: &Node,
    trigger: Trigger,
    rests: &[Rest],
) -> (Vec<FocusOutcome>, u64) {
    let (mut seen, mut runs) = (FxHashMap::<_, usize>::default(), 0);
    let mut outcomes: Vec<FocusOutcome> = Vec::new();
    let (mut outbox, mut raw) = (Outbox::new(), Vec::new());
    for rest in rests {
        let mut whole = node.beside(rest);
        let nobody_asks = outstanding(&whole) == outstanding(node);
        let inputs = match trigger {
            Trigger::Aside => inputs_aside(focus, node, rest),
            Trigger::Asks => {
                whole = node.beside(&Rest { next_serial: 0, ..rest.clone() });
                inputs_that_ask(rest)
            }
            Trigger::Takes(input) => vec![input],
        };
        for input in inputs {
            let mut after = whole.clone();
            runs += 1;
            after.handle(input, &mut outbox);
            raw.clear();
            raw.extend(outbox.drain());
            let ours = raw.iter().copied().filter(|output| concerns(focus, *output));
            let outputs: Vec<Output> = ours.map(without_cause).collect();
            let step = Whole { before: &whole, input, after: &after, outputs: &raw };
            let quiet = nobody_asks && outstanding(&after) <= outstanding(&whole);
            let (violation, reaches) = step.judge(focus);
            let told = told(focus, input);
            // Most inputs change nothing that is in focus; that is cheap to see.
            let in_focus = if after == whole { node.clone() } else { focus.project(&after) };
            match seen.entry((in_focus, outputs, told, violation, reaches)) {
                Entry::Occupied(known) => outcomes[*known.get()].quiet |= quiet,
                Entry::Vacant(new) => {
                    let (node, outputs) = (new.key().0.clone(), new.key().1.clone());
                    new.insert(outcomes.len());
                    outcomes.push(FocusOutcome { node, outputs, input, violation, reaches, quiet });
                }
            }
        }
    }
    (outcomes, runs)
}

fn told(focus: Focus, input: Input) -> Told {
    match input {
        Input::Signalled { signal: Signal::Interrupt, origin } => Told::Interrupt(origin),
        Input::Signalled { .. } => Told::Stop,
        Input::Answered { request, .. } if request == focus.request() => Told::Answer,
        _ => Told::Other,
    }
}

/// The cause of a teardown decides how the process ends and nothing else.
#[must_use]
pub fn without_cause(output: Output) -> Output {
    match output {
        Output::TeardownStarted { .. } => Output::TeardownStarted { cause: Cause::Requested },
        Output::Exit { .. } => Output::Exit { status: Status::Cancelled },
        other => other,
    }
}

/// Whether an output is about `r`, or about what is in focus.
#[must_use]
pub fn concerns(focus: Focus, output: Output) -> bool {
    let r = focus.request();
    match output {
        Output::Send { to, message } => match message.request() {
            // Whoever else asks under the name of `r` is refused.
            About::Request(request) => {
                request == r && (to == CHILD || !matches!(message, Message::Refuse { .. }))
            }
            About::Actor => to == CHILD && focus.has_child(),
        },
        Output::Arm { timer } | Output::Disarm { timer } => match timer {
            Timer::Grace(child) => focus.kids().contains(&child),
            Timer::Yield(request) => request == r,
        },
        Output::Signal { child, .. } => focus.kids().contains(&child),
        Output::Requested { request }
        | Output::PromptOpened { request }
        | Output::PromptClosed { request }
        | Output::Refused { request }
        | Output::BatonDropped { request } => request == r,
        Output::Sweep | Output::Noticed { .. } => false,
        Output::TerminalTaken
        | Output::TerminalRestored
        | Output::InterruptObeyed
        | Output::TeardownStarted { .. }
        | Output::Exit { .. }
        | Output::Alarmed { .. } => true,
    }
}

/// A step of the node with its rest: what must hold whatever the neighbours do.
struct Whole<'a> {
    before: &'a Node,
    input: Input,
    after: &'a Node,
    outputs: &'a [Output],
}

/// How many requests are asked for here, or protected below.
fn outstanding(node: &Node) -> usize {
    node.requests().iter().count() + node.holds().protecting().count()
}

/// Nothing is asked for here, and nothing below is protected.
fn idle(node: &Node) -> bool {
    outstanding(node) == 0
}

/// All that is left to do is to exit.
fn done(node: &Node) -> bool {
    let ends = matches!(node.teardown(), Teardown::Running(_));
    ends && node.user_task() == UserTaskState::Ended
        && node.children().is_empty()
        && node.requests().is_empty()
}

impl Whole<'_> {
    fn judge(&self, focus: Focus) -> (Option<ClaimViolation>, Option<PropertyId>) {
        let (wrong, reaches) = self.judge_now(focus);
        (wrong.or_else(|| self.ends(focus)), reaches)
    }

    /// Each actor that is told to end goes on to its end, as far as it lies with itself.
    fn ends(&self, focus: Focus) -> Option<ClaimViolation> {
        let violated =
            |is: bool, what| is.then(|| ClaimViolation::of(PropertyId::TeardownCompletes, what));
        let told = matches!(self.input, Input::Received { message: Message::Cancel { .. }, from }
            if matches!(self.before.position(),
                TreePosition::Below { supervisor, uplink: Uplink::Up, .. } if *supervisor == from));
        let deaf = told && self.after.teardown() == Teardown::NotAsked;
        let waits = matches!(self.after.teardown(), Teardown::Deferred(_)) && idle(self.after);
        let running = matches!(self.after.teardown(), Teardown::Running(_));
        let busy = running && self.after.user_task() == UserTaskState::Running;
        let runs = |child: &Child| {
            child.grace == child.wants_grace() && !(running && child.rung < LadderRung::Cancel)
        };
        let mut kids = focus.kids().iter().filter_map(|kid| self.after.children().get(kid));
        let idles = idle(self.after) && !kids.all(runs);
        let root = matches!(self.after.position(), TreePosition::Root { .. });
        let stays = done(self.after) && !(root && self.outputs.contains(&Output::Sweep));
        let last = self.input == Input::ChildrenGone && done(self.before);
        let over = self.after.teardown() == Teardown::Over;
        let left = self.after.user_task() != UserTaskState::Ended
            || !self.after.children().is_empty()
            || !self.after.requests().is_empty();
        violated(deaf, "a cancel is not heard")
            .or_else(|| violated(waits, "a teardown waits for nothing"))
            .or_else(|| violated(busy, "a teardown begins, and the user task is not told"))
            .or_else(|| violated(idles, "nobody is protected, and a ladder does not run"))
            .or_else(|| violated(over && left, "an actor exits, and something of it is left"))
            .or_else(|| violated(stays, "an actor with nothing left to do stays"))
            .or_else(|| {
                violated(last && done(self.after), "the last child is gone, and the root stays")
            })
    }

    fn judge_now(&self, focus: Focus) -> (Option<ClaimViolation>, Option<PropertyId>) {
        let stale = idle(self.after) && self.after.disposition() == Disposition::Shield;
        if stale {
            return (violated(PropertyId::NothingStale, "a shield without a hold"), None);
        }
        if let TreePosition::Below { uplink: Uplink::Ended, .. } = self.after.position() {
            let lives = self.after.teardown() == Teardown::NotAsked;
            let wrong = lives.then_some(PropertyId::NoneLeft);
            let wrong = wrong.and_then(|id| violated(id, "an orphan is not on its way out"));
            return (wrong, Some(PropertyId::NoneLeft));
        }
        match (self.before.position(), self.input) {
            (TreePosition::Root { .. }, Input::Signalled { signal: Signal::Interrupt, .. })
                if idle(self.before) =>
            {
                self.interrupt()
            }
            (TreePosition::Root { .. }, Input::Signalled { signal: Signal::Terminate, .. }) => {
                let told = self.after.stop_order() == StopOrder::Received;
                let wrong = violated(PropertyId::StopIsBounded, "a stop does not reach the root");
                (if told { None } else { wrong }, None)
            }
            _ if focus == Focus::RootOrphan => self.orphan(),
            _ => (None, None),
        }
    }

    /// A Ctrl-C at a root that protects nobody.
    fn interrupt(&self) -> (Option<ClaimViolation>, Option<PropertyId>) {
        let property = PropertyId::InterruptObeyed;
        let obeyed = self.outputs.contains(&Output::InterruptObeyed);
        let stays = |(id, child): (&ActorId, &Child)| {
            child.rung > LadderRung::Unasked
                && child.rung < LadderRung::Kill
                && self.after.children().get(id).is_some_and(|now| now.rung <= child.rung)
        };
        let wrong = match self.before.teardown() {
            Teardown::NotAsked if !obeyed => violated(property, "the first is not obeyed"),
            Teardown::Running(_) if !obeyed || self.before.children().iter().any(stays) => {
                violated(property, "the ladders do not climb")
            }
            Teardown::Deferred(_) => violated(property, "a teardown is deferred by nothing"),
            Teardown::NotAsked | Teardown::Running(_) | Teardown::Over => None,
        };
        let ends = matches!(self.after.teardown(), Teardown::Running(_) | Teardown::Over);
        let what = "an interrupt is obeyed, and no teardown begins";
        let again = violated(PropertyId::InterruptWorksAgain, what).filter(|_| !ends);
        (wrong.or(again), Some(property))
    }

    /// The orphan that is in focus, while a prompt may be open somewhere below.
    fn orphan(&self) -> (Option<ClaimViolation>, Option<PropertyId>) {
        let TreePosition::Root { server, .. } = self.before.position() else { return (None, None) };
        let out = server.owner().is_some_and(|owner| owner.actor != self.before.id());
        let forced = self.after.urgency() == Urgency::Forced;
        let ladder = self.before.children().get(&ORPHAN);
        let climbs = ladder.is_some_and(|child| child.rung < LadderRung::Kill);
        let property = PropertyId::NoSignalUnderHold;
        let signal = |output: &Output| matches!(output, Output::Signal { child: ORPHAN, .. });
        let wrong = out && !forced && self.outputs.iter().any(signal);
        let what = "a ladder signal to an orphan, while a prompt may be open in its branch";
        let wrong = if wrong { violated(property, what) } else { None };
        (wrong, (out && climbs).then_some(property))
    }
}

fn violated(property: PropertyId, what: &'static str) -> Option<ClaimViolation> {
    Some(ClaimViolation::of(property, what))
}

/// The stage of the own request in focus.
#[must_use]
pub fn own_stage(focus: Focus, node: &Node) -> Option<RequestStage> {
    node.requests().find(focus.request()).map(|own| own.stage)
}

/// Whether a message goes to the supervisor of the actor in focus.
#[must_use]
pub fn goes_up(focus: Focus, to: ActorId) -> bool {
    to == ABOVE && !focus.is_root()
}
