//! Inputs and outputs in words, with the requests that they are about.

use crate::chart::{details, name_of};
use holdfast_check::tree::Tree;
use holdfast_check::world::Observation;
use holdfast_protocol::message::About;
use holdfast_protocol::{ActorId, Input, Message, Origin, Output, Shielding, Status, Timer};

/// A message with the request that it is about.
pub(super) fn message_words(tree: &Tree, message: Message) -> String {
    match message.request() {
        About::Request(request) => {
            let whose = name_of(tree, request.actor);
            format!("{message} for request {} of {whose}", request.serial)
        }
        About::Actor => message.to_string(),
    }
}

/// What a node asked for.
pub(super) fn output_words(tree: &Tree, actor: ActorId, output: Output) -> String {
    match output {
        Output::Send { to, message } => {
            format!("sends {} to {}", message_words(tree, message), name_of(tree, to))
        }
        Output::Exit { status } => format!("ends its process ({})", status_words(status)),
        Output::Requested { request }
        | Output::PromptOpened { request }
        | Output::PromptClosed { request }
        | Output::Refused { request }
        | Output::BatonDropped { request } => {
            format!("{} (request {})", plain(tree, actor, output), request.serial)
        }
        Output::Arm { .. }
        | Output::Disarm { .. }
        | Output::Signal { .. }
        | Output::TerminalTaken
        | Output::TerminalRestored
        | Output::InterruptObeyed
        | Output::TeardownStarted { .. }
        | Output::Sweep
        | Output::Noticed { .. }
        | Output::Alarmed { .. } => plain(tree, actor, output),
    }
}

fn plain(tree: &Tree, actor: ActorId, output: Output) -> String {
    let said = details(tree, Observation::Output { actor, output });
    said.split_once(": ").map_or(said.clone(), |(_, words)| words.to_owned())
}

/// How a process ended.
pub(super) fn status_words(status: Status) -> &'static str {
    match status {
        Status::Finished => "finished",
        Status::Cancelled => "cancelled",
        Status::Failed => "failed",
        Status::Killed => "killed",
    }
}

/// What happened to a node.
pub(super) fn input_words(tree: &Tree, input: Input) -> String {
    let name = |actor| name_of(tree, actor);
    let lower = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
    match input {
        Input::Pause { shielding: Shielding::Plain } => "hits a breakpoint".to_owned(),
        Input::Pause { shielding: Shielding::Shielded } => {
            "hits a breakpoint, shielded against cancel".to_owned()
        }
        Input::Answered { request, answer } => {
            format!("the prompt of request {} is answered ({})", request.serial, lower(&answer))
        }
        Input::Cancel { cause } => format!("is to end ({})", lower(&cause)),
        Input::Unexamined { cause } => format!("is to end, unexamined ({})", lower(&cause)),
        Input::CancelChild { child } => format!("its program cancels {}", name(child)),
        Input::UserTaskEnded => "its tasks end".to_owned(),
        Input::Received { from, message } => {
            format!("reads {} from {}", message_words(tree, message), name(from))
        }
        Input::LinkEnded { peer } => format!("reads the end of {}", name(peer)),
        Input::Signalled { signal, origin: Origin::Terminal } => {
            format!("takes {signal} of the terminal")
        }
        Input::Signalled { signal, origin: Origin::Process } => {
            format!("takes {signal} of a process")
        }
        Input::Expired { timer: Timer::Grace(child) } => {
            format!("the grace of {} is over", name(child))
        }
        Input::Expired { timer: Timer::Yield(request) } => {
            format!("the time of {} to yield is over", name(request.actor))
        }
        Input::Spawned { child } => format!("has started {}", name(child)),
        Input::Exited { child, status } => format!("reaps {} ({})", name(child), lower(&status)),
        Input::Adopted { child } => format!("adopts {}", name(child)),
        Input::ChildrenGone => "has no child left".to_owned(),
        Input::BatonClosed { request } => {
            format!("reads the end of the baton of {}", name(request.actor))
        }
    }
}
