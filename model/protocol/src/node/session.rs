//! Requests, grants and releases: the lock's inputs, and the holds they leave.

use super::overview::OwnTasks;
use super::path_end::PathEnd;
use super::{DebugMode, Node, Standing, StopOrder, TreePosition, Uplink};
use crate::hold::{Hold, HoldStage};
use crate::id::{ActorId, RequestId};
use crate::input::{Answer, Cause, Shielding};
use crate::ladder::{Child, Kinship, LadderRung};
use crate::lock::client::{OwnRequest, Purpose, RequestStage};
use crate::lock::server::{NextGrant, Released};
use crate::message::{Message, MessageDirection, Urgency};
use crate::output::{Alarm, Notice, Outbox, Output};
use crate::policy::{Lock, LostBranch, Route, TerminalReader, WaitingRequest};
use crate::teardown::Teardown;
use crate::timer::Timer;
use alloc::vec::Vec;

/// Whether a new request is accepted.
enum Admission {
    Open,
    Shut,
}

/// Who uses the name of a new request already.
enum NameUse {
    /// The name is new.
    Free,
    /// The same request, which is not answered or not over yet.
    SameRequest,
    /// Another request.
    OtherRequest,
}

impl Node {
    /// A local task hit a breakpoint.
    pub(super) fn pause(&mut self, shielding: Shielding, out: &mut Outbox) {
        let admission = match (self.teardown, shielding) {
            (Teardown::NotAsked, _) | (_, Shielding::Shielded) => self.admission(),
            (Teardown::Deferred(_) | Teardown::Running(_) | Teardown::Over, Shielding::Plain) => {
                Admission::Shut
            }
        };
        match admission {
            Admission::Open => {
                self.ask(Purpose::Breakpoint(shielding), out);
            }
            Admission::Shut => {
                let request = self.requests.name(self.id);
                out.push(Output::Requested { request });
                out.push(Output::Refused { request });
            }
        }
    }

    /// Asks for the terminal on behalf of this actor.
    fn ask(&mut self, purpose: Purpose, out: &mut Outbox) {
        let request = self.requests.ask(self.id, purpose);
        self.slot.shield();
        out.push(Output::Requested { request });
        match (self.policy.lock(), &mut self.position) {
            (Lock::Absent, _) => {
                if self.requests.open().is_none() {
                    self.open_prompt(request, out);
                }
            }
            (Lock::FirstComeFirstServed, TreePosition::Root { server, .. }) => {
                server.enqueue(request);
                self.grant_next(out);
            }
            (Lock::FirstComeFirstServed, TreePosition::Below { .. }) => {
                self.send_up(Message::Want { request }, out);
            }
        }
    }

    /// A failure: in debug mode it is looked at before it climbs.
    pub(super) fn fail_or_cancel(&mut self, cause: Cause, out: &mut Outbox) {
        let failure = matches!(cause, Cause::Failed | Cause::ChildFailed);
        let examined = self.overview().own == OwnTasks::Examined;
        match (self.debug, self.teardown, self.admission()) {
            (DebugMode::On, Teardown::NotAsked, Admission::Open) if failure => {
                if !examined {
                    self.ask(Purpose::PostMortem, out);
                }
            }
            _ => self.request_teardown(cause, out),
        }
    }

    fn admission(&self) -> Admission {
        match (&self.position, self.urgency) {
            (_, Urgency::Forced)
            | (TreePosition::Root { stop: StopOrder::Received, .. }, Urgency::Patient)
            | (TreePosition::Below { uplink: Uplink::Ended, .. }, Urgency::Patient) => {
                Admission::Shut
            }
            (TreePosition::Root { stop: StopOrder::None, .. }, Urgency::Patient)
            | (TreePosition::Below { uplink: Uplink::Up, .. }, Urgency::Patient) => Admission::Open,
        }
    }

    /// R1: a request from below leaves a hold and climbs on.
    pub(super) fn want(&mut self, from: ActorId, request: RequestId, out: &mut Outbox) {
        if self.children.get(&from).is_some_and(|child| child.rung == LadderRung::Kill) {
            return out.notice(Notice::WantTooLate);
        }
        match self.name_use(from, request) {
            NameUse::Free => {}
            NameUse::SameRequest => return out.notice(Notice::DuplicateWant),
            NameUse::OtherRequest => {
                out.notice(Notice::DuplicateWant);
                return out.send(from, Message::Refuse { request });
            }
        }
        match self.admission() {
            Admission::Shut => out.send(from, Message::Refuse { request }),
            Admission::Open => {
                self.holds.set(request, Hold { via: from, stage: HoldStage::Waiting });
                self.slot.shield();
                if let TreePosition::Root { server, .. } = &mut self.position {
                    server.enqueue(request);
                    self.grant_next(out);
                } else {
                    self.send_up(Message::Want { request }, out);
                }
            }
        }
    }

    /// Who uses the name of a request from below. Whoever asks is answered, so a request under a
    /// name in use is refused, unless the answer to its namesake is an answer to it.
    fn name_use(&self, from: ActorId, request: RequestId) -> NameUse {
        let own = |child: &Child| child.kinship == Kinship::Own;
        let child = request.actor != from && self.children.get(&request.actor).is_some_and(own);
        if request.actor == self.id || child {
            return NameUse::OtherRequest;
        }
        match self.holds.find(request) {
            None => NameUse::Free,
            Some(hold) => match hold.stage {
                HoldStage::Waiting | HoldStage::Granted if hold.via == from => NameUse::SameRequest,
                HoldStage::Waiting
                | HoldStage::Granted
                | HoldStage::Detached
                | HoldStage::Closed => NameUse::OtherRequest,
            },
        }
    }

    /// R2: the root gives the free lock to whoever waits longest.
    fn grant_next(&mut self, out: &mut Outbox) {
        let TreePosition::Root { server, .. } = &mut self.position else { return };
        let NextGrant::Grant(request) = server.grant_next() else { return };
        if self.policy.reader() == TerminalReader::Root {
            out.push(Output::TerminalTaken);
        }
        self.granted(request, out);
    }

    /// The lock comes down the path: to a task of this actor, or on to a child.
    pub(super) fn granted(&mut self, request: RequestId, out: &mut Outbox) {
        if let Some(own) = self.requests.find(request) {
            return match own.stage {
                RequestStage::Waiting => self.open_prompt(request, out),
                RequestStage::Open => out.alarm(Alarm::GrantedTwice),
            };
        }
        match self.holds.find(request) {
            Some(hold) => match hold.stage {
                HoldStage::Waiting => {
                    self.holds.set(request, Hold { stage: HoldStage::Granted, ..hold });
                    out.send(hold.via, Message::Grant { request });
                }
                HoldStage::Granted | HoldStage::Detached | HoldStage::Closed => {
                    // A name that was used again: the grant of its first use came for its second.
                    out.notice(Notice::DuplicateGrant);
                    out.push(Output::BatonDropped { request });
                }
            },
            None => {
                // Withdrawn or lost while the grant was on its way.
                out.notice(Notice::UnexpectedMessage);
                out.push(Output::BatonDropped { request });
            }
        }
    }

    fn open_prompt(&mut self, request: RequestId, out: &mut Outbox) {
        self.requests.set_open(request);
        if self.policy.reader() == TerminalReader::Holder {
            out.push(Output::TerminalTaken);
        }
        out.push(Output::PromptOpened { request });
    }

    /// The person at this actor's prompt has decided.
    pub(super) fn answered(&mut self, request: RequestId, answer: Answer, out: &mut Outbox) {
        let Some(own) = self.requests.find(request).filter(|own| own.stage == RequestStage::Open)
        else {
            return out.alarm(Alarm::AnswerWithoutPrompt);
        };
        self.close_prompt(own, out);
        match (answer, own.purpose) {
            // Who quits has seen enough: no second prompt here, even in debug mode.
            (_, Purpose::PostMortem) | (Answer::Quit, Purpose::Breakpoint(_)) => {
                self.request_teardown(Cause::Failed, out);
            }
            (Answer::Continue | Answer::Hangup, Purpose::Breakpoint(_)) => {}
        }
    }

    /// Closes an open prompt of this actor, whatever the reason: the one place of release.
    pub(super) fn close_prompt(&mut self, own: OwnRequest, out: &mut Outbox) {
        let request = own.request;
        self.requests.remove(request);
        self.slot.unshield();
        if self.policy.reader() == TerminalReader::Holder {
            out.push(Output::TerminalRestored);
        }
        out.push(Output::PromptClosed { request });
        match (self.policy.lock(), &self.position) {
            (Lock::Absent, _) => {
                let next = self.requests.iter().next();
                if let Some(next) = next {
                    self.open_prompt(next.request, out);
                }
            }
            (Lock::FirstComeFirstServed, TreePosition::Root { .. }) => self.released(request, out),
            (Lock::FirstComeFirstServed, TreePosition::Below { .. }) => {
                self.send_up(Message::Done { request }, out);
            }
        }
    }

    /// Root: the lock is free again.
    fn released(&mut self, request: RequestId, out: &mut Outbox) {
        let TreePosition::Root { server, stop } = &mut self.position else { return };
        match server.release(request) {
            Released::Freed => {
                if self.policy.reader() == TerminalReader::Root {
                    out.push(Output::TerminalRestored);
                }
                if *stop == StopOrder::Received && request.actor != self.id {
                    out.push(Output::Disarm { timer: Timer::Yield(request) });
                }
                self.grant_next(out);
            }
            Released::NotTheOwner => out.alarm(Alarm::ReleaseByNonOwner),
        }
    }

    /// R7: the root read end of file on its end of the baton.
    pub(super) fn baton_closed(&mut self, request: RequestId, out: &mut Outbox) {
        if let Some(hold) = self.holds.find(request) {
            self.slot.unshield();
            match hold.stage {
                HoldStage::Detached => self.holds.remove(request),
                HoldStage::Waiting | HoldStage::Granted | HoldStage::Closed => {
                    self.holds.set(request, Hold { stage: HoldStage::Closed, ..hold });
                }
            }
        }
        self.released(request, out);
    }

    /// `Done` or `Lost` from below: the path says that the request is over.
    pub(super) fn done(&mut self, from: ActorId, request: RequestId, out: &mut Outbox) {
        match self.holds.find(request).filter(|hold| hold.via == from) {
            Some(hold) => self.end_hold(request, hold, PathEnd::Done, out),
            None => out.notice(Notice::UnexpectedMessage),
        }
    }

    /// R8: the branch below `child` is gone, and with it what it asked for.
    pub(super) fn branch_lost(&mut self, child: ActorId, out: &mut Outbox) {
        if self.policy.lost_branch() == LostBranch::Untold {
            return;
        }
        for (request, hold) in self.holds.through(child) {
            self.end_hold(request, hold, PathEnd::Lost, out);
        }
    }

    /// The part of a branch that still waits is gone: its link ended, its process may go on.
    pub(super) fn waiting_lost(&mut self, child: ActorId, out: &mut Outbox) {
        if self.policy.lost_branch() == LostBranch::Untold {
            return;
        }
        for (request, hold) in self.holds.through(child) {
            match hold.stage {
                HoldStage::Waiting => {
                    self.end_hold(request, hold, PathEnd::Lost, out);
                }
                HoldStage::Granted | HoldStage::Detached | HoldStage::Closed => {}
            }
        }
    }

    /// The path below says that a request is over: between, its hold goes and the news climbs on;
    /// at the root a granted hold stays until its baton is closed (R7, R8).
    fn end_hold(&mut self, request: RequestId, hold: Hold, end: PathEnd, out: &mut Outbox) {
        let TreePosition::Root { server, .. } = &mut self.position else {
            self.drop_hold(request);
            return self.send_up(end.says(request), out);
        };
        match hold.stage {
            HoldStage::Waiting => {
                server.withdraw(request);
                self.drop_hold(request);
            }
            HoldStage::Closed => self.holds.remove(request),
            HoldStage::Detached => {}
            HoldStage::Granted => {
                if end.keeps_granted(self.policy) {
                    self.holds.set(request, Hold { stage: HoldStage::Detached, ..hold });
                } else {
                    self.drop_hold(request);
                    self.released(request, out);
                }
            }
        }
    }

    fn drop_hold(&mut self, request: RequestId) {
        self.holds.remove(request);
        self.slot.unshield();
    }

    /// The root, or an orphaned hop, will not grant this request.
    pub(super) fn refused(&mut self, request: RequestId, out: &mut Outbox) {
        if let Some(own) = self.requests.find(request) {
            match own.stage {
                RequestStage::Waiting => self.refuse_own(own, out),
                RequestStage::Open => out.alarm(Alarm::GrantedTwice),
            }
        } else if let Some(hold) = self.holds.find(request) {
            self.drop_hold(request);
            out.send(hold.via, Message::Refuse { request });
        } else {
            out.notice(Notice::UnexpectedMessage);
        }
    }

    fn refuse_own(&mut self, own: OwnRequest, out: &mut Outbox) {
        // Refusing a post-mortem asks for the teardown, which withdraws the other requests of this
        // actor; the list of the caller may still have them.
        if self.requests.find(own.request).is_none() {
            return;
        }
        self.requests.remove(own.request);
        self.slot.unshield();
        out.push(Output::Refused { request: own.request });
        match own.purpose {
            Purpose::PostMortem => self.request_teardown(Cause::Failed, out),
            Purpose::Breakpoint(_) => {}
        }
    }

    /// R6: a cancel withdraws what still waits; an open prompt stays.
    pub(super) fn withdraw_waiting(&mut self, out: &mut Outbox) {
        if self.policy.waiting_request() == WaitingRequest::Kept {
            return;
        }
        let plain = |own: &OwnRequest| {
            own.stage == RequestStage::Waiting && own.purpose.shielding() == Shielding::Plain
        };
        for own in self.requests.iter().filter(plain).collect::<Vec<_>>() {
            self.withdraw(own, out);
        }
    }

    /// Takes back a request of this actor that waits.
    fn withdraw(&mut self, own: OwnRequest, out: &mut Outbox) {
        let request = own.request;
        self.refuse_own(own, out);
        match (self.policy.lock(), &mut self.position) {
            (Lock::Absent, _) => {}
            (Lock::FirstComeFirstServed, TreePosition::Root { server, .. }) => {
                server.withdraw(request)
            }
            (Lock::FirstComeFirstServed, TreePosition::Below { .. }) => {
                self.send_up(Message::Done { request }, out);
            }
        }
    }

    /// R10: the prompt must close, here or further down.
    pub(super) fn revoke(&mut self, request: RequestId, out: &mut Outbox) {
        if let Some(own) = self.requests.find(request).filter(|own| own.stage == RequestStage::Open)
        {
            self.close_prompt(own, out);
        } else if let Some(hold) = self.holds.find(request) {
            // A granted hold outlives the child that it came through (R8).
            match self.standing(hold.via, MessageDirection::Up) {
                Standing::Peer => out.send(hold.via, Message::Revoke { request }),
                Standing::Unrelated => {}
            }
        } else {
            out.notice(Notice::UnexpectedMessage);
        }
    }

    /// Closes the own prompt and gives up every own request, shielded or not.
    pub(super) fn give_up_requests(&mut self, out: &mut Outbox) {
        for own in self.requests.iter().collect::<Vec<_>>() {
            match own.stage {
                RequestStage::Waiting => self.withdraw(own, out),
                RequestStage::Open => self.close_prompt(own, out),
            }
        }
    }

    /// Refuses every request that waits: at a root that was told to stop, and at an orphan.
    pub(super) fn refuse_waiting(&mut self, out: &mut Outbox) {
        for own in self
            .requests
            .iter()
            .filter(|own| own.stage == RequestStage::Waiting)
            .collect::<Vec<_>>()
        {
            if let TreePosition::Root { server, .. } = &mut self.position {
                server.withdraw(own.request);
            }
            self.refuse_own(own, out);
        }
        for (request, hold) in self.holds.iter().collect::<Vec<_>>() {
            if hold.stage == HoldStage::Waiting {
                if let TreePosition::Root { server, .. } = &mut self.position {
                    server.withdraw(request);
                }
                self.drop_hold(request);
                out.send(hold.via, Message::Refuse { request });
            }
        }
    }

    fn send_up(&mut self, message: Message, out: &mut Outbox) {
        match (&self.position, self.policy.route()) {
            (TreePosition::Below { uplink: Uplink::Up, supervisor, .. }, Route::Relayed) => {
                out.send(*supervisor, message);
            }
            (TreePosition::Below { root, .. }, Route::Direct) => out.send(*root, message),
            (TreePosition::Below { uplink: Uplink::Ended, .. }, Route::Relayed)
            | (TreePosition::Root { .. }, _) => {}
        }
    }
}
