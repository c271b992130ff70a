//! What can happen to programs that know nothing of the tree, and to their hosts.

use super::{Step, WaitCondition};
use holdfast_check::tree::Tree;
use holdfast_protocol::ActorId;

/// To whom a step can happen.
enum Suits {
    /// To a program alone.
    Program,
    /// To whatever has a process.
    Anybody,
    /// To an actor, host or not.
    Actor,
    /// To an actor that is not a host.
    ActorWithoutProgram,
}

/// Why a step cannot happen to this actor, and what is expected instead.
pub(super) fn mistake(step: &Step, tree: &Tree, actor: ActorId) -> Option<(String, &'static str)> {
    let name = tree.name(actor);
    let (program, host) = (tree.is_program(actor), tree.program_of(actor).is_some());
    match suits(step) {
        Suits::Program if !program => {
            let expected = "a program, written `name!` in the tree";
            Some((format!("`{name}` is not a program"), expected))
        }
        Suits::Actor | Suits::ActorWithoutProgram if program => {
            let expected = "an actor, or a step of programs: `read`, `type`, `take-back`, `exit`";
            Some((format!("`{name}` is a program that knows nothing of the tree"), expected))
        }
        Suits::ActorWithoutProgram if host => {
            let expected = "an actor without a program: a host asks for its program alone";
            Some((format!("`{name}` is a host"), expected))
        }
        Suits::Program | Suits::Anybody | Suits::Actor | Suits::ActorWithoutProgram => None,
    }
}

fn suits(step: &Step) -> Suits {
    match step {
        Step::Read { .. } | Step::Type { .. } | Step::TakeBack { .. } | Step::Exit { .. } => {
            Suits::Program
        }
        Step::Wait { until: WaitCondition::Stopped | WaitCondition::Foreground, .. } => {
            Suits::Program
        }
        Step::Wait { until: WaitCondition::Ended, .. }
        | Step::Wait { until: WaitCondition::NoPrompt | WaitCondition::Quiet, .. }
        | Step::Kill { .. }
        | Step::CtrlC {}
        | Step::Mark { .. } => Suits::Anybody,
        Step::Breakpoint { .. }
        | Step::BreakpointShielded { .. }
        | Step::Crash { .. }
        | Step::Error { .. }
        | Step::ErrorUnexamined { .. }
        | Step::Deadline { .. }
        | Step::Cancel { .. }
        | Step::Finish { .. }
        | Step::Spawn { .. }
        | Step::Quit { .. } => Suits::ActorWithoutProgram,
        Step::Wait { .. }
        | Step::CancelChild { .. }
        | Step::Signal { .. }
        | Step::Cut { .. }
        | Step::Continue { .. } => Suits::Actor,
    }
}
