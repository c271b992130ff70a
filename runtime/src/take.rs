//! What an event means: the inputs of the protocol that it comes to, and the bookkeeping around it.

use crate::body::examine;
use crate::error::RuntimeError;
use crate::event::{Ending, Event, Examine, Local, SpawnOrder};
use crate::front::FrontEvent;
use crate::hands::{Asked, Live};
use crate::kin::{Booting, Kin, KinKind, Neighbour, Post, Side};
use crate::link::{Heard, Link};
use crate::portal::{CREDITS, Mail, Spawned};
use crate::process::{self, Process, SessionOf, Start};
use crate::signals::Taken;
use crate::survey::{ChildReport, Report, Survey, Token};
use crate::wire::{Frame, Hello, Outcome, VERSION};
use holdfast_model::driver::Driver;
use holdfast_model::protocol::node::Post as Place;
use holdfast_model::protocol::policy::{BootInterrupt, Route};
use holdfast_model::protocol::teardown::Teardown;
use holdfast_model::protocol::{ActorId, Answer, Cause, Input, Node, Status};
use holdfast_model::shared::children::Reap;
use holdfast_model::world::Placement;
use nix::sys::signal::{Signal, raise};
use rustix::process::Signal as Send_;
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};

/// How many frames of one link are taken before others get their turn.
const TURN: usize = 64;

/// How long a survey waits for actors that do not answer.
const SURVEY: Duration = Duration::from_secs(1);

/// One actor, running: the driver, and around it what is no decision of the protocol's.
pub(crate) struct Actor {
    driver: Driver<Live>,
}

impl Deref for Actor {
    type Target = Driver<Live>;

    fn deref(&self) -> &Self::Target {
        &self.driver
    }
}

impl DerefMut for Actor {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.driver
    }
}

impl Actor {
    /// Puts the two together.
    pub(crate) fn new(node: Node, hands: Live) -> Self {
        Self { driver: Driver::new(node, hands) }
    }

    /// Takes an event.
    pub(crate) fn take(&mut self, event: Event) {
        match event {
            Event::Readable(peer) => self.read(peer),
            Event::Writable(peer) => self.write(peer),
            Event::ChildEnded(child) => self.child_ended(child),
            Event::Answered(request, answer) => {
                let open = self.node().requests().open();
                if open.is_some_and(|own| own.request == request) {
                    self.hands_mut().answer = Some((request, answer));
                    self.feed(Input::Answered { request, answer });
                }
            }
            Event::Front(request, event) => self.front(request, event),
            Event::Abandoned(id) => self.abandoned(id),
            Event::Signal(signal) => self.signal(signal),
            Event::Local(local) => self.local(local),
            Event::BodyOverdue => self.body_overdue(),
            Event::SurveyOverdue(serial) => self.finish_survey(serial),
        }
        self.show_waiting();
    }

    /// Takes the timers whose time has come.
    pub(crate) fn take_expired(&mut self) {
        let now = Instant::now();
        while let Some(timer) = self.hands_mut().timers.expired(now) {
            self.feed(Input::Expired { timer });
        }
    }

    /// Reads what a link has, up to a turn's worth.
    fn read(&mut self, peer: ActorId) {
        for _ in 0..TURN {
            if self.takes_no_more() {
                break;
            }
            let Some(neighbour) = self.hands_mut().neighbours.get_mut(peer) else { return };
            match neighbour.link.hear() {
                Ok(Heard::Frame(frame, descriptor)) => self.frame(peer, frame, descriptor),
                Ok(Heard::Nothing) => return neighbour.listen(),
                Ok(Heard::End) => return self.link_over(peer),
                Err(error) => return self.misbehaves(peer, &error.to_string()),
            }
        }
        let _ = self.hands().events.send(Event::Readable(peer));
    }

    /// Whether the last frame has opened a prompt that freezes the driver, or was the last of all:
    /// what comes behind it is for later, or for nobody.
    fn takes_no_more(&self) -> bool {
        self.is_frozen() || self.hands().exit.is_some()
    }

    fn write(&mut self, peer: ActorId) {
        let events = self.hands().events.clone();
        if let Some(neighbour) = self.hands_mut().neighbours.get_mut(peer) {
            neighbour.link.flush();
            neighbour.wait_for_room(&events);
        }
    }

    /// A peer that sends what it should not is cut off, and nobody else is.
    fn misbehaves(&mut self, peer: ActorId, what: &str) {
        tracing::warn!(target: "holdfast", peer = peer.0, what, "a neighbour is cut off");
        self.link_over(peer);
    }

    fn link_over(&mut self, peer: ActorId) {
        if self.hands_mut().neighbours.remove(peer).is_some() {
            self.lose_in_surveys(peer.0);
            self.feed(Input::LinkEnded { peer });
        }
    }

    fn frame(&mut self, peer: ActorId, frame: Frame, descriptor: Option<OwnedFd>) {
        let Some(side) = self.hands_mut().neighbours.get_mut(peer).map(|one| one.side) else {
            return;
        };
        match (side, frame) {
            (_, Frame::Say(message)) => self.said(peer, side, message, descriptor),
            (Side::Child, Frame::Ready { version: VERSION }) => self.booted(peer),
            (Side::Child, Frame::Outcome(outcome)) => {
                if let Some(kin) = self.hands_mut().kin.get_mut(&peer) {
                    kin.outcome = Some(outcome);
                }
            }
            (Side::Child | Side::Supervisor, Frame::Data(bytes)) => self.mail(peer, bytes),
            (Side::Child | Side::Supervisor, Frame::Credit(count)) => {
                if let Some(post) = self.post(peer) {
                    let room = CREDITS.saturating_sub(post.credits.available_permits());
                    post.credits.add_permits(room.min(count as usize));
                }
            }
            (Side::Child, Frame::Born { pid, path }) => self.born(pid, path),
            (Side::Child, Frame::Levels(levels)) => {
                if let Some(kin) = self.hands_mut().kin.get_mut(&peer) {
                    kin.levels = levels;
                }
                self.tell_levels();
            }
            (Side::Child, Frame::Reaped { pid }) => self.orphaned_by(pid),
            (Side::Child, Frame::Direct { pid }) => self.direct(pid, descriptor),
            (Side::Supervisor, Frame::Survey { token }) => self.answer_survey(token),
            (Side::Child, Frame::Report { token, report }) => self.report(token, *report),
            (_, other) => {
                let what = format!("{other:?}");
                self.misbehaves(peer, what.get(..what.len().min(80)).unwrap_or("a frame"));
            }
        }
    }

    fn said(
        &mut self,
        from: ActorId,
        side: Side,
        message: holdfast_model::protocol::Message,
        baton: Option<OwnedFd>,
    ) {
        use holdfast_model::protocol::Message;
        let granted = match (message, side, baton) {
            (Message::Grant { request }, Side::Supervisor | Side::Direct, Some(baton)) => {
                self.hands_mut().batons.insert(request, baton);
                Some(request)
            }
            _ => None,
        };
        self.feed(Input::Received { from, message });
        if let Some(request) = granted {
            // Whatever became of the grant has become of it: a baton that is left is closed.
            self.hands_mut().batons.remove(&request);
        }
    }

    fn post(&mut self, peer: ActorId) -> Option<&mut Post> {
        self.hands_mut().neighbours.get_mut(peer)?.post.as_mut()
    }

    fn mail(&mut self, peer: ActorId, bytes: Vec<u8>) {
        let Some(post) = self.post(peer) else { return };
        if post.unread == CREDITS {
            return self.misbehaves(peer, "more messages than it has credit for");
        }
        post.unread += 1;
        // A program that reads nothing any more needs no messages.
        let _ = post.inbox.send(bytes);
    }

    fn booted(&mut self, child: ActorId) {
        let Some(kin) = self.hands_mut().kin.get_mut(&child) else { return };
        let Some(Booting { reply, spawned }) = kin.booting.take() else {
            return self.misbehaves(child, "it was ready before");
        };
        let path = kin.path.split('/').map(str::to_owned).collect();
        let _ = reply.send(Ok(spawned));
        self.born(child.0, path);
        self.tell_levels();
    }

    fn born(&mut self, pid: u32, path: Vec<String>) {
        match &mut self.hands_mut().top {
            Some(top) => {
                top.roster.insert(pid);
            }
            None => self.hands_mut().say_up(&Frame::Born { pid, path }),
        }
    }

    fn tell_levels(&mut self) {
        let kin = self.hands().kin.values();
        let actors = kin.filter(|kin| kin.kind == KinKind::Actor && kin.booting.is_none());
        let levels = actors.map(|kin| kin.levels.saturating_add(1)).max().unwrap_or(0);
        self.hands_mut().say_up(&Frame::Levels(levels));
    }

    /// A supervisor somewhere below has reaped an actor: its children are orphans now.
    fn orphaned_by(&mut self, pid: u32) {
        self.lose_in_surveys(pid);
        match &mut self.hands_mut().top {
            Some(top) => {
                top.roster.remove(&pid);
                self.look_for_orphans();
            }
            None => self.hands_mut().say_up(&Frame::Reaped { pid }),
        }
    }

    fn look_for_orphans(&mut self) {
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

    fn direct(&mut self, pid: u32, descriptor: Option<OwnedFd>) {
        let live = self.hands_mut();
        let events = live.events.clone();
        if live.top.is_none() {
            if let Some(supervisor) = live.neighbours.supervisor_mut() {
                supervisor.say(&Frame::Direct { pid }, descriptor, &events);
            }
            return;
        }
        let Some(Ok(link)) = descriptor.map(|fd| Link::new(UnixStream::from(fd))) else { return };
        let peer = ActorId(pid);
        live.neighbours.insert(peer, Neighbour::new(peer, link, Side::Direct, &events));
    }

    fn child_ended(&mut self, child: ActorId) {
        // What the child said before it ended comes first.
        while !self.takes_no_more() {
            let Some(neighbour) = self.hands_mut().neighbours.get_mut(child) else { break };
            match neighbour.link.hear() {
                Ok(Heard::Frame(frame, descriptor)) => self.frame(child, frame, descriptor),
                Ok(Heard::Nothing | Heard::End) => self.link_over(child),
                Err(error) => self.misbehaves(child, &error.to_string()),
            }
        }
        if self.takes_no_more() {
            let _ = self.hands().events.send(Event::ChildEnded(child));
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

    fn child_reaped(&mut self, child: ActorId, ended: Option<process::Ended>) {
        let ended = ended.unwrap_or(process::Ended::Code(0));
        let Some(mut kin) = self.hands_mut().kin.remove(&child) else { return };
        let status = match kin.kind {
            KinKind::Actor => crate::exit::status_of_actor(ended),
            KinKind::Foreign | KinKind::Adopted => crate::exit::status_of_foreign(ended),
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
            .is_none_or(|known| known.rung >= holdfast_model::protocol::reaper::Rung::Cancel);
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

    fn front(&mut self, request: holdfast_model::protocol::RequestId, event: FrontEvent) {
        match event {
            FrontEvent::Ended => {
                if self.hands().front.as_ref().is_some_and(|(open, _)| *open == request) {
                    self.hands_mut().close_front();
                }
                if self.hands().top.is_some() && request.actor != self.hands().me {
                    self.feed(Input::BatonClosed { request });
                }
            }
            FrontEvent::Interrupted => {
                let signal = holdfast_model::protocol::Signal::Interrupt;
                let origin = holdfast_model::protocol::Origin::Process;
                self.feed(Input::Signalled { signal, origin });
            }
            FrontEvent::Suspend => self.stop(),
            FrontEvent::StopTree => self.feed(Input::Cancel { cause: Cause::Requested }),
            FrontEvent::Survey(reply) => self.start_survey(Box::new(move |text| {
                let _ = reply.send(text);
            })),
        }
    }

    fn show_waiting(&mut self) {
        let waiting = match self.node().post() {
            Place::Root { server, .. } => server.waiting().count(),
            Place::Below { .. } => 0,
        };
        if let Some((_, front)) = &self.hands().front {
            front.waiting(waiting);
        }
    }

    /// Nobody waits for a pause any more: its prompt, if it is open, goes on by itself.
    fn abandoned(&mut self, id: u64) {
        let live = self.hands_mut();
        let Some(request) = live.forget_pause(id) else { return };
        if self.node().requests().open().is_some_and(|own| own.request == request) {
            self.feed(Input::Answered { request, answer: Answer::Continue });
        }
    }

    fn signal(&mut self, signal: Taken) {
        match signal {
            Taken::Decide(signal, origin) => {
                if signal != holdfast_model::protocol::Signal::Interrupt {
                    self.hands_mut().stopped_by.get_or_insert(signal);
                }
                self.feed(Input::Signalled { signal, origin });
            }
            Taken::Stop => self.stop(),
            Taken::Continue => {}
            Taken::Dump => self.dump(),
            Taken::Child => {
                if self.hands().top.is_some() {
                    self.look_for_orphans();
                }
            }
        }
    }

    /// Ctrl-Z: the whole branch stops, and goes on when this process does.
    fn stop(&mut self) {
        let live = self.hands_mut();
        live.signal_branch(Send_::TSTP, Send_::STOP);
        if let Some((_, front)) = &live.front {
            front.suspend();
        }
        let since = Instant::now();
        let _ = raise(Signal::SIGSTOP);
        live.timers.shift(since.elapsed());
        live.signal_branch(Send_::CONT, Send_::CONT);
        if let Some((_, front)) = &live.front {
            front.resume();
        }
    }

    fn local(&mut self, local: Local) {
        match local {
            Local::Pause(wish) => {
                let shielding = wish.shielding;
                self.hands_mut().asking = Some(wish);
                self.feed(Input::Pause { shielding });
            }
            Local::Spawn(order) => self.spawn(order),
            Local::Command { name, command, reply } => self.command(name, *command, reply),
            Local::Data { to, bytes } => {
                let events = self.hands().events.clone();
                if let Some(neighbour) = self.hands_mut().neighbours.get_mut(to) {
                    neighbour.say(&Frame::Data(bytes), None, &events);
                }
            }
            Local::Consumed { from } => {
                let events = self.hands().events.clone();
                let Some(neighbour) = self.hands_mut().neighbours.get_mut(from) else { return };
                let Some(post) = &mut neighbour.post else { return };
                post.unread = post.unread.saturating_sub(1);
                neighbour.say(&Frame::Credit(1), None, &events);
            }
            Local::CancelChild(child) => self.feed(Input::CancelChild { child }),
            Local::Cancel(cause) => self.feed(Input::Cancel { cause }),
            Local::Cut => {
                if let Some(supervisor) = self.hands_mut().neighbours.supervisor_mut() {
                    supervisor.link.cut();
                }
            }
            Local::Survey(reply) => self.start_survey(Box::new(move |text| {
                let _ = reply.send(text);
            })),
            Local::Ended(ending) => self.ended(ending),
        }
    }

    /// The own code has ended: by itself, or because it was told to.
    fn ended(&mut self, ending: Ending) {
        if self.hands().body_over {
            return;
        }
        self.hands_mut().body_over = true;
        let (cause, wanted) = match ending {
            Ending::Returned(bytes) => {
                self.hands_mut().say_up(&Frame::Outcome(Outcome::Returned(bytes)));
                (Cause::Finished, Examine::Yes)
            }
            Ending::Failed(failure, scene, wanted) => {
                self.hands_mut().own_failure.get_or_insert((failure, scene));
                (Cause::Failed, wanted)
            }
            Ending::Dropped => (Cause::Requested, Examine::Yes),
        };
        match (self.node().teardown(), wanted) {
            (Teardown::Running(_), _) => self.feed(Input::BodyEnded),
            (Teardown::NotAsked | Teardown::Deferred(_) | Teardown::Over, Examine::Yes) => {
                self.feed(Input::Cancel { cause });
            }
            (Teardown::NotAsked | Teardown::Deferred(_) | Teardown::Over, Examine::No) => {
                self.feed(Input::Unexamined { cause });
            }
        }
    }

    fn body_overdue(&mut self) {
        let live = self.hands();
        if live.body_over {
            return;
        }
        // A shielded task, or somebody at a shielded prompt, is waited for.
        if *live.shields.borrow() > 0 || !self.node().requests().is_empty() {
            return self.hands().watch_body();
        }
        tracing::warn!(target: "holdfast", "the actor's own code does not end; its process ends without it");
        self.hands_mut().body_over = true;
        self.feed(Input::BodyEnded);
    }

    fn start(&self) -> Start {
        let live = self.hands();
        let session = match live.settings.placement {
            Placement::OwnSession => SessionOf::Its,
            Placement::SharedGroup => SessionOf::Supervisor,
        };
        let mask = match live.settings.policy().boot_interrupt {
            BootInterrupt::Ignored => None,
            BootInterrupt::Dies => Some(live.foreign_mask),
        };
        Start { session, mask, root: live.root.0 }
    }

    fn spawn(&mut self, order: SpawnOrder) {
        if self.node().teardown() != Teardown::NotAsked {
            let _ = order.reply.send(Err(RuntimeError::Cancelled("start an actor")));
            return;
        }
        if let Err((reply, error)) = self.try_spawn(order) {
            let _ = reply.send(Err(error));
        }
    }

    fn try_spawn(&mut self, order: SpawnOrder) -> Result<(), (Reply, RuntimeError)> {
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
        let direct = (settings.policy().route == Route::Direct && live.top.is_none())
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

    fn add_child(&mut self, child: ActorId, process: Process, kin: Kin) {
        let live = self.hands_mut();
        live.watch(&process);
        live.children.insert(child, process);
        live.kin.insert(child, kin);
        self.feed(Input::Spawned { child });
    }

    fn command(&mut self, name: String, mut command: Command, reply: Reply) {
        if self.node().teardown() != Teardown::NotAsked {
            let _ = reply.send(Err(RuntimeError::Cancelled("start a program")));
            return;
        }
        command.stdin(Stdio::null());
        let mut start = self.start();
        start.mask = Some(self.hands().foreign_mask);
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

    fn own_report(&self) -> Report {
        let live = self.hands();
        let children = live.kin.iter().map(|(id, kin)| ChildReport {
            pid: id.0,
            name: kin.name.clone(),
            answers: kin.kind == KinKind::Actor
                && kin.booting.is_none()
                && live.neighbours.is_linked(*id),
            rung: self
                .node()
                .children()
                .get(id)
                .map_or("gone".to_owned(), |child| format!("{:?}", child.rung).to_lowercase()),
        });
        Report::of(self.node(), &live.path_text(), children.collect())
    }

    fn answer_survey(&mut self, token: Token) {
        let report = Box::new(self.own_report());
        self.hands_mut().say_up(&Frame::Report { token, report });
        self.ask_children(token);
    }

    fn ask_children(&mut self, token: Token) {
        let events = self.hands().events.clone();
        for child in self.hands_mut().neighbours.children_mut() {
            child.say(&Frame::Survey { token }, None, &events);
        }
    }

    fn report(&mut self, token: Token, report: Report) {
        if token.asker != self.hands().me.0 {
            return self.hands_mut().say_up(&Frame::Report { token, report: Box::new(report) });
        }
        let Some(asked) = self.hands_mut().surveys.get_mut(&token.serial) else { return };
        asked.survey.add(report);
        if asked.survey.is_complete() {
            self.finish_survey(token.serial);
        }
    }

    fn start_survey(&mut self, reply: Box<dyn FnOnce(String)>) {
        let mut survey = Survey::default();
        survey.add(self.own_report());
        let complete = survey.is_complete();
        let live = self.hands_mut();
        let serial = live.next_survey;
        live.next_survey = serial.wrapping_add(1);
        live.surveys.insert(serial, Asked { survey, reply });
        if complete {
            return self.finish_survey(serial);
        }
        let token = Token { asker: live.me.0, serial };
        let events = live.events.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(SURVEY).await;
            let _ = events.send(Event::SurveyOverdue(serial));
        });
        self.ask_children(token);
    }

    /// Who has gone answers no survey.
    fn lose_in_surveys(&mut self, pid: u32) {
        let mut complete = Vec::new();
        for (serial, asked) in &mut self.hands_mut().surveys {
            asked.survey.lose(pid);
            if asked.survey.is_complete() {
                complete.push(*serial);
            }
        }
        for serial in complete {
            self.finish_survey(serial);
        }
    }

    fn finish_survey(&mut self, serial: u32) {
        let live = self.hands_mut();
        if let Some(Asked { survey, reply }) = live.surveys.remove(&serial) {
            reply(survey.render(live.me));
        }
    }

    /// SIGUSR1: the tree below this actor, to the standard error and to a file.
    fn dump(&mut self) {
        let (pid, path) = (self.hands().me.0, self.hands().path_text());
        self.start_survey(Box::new(move |text| {
            let file = std::env::temp_dir().join(format!("holdfast-{pid}.tree"));
            let written = match std::fs::write(&file, &text) {
                Ok(()) => format!("also in {}", file.display()),
                Err(error) => format!("not in {}: {error}", file.display()),
            };
            eprint!("the tree of {path} ({written}):\n{text}");
        }));
    }
}

type Reply = oneshot::Sender<Result<Spawned, RuntimeError>>;

/// The two ends of the messages with a neighbour: the program's and the driver's.
pub(crate) fn mailboxes(
    peer: ActorId,
    events: holdfast_model::shared::mailbox::Sender<Event>,
) -> (Mail, Post) {
    let (sender, inbox) = mpsc::unbounded_channel();
    let credits = Arc::new(Semaphore::new(CREDITS));
    let post = Post { inbox: sender, credits: Arc::clone(&credits), unread: 0 };
    (Mail { peer, events, inbox: Arc::new(Mutex::new(inbox)), credits }, post)
}
