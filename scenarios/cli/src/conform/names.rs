//! Process ids to actors of the model.

use super::record::Line;
use holdfast_protocol::{ActorId, Input, Message, Output, RequestId, Timer};
use std::collections::BTreeMap;

/// Which process is which actor of the model.
#[derive(Clone, Debug, Default)]
pub struct Names {
    by_process: BTreeMap<ActorId, ActorId>,
}

/// A process that no record knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stranger(pub ActorId);

impl Names {
    /// Gives names in order.
    pub fn new(processes: impl IntoIterator<Item = ActorId>) -> Self {
        Self { by_process: processes.into_iter().zip((0..).map(ActorId)).collect() }
    }

    /// The name of a process.
    ///
    /// # Errors
    /// If it is a stranger.
    pub fn actor(&self, process: ActorId) -> Result<ActorId, Stranger> {
        self.by_process.get(&process).copied().ok_or(Stranger(process))
    }

    /// A line with names for processes.
    ///
    /// # Errors
    /// If it names a stranger.
    pub fn line(&self, line: &Line) -> Result<Line, Stranger> {
        let outputs: Result<_, _> =
            line.outputs.iter().map(|output| self.output(*output)).collect();
        Ok(Line { input: self.input(line.input)?, outputs: outputs?, ..line.clone() })
    }

    fn request(&self, request: RequestId) -> Result<RequestId, Stranger> {
        Ok(RequestId { actor: self.actor(request.actor)?, ..request })
    }

    fn timer(&self, timer: Timer) -> Result<Timer, Stranger> {
        Ok(match timer {
            Timer::Grace(child) => Timer::Grace(self.actor(child)?),
            Timer::Yield(request) => Timer::Yield(self.request(request)?),
        })
    }

    fn message(&self, message: Message) -> Result<Message, Stranger> {
        Ok(match message {
            Message::Want { request } => Message::Want { request: self.request(request)? },
            Message::Grant { request } => Message::Grant { request: self.request(request)? },
            Message::Done { request } => Message::Done { request: self.request(request)? },
            Message::Lost { request } => Message::Lost { request: self.request(request)? },
            Message::Refuse { request } => Message::Refuse { request: self.request(request)? },
            Message::Revoke { request } => Message::Revoke { request: self.request(request)? },
            Message::Cancel { urgency } => Message::Cancel { urgency },
        })
    }

    fn input(&self, input: Input) -> Result<Input, Stranger> {
        Ok(match input {
            Input::Answered { request, answer } => {
                Input::Answered { request: self.request(request)?, answer }
            }
            Input::CancelChild { child } => Input::CancelChild { child: self.actor(child)? },
            Input::Received { from, message } => {
                Input::Received { from: self.actor(from)?, message: self.message(message)? }
            }
            Input::LinkEnded { peer } => Input::LinkEnded { peer: self.actor(peer)? },
            Input::Expired { timer } => Input::Expired { timer: self.timer(timer)? },
            Input::Spawned { child } => Input::Spawned { child: self.actor(child)? },
            Input::Exited { child, status } => Input::Exited { child: self.actor(child)?, status },
            Input::Adopted { child } => Input::Adopted { child: self.actor(child)? },
            Input::BatonClosed { request } => {
                Input::BatonClosed { request: self.request(request)? }
            }
            Input::Pause { .. }
            | Input::Cancel { .. }
            | Input::Unexamined { .. }
            | Input::UserTaskEnded
            | Input::Signalled { .. }
            | Input::ChildrenGone => input,
        })
    }

    fn output(&self, output: Output) -> Result<Output, Stranger> {
        Ok(match output {
            Output::Send { to, message } => {
                Output::Send { to: self.actor(to)?, message: self.message(message)? }
            }
            Output::Arm { timer } => Output::Arm { timer: self.timer(timer)? },
            Output::Disarm { timer } => Output::Disarm { timer: self.timer(timer)? },
            Output::Signal { child, signal } => {
                Output::Signal { child: self.actor(child)?, signal }
            }
            Output::Requested { request } => Output::Requested { request: self.request(request)? },
            Output::PromptOpened { request } => {
                Output::PromptOpened { request: self.request(request)? }
            }
            Output::PromptClosed { request } => {
                Output::PromptClosed { request: self.request(request)? }
            }
            Output::Refused { request } => Output::Refused { request: self.request(request)? },
            Output::BatonDropped { request } => {
                Output::BatonDropped { request: self.request(request)? }
            }
            Output::TerminalTaken
            | Output::TerminalRestored
            | Output::InterruptObeyed
            | Output::TeardownStarted { .. }
            | Output::Sweep
            | Output::Exit { .. }
            | Output::Noticed { .. }
            | Output::Alarmed { .. } => output,
        })
    }
}
