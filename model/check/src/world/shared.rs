//! Everything that is not an actor and not a link: terminal, baton, budget, script.

use super::action::Fault;
use super::config::Budget;
use holdfast_protocol::RequestId;
use holdfast_protocol::rename;
use std::collections::BTreeMap;

/// Where a baton is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BatonState {
    /// Open somewhere: in a holder, or in a message on its way to it.
    Out,
    /// Closed everywhere; the root has not read the end of file.
    Closed,
}

/// The terminal's modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TerminalModes {
    /// As they were before the tree started.
    #[default]
    Original,
    /// Set by a debug session.
    Session,
}

/// How the root's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RootEnd {
    /// Of itself, or by a signal that it could have handled.
    Exited,
    /// By SIGKILL.
    Killed,
}

/// Terminal, baton, budget, script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SharedEnvironment {
    /// What the environment may still do.
    pub budget: Budget,
    /// The position in the script.
    pub at: u8,
    /// The terminal's modes.
    pub modes: TerminalModes,
    /// Every baton that is out, or whose end is unread.
    pub batons: BTreeMap<RequestId, BatonState>,
    /// How the root ended, once it has.
    pub root_end: Option<RootEnd>,
}

/// What happens to the shared environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SharedInput {
    /// The environment used up one of its faults.
    Spend(Fault),
    /// The script goes on.
    Advance,
    /// The root made a baton.
    MakeBaton(RequestId),
    /// The last copy of a baton was closed.
    CloseBaton(RequestId),
    /// The root has read the end of file.
    ReadBaton(RequestId),
    /// The terminal's modes were set.
    SetModes(TerminalModes),
    /// The root's process ended.
    EndRoot(RootEnd),
}

impl SharedEnvironment {
    /// A fresh one.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        Self {
            budget,
            at: 0,
            modes: TerminalModes::default(),
            batons: BTreeMap::new(),
            root_end: None,
        }
    }

    /// Takes one input.
    pub fn step(&mut self, input: SharedInput) {
        match input {
            SharedInput::Spend(fault) => self.budget.spend(fault),
            SharedInput::Advance => self.at += 1,
            SharedInput::MakeBaton(request) => {
                self.batons.insert(request, BatonState::Out);
            }
            SharedInput::CloseBaton(request) => {
                if let Some(baton) = self.batons.get_mut(&request) {
                    *baton = BatonState::Closed;
                }
            }
            SharedInput::ReadBaton(request) => {
                self.batons.remove(&request);
            }
            SharedInput::SetModes(modes) => self.modes = modes,
            SharedInput::EndRoot(end) => self.root_end = Some(end),
        }
    }
}

rename!(struct SharedEnvironment { budget, at, modes, batons, root_end });
rename!(nothing in Budget, BatonState, TerminalModes, RootEnd);
