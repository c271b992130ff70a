//! What happens at some later time: timers, the ends of user tasks, and what is held back until
//! then.

use super::kernel::{Posted, SimulatedKernel};
use holdfast_protocol::actor_loop::{Event, Point, TaskEnd};
use holdfast_protocol::{ActorId, Timer};
use shuttle::rand::Rng;

/// What happens at some later time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Later {
    /// An armed timer expires.
    Expire(ActorId, Timer),
    /// A user task that was told to end does.
    EndTask(ActorId),
    /// The time of a user task to end is over.
    Overdue(ActorId),
    /// What is held back there is let go.
    Release(ActorId, Point),
}

impl Later {
    pub(crate) fn actor(self) -> ActorId {
        match self {
            Self::Expire(actor, _)
            | Self::EndTask(actor)
            | Self::Overdue(actor)
            | Self::Release(actor, _) => actor,
        }
    }
}

/// The user task of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SimulatedTask {
    Running,
    /// The task was told to end.
    Told,
    /// The task was told to end, and a part of it is shielded.
    Shielded,
    Ended,
}

/// How often something that is done at times is.
const SOMETIMES: f64 = 0.3;

fn sometimes() -> bool {
    shuttle::rand::thread_rng().gen_bool(SOMETIMES)
}

impl SimulatedKernel {
    /// Something whose time has come happens.
    pub(crate) fn happen(&mut self, index: usize) {
        match self.later.swap_remove(index) {
            Later::Expire(actor, timer) => {
                self.processes[actor.index()].expired.push(timer);
                self.deliver(actor, Posted::Expiry);
            }
            Later::EndTask(actor) => self.task_says(actor, Event::TaskEnded(TaskEnd::Dropped)),
            Later::Overdue(actor) => self.post(actor, Event::TaskOverdue),
            Later::Release(actor, point) => {
                let process = &mut self.processes[actor.index()];
                process.held.remove(&point);
                process.released.insert(point);
                self.post(actor, Event::Released(point));
            }
        }
    }

    pub(crate) fn arm(&mut self, actor: ActorId, timer: Timer) {
        self.disarm(actor, timer);
        self.later.push(Later::Expire(actor, timer));
    }

    pub(crate) fn disarm(&mut self, actor: ActorId, timer: Timer) {
        self.later.retain(|later| *later != Later::Expire(actor, timer));
        self.processes[actor.index()].expired.retain(|expired| *expired != timer);
    }

    /// An actor takes a timer that has expired and was not armed anew since.
    pub(crate) fn take_expired(&mut self, actor: ActorId) -> Option<Timer> {
        self.processes[actor.index()].expired.pop()
    }

    /// The user task of an actor says something, if it still runs.
    pub(crate) fn task_says(&mut self, actor: ActorId, event: Event<ActorId, TaskEnd>) {
        let task = &mut self.processes[actor.index()].task;
        if *task == SimulatedTask::Ended {
            return;
        }
        if let Event::TaskEnded(_) = event {
            *task = SimulatedTask::Ended;
        }
        self.post(actor, event);
    }

    /// The user task of an actor is told to end.
    pub(crate) fn end_task(&mut self, actor: ActorId) {
        let process = &mut self.processes[actor.index()];
        if process.task != SimulatedTask::Ended {
            process.task = if sometimes() { SimulatedTask::Shielded } else { SimulatedTask::Told };
            self.later.push(Later::EndTask(actor));
        }
        self.later.push(Later::Overdue(actor));
    }

    /// The user task of an actor gets its time to end once more.
    pub(crate) fn await_task(&mut self, actor: ActorId) {
        let process = &mut self.processes[actor.index()];
        if process.task == SimulatedTask::Shielded {
            self.observer.see("a shielded task is waited for");
            self.later.push(Later::Overdue(actor));
        } else {
            // Nothing changes until the request is over.
            self.observer.see("a request is waited for");
            process.awaits_request = true;
        }
    }

    /// A request of an actor is over.
    pub(crate) fn request_over(&mut self, actor: ActorId) {
        if std::mem::take(&mut self.processes[actor.index()].awaits_request) {
            self.later.push(Later::Overdue(actor));
        }
    }

    /// Whether an actor may go past a point: in some runs some inputs are held back for a while.
    pub(crate) fn passes(&mut self, actor: ActorId, point: Point) -> bool {
        let passes = !self.alive(actor) || self.lets_pass(actor, point);
        if passes {
            self.processes[actor.index()].passed.push(point);
        }
        passes
    }

    fn lets_pass(&mut self, actor: ActorId, point: Point) -> bool {
        let process = &mut self.processes[actor.index()];
        if process.released.remove(&point) || !self.holds_back {
            return true;
        }
        if process.held.iter().any(|held| *held == point || held.is_pending_with(point)) {
            return false;
        }
        let held = sometimes();
        if held {
            process.held.insert(point);
            self.later.push(Later::Release(actor, point));
        }
        !held
    }
}
