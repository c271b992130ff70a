//! What of a step is seen in focus: of its input, and of its outputs.

use super::focus::{ABOVE, CHILD, Focus};
use holdfast_protocol::message::About;
use holdfast_protocol::{Cause, Input, Message, Origin, Output, Signal, Status, Timer};

/// What the judgement of a step knows of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// A SIGINT.
    Interrupt(Origin),
    /// SIGTERM, SIGHUP or SIGQUIT.
    Stop,
    /// The person at the prompt of `r` has decided.
    Answer,
    /// The supervisor grants `r`.
    Grant,
    /// The root has no descendant left.
    ChildrenGone,
    /// Any other.
    Other,
}

impl Told {
    /// What is seen of an input.
    #[must_use]
    pub fn of(focus: Focus, input: Input) -> Self {
        match input {
            Input::Signalled { signal: Signal::Interrupt, origin } => Self::Interrupt(origin),
            Input::Signalled { .. } => Self::Stop,
            Input::Answered { request, .. } if request == focus.request() => Self::Answer,
            Input::Received { from: ABOVE, message: Message::Grant { request } }
                if request == focus.request() =>
            {
                Self::Grant
            }
            Input::ChildrenGone => Self::ChildrenGone,
            _ => Self::Other,
        }
    }
}

/// The cause of a teardown decides how the process ends and nothing else.
#[must_use]
pub fn without_cause(output: Output) -> Output {
    match output {
        Output::TeardownStarted { .. } => Output::TeardownStarted { cause: Cause::Requested },
        Output::Exit { .. } => Output::Exit { status: Status::Cancelled },
        other => other,
    }
}

/// Whether an output is about `r`, or about what is in focus.
#[must_use]
pub fn concerns(focus: Focus, output: Output) -> bool {
    let r = focus.request();
    match output {
        Output::Send { to, message } => match message.request() {
            // Whoever else asks under the name of `r` is refused.
            About::Request(request) => {
                request == r && (to == CHILD || !matches!(message, Message::Refuse { .. }))
            }
            About::Actor => to == CHILD && focus.has_child(),
        },
        Output::Arm { timer } | Output::Disarm { timer } => match timer {
            Timer::Grace(child) => focus.kids().contains(&child),
            Timer::Yield(request) => request == r,
        },
        Output::Signal { child, .. } => focus.kids().contains(&child),
        Output::Requested { request }
        | Output::PromptOpened { request }
        | Output::PromptClosed { request }
        | Output::Refused { request }
        | Output::BatonDropped { request } => request == r,
        Output::Sweep | Output::Noticed { .. } => false,
        Output::TerminalTaken
        | Output::TerminalRestored
        | Output::InterruptObeyed
        | Output::TeardownStarted { .. }
        | Output::Exit { .. }
        | Output::Alarmed { .. } => true,
    }
}
