//! JSON lines: a line that describes the file, then one value a line.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a file of JSON lines cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JsonLinesError {
    /// Nothing is in it.
    #[error("the file is empty; {0} begins with a line that describes the run")]
    Empty(&'static str),
    /// A line is not valid JSON of its kind.
    #[error("line {line}, column {}: {}", json.column(), reason(json))]
    Line {
        /// Which line, counted from one.
        line: usize,
        /// What is wrong, as if the line were a file.
        json: serde_json::Error,
    },
}

/// What is wrong with a line, without the place in it.
fn reason(json: &serde_json::Error) -> String {
    let said = json.to_string();
    said.rsplit_once(" at line ").map_or(said.as_str(), |(reason, _)| reason).to_owned()
}

/// The file of a header and its values.
pub(crate) fn write<T: Serialize>(
    header: &impl Serialize,
    values: impl IntoIterator<Item = T>,
) -> String {
    let line = |json: serde_json::Result<String>| json.expect("plain data serialises") + "\n";
    let header = line(serde_json::to_string(header));
    values.into_iter().fold(header, |text, value| text + &line(serde_json::to_string(&value)))
}

/// The lines of a file behind the header.
#[derive(Debug)]
pub(crate) struct Values<'a> {
    lines: Vec<(usize, &'a str)>,
}

/// Reads the header of a file, which is `what`, with its article. Blank lines do not count.
///
/// # Errors
/// There is no line, or the first is not JSON of its kind.
pub(crate) fn read<'a, H: DeserializeOwned>(
    what: &'static str,
    text: &'a str,
) -> Result<(H, Values<'a>), JsonLinesError> {
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let first = lines.next().ok_or(JsonLinesError::Empty(what))?;
    Ok((parse(first)?, Values { lines: lines.collect() }))
}

impl Values<'_> {
    /// Reads the values.
    ///
    /// # Errors
    /// The first line that is not JSON of its kind.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<Vec<T>, JsonLinesError> {
        self.lines.iter().copied().map(parse).collect()
    }
}

fn parse<T: DeserializeOwned>((line, text): (usize, &str)) -> Result<T, JsonLinesError> {
    serde_json::from_str(text).map_err(|json| JsonLinesError::Line { line, json })
}
