//! From a path to the cases below it, or to everything that is wrong with them.

use super::check::Checker;
use super::mistake::{Mistake, Mistakes};
use super::place::Places;
use super::{Case, Step};
use serde::Deserialize as _;
use std::path::{Path, PathBuf};
use std::{fs, io};
use toml::de::{DeTable, ValueDeserializer};

/// A case and the file it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The file.
    pub path: PathBuf,
    /// The case, free of mistakes.
    pub case: Case,
}

/// Why a scenario file can not be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It can not be read.
    #[error("failed to read {path}: {source}")]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is too long to be a scenario.
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
    /// It has mistakes.
    #[error(transparent)]
    Mistakes(Box<Mistakes>),
}

/// Reads every case at or directly below the paths, in order of their names.
///
/// # Errors
/// One for each file that can not be used.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Loaded>, Vec<LoadError>> {
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
/// If it can not be read, or is no case.
pub fn load_file(path: &Path) -> Result<Loaded, LoadError> {
    let bytes =
        fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
    if bytes.len() > LONGEST {
        return Err(LoadError::TooLong { path: path.to_owned(), bytes: bytes.len() });
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    match parse(&text, &stem.unwrap_or_default()) {
        Ok(case) => Ok(Loaded { path: path.to_owned(), case }),
        Err(list) => {
            let mistakes = Mistakes { path: path.to_owned(), text, list };
            Err(LoadError::Mistakes(Box::new(mistakes)))
        }
    }
}

/// Reads the text of a file that is called `<name>.toml`.
///
/// # Errors
/// Every mistake that can be told from the others; one, if the text is no TOML or has another
/// shape.
pub fn parse(text: &str, name: &str) -> Result<Case, Vec<Mistake>> {
    let table =
        DeTable::parse(text).map_err(|error| vec![Mistake::from_toml(&error, 0..0, None)])?;
    let places = Places::new(table);
    let case: Case = toml::from_str(text).map_err(|error| shape(&error, &places))?;
    let mut mistakes = Checker::check(&case, name, &places);
    mistakes.sort_by_key(|mistake| mistake.span.start);
    if mistakes.is_empty() { Ok(case) } else { Err(mistakes) }
}

/// What is wrong with the shape of a file. The parser stops at the first mistake, and knows of one
/// in a step only the list; so each step is looked at by itself.
fn shape(error: &toml::de::Error, places: &Places<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for step in places.steps() {
        let span = step.span();
        if let Err(error) = Step::deserialize(ValueDeserializer::from(step)) {
            mistakes.push(Mistake::from_toml(&error, span, Some(places)));
        }
    }
    let first = Mistake::from_toml(error, 0..0, Some(places));
    if mistakes.iter().all(|mistake| mistake.what != first.what) {
        mistakes.insert(0, first);
    }
    mistakes
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
