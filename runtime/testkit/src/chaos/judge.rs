//! What the root's own record says of its end.

use crate::shim::ProcessEnd;
use holdfast::recorder::RecordLine;
use holdfast_protocol::{Cause, Input, Output, Signal, Status};
use std::fs;
use std::io;
use std::path::Path;

/// The code that a root must end with, by the last lines of its record; none if it never got there.
pub(super) fn expected(records: &Path, root: i32) -> io::Result<Option<ProcessEnd>> {
    let Some(lines) = lines_of(records, root)? else { return Ok(None) };
    let mut cause = Cause::Requested;
    let mut stopped = None;
    let mut status = None;
    for line in lines {
        if let Input::Signalled { signal, .. } = line.input
            && signal != Signal::Interrupt
        {
            stopped.get_or_insert(signal);
        }
        for output in line.outputs {
            match output {
                Output::TeardownStarted { cause: why } => cause = why,
                Output::Exit { status: how } => status = Some(how),
                _ => {}
            }
        }
    }
    Ok(status.map(|status| ProcessEnd::Code(code(status, cause, stopped))))
}

fn code(status: Status, cause: Cause, stopped: Option<Signal>) -> i32 {
    let by_signal = match stopped {
        Some(Signal::Hangup) => 129,
        Some(Signal::Quit) => 131,
        Some(Signal::Interrupt | Signal::Terminate) | None => 143,
    };
    match (status, cause) {
        (Status::Finished, _) => 0,
        (Status::Failed, _) => 1,
        (Status::Killed, _) | (Status::Cancelled, Cause::Stopped) => by_signal,
        (Status::Cancelled, Cause::Interrupted) => 130,
        (Status::Cancelled, Cause::Deadline) => 124,
        (Status::Cancelled, _) => 125,
    }
}

fn lines_of(records: &Path, root: i32) -> io::Result<Option<Vec<RecordLine>>> {
    for folder in fs::read_dir(records)? {
        for file in fs::read_dir(folder?.path())? {
            let file = file?;
            if file.file_name() == format!("root.{root}.jsonl").as_str() {
                let text = fs::read_to_string(file.path())?;
                // The first line is the header; a last one may be torn.
                let lines = text.lines().skip(1).map_while(|line| serde_json::from_str(line).ok());
                return Ok(Some(lines.collect()));
            }
        }
    }
    Ok(None)
}
