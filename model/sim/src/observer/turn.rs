//! Whether an actor handles what it may handle now: what no property speaks of.

use super::{Observer, Reported};
use crate::kernel::SimulatedKernel;
use holdfast_protocol::actor_loop::Point;
use holdfast_protocol::{ActorId, Answer, Input, Status};

impl Observer {
    /// An actor has handled an input when it was to handle one.
    pub(super) fn in_turn(&self, before: &Reported, input: Input) {
        if before.exits {
            self.wrong(&format!("{input:?} is handled after the exit"));
        }
        let urgent = matches!(
            input,
            Input::Signalled { .. }
                | Input::Answered { .. }
                | Input::BatonClosed { .. }
                | Input::Adopted { .. }
        );
        if before.frozen && !urgent {
            self.wrong(&format!("{input:?} is handled at a prompt that freezes its actor"));
        }
    }

    /// The probe was asked before an input that it may hold back, and has let it pass.
    pub(super) fn asked_before(kernel: &mut SimulatedKernel, actor: ActorId, input: Input) {
        let asked = matches!(
            input,
            Input::Received { .. }
                | Input::Signalled { .. }
                | Input::Expired { .. }
                | Input::UserTaskEnded
                | Input::Exited { .. }
                | Input::Adopted { .. }
                | Input::ChildrenGone
                | Input::BatonClosed { .. }
                | Input::Answered { answer: Answer::Hangup, .. }
        );
        let passed = &mut kernel.processes[actor.index()].passed;
        match passed.iter().position(|point| point.is_before(input)) {
            Some(at) => drop(passed.remove(at)),
            None if asked => kernel.observer.wrong(&format!("{input:?} was not let pass")),
            None => {}
        }
        Self::as_it_was_held(kernel, actor, input);
        let hangup = matches!(input, Input::Answered { answer: Answer::Hangup, .. });
        if hangup && kernel.alive(kernel.root()) {
            kernel.observer.wrong("a prompt hangs up while the root is there");
        }
    }

    /// What the probe let pass, or holds back still, is not at odds with the input.
    fn as_it_was_held(kernel: &SimulatedKernel, actor: ActorId, input: Input) {
        let process = kernel.process(actor);
        match input {
            // The end may come without a question, but not beside one.
            Input::LinkEnded { peer } if process.passed.contains(&Point::Message(peer)) => {
                kernel.observer.wrong(&format!("what was let pass from {peer:?} is not what came"));
            }
            Input::Signalled { signal, .. } => {
                // The kernel keeps a signal once, whoever sends it again.
                let same = |held: &Point| matches!(held, Point::Signal(one, _) if *one == signal);
                if process.held.iter().any(same) {
                    kernel.observer.wrong(&format!("{signal} is held back and taken"));
                }
            }
            _ => {}
        }
    }

    /// A reaped child has failed, and its supervisor says that it had not asked for its end.
    pub(crate) fn child_failed(kernel: &SimulatedKernel, actor: ActorId, child: ActorId) {
        let this = &kernel.observer;
        if !matches!(kernel.process(child).reaped, Some(Status::Failed | Status::Killed)) {
            this.wrong("a child has not failed and is said to have");
        }
        if kernel.alive(actor) && this.told[actor.index()].asked.contains(&child) {
            this.wrong("a child was asked to end and is said to have failed");
        }
    }

    /// An actor does not wait for its user task any longer.
    pub(crate) fn task_given_up(kernel: &mut SimulatedKernel, actor: ActorId) {
        let this = &kernel.observer;
        this.see("a user task is given up");
        if kernel.process(actor).task_is_shielded() {
            this.wrong("a user task is given up while a part of it is shielded");
        }
        if this.askers.iter().any(|request| request.actor == actor) {
            this.wrong("a user task is given up while it has a request");
        }
    }
}
