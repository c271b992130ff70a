//! Actors that start late: held before their boot is over, and let go.

use super::{Live, Stop};
use crate::on_live::view::{Life, Member, View};
use holdfast::live::Order;
use holdfast_model::protocol::ActorId;
use holdfast_model::world::Placement;
use std::time::Duration;

impl Live<'_> {
    /// The supervisor starts the actor, which is held before its boot is over.
    pub(super) fn spawn(&mut self, actor: ActorId) -> Result<(), Stop> {
        let name = self.view.name(actor);
        self.say(format!("{name} is started, and boots"));
        let Some(above) = self.view.config.tree.supervisor(actor) else { return Ok(()) };
        let children = |view: &View<'_>| -> Vec<u32> {
            let node = view.member(above).map(|member| &member.node);
            node.map(|node| node.children().keys().map(|id| id.0).collect()).unwrap_or_default()
        };
        let before = children(&self.view);
        self.release(above)?;
        self.grown.ask_to_spawn(&name).map_err(|error| Stop::Stage(error.to_string()))?;
        if self.view.member(above).is_some_and(Member::frozen) {
            return Ok(());
        }
        let refused = self.view.failed.len();
        let pid = self.wait(self.hurry.limit, |view| {
            let new = children(view).into_iter().find(|pid| !before.contains(pid));
            let frozen = view.member(above).is_some_and(Member::frozen);
            let gone = !view.runs(above) || view.failed.len() > refused || frozen;
            new.map(Some).or(gone.then_some(None))
        });
        match pid {
            Some(Some(pid)) => {
                let path =
                    self.grown.path(&name).map_err(|error| Stop::Stage(error.to_string()))?;
                let here = format!("booting@{path}");
                let _ = self.grown.orders.wait_actor(&here);
                self.held.push((actor, pid));
                Ok(())
            }
            Some(None) => Ok(()),
            None => Err(Stop::NoEffect(format!("the start of {name}"))),
        }
    }

    /// Lets an actor boot that is held.
    pub(in crate::on_live) fn release(&mut self, actor: ActorId) -> Result<(), Stop> {
        if !self.held.iter().any(|(one, _)| *one == actor) {
            return Ok(());
        }
        self.held.retain(|(one, _)| *one != actor);
        let name = self.view.name(actor);
        let path = self.grown.path(&name).map_err(|error| Stop::Stage(error.to_string()))?;
        if let Ok(booting) = self.grown.orders.wait_actor(&format!("booting@{path}")) {
            // Whoever has died meanwhile needs no order.
            let _ = booting.send(Order::Boot {});
            let _ = self.wait_while_it_moves(|view| view.member(actor).map(|_| ()));
        }
        Ok(())
    }

    /// Lets everybody boot.
    pub(in crate::on_live) fn release_all(&mut self) -> Result<(), Stop> {
        let held: Vec<_> = self.held.iter().map(|(actor, _)| *actor).collect();
        held.into_iter().try_for_each(|actor| self.let_boot(actor))
    }

    pub(super) fn let_boot(&mut self, actor: ActorId) -> Result<(), Stop> {
        let name = self.view.name(actor);
        self.say(format!("{name} goes on booting"));
        self.held.retain(|(one, _)| *one != actor);
        let path = self.grown.path(&name).map_err(|error| Stop::Stage(error.to_string()))?;
        let interrupts = self.view.root().map_or(0, |root| root.interrupts);
        if let Ok(booting) = self.grown.orders.wait_actor(&format!("booting@{path}")) {
            let _ = booting.send(Order::Boot {});
            let grouped = self.view.config.placement == Placement::SharedGroup;
            // It takes the Ctrl-C that came while it booted, unless that has killed it.
            let _ = self.wait(BOOT, |view| {
                let member = view.member(actor)?;
                let took = member.interrupts > 0 || member.life == Life::Ended;
                (took || !grouped || interrupts == 0).then_some(())
            });
        }
        Ok(())
    }
}

/// How long an actor may take to boot that may also be dead.
const BOOT: Duration = Duration::from_millis(1000);
