//! One link beside the actor in focus, with the most general neighbour at its far end.
//!
//! The neighbour says anything that the contract of a link permits, at any time. What the actor
//! cannot see of it is given away to it: the neighbour hears `Want` and `Grant` at once, and never
//! hears what would silence it (`Done`, `Lost`, `Refuse`). So it may do more than a real one, and
//! the lane towards it is always empty. The link is the world's own code.

use holdfast_check::world::link::{LaneState, LinkEnd, LinkInput, LinkState};
use holdfast_protocol::contract::{Clause, History};
use holdfast_protocol::message::{MessageDirection, Urgency};
use holdfast_protocol::{ActorId, Message, Policy, RequestId};

/// A link and what was said on it about the request in focus.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Side {
    /// The link.
    pub link: LinkState,
    /// What was said, and heard, on it.
    pub said: History,
    /// Which end the neighbour is.
    pub far: LinkEnd,
}

/// What the neighbour, or the kernel, does to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NeighbourMove {
    /// The neighbour says something.
    Says(Message),
    /// The link is cut, or the neighbour above dies: the same thing, seen from here.
    Ends,
}

impl Side {
    /// Nothing was said. `far` is the end of the neighbour.
    #[must_use]
    pub fn new(far: LinkEnd) -> Self {
        Self { link: LinkState::default(), said: History::default(), far }
    }

    fn near(&self) -> LinkEnd {
        match self.far {
            LinkEnd::Upper => LinkEnd::Lower,
            LinkEnd::Lower => LinkEnd::Upper,
        }
    }

    /// Whether the neighbour has any business saying it.
    fn is_own_way(&self, message: Message) -> bool {
        (message.direction() == MessageDirection::Down) == (self.far == LinkEnd::Upper)
    }

    fn step(&mut self, policy: Policy, input: LinkInput) {
        self.link.step((ActorId(0), ActorId(1)), policy, input, &mut Vec::new());
    }

    fn lanes(&self) -> (LaneState, LaneState) {
        (self.link.up.state(), self.link.down.state())
    }

    /// Whether messages pass.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.lanes() == (LaneState::Open, LaneState::Open)
    }

    /// What the neighbour and the kernel may do now.
    #[must_use]
    pub fn moves(&self, request: RequestId) -> Vec<NeighbourMove> {
        if !self.connected() {
            return Vec::new();
        }
        let words: &[Message] = match self.far {
            LinkEnd::Upper => &[
                Message::Grant { request },
                Message::Refuse { request },
                Message::Revoke { request },
                Message::Cancel { urgency: Urgency::Patient },
                Message::Cancel { urgency: Urgency::Forced },
            ],
            LinkEnd::Lower => {
                &[Message::Want { request }, Message::Done { request }, Message::Lost { request }]
            }
        };
        let may = |message: &&Message| {
            let mut said = self.said;
            said.says(**message).is_ok()
        };
        let says = words.iter().filter(may).copied().map(NeighbourMove::Says);
        says.chain([NeighbourMove::Ends]).collect()
    }

    /// What a child does that keeps no contract: it says anything. Saying it just before it is read
    /// is as good as saying it earlier, so no more than one word is under way.
    #[must_use]
    pub fn moves_of_anybody(&self, request: RequestId) -> Vec<NeighbourMove> {
        if !self.connected() {
            return Vec::new();
        }
        let words = [
            Message::Want { request },
            Message::Done { request },
            Message::Lost { request },
            Message::Grant { request },
            Message::Refuse { request },
            Message::Revoke { request },
            Message::Cancel { urgency: Urgency::Patient },
            Message::Cancel { urgency: Urgency::Forced },
        ];
        let silent = self.link.up.queue().next().is_none();
        let says = words.into_iter().filter(|_| silent).map(NeighbourMove::Says);
        says.chain([NeighbourMove::Ends]).collect()
    }

    /// The same link after a move.
    #[must_use]
    pub fn after(&self, policy: Policy, step: NeighbourMove) -> Self {
        let mut next = self.clone();
        match step {
            NeighbourMove::Says(message) => {
                if self.is_own_way(message) {
                    // What the contract forbids is among the moves of nobody who keeps it.
                    let _ = next.said.says(message);
                }
                next.step(policy, LinkInput::Push(self.far, message));
            }
            NeighbourMove::Ends => next.step(policy, LinkInput::Cut),
        }
        next.settle(policy);
        next
    }

    /// The actor in focus says something.
    ///
    /// # Errors
    /// The clause of the contract that forbids it.
    pub fn say(&mut self, policy: Policy, message: Message) -> Result<(), Clause> {
        let heard = self.connected();
        let verdict = self.said.says(message);
        self.step(policy, LinkInput::Push(self.near(), message));
        if heard && matches!(message, Message::Want { .. } | Message::Grant { .. }) {
            self.said.hears(message);
        }
        self.settle(policy);
        // A supervisor that is gone hears nothing, and no contract binds.
        if self.far == LinkEnd::Upper && !heard { Ok(()) } else { verdict }
    }

    /// What the actor in focus can read: a message, or else the end.
    #[must_use]
    pub fn readable(&self) -> Option<Option<Message>> {
        let lane = match self.far {
            LinkEnd::Upper => &self.link.down,
            LinkEnd::Lower => &self.link.up,
        };
        match (lane.queue().next(), lane.state()) {
            (Some(message), _) => Some(Some(message)),
            (None, LaneState::Closed) => Some(None),
            (None, LaneState::Open | LaneState::Over) => None,
        }
    }

    /// The same link after the actor in focus has read from it.
    #[must_use]
    pub fn read(&self, policy: Policy) -> Self {
        let mut next = self.clone();
        if let Some(Some(message)) = self.readable()
            && self.is_own_way(message)
        {
            next.said.hears(message);
        }
        next.step(policy, LinkInput::Read(self.near()));
        next.settle(policy);
        next
    }

    /// The same link after the process at the far end has died.
    #[must_use]
    pub fn died(&self, policy: Policy) -> Self {
        let mut next = self.clone();
        next.step(policy, LinkInput::Died(self.far));
        next.settle(policy);
        next
    }

    /// A link whose lower end was reaped: what is unread is lost, and nothing of it matters.
    #[must_use]
    pub fn reaped(&self, policy: Policy) -> Self {
        let mut next = Self::new(self.far);
        next.step(policy, LinkInput::Died(LinkEnd::Lower));
        next.step(policy, LinkInput::Abandon);
        next.settle(policy);
        next
    }

    /// The far end reads at once; what was said to a supervisor that is gone does not matter.
    fn settle(&mut self, policy: Policy) {
        loop {
            let lane = match self.far {
                LinkEnd::Upper => &self.link.up,
                LinkEnd::Lower => &self.link.down,
            };
            if lane.queue().next().is_none() && lane.state() != LaneState::Closed {
                break;
            }
            self.step(policy, LinkInput::Read(self.far));
        }
        if self.far == LinkEnd::Upper && !self.connected() {
            self.said = History::default();
        }
    }
}
