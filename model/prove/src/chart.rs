//! A counterexample in three columns: above, the actor in focus, below.

use super::focus::{ABOVE, CHILD, Focus, ORPHAN};
use super::search::{FocusEvent, FocusStep, Violated};
use super::side::NeighbourMove;
use holdfast_protocol::hold::HoldStage;
use holdfast_protocol::ladder::LadderRung;
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::node::{StopOrder, TreePosition};
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{
    ActorId, Answer, Input, LadderSignal, Message, Node, Origin, Output, Shielding, Signal, Timer,
};
use std::fmt;

/// How wide each column is.
const WIDTHS: (usize, usize, usize) = (22, 62, 22);

/// A counterexample, as people read it.
#[derive(Clone, Copy, Debug)]
pub struct ProofChart<'a> {
    /// The kind of actor.
    pub focus: Focus,
    /// What it is about.
    pub violated: &'a Violated,
}

impl fmt::Display for ProofChart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (above, actor, below) = WIDTHS;
        let heads = match self.focus {
            Focus::RootAsker | Focus::RootOrphan | Focus::Root | Focus::RootDeeper => ("", "root"),
            Focus::Asker | Focus::Between | Focus::BetweenDeeper => ("above", "the actor"),
        };
        let last = if self.focus.has_child() { "below" } else { "" };
        writeln!(f, "      {:above$}  {:actor$}  {last:below$}", heads.0, heads.1)?;
        let mut before = "running".to_owned();
        for (step, number) in self.violated.steps.iter().zip(1..) {
            let now = state_words(self.focus, step);
            let news = if now == before { String::new() } else { format!("  [{now}]") };
            before = now;
            let (mut left, mut here, mut right) = (String::new(), String::new(), String::new());
            match step.event {
                FocusEvent::Starts => here = "starts".to_owned(),
                FocusEvent::Above(step) => left = move_words(step, "the link ends"),
                FocusEvent::Below(step) => right = move_words(step, "the link is cut"),
                FocusEvent::Dies => right = "dies".to_owned(),
                FocusEvent::BatonCloses => {
                    here = "(the last copy of the baton is closed)".to_owned()
                }
                FocusEvent::Killed => here = "is killed".to_owned(),
                FocusEvent::Takes(input) => here = input_words(self.focus, input),
            }
            here.push_str(&news);
            let line = format!("{number:>4}. {left:above$}  {here:actor$}  {right:below$}");
            writeln!(f, "{}", line.trim_end())?;
        }
        let outputs: Vec<String> =
            self.violated.outputs.iter().filter_map(|output| output_words(*output)).collect();
        if !outputs.is_empty() {
            writeln!(f, "      {:above$}  -> {}", "", outputs.join(", "))?;
        }
        let violation = self.violated.violation;
        write!(f, "      `{}` is violated: {}", violation.claim, violation.what)
    }
}

fn move_words(step: NeighbourMove, end: &str) -> String {
    match step {
        NeighbourMove::Says(message) => format!("says {message}"),
        NeighbourMove::Ends => end.to_owned(),
    }
}

fn who(id: ActorId) -> &'static str {
    match id {
        ABOVE => "above",
        CHILD => "below",
        ORPHAN => "the orphan",
        _ => "another child",
    }
}

fn input_words(focus: Focus, input: Input) -> String {
    let about = |message: Message| {
        let ours = message.request() == holdfast_protocol::message::About::Request(focus.request());
        let cancel = matches!(message, Message::Cancel { .. });
        if ours || cancel { message.to_string() } else { format!("{message} of another request") }
    };
    match input {
        Input::Pause { shielding: Shielding::Plain } => "hits a breakpoint".to_owned(),
        Input::Pause { shielding: Shielding::Shielded } => "hits a shielded breakpoint".to_owned(),
        Input::Answered { request, answer } => {
            let whose = if request == focus.request() { "its prompt" } else { "another prompt" };
            match answer {
                Answer::Continue => format!("{whose} is answered: continue"),
                Answer::Quit => format!("{whose} is answered: quit"),
                Answer::Hangup => format!("{whose} hangs up"),
            }
        }
        Input::Cancel { cause } => format!("is to end: {cause:?}").to_lowercase(),
        Input::Unexamined { cause } => format!("is to end, unexamined: {cause:?}").to_lowercase(),
        Input::CancelChild { child } => format!("cancels {}", who(child)),
        Input::UserTaskEnded => "its user task ends".to_owned(),
        Input::Received { from, message } => format!("reads {} from {}", about(message), who(from)),
        Input::LinkEnded { peer } => format!("reads the end of the link to {}", who(peer)),
        Input::Signalled { signal: Signal::Interrupt, origin: Origin::Terminal } => {
            "takes a Ctrl-C".to_owned()
        }
        Input::Signalled { signal, .. } => format!("takes {signal}"),
        Input::Expired { timer: Timer::Grace(child) } => {
            format!("the grace of {} ends", who(child))
        }
        Input::Expired { timer: Timer::Yield(_) } => "the time to yield ends".to_owned(),
        Input::Spawned { child } => format!("spawns {}", who(child)),
        Input::Exited { child, .. } => format!("reaps {}", who(child)),
        Input::Adopted { child } => format!("adopts {}", who(child)),
        Input::ChildrenGone => "finds that it has no child left".to_owned(),
        Input::BatonClosed { .. } => "reads the end of the baton".to_owned(),
    }
}

fn output_words(output: Output) -> Option<String> {
    Some(match output {
        Output::Send { to: ABOVE, message } => format!("tells above {message}"),
        Output::Send { to: CHILD, message } => format!("tells below {message}"),
        Output::Send { message, .. } => format!("tells somebody else {message}"),
        Output::Signal { child, signal: LadderSignal::Terminate } => {
            format!("sends SIGTERM to {}", who(child))
        }
        Output::Signal { child, signal: LadderSignal::Kill } => {
            format!("sends SIGKILL to {}", who(child))
        }
        Output::PromptOpened { .. } => "opens its prompt".to_owned(),
        Output::PromptClosed { .. } => "closes its prompt".to_owned(),
        Output::Refused { .. } => "gets no prompt".to_owned(),
        Output::BatonDropped { .. } => "drops the baton".to_owned(),
        Output::InterruptObeyed => "acts on the interrupt".to_owned(),
        Output::TeardownStarted { .. } => "begins its teardown".to_owned(),
        Output::Exit { .. } => "exits".to_owned(),
        Output::Alarmed { alarm } => format!("alarm: {alarm:?}"),
        Output::TerminalTaken => "takes the terminal".to_owned(),
        Output::TerminalRestored => "restores the terminal".to_owned(),
        Output::Arm { .. }
        | Output::Disarm { .. }
        | Output::Requested { .. }
        | Output::Sweep
        | Output::Noticed { .. } => return None,
    })
}

/// What matters of the state behind a step.
fn state_words(focus: Focus, step: &FocusStep) -> String {
    let node = &step.node;
    let mut words = vec![match node.teardown() {
        Teardown::NotAsked => "running",
        Teardown::Deferred(_) => "to end, deferred",
        Teardown::Running(_) => "ending",
        Teardown::Over => "over",
    }];
    if let Some(hold) = node.holds().find(focus.request()) {
        words.push(match hold.stage {
            HoldStage::Waiting => "hold waiting",
            HoldStage::Granted => "hold granted",
            HoldStage::Detached => "hold detached",
            HoldStage::Closed => "hold closed",
        });
    }
    match node.requests().find(focus.request()).map(|own| own.stage) {
        Some(RequestStage::Waiting) => words.push("its request waits"),
        Some(RequestStage::Open) => words.push("its prompt is open"),
        None => {}
    }
    let kid = node.children().get(&CHILD).or_else(|| node.children().get(&ORPHAN));
    match kid.map(|child| child.rung) {
        Some(LadderRung::Unasked) | None => {}
        Some(LadderRung::Unlinked) => words.push("child unlinked"),
        Some(LadderRung::Cancel) => words.push("child asked to end"),
        Some(LadderRung::Terminate) => words.push("child sent SIGTERM"),
        Some(LadderRung::Kill) => words.push("child sent SIGKILL"),
    }
    words.extend(lock_words(focus, node));
    words.join(", ")
}

fn lock_words(focus: Focus, node: &Node) -> Vec<&'static str> {
    let TreePosition::Root { server, stop } = node.position() else { return Vec::new() };
    let mut words = Vec::new();
    match server.owner() {
        None => {}
        Some(owner) if owner == focus.request() => words.push("lock granted"),
        Some(_) => words.push("lock another's"),
    }
    if *stop == StopOrder::Received {
        words.push("told to stop");
    }
    words
}
