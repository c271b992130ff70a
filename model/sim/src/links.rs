//! Links, and the batons that travel on them.
//!
//! ```text
//!     lane:   Open --an end closes--> Closed (what is queued is still read) --read--> Over
//!     baton:  on a lane, in an actor --> Closed --the root reads the end--> (none)
//! ```

use super::kernel::{Event, Kernel, State};
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
    queue: VecDeque<Message>,
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

/// What reading a lane gives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heard {
    Message(Message),
    Nothing,
    End,
    /// There is no link any more.
    NoLink,
}

/// Where a baton is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Baton {
    Lane(ActorId, ActorId),
    Actor(ActorId),
    Closed,
}

impl Kernel {
    /// An actor sends a message. A grant takes its baton along.
    pub(crate) fn send(&mut self, from: ActorId, to: ActorId, message: Message) {
        if let Err(breach) = self.monitor.says(&self.topology, from, to, message) {
            self.observer.breach(&breach);
        }
        let open = self.lanes.get(&(from, to)).is_some_and(|lane| lane.ends == Ends::Open);
        if let Message::Grant { request } = message {
            if from == self.root() || self.batons.get(&request) == Some(&Baton::Actor(from)) {
                self.batons.insert(request, Baton::Lane(from, to));
            }
            if !open {
                self.observer.see("a grant finds no link");
                self.close_batons(|baton| baton == Baton::Lane(from, to), Some(request));
            }
        }
        if open && let Some(lane) = self.lanes.get_mut(&(from, to)) {
            lane.queue.push_back(message);
            self.tell_reader(from, to);
        }
    }

    fn tell_reader(&mut self, from: ActorId, to: ActorId) {
        if let Some(lane) = self.lanes.get_mut(&(from, to))
            && std::mem::replace(&mut lane.listening, false)
        {
            self.post(to, Event::Readable(from));
        }
    }

    /// An actor reads what a neighbour has sent.
    pub(crate) fn hear(&mut self, from: ActorId, to: ActorId) -> Heard {
        let Some(lane) = self.lanes.get_mut(&(from, to)) else { return Heard::NoLink };
        match (lane.queue.pop_front(), lane.ends) {
            (_, Ends::Over) => Heard::NoLink,
            (Some(message), _) => {
                self.monitor.hears(&self.topology, from, to, message);
                if let Message::Grant { request } = message
                    && let Some(baton) = self.batons.get_mut(&request)
                    && *baton == Baton::Lane(from, to)
                {
                    *baton = Baton::Actor(to);
                }
                Heard::Message(message)
            }
            (None, Ends::Open) => {
                lane.listening = true;
                Heard::Nothing
            }
            (None, Ends::Closed) => Heard::End,
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

    /// The link to the supervisor ends between two live actors.
    pub(crate) fn cut(&mut self, actor: ActorId) {
        if let Some(above) = self.connected_up(actor) {
            self.close_lane(actor, above);
            self.close_lane(above, actor);
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
