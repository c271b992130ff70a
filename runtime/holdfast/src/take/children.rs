//! Children: started, booted, ended, reaped, adopted.

use super::Actor;
use crate::body::examine;
use crate::error::RuntimeError;
use crate::event::{Event, Examine, SpawnOrder};
use crate::kin::{Booting, Kin, KinKind, Neighbour, Post, Side};
use crate::link::{Heard, Link};
use crate::portal::{CREDITS, Mail, Spawned};
use crate::probe::Point;
use crate::process::{self, Born, Process, SessionOf, Start};
use crate::wire::{Frame, Hello, VERSION};
use holdfast_protocol::Placement;
use holdfast_protocol::policy::{BootInterrupt, Route};
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{ActorId, Cause, Input, Status};
use holdfast_sync::children::Reap;
use std::collections::VecDeque;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};

impl Actor {
    pub(super) fn booted(&mut self, child: ActorId) {
        let Some(kin) = self.hands_mut().kin.get_mut(&child) else { return };
        let Some(Booting { reply, spawned }) = kin.booting.take() else {
            return self.misbehaves(child, "it was ready before");
        };
        let path = kin.path.split('/').map(str::to_owned).collect();
        let _ = reply.send(Ok(spawned));
        self.born(child.0, path);
        self.tell_levels();
    }

    pub(super) fn born(&mut self, pid: u32, path: Vec<String>) {
        match &mut self.hands_mut().top {
            Some(top) => {
                top.roster.insert(pid);
            }
            None => self.hands_mut().say_up(&Frame::Born { pid, path }),
        }
    }

    pub(super) fn tell_levels(&mut self) {
        let kin = self.hands().kin.values();
        let actors = kin.filter(|kin| kin.kind == KinKind::Actor && kin.booting.is_none());
        let levels = actors.map(|kin| kin.levels.saturating_add(1)).max().unwrap_or(0);
        self.hands_mut().say_up(&Frame::Levels(levels));
    }

    /// A supervisor somewhere below has reaped an actor: its children are orphans now.
    pub(super) fn orphaned_by(&mut self, pid: u32) {
        self.lose_in_surveys(pid);
        match &mut self.hands_mut().top {
            Some(top) => {
                top.roster.remove(&pid);
                self.look_for_orphans();
            }
            None => self.hands_mut().say_up(&Frame::Reaped { pid }),
        }
    }

    pub(super) fn look_for_orphans(&mut self) {
        let me = self.hands().me.0;
        let Ok(found) = process::children() else { return };
        let mut follow = VecDeque::new();
        for pid in found {
            let live = self.hands_mut();
            let announced = live.top.as_ref().is_some_and(|top| top.roster.contains(&pid));
            // A child that the program started on its own is the program's to wait for.
            if announced || process::belongs_to(pid, me) {
                live.adopt(pid, &mut follow);
            }
        }
        for input in follow {
            self.feed(input);
        }
    }

    pub(super) fn child_ended(&mut self, child: ActorId) {
        // What the child said before it ended comes first.
        while !self.takes_no_more() {
            let Some(heard) = self.hands_mut().hear(child) else { break };
            match heard {
                Ok(Heard::Frame(frame, descriptor)) => self.frame(child, frame, descriptor),
                Ok(Heard::Nothing | Heard::End) => self.link_over(child),
                Err(error) => self.misbehaves(child, &error.to_string()),
            }
        }
        if self.takes_no_more() {
            let _ = self.hands().events.send(Event::ChildEnded(child));
            return;
        }
        // What is still linked is held back, and its end with it.
        let live = self.hands_mut();
        if live.neighbours.is_linked(child) {
            return live.probe.hold(Point::Reap(child));
        }
        if !live.probe.passes(Point::Reap(child)) {
            return;
        }
        let reaped = self.hands().children.reap(child, |process| match process.reap() {
            Ok(Some(ended)) => Reap::Reaped(Some(ended)),
            Ok(None) => Reap::Running,
            // Somebody else has waited for it, which is not ours to repair.
            Err(_) => Reap::Reaped(None),
        });
        match reaped {
            Some(Reap::Reaped(ended)) => self.child_reaped(child, ended),
            Some(Reap::Running) => {
                let live = self.hands();
                live.children.signal(child, |process| live.watch(process));
            }
            None => {}
        }
    }

    pub(super) fn child_reaped(&mut self, child: ActorId, ended: Option<process::Ended>) {
        let ended = ended.unwrap_or(process::Ended::Unknown);
        let Some(mut kin) = self.hands_mut().kin.remove(&child) else { return };
        let status = match kin.kind {
            // Most orphans are actors; of those that are not, nobody waits for the status.
            KinKind::Actor | KinKind::Adopted => crate::exit::status_of_actor(ended),
            KinKind::Foreign => crate::exit::status_of_foreign(ended),
        };
        if let Some(Booting { reply, spawned }) = kin.booting.take() {
            let (name, how) = (spawned.name, ended.to_string());
            let _ = reply.send(Err(RuntimeError::DiedBooting { name, how }));
        }
        let end = kin.conclude(ended);
        let asked = self
            .node()
            .children()
            .get(&child)
            .is_none_or(|known| known.rung >= holdfast_protocol::reaper::LadderRung::Cancel);
        let fails = matches!(status, Status::Failed | Status::Killed) && !asked;
        if let (true, Err(failure)) = (fails, &end) {
            let path = self.hands().path_text();
            let failure = failure.clone().passed_on_by(&path);
            let wanted = examine(&self.hands().filter, &failure);
            self.hands_mut().child_failure.get_or_insert(failure);
            if wanted == Examine::No {
                self.feed(Input::Unexamined { cause: Cause::ChildFailed });
            }
        }
        kin.end.send_replace(Some(end));
        self.feed(Input::Exited { child, status });
        match kin.kind {
            KinKind::Actor | KinKind::Adopted => {
                self.orphaned_by(child.0);
                self.tell_levels();
            }
            KinKind::Foreign => {}
        }
    }

    pub(super) fn start(&self) -> Start {
        let live = self.hands();
        let session = match live.settings.placement {
            Placement::OwnSession => SessionOf::Its,
            Placement::SharedGroup => SessionOf::Supervisor,
        };
        let born = match live.settings.policy().boot_interrupt() {
            BootInterrupt::Ignored => Born::Deaf,
            BootInterrupt::Dies => Born::Hearing,
        };
        Start { session, born, inherited: live.inherited, root: live.root.0 }
    }

    pub(super) fn spawn(&mut self, order: SpawnOrder) {
        if self.node().teardown() != Teardown::NotAsked {
            let _ = order.reply.send(Err(RuntimeError::Cancelled("start an actor")));
            return;
        }
        if let Err((reply, error)) = self.try_spawn(order) {
            let _ = reply.send(Err(error));
        }
    }

    pub(super) fn try_spawn(&mut self, order: SpawnOrder) -> Result<(), (Reply, RuntimeError)> {
        let SpawnOrder { function, name, args, debugging, reply } = order;
        let start = self.start();
        let live = self.hands_mut();
        let mut settings = live.settings;
        settings.debugging = debugging.unwrap_or(settings.debugging);
        let path = live.path.iter().cloned().chain([name.clone()]).collect();
        let hello = Hello {
            version: VERSION,
            function: function.to_owned(),
            path,
            root: live.root.0,
            supervisor: live.me.0,
            settings,
            inherited: live.inherited,
            args,
        };
        let begin = || -> Result<_, RuntimeError> {
            let (ours, theirs) =
                UnixStream::pair().map_err(crate::error::failed("make a socket pair"))?;
            let process = process::start_actor(&start, &theirs)?;
            let link = Link::new(ours).map_err(crate::error::failed("watch a socket"))?;
            Ok((process, link))
        };
        let (process, link) = match begin() {
            Ok(begun) => begun,
            Err(error) => return Err((reply, error)),
        };
        let child = ActorId(process.pid());
        let direct = (settings.policy().route() == Route::Direct && live.top.is_none())
            .then(UnixStream::pair)
            .and_then(Result::ok);
        let (to_root, to_child) = direct.map_or((None, None), |(a, b)| (Some(a), Some(b)));
        let (mail, post) = mailboxes(child, live.events.clone());
        let events = live.events.clone();
        let mut neighbour = Neighbour::new(child, link, Side::Child, &events);
        neighbour.post = Some(post);
        neighbour.say(&Frame::Hello(Box::new(hello)), to_child.map(Into::into), &events);
        live.neighbours.insert(child, neighbour);
        if let (Some(socket), Some(supervisor)) = (to_root, live.neighbours.supervisor_mut()) {
            supervisor.say(&Frame::Direct { pid: child.0 }, Some(socket.into()), &events);
        }
        let path = format!("{}/{name}", live.path_text());
        let mut kin = Kin::new(KinKind::Actor, name.clone(), path.clone());
        let spawned = Spawned { name, path, mail, end: kin.end.subscribe() };
        kin.booting = Some(Booting { reply, spawned });
        self.add_child(child, process, kin);
        Ok(())
    }

    pub(super) fn add_child(&mut self, child: ActorId, process: Process, kin: Kin) {
        let live = self.hands_mut();
        live.watch(&process);
        live.children.insert(child, process);
        live.kin.insert(child, kin);
        self.feed(Input::Spawned { child });
    }

    pub(super) fn command(&mut self, name: String, mut command: Command, reply: Reply) {
        if self.node().teardown() != Teardown::NotAsked {
            let _ = reply.send(Err(RuntimeError::Cancelled("start a program")));
            return;
        }
        command.stdin(Stdio::null());
        let mut start = self.start();
        start.born = Born::Hearing;
        let process = match process::start_foreign(&start, command) {
            Ok(process) => process,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        let child = ActorId(process.pid());
        let path = format!("{}/{name}", self.hands().path_text());
        let kin = Kin::new(KinKind::Foreign, name.clone(), path.clone());
        let (mail, post) = mailboxes(child, self.hands().events.clone());
        // A foreign program takes no messages.
        post.credits.close();
        let spawned = Spawned { name, path, mail, end: kin.end.subscribe() };
        self.add_child(child, process, kin);
        let _ = reply.send(Ok(spawned));
    }
}

type Reply = oneshot::Sender<Result<Spawned, RuntimeError>>;

/// The two ends of the messages with a neighbour: the program's and the driver's.
pub(crate) fn mailboxes(
    peer: ActorId,
    events: holdfast_sync::mailbox::Sender<Event>,
) -> (Mail, Post) {
    let (sender, inbox) = mpsc::unbounded_channel();
    let credits = Arc::new(Semaphore::new(CREDITS));
    let post = Post { inbox: sender, credits: Arc::clone(&credits), unread: 0 };
    (Mail { peer, events, inbox: Arc::new(Mutex::new(inbox)), credits }, post)
}
