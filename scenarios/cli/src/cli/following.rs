//! `holdfast run --follow`: real processes along a counterexample of the model.

use super::print;
use super::run::RunError;
use crate::exit::ExitClass;
use crate::on_live::Setup;
use crate::on_live::follow::{Followed, follow};
use holdfast_check::trace::Trace;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Follows a counterexample with real processes.
pub(super) fn follow_trace(file: &Path) -> Result<ExitClass, RunError> {
    let path = || file.to_owned();
    let text =
        fs::read_to_string(file).map_err(|source| RunError::Read { path: path(), source })?;
    let trace =
        Trace::from_text(&text).map_err(|source| RunError::Trace { path: path(), source })?;
    let records = tempfile::Builder::new().prefix("holdfast-records-").tempdir();
    let records = records.map_err(RunError::Prepare)?;
    let setup = Setup::here(records.path()).map_err(RunError::Prepare)?;
    let followed = follow(&trace, &setup, &AtomicBool::new(false))
        .map_err(|source| RunError::Follow { path: path(), source })?;
    let (text, exit) = told(&trace, &followed);
    print(&text);
    Ok(exit)
}

/// What came of following a trace, in words.
fn told(trace: &Trace, followed: &Followed) -> (String, ExitClass) {
    let mut text = String::new();
    for event in &followed.story {
        let _ = writeln!(text, "  {event}");
    }
    for (property, seen) in &followed.violated {
        let _ = writeln!(text, "✗ {seen} ({property})");
    }
    let (seen, all) = (followed.steps, trace.steps.len());
    let _ = writeln!(text, "{seen} of {all} steps of the trace were seen");
    let broken = followed.violated.iter().any(|(id, _)| Some(*id) == trace.header.breaks);
    let exit = match &followed.left {
        Some(why) => {
            let _ = writeln!(text, "there the real tree left the trace: {why}");
            ExitClass::Conformance
        }
        None if broken => {
            text.push_str("the property is violated on real processes too\n");
            ExitClass::Holds
        }
        None => {
            text.push_str("the property was not seen to be violated\n");
            ExitClass::Expectation
        }
    };
    (text, exit)
}
