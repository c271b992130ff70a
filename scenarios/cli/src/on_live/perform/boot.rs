//! Actors that start late: held before their boot is over, and let go.

use super::{Halt, Live};
use crate::on_live::mirrored_actor::{Life, MirroredActor};
use crate::on_live::view::View;
use holdfast_protocol::ActorId;
use holdfast_protocol::Placement;
use holdfast_protocol::policy::BootInterrupt;
use holdfast_testkit::points::starting_at;
use holdfast_testkit::{Instruction, ProcessInfo};
use std::time::Duration;

impl Live<'_> {
    /// The supervisor starts the actor, which is held before its boot is over.
    pub(super) fn spawn(&mut self, actor: ActorId) -> Result<(), Halt> {
        let name = self.view.name(actor);
        self.say(format!("{name} is started, and boots"));
        let Some(above) = self.view.config.tree.supervisor(actor) else { return Ok(()) };
        let children = |view: &View<'_>| -> Vec<u32> {
            let node = view.mirror(above).map(|mirror| &mirror.node);
            node.map(|node| node.children().keys().map(|id| id.0).collect()).unwrap_or_default()
        };
        let before = children(&self.view);
        self.release(above)?;
        self.grown.ask_to_spawn(&name).map_err(|error| Halt::Stage(error.to_string()))?;
        if self.view.mirror(above).is_some_and(MirroredActor::frozen) {
            return Ok(());
        }
        let refused = self.view.failed.len();
        let pid = self.wait(self.time_outs.limit, |view| {
            let new = children(view).into_iter().find(|pid| !before.contains(pid));
            let frozen = view.mirror(above).is_some_and(MirroredActor::frozen);
            let gone = !view.runs(above) || view.failed.len() > refused || frozen;
            new.map(Some).or(gone.then_some(None))
        });
        match pid {
            Some(Some(pid)) => {
                let _ = self.grown.control.wait_actor(&starting_at(pid));
                self.held.push((actor, pid));
                self.pids.insert(actor, pid);
                Ok(())
            }
            Some(None) => Ok(()),
            None => Err(Halt::NoEffect(format!("the start of {name}"))),
        }
    }

    /// Lets an actor boot that is held.
    pub(in crate::on_live) fn release(&mut self, actor: ActorId) -> Result<(), Halt> {
        if let Some(pid) = self.take_held(actor) {
            self.tell_to_boot(pid);
            let _ = self.wait_while_it_moves(|view| view.mirror(actor).map(|_| ()));
        }
        Ok(())
    }

    /// Lets everybody boot.
    pub(in crate::on_live) fn release_all(&mut self) {
        while let Some((actor, pid)) = self.held.pop() {
            self.say(format!("{} goes on booting", self.view.name(actor)));
            let interrupts = self.view.root().map_or(0, |root| root.interrupts());
            self.tell_to_boot(pid);
            let grouped = self.view.config.placement == Placement::SharedGroup;
            // It takes the Ctrl-C that came while it booted.
            let _ = self.wait(BOOT, |view| {
                let mirror = view.mirror(actor)?;
                let took = mirror.interrupts() > 0 || mirror.life == Life::Ended;
                (took || !grouped || interrupts == 0).then_some(())
            });
        }
    }

    /// Who boots has the dispositions of a new program, under some policies: a Ctrl-C ends it.
    pub(super) fn die_booting(&mut self) -> Result<(), Halt> {
        let dies = self.view.config.policy.boot_interrupt == BootInterrupt::Dies;
        let grouped = self.view.config.placement == Placement::SharedGroup;
        if !dies || !grouped {
            return Ok(());
        }
        for (actor, pid) in std::mem::take(&mut self.held) {
            if let Ok(process) = ProcessInfo::read(pid.cast_signed()) {
                let ended = process.wait_end(self.time_outs.limit);
                ended.map_err(|error| Halt::Stage(error.to_string()))?;
            }
            self.say(format!("{} dies of it", self.view.name(actor)));
        }
        Ok(())
    }

    fn take_held(&mut self, actor: ActorId) -> Option<u32> {
        let at = self.held.iter().position(|(one, _)| *one == actor)?;
        Some(self.held.remove(at).1)
    }

    fn tell_to_boot(&self, pid: u32) {
        // Whoever has died meanwhile needs no order.
        if let Ok(starting) = self.grown.control.wait_actor(&starting_at(pid)) {
            let _ = starting.send(Instruction::Boot {});
        }
    }
}

/// How long an actor may take to boot that may also be dead.
const BOOT: Duration = Duration::from_millis(1000);
