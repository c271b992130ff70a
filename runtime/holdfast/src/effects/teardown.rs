//! The end of an actor: its user task, its ladders' signals and timers, its last words.

use super::ActorResources;
use crate::event::{ActorEvent, DriverEvent, UserTaskEnd};
use crate::failure::{Failure, FailureKind};
use crate::process;
use crate::wire::{Frame, Outcome};
use holdfast_protocol::actor_loop::{Examine, TaskEnd};
use holdfast_protocol::{ActorId, Cause, LadderSignal, Status, Timer};
use rustix::process::Signal as ProcessSignal;
use std::time::Duration;

/// What a tree may take longer than its ladders before it says who keeps it, and how often it does.
const SPARE: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_secs(10);

impl ActorResources {
    pub(super) fn arm(&mut self, timer: Timer) {
        let timing = self.settings.timing;
        let after = match timer {
            Timer::Grace(child) => {
                let said = self.records.get(&child).map_or(0, |record| record.levels);
                timing.grace_of(process::levels_below(child.0, said))
            }
            Timer::Yield(_) => timing.stop,
        };
        self.timers.arm(timer, after);
    }

    pub(super) fn signal(&self, child: ActorId, signal: LadderSignal) {
        self.children.signal(child, |process| match signal {
            LadderSignal::Terminate => {
                process.signal(ProcessSignal::TERM);
                process.signal(ProcessSignal::CONT);
            }
            LadderSignal::Kill => process.signal(ProcessSignal::KILL),
        });
    }

    pub(super) fn start_teardown(&mut self, cause: Cause) {
        self.cause = cause;
        self.user_task.cancel();
        self.watch_user_task();
        self.watch_end();
    }

    /// Where the end of the tree takes longer than the ladders of its children, their names are said.
    fn watch_end(&self) {
        let timing = self.settings.timing;
        let levels = self.records.values().map(|record| record.levels).max().unwrap_or(0);
        let ladders = timing.grace_of(levels).saturating_mul(2).saturating_add(timing.body);
        let events = self.senders.events.clone();
        if self.root_resources.is_some() {
            tokio::task::spawn_local(async move {
                tokio::time::sleep(ladders + SPARE).await;
                while events.send(DriverEvent::EndsLate).is_ok() {
                    tokio::time::sleep(AGAIN).await;
                }
            });
        }
    }

    /// Who keeps this tree from ending.
    pub(crate) fn say_who_is_waited_for(&self) {
        let mut who = Vec::new();
        self.children.each(|child, _| {
            let record = self.records.get(&child);
            let path = record.map_or("", |record| record.path.as_str());
            let name = if path.is_empty() { "an orphan" } else { path };
            who.push(format!("{name} [{}]{}", child.0, process::state_of(child.0)));
        });
        if !who.is_empty() {
            crate::words::say(&format!("still waiting for {}\n", who.join(", ")));
        }
    }

    /// Gives the user task its time to end.
    pub(super) fn watch_user_task(&self) {
        let (senders, after) = (self.senders.clone(), self.settings.timing.body);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(after).await;
            senders.send(ActorEvent::TaskOverdue);
        });
    }

    pub(super) fn note_end(&mut self, ending: UserTaskEnd) -> TaskEnd {
        match ending {
            UserTaskEnd::Returned(bytes) => {
                self.say_up(&Frame::Outcome(Outcome::Returned(bytes)));
                TaskEnd::Returned
            }
            UserTaskEnd::Failed(failure, scene, examine) => {
                self.own_failure.get_or_insert((failure, scene));
                TaskEnd::Failed(examine)
            }
            UserTaskEnd::Dropped => TaskEnd::Dropped,
        }
    }

    /// Notes that a child failed, which its supervisor passes on.
    pub(super) fn note_failure_of(&mut self, child: ActorId) -> Examine {
        let end = self.records.get(&child).map(|record| record.end.borrow().clone());
        let Some(Some(Err(failure))) = end else { return Examine::Yes };
        let failure = failure.passed_on_by(&self.path_text());
        let examine = crate::user_task::examine(&self.filter, &failure);
        self.child_failure.get_or_insert(failure);
        examine
    }

    /// The last words: the outcome, then everything that is queued.
    pub(crate) fn say_outcome(&mut self, status: Status) {
        let failed = (status == Status::Failed).then(|| Outcome::Failed(self.failure()));
        if let Some(supervisor) = self.peers.supervisor_mut() {
            if let Some(outcome) = failed
                && let Err(error) = supervisor.link.queue(&Frame::Outcome(outcome), None)
            {
                tracing::error!(target: "holdfast", %error, "why this actor failed is not told");
            }
            supervisor.link.flush_all();
        }
    }

    /// Why this actor failed.
    pub(crate) fn failure(&mut self) -> Failure {
        let own = self.own_failure.take().map(|(failure, _)| failure);
        own.or_else(|| self.child_failure.take()).unwrap_or_else(|| {
            Failure::new(FailureKind::Runtime, &self.path_text(), "it failed and did not say why")
        })
    }
}
