//! Conformance: whether what real processes recorded is a run of the model (trace validation).
//!
//! ```text
//!     DIR/*.jsonl --read--> records --group--> recorded (tree, names) --merge--> one order of all lines
//!                                                                               |
//!                      verdict <--judge-- every step and state of the world <---+
//! ```
//!
//! Each line of a record is an input of one actor's node and the outputs that followed. The merged
//! run performs, in one causally consistent order, the action of the model's world that comes to
//! each input, and demands the same outputs in the same order. A message read must be the next one
//! on its link, a reaped process must have ended that way, a timer must be armed, a baton closed.
//!
//! What nobody can write down is inferred, at the time of the line that needs it: SIGKILL of an
//! actor whose record stops without an exit, the end of a program that is not an actor, a link that
//! was cut, a signal from outside. The merged run also has what was seen from outside of the tree
//! ([`outside`]). Each of its steps and states is judged by all always-properties.
//!
//! # Not compared
//! 1. How long anything took. The properties are judged on one of the orders that the records allow,
//!    the likeliest by the clock (`merge` has the rule), not on all.
//! 2. How an adopted process ended: the root does not know whether its exit code is an actor's.
//! 3. Where SIGTERM, SIGHUP and SIGQUIT came from; how many Ctrl-C came together.
//! 4. The boot of an actor that left a record: in the model it takes signals as soon as it is started.
//! 5. How much an actor that was killed performed of its last line, which is written before its
//!    outputs are performed, in their order: the most with which the rest fits, a first part or all.
//! 6. A link that was cut, if one of the two did not live to read its end: then the record does not
//!    conform, since a cut would explain too much.
//!
//! Reading order: [`record`], [`names`], [`participants`], [`outside`], `ready`, `merge`, [`verdict`].

mod merge;
pub mod names;
pub mod outside;
pub mod participants;
mod ready;
pub mod record;
pub mod verdict;
mod words;

use outside::Outside;
use participants::ParticipantsError;
use record::RecordError;
use std::path::Path;
use verdict::Verdict;

/// Why nothing can be said about a folder.
#[derive(Debug, thiserror::Error)]
pub enum ConformError {
    /// A record is none.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The records are not of one run.
    #[error(transparent)]
    RecordedRun(#[from] ParticipantsError),
}

/// Checks every run that was recorded in a folder, or in a folder in it.
///
/// # Errors
/// If its records cannot be used.
pub fn conform(folder: &Path) -> Result<Vec<Verdict>, ConformError> {
    conform_seen(folder, &Outside::default())
}

/// The same for one run that was also seen from outside.
///
/// # Errors
/// If its records cannot be used.
pub fn conform_seen(folder: &Path, outside: &Outside) -> Result<Vec<Verdict>, ConformError> {
    let mut verdicts = Vec::new();
    for records in record::read(folder)? {
        verdicts.extend(participants::group(records, outside)?.into_iter().map(Verdict::of));
    }
    Ok(verdicts)
}
