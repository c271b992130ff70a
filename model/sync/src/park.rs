//! Blocks a thread until a future is ready.
//!
//! Runs in plain threads that wait for the driver: a breakpoint in synchronous code, the prompt.
//!
//! ```text
//!     Asleep --wake--> Woken --the thread polls--> Asleep
//! ```
//!
//! # Rules
//! 1. A wake-up that comes between a poll and falling asleep is kept, not lost.

use crate::engine::{Condvar, Mutex, WakeArc, lock, wait};
use std::pin::pin;
use std::task::{Context, Poll, Wake, Waker};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sleep {
    Asleep,
    Woken,
}

/// The waker of one blocked thread.
struct ThreadNotifier {
    sleep: Mutex<Sleep>,
    woken: Condvar,
}

impl Wake for ThreadNotifier {
    fn wake(self: WakeArc<Self>) {
        *lock(&self.sleep) = Sleep::Woken;
        self.woken.notify_one();
    }
}

impl ThreadNotifier {
    fn wait(&self) {
        let mut sleep = lock(&self.sleep);
        while *sleep == Sleep::Asleep {
            sleep = wait(&self.woken, sleep);
        }
        *sleep = Sleep::Asleep;
    }
}

/// Polls the future on this thread, which sleeps between polls.
///
/// Not for a thread that drives other tasks: they would sleep with it.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let notifier =
        WakeArc::new(ThreadNotifier { sleep: Mutex::new(Sleep::Asleep), woken: Condvar::new() });
    let waker = Waker::from(WakeArc::clone(&notifier));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => notifier.wait(),
        }
    }
}

/// Wakes whoever waits, if somebody does. Not to be called under a lock: a waker is foreign code.
pub(super) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
