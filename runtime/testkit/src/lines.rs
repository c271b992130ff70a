//! Values as lines of JSON, over a stream.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, BufRead, Write};

/// Writes one value, in one write, so that writers that take turns do not mix.
pub(crate) fn write(mut to: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    to.write_all(&line)
}

/// Reads one value; none at the end of the stream. A line that is not such a value is `InvalidData`,
/// with the line in its message.
pub(crate) fn read<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    serde_json::from_str(&line).map(Some).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{error} in the line {line:?}"))
    })
}
