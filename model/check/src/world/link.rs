//! An ordered link between two actors: two lanes whose messages outlive their sender.
//!
//! ```text
//!     Open --sender dies, cut--> Closed (what is queued is still read) --read--> Over
//!     Open, Closed --reader dies--> Over (what is queued is lost, a baton in it closes)
//! ```

use super::component::{ActorInput, Component, Effect, Observation};
use super::shared::SharedInput;
pub use holdfast_protocol::contract::LinkEnd;
use holdfast_protocol::policy::LockRelease;
use holdfast_protocol::rename;
use holdfast_protocol::{ActorId, Input, Message, Policy, RequestId};
use std::collections::VecDeque;

/// Whether a lane still carries messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaneState {
    /// Both ends are there.
    #[default]
    Open,
    /// Nothing more is sent; the reader has not come to the end.
    Closed,
    /// The reader has read the end, or is gone.
    Over,
}

/// One direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageLane {
    queue: VecDeque<Message>,
    state: LaneState,
}

impl MessageLane {
    /// What is under way, the oldest first.
    pub fn queue(&self) -> impl Iterator<Item = Message> + '_ {
        self.queue.iter().copied()
    }

    /// Whether it carries messages.
    #[must_use]
    pub fn state(&self) -> LaneState {
        self.state
    }

    fn close(&mut self) {
        if self.state == LaneState::Open {
            self.state = LaneState::Closed;
        }
    }

    fn lose_reader(&mut self) -> Vec<RequestId> {
        self.state = LaneState::Over;
        self.queue.drain(..).filter_map(baton_in).collect()
    }
}

fn baton_in(message: Message) -> Option<RequestId> {
    match message {
        Message::Grant { request } => Some(request),
        Message::Want { .. }
        | Message::Done { .. }
        | Message::Lost { .. }
        | Message::Refuse { .. }
        | Message::Revoke { .. }
        | Message::Cancel { .. } => None,
    }
}

/// Both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkState {
    /// Read by the lower end.
    pub down: MessageLane,
    /// Read by the upper end.
    pub up: MessageLane,
}

/// What happens to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkInput {
    /// One end sends.
    Push(LinkEnd, Message),
    /// One end reads.
    Read(LinkEnd),
    /// The process at one end is gone.
    Died(LinkEnd),
    /// Nobody can send any longer.
    Cut,
    /// The upper end has reaped the lower one and closes its socket.
    Abandon,
}

impl LinkState {
    fn lane_to(&mut self, reader: LinkEnd) -> &mut MessageLane {
        match reader {
            LinkEnd::Upper => &mut self.up,
            LinkEnd::Lower => &mut self.down,
        }
    }

    /// Takes back the last message of an end, if it is this one: a simulated sender was gone, or had
    /// no link any longer, before it could send what it had decided on. Here a step is whole.
    pub fn take_back(&mut self, sender: LinkEnd, message: Message) {
        let lane = match sender {
            LinkEnd::Upper => &mut self.down,
            LinkEnd::Lower => &mut self.up,
        };
        if lane.queue.back() == Some(&message) {
            lane.queue.pop_back();
        }
    }

    /// Takes one input. `ends` are the upper and the lower actor.
    pub fn step(
        &mut self,
        ends: (ActorId, ActorId),
        policy: Policy,
        input: LinkInput,
        effects: &mut Vec<Effect>,
    ) {
        let mut lost = Vec::new();
        match input {
            LinkInput::Push(sender, message) => {
                let reader = match sender {
                    LinkEnd::Upper => LinkEnd::Lower,
                    LinkEnd::Lower => LinkEnd::Upper,
                };
                let lane = self.lane_to(reader);
                match lane.state {
                    LaneState::Open => lane.queue.push_back(message),
                    LaneState::Closed | LaneState::Over => lost.extend(baton_in(message)),
                }
            }
            LinkInput::Read(reader) => {
                let (to, from) = match reader {
                    LinkEnd::Upper => ends,
                    LinkEnd::Lower => (ends.1, ends.0),
                };
                let lane = self.lane_to(reader);
                let input = match lane.queue.pop_front() {
                    Some(message) => {
                        effects.push(Effect::Observation(Observation::Delivered {
                            from,
                            to,
                            message,
                        }));
                        Input::Received { from, message }
                    }
                    None => {
                        assert!(lane.state == LaneState::Closed, "nothing is there to be read");
                        lane.state = LaneState::Over;
                        effects.push(Effect::Observation(Observation::EndRead { from, to }));
                        Input::LinkEnded { peer: from }
                    }
                };
                effects.push(Effect::To(Component::Actor(to), ActorInput::Handle(input).into()));
            }
            LinkInput::Died(LinkEnd::Upper) => {
                lost = self.up.lose_reader();
                self.down.close();
            }
            LinkInput::Died(LinkEnd::Lower) => {
                lost = self.down.lose_reader();
                self.up.close();
            }
            LinkInput::Cut => {
                self.up.close();
                self.down.close();
            }
            LinkInput::Abandon => {
                lost = self.up.lose_reader();
                self.down.close();
            }
        }
        if policy.release == LockRelease::BatonClosed {
            let close = |request| {
                Effect::To(Component::SharedEnvironment, SharedInput::CloseBaton(request).into())
            };
            effects.extend(lost.into_iter().map(close));
        }
    }
}

rename!(struct LinkState { down, up });
rename!(struct MessageLane { queue, state });
rename!(nothing in LaneState);
