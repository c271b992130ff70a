//! What may happen to an actor in focus: the neighbours, the kernel and the timers make room for it,
//! and it takes an input.
//!
//! A paraphrase of the checker's world; `tests/cover.rs` compares the two, and misses each move
//! that is taken out.

use super::focus::{ABOVE, CHILD, Focus, ORPHAN};
use super::side::{NeighbourMove, Side};
use super::state::{Around, BatonLife, FocusView, KidLife};
use holdfast_check::world::link::LinkEnd;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{Input, Status, Timer};

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

/// What happens on a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FocusEvent {
    /// Nothing: the state is one to begin with.
    Starts,
    /// The neighbour above, or the link to it.
    Above(NeighbourMove),
    /// The neighbour below, or the link to it.
    Below(NeighbourMove),
    /// The process below dies.
    Dies,
    /// The last copy of the baton is closed.
    BatonCloses,
    /// The actor in focus is killed.
    Killed,
    /// The actor in focus takes an input.
    Takes(Input),
}

/// What the neighbour below keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BelowKeeps {
    /// The contract of a link.
    Contract,
    /// Nothing: it says anything at any time.
    Nothing,
}

/// Whose move it is, once the machine has made room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mover {
    /// The machine or a neighbour: that is all that happens.
    Environment(FocusEvent),
    /// The actor in focus, which does this.
    Actor(Trigger),
}

/// One thing that may happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentMove {
    /// Whose move it is.
    pub mover: Mover,
    /// What is around afterwards.
    pub around: Around,
    /// A link that is another afterwards: [`Side::far`] says which.
    pub link: Option<Side>,
}

/// All that may happen next.
#[must_use]
pub fn moves(view: &FocusView<'_>, below: BelowKeeps) -> Vec<EnvironmentMove> {
    let mut all = Moves { view, moves: Vec::new() };
    // Whoever is killed or has exited does nothing any longer; what stays is the lock and its batons.
    if view.around.killed || view.node.teardown() == Teardown::Over {
        all.baton();
        return all.moves;
    }
    if !view.focus.is_root() {
        all.above();
    }
    if view.focus.has_child() {
        all.below(below);
    }
    if view.focus == Focus::RootOrphan {
        all.orphan();
    }
    if view.focus.is_root() {
        all.root();
    }
    if view.focus.asks() && !view.around.asked {
        all.add(Mover::Actor(Trigger::Asks), view.around, None);
    }
    all.add(Mover::Actor(Trigger::Aside), view.around, None);
    if view.focus.is_root() {
        let killed = Around { killed: true, ..view.around };
        all.add(Mover::Environment(FocusEvent::Killed), killed, None);
    }
    all.moves
}

struct Moves<'a> {
    view: &'a FocusView<'a>,
    moves: Vec<EnvironmentMove>,
}

impl Moves<'_> {
    fn add(&mut self, mover: Mover, around: Around, link: Option<Side>) {
        self.moves.push(EnvironmentMove { mover, around, link });
    }

    fn takes(&mut self, input: Input, around: Around, link: Option<Side>) {
        self.add(Mover::Actor(Trigger::Takes(input)), around, link);
    }

    fn reads(&mut self, side: &Side) {
        let from = if side.far == LinkEnd::Upper { ABOVE } else { CHILD };
        let input = match side.readable() {
            Some(Some(message)) => Input::Received { from, message },
            Some(None) => Input::LinkEnded { peer: from },
            None => return,
        };
        self.takes(input, self.view.around, Some(side.read(self.view.node.policy())));
    }

    fn above(&mut self) {
        let (side, around) = (self.view.up, self.view.around);
        for what in side.moves(self.view.focus.request()) {
            let after = side.after(self.view.node.policy(), what);
            self.add(Mover::Environment(FocusEvent::Above(what)), around, Some(after));
        }
        self.reads(side);
    }

    fn below(&mut self, keeps: BelowKeeps) {
        let (side, around) = (self.view.down, self.view.around);
        let (request, policy) = (self.view.focus.request(), self.view.node.policy());
        if around.kid == KidLife::Unborn {
            if self.view.node.teardown() == Teardown::NotAsked {
                let alive = Around { kid: KidLife::Alive, ..around };
                self.takes(Input::Spawned { child: CHILD }, alive, None);
            }
            return;
        }
        if around.kid == KidLife::Alive {
            let says = match keeps {
                BelowKeeps::Contract => side.moves(request),
                BelowKeeps::Nothing => side.moves_of_anybody(request),
            };
            for what in says {
                let after = side.after(policy, what);
                self.add(Mover::Environment(FocusEvent::Below(what)), around, Some(after));
            }
            let dead = Around { kid: KidLife::Zombie, ..around };
            let died = Some(side.died(policy));
            self.add(Mover::Environment(FocusEvent::Dies), dead, died);
        }
        self.reads(side);
        if around.kid == KidLife::Zombie {
            let gone = Around { kid: KidLife::Gone, ..around };
            for status in [Status::Cancelled, Status::Failed] {
                let reaped = Some(side.reaped(policy));
                self.takes(Input::Exited { child: CHILD, status }, gone, reaped);
            }
        }
        self.grace_ends(CHILD);
    }

    fn orphan(&mut self) {
        let around = self.view.around;
        match around.kid {
            KidLife::Unborn => {
                let alive = Around { kid: KidLife::Alive, ..around };
                self.takes(Input::Adopted { child: ORPHAN }, alive, None);
            }
            KidLife::Alive => {
                let gone = Around { kid: KidLife::Gone, ..around };
                for status in [Status::Cancelled, Status::Failed] {
                    self.takes(Input::Exited { child: ORPHAN, status }, gone, None);
                }
            }
            KidLife::Zombie | KidLife::Gone => {}
        }
        self.grace_ends(ORPHAN);
    }

    fn grace_ends(&mut self, child: holdfast_protocol::ActorId) {
        let around = self.view.around;
        if around.grace {
            let over = Around { grace: false, ..around };
            self.takes(Input::Expired { timer: Timer::Grace(child) }, over, None);
        }
    }

    fn root(&mut self) {
        let (request, around) = (self.view.focus.request(), self.view.around);
        self.baton();
        if around.baton == BatonLife::Closed {
            let read = Around { baton: BatonLife::Read, ..around };
            self.takes(Input::BatonClosed { request }, read, None);
        }
        if around.yields {
            let over = Around { yields: false, ..around };
            self.takes(Input::Expired { timer: Timer::Yield(request) }, over, None);
        }
        if matches!(around.kid, KidLife::Unborn | KidLife::Gone) {
            // The node looks at its own children before it exits.
            self.takes(Input::ChildrenGone, around, None);
        }
    }

    fn baton(&mut self) {
        if self.view.around.baton == BatonLife::Out {
            let closed = Around { baton: BatonLife::Closed, ..self.view.around };
            self.add(Mover::Environment(FocusEvent::BatonCloses), closed, None);
        }
    }
}
