//! The timers that the protocol has armed, with their deadlines.
//!
//! Runs in the driver. While the process is stopped the timers stand still: afterwards each deadline
//! is as far away as before.

use holdfast_protocol::Timer;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// All armed timers.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    deadlines: BTreeMap<Timer, Instant>,
}

impl Timers {
    /// Starts a timer, or starts it anew.
    pub(crate) fn arm(&mut self, timer: Timer, after: Duration) {
        self.deadlines.insert(timer, Instant::now() + after);
    }

    /// Stops a timer.
    pub(crate) fn disarm(&mut self, timer: Timer) {
        self.deadlines.remove(&timer);
    }

    /// When the next one fires.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.deadlines.values().min().copied()
    }

    /// Takes a timer whose deadline has passed.
    pub(crate) fn expired(&mut self, now: Instant) -> Option<Timer> {
        let found = self.deadlines.iter().find(|(_, deadline)| **deadline <= now);
        let timer = *found?.0;
        self.deadlines.remove(&timer);
        Some(timer)
    }

    /// Moves every deadline away: the process was stopped for so long.
    pub(crate) fn shift(&mut self, by: Duration) {
        for deadline in self.deadlines.values_mut() {
            *deadline += by;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_protocol::ActorId;

    #[test]
    fn a_timer_fires_once_unless_it_is_disarmed_and_not_while_the_process_is_stopped() {
        let (a, b) = (Timer::Grace(ActorId(1)), Timer::Grace(ActorId(2)));
        let mut timers = Timers::default();
        timers.arm(a, Duration::ZERO);
        timers.arm(b, Duration::ZERO);
        timers.disarm(b);
        let now = Instant::now();
        timers.shift(Duration::from_secs(60));
        assert_eq!(timers.expired(now), None, "it stands still while the process does");
        let later = now + Duration::from_secs(61);
        assert_eq!(timers.expired(later), Some(a));
        assert_eq!(timers.expired(later), None);
        assert_eq!(timers.next(), None);
    }
}
