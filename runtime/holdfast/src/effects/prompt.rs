//! Prompts: who waits for one, the agent of the one that is open, and the session that reads the
//! terminal.

use super::{ActorResources, PendingPause};
use crate::agent::{self, Agent, PausedTask};
use crate::event::{ActorEvent, Asker, DriverEvent, PauseRequest, Resumed};
use crate::failure::Failure;
use crate::logs;
use crate::prompt::{self, Color, Debuggee, PromptEvent, PromptReader};
use crate::settings::NoTerminal;
use crate::terminal::ControllingTerminal;
use crate::user_task::post_mortem;
use holdfast_protocol::policy::TerminalReader as Who;
use holdfast_protocol::{Answer, Notice, RequestId};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

impl ActorResources {
    pub(super) fn requested(&mut self, request: RequestId) {
        let pending = match self.asking.take() {
            Some(PauseRequest { id, asker, shielding: _, ticket }) => {
                PendingPause::Breakpoint(Some(asker), ticket, id)
            }
            None => PendingPause::PostMortem(Some(self.failure_scene())),
        };
        self.pending.insert(request, pending);
    }

    /// What a post-mortem prompt of this actor shows: its own failure, else its child's.
    pub(super) fn failure_scene(&mut self) -> Box<PausedTask> {
        match (&mut self.own_failure, &self.child_failure) {
            (Some((failure, scene)), _) => std::mem::replace(scene, Box::new(post_mortem(failure))),
            (None, Some(failure)) => Box::new(post_mortem(failure)),
            (None, None) => {
                let kind = crate::failure::FailureKind::Runtime;
                let path = self.path_text();
                Box::new(post_mortem(&Failure::new(kind, &path, "a child failed")))
            }
        }
    }

    pub(super) fn open_prompt(&mut self, request: RequestId) {
        let asker = match self.pending.get_mut(&request) {
            Some(PendingPause::Breakpoint(asker, ..)) => asker.take(),
            Some(PendingPause::PostMortem(scene)) => scene.take().map(Asker::Task),
            None => None,
        };
        // Nobody waits any longer.
        let Some(asker) = asker else {
            return self.senders.send(ActorEvent::Answered(request, Answer::Continue));
        };
        let socket = match self.batons.remove(&request) {
            Some(baton) => UnixStream::from(baton),
            None => {
                let Some((prompt, socket)) = self.pair() else {
                    return self.senders.send(ActorEvent::Answered(request, Answer::Hangup));
                };
                self.open_prompt_session(request, prompt);
                socket
            }
        };
        let senders = self.senders.clone();
        let answer = move |answer| senders.send(ActorEvent::Answered(request, answer));
        match start_turn(socket, asker, answer) {
            Ok(agent) => self.agent = Some((request, agent)),
            Err(error) => {
                tracing::error!(target: "holdfast", %error, "a prompt cannot be opened");
                self.senders.send(ActorEvent::Answered(request, Answer::Hangup));
            }
        }
    }

    pub(super) fn close_prompt(&mut self, request: RequestId) {
        if let Some((_, agent)) = self.agent.take_if(|(open, _)| *open == request) {
            agent.close();
        }
        self.batons.remove(&request);
        let answer = self.answer.take().filter(|(answered, _)| *answered == request);
        let resumed = match answer {
            Some((_, Answer::Continue)) => Resumed::Continued,
            Some((_, Answer::Quit)) => {
                // A failure that was looked at stays what it is.
                if !matches!(self.pending.get(&request), Some(PendingPause::PostMortem(_))) {
                    let kind = crate::failure::FailureKind::Quit;
                    let failure = Failure::new(kind, &self.path_text(), "quit");
                    let scene = Box::new(post_mortem(&failure));
                    self.own_failure.get_or_insert((failure, scene));
                }
                Resumed::Quit
            }
            Some((_, Answer::Hangup)) | None => Resumed::Revoked,
        };
        self.end_pause(request, resumed);
    }

    pub(super) fn end_pause(&mut self, request: RequestId, resumed: Resumed) {
        if let Some(PendingPause::Breakpoint(_, ticket, _)) = self.pending.remove(&request) {
            let _ = ticket.end(resumed);
        }
    }

    /// Opens the prompt session: here is where the terminal is read.
    pub(super) fn open_prompt_session(&mut self, request: RequestId, socket: UnixStream) {
        let urgent = self.senders.urgent.clone();
        let notify = Box::new(move |event: PromptEvent| {
            let _ = urgent.send(DriverEvent::PromptSession(request, event));
        });
        let holder_reads = self.settings.policy().reader() == Who::Holder;
        let reader = match (&self.terminal, &self.root_resources) {
            (Some(terminal), _) if holder_reads => PromptReader::Cooked(terminal.path().into()),
            (Some(terminal), _) => PromptReader::Terminal(terminal.path().into()),
            (_, Some(root)) => match &root.no_terminal {
                NoTerminal::Report => PromptReader::Report,
                NoTerminal::Script(file) => PromptReader::Script(file.clone()),
                NoTerminal::Wait(limit) => PromptReader::Wait(*limit),
            },
            (_, None) => PromptReader::Report,
        };
        // A prompt without a terminal writes to the standard error like anybody: what is printed
        // through it would come back to it.
        let relay = self.root_resources.as_ref().and_then(|root| root.relay.as_ref());
        let relay = relay.filter(|_| self.terminal.is_some()).map(Arc::clone);
        // A debugger stops the whole process, so the one that reads the terminal must be another.
        let debuggee = self.root_resources.as_ref().filter(|_| !holder_reads);
        let debuggee = debuggee.map(|_| Debuggee { pid: request.actor.0, start: self.start() });
        let setup = prompt::PromptSetup { socket, reader, notify, color: color(), debuggee };
        match prompt::open(setup) {
            Ok(prompt) => {
                let prompt = Arc::new(prompt);
                if let Some(relay) = relay {
                    relay.above(Arc::clone(&prompt));
                }
                self.prompt = Some((request, prompt));
            }
            Err(error) => {
                tracing::error!(target: "holdfast", %error, "the terminal cannot be read");
                let _ = self
                    .senders
                    .urgent
                    .send(DriverEvent::PromptSession(request, PromptEvent::Ended));
            }
        }
    }

    /// Lets go of the terminal, whoever reads it.
    pub(crate) fn close_prompt_session(&mut self) {
        if let Some(relay) = self.root_resources.as_ref().and_then(|root| root.relay.as_ref()) {
            relay.direct();
        }
        self.holder = None;
        if let Some((_, prompt)) = self.prompt.take() {
            prompt.close();
        }
    }

    pub(super) fn take_terminal(&mut self) {
        if self.terminal.is_none() && self.settings.policy().reader() == Who::Holder {
            self.terminal = ControllingTerminal::open();
        }
        if let Some(terminal) = &mut self.terminal {
            terminal.save();
        }
    }

    pub(super) fn restore_terminal(&mut self) {
        self.close_prompt_session();
        self.hinted.clear();
        if let Some(terminal) = &mut self.terminal {
            terminal.restore();
        }
    }

    /// Drops what is known of a pause, and says which request it is.
    pub(crate) fn forget_pause(&mut self, id: u64) -> Option<RequestId> {
        let is = |pending: &PendingPause| matches!(pending, PendingPause::Breakpoint(_, _, pause) if *pause == id);
        let request = *self.pending.iter().find(|(_, asker)| is(asker))?.0;
        self.pending.remove(&request);
        Some(request)
    }

    pub(super) fn noticed(&mut self, notice: Notice) {
        tracing::debug!(target: "holdfast", ?notice);
        if notice != Notice::InterruptShielded {
            return;
        }
        if let Some((request, prompt)) = &self.prompt
            && self.hinted.insert(*request)
        {
            prompt.note(CTRL_C_HINT);
        }
    }
}

/// Hands the session to who has asked.
fn start_turn(
    socket: UnixStream,
    asker: Asker,
    answer: impl FnOnce(Answer) + Send + 'static,
) -> std::io::Result<Agent> {
    match asker {
        Asker::Task(scene) => agent::start(socket, *scene, logs::LogRing::global(), answer),
        Asker::Program(start) => {
            socket.set_nonblocking(false)?;
            let own = socket.try_clone()?;
            start(own, Box::new(answer));
            Ok(Agent::of(socket))
        }
    }
}

/// Said once in each debug session when a Ctrl-C reaches the root as a signal.
const CTRL_C_HINT: &str = "Ctrl-C is ignored while a prompt is open; `continue` goes on, \
                           `quit` fails this actor, `stop` cancels the tree";

/// Whether prompts have colours: as the terminal and <https://no-color.org> say.
fn color() -> Color {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if plain { Color::Plain } else { Color::Ansi }
}
