//! What an actor handled, written down for a check against the model.
//!
//! With `HOLDFAST_RECORD=DIR` every actor of a tree writes a file `DIR/PATH.PID.jsonl`: one line about
//! itself, then one for each input with the outputs that followed, and when that was. A link keeps the
//! order of its messages, so the n-th `Send` to a neighbour is its n-th `Received`; that alone decides
//! which orders of the lines of different actors are possible, and the clock says which was likely.
//!
//! A line is written before its outputs are performed, in one write(2), so a file is whole up to its
//! last line however its process ends.

use crate::error::{RuntimeError, failed};
use crate::settings::{Debugging, Settings};
use holdfast_protocol::Placement;
use holdfast_protocol::{ActorId, Input, NamedPolicy, Output};
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

/// The variable that names the directory.
pub const RECORD_VARIABLE: &str = "HOLDFAST_RECORD";

/// The version of the format.
pub const VERSION: u32 = 2;

/// The first line of a record: whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordHeader {
    /// The version of the format.
    pub holdfast_record: u32,
    /// The actor, which is its process.
    pub actor: ActorId,
    /// Its path from the root.
    pub path: Vec<String>,
    /// Its supervisor; the root has none.
    pub supervisor: Option<ActorId>,
    /// The root of its tree.
    pub root: ActorId,
    /// The policy of the tree.
    pub policy: NamedPolicy,
    /// The placement of the tree.
    pub placement: Placement,
    /// Whether its failures open a prompt.
    pub debugging: Debugging,
}

/// Each further line of a record: an input and what followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordLine {
    /// When, in nanoseconds of the clock of [`now_ns`].
    pub at_ns: u64,
    /// What happened to the node.
    pub input: Input,
    /// What it asked for.
    pub outputs: Vec<Output>,
}

/// Where a run is written to.
#[derive(Debug)]
pub(crate) struct Recorder {
    file: Option<File>,
}

impl Recorder {
    /// Starts the record of an actor, if the environment asks for one.
    ///
    /// # Errors
    /// The directory cannot be written to.
    pub(crate) fn start(
        actor: ActorId,
        path: &[String],
        supervisor: Option<ActorId>,
        root: ActorId,
        settings: &Settings,
    ) -> Result<Self, RuntimeError> {
        let mut recorder = Self { file: None };
        let Some(folder) = std::env::var_os(RECORD_VARIABLE) else {
            return Ok(recorder);
        };
        let name = format!("{}.{}.jsonl", short(path.join("~")), actor.0);
        let path_of = PathBuf::from(folder).join(name);
        let file = OpenOptions::new().create_new(true).append(true).open(path_of);
        recorder.file = Some(file.map_err(failed("write a record"))?);
        recorder.write(&RecordHeader {
            holdfast_record: VERSION,
            actor,
            path: path.to_vec(),
            supervisor,
            root,
            policy: settings.policy.clone(),
            placement: settings.placement,
            debugging: settings.debugging,
        });
        Ok(recorder)
    }

    pub(crate) fn handled(&mut self, input: Input, outputs: &[Output]) {
        if self.file.is_some() {
            self.write(&RecordLine { at_ns: now_ns(), input, outputs: outputs.to_vec() });
        }
    }

    fn write(&mut self, line: &impl Serialize) {
        let Some(file) = &mut self.file else { return };
        let mut text = serde_json::to_vec(line).expect("plain data serialises");
        text.push(b'\n');
        if let Err(error) = file.write_all(&text) {
            tracing::error!(target: "holdfast", %error, "the record ends here");
            self.file = None;
        }
    }
}

/// A name that a file can have beside a number and an ending: a long one without its middle.
fn short(path: String) -> String {
    if path.len() <= LONGEST {
        return path;
    }
    let begin = path.floor_char_boundary(LONGEST / 2);
    let end = path.ceil_char_boundary(path.len() - LONGEST / 2);
    format!("{}...{}", &path[..begin], &path[end..])
}

/// The longest path in the name of a record, in bytes; names of files have at most 255.
const LONGEST: usize = 200;

/// The time since boot in nanoseconds: one clock for all processes of a machine.
#[must_use]
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(std::time::Duration::from);
    now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}
