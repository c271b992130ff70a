//! What can happen to programs that know nothing of the tree, and to their hosts.

use super::{Step, WaitCondition};
use holdfast_check::tree::Tree;
use holdfast_protocol::ActorId;

/// What happens to whom.
enum Happens {
    /// To a program alone.
    ToProgram,
    /// To whatever has a process.
    ToAnybody,
    /// To an actor, host or not.
    ToActor,
    /// To an actor that is not a host.
    ToActorWithoutProgram,
}

/// Why a step cannot happen to this actor, and what is expected instead.
pub(super) fn mistake(step: &Step, tree: &Tree, actor: ActorId) -> Option<(String, &'static str)> {
    let name = tree.name(actor);
    let (program, host) = (tree.is_program(actor), tree.program_of(actor).is_some());
    match happens(step) {
        Happens::ToProgram if !program => {
            let expected = "a program, written `name!` in the tree";
            Some((format!("`{name}` is not a program"), expected))
        }
        Happens::ToActor | Happens::ToActorWithoutProgram if program => {
            let expected = "an actor, or a step of programs: `read`, `type`, `take-back`, `exit`";
            Some((format!("`{name}` is a program that knows nothing of the tree"), expected))
        }
        Happens::ToActorWithoutProgram if host => {
            let expected = "an actor without a program: a host asks for its program alone";
            Some((format!("`{name}` is a host"), expected))
        }
        Happens::ToProgram
        | Happens::ToAnybody
        | Happens::ToActor
        | Happens::ToActorWithoutProgram => None,
    }
}

fn happens(step: &Step) -> Happens {
    match step {
        Step::Read { .. } | Step::Type { .. } | Step::TakeBack { .. } | Step::Exit { .. } => {
            Happens::ToProgram
        }
        Step::Wait { until: WaitCondition::Stopped | WaitCondition::Foreground, .. } => {
            Happens::ToProgram
        }
        Step::Wait { until: WaitCondition::Ended, .. }
        | Step::Wait { until: WaitCondition::NoPrompt | WaitCondition::Quiet, .. }
        | Step::Kill { .. }
        | Step::CtrlC {}
        | Step::Mark { .. } => Happens::ToAnybody,
        Step::Breakpoint { .. }
        | Step::BreakpointShielded { .. }
        | Step::Crash { .. }
        | Step::Error { .. }
        | Step::ErrorUnexamined { .. }
        | Step::Deadline { .. }
        | Step::Cancel { .. }
        | Step::Finish { .. }
        | Step::Spawn { .. }
        | Step::Quit { .. } => Happens::ToActorWithoutProgram,
        Step::Wait { .. }
        | Step::CancelChild { .. }
        | Step::Signal { .. }
        | Step::Cut { .. }
        | Step::Continue { .. } => Happens::ToActor,
    }
}
