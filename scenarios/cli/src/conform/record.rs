//! The records of a folder, as the runtime writes them: one file an actor.

use holdfast::recorder::{RecordHeader, RecordLine, VERSION};
use holdfast_protocol::{Input, Output};
use std::path::{Path, PathBuf};

/// What one actor wrote.
#[derive(Clone, Debug)]
pub struct Record {
    /// The name of the file in its folder.
    pub file: String,
    /// Whose it is.
    pub header: RecordHeader,
    /// What it handled.
    pub lines: Vec<Line>,
    /// Whether it is whole up to its end.
    pub tail: Tail,
}

/// An input and what followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it stands in the file, counted from one.
    pub number: usize,
    /// When it was written, by the clock of the machine.
    pub at_ns: u64,
    /// What happened to the node.
    pub input: Input,
    /// What it asked for.
    pub outputs: Vec<Output>,
}

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// With a whole line.
    Whole,
    /// In the middle of a line: the actor died while it wrote that, so it did nothing of it.
    Torn,
}

/// Why records cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file or folder cannot be read.
    #[error("failed to read {path}")]
    Read {
        /// The path.
        path: PathBuf,
        /// The underlying error.
        source: std::io::Error,
    },
    /// Nothing there.
    #[error(
        "no record in {0}; run a program of the runtime with HOLDFAST_RECORD={0}, or use \
         `holdfast record`"
    )]
    Nothing(PathBuf),
    /// A line is none.
    #[error("{file}:{line}: column {}: {}", json.column(), reason(json))]
    Line {
        /// In which file.
        file: String,
        /// Which line, counted from one.
        line: usize,
        /// What is wrong with it.
        json: serde_json::Error,
    },
    /// Another version of the format.
    #[error("{file}:1: the record has version {version}, this program reads version {VERSION}")]
    Version {
        /// In which file.
        file: String,
        /// Its version.
        version: u32,
    },
}

/// What is wrong with a line, without the place in it.
fn reason(json: &serde_json::Error) -> String {
    let said = json.to_string();
    said.rsplit_once(" at line ").map_or(said.as_str(), |(reason, _)| reason).to_owned()
}

/// Reads every record of a folder and of the folders in it, one list a folder, in the order of
/// their names.
///
/// # Errors
/// If one cannot be read, or there is none.
pub fn read(folder: &Path) -> Result<Vec<Vec<Record>>, RecordError> {
    let mut folders = Vec::new();
    read_below(folder, "", &mut folders)?;
    if folders.is_empty() { Err(RecordError::Nothing(folder.to_owned())) } else { Ok(folders) }
}

fn read_below(
    folder: &Path,
    prefix: &str,
    folders: &mut Vec<Vec<Record>>,
) -> Result<(), RecordError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| RecordError::Read { path, source }
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        paths.push(entry.map_err(failed(folder))?.path());
    }
    paths.sort();
    let name = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!("{prefix}{name}")
    };
    let mut records = Vec::new();
    for path in &paths {
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            let bytes = std::fs::read(path).map_err(failed(path))?;
            records.extend(parse(&name(path), &bytes)?);
        }
    }
    if !records.is_empty() {
        folders.push(records);
    }
    for path in paths.iter().filter(|path| path.is_dir()) {
        read_below(path, &format!("{}/", name(path)), folders)?;
    }
    Ok(())
}

/// Reads one record; none if the actor died before it had written whose it is.
///
/// # Errors
/// If a line is none, or the version is another.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Option<Record>, RecordError> {
    let tail = if bytes.ends_with(b"\n") || bytes.is_empty() { Tail::Whole } else { Tail::Torn };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let wrong = |line| {
        let file = file.to_owned();
        move |json| RecordError::Line { file, line, json }
    };
    let mut lines = bytes[..whole].split_inclusive(|byte| *byte == b'\n').zip(1..);
    let Some((first, _)) = lines.next() else { return Ok(None) };
    let header: RecordHeader = serde_json::from_slice(first).map_err(wrong(1))?;
    if header.holdfast_record != VERSION {
        let (file, version) = (file.to_owned(), header.holdfast_record);
        return Err(RecordError::Version { file, version });
    }
    let line = |(text, number)| {
        let line: RecordLine = serde_json::from_slice(text).map_err(wrong(number))?;
        let RecordLine { at_ns, input, outputs } = line;
        Ok(Line { number, at_ns, input, outputs })
    };
    let lines = lines.map(line).collect::<Result<_, _>>()?;
    Ok(Some(Record { file: file.to_owned(), header, lines, tail }))
}
