//! What the command writes: text and JSON on the standard output, errors on the standard error.
//!
//! # Rules
//! 1. An output that cannot be written (a full disk) makes the command end with 2, whatever it found.
//! 2. A reader that has left early (`| head`) is not an error.

use crate::exit::ExitClass;
use std::error::Error;
use std::io::{self, ErrorKind, Write as _};
use std::sync::OnceLock;

/// The first failure to write; the standard output is one for the whole process, and so is this.
static FAILURE: OnceLock<io::Error> = OnceLock::new();

/// The output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the output")]
struct OutputError(#[source] &'static io::Error);

/// Writes to the standard output.
pub(crate) fn print(text: &str) {
    let mut out = anstream::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = FAILURE.set(error);
    }
}

/// Writes one JSON object and nothing else.
pub(crate) fn print_json(value: &impl serde::Serialize) {
    let text = serde_json::to_string_pretty(value).expect("plain data serialises");
    print(&format!("{text}\n"));
}

/// Writes one JSON value as a line.
pub(crate) fn print_json_line(value: &impl serde::Serialize) {
    let text = serde_json::to_string(value).expect("plain data serialises");
    print(&format!("{text}\n"));
}

/// Says something besides the result, on the standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Says what is wrong, with all its causes, and how the command ends for it.
pub(crate) fn complain(error: &dyn Error) -> ExitClass {
    let mut causes: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let said = error.to_string();
        // Some messages repeat their cause already.
        if !causes.last().is_some_and(|last| last.contains(&said)) {
            causes.push(said);
        }
        cause = error.source();
    }
    let red = anstyle::AnsiColor::Red.on_default().bold();
    note(&format!("{red}error:{red:#} {}", causes.join(": ")));
    ExitClass::BadInput
}

/// How the command ends: as it would, unless its output could not be written.
pub(super) fn end(exit: ExitClass) -> ExitClass {
    match FAILURE.get() {
        None => exit,
        Some(error) => complain(&OutputError(error)),
    }
}
