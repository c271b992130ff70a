//! What is said about a step: arrows between columns, words in one.

use super::Emphasis;
use holdfast_check::trace::ReplayedStep;
use holdfast_check::tree::Tree;
use holdfast_check::world::enabled::in_foreground;
use holdfast_check::world::{Action, EnvironmentAction, Observation, SystemStep, Topology};
use holdfast_protocol::Placement;
use holdfast_protocol::{
    ActorId, Answer, Cause, LadderSignal, Notice, Output, Signal, Status, Timer,
};

/// The owner of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnOwner {
    /// The person, the terminal, everything outside the tree.
    Person,
    /// An actor.
    Actor(ActorId),
}

/// One thing to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChartItem {
    /// From one column to others.
    Arrow { from: ColumnOwner, to: Vec<ColumnOwner>, label: String, paint: Emphasis },
    /// In one column.
    Words { at: ColumnOwner, text: String, paint: Emphasis },
}

/// Everything there is to draw for a step, the action first. `alive` are the actors that a Ctrl-C
/// can reach.
pub(super) fn items(topology: &Topology, alive: &[ActorId], step: &ReplayedStep) -> Vec<ChartItem> {
    let mut items = vec![action_item(topology, alive, step)];
    if let Action::Environment(EnvironmentAction::PauseShielded { actor }) = step.action {
        let text = "not to be withdrawn".to_owned();
        items.push(ChartItem::Words {
            at: ColumnOwner::Actor(actor),
            text,
            paint: Emphasis::Prompt,
        });
    }
    for did in &step.observations {
        let Some(item) = consequence(*did) else { continue };
        match (items.last_mut(), item) {
            (
                Some(ChartItem::Words { at: before, text, paint }),
                ChartItem::Words { at, text: more, paint: other },
            ) if *before == at => {
                text.push_str(", ");
                text.push_str(&more);
                *paint = (*paint).max(other);
            }
            (_, item) => items.push(item),
        }
    }
    items
}

fn action_item(topology: &Topology, alive: &[ActorId], step: &ReplayedStep) -> ChartItem {
    match step.action {
        Action::Environment(action) => environment_item(topology, alive, action),
        Action::System(tree_move) => move_item(topology, tree_move, &step.observations),
    }
}

fn environment_item(
    topology: &Topology,
    alive: &[ActorId],
    action: EnvironmentAction,
) -> ChartItem {
    let tree = &topology.config().tree;
    let (from, to, paint) = match action {
        EnvironmentAction::Interrupt => {
            let hit: Vec<_> = match topology.config().placement {
                Placement::OwnSession => vec![ColumnOwner::Actor(topology.root())],
                Placement::SharedGroup => {
                    let reached = alive.iter().copied().filter(|one| in_foreground(topology, *one));
                    reached.map(ColumnOwner::Actor).collect()
                }
            };
            (ColumnOwner::Person, hit, Emphasis::Person)
        }
        EnvironmentAction::Spawn { actor } => {
            let above = tree.supervisor(actor).map_or(ColumnOwner::Person, ColumnOwner::Actor);
            (above, vec![ColumnOwner::Actor(actor)], Emphasis::Message)
        }
        EnvironmentAction::CancelChild { actor } => {
            let above = tree.supervisor(actor).map_or(ColumnOwner::Person, ColumnOwner::Actor);
            let label = format!("{} {}", environment_label(action), tree.name(actor));
            let (from, to, paint) = (ColumnOwner::Person, vec![above], Emphasis::Person);
            return ChartItem::Arrow { from, to, label, paint };
        }
        EnvironmentAction::Kill { actor }
        | EnvironmentAction::Cut { actor }
        | EnvironmentAction::Die { actor, .. }
        | EnvironmentAction::Vanish { actor }
        | EnvironmentAction::CutShort { actor, .. } => {
            (ColumnOwner::Person, vec![ColumnOwner::Actor(actor)], Emphasis::Danger)
        }
        EnvironmentAction::Pause { actor }
        | EnvironmentAction::PauseShielded { actor }
        | EnvironmentAction::Answer { actor, .. }
        | EnvironmentAction::Provoke { actor, .. }
        | EnvironmentAction::FailUnexamined { actor, .. }
        | EnvironmentAction::Appear { actor }
        | EnvironmentAction::Read { actor }
        | EnvironmentAction::Type { actor }
        | EnvironmentAction::TakeBack { actor }
        | EnvironmentAction::Signal { actor, .. } => {
            (ColumnOwner::Person, vec![ColumnOwner::Actor(actor)], Emphasis::Person)
        }
    };
    ChartItem::Arrow { from, to, label: environment_label(action).to_owned(), paint }
}

fn environment_label(action: EnvironmentAction) -> &'static str {
    match action {
        EnvironmentAction::Pause { .. } | EnvironmentAction::PauseShielded { .. } => "breakpoint",
        EnvironmentAction::Answer { answer: Answer::Continue, .. } => "continue",
        EnvironmentAction::Answer { answer: Answer::Quit, .. } => "quit",
        EnvironmentAction::Answer { answer: Answer::Hangup, .. } => "hang up",
        EnvironmentAction::Provoke { cause, .. } => match cause {
            Cause::Finished => "finish",
            Cause::Requested => "cancel",
            Cause::Deadline => "deadline",
            Cause::Interrupted => "interrupt",
            Cause::Orphaned => "orphan",
            Cause::Stopped => "stop",
            Cause::Failed => "error",
            Cause::ChildFailed => "child error",
        },
        EnvironmentAction::FailUnexamined { .. } => "error, unexamined",
        EnvironmentAction::CancelChild { .. } => "cancel",
        EnvironmentAction::Interrupt => "Ctrl-C",
        EnvironmentAction::Signal { signal, .. } => match signal {
            Signal::Interrupt => "kill -INT",
            Signal::Terminate => "kill -TERM",
            Signal::Hangup => "kill -HUP",
            Signal::Quit => "kill -QUIT",
        },
        EnvironmentAction::Kill { .. } => "kill -9",
        EnvironmentAction::Cut { .. } => "cut link",
        EnvironmentAction::Spawn { .. } => "spawn",
        EnvironmentAction::Die { .. } => "ends of itself",
        EnvironmentAction::Appear { .. } => "appears",
        EnvironmentAction::Read { .. } => "reads",
        EnvironmentAction::Type { .. } => "a line is typed",
        EnvironmentAction::TakeBack { .. } => "the terminal is taken back",
        EnvironmentAction::Vanish { .. } => "was reaped",
        EnvironmentAction::CutShort { .. } => "is cut short",
    }
}

fn move_item(topology: &Topology, tree_move: SystemStep, did: &[Observation]) -> ChartItem {
    let tree = &topology.config().tree;
    if let SystemStep::Deliver { from, to } = tree_move {
        let label = did.iter().find_map(|did| match did {
            Observation::Delivered { message, .. } => Some(message.to_string()),
            Observation::EndRead { .. } => Some("end".to_owned()),
            Observation::Output { .. } | Observation::Took { .. } | Observation::Died { .. } => {
                None
            }
        });
        return ChartItem::Arrow {
            from: ColumnOwner::Actor(from),
            to: vec![ColumnOwner::Actor(to)],
            label: label.unwrap_or_default(),
            paint: Emphasis::Message,
        };
    }
    let (at, text) = local(topology, tree, tree_move);
    ChartItem::Words { at, text, paint: Emphasis::Faint }
}

fn local(topology: &Topology, tree: &Tree, tree_move: SystemStep) -> (ColumnOwner, String) {
    let root = ColumnOwner::Actor(topology.root());
    match tree_move {
        SystemStep::Deliver { to, .. } => (ColumnOwner::Actor(to), "reads".to_owned()),
        SystemStep::TakeSignal { actor, signal } => {
            (ColumnOwner::Actor(actor), format!("takes {signal}"))
        }
        SystemStep::Expire { actor, timer: Timer::Grace(child) } => {
            (ColumnOwner::Actor(actor), format!("grace of {} over", name_of(tree, child)))
        }
        SystemStep::Expire { actor, timer: Timer::Yield(request) } => {
            let holder = name_of(tree, request.actor);
            (ColumnOwner::Actor(actor), format!("time of {holder} to yield over"))
        }
        SystemStep::EndUserTask { actor } => (ColumnOwner::Actor(actor), "tasks end".to_owned()),
        SystemStep::Boot { actor } => (ColumnOwner::Actor(actor), "booted".to_owned()),
        SystemStep::Reap { actor } => (ColumnOwner::Actor(actor), "reaped".to_owned()),
        SystemStep::Adopt { actor } => (root, format!("adopts {}", name_of(tree, actor))),
        SystemStep::SeeChildrenGone => (root, "no child left".to_owned()),
        SystemStep::ReadBaton { .. } => (root, "baton closed".to_owned()),
        SystemStep::LosePrompt { actor } => {
            (ColumnOwner::Actor(actor), "terminal is gone".to_owned())
        }
        SystemStep::AskForProgram { actor } => {
            (ColumnOwner::Actor(actor), "its program was stopped".to_owned())
        }
        SystemStep::GiveForeground { actor } => {
            (ColumnOwner::Actor(actor), "gives its program the foreground".to_owned())
        }
        SystemStep::FinishHost { actor } => {
            (ColumnOwner::Actor(actor), "its program has ended".to_owned())
        }
        SystemStep::Pass { .. } => (ColumnOwner::Person, "goes on".to_owned()),
    }
}

/// What is worth a word of what was done. Messages are drawn where they are read.
fn consequence(did: Observation) -> Option<ChartItem> {
    let (actor, text, paint) = match did {
        Observation::Output { actor, output: Output::Signal { child, signal } } => {
            let label = match signal {
                LadderSignal::Terminate => "SIGTERM",
                LadderSignal::Kill => "SIGKILL",
            };
            let (from, to) = (ColumnOwner::Actor(actor), vec![ColumnOwner::Actor(child)]);
            return Some(ChartItem::Arrow {
                from,
                to,
                label: label.into(),
                paint: Emphasis::Danger,
            });
        }
        Observation::Output { actor, output } => {
            let (text, paint) = output_words(output)?;
            (actor, text, paint)
        }
        Observation::Died { actor, status } => {
            let text = match status {
                Status::Finished => "exits",
                Status::Cancelled => "exits, cancelled",
                Status::Failed => "exits, failed",
                Status::Killed => "dies",
            };
            (actor, text.to_owned(), Emphasis::Danger)
        }
        Observation::Delivered { .. } | Observation::EndRead { .. } | Observation::Took { .. } => {
            return None;
        }
    };
    Some(ChartItem::Words { at: ColumnOwner::Actor(actor), text, paint })
}

fn output_words(output: Output) -> Option<(String, Emphasis)> {
    let (text, paint) = match output {
        Output::Requested { .. } => ("wants a prompt", Emphasis::Prompt),
        Output::PromptOpened { .. } => ("prompt opens", Emphasis::Prompt),
        Output::PromptClosed { .. } => ("prompt closes", Emphasis::Prompt),
        Output::Refused { .. } => ("refused", Emphasis::Prompt),
        Output::BatonDropped { .. } => ("drops the baton", Emphasis::Prompt),
        Output::TerminalTaken => ("terminal taken", Emphasis::Prompt),
        Output::TerminalRestored => ("terminal restored", Emphasis::Prompt),
        Output::InterruptObeyed => ("obeys", Emphasis::Danger),
        Output::TeardownStarted { cause } => {
            return Some((format!("teardown starts ({})", cause_words(cause)), Emphasis::Danger));
        }
        Output::Noticed { notice } => (notice_words(notice), Emphasis::Faint),
        Output::Alarmed { alarm } => return Some((format!("ALARM {alarm:?}"), Emphasis::Danger)),
        Output::Send { .. }
        | Output::Arm { .. }
        | Output::Disarm { .. }
        | Output::Signal { .. }
        | Output::Sweep
        | Output::Exit { .. } => return None,
    };
    Some((text.to_owned(), paint))
}

fn cause_words(cause: Cause) -> &'static str {
    match cause {
        Cause::Finished => "finished",
        Cause::Requested => "cancelled",
        Cause::Deadline => "deadline",
        Cause::Interrupted => "SIGINT",
        Cause::Orphaned => "orphaned",
        Cause::Stopped => "stopped",
        Cause::Failed => "failed",
        Cause::ChildFailed => "child failed",
    }
}

fn notice_words(notice: Notice) -> &'static str {
    match notice {
        Notice::InterruptShielded => "shielded",
        Notice::InterruptLeftToRoot => "left to the root",
        Notice::InterruptTooLate => "nothing left to hurry",
        Notice::UnexpectedMessage => "unexpected, ignored",
        Notice::DuplicateWant => "known already",
        Notice::DuplicateGrant => "granted already",
        Notice::WantTooLate => "too late",
        Notice::WrongWay => "not believed",
    }
}

/// The name of an actor, or its number if the tree has no such actor.
#[must_use]
pub fn name_of(tree: &Tree, actor: ActorId) -> String {
    if actor.index() < tree.len() {
        tree.name(actor).to_owned()
    } else {
        format!("actor {}", actor.0)
    }
}

/// An action in words.
#[must_use]
pub fn describe(tree: &Tree, action: Action) -> String {
    let name = |actor| name_of(tree, actor);
    match action {
        Action::Environment(action) => match (action, action.actor()) {
            (EnvironmentAction::PauseShielded { actor }, _) => {
                format!("breakpoint at {}, shielded against cancel", name(actor))
            }
            (EnvironmentAction::CancelChild { actor }, _) => {
                format!("the program of {}'s supervisor cancels it", name(actor))
            }
            (_, Some(actor)) => format!("{} at {}", environment_label(action), name(actor)),
            (_, None) => format!("{} at the terminal", environment_label(action)),
        },
        Action::System(tree_move) => match tree_move {
            SystemStep::Deliver { from, to } => format!("{} reads from {}", name(to), name(from)),
            SystemStep::TakeSignal { actor, signal } => format!("{} takes {signal}", name(actor)),
            SystemStep::Expire { actor, timer: Timer::Grace(child) } => {
                format!("at {}, the grace of {} is over", name(actor), name(child))
            }
            SystemStep::Expire { actor, timer: Timer::Yield(request) } => {
                format!("at {}, the time of {} to yield is over", name(actor), name(request.actor))
            }
            SystemStep::EndUserTask { actor } => format!("the tasks of {} end", name(actor)),
            SystemStep::Boot { actor } => format!("{} is booted", name(actor)),
            SystemStep::Reap { actor } => format!("{} is reaped", name(actor)),
            SystemStep::Adopt { actor } => format!("the root adopts {}", name(actor)),
            SystemStep::SeeChildrenGone => "the root sees that no child is left".to_owned(),
            SystemStep::ReadBaton { request } => {
                format!("the root reads the end of the baton of {}", name(request.actor))
            }
            SystemStep::LosePrompt { actor } => format!("{} loses its terminal", name(actor)),
            SystemStep::AskForProgram { actor } => {
                format!("{} sees that the kernel has stopped its program", name(actor))
            }
            SystemStep::GiveForeground { actor } => {
                format!("{} gives its program the foreground", name(actor))
            }
            SystemStep::FinishHost { actor } => {
                format!("{} sees that its program has ended", name(actor))
            }
            SystemStep::Pass { at } => format!("step {} of the script is so", at + 1),
        },
    }
}

/// What was done, in words, everything.
#[must_use]
pub fn details(tree: &Tree, did: Observation) -> String {
    let name = |actor| name_of(tree, actor);
    match did {
        Observation::Output { actor, output } => {
            let said = match output {
                Output::Send { to, message } => format!("sends {message} to {}", name(to)),
                Output::Arm { timer } => format!("arms {}", timer_words(tree, timer)),
                Output::Disarm { timer } => format!("disarms {}", timer_words(tree, timer)),
                Output::Signal { child, signal: LadderSignal::Terminate } => {
                    format!("sends SIGTERM to {}", name(child))
                }
                Output::Signal { child, signal: LadderSignal::Kill } => {
                    format!("sends SIGKILL to {}", name(child))
                }
                Output::Sweep => "looks for children that nobody knows".to_owned(),
                Output::Exit { .. } => "ends its process".to_owned(),
                other => output_words(other).map(|(text, _)| text).unwrap_or_default(),
            };
            format!("{}: {said}", name(actor))
        }
        Observation::Delivered { from, to, message } => {
            format!("{}: reads {message} from {}", name(to), name(from))
        }
        Observation::EndRead { from, to } => {
            format!("{}: reads the end of {}", name(to), name(from))
        }
        Observation::Took { actor, signal, .. } => format!("{}: takes {signal}", name(actor)),
        Observation::Died { actor, status } => {
            format!("{}: has ended ({})", name(actor), format!("{status:?}").to_lowercase())
        }
    }
}

fn timer_words(tree: &Tree, timer: Timer) -> String {
    match timer {
        Timer::Grace(child) => format!("the grace of {}", name_of(tree, child)),
        Timer::Yield(request) => format!("the time of {} to yield", name_of(tree, request.actor)),
    }
}
