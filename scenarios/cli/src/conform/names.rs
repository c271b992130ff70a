//! Process ids to actors of the model.

use super::record::Line;
use holdfast_protocol::{ActorId, Rename as _};
use std::collections::BTreeMap;

/// Which process is which actor of the model.
#[derive(Clone, Debug, Default)]
pub struct Names {
    by_process: BTreeMap<ActorId, ActorId>,
}

/// A process that no record knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPid(pub ActorId);

impl Names {
    /// Gives names in order.
    pub fn new(processes: impl IntoIterator<Item = ActorId>) -> Self {
        Self { by_process: processes.into_iter().zip((0..).map(ActorId)).collect() }
    }

    /// The name of a process.
    ///
    /// # Errors
    /// If it is not of this tree.
    pub fn actor(&self, process: ActorId) -> Result<ActorId, UnknownPid> {
        self.by_process.get(&process).copied().ok_or(UnknownPid(process))
    }

    /// A line with names for processes.
    ///
    /// # Errors
    /// If it names a process that is not of this tree.
    pub fn line(&self, line: &Line) -> Result<Line, UnknownPid> {
        let mut name = |process| self.actor(process);
        let (input, outputs) =
            (line.input.try_renamed(&mut name)?, line.outputs.try_renamed(&mut name)?);
        Ok(Line { input, outputs, ..line.clone() })
    }
}
