//! What can still matter: the normal form of a component, given what the others can still do.
//!
//! States that differ in what cannot matter any longer have the same actions, the same answers to
//! them and the same facts that a property reads, and so have the states that they lead to: the
//! relation is a strong bisimulation (Park, 1981). So the checker stores one of them.
//!
//! | forgotten | once |
//! |---|---|
//! | how a process ends | its parent has asked it to end, is ending itself, or adopted it |
//! | the name of the next request | none can come |
//! | what is left of a fault | it can strike nobody any longer |
//!
//! Each condition, once true, stays true: an actor that was told to end is never untold, a rung of a
//! ladder is never climbed down, a process that has ended does not come back, a budget shrinks and a
//! script goes on.

use super::action::{EnvironmentAction, Fault};
use super::enabled::in_foreground;
use super::facts::{ActorFacts, ActorFlags};
use super::process::{Parent, ProcessState, ProgramTerminal, RunningProcess};
use super::script::ScriptStep;
use super::shared::SharedEnvironment;
use super::topology::Topology;
use holdfast_protocol::ladder::LadderRung;
use holdfast_protocol::node::forget::StillAsked;
use holdfast_protocol::{ActorId, DebugMode, Status};

/// A set of faults: the bit of a fault is its number.
pub type FaultBits = u16;

fn bit(fault: Fault) -> FaultBits {
    1 << fault as u8
}

fn bits(faults: &[Fault]) -> FaultBits {
    faults.iter().fold(0, |all, fault| all | bit(*fault))
}

/// What a process leaves open for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActorRelevance {
    /// The faults that can still strike it.
    pub faults: FaultBits,
    /// The actors whose end it ignores: one bit each.
    pub ignores: u16,
    /// Whether its supervisor is its parent, and so the one that asks how it ended.
    pub supervised: bool,
}

impl ActorRelevance {
    /// That of a process.
    #[must_use]
    pub fn of(topology: &Topology, actor: ActorId, process: &ProcessState) -> Self {
        let parent = match process {
            ProcessState::Later | ProcessState::Gone => None,
            ProcessState::Booting(parent) | ProcessState::Zombie(_, parent) => Some(*parent),
            ProcessState::Running(running) => Some(running.parent),
        };
        let ignores = match process {
            ProcessState::Running(running) => {
                let ignored = |child: &ActorId| running.node.ignores_end_of(*child);
                topology.actors().filter(ignored).fold(0, |all, child| all | 1 << child.index())
            }
            // Whoever starts is told of no end before it listens, and then has no children yet.
            ProcessState::Later
            | ProcessState::Booting(_)
            | ProcessState::Zombie(..)
            | ProcessState::Gone => !0,
        };
        let faults = faults_on(topology, actor, process);
        Self { faults, ignores, supervised: parent == Some(Parent::Supervisor) }
    }
}

/// The faults that can strike a process now or later.
fn faults_on(topology: &Topology, actor: ActorId, process: &ProcessState) -> FaultBits {
    let mut faults = match process {
        ProcessState::Zombie(..) | ProcessState::Gone => return 0,
        ProcessState::Later | ProcessState::Booting(_) => FaultBits::MAX,
        ProcessState::Running(running) => {
            let facts = ActorFacts::of(topology, actor, process);
            faults_on_running(running, &facts) | bits(&ON_ANY)
        }
    };
    if actor == topology.root() {
        faults &= !bits(&[Fault::Kill, Fault::Cut]);
    } else {
        faults &= !bits(&[Fault::KillRoot, Fault::Stop]);
    }
    if !in_foreground(topology, actor) {
        faults &= !bit(Fault::Interrupt);
    }
    faults
}

/// What can strike a process whatever it does.
const ON_ANY: [Fault; 7] = [
    Fault::Interrupt,
    Fault::InterruptOne,
    Fault::Quit,
    Fault::Kill,
    Fault::KillRoot,
    Fault::Stop,
    Fault::Cut,
];

/// What a running process can still be struck by, beside those; the guards are those of
/// [`super::enabled`], as far as they stay false once they are.
fn faults_on_running(running: &RunningProcess, facts: &ActorFacts) -> FaultBits {
    let mut faults = 0;
    let refuses = ActorFlags::ORPHAN
        | ActorFlags::FORCED
        | ActorFlags::STOPPING
        | ActorFlags::USER_TASK_ENDED;
    let admits = !facts.flags.intersects(refuses);
    let cancelled = facts.flags.contains(ActorFlags::CANCELLED);
    if !cancelled {
        faults |= bits(&[Fault::Error, Fault::ErrorUnexamined, Fault::Cancel]);
    }
    if !cancelled && admits {
        faults |= bit(Fault::Request);
    }
    if admits {
        faults |= bit(Fault::Shielded);
    }
    let without_program = [ProgramTerminal::NoProgram, ProgramTerminal::Gone];
    if !without_program.contains(&facts.program) {
        faults |= bits(&[Fault::Read, Fault::TakeBack]);
    }
    // A supervisor that is cancelled starts nobody.
    let unasked = |child: &holdfast_protocol::ladder::Child| child.rung < LadderRung::Cancel;
    if !cancelled || running.node.children().values().any(unasked) {
        faults |= bit(Fault::CancelChild);
    }
    faults
}

/// A process without what cannot matter any longer.
#[must_use]
pub fn forgotten_process(process: &ProcessState, asked: StillAsked) -> ProcessState {
    match process {
        ProcessState::Running(running) => {
            let node = running.node.forgotten(asked);
            ProcessState::Running(Box::new(RunningProcess { node, ..(**running).clone() }))
        }
        ProcessState::Zombie(status, parent) => {
            // A supervisor tells success from failure and nothing else (`child_exited`).
            let fails = matches!(status, Status::Failed | Status::Killed) && asked.status;
            let status = if fails { Status::Killed } else { Status::Cancelled };
            ProcessState::Zombie(status, *parent)
        }
        ProcessState::Later | ProcessState::Booting(_) | ProcessState::Gone => process.clone(),
    }
}

/// The breakpoints that budget and script have left for anybody: plain ones, shielded ones.
#[must_use]
pub fn breakpoints_left(topology: &Topology, shared: &SharedEnvironment) -> (bool, bool) {
    let steps = topology.config().script.steps.iter().skip(usize::from(shared.at));
    // Whatever reads later, or has read and is stopped, makes its host ask.
    let hosts = topology.config().tree.has_hosts();
    let (mut plain, mut shielded) =
        (hosts || shared.budget.left(Fault::Request) > 0, shared.budget.left(Fault::Shielded) > 0);
    for step in steps {
        plain |= matches!(step, ScriptStep::Do(EnvironmentAction::Pause { .. }));
        shielded |= matches!(step, ScriptStep::Do(EnvironmentAction::PauseShielded { .. }));
    }
    (plain, shielded)
}

/// The shared environment without the faults that can strike nobody: all but `faults`.
#[must_use]
pub fn forgotten_shared(
    topology: &Topology,
    shared: &SharedEnvironment,
    faults: FaultBits,
) -> SharedEnvironment {
    let config = topology.config();
    let mut forgotten = shared.clone();
    for fault in Fault::ALL {
        let left = shared.budget.left(fault);
        // Two antecedents ask whether somebody has asked for the terminal, by what was spent
        // (`asked` in `property::safety`). That one was is kept.
        let read = match fault {
            Fault::Request | Fault::Shielded | Fault::Read => true,
            Fault::Error => config.debug.contains(&DebugMode::On),
            Fault::Interrupt
            | Fault::InterruptOne
            | Fault::ErrorUnexamined
            | Fault::Quit
            | Fault::Cancel
            | Fault::CancelChild
            | Fault::Kill
            | Fault::KillRoot
            | Fault::Stop
            | Fault::Cut
            | Fault::TakeBack => false,
        };
        let unspent = left == config.budget.left(fault);
        if faults & bit(fault) == 0 && !(read && unspent) {
            forgotten.budget = forgotten.budget.with(fault, 0);
        }
    }
    forgotten
}
