//! Where events come from: what is the actor loop's is handed to it, the rest is dealt with here.
//!
//! ```text
//!     signals --\
//!     prompt  ---> urgent --\
//!     links   ---> events ---> next_event --> ActorLoop
//!     children, program /  /
//!     timers --------------
//! ```

mod frames;
mod surveys;

use crate::effects::ActorResources;
use crate::event::{ActorEvent, DriverEvent, PauseRequest, Resumed};
use crate::job;
use crate::prompt::{PromptEvent, Suspension};
use crate::signals::{StopReach, StopSender, Taken, stop_by_default, stops_for, told_to_end};
use crate::survey::SurveyTopic;
use crate::wire::Frame;
use holdfast_protocol::actor_loop::Intake;
use holdfast_protocol::late_interrupts::LateInterrupt;
use holdfast_protocol::node::TreePosition;
use holdfast_protocol::sigint::Disposition;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{Answer, Cause, Node, Origin, RequestId, Signal};
use holdfast_sync::mailbox::Receiver;
use nix::sys::signal::{Signal as OsSignal, raise};
use rustix::process::Signal as ProcessSignal;
use std::time::Instant;

/// How many breakpoints of one actor may wait.
const MOST_PAUSES: usize = 1 << 10;

/// The mailboxes of a driver.
pub(crate) struct Queues {
    pub(crate) events: Receiver<DriverEvent>,
    pub(crate) urgent: Receiver<DriverEvent>,
}

impl ActorResources {
    /// Waits for an event of the actor loop.
    pub(crate) async fn next_event(&mut self, node: &Node, intake: Intake) -> ActorEvent {
        loop {
            self.show_waiting(node);
            if let Some(event) = self.late_interrupt(node) {
                return event;
            }
            let all = intake == Intake::All;
            let next = self.timers.next();
            let expiry = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                biased;
                Some(event) = self.queues.urgent.recv() => Some(event),
                Some(event) = self.queues.events.recv(), if all => Some(event),
                () = expiry, if all => {
                    let expired = self.timers.expired(Instant::now());
                    expired.map(|timer| DriverEvent::Actor(ActorEvent::Expired(timer)))
                }
            };
            if let Some(event) = event.and_then(|event| self.take_in(node, event)) {
                return event;
            }
        }
    }

    /// Deals with what concerns the process alone.
    fn take_in(&mut self, node: &Node, event: DriverEvent) -> Option<ActorEvent> {
        match event {
            DriverEvent::Actor(ActorEvent::Spawn(order))
                if order.started.is_none() && node.teardown() == Teardown::NotAsked =>
            {
                self.begin_start(order);
            }
            DriverEvent::Actor(event) => return Some(event),
            DriverEvent::Writable(id) => {
                if let Some(peer) = self.peers.get_mut(id) {
                    peer.link.flush();
                    peer.wait_for_room(&self.senders);
                }
            }
            DriverEvent::PromptSession(request, event) => {
                return self.front_event(node, request, event);
            }
            DriverEvent::Signal(signal) => return self.signal_taken(node, signal),
            DriverEvent::Pause(request) => return self.pause(request),
            // Its prompt, if it is open, goes on by itself.
            DriverEvent::Abandoned(id) => {
                return self
                    .forget_pause(id)
                    .map(|request| ActorEvent::Answered(request, Answer::Continue));
            }
            DriverEvent::Data { to, bytes } => {
                if let Some(peer) = self.peers.get_mut(to) {
                    peer.say(&Frame::Data(bytes), None, &self.senders);
                }
            }
            DriverEvent::Consumed { from, cost } => {
                let peer = self.peers.get_mut(from)?;
                let mail = peer.mail.as_mut()?;
                mail.unread = mail.unread.saturating_sub(cost);
                let credit = u32::try_from(cost).unwrap_or(u32::MAX);
                peer.say(&Frame::Credit(credit), None, &self.senders);
            }
            DriverEvent::Survey(reply) => self.start_survey(
                node,
                SurveyTopic::Tree,
                Box::new(move |text| {
                    let _ = reply.send(text);
                }),
            ),
            DriverEvent::SurveyOverdue(serial) => self.finish_survey(serial),
            DriverEvent::EndsLate => self.say_who_is_waited_for(),
            DriverEvent::Resume(point) => {
                return self.probe.resumes(point).then_some(ActorEvent::Released(point));
            }
        }
        None
    }

    fn front_event(
        &mut self,
        node: &Node,
        request: RequestId,
        event: PromptEvent,
    ) -> Option<ActorEvent> {
        match event {
            PromptEvent::Ended => {
                self.late_interrupts.report_out();
                return Some(ActorEvent::BatonEnded(request));
            }
            PromptEvent::Interrupted => {
                return Some(ActorEvent::Signalled(Signal::Interrupt, Origin::Process));
            }
            PromptEvent::Suspend(why) => self.suspend(why),
            PromptEvent::EndAll => {
                self.stopped_by.get_or_insert(Signal::Terminate);
                return Some(ActorEvent::Signalled(Signal::Terminate, Origin::Process));
            }
            PromptEvent::StopTree => return Some(ActorEvent::Cancel(Cause::Requested)),
            PromptEvent::Survey(about, reply) => self.start_survey(
                node,
                about,
                Box::new(move |text| {
                    let _ = reply.send(text);
                }),
            ),
        }
        None
    }

    fn pause(&mut self, request: PauseRequest) -> Option<ActorEvent> {
        if self.pending.len() >= MOST_PAUSES {
            let path = self.path_text();
            tracing::warn!(
                target: "holdfast", path, most = MOST_PAUSES,
                "too many breakpoints of this actor wait: one more is passed over"
            );
            let _ = request.ticket.end(Resumed::Refused);
            return None;
        }
        let shielding = request.shielding;
        self.asking = Some(request);
        Some(ActorEvent::Pause(shielding))
    }

    fn show_waiting(&mut self, node: &Node) {
        let Some((_, prompt)) = &self.prompt else { return };
        prompt.waiting(match node.position() {
            TreePosition::Root { server, .. } => server.waiting().count(),
            TreePosition::Below { .. } => 0,
        });
    }

    fn signal_taken(&mut self, node: &Node, signal: Taken) -> Option<ActorEvent> {
        match signal {
            Taken::Decide(Signal::Interrupt, origin)
                if self.has_no_person() && node.on_interrupt() == Disposition::Shield =>
            {
                self.late_interrupts.keep(origin);
            }
            Taken::Decide(signal, origin) => return Some(ActorEvent::Signalled(signal, origin)),
            Taken::Child => return Some(ActorEvent::Orphans),
            Taken::Stop(sender) => self.told_to_stop(sender),
            Taken::Continue => {}
            Taken::Dump => self.dump(node),
        }
        None
    }

    /// Whether this is a root without a terminal.
    fn has_no_person(&self) -> bool {
        self.root_resources.is_some() && self.terminal.is_none()
    }

    fn late_interrupt(&mut self, node: &Node) -> Option<ActorEvent> {
        match self.late_interrupts.due(node.on_interrupt()) {
            LateInterrupt::None => None,
            LateInterrupt::Interrupt(origin) => {
                Some(ActorEvent::Signalled(Signal::Interrupt, origin))
            }
            LateInterrupt::Stop => {
                self.stopped_by.get_or_insert(Signal::Interrupt);
                Some(ActorEvent::Signalled(Signal::Terminate, Origin::Process))
            }
        }
    }

    /// A SIGTSTP came. The terminal may tell this process and the supervisor too: a SIGTSTP that a
    /// SIGCONT has followed is void, as with the kernel (kill(2)), or nobody would let this process go
    /// on again.
    fn told_to_stop(&mut self, sender: StopSender) {
        if crate::signals::stop_is_void() {
            return;
        }
        if self.root_resources.is_none() && sender == StopSender::Parent {
            self.stop(|| {
                // Meanwhile the supervisor may have been let go on, and this process with it.
                if !crate::signals::stop_is_void() {
                    let _ = raise(OsSignal::SIGSTOP);
                }
            });
        } else if job::can_go_on() {
            self.stop(|| stop_by_default(OsSignal::SIGTSTP, StopReach::Process));
        }
    }

    /// A prompt has let go of the terminal: the job stops, where somebody could let it go on.
    fn suspend(&mut self, why: Suspension) {
        // What the kernel would do to the reader that it is.
        let signal = match why {
            Suspension::Key => OsSignal::SIGTSTP,
            Suspension::Background => OsSignal::SIGTTIN,
        };
        let can_go_on = job::can_go_on();
        // What is told to end has the time for that.
        if stops_for(signal) && can_go_on && !told_to_end() {
            return self.stop(|| stop_by_default(signal, StopReach::Group));
        }
        let Some((_, prompt)) = &self.prompt else { return };
        match why {
            Suspension::Key => {
                prompt.resume();
                prompt.note("no shell could let this tree go on again, so it does not stop");
            }
            Suspension::Background if can_go_on => prompt.resume(),
            Suspension::Background => prompt.resume_without_anybody(),
        }
    }

    /// The whole branch stops, and goes on when this process does.
    fn stop(&mut self, stop_here: impl FnOnce()) {
        // First, since a debugger lets go of its actor then, which stops as the others do.
        if let Some((_, prompt)) = &self.prompt {
            prompt.suspend();
        }
        self.signal_branch(ProcessSignal::TSTP, ProcessSignal::STOP);
        let since = Instant::now();
        let relay = self.root_resources.as_ref().and_then(|root| root.relay.as_ref());
        relay.inspect(|relay| relay.settle());
        self.await_stopped_branch();
        stop_here();
        self.timers.shift(since.elapsed());
        self.signal_branch(ProcessSignal::CONT, ProcessSignal::CONT);
        if let Some((_, prompt)) = &self.prompt {
            prompt.resume();
        }
    }
}
