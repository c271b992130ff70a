//! A paused task that a debugger looks at stands still where it pauses, so that its frames are on a
//! stack.
//!
//! A task that awaits has none: its thread has gone on to others. So before a debugger comes, the task
//! is polled once more and stays within that poll, on whichever thread polls it, until the debugger
//! has gone. A thread that pauses ([`crate::Pause::block`]) stands still anyway.
//!
//! ```text
//!   the agent: ask --> Wanted::Still, wake --> the task: stand (its thread is known)
//!              let_go --> Wanted::Running -------------> pending again
//! ```

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// Whether the task is to stay within its poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Running,
    Still,
}

#[derive(Debug)]
struct StandstillState {
    wanted: Wanted,
    waker: Option<Waker>,
    /// The thread that stands still, as the kernel numbers it.
    thread: Option<i32>,
}

/// What a paused task and its agent share.
#[derive(Debug)]
pub(crate) struct Standstill {
    state: Mutex<StandstillState>,
    changed: Condvar,
}

impl Standstill {
    /// Of a task, which awaits its pause.
    pub(crate) fn of_task() -> Self {
        Self::new(None)
    }

    /// Of this thread, which blocks.
    pub(crate) fn of_this_thread() -> Self {
        Self::new(Some(nix::unistd::gettid().as_raw()))
    }

    fn new(thread: Option<i32>) -> Self {
        let state = StandstillState { wanted: Wanted::Running, waker: None, thread };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, StandstillState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The task's side, within its poll: stands still if that is wanted, and says whether it did.
    pub(crate) fn stand(&self, cx: &Context<'_>) -> bool {
        let mut state = self.lock();
        if state.wanted == Wanted::Running {
            let before = state.waker.replace(cx.waker().clone());
            drop(state);
            drop(before);
            return false;
        }
        state.thread = Some(nix::unistd::gettid().as_raw());
        self.changed.notify_all();
        while state.wanted == Wanted::Still {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.thread = None;
        true
    }

    /// The agent's side: the thread that stands still, if the task does within this time.
    pub(crate) fn ask(&self, limit: Duration) -> Option<i32> {
        let begun = Instant::now();
        let mut state = self.lock();
        state.wanted = Wanted::Still;
        if state.thread.is_none()
            && let Some(waker) = state.waker.take()
        {
            drop(state);
            waker.wake();
            state = self.lock();
        }
        loop {
            let left = limit.saturating_sub(begun.elapsed());
            if state.thread.is_some() || left.is_zero() {
                return state.thread;
            }
            state = match self.changed.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// The agent's side: the task goes on to wait as before.
    pub(crate) fn let_go(&self) {
        self.lock().wanted = Wanted::Running;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::task::Wake;
    use std::thread;

    const LIMIT: Duration = Duration::from_secs(60);

    /// Polls in a thread of its own, as an executor does.
    struct Poller(Arc<Standstill>, std::sync::mpsc::Sender<bool>);

    impl Wake for Poller {
        fn wake(self: Arc<Self>) {
            thread::spawn(move || {
                let waker = Waker::from(Arc::clone(&self));
                let _ = self.1.send(self.0.stand(&Context::from_waker(&waker)));
            });
        }
    }

    #[test]
    fn a_task_stands_still_from_ask_until_it_is_let_go() {
        let still = Arc::new(Standstill::of_task());
        let (told, stood) = std::sync::mpsc::channel();
        Arc::new(Poller(Arc::clone(&still), told)).wake();
        assert_eq!(stood.recv_timeout(LIMIT), Ok(false));
        let thread = still.ask(LIMIT);
        assert!(thread.is_some_and(|thread| thread != nix::unistd::gettid().as_raw()));
        assert!(stood.try_recv().is_err());
        still.let_go();
        assert_eq!(stood.recv_timeout(LIMIT), Ok(true));
    }

    #[test]
    fn a_thread_that_blocks_is_known_at_once_and_a_task_that_nobody_polls_is_not() {
        let own = nix::unistd::gettid().as_raw();
        assert_eq!(Standstill::of_this_thread().ask(Duration::ZERO), Some(own));
        assert_eq!(Standstill::of_task().ask(Duration::ZERO), None);
    }
}
