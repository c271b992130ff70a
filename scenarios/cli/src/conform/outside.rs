//! What is known of a run that none of its records tells: seen from outside of the tree.
//!
//! A live run has a script, a terminal and the table of processes. What the script did to processes
//! and links takes part in the merge, at its time. What was seen of the terminal and of processes
//! takes the place of what the model makes of them, and is judged by the same properties.

use super::names::{Names, UnknownPid};
use holdfast_check::world::component::ComponentValue;
use holdfast_check::world::process::{Parent, ProcessState};
use holdfast_check::world::shared::TerminalModes;
use holdfast_check::world::{EnvironmentAction, System, Topology};
use holdfast_protocol::{ActorId, Status};

/// What is known of a run that none of its records tells. Times are those of the records' clock;
/// processes are those of the records, or actors once they have names.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// What the environment did that nobody handles: it killed a process, it cut a link.
    pub actions: Vec<Mark>,
    /// What the terminal was seen to be like while the tree ran.
    pub modes: Vec<(u64, TerminalModes)>,
    /// What was seen when the root had ended.
    pub ended: Option<FinalObservation>,
    /// Until when the run is judged; none if to its end.
    pub until: Option<u64>,
}

/// What the environment did, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When: the action happened after that.
    pub at_ns: u64,
    /// What it did.
    pub action: EnvironmentAction,
}

/// What was seen when the root had ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalObservation {
    /// The processes of the tree that were still there, zombies included.
    pub left: Vec<ActorId>,
    /// The terminal's modes, once nobody was left; none if that is not known.
    pub modes: Option<TerminalModes>,
}

impl Outside {
    /// The same with names for processes. What concerns none of them is left out.
    pub(super) fn named(&self, names: &Names) -> Self {
        let named = |action: EnvironmentAction| -> Result<EnvironmentAction, UnknownPid> {
            Ok(match action {
                EnvironmentAction::Kill { actor } => {
                    EnvironmentAction::Kill { actor: names.actor(actor)? }
                }
                EnvironmentAction::Cut { actor } => {
                    EnvironmentAction::Cut { actor: names.actor(actor)? }
                }
                other => other,
            })
        };
        let mark = |mark: &Mark| {
            let action = named(mark.action).ok()?;
            Some(Mark { action, ..*mark })
        };
        let left = |ended: &FinalObservation| FinalObservation {
            left: ended.left.iter().filter_map(|one| names.actor(*one).ok()).collect(),
            ..ended.clone()
        };
        let mut actions: Vec<Mark> = self.actions.iter().filter_map(mark).collect();
        actions.sort_by_key(|mark| mark.at_ns);
        let ended = self.ended.as_ref().map(left);
        Self { actions, ended, modes: self.modes.clone(), until: self.until }
    }

    /// What a state was seen to be like that the model makes otherwise; none if nobody looked.
    ///
    /// `from` and `to` are the times of the last step before the state and of the first after it.
    pub(super) fn look(
        &self,
        topology: &Topology,
        system: &System,
        from: u64,
        to: u64,
    ) -> Option<System> {
        let root = topology.root().index();
        let over = matches!(
            &system.components()[root],
            ComponentValue::Actor(ProcessState::Zombie(..) | ProcessState::Gone)
        );
        let modes = match &self.ended {
            Some(ended) if over => ended.modes,
            Some(_) | None => {
                let seen = |(at, _): &&(u64, TerminalModes)| (from..to).contains(at);
                Some(self.modes.iter().rfind(seen)?.1)
            }
        };
        let parts =
            system.components().iter().enumerate().map(|(slot, part)| match (part, &self.ended) {
                (ComponentValue::SharedEnvironment(shared), _) => {
                    let modes = modes.unwrap_or(shared.modes);
                    let mut shared = shared.clone();
                    shared.modes = modes;
                    ComponentValue::SharedEnvironment(shared)
                }
                (ComponentValue::Actor(process), Some(ended)) if over && slot != root => {
                    let left = ended.left.iter().any(|actor| actor.index() == slot);
                    ComponentValue::Actor(process_as_seen(process, left))
                }
                (part, _) => part.clone(),
            });
        Some(System::from_components(parts.collect()))
    }
}

/// A process below a root that has ended, when it is known whether it was still there.
fn process_as_seen(process: &ProcessState, left: bool) -> ProcessState {
    match (process, left) {
        (ProcessState::Later, false) => ProcessState::Later,
        (_, false) => ProcessState::Gone,
        (ProcessState::Later | ProcessState::Gone, true) => {
            ProcessState::Zombie(Status::Killed, Parent::Init)
        }
        (ProcessState::Booting(_) | ProcessState::Running(_) | ProcessState::Zombie(..), true) => {
            process.clone()
        }
    }
}
