//! The properties, as claims about a step of the actor in focus with its rest: what must hold
//! whatever the neighbours do.

use super::claim::ClaimViolation;
use super::focus::{Focus, ORPHAN};
use holdfast_check::property::PropertyId;
use holdfast_protocol::ladder::{Child, LadderRung};
use holdfast_protocol::message::Urgency;
use holdfast_protocol::node::{StopOrder, TreePosition, Uplink};
use holdfast_protocol::sigint::Disposition;
use holdfast_protocol::teardown::{Teardown, UserTaskState};
use holdfast_protocol::{ActorId, Input, Message, Node, Output, Signal};

/// A step of the node with its rest: what must hold whatever the neighbours do.
#[derive(Clone, Copy, Debug)]
pub struct WholeStep<'a> {
    /// The node before.
    pub before: &'a Node,
    /// What it takes.
    pub input: Input,
    /// The node after.
    pub after: &'a Node,
    /// All that it does.
    pub outputs: &'a [Output],
}

/// How many requests are asked for here, or protected below.
pub(crate) fn asked_for(node: &Node) -> usize {
    node.requests().iter().count() + node.holds().protecting().count()
}

/// Nothing is asked for here, and nothing below is protected.
fn idle(node: &Node) -> bool {
    asked_for(node) == 0
}

/// All that is left to do is to exit.
fn done(node: &Node) -> bool {
    let ends = matches!(node.teardown(), Teardown::Running(_));
    ends && node.user_task() == UserTaskState::Ended
        && node.children().is_empty()
        && node.requests().is_empty()
}

impl WholeStep<'_> {
    /// What is wrong with it, and the property whose antecedent it reaches.
    #[must_use]
    pub fn judge(&self, focus: Focus) -> (Option<ClaimViolation>, Option<PropertyId>) {
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
