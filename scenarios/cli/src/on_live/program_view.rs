//! A program below a host of a live tree, as it is known.

use super::mirrored_actor::Life;
use holdfast_testkit::ActorEvent;

/// A program that knows nothing of the tree.
#[derive(Debug)]
pub(super) struct ProgramView {
    pub(super) pid: u32,
    pub(super) life: Life,
    /// On which connection it tells.
    pub(super) connection: usize,
    /// Whether it is about to read a line, or reads it.
    pub(super) reads: bool,
    /// The lines that it has read.
    pub(super) lines: Vec<String>,
    /// How many SIGINT it has taken.
    pub(super) interrupts: usize,
}

impl ProgramView {
    pub(super) fn new(pid: u32, connection: usize) -> Self {
        let (life, lines) = (Life::Running, Vec::new());
        Self { pid, life, connection, reads: false, lines, interrupts: 0 }
    }

    pub(super) fn said(&mut self, event: &ActorEvent) {
        match event {
            ActorEvent::Reading {} => self.reads = true,
            ActorEvent::Line { text } => {
                self.reads = false;
                self.lines.push(text.clone());
            }
            ActorEvent::Interrupted {} => self.interrupts += 1,
            _ => {}
        }
    }
}
