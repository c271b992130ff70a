//! What is to be run on a stage, and how it stands to its terminal.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Who leads the session that owns the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionLeader {
    /// The shim, as a shell would: the program is a job in a process group of its own. It can be
    /// stopped and continued, and its end does not hang up the terminal. When the window is closed
    /// the kernel tells the shim, and the shim the job: who reads just then may see the end of
    /// its input before the SIGHUP.
    Shell,
    /// The program, as in a terminal window without a shell, or in a container. Its end hangs up
    /// the terminal for all that it leaves.
    Program,
}

/// Where the program starts, under [`SessionLeader::Shell`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobPlace {
    /// With the terminal.
    Foreground,
    /// As with `program &`.
    Background,
}

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSize {
    /// The number of rows.
    pub rows: u16,
    /// Characters a line.
    pub columns: u16,
}

/// A program, its arguments and its surroundings.
///
/// Of the environment of the caller it sees `PATH` alone, and `TERM` and `LANG` as the stage is:
/// so that a run is the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StagedProgram {
    pub(crate) path: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) size: WindowSize,
    pub(crate) leader: SessionLeader,
    pub(crate) place: JobPlace,
}

impl StagedProgram {
    /// The program at this path, or of this name on the `PATH`: in the foreground of a shell's
    /// session, on a terminal of 24 lines.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path_variable = std::env::var("PATH").unwrap_or_default();
        let known = [("PATH", &*path_variable), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8")];
        let env = known.map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self {
            path: path.into(),
            args: Vec::new(),
            env: BTreeMap::from(env),
            size: WindowSize { rows: 24, columns: 80 },
            leader: SessionLeader::Shell,
            place: JobPlace::Foreground,
        }
    }

    /// `sh -c` with this script.
    #[must_use]
    pub fn script(script: &str) -> Self {
        Self::new("sh").args(["-c", script])
    }

    /// Further arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(key.into(), value.into());
        self
    }

    /// The size of its terminal.
    #[must_use]
    pub fn size(mut self, rows: u16, columns: u16) -> Self {
        self.size = WindowSize { rows, columns };
        self
    }

    /// Who leads its session.
    #[must_use]
    pub fn leader(mut self, leader: SessionLeader) -> Self {
        self.leader = leader;
        self
    }

    /// Where it starts.
    #[must_use]
    pub fn place(mut self, place: JobPlace) -> Self {
        self.place = place;
        self
    }
}
