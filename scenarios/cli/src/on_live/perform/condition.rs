//! What a script waits for, seen on a live tree.

use super::super::mirrored_actor::MirroredActor;
use super::{Halt, Live};
use holdfast_check::world::script::Condition;
use holdfast_protocol::teardown::Teardown;

impl Live<'_> {
    /// Waits until a condition is met, as long as anything still happens.
    pub(super) fn until(&mut self, condition: Condition) -> Result<(), Halt> {
        let what = match condition {
            Condition::PromptOpen(actor) => return self.await_prompt(actor),
            Condition::Running(actor) => {
                self.release(actor)?;
                "running"
            }
            Condition::Waiting(_) => "waiting",
            Condition::NoPrompt => "no prompt",
            Condition::Ended(_) => "ended",
            Condition::Cancelled(_) => "cancelled",
            Condition::TearingDown(_) => "tearing down",
            Condition::Stopped(program) => return self.await_stopped(program),
            Condition::Foreground(program) => return self.await_foreground(program),
            Condition::Quiet => "quiet",
        };
        let met = self.wait_while_it_moves(|view| {
            let met = match condition {
                Condition::PromptOpen(_) => true,
                Condition::Waiting(actor) => view.mirror(actor).is_some_and(MirroredActor::waits),
                Condition::NoPrompt => !view.outstanding(),
                Condition::Ended(actor) => !view.runs(actor),
                Condition::Cancelled(actor) => view.mirror(actor).is_some_and(MirroredActor::told),
                Condition::TearingDown(actor) => view.mirror(actor).is_some_and(|mirror| {
                    !matches!(mirror.node.teardown(), Teardown::NotAsked | Teardown::Deferred(_))
                }),
                Condition::Running(actor) => view.mirror(actor).is_some(),
                Condition::Stopped(_) | Condition::Foreground(_) => false,
                Condition::Quiet => view.quiet(),
            };
            met.then_some(())
        });
        match met {
            Some(()) => Ok(()),
            None if self.time_outs.interrupted() => Err(Halt::Interrupted),
            None => Err(Halt::Never(format!("it does not come to `{what}`"))),
        }
    }
}
