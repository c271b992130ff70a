//! The steps of a script, performed on a live tree. Each waits for its own effect.
//!
//! Reading order: this file, `keyboard` (keys and prompts), `boot` (actors that start late), `programs` (what
//! programs below hosts do), `condition` (what a script waits for).

mod boot;
mod condition;
mod keyboard;
mod programs;

use super::judgement::{Found, LiveJudgement, judge};
use super::mirrored_actor::MirroredActor;
use super::view::View;
use super::{Halt, Stepping, TimeOuts};
use crate::conform::outside::{Mark, Outside};
use holdfast::recorder::now_ns;
use holdfast_check::tree::ActorStart;
use holdfast_check::world::{EnvironmentAction, ScriptStep};
use holdfast_protocol::ladder::ChildLink;
use holdfast_protocol::{ActorId, Answer, Cause, DebugMode, Shielding, Signal, Status};
use holdfast_testkit::actor::BORING;
use holdfast_testkit::gate::PREFIX;
use holdfast_testkit::{ActorEvent, Instruction, Point, ProcessInfo, TestTree};
use nix::sys::signal::Signal as Unix;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// A live tree under way.
pub(super) struct Live<'a> {
    pub(super) grown: TestTree,
    pub(super) view: View<'a>,
    /// What no actor can tell, and when it was.
    pub(super) outside: Outside,
    /// What was done and seen, for people.
    pub(super) story: Vec<String>,
    pub(super) time_outs: &'a TimeOuts<'a>,
    /// Actors that are held while they boot.
    held: Vec<(ActorId, u32)>,
    /// The processes that the script has started.
    pids: BTreeMap<ActorId, u32>,
    stepping: Stepping,
    next_id: u32,
    /// What was seen from outside that violates a property.
    pub(super) seen: Found,
}

impl<'a> Live<'a> {
    pub(super) fn new(
        grown: TestTree,
        view: View<'a>,
        time_outs: &'a TimeOuts<'a>,
        stepping: Stepping,
    ) -> Self {
        let (story, held, pids) = (Vec::new(), Vec::new(), BTreeMap::new());
        let (outside, seen) = (Outside::default(), Found::new());
        let mut live =
            Self { grown, view, outside, story, time_outs, held, pids, stepping, next_id: 0, seen };
        let tree = live.view.config.tree.clone();
        let early = |actor: &ActorId| tree.start(*actor) == ActorStart::Running;
        let limit = time_outs.limit;
        // What the actors say comes on connections that are read one by one.
        let _ = live.wait(limit, |view| {
            let there = |actor| match tree.is_program(actor) {
                true => view.program(actor).is_some(),
                false => view.mirror(actor).is_some(),
            };
            tree.ids().filter(early).all(there).then_some(())
        });
        live
    }

    /// Ends what is left, and judges the run up to there.
    pub(super) fn clear_and_judge(&mut self, records: &Path) -> LiveJudgement {
        self.judged_until_now();
        let _ = self.grown.stage.clear();
        judge(records, &self.outside)
    }

    /// The process of an actor.
    pub(super) fn pid(&self, actor: ActorId) -> Option<u32> {
        let program = self.view.program(actor).map(|program| program.pid);
        let known = program.or_else(|| self.view.mirror(actor).map(|mirror| mirror.pid));
        known.or_else(|| self.pids.get(&actor).copied())
    }

    /// Lets an actor that is held past a point, once.
    pub(super) fn pass(&mut self, actor: ActorId, point: Point) -> Result<(), String> {
        self.tell_gate(actor, Instruction::Pass { point })
    }

    /// From now on nobody is held.
    pub(super) fn open(&mut self) {
        let running: Vec<_> = self.view.running().map(|(actor, _)| actor).collect();
        for actor in running {
            // Whoever has ended meanwhile is held by nothing.
            let _ = self.tell_gate(actor, Instruction::Open {});
        }
        self.view.open();
        self.stepping = Stepping::Free;
    }

    fn tell_gate(&mut self, actor: ActorId, order: Instruction) -> Result<(), String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let path = self.grown.path(&self.view.name(actor)).map_err(|error| said(&error))?;
        let gate = self.grown.control.wait_actor(&format!("{PREFIX}{path}"));
        gate.and_then(|gate| gate.send(order)).map_err(|error| said(&error))
    }

    /// Takes in what is known by now.
    pub(super) fn look(&mut self) {
        let log = self.grown.control.log();
        self.view.follow(&log);
    }

    /// Waits until something is seen; none if it is not in time.
    pub(super) fn wait<T>(
        &mut self,
        patience: Duration,
        mut find: impl FnMut(&View<'a>) -> Option<T>,
    ) -> Option<T> {
        let view = &mut self.view;
        let found = self.grown.control.wait_log("this", patience, |log| {
            view.follow(log);
            find(view)
        });
        found.ok()
    }

    /// Waits until something is seen; none once nothing moves any longer, or it takes too long.
    pub(super) fn wait_while_it_moves<T>(
        &mut self,
        mut find: impl FnMut(&View<'a>) -> Option<T>,
    ) -> Option<T> {
        let begun = Instant::now();
        loop {
            let (before, still) = (self.view.read, self.time_outs.still);
            if let Some(found) = self.wait(still, &mut find) {
                return Some(found);
            }
            let stands = self.view.read == before && !self.view.timed();
            if stands || begun.elapsed() > self.time_outs.limit || self.time_outs.interrupted() {
                return None;
            }
        }
    }

    fn effect(
        &mut self,
        what: &str,
        seen: impl FnMut(&View<'a>) -> Option<()>,
    ) -> Result<(), Halt> {
        match self.wait(self.time_outs.limit, seen) {
            Some(()) => Ok(()),
            None if self.time_outs.interrupted() => Err(Halt::Interrupted),
            None => Err(Halt::NoEffect(what.to_owned())),
        }
    }

    /// Performs steps.
    pub(super) fn steps(&mut self, steps: &[ScriptStep]) -> Result<(), Halt> {
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            at += 1;
            match (step, steps.get(at)) {
                (
                    ScriptStep::Do(EnvironmentAction::Pause { actor }),
                    Some(ScriptStep::Do(EnvironmentAction::Pause { actor: next })),
                ) if actor == next => {
                    at += 1;
                    self.two_at_once(*actor)?;
                }
                (step, _) => self.step(*step)?,
            }
            self.look_at_programs();
        }
        Ok(())
    }

    /// Two tasks of one actor, before either of them has its prompt.
    fn two_at_once(&mut self, actor: ActorId) -> Result<(), Halt> {
        let ids = [self.next_id, self.next_id + 1];
        self.next_id += 2;
        let before = self.view.mirror(actor).map_or(0, |mirror| mirror.requests);
        self.say(format!("two tasks of {} reach a breakpoint", self.view.name(actor)));
        self.instruct(actor, Instruction::TwoBreakpoints { ids })?;
        self.effect("the breakpoints", |view| {
            let Some(mirror) = view.mirror(actor) else { return Some(()) };
            let both =
                mirror.requests >= before + 2 || (mirror.frozen() && view.asked.contains(&ids[1]));
            (both || !view.runs(actor)).then_some(())
        })
    }

    /// Performs one step.
    pub(super) fn step(&mut self, step: ScriptStep) -> Result<(), Halt> {
        if self.time_outs.interrupted() {
            return Err(Halt::Interrupted);
        }
        self.look();
        match step {
            ScriptStep::Do(action) => self.perform(action),
            ScriptStep::Until(condition) => self.until(condition),
        }
    }

    /// Does what an environment action says.
    pub(super) fn perform(&mut self, action: EnvironmentAction) -> Result<(), Halt> {
        match action {
            EnvironmentAction::Pause { actor } => self.pause(actor, Shielding::Plain),
            EnvironmentAction::PauseShielded { actor } => self.pause(actor, Shielding::Shielded),
            EnvironmentAction::Answer { actor, answer: Answer::Continue } if self.hosts(actor) => {
                self.given_back(actor)
            }
            EnvironmentAction::Answer { actor, answer } => {
                self.await_prompt(actor)?;
                self.answer(actor, answer)
            }
            EnvironmentAction::Provoke { actor, cause } => self.provoke(actor, cause),
            EnvironmentAction::FailUnexamined { actor, cause: Cause::Failed } => {
                let text = format!("{}: {} failed", BORING, self.view.name(actor));
                self.told_to_end(actor, Instruction::Error { text }, "fails, and nobody looks")
            }
            EnvironmentAction::FailUnexamined { cause, .. } => Err(Halt::NotStaged(format!(
                "{cause:?}, unexamined, as an action of the environment"
            ))),
            EnvironmentAction::CancelChild { actor } => self.cancel_child(actor),
            EnvironmentAction::Interrupt => self.ctrl_c(),
            EnvironmentAction::Signal { actor, signal } => self.signal(actor, signal),
            EnvironmentAction::Kill { actor } => self.kill(actor),
            EnvironmentAction::Cut { actor } => self.cut(actor),
            EnvironmentAction::Spawn { actor } => self.spawn(actor),
            EnvironmentAction::Read { actor } => self.read(actor),
            EnvironmentAction::Type { actor } => self.type_to(actor),
            EnvironmentAction::TakeBack { actor } => self.take_back(actor),
            EnvironmentAction::Die { actor, status: Status::Finished }
                if self.view.config.tree.is_program(actor) =>
            {
                self.exit(actor)
            }
            EnvironmentAction::Die { .. }
            | EnvironmentAction::Appear { .. }
            | EnvironmentAction::Vanish { .. }
            | EnvironmentAction::CutShort { .. } => {
                Err(Halt::NotStaged("what only recorded runs hold".to_owned()))
            }
        }
    }

    fn say(&mut self, text: impl Into<String>) {
        self.story.push(text.into());
    }

    /// Gives an order; an actor that is gone takes none, and that is not a failure of the run.
    fn instruct(&mut self, actor: ActorId, order: Instruction) -> Result<(), Halt> {
        self.release(actor)?;
        let name = self.view.name(actor);
        if !self.view.runs(actor) {
            self.say(format!("{name} is gone: it does not {order:?}"));
            return Ok(());
        }
        if let Err(error) = self.grown.instruct(&name, order.clone()) {
            let ends = |view: &View<'_>| (!view.runs(actor)).then_some(());
            if self.wait(self.time_outs.limit, ends).is_none() {
                return Err(Halt::Stage(error.to_string()));
            }
            self.say(format!("{name} is gone: it does not {order:?}"));
        }
        Ok(())
    }

    fn pause(&mut self, actor: ActorId, shielding: Shielding) -> Result<(), Halt> {
        let id = self.next_id;
        self.next_id += 1;
        let name = self.view.name(actor);
        let before = self.view.mirror(actor).map_or(0, |mirror| mirror.requests);
        self.say(format!("{name} reaches a breakpoint"));
        // A scope that was told to end has no tasks any longer, but threads.
        let told = self.view.mirror(actor).is_some_and(MirroredActor::told);
        let order = match (shielding, told) {
            (Shielding::Plain, false) => Instruction::Breakpoint { id, shielding },
            (Shielding::Plain, true) | (Shielding::Shielded, _) => {
                Instruction::SyncBreakpoint { id, shielding }
            }
        };
        self.instruct(actor, order)?;
        // Held, it is to be at the breakpoint before anybody does anything else.
        let held = self.stepping == Stepping::Held;
        self.effect("the breakpoint", |view| {
            let Some(mirror) = view.mirror(actor) else { return Some(()) };
            let asked = view.asked.contains(&id) && (mirror.frozen() || mirror.told()) && !held;
            (mirror.requests > before || asked || !view.runs(actor)).then_some(())
        })
    }

    fn provoke(&mut self, actor: ActorId, cause: Cause) -> Result<(), Halt> {
        let name = self.view.name(actor);
        let (order, said) = match cause {
            Cause::Failed => {
                let text = format!("{name} failed");
                match self.view.config.debug[actor.index()] {
                    DebugMode::On => (Instruction::Crash { text }, "crashes, in debug mode"),
                    DebugMode::Off => (Instruction::Error { text }, "fails"),
                }
            }
            Cause::Deadline => (Instruction::Deadline {}, "has its deadline pass"),
            Cause::Finished => (Instruction::Finish {}, "is done"),
            Cause::Requested => (Instruction::Cancel {}, "asks for its own end"),
            Cause::Interrupted | Cause::Orphaned | Cause::Stopped | Cause::ChildFailed => {
                return Err(Halt::NotStaged(format!("{cause:?} as an action of the environment")));
            }
        };
        self.told_to_end(actor, order, said)
    }

    /// Gives an order after which the actor is to end, or to examine why it should.
    fn told_to_end(&mut self, actor: ActorId, order: Instruction, said: &str) -> Result<(), Halt> {
        self.say(format!("{} {said}", self.view.name(actor)));
        let (before, over) = self.told_of(actor);
        self.instruct(actor, order)?;
        if over || self.view.mirror(actor).is_some_and(MirroredActor::frozen) {
            return Ok(());
        }
        self.effect(said, |view| {
            let Some(mirror) = view.mirror(actor) else { return Some(()) };
            let took = mirror.told() || mirror.requests > before;
            (took || !view.runs(actor)).then_some(())
        })
    }

    /// How many requests an actor has made, and whether it was told to end.
    fn told_of(&self, actor: ActorId) -> (u32, bool) {
        self.view.mirror(actor).map_or((0, true), |mirror| (mirror.requests, mirror.told()))
    }

    fn cancel_child(&mut self, actor: ActorId) -> Result<(), Halt> {
        let Some(above) = self.view.config.tree.supervisor(actor) else { return Ok(()) };
        let name = self.view.name(actor);
        self.say(format!("{} asks {name} to end", self.view.name(above)));
        let before = self.view.mirror(above).map_or(0, |mirror| mirror.inputs.len());
        self.instruct(above, Instruction::CancelChild { name })?;
        let frozen = self.view.mirror(above).is_some_and(MirroredActor::frozen);
        self.effect("the request to end", |view| {
            let took = view.mirror(above).is_none_or(|mirror| mirror.inputs.len() > before);
            (took || frozen || !view.runs(above)).then_some(())
        })
    }

    fn signal(&mut self, actor: ActorId, signal: Signal) -> Result<(), Halt> {
        let name = self.view.name(actor);
        self.say(format!("{name} gets {signal}"));
        let Some(mirror) = self.view.mirror(actor) else { return Ok(()) };
        let before = mirror.signalled();
        let unix = match signal {
            Signal::Interrupt => Unix::SIGINT,
            Signal::Terminate => Unix::SIGTERM,
            Signal::Hangup => Unix::SIGHUP,
            Signal::Quit => Unix::SIGQUIT,
        };
        if !self.view.runs(actor) || self.grown.signal(&name, unix).is_err() {
            self.say(format!("{name} is gone"));
            return Ok(());
        }
        self.effect("the signal", |view| {
            let took = view.mirror(actor).is_none_or(|mirror| mirror.signalled() > before);
            (took || !view.runs(actor)).then_some(())
        })
    }

    fn kill(&mut self, actor: ActorId) -> Result<(), Halt> {
        let name = self.view.name(actor);
        self.say(format!("{name} is killed"));
        let held = self.held.iter().find(|(one, _)| *one == actor).map(|(_, pid)| *pid);
        let pid = held.or_else(|| self.pid(actor));
        let Some(pid) = pid else { return Ok(()) };
        self.held.retain(|(one, _)| *one != actor);
        let Ok(process) = ProcessInfo::read(pid.cast_signed()) else { return Ok(()) };
        self.mark(EnvironmentAction::Kill { actor: ActorId(pid) });
        if process.signal(Unix::SIGKILL).is_ok() {
            process
                .wait_end(self.time_outs.limit)
                .map_err(|error| Halt::Stage(error.to_string()))?;
        }
        self.view.ended(actor);
        Ok(())
    }

    fn cut(&mut self, actor: ActorId) -> Result<(), Halt> {
        let name = self.view.name(actor);
        self.say(format!("the link above {name} is cut"));
        if self.stepping == Stepping::Held {
            return self.cut_unread(actor);
        }
        // What was said before is said.
        let _ = self.wait_while_it_moves(|view| view.settled().then_some(()));
        self.mark_cut(actor);
        self.instruct(actor, Instruction::Cut {})?;
        let above = self.view.config.tree.supervisor(actor);
        let frozen = |view: &View<'_>, one| view.mirror(one).is_none_or(MirroredActor::frozen);
        let result = self.effect("the end of the link", |view| {
            let ends = |one: ActorId| !view.runs(one) || frozen(view, one);
            let above_knows = above.is_none_or(|above| {
                let child = view.mirror(actor).map(|mirror| ActorId(mirror.pid));
                let node = view.mirror(above).map(|mirror| &mirror.node);
                let link = node.zip(child).and_then(|(node, child)| node.children().get(&child));
                ends(above) || link.is_none_or(|child| child.link != ChildLink::Up)
            });
            above_knows.then_some(())
        });
        self.view.cut(actor);
        result
    }

    fn mark_cut(&mut self, actor: ActorId) {
        if let Some(pid) = self.pid(actor) {
            self.mark(EnvironmentAction::Cut { actor: ActorId(pid) });
        }
    }

    fn mark(&mut self, action: EnvironmentAction) {
        self.outside.actions.push(Mark { at_ns: now_ns(), action });
    }

    /// The script is over, or the run.
    pub(super) fn judged_until_now(&mut self) {
        self.outside.until.get_or_insert(now_ns());
    }

    /// What is under way stays so: nobody reads.
    fn cut_unread(&mut self, actor: ActorId) -> Result<(), Halt> {
        self.mark_cut(actor);
        self.instruct(actor, Instruction::Cut {})?;
        let id = self.next_id;
        self.next_id += 1;
        self.instruct(actor, Instruction::Ping { id })?;
        let name = self.view.name(actor);
        let handle = self.grown.actor(&name).map_err(|error| Halt::Stage(error.to_string()))?;
        let pong = handle.wait_for(&ActorEvent::Pong { id });
        self.view.cut(actor);
        pong.map_err(|error| Halt::Stage(error.to_string()))
    }
}
