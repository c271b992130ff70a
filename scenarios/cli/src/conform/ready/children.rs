//! What must be so before a line about a child: started, reaped, adopted, all gone.

use super::{Here, Rank, Ready, environment, system};
use crate::conform::participants::{End, ParticipantOrigin};
use holdfast_check::world::recorded::can_happen;
use holdfast_check::world::{Action, ActorFlags, EnvironmentAction, SystemStep};
use holdfast_protocol::{ActorId, Input, Rename as _, Status};

impl Here<'_> {
    pub(super) fn spawned(self, actor: ActorId, child: ActorId) -> Ready {
        if self.recorded.tree().supervisor(child) == Some(actor)
            && self.is(child, ActorFlags::LATER)
        {
            let start = environment(EnvironmentAction::Spawn { actor: child });
            Ready::Now(Rank::Starts, [start].into_iter().chain(self.boot(child)).collect())
        } else {
            Ready::Never(format!("{} cannot be started there", self.name(child)))
        }
    }

    /// That a process which was started has booted: one that wrote no record never did.
    fn boot(self, child: ActorId) -> Option<Action> {
        let recorded = self.recorded.participants[child.index()].file.is_some();
        recorded.then(|| system(SystemStep::Boot { actor: child }))
    }

    pub(super) fn exited(self, actor: ActorId, child: ActorId, status: Status) -> Ready {
        let (facts, who) = (self.facts(child), self.name(child));
        if facts.flags.contains(ActorFlags::LATER) {
            return Ready::Never(format!("{who} was not started"));
        }
        if let Some(ended) = facts.zombie {
            // The exit code of an adopted process does not tell whether it is an actor's.
            let own = self.recorded.tree().supervisor(child) == Some(actor);
            let unrecorded = self.recorded.participants[child.index()].file.is_none();
            return match facts.parent {
                Some(parent) if parent != actor => {
                    let why = format!("{who} is a child of {}", self.name(parent));
                    match self.death(parent) {
                        Some(death) => Ready::Inferred(vec![vec![death]], why),
                        None => Ready::Waits(why),
                    }
                }
                // Between its last word and its end a process can still be killed; and who wrote no
                // record may handle a signal in another way than an actor that boots.
                Some(_) if own && ended != status && (status == Status::Killed || unrecorded) => {
                    let killed = environment(EnvironmentAction::Die { actor: child, status });
                    let reap = system(SystemStep::Reap { actor: child });
                    Ready::Now(Rank::Arrives, vec![killed, reap])
                }
                Some(_) if own && ended != status => Ready::Never(format!(
                    "{who} has ended ({})",
                    format!("{ended:?}").to_lowercase()
                )),
                Some(_) => {
                    Ready::Now(Rank::Arrives, vec![system(SystemStep::Reap { actor: child })])
                }
                None => Ready::Never(format!("{who} has no parent")),
            };
        }
        if !facts.alive() {
            return Ready::Never(format!("{who} was reaped before"));
        }
        let why = format!("{who} has not ended");
        match self.death(child) {
            Some(death) => Ready::Inferred(vec![vec![death]], why),
            None if self.next(child).is_some() => Ready::Waits(why),
            None => Ready::Never(why),
        }
    }

    pub(super) fn adopted(self, root: ActorId, child: ActorId) -> Ready {
        let adopt = system(SystemStep::Adopt { actor: child });
        let who = self.name(child);
        if root != self.view.topology.root() {
            return Ready::Never("only the root adopts".to_owned());
        }
        if self.is(child, ActorFlags::LATER)
            && self.recorded.participants[child.index()].origin == ParticipantOrigin::Found
        {
            let appears = environment(EnvironmentAction::Appear { actor: child });
            let found = [appears].into_iter().chain(self.boot(child)).chain([adopt]);
            return Ready::Now(Rank::Starts, found.collect());
        }
        if can_happen(self.view, adopt) {
            return Ready::Now(Rank::Arrives, vec![adopt]);
        }
        let Some(parent) = self.facts(child).parent.filter(|parent| *parent != root) else {
            return Ready::Waits(format!("{who} is not an orphan"));
        };
        let why = format!("{}, the parent of {who}, has not ended", self.name(parent));
        match self.death(parent) {
            Some(death) => Ready::Inferred(vec![vec![death]], why),
            None => Ready::Waits(why),
        }
    }

    pub(super) fn children_gone(self, actor: ActorId) -> Ready {
        if can_happen(self.view, system(SystemStep::SeeChildrenGone)) {
            return Ready::Now(Rank::Arrives, vec![system(SystemStep::SeeChildrenGone)]);
        }
        let left = self.view.actors().filter(|(_, facts)| facts.parent == Some(actor));
        let left: Vec<_> = left.map(|(child, _)| child).collect();
        if left.is_empty() {
            return Ready::Never("the root does not wait for its last child".to_owned());
        }
        let names: Vec<_> = left.iter().map(|child| self.name(*child)).collect();
        let why = format!("the root has children: {}", names.join(", "));
        match left.into_iter().map(|child| self.vanishes(child)).collect::<Option<Vec<_>>>() {
            Some(ways) => Ready::Inferred(vec![ways.concat()], why),
            None => Ready::Never(why),
        }
    }

    /// How an orphan may be gone that the root never adopted. Its supervisor had reaped it, and was
    /// killed before it could write that down; who has read the end of its supervisor outlived it.
    /// Or its supervisor was killed before it could announce it: the root reaps an orphan that has
    /// ended and that it does not know as an actor like any other process.
    fn vanishes(self, orphan: ActorId) -> Option<Vec<Action>> {
        let above = self.recorded.tree().supervisor(orphan)?;
        let (own, of_above) = (
            &self.recorded.participants[orphan.index()],
            &self.recorded.participants[above.index()],
        );
        let outlived = own.lines.iter().any(|line| line.input == Input::LinkEnded { peer: above });
        let killed = of_above.end == End::Silent(Status::Killed);
        let known = self.is_named_by(self.view.topology.root(), orphan);
        if (outlived && known) || !killed || !self.is(orphan, ActorFlags::UNFOUND) {
            return None;
        }
        let vanish = environment(EnvironmentAction::Vanish { actor: orphan });
        match self.death(orphan) {
            Some(death) => Some(vec![death, vanish]),
            None => self.is(orphan, ActorFlags::ZOMBIE).then(|| vec![vanish]),
        }
    }

    /// Whether the record of one actor names another.
    fn is_named_by(self, one: ActorId, other: ActorId) -> bool {
        let mut look = |id| if id == other { Err(()) } else { Ok(id) };
        self.recorded.participants[one.index()].lines.iter().any(|line| {
            let in_outputs = line.outputs.iter().any(|out| out.try_renamed(&mut look).is_err());
            in_outputs || line.input.try_renamed(&mut look).is_err()
        })
    }
}
