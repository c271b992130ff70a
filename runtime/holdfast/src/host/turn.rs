//! One turn at the terminal: asked for, had, given back.
//!
//! ```text
//!   asked --granted--> greeted --Terminal--> runs --end--> over
//!     \--refused, dropped----------------------------------> over
//! ```
//!
//! # Rules
//! 1. A turn asks through the same request as a breakpoint; who is next is the root's to decide.
//! 2. Keys go from the baton's thread straight to the program's terminal: output that nobody takes
//!    never holds up a Ctrl-C.
//! 3. Dropping a turn gives the terminal back.

use super::hooks::HookId;
use super::pseudo_terminal::{PseudoTerminal, type_keys};
use crate::event::{Resumed, TurnEnd};
use crate::pause::ask_for_program;
use crate::session::{
    Announced, Greeting, NumberedCommand, NumberedReply, PromptCommand, PromptKind, Received,
    Reply, SessionError, receive, send,
};
use holdfast_protocol::Answer;
use serde_bytes::ByteBuf;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

/// The number of a turn, unique in its host.
pub(super) type TurnId = u64;

/// What a turn tells its host.
pub(super) enum TurnEvent {
    /// The baton is here.
    Granted(UnixStream, TurnEnd),
    /// The root has said something.
    Said(PromptCommand),
    /// Keys were typed.
    Typed,
    /// The root does not speak any longer.
    HungUp,
    /// The request is over.
    Over(Resumed),
}

/// Who has the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnOwner {
    /// Whichever group of the program asks, or had the terminal last.
    Program,
    /// A process that has asked by itself.
    Hook(HookId),
}

/// How far a turn is.
pub(super) enum TurnStage {
    Asked,
    Greeted(UnixStream, TurnEnd),
    Runs(UnixStream, TurnEnd),
    Over,
}

/// One turn.
pub(super) struct Turn {
    pub(super) owner: TurnOwner,
    pub(super) stage: TurnStage,
    /// How many others wait.
    pub(super) waiting: usize,
    request: Option<JoinHandle<()>>,
}

/// Where the events of a turn go.
pub(super) type TurnEvents<E> = UnboundedSender<E>;

impl Turn {
    /// Asks for the terminal. Call it in the thread of the user task.
    pub(super) fn ask<E: Send + 'static>(
        owner: TurnOwner,
        events: &TurnEvents<E>,
        wrap: impl Fn(TurnEvent) -> E + Clone + Send + 'static,
    ) -> Self {
        let (granted, to) = (wrap.clone(), events.clone());
        let start = move |socket, end| {
            let _ = to.send(granted(TurnEvent::Granted(socket, end)));
        };
        let asked = ask_for_program(Box::new(start));
        let to = events.clone();
        let request = tokio::task::spawn_local(async move {
            let resumed = match asked {
                Some(asked) => asked.await.unwrap_or(Resumed::Revoked),
                None => Resumed::Refused,
            };
            let _ = to.send(wrap(TurnEvent::Over(resumed)));
        });
        Self { owner, stage: TurnStage::Asked, waiting: 0, request: Some(request) }
    }

    /// Takes the baton: says who it is, and listens to the keys.
    pub(super) fn greet<E: Send + 'static>(
        &mut self,
        path: &str,
        announced: Announced,
        terminal: Option<&Arc<PseudoTerminal>>,
        (socket, end): (UnixStream, TurnEnd),
        events: &TurnEvents<E>,
        wrap: impl Fn(TurnEvent) -> E + Send + 'static,
    ) {
        let greeting = Greeting {
            path: path.to_owned(),
            task: "a program".to_owned(),
            kind: PromptKind::Program(announced),
            file: String::new(),
            line: 0,
            column: 0,
            failure: None,
            values: 0,
        };
        let listening = send(&socket, &greeting).ok().and_then(|()| socket.try_clone().ok());
        let Some(own) = listening else {
            end(Answer::Hangup);
            self.stage = TurnStage::Over;
            return;
        };
        let (terminal, to) = (terminal.map(Arc::clone), events.clone());
        let listen = move || {
            crate::signals::set_mask(&nix::sys::signal::SigSet::all());
            listen(&own, terminal.as_deref(), |event| drop(to.send(wrap(event))));
        };
        let started = std::thread::Builder::new().name("keys".to_owned()).spawn(listen);
        match started {
            Ok(_) => self.stage = TurnStage::Greeted(socket, end),
            Err(_) => {
                end(Answer::Hangup);
                self.stage = TurnStage::Over;
            }
        }
    }

    /// The terminal is the program's from here on; whether it was not before.
    pub(super) fn run(&mut self) -> bool {
        match std::mem::replace(&mut self.stage, TurnStage::Over) {
            TurnStage::Greeted(socket, end) => {
                self.stage = TurnStage::Runs(socket, end);
                true
            }
            other => {
                self.stage = other;
                false
            }
        }
    }

    pub(super) fn runs(&self) -> bool {
        matches!(self.stage, TurnStage::Runs(..))
    }

    /// Sends something to the root.
    pub(super) fn say(&self, reply: Reply) -> Result<(), SessionError> {
        match &self.stage {
            TurnStage::Runs(socket, _) => send(socket, &NumberedReply { number: 0, reply }),
            TurnStage::Asked | TurnStage::Greeted(..) | TurnStage::Over => Ok(()),
        }
    }

    /// Sends output, in pieces that fit into a frame.
    pub(super) fn show(&self, output: &[u8]) {
        for piece in output.chunks(PIECE) {
            if self.say(Reply::Output(ByteBuf::from(piece))).is_err() {
                return;
            }
        }
    }

    /// Gives the terminal back.
    pub(super) fn end(&mut self, answer: Answer) {
        match std::mem::replace(&mut self.stage, TurnStage::Over) {
            TurnStage::Greeted(_, end) | TurnStage::Runs(_, end) => end(answer),
            TurnStage::Asked => {
                if let Some(request) = self.request.take() {
                    request.abort();
                }
            }
            TurnStage::Over => {}
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.end(Answer::Continue);
    }
}

fn listen(socket: &UnixStream, terminal: Option<&PseudoTerminal>, tell: impl Fn(TurnEvent)) {
    while let Ok(Received::Message(NumberedCommand { command, .. })) = receive(socket) {
        match (command, terminal) {
            (PromptCommand::Keys(keys), Some(terminal)) => {
                type_keys(terminal.master(), &keys, socket.as_fd());
                tell(TurnEvent::Typed);
            }
            (command, _) => tell(TurnEvent::Said(command)),
        }
    }
    tell(TurnEvent::HungUp);
}

/// The most output of one frame, in bytes.
const PIECE: usize = 256 << 10;
