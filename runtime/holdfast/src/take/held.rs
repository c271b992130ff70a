//! What a test has held back, taken when it lets it pass.

use super::Actor;
use crate::event::Event;
use crate::front::FrontEvent;
use crate::gate::Point;
use holdfast_protocol::{Answer, Input};
use std::collections::VecDeque;

impl Actor {
    /// The test lets one input pass: it is taken now if it is there.
    pub(super) fn pass(&mut self, point: Point) {
        if self.hands_mut().gate.admit(point) {
            self.take_held(point);
        }
    }

    /// From now on nothing is held. What was is taken in its turn: a prompt may freeze the driver.
    pub(super) fn open_gate(&mut self) {
        let live = self.hands_mut();
        for point in live.gate.open() {
            let way = if matches!(point, Point::Signal(..)) { &live.urgent } else { &live.events };
            let _ = way.send(Event::Pass(point));
        }
    }

    fn take_held(&mut self, point: Point) {
        let mut follow = VecDeque::new();
        match point {
            Point::Message(from) => self.read(from),
            Point::Signal(signal, origin) => self.signalled(signal, origin),
            Point::Timer(timer) => {
                self.hands_mut().timers.arm(timer, std::time::Duration::ZERO);
                self.take_expired();
            }
            Point::Body => self.body_ended(),
            Point::Reap(child) => self.child_ended(child),
            Point::Adopt(child) => self.hands_mut().adopt(child.0, &mut follow),
            Point::ChildrenGone => self.hands_mut().sweep(&mut follow),
            Point::Baton(request) => self.front(request, FrontEvent::Ended),
            Point::Hangup(request) => self.take(Event::Answered(request, Answer::Hangup)),
        }
        follow.into_iter().for_each(|input: Input| self.feed(input));
    }
}
