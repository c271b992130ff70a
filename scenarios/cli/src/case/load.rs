//! From a path to the cases below it, or to everything that is wrong with them.

use super::check::Checker;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::span::SpanMap;
use super::{Case, Step};
use serde::Deserialize as _;
use std::path::{Path, PathBuf};
use std::{fs, io};
use toml::de::{DeTable, ValueDeserializer};

/// A case and the file it came from.
#[derive(Clone, Debug)]
pub struct LoadedCase {
    /// The file.
    pub path: PathBuf,
    /// The case, free of mistakes.
    pub case: Case,
}

/// Why a scenario file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("failed to read {path}: {source}")]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is too long to be a scenario.
    #[error("{path} has {bytes} bytes; a scenario file has at most {LONGEST}")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// How long it is.
        bytes: usize,
    },
    /// A directory without any.
    #[error("no scenario file (*.toml) in {0}")]
    Empty(PathBuf),
    /// The file has mistakes.
    #[error(transparent)]
    Diagnostics(Box<Diagnostics>),
}

/// Reads every case at or directly below the paths, in order of their names.
///
/// # Errors
/// One for each file that cannot be used.
pub fn load(paths: &[PathBuf]) -> Result<Vec<LoadedCase>, Vec<LoadError>> {
    let (mut cases, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        match files(path) {
            Err(error) => errors.push(error),
            Ok(files) => {
                for file in files {
                    match load_file(&file) {
                        Ok(case) => cases.push(case),
                        Err(error) => errors.push(error),
                    }
                }
            }
        }
    }
    if errors.is_empty() { Ok(cases) } else { Err(errors) }
}

/// Reads one file.
///
/// # Errors
/// If it cannot be read, or is not a case.
pub fn load_file(path: &Path) -> Result<LoadedCase, LoadError> {
    let bytes =
        fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
    if bytes.len() > LONGEST {
        return Err(LoadError::TooLong { path: path.to_owned(), bytes: bytes.len() });
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    match parse(&text, &stem.unwrap_or_default()) {
        Ok(case) => Ok(LoadedCase { path: path.to_owned(), case }),
        Err(list) => {
            let diagnostics = Diagnostics { path: path.to_owned(), text, list };
            Err(LoadError::Diagnostics(Box::new(diagnostics)))
        }
    }
}

/// Reads the text of a file that is called `<name>.toml`.
///
/// # Errors
/// Every mistake that can be told from the others; one, if the text is not TOML or has another
/// shape.
pub fn parse(text: &str, name: &str) -> Result<Case, Vec<Diagnostic>> {
    let table =
        DeTable::parse(text).map_err(|error| vec![Diagnostic::from_toml(&error, 0..0, None)])?;
    let spans = SpanMap::new(table);
    let case: Case = toml::from_str(text).map_err(|error| shape(&error, &spans))?;
    let mut diagnostics = Checker::check(&case, name, &spans);
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    if diagnostics.is_empty() { Ok(case) } else { Err(diagnostics) }
}

/// What is wrong with the shape of a file. The parser stops at the first mistake, and knows of one
/// in a step only the list; so each step is looked at by itself.
fn shape(error: &toml::de::Error, spans: &SpanMap<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for step in spans.steps() {
        let span = step.span();
        if let Err(error) = Step::deserialize(ValueDeserializer::from(step)) {
            diagnostics.push(Diagnostic::from_toml(&error, span, Some(spans)));
        }
    }
    let first = Diagnostic::from_toml(error, 0..0, Some(spans));
    if diagnostics.iter().all(|diagnostic| diagnostic.what != first.what) {
        diagnostics.insert(0, first);
    }
    diagnostics
}

fn files(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let failed = |source| LoadError::Read { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() { Err(LoadError::Empty(path.to_owned())) } else { Ok(files) }
}

/// The most bytes of a scenario file.
pub const LONGEST: usize = 1 << 18;
