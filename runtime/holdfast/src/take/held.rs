//! What a probe has held back, taken when it lets it pass.

use super::Actor;
use crate::event::Event;
use crate::front::FrontEvent;
use crate::probe::Point;
use holdfast_protocol::{Answer, Input};
use std::collections::VecDeque;

impl Actor {
    /// A probe has woken the driver: what it held is taken now if it is there.
    pub(super) fn resume(&mut self, point: Point) {
        if self.hands().probe.resumes(point) {
            self.take_held(point);
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
