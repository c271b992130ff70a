//! Children: started, reaped, adopted.

use super::ActorResources;
use crate::child_record::{Booting, ChildKind, ChildRecord};
use crate::error::{RuntimeError, failed};
use crate::event::{
    ActorEvent, ChildOrder, ChildProgram, DriverEvent, SpawnReply, Spawned, StartedProcess,
};
use crate::link::Link;
use crate::orphans::{self, OrphansFound};
use crate::peer::{Peer, PeerRole, mail_with};
use crate::process::{self, Born, Process, ProcessEnd, SessionOf, Start};
use crate::settings::Debugging;
use crate::starts::{self, PendingStarts};
use crate::wire::{Frame, Hello, VERSION};
use holdfast_protocol::actor_loop::ChildScope;
use holdfast_protocol::policy::{BootInterrupt, Orphans, Route};
use holdfast_protocol::{ActorId, Placement, Status};
use holdfast_sync::children::Reap;
use rustix::process::Signal as ProcessSignal;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// How an actor is to be started.
struct ActorLaunch {
    function: &'static str,
    name: String,
    args: Vec<u8>,
    debugging: Option<Debugging>,
}

impl ActorResources {
    /// Says that this actor starts nothing any longer.
    pub(super) fn refuse_child(&mut self, order: ChildOrder) {
        let what = match order.program {
            ChildProgram::Actor { .. } => "start an actor",
            ChildProgram::Foreign(_) | ChildProgram::Hosted(_) => "start a program",
        };
        if let Some(StartedProcess { process, link: _ }) = order.started {
            drop(starts::refuse(process, self.starts.clone()));
        }
        let _ = order.reply.send(Err(RuntimeError::Cancelled(what)));
    }

    /// Has a process started; the order comes again when there is one.
    pub(crate) fn begin_start(&mut self, mut order: ChildOrder) {
        let (start, starts, senders) = (self.start(), self.starts.clone(), self.senders.clone());
        tokio::task::spawn_local(async move {
            match start_process(start, &starts, &order.name, &mut order.program).await {
                Ok(started) => {
                    order.started = Some(started);
                    senders.send(ActorEvent::Spawn(order));
                }
                Err(error) => drop(order.reply.send(Err(error))),
            }
        });
    }

    /// At the end of the driver: what is still being started is ended and reaped, and at the root
    /// what that has started itself.
    pub(crate) async fn refuse_late_starts(&mut self) {
        while !self.starts.are_over() {
            self.starts.end_unfinished();
            let late = tokio::time::timeout(UNWATCHED, self.queues.events.recv()).await;
            if let Ok(Some(DriverEvent::Actor(ActorEvent::Spawn(order)))) = late {
                self.refuse_child(order);
            }
        }
        let Some(root) = &mut self.root_resources else { return };
        for _ in 0..LAST_LOOKS {
            let left = root.others.rest().unwrap_or_default();
            if left.is_empty() || self.settings.policy().orphans() == Orphans::LiveOn {
                return;
            }
            for pid in left {
                process::kill_unwatched(pid);
                orphans::reap(pid);
            }
            tokio::time::sleep(LAST_LOOK).await;
        }
    }

    pub(super) fn start_child(&mut self, order: ChildOrder) -> Option<ActorId> {
        let ChildOrder { program, name, reply, started } = order;
        let StartedProcess { process, link } = started?;
        self.starts.taken(process.pid());
        match program {
            ChildProgram::Actor { function, args, debugging, given: _ } => {
                let order = ActorLaunch { function, name, args, debugging };
                self.start_actor(order, process, link?, reply)
            }
            ChildProgram::Foreign(_) => self.add_program(ChildKind::Foreign, name, process, reply),
            ChildProgram::Hosted(_) => self.add_program(ChildKind::Hosted, name, process, reply),
        }
    }

    fn start_actor(
        &mut self,
        order: ActorLaunch,
        process: Process,
        link: UnixStream,
        reply: SpawnReply,
    ) -> Option<ActorId> {
        let ActorLaunch { function, name, args, debugging } = order;
        let link = match Link::new(link).map_err(failed("watch a socket")) {
            Ok(link) => link,
            Err(error) => {
                drop(starts::refuse(process, self.starts.clone()));
                let _ = reply.send(Err(error));
                return None;
            }
        };
        let child = ActorId(process.pid());
        let mut settings = self.settings.clone();
        settings.debugging = debugging.unwrap_or(settings.debugging);
        let hello = Hello {
            version: VERSION,
            function: function.to_owned(),
            path: self.path.iter().cloned().chain([name.clone()]).collect(),
            root: self.root.0,
            supervisor: self.me.0,
            settings,
            inherited: self.inherited,
            args,
        };
        let direct =
            self.settings.policy().route() == Route::Direct && self.root_resources.is_none();
        let direct = direct.then(UnixStream::pair).and_then(Result::ok);
        let (to_root, to_child) = direct.map_or((None, None), |(a, b)| (Some(a), Some(b)));
        let (mail, ours) = mail_with(child);
        let mut peer = Peer::new(child, link, PeerRole::Child, &self.senders);
        peer.mail = Some(ours);
        peer.say(&Frame::Hello(Box::new(hello)), to_child.map(Into::into), &self.senders);
        self.peers.insert(child, peer);
        if let (Some(socket), Some(supervisor)) = (to_root, self.peers.supervisor_mut()) {
            let frame = Frame::Direct { pid: child.0 };
            supervisor.say(&frame, Some(socket.into()), &self.senders);
        }
        let path = format!("{}/{name}", self.path_text());
        let mut record = ChildRecord::new(ChildKind::Actor, name.clone(), path.clone());
        let spawned = Spawned { name, path, mail, end: record.end.subscribe() };
        record.booting = Some(Booting { reply, spawned });
        self.add_child(process, record);
        Some(child)
    }

    fn add_program(
        &mut self,
        kind: ChildKind,
        name: String,
        process: Process,
        reply: SpawnReply,
    ) -> Option<ActorId> {
        let child = ActorId(process.pid());
        let path = format!("{}/{name}", self.path_text());
        let record = ChildRecord::new(kind, name.clone(), path.clone());
        let (mail, ours) = mail_with(child);
        // A foreign program takes no messages.
        ours.credits.close();
        let spawned = Spawned { name, path, mail, end: record.end.subscribe() };
        self.add_child(process, record);
        if kind == ChildKind::Hosted {
            self.tell_levels();
        }
        let _ = reply.send(Ok(spawned));
        Some(child)
    }

    /// How this actor starts a process.
    pub(super) fn start(&self) -> Start {
        let session = match self.settings.placement {
            Placement::OwnSession => SessionOf::Its,
            Placement::SharedGroup => SessionOf::Supervisor,
        };
        let born = match self.settings.policy().boot_interrupt() {
            BootInterrupt::Ignored => Born::Deaf,
            BootInterrupt::Dies => Born::Hearing,
        };
        Start { session, born, inherited: self.inherited, root: self.root.0 }
    }

    fn add_child(&mut self, process: Process, record: ChildRecord) {
        let child = ActorId(process.pid());
        self.watch(&process);
        self.children.insert(child, process);
        self.records.insert(child, record);
    }

    /// Wakes the driver when a process has ended.
    fn watch(&self, process: &Process) {
        let (child, senders) = (ActorId(process.pid()), self.senders.clone());
        let pidfd = process.watch();
        tokio::task::spawn_local(async move {
            // SAFETY: an `OwnedFd` owns its descriptor, and keeps it for as long as it lives.
            let ready = pidfd.map(|pidfd| unsafe { AsyncFd::register(pidfd) });
            match ready {
                Ok(Ok(pidfd)) => drop(pidfd.readable().await),
                // No descriptor is left: it is looked at now and then.
                Ok(Err(_)) | Err(_) => tokio::time::sleep(UNWATCHED).await,
            }
            // A Ctrl-C that ended the child has come to this process too, and is handled first:
            // the kernel sends to the whole group before one of it can be seen to have ended.
            for signal in crate::signals::pending() {
                let _ = senders.urgent.send(DriverEvent::Signal(signal));
            }
            senders.send(ActorEvent::ChildEnded(child));
        });
    }

    pub(super) fn reap_child(&mut self, child: ActorId) -> Option<Status> {
        let reaped = self.children.reap(child, |process| match process.reap() {
            Ok(Some(ended)) => Reap::Reaped(Some(ended)),
            Ok(None) => Reap::Running,
            // Somebody else has waited for it, which is not ours to repair.
            Err(_) => Reap::Reaped(None),
        });
        let ended = match reaped? {
            Reap::Reaped(ended) => ended.unwrap_or(ProcessEnd::Unknown),
            Reap::Running => {
                self.children.signal(child, |process| self.watch(process));
                return None;
            }
        };
        let record = self.records.get_mut(&child)?;
        if let Some(Booting { reply, spawned }) = record.booting.take() {
            let (name, how) = (spawned.name, ended.to_string());
            let _ = reply.send(Err(RuntimeError::DiedBooting { name, how }));
        }
        let end = record.conclude(ended);
        record.end.send_replace(Some(end));
        Some(match record.kind {
            // Most orphans are actors; of those that are not, nobody waits for the status.
            ChildKind::Actor | ChildKind::Adopted => crate::exit::status_of_actor(ended),
            ChildKind::Foreign => crate::exit::status_of_foreign(ended),
            ChildKind::Hosted => Status::Finished,
        })
    }

    pub(super) fn forget_child(&mut self, child: ActorId) {
        let Some(record) = self.records.remove(&child) else { return };
        match record.kind {
            ChildKind::Actor | ChildKind::Adopted => {
                self.announce_reaped(child.0);
                self.tell_levels();
            }
            ChildKind::Foreign | ChildKind::Hosted => {}
        }
    }

    /// An actor was reaped, here or below.
    pub(crate) fn announce_reaped(&mut self, pid: u32) {
        self.lose_in_surveys(pid);
        match &mut self.root_resources {
            Some(root) => drop(root.roster.remove(&pid)),
            None => self.say_up(&Frame::Reaped { pid }),
        }
    }

    pub(crate) fn tell_levels(&mut self) {
        let records = self.records.values();
        let booted = records.filter(|one| match one.kind {
            ChildKind::Actor => one.booting.is_none(),
            // Its host climbs a ladder of its own, and must not be killed before it is at the top.
            ChildKind::Hosted => true,
            ChildKind::Foreign | ChildKind::Adopted => false,
        });
        let levels = booted.map(|one| one.levels.saturating_add(1)).max().unwrap_or(0);
        self.say_up(&Frame::Levels(levels));
    }

    /// The children of this process that are to be adopted; none below the root, to which orphans
    /// come.
    pub(super) fn processes(&mut self, search: ChildScope) -> Option<Vec<ActorId>> {
        let found = match search {
            ChildScope::Actors => self.look_for_orphans()?,
            ChildScope::All => {
                let found = self.root_resources.as_mut()?.others.rest().ok()?;
                // What is being started is refused, and nobody's before that.
                found.into_iter().filter(|pid| !self.starts.have(*pid)).collect()
            }
        };
        Some(found.into_iter().map(ActorId).collect())
    }

    /// Reaps the orphans that have ended, but for actors: of those the protocol is told.
    fn look_for_orphans(&mut self) -> Option<Vec<u32>> {
        let children = &self.children;
        let started = |pid| children.signal(ActorId(pid), |_| ()).is_some();
        let Some(root) = self.root_resources.as_mut() else {
            if self.records.values().any(|record| record.kind == ChildKind::Hosted) {
                orphans::reap_ended(|pid| started(pid) || self.starts.have(pid));
            }
            return None;
        };
        loop {
            let OrphansFound { alive, ended } = root.others.look(started).ok()?;
            let (mut actors, ended): (Vec<_>, Vec<_>) =
                ended.into_iter().partition(|pid| root.roster.contains(pid));
            if ended.is_empty() {
                actors.extend(alive);
                return Some(actors);
            }
            // While one is reaped another may have come, unseen by the list.
            ended.into_iter().for_each(orphans::reap);
        }
    }

    pub(super) fn adopt_child(&mut self, child: ActorId) -> bool {
        let Ok(process) = Process::child(child.0) else { return false };
        self.add_child(process, ChildRecord::adopted());
        true
    }

    /// Sends a signal to every child: actors take the first, others the second.
    pub(crate) fn signal_branch(&self, to_actors: ProcessSignal, to_others: ProcessSignal) {
        self.children.each(|child, process| {
            let record = self.records.get(&child);
            let actor = record.is_some_and(|record| record.kind == ChildKind::Actor);
            process.signal(if actor { to_actors } else { to_others });
        });
    }

    /// Waits until the actors below have stopped, so that what lets them go on comes after that and
    /// not before. One that does not stop is waited for no longer than a moment.
    pub(crate) fn await_stopped_branch(&self) {
        for _ in 0..STOP_LOOKS {
            let mut runs = false;
            self.children.each(|child, _| {
                let record = self.records.get(&child);
                let actor = record.is_some_and(|record| record.kind == ChildKind::Actor);
                runs |= actor && process::state_of(child.0).is_empty();
            });
            if !runs {
                return;
            }
            std::thread::park_timeout(STOP_LOOK);
        }
    }
}

/// How often a supervisor looks whether its branch has stopped, and how many times.
const STOP_LOOK: Duration = Duration::from_millis(2);
const STOP_LOOKS: u32 = 250;

/// How often the root looks for what was left by what it has refused, and how many times.
const LAST_LOOK: Duration = Duration::from_millis(2);
const LAST_LOOKS: u32 = 1000;

/// How often a child is looked at that cannot be watched.
const UNWATCHED: Duration = Duration::from_millis(100);

/// PendingStarts what an order is for.
async fn start_process(
    start: Start,
    starts: &PendingStarts,
    name: &str,
    program: &mut ChildProgram,
) -> Result<StartedProcess, RuntimeError> {
    let gone = || RuntimeError::Gone("start a program");
    let of_program = Start { born: Born::Hearing, ..start };
    let process = match program {
        ChildProgram::Actor { given, .. } => {
            let given = *given;
            let (ours, theirs) = UnixStream::pair().map_err(failed("make a socket pair"))?;
            let begin = move || process::start_actor(start, given, &theirs);
            let process = starts.run(name, begin).await?;
            return Ok(StartedProcess { process, link: Some(ours) });
        }
        ChildProgram::Foreign(command) => {
            let mut command = command.take().ok_or_else(gone)?;
            command.stdin(Stdio::null());
            starts.run(name, move || process::start_foreign(of_program, *command)).await?
        }
        ChildProgram::Hosted(command) => {
            let command = command.take().ok_or_else(gone)?;
            starts.run(name, move || process::start_hosted(of_program, *command)).await?
        }
    };
    Ok(StartedProcess { process, link: None })
}
