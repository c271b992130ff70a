//! Procfiles and `.env` files, in the formats of foreman; what is wrong is said with its place.

use std::path::{Path, PathBuf};

/// One line of a Procfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcfileEntry {
    /// The name of the program.
    pub name: String,
    /// What a shell is to run.
    pub command: String,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadProcfile {
    /// The file cannot be read.
    #[error("failed to read {path}: {source}")]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A line is not what belongs there.
    #[error("{path}:{line}:{column}: expected {expected}, found {found}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// There is no program in it.
    #[error("{path}: expected a line like `web: python3 server.py`, found no program")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a Procfile.
///
/// # Errors
/// The file cannot be read, a line is wrong, a name is there twice, or there is no program.
pub fn read(path: &Path) -> Result<Vec<ProcfileEntry>, BadProcfile> {
    parse(path, &text(path)?)
}

/// Reads a file of variables.
///
/// # Errors
/// The file cannot be read, or a line is wrong.
pub fn read_variables(path: &Path) -> Result<Vec<(String, String)>, BadProcfile> {
    parse_variables(path, &text(path)?)
}

fn text(path: &Path) -> Result<String, BadProcfile> {
    let failed = |source| BadProcfile::Unreadable { path: path.to_owned(), source };
    std::fs::read_to_string(path).map_err(failed)
}

/// The lines that say something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

fn parse(path: &Path, text: &str) -> Result<Vec<ProcfileEntry>, BadProcfile> {
    let mut entries: Vec<ProcfileEntry> = Vec::new();
    for (line, content) in lines(text) {
        let wrong = |at: usize, expected, found: String| BadProcfile::Line {
            path: path.to_owned(),
            line,
            column: content[..at].chars().count() + 1,
            expected,
            found,
        };
        let end = content.find(|letter| !is_of_name(letter)).unwrap_or(content.len());
        let (name, rest) = content.split_at(end);
        let Some(command) = rest.strip_prefix(':') else {
            let found = rest.chars().next().map_or("the end of the line".to_owned(), quoted);
            let expected =
                if name.is_empty() { "a name (a-z, 0-9, _, -)" } else { "`:` after the name" };
            return Err(wrong(end, expected, found));
        };
        if name.is_empty() {
            return Err(wrong(0, "a name (a-z, 0-9, _, -)", quoted(':')));
        }
        if command.trim().is_empty() {
            return Err(wrong(end + 1, "a command", "the end of the line".to_owned()));
        }
        if entries.iter().any(|entry| entry.name == name) {
            return Err(wrong(0, "a name that is not taken", format!("`{name}` once more")));
        }
        entries.push(ProcfileEntry { name: name.to_owned(), command: command.trim().to_owned() });
    }
    match entries.is_empty() {
        true => Err(BadProcfile::Empty { path: path.to_owned() }),
        false => Ok(entries),
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')
}

fn quoted(letter: char) -> String {
    format!("`{}`", letter.escape_debug())
}

fn parse_variables(path: &Path, text: &str) -> Result<Vec<(String, String)>, BadProcfile> {
    let mut variables = Vec::new();
    for (line, whole) in lines(text) {
        let content = whole.trim_start();
        let content = content.strip_prefix("export ").map_or(content, str::trim_start);
        let begin = whole.len() - content.len();
        let end = content.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
        let end = end.unwrap_or(content.len());
        let value = content[end..].strip_prefix('=').filter(|_| end > 0);
        let Some(value) = value else {
            return Err(BadProcfile::Line {
                path: path.to_owned(),
                line,
                column: whole[..begin + end].chars().count() + 1,
                expected: "NAME=VALUE",
                found: content[end..].chars().next().map_or("the end of the line".into(), quoted),
            });
        };
        variables.push((content[..end].to_owned(), unquoted(value.trim())));
    }
    Ok(variables)
}

/// A value without its quotes: as it is in single ones, with `\n` and the like in double ones.
fn unquoted(value: &str) -> String {
    let within = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(value) = within('\'') {
        return value.to_owned();
    }
    let Some(value) = within('"') else { return value.to_owned() };
    let mut plain = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            letter => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn procfile(text: &str) -> Result<Vec<(String, String)>, String> {
        let entries = parse(Path::new("Procfile"), text).map_err(|error| error.to_string())?;
        Ok(entries.into_iter().map(|entry| (entry.name, entry.command)).collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn names_and_commands_are_read() {
        let text = "# a comment\nweb: python3 -m http.server $PORT\n\n  # another\nwork-er_2:sleep 1 # kept\n";
        let expected = [("web", "python3 -m http.server $PORT"), ("work-er_2", "sleep 1 # kept")];
        assert_eq!(procfile(text), Ok(pairs(&expected)));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let table = [
            ("web python3", "Procfile:1:4: expected `:` after the name, found ` `"),
            ("a: b\nweb", "Procfile:2:4: expected `:` after the name, found the end of the line"),
            ("a: b\n: b", "Procfile:2:1: expected a name (a-z, 0-9, _, -), found `:`"),
            (" a: b", "Procfile:1:1: expected a name (a-z, 0-9, _, -), found ` `"),
            ("a:  ", "Procfile:1:3: expected a command, found the end of the line"),
            ("a: b\na: c", "Procfile:2:1: expected a name that is not taken, found `a` once more"),
            ("# none", "Procfile: expected a line like `web: python3 server.py`, found no program"),
            ("é: b", "Procfile:1:1: expected a name (a-z, 0-9, _, -), found `é`"),
        ];
        for (text, expected) in table {
            assert_eq!(procfile(text), Err(expected.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn variables_are_read_with_their_quotes() {
        let text = "A=1\nexport B='x $y'\n# c\nC=\"a\\nb\\\"\"\nD=\n";
        let read = parse_variables(Path::new(".env"), text).map_err(|error| error.to_string());
        assert_eq!(read, Ok(pairs(&[("A", "1"), ("B", "x $y"), ("C", "a\nb\""), ("D", "")])));
        let read =
            parse_variables(Path::new(".env"), "A=1\nB C=2").map_err(|error| error.to_string());
        assert_eq!(read, Err(".env:2:2: expected NAME=VALUE, found ` `".to_owned()));
    }
}
