//! The steps of the actor in focus: the real `Node::handle`, on the node beside every rest.

use super::claim::ClaimViolation;
use super::focus::{ABOVE, CHILD, Focus, ORPHAN};
use super::rest::{inputs_aside, inputs_that_ask, rests};
use holdfast_check::property::PropertyId;
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::message::{About, Urgency};
use holdfast_protocol::node::focus::Rest;
use holdfast_protocol::node::{StopOrder, TreePosition, Uplink};
use holdfast_protocol::reaper::{Child, LadderRung};
use holdfast_protocol::sigint::Disposition;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{
    ActorId, Cause, Input, Node, Origin, Outbox, Output, Signal, Status, Timer,
};
use rustc_hash::FxHashSet;

/// What the actor in focus does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// It takes any input that does not concern `r` and the links in focus.
    Aside,
    /// It asks for `r`.
    Asks,
    /// It takes this input.
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
    let (mut seen, mut outcomes, mut runs) = (FxHashSet::default(), Vec::new(), 0);
    let mut outbox = Outbox::new();
    for rest in rests {
        let mut whole = node.beside(rest);
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
            let outputs: Vec<Output> = outbox
                .drain()
                .filter(|output| concerns(focus, *output))
                .map(without_cause)
                .collect();
            let step = Whole { before: &whole, input, after: &after, outputs: &outputs };
            let (violation, reaches) = step.judge(focus);
            let told = told(focus, input);
            // Most inputs change nothing that is in focus; that is cheap to see.
            let in_focus = if after == whole { node.clone() } else { focus.project(&after) };
            if seen.insert((in_focus.clone(), outputs.clone(), told, violation, reaches)) {
                outcomes.push(FocusOutcome { node: in_focus, outputs, input, violation, reaches });
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
            About::Request(request) => request == r,
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

/// Nothing is asked for here, and nothing below is protected.
fn idle(node: &Node) -> bool {
    node.requests().is_empty() && node.holds().protecting().next().is_none()
}

impl Whole<'_> {
    fn judge(&self, focus: Focus) -> (Option<ClaimViolation>, Option<PropertyId>) {
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
        (wrong, Some(property))
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
