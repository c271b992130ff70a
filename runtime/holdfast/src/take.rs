//! What an event means: the inputs of the protocol that it comes to, and the bookkeeping around it.

mod children;
mod held;
mod links;
mod survey;

pub(crate) use children::mailboxes;

use crate::event::{Ending, Event, Examine, Local};
use crate::front::FrontEvent;
use crate::hands::Live;
use crate::probe::Point;
use crate::signals::Taken;
use crate::wire::{Frame, Outcome};
use holdfast_protocol::driver::Driver;
use holdfast_protocol::node::TreePosition as Place;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{Answer, Cause, Input, Node, Origin};
use nix::sys::signal::{Signal, raise};
use rustix::process::Signal as Send_;
use std::ops::{Deref, DerefMut};
use std::time::Instant;

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
            Event::Answered(request, Answer::Hangup)
                if !self.hands_mut().probe.passes(Point::Hangup(request)) => {}
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
            Event::Resume(point) => self.resume(point),
        }
        self.show_waiting();
    }

    /// Takes the timers whose time has come.
    pub(crate) fn take_expired(&mut self) {
        let now = Instant::now();
        while !self.takes_no_more()
            && let Some(timer) = self.hands_mut().timers.expired(now)
        {
            if self.hands_mut().probe.passes(Point::Timer(timer)) {
                self.feed(Input::Expired { timer });
            }
        }
    }

    /// Whether the last input has opened a prompt that freezes the driver, or was the last of all:
    /// what comes behind it is for later, or for nobody.
    fn takes_no_more(&self) -> bool {
        self.is_frozen() || self.hands().exit.is_some()
    }

    fn front(&mut self, request: holdfast_protocol::RequestId, event: FrontEvent) {
        match event {
            FrontEvent::Ended => {
                let own = request.actor == self.hands().me;
                if !own && !self.hands_mut().probe.passes(Point::Baton(request)) {
                    return;
                }
                if self.hands().front.as_ref().is_some_and(|(open, _)| *open == request) {
                    self.hands_mut().close_front();
                }
                if self.hands().top.is_some() && !own {
                    self.feed(Input::BatonClosed { request });
                }
            }
            FrontEvent::Interrupted => {
                let signal = holdfast_protocol::Signal::Interrupt;
                self.signalled(signal, Origin::Process);
            }
            FrontEvent::Suspend => self.stop(),
            FrontEvent::StopTree => self.feed(Input::Cancel { cause: Cause::Requested }),
            FrontEvent::Survey(reply) => self.start_survey(Box::new(move |text| {
                let _ = reply.send(text);
            })),
        }
    }

    fn show_waiting(&mut self) {
        let waiting = match self.node().position() {
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
            Taken::Decide(signal, origin) => self.signalled(signal, origin),
            Taken::Stop => self.told_to_stop(),
            Taken::Continue => {}
            Taken::Dump => self.dump(),
            Taken::Child => {
                if self.hands().top.is_some() {
                    self.look_for_orphans();
                }
            }
        }
    }

    /// A signal that the protocol decides on.
    fn signalled(&mut self, signal: holdfast_protocol::Signal, origin: Origin) {
        if !self.hands_mut().probe.passes(Point::Signal(signal, origin)) {
            return;
        }
        if signal != holdfast_protocol::Signal::Interrupt {
            self.hands_mut().stopped_by.get_or_insert(signal);
        }
        self.feed(Input::Signalled { signal, origin });
    }

    /// SIGTSTP. The terminal may tell this process and the supervisor too: one that a SIGCONT has
    /// followed is void, as with the kernel (kill(2)), or nobody would let this process go on again.
    fn told_to_stop(&mut self) {
        if !crate::signals::stop_is_void() {
            self.stop();
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
            (Teardown::Running(_), _) => self.body_ended(),
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
        self.body_ended();
    }

    fn body_ended(&mut self) {
        if self.hands_mut().probe.passes(Point::Body) {
            self.feed(Input::UserTaskEnded);
        }
    }
}
