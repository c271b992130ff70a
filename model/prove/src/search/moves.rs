//! What the neighbours, the kernel and the timers do, and what the actor in focus takes of it.
//!
//! A paraphrase of the checker's world; `tests/cover.rs` compares the two, and misses each move
//! that is taken out.

use super::super::focus::{ABOVE, CHILD, ORPHAN};
use super::super::state::{BatonLife, KidLife};
use super::{FocusEvent, FocusSearch, NumberedState};
use holdfast_check::world::link::LinkEnd;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{Input, Status, Timer};

impl FocusSearch {
    pub(super) fn above(&mut self, at: u32, point: NumberedState) {
        for (what, up) in self.moves(LinkEnd::Upper, point.up).iter() {
            self.add(NumberedState { up: *up, ..point }, at, FocusEvent::Above(*what));
        }
        let Some(message) = self.ups.get(point.up).readable() else { return };
        let up = self.ups.get(point.up).read(self.policy);
        let next = NumberedState { up: self.ups.number(up), ..point };
        self.takes(
            at,
            next,
            match message {
                Some(message) => Input::Received { from: ABOVE, message },
                None => Input::LinkEnded { peer: ABOVE },
            },
        );
    }

    pub(super) fn below(&mut self, at: u32, point: NumberedState) {
        let around = point.around();
        if around.kid == KidLife::Unborn {
            if self.nodes.get(point.node).teardown() == Teardown::NotAsked {
                let next = point.with(|around| around.kid = KidLife::Alive);
                self.takes(at, next, Input::Spawned { child: CHILD });
            }
            return;
        }
        if around.kid == KidLife::Alive {
            for (what, down) in self.moves(LinkEnd::Lower, point.down).iter() {
                self.add(NumberedState { down: *down, ..point }, at, FocusEvent::Below(*what));
            }
            let down = self.downs.get(point.down).died(self.policy);
            let next = NumberedState { down: self.downs.number(down), ..point };
            self.add(next.with(|around| around.kid = KidLife::Zombie), at, FocusEvent::Dies);
        }
        if let Some(message) = self.downs.get(point.down).readable() {
            let down = self.downs.get(point.down).read(self.policy);
            let next = NumberedState { down: self.downs.number(down), ..point };
            self.takes(
                at,
                next,
                match message {
                    Some(message) => Input::Received { from: CHILD, message },
                    None => Input::LinkEnded { peer: CHILD },
                },
            );
        }
        if around.kid == KidLife::Zombie {
            let down = self.downs.get(point.down).reaped(self.policy);
            let next = NumberedState { down: self.downs.number(down), ..point };
            let next = next.with(|around| around.kid = KidLife::Gone);
            for status in [Status::Cancelled, Status::Failed] {
                self.takes(at, next, Input::Exited { child: CHILD, status });
            }
        }
        if around.grace {
            let next = point.with(|around| around.grace = false);
            self.takes(at, next, Input::Expired { timer: Timer::Grace(CHILD) });
        }
    }

    pub(super) fn orphan(&mut self, at: u32, point: NumberedState) {
        let around = point.around();
        match around.kid {
            KidLife::Unborn => {
                let next = point.with(|around| around.kid = KidLife::Alive);
                self.takes(at, next, Input::Adopted { child: ORPHAN });
            }
            KidLife::Alive => {
                let next = point.with(|around| around.kid = KidLife::Gone);
                for status in [Status::Cancelled, Status::Failed] {
                    self.takes(at, next, Input::Exited { child: ORPHAN, status });
                }
            }
            KidLife::Zombie | KidLife::Gone => {}
        }
        if around.grace {
            let next = point.with(|around| around.grace = false);
            self.takes(at, next, Input::Expired { timer: Timer::Grace(ORPHAN) });
        }
    }

    pub(super) fn root(&mut self, at: u32, point: NumberedState) {
        let r = self.focus.request();
        self.baton(at, point);
        let around = point.around();
        if around.baton == BatonLife::Closed {
            let next = point.with(|around| around.baton = BatonLife::Read);
            self.takes(at, next, Input::BatonClosed { request: r });
        }
        if around.yields {
            let next = point.with(|around| around.yields = false);
            self.takes(at, next, Input::Expired { timer: Timer::Yield(r) });
        }
        if matches!(around.kid, KidLife::Unborn | KidLife::Gone) {
            // The node looks at its own children before it exits.
            self.takes(at, point, Input::ChildrenGone);
        }
    }

    pub(super) fn baton(&mut self, at: u32, point: NumberedState) {
        if point.around().baton == BatonLife::Out {
            let next = point.with(|around| around.baton = BatonLife::Closed);
            self.add(next, at, FocusEvent::BatonCloses);
        }
    }
}
