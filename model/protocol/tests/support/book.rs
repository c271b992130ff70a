//! What the rules say a supervisor does, written from their text and as plainly as can be.
//!
//! Runs in `cargo test`, beside the machine that it is compared with. It keeps one list of
//! requests in the order of their arrival and one of children, and knows no queue, no holds and no
//! owner: those follow from the list.

use holdfast_protocol::input::Shielding;
use holdfast_protocol::{
    ActorId, Cause, Input, LadderSignal, Message, Output, RequestId, Status, Timer, Urgency,
};
use std::collections::BTreeMap;

/// Where the supervisor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Root,
    Below,
    /// Below, and its link to the supervisor has ended.
    Orphan,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Waits,
    /// The request has the lock.
    Has,
    /// The request has the lock and its path is gone: the baton is still out (R8).
    Adrift,
    /// Its baton is closed, its path has not said so.
    Over,
}

/// A request; `via` is the child that it came through, none if it is the supervisor's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) request: RequestId,
    pub(crate) via: Option<ActorId>,
    pub(crate) phase: Phase,
    pub(crate) shielding: Shielding,
}

/// A child; the rung counts from 0, not asked, over 1, its link ended, to 4, sent SIGKILL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kid {
    pub(crate) rung: u8,
    pub(crate) linked: bool,
    pub(crate) adopted: bool,
}

/// How far the supervisor itself is with ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    No,
    Waits(Cause),
    Ends(Cause),
}

/// The supervisor by the book.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    pub(crate) me: ActorId,
    pub(crate) above: ActorId,
    pub(crate) place: Place,
    pub(crate) rows: Vec<Row>,
    pub(crate) kids: BTreeMap<ActorId, Kid>,
    pub(crate) told: Told,
    pub(crate) next: u32,
    said: Vec<Output>,
}

impl Book {
    pub(crate) fn new(me: ActorId, above: ActorId, place: Place) -> Self {
        let (rows, kids, told) = (Vec::new(), BTreeMap::new(), Told::No);
        Self { me, above, place, rows, kids, told, next: 0, said: Vec::new() }
    }

    /// R3, R4: whether somebody must not be disturbed.
    pub(crate) fn holds(&self) -> bool {
        self.rows.iter().any(|row| row.phase != Phase::Over)
    }

    /// The request that has the lock, or had it and has its baton out.
    pub(crate) fn owner(&self) -> Option<Row> {
        self.rows.iter().copied().find(|row| matches!(row.phase, Phase::Has | Phase::Adrift))
    }

    /// R5, R11: whether the grace of a child runs.
    pub(crate) fn armed(&self, child: ActorId) -> bool {
        matches!(self.kids[&child].rung, 1..=3) && !self.suspended(child)
    }

    fn suspended(&self, child: ActorId) -> bool {
        let through = |row: &Row| row.via == Some(child) && row.phase != Phase::Over;
        let out = self.place == Place::Root && self.owner().is_some_and(|row| row.via.is_some());
        self.rows.iter().any(through) || (self.kids[&child].adopted && out)
    }

    /// What the supervisor does about an input.
    pub(crate) fn expect(&mut self, input: Input) -> Vec<Output> {
        match input {
            Input::Pause { shielding } => self.pause(shielding),
            Input::Answered { request, .. } => {
                self.rows.retain(|row| row.request != request);
                self.said.push(Output::PromptClosed { request });
                self.say_up(Message::Done { request });
                self.freed();
            }
            Input::Cancel { cause } => self.tell(cause),
            Input::CancelChild { child } => self.ask(child),
            Input::Received { from, message } => self.hear(from, message),
            Input::LinkEnded { peer } if peer == self.above => self.orphan(),
            Input::LinkEnded { peer } => {
                if let Some(kid) = self.kids.get_mut(&peer) {
                    kid.linked = false;
                    kid.rung = kid.rung.max(1);
                }
                self.lose(peer, |row| row.phase == Phase::Waits);
            }
            Input::Exited { child, status } => {
                let unasked = self.kids.remove(&child).is_some_and(|kid| kid.rung < 2);
                self.lose(child, |_| true);
                if unasked && matches!(status, Status::Failed | Status::Killed) {
                    self.tell(Cause::ChildFailed);
                }
            }
            Input::Signalled { .. } => self.interrupt(),
            Input::Expired { timer: Timer::Grace(child) } => self.climb(child),
            Input::Spawned { child } => {
                self.kids.insert(child, Kid { rung: 0, linked: true, adopted: false });
            }
            Input::Adopted { child } => {
                self.kids.entry(child).or_insert(Kid { rung: 2, linked: false, adopted: true });
            }
            Input::BatonClosed { request } => {
                self.change(request, |phase| match phase {
                    Phase::Adrift => None,
                    Phase::Waits | Phase::Has | Phase::Over => Some(Phase::Over),
                });
                self.freed();
            }
            Input::Expired { timer: Timer::Yield(_) }
            | Input::Unexamined { .. }
            | Input::UserTaskEnded
            | Input::ChildrenGone => unreachable!("the book has no page for {input:?}"),
        }
        self.settle();
        std::mem::take(&mut self.said)
    }

    fn hear(&mut self, from: ActorId, message: Message) {
        let row = |request| self.rows.iter().copied().find(|row| row.request == request);
        match message {
            Message::Want { request } => {
                if !self.kids.get(&from).is_some_and(|kid| kid.linked && kid.rung < 4) {
                    return;
                }
                if self.place == Place::Orphan {
                    return self.send(from, Message::Refuse { request });
                }
                self.enter(request, Some(from), Shielding::Plain);
            }
            Message::Done { request } | Message::Lost { request } => {
                let linked = self.kids.get(&from).is_some_and(|kid| kid.linked);
                if linked && row(request).is_some_and(|row| row.via == Some(from)) {
                    self.path_over(request, Message::Done { request });
                }
            }
            Message::Grant { request } => {
                self.change(request, |_| Some(Phase::Has));
                self.given(request);
            }
            Message::Refuse { request } => self.refuse(request),
            Message::Revoke { .. } | Message::Cancel { .. } => {
                unreachable!("the book has no page for {message}")
            }
        }
    }

    fn pause(&mut self, shielding: Shielding) {
        let request = RequestId { actor: self.me, serial: self.next };
        self.next += 1;
        let late = self.told != Told::No && shielding == Shielding::Plain;
        if late || self.place == Place::Orphan {
            self.said.push(Output::Refused { request });
        } else {
            self.enter(request, None, shielding);
        }
    }

    /// R1, R2: a new request goes to the end of the line, and on upward.
    fn enter(&mut self, request: RequestId, via: Option<ActorId>, shielding: Shielding) {
        self.rows.push(Row { request, via, phase: Phase::Waits, shielding });
        self.say_up(Message::Want { request });
        self.serve();
    }

    /// R2: at the root, who has waited longest gets the lock if nobody has it.
    fn serve(&mut self) {
        if self.place != Place::Root || self.owner().is_some() {
            return;
        }
        let Some(row) = self.rows.iter_mut().find(|row| row.phase == Phase::Waits) else { return };
        row.phase = Phase::Has;
        let request = row.request;
        self.said.push(Output::TerminalTaken);
        self.given(request);
    }

    fn given(&mut self, request: RequestId) {
        match self.rows.iter().find(|row| row.request == request).and_then(|row| row.via) {
            Some(child) => self.send(child, Message::Grant { request }),
            None => self.said.push(Output::PromptOpened { request }),
        }
    }

    /// R7: at the root, the lock is free again.
    fn freed(&mut self) {
        if self.place == Place::Root {
            self.said.push(Output::TerminalRestored);
            self.serve();
        }
    }

    fn change(&mut self, request: RequestId, to: impl Fn(Phase) -> Option<Phase>) {
        self.rows.retain_mut(|row| {
            if row.request != request {
                return true;
            }
            to(row.phase).map(|phase| row.phase = phase).is_some()
        });
    }

    /// R8: at the root a lock that was given stays given until its baton is closed.
    fn path_over(&mut self, request: RequestId, say: Message) {
        match self.place {
            Place::Root => self.change(request, |phase| match phase {
                Phase::Waits | Phase::Over => None,
                Phase::Has | Phase::Adrift => Some(Phase::Adrift),
            }),
            Place::Below | Place::Orphan => {
                self.change(request, |_| None);
                self.say_up(say);
            }
        }
    }

    fn lose(&mut self, child: ActorId, which: impl Fn(&Row) -> bool) {
        let lost = self.rows.iter().filter(|row| row.via == Some(child) && which(row));
        for request in lost.map(|row| row.request).collect::<Vec<_>>() {
            self.path_over(request, Message::Lost { request });
        }
    }

    fn refuse(&mut self, request: RequestId) {
        let Some(at) = self.rows.iter().position(|row| row.request == request) else { return };
        match self.rows.remove(at).via {
            Some(child) => self.send(child, Message::Refuse { request }),
            None => self.said.push(Output::Refused { request }),
        }
    }

    /// R9: nobody above will grant anything any longer.
    fn orphan(&mut self) {
        self.place = Place::Orphan;
        let waits = self.rows.iter().filter(|row| row.phase == Phase::Waits);
        for request in waits.map(|row| row.request).collect::<Vec<_>>() {
            self.refuse(request);
        }
        self.tell(Cause::Orphaned);
    }

    /// R6: what waits and is not shielded is withdrawn.
    fn tell(&mut self, cause: Cause) {
        // Which of the two ended it is a matter of the log: both exit alike.
        if (self.told, cause) == (Told::Ends(Cause::Interrupted), Cause::Requested) {
            self.told = Told::Ends(cause);
        }
        if self.told != Told::No {
            return;
        }
        self.told = Told::Waits(cause);
        let mine = |row: &&Row| {
            row.via.is_none() && row.phase == Phase::Waits && row.shielding == Shielding::Plain
        };
        for request in self.rows.iter().filter(mine).map(|row| row.request).collect::<Vec<_>>() {
            self.refuse(request);
            self.say_up(Message::Done { request });
        }
    }

    /// R3, R11.
    fn interrupt(&mut self) {
        if self.holds() {
            return;
        }
        self.said.push(Output::InterruptObeyed);
        match self.told {
            Told::No | Told::Waits(_) => self.tell(Cause::Interrupted),
            Told::Ends(_) => {
                for child in self.kids.keys().copied().collect::<Vec<_>>() {
                    if !self.suspended(child) {
                        self.climb(child);
                    }
                }
            }
        }
    }

    fn ask(&mut self, child: ActorId) {
        let Some(kid) = self.kids.get_mut(&child).filter(|kid| kid.rung < 2) else { return };
        kid.rung = 2;
        if kid.linked {
            self.send(child, Message::Cancel { urgency: Urgency::Patient });
        }
    }

    fn climb(&mut self, child: ActorId) {
        let kid = self.kids.get_mut(&child).expect("only a child is on a ladder");
        let signal = match kid.rung {
            1 | 2 => LadderSignal::Terminate,
            3 => LadderSignal::Kill,
            _ => return,
        };
        kid.rung = kid.rung.max(2) + 1;
        self.said.push(Output::Signal { child, signal });
    }

    /// R4: a teardown begins once nobody is disturbed by it.
    fn settle(&mut self) {
        let Told::Waits(cause) = self.told else { return };
        if self.holds() {
            return;
        }
        self.told = Told::Ends(cause);
        self.said.push(Output::TeardownStarted { cause });
        for child in self.kids.keys().copied().collect::<Vec<_>>() {
            self.ask(child);
        }
    }

    fn send(&mut self, to: ActorId, message: Message) {
        self.said.push(Output::Send { to, message });
    }

    fn say_up(&mut self, message: Message) {
        if self.place == Place::Below {
            self.send(self.above, message);
        }
    }
}
