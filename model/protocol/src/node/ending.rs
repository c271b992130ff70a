//! Cancel, teardown, the ladders, orphans, exit.

use super::overview::{HeldBack, LockUse, Overview};
use super::{Node, StopOrder, TreePosition, Uplink};
use crate::id::ActorId;
use crate::input::{Cause, Status};
use crate::ladder::{Child, ChildLink, Climbed, Grace, LadderRung};
use crate::message::{Message, Urgency};
use crate::output::{Alarm, LadderSignal, Outbox, Output};
use crate::policy::{AfterInterrupt, Orphans, TerminalReader};
use crate::teardown::{Teardown, UserTaskState};
use crate::timer::Timer;
use alloc::vec::Vec;

impl Node {
    /// This actor must end: now, or when nothing defers it any longer (R4).
    pub(super) fn request_teardown(&mut self, cause: Cause, out: &mut Outbox) {
        match self.teardown {
            Teardown::NotAsked => {
                self.teardown = Teardown::Deferred(cause);
                self.withdraw_waiting(out);
            }
            // A process that lingers after its interrupt is freed by its supervisor's cancel.
            Teardown::Running(Cause::Interrupted) if cause == Cause::Requested => {
                self.teardown = Teardown::Running(cause);
            }
            Teardown::Deferred(_) | Teardown::Running(_) | Teardown::Over => {}
        }
    }

    pub(super) fn cancelled_from_above(&mut self, urgency: Urgency, out: &mut Outbox) {
        self.request_teardown(Cause::Requested, out);
        match urgency {
            Urgency::Patient => {}
            Urgency::Forced => self.force(out),
        }
    }

    /// The grace of a stop order is over (R10): holds protect nobody any longer.
    pub(super) fn force(&mut self, out: &mut Outbox) {
        if self.urgency == Urgency::Forced {
            return;
        }
        self.urgency = Urgency::Forced;
        self.give_up_requests(out);
        self.refuse_waiting(out);
        if let Teardown::Running(_) = self.teardown {
            self.ask_children(out);
        }
    }

    /// Brings everything that follows from the holds in line with them.
    pub(super) fn settle(&mut self, out: &mut Outbox) {
        if let Teardown::Deferred(cause) = self.teardown {
            match self.overview().defers(self.policy, self.urgency, cause) {
                HeldBack::Yes => {}
                HeldBack::No => self.begin_teardown(cause, out),
            }
        }
        let overview = self.overview();
        for id in self.children.keys().copied().collect::<Vec<_>>() {
            self.settle_ladder(id, overview, out);
        }
        self.exit_if_done(out);
    }

    fn begin_teardown(&mut self, cause: Cause, out: &mut Outbox) {
        self.teardown = Teardown::Running(cause);
        self.give_up_requests(out);
        if self.user_task == UserTaskState::Running {
            self.user_task = UserTaskState::Asked;
        }
        out.push(Output::TeardownStarted { cause });
        self.ask_children(out);
    }

    /// Sends each child on its ladder; a forced cancel also goes to those that
    /// were sent a patient one.
    fn ask_children(&mut self, out: &mut Outbox) {
        let urgency = self.urgency;
        for (id, child) in &mut self.children {
            let news = child.rung < LadderRung::Cancel || urgency == Urgency::Forced;
            if news && child.link == ChildLink::Up && child.rung < LadderRung::Kill {
                out.send(*id, Message::Cancel { urgency });
            }
            child.rung = child.rung.max(LadderRung::Cancel);
        }
    }

    /// The program asks one child to end. What is at a prompt below it defers the child's own
    /// teardown (R4) and suspends its ladder here (R5), so there is nothing to wait for.
    pub(super) fn cancel_child(&mut self, id: ActorId, out: &mut Outbox) {
        let urgency = self.urgency;
        match self.children.get_mut(&id) {
            Some(child) if child.rung < LadderRung::Cancel => {
                if child.link == ChildLink::Up {
                    out.send(id, Message::Cancel { urgency });
                }
                child.rung = LadderRung::Cancel;
            }
            Some(_) | None => {}
        }
    }

    /// R5: whether this child's ladder must wait.
    fn suspends(&self, id: ActorId, child: Child, overview: Overview) -> HeldBack {
        let through = self.holds.protecting().any(|(_, hold)| hold.via == id);
        overview.suspends(self.policy, self.urgency, child.kinship, through)
    }

    fn settle_ladder(&mut self, id: ActorId, overview: Overview, out: &mut Outbox) {
        let child = self.children[&id];
        let wanted = match self.suspends(id, child, overview) {
            HeldBack::Yes => Grace::Off,
            HeldBack::No => child.wants_grace(),
        };
        let timer = Timer::Grace(id);
        match (child.grace, wanted) {
            (Grace::Off, Grace::On) => out.push(Output::Arm { timer }),
            (Grace::On, Grace::Off) => out.push(Output::Disarm { timer }),
            (Grace::Off, Grace::Off) | (Grace::On, Grace::On) => {}
        }
        self.children.insert(id, Child { grace: wanted, ..child });
    }

    fn climb(&mut self, id: ActorId, out: &mut Outbox) {
        let Some(child) = self.children.get_mut(&id) else { return };
        if child.grace == Grace::On {
            out.push(Output::Disarm { timer: Timer::Grace(id) });
            child.grace = Grace::Off;
        }
        let signal = match child.climb(self.policy.rungs()) {
            Climbed::Terminate => LadderSignal::Terminate,
            Climbed::Kill => LadderSignal::Kill,
            Climbed::Stays => return,
        };
        out.push(Output::Signal { child: id, signal });
    }

    pub(super) fn expired(&mut self, timer: Timer, out: &mut Outbox) {
        match timer {
            Timer::Grace(id) => match self.children.get_mut(&id) {
                Some(child) if child.grace == Grace::On => {
                    child.grace = Grace::Off;
                    self.climb(id, out);
                }
                Some(_) | None => out.alarm(Alarm::TimerNotArmed),
            },
            Timer::Yield(_) => self.force(out),
        }
    }

    /// R11: every ladder that is not suspended climbs one rung now.
    pub(super) fn hurry(&mut self, out: &mut Outbox) {
        let overview = self.overview();
        for id in self.children.keys().copied().collect::<Vec<_>>() {
            match self.suspends(id, self.children[&id], overview) {
                HeldBack::Yes => {}
                HeldBack::No => self.climb(id, out),
            }
        }
    }

    pub(super) fn child_exited(&mut self, id: ActorId, status: Status, out: &mut Outbox) {
        let child = self.children.remove(&id);
        if child.is_some_and(|child| child.grace == Grace::On) {
            out.push(Output::Disarm { timer: Timer::Grace(id) });
        }
        self.branch_lost(id, out);
        let asked = child.is_none_or(|child| child.rung >= LadderRung::Cancel);
        match status {
            Status::Finished | Status::Cancelled => {}
            Status::Failed | Status::Killed if asked => {}
            Status::Failed | Status::Killed => self.fail_or_cancel(Cause::ChildFailed, out),
        }
    }

    pub(super) fn link_ended(&mut self, peer: ActorId, out: &mut Outbox) {
        if let TreePosition::Below { supervisor, uplink, .. } = &mut self.position
            && *supervisor == peer
        {
            *uplink = Uplink::Ended;
            self.refuse_waiting(out);
            match self.policy.orphans() {
                Orphans::End => self.request_teardown(Cause::Orphaned, out),
                Orphans::LiveOn => {}
            }
        } else if let Some(child) = self.children.get_mut(&peer) {
            child.link = ChildLink::Ended;
            match self.policy.orphans() {
                // The end of the link asks the child to end, so it is on the ladder now.
                Orphans::End => child.rung = child.rung.max(LadderRung::Unlinked),
                Orphans::LiveOn => {}
            }
            self.waiting_lost(peer, out);
        } else {
            self.branch_lost(peer, out);
        }
    }

    fn exit_if_done(&mut self, out: &mut Outbox) {
        let Teardown::Running(cause) = self.teardown else { return };
        if !self.overview().is_done() {
            return;
        }
        match &self.position {
            TreePosition::Root { .. } => out.push(Output::Sweep),
            TreePosition::Below { uplink, .. } => {
                let lingers = self.policy.after_interrupt() == AfterInterrupt::Lingers
                    && cause == Cause::Interrupted
                    && *uplink == Uplink::Up;
                if !lingers {
                    self.teardown = Teardown::Over;
                    out.push(Output::Exit { status: cause.into() });
                }
            }
        }
    }

    /// The root has no descendant left.
    pub(super) fn children_gone(&mut self, out: &mut Outbox) {
        let Teardown::Running(cause) = self.teardown else { return };
        let overview = self.overview();
        if overview.is_done() {
            self.teardown = Teardown::Over;
            let lent = matches!(overview.lock, LockUse::Own | LockUse::Lent);
            if lent && self.policy.reader() == TerminalReader::Root {
                // Everybody is gone, so the baton is closed; its end of file was not read yet.
                out.push(Output::TerminalRestored);
            }
            out.push(Output::Exit { status: cause.into() });
        }
    }

    /// Whether the root was told to stop.
    #[must_use]
    pub fn stop_order(&self) -> StopOrder {
        match &self.position {
            TreePosition::Root { stop, .. } => *stop,
            TreePosition::Below { .. } => StopOrder::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DebugMode, Input, Policy};

    /// What each status leads to.
    type Ends = [(Status, Teardown); 4];

    #[test]
    fn a_child_that_fails_unasked_fails_its_supervisor_whenever_its_link_ended() {
        use Status::{Cancelled, Failed, Finished, Killed};
        let child = ActorId(1);
        let asked = Input::CancelChild { child };
        let unlinked = Input::LinkEnded { peer: child };
        let table: [(&[Input], Ends); 4] = [
            (&[], fails_on([Failed, Killed])),
            (&[unlinked], fails_on([Failed, Killed])),
            (&[asked], fails_on([])),
            (&[unlinked, asked], fails_on([])),
        ];
        for (before, ends) in table {
            for (status, teardown) in ends {
                let mut node = Node::root(ActorId(0), Policy::RELAY, DebugMode::Off);
                let exited = Input::Exited { child, status };
                let all = [Input::Spawned { child }].into_iter().chain(before.iter().copied());
                for input in all.chain([exited]) {
                    node.handle(input, &mut Outbox::new());
                }
                assert_eq!(node.teardown(), teardown, "{before:?}, {status:?}");
            }
        }

        fn fails_on<const N: usize>(failing: [Status; N]) -> Ends {
            [Finished, Cancelled, Failed, Killed].map(|status| {
                let fails = failing.contains(&status);
                let running = Teardown::Running(Cause::ChildFailed);
                (status, if fails { running } else { Teardown::NotAsked })
            })
        }
    }
}
