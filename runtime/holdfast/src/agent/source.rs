//! The source around the place where a task paused.
//!
//! Runs in the agent's thread. The compiler names a file as it was told to: relative to the
//! workspace, most of the time. So the file is looked for from where the program and the process
//! are, upwards.

use super::within;
use crate::session::{Reply, SourceExcerpt, cut};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// The lines around a line of a file.
pub(super) fn around(file: &str, line: u32, around: u32) -> Reply {
    if file.is_empty() {
        return Reply::Failed("an error that was returned has no place in the source".to_owned());
    }
    let here = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    let program = program.as_deref().and_then(Path::parent);
    let places = candidates(file, &[program, here.as_deref()]);
    match places.iter().find(|place| place.is_file()) {
        None => Reply::Failed(missing(file, &places)),
        Some(found) => match excerpt(found, line, around.min(MOST)) {
            Ok(source) if source.lines.is_empty() => {
                Reply::Failed(format!("{} has no line {line}", found.display()))
            }
            Ok(source) => Reply::Source(source),
            Err(error) => Reply::Failed(format!("{} cannot be read: {error}", found.display())),
        },
    }
}

/// Where the file may be: as named, and relative to each folder and all that are above it.
fn candidates(file: &str, folders: &[Option<&Path>]) -> Vec<PathBuf> {
    let named = Path::new(file);
    let mut places = vec![named.to_owned()];
    if named.is_relative() {
        let above = folders.iter().flatten().flat_map(|folder| folder.ancestors());
        for folder in above {
            let place = folder.join(named);
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

fn missing(file: &str, places: &[PathBuf]) -> String {
    let tried: Vec<String> = places.iter().map(|place| format!("  {}", place.display())).collect();
    format!("the source {file} is not here; tried\n{}", tried.join("\n"))
}

fn excerpt(path: &Path, line: u32, around: u32) -> io::Result<SourceExcerpt> {
    let first = line.saturating_sub(around).max(1);
    let count = line.saturating_add(around).saturating_sub(first).saturating_add(1);
    let mut lines = Vec::new();
    let mut reader = BufReader::new(File::open(path)?);
    let mut bytes = Vec::new();
    for number in 1..first.saturating_add(count) {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        if number >= first {
            let text = String::from_utf8_lossy(&bytes);
            lines.push(cut(text.trim_end_matches(['\n', '\r']), WIDEST).to_owned());
        }
    }
    if lines.len() <= line.saturating_sub(first) as usize {
        lines.clear();
    }
    let file = path.display().to_string();
    Ok(SourceExcerpt { file, first, marked: line, lines: within(lines) })
}

/// The most lines before and after.
const MOST: u32 = 200;

/// The most bytes of a line.
const WIDEST: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    fn folder_with(name: &str, lines: u32) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let text = (1..=lines).fold(String::new(), |mut text, n| {
            writeln!(text, "line {n}").unwrap();
            text
        });
        std::fs::write(folder.path().join(name), text).unwrap();
        folder
    }

    #[test]
    fn the_lines_around_are_cut_at_both_ends_of_the_file() {
        let table = [(1, 1, 1, vec![1, 2]), (3, 1, 2, vec![2, 3, 4]), (5, 2, 3, vec![3, 4, 5])];
        let folder = folder_with("a.rs", 5);
        let path = folder.path().join("a.rs");
        for (line, around, first, numbers) in table {
            let source = excerpt(&path, line, around).unwrap();
            let lines: Vec<String> = numbers.iter().map(|n| format!("line {n}")).collect();
            assert_eq!((source.first, source.marked, source.lines), (first, line, lines), "{line}");
        }
    }

    #[test]
    fn a_line_behind_the_end_is_a_failure() {
        let folder = folder_with("a.rs", 2);
        let path = folder.path().join("a.rs").display().to_string();
        assert_eq!(around(&path, 3, 1), Reply::Failed(format!("{path} has no line 3")));
    }

    #[test]
    fn a_relative_file_is_looked_for_upwards() {
        let places =
            candidates("src/a.rs", &[Some(Path::new("/x/y")), None, Some(Path::new("/x"))]);
        let places: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
        assert_eq!(places, ["src/a.rs", "/x/y/src/a.rs", "/x/src/a.rs", "/src/a.rs"]);
        assert_eq!(candidates("/a.rs", &[Some(Path::new("/x"))]), [PathBuf::from("/a.rs")]);
    }

    #[test]
    fn this_very_file_is_found() {
        assert!(matches!(around(file!(), line!(), 2), Reply::Source(_)));
    }

    #[test]
    fn what_is_not_found_says_what_was_tried() {
        let Reply::Failed(text) = around("no/such.rs", 1, 1) else { panic!("it is not there") };
        assert!(text.starts_with("the source no/such.rs is not here; tried\n  no/such.rs\n"));
        assert!(text.contains("target"), "{text}");
    }
}
