//! Links, and the batons that travel on them.
//!
//! ```text
//!     lane:   Open --an end closes--> Closed (what is queued is still read) --read--> Over
//!     baton:  on a lane, in an actor, at a prompt --> Closed --the root reads the end--> (none)
//! ```

use super::kernel::{SimulatedKernel, State};
use holdfast_protocol::actor_loop::{Event, Incoming};
use holdfast_protocol::policy::LockRelease;
use holdfast_protocol::{ActorId, Message, RequestId};
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Open,
    Closed,
    Over,
}

#[derive(Debug)]
pub(crate) struct Lane {
    queue: VecDeque<LinkItem>,
    ends: Ends,
    /// Whether the reader is to be told when there is something.
    listening: bool,
}

impl Lane {
    /// Both ends are there, and the reader waits.
    pub(crate) fn open() -> Self {
        Self { queue: VecDeque::new(), ends: Ends::Open, listening: true }
    }
}

/// What is on a lane.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LinkItem {
    Message(Message),
    Frame(SimulatedFrame),
}

/// What is on a lane besides messages of the protocol.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SimulatedFrame {
    /// A supervisor somewhere below has reaped an actor.
    Reaped,
    /// Nothing that an actor sends.
    Garbage,
}

/// Where a baton is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Baton {
    Lane(ActorId, ActorId),
    /// An actor has it, with a grant.
    Actor(ActorId),
    /// A prompt is open on it.
    Prompt(ActorId),
    Closed,
}

impl SimulatedKernel {
    /// An actor sends something. A grant takes its baton along.
    pub(crate) fn send(&mut self, from: ActorId, to: ActorId, item: LinkItem) {
        if let LinkItem::Message(message) = item
            && let Err(breach) = self.monitor.says(&self.topology, from, to, message)
        {
            self.observer.wrong(&breach.to_string());
        }
        let open = self.lanes.get(&(from, to)).is_some_and(|lane| lane.ends == Ends::Open);
        if let LinkItem::Message(Message::Grant { request }) = item {
            if from == self.root() || self.batons.get(&request) == Some(&Baton::Actor(from)) {
                self.batons.insert(request, Baton::Lane(from, to));
            }
            if !open {
                self.observer.see("a grant finds no link");
                self.close_batons(|baton| baton == Baton::Lane(from, to), Some(request));
            }
        }
        if open && let Some(lane) = self.lanes.get_mut(&(from, to)) {
            lane.queue.push_back(item);
            self.tell_reader(from, to);
        } else if let LinkItem::Message(message) = item {
            self.observer.lost(from, to, message);
        }
    }

    fn tell_reader(&mut self, from: ActorId, to: ActorId) {
        if let Some(lane) = self.lanes.get_mut(&(from, to))
            && std::mem::replace(&mut lane.listening, false)
        {
            self.post(to, Event::Readable(from));
        }
    }

    /// An actor reads what a peer has sent.
    pub(crate) fn read(&mut self, from: ActorId, to: ActorId) -> Incoming<SimulatedFrame> {
        let Some(lane) = self.lanes.get_mut(&(from, to)) else { return Incoming::NoLink };
        match (lane.queue.pop_front(), lane.ends) {
            (_, Ends::Over) => Incoming::NoLink,
            (Some(LinkItem::Message(message)), _) => {
                if let Message::Grant { request } = message
                    && let Some(baton) = self.batons.get_mut(&request)
                    && *baton == Baton::Lane(from, to)
                {
                    *baton = Baton::Actor(to);
                }
                Incoming::Message(message)
            }
            (Some(LinkItem::Frame(frame)), _) => {
                if let SimulatedFrame::Garbage = frame {
                    self.cut_off.push((from, to));
                }
                Incoming::Frame(frame)
            }
            (None, Ends::Open) => {
                lane.listening = true;
                Incoming::Nothing
            }
            (None, Ends::Closed) => Incoming::End,
        }
    }

    /// Whether something that one actor has sent another is still to be read, the end included.
    pub(crate) fn has_unread(&self, from: ActorId, to: ActorId) -> bool {
        self.lanes.get(&(from, to)).is_some_and(|lane| lane.ends != Ends::Over)
    }

    /// An actor tells its supervisor that somebody was reaped.
    pub(crate) fn announce_reaped(&mut self, actor: ActorId) {
        if let Some(above) = self.topology.config().tree.supervisor(actor) {
            self.send(actor, above, LinkItem::Frame(SimulatedFrame::Reaped));
        }
    }

    /// A process closes its end of a link, or is gone: what it did not read is lost.
    pub(crate) fn close_link(&mut self, own: ActorId, peer: ActorId) {
        if let Some(lane) = self.lanes.get_mut(&(peer, own)) {
            lane.ends = Ends::Over;
            lane.queue.clear();
            if self.batons.values().any(|baton| *baton == Baton::Lane(peer, own)) {
                self.observer.see("a grant is lost on its way");
            }
            self.close_batons(|baton| baton == Baton::Lane(peer, own), None);
        }
        self.close_lane(own, peer);
    }

    fn close_lane(&mut self, from: ActorId, to: ActorId) {
        if let Some(lane) = self.lanes.get_mut(&(from, to))
            && lane.ends == Ends::Open
        {
            lane.ends = Ends::Closed;
            self.tell_reader(from, to);
        }
    }

    /// The link to the supervisor ends between two live actors: it breaks, or what comes on it can
    /// not be understood.
    pub(crate) fn cut(&mut self, actor: ActorId, garbage: bool) {
        let Some(above) = self.connected_up(actor) else { return };
        if garbage {
            self.send(actor, above, LinkItem::Frame(SimulatedFrame::Garbage));
        } else {
            self.close_lane(actor, above);
            self.close_lane(above, actor);
            self.observer.cut(actor);
        }
    }

    /// The supervisor of an actor, if both live and messages pass both ways.
    pub(crate) fn connected_up(&self, actor: ActorId) -> Option<ActorId> {
        let above = self.topology.config().tree.supervisor(actor)?;
        let open =
            |way: (ActorId, ActorId)| self.lanes.get(&way).is_some_and(|it| it.ends == Ends::Open);
        let whole = open((actor, above)) && open((above, actor));
        let running = |id| self.process(id).state == State::Running;
        (whole && running(actor) && running(above)).then_some(above)
    }

    /// A prompt is closed, and its baton with it.
    pub(crate) fn close_prompt(&mut self, actor: ActorId, request: RequestId) {
        let own = |baton| [Baton::Actor(actor), Baton::Prompt(actor)].contains(&baton);
        self.close_batons(own, Some(request));
        // A prompt of the root has a baton as well, which nobody was granted.
        if actor == self.root() {
            self.post(actor, Event::BatonEnded(request));
        }
        self.request_over(actor);
    }

    /// Closes batons: all at a place, or one of them.
    pub(crate) fn close_batons(&mut self, place: impl Fn(Baton) -> bool, only: Option<RequestId>) {
        let mut closed = Vec::new();
        for (request, baton) in &mut self.batons {
            if place(*baton) && only.is_none_or(|only| only == *request) {
                *baton = Baton::Closed;
                closed.push(*request);
            }
        }
        for request in closed {
            match self.topology.config().policy.release {
                LockRelease::BatonClosed => self.post(self.root(), Event::BatonEnded(request)),
                LockRelease::DoneArrived => drop(self.batons.remove(&request)),
            }
        }
    }
}
