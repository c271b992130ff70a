//! The traces of expected failures, kept beside the cases.

use crate::chart::Chart;
use holdfast_check::trace::{Trace, perform};
use holdfast_check::world::Topology;
use holdfast_protocol::policy::PolicyName;
use similar::TextDiff;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// How a trace compares with the one that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The two are the same.
    Same,
    /// None is kept.
    Missing,
    /// The two differ; this is how, as a diff of charts.
    Changed(String),
}

/// Where the trace of a case under a policy is kept.
#[must_use]
pub fn path(case: &Path, policy: PolicyName) -> PathBuf {
    case.with_extension(format!("{policy}.trace"))
}

/// Compares a trace with the one that is kept.
#[must_use]
pub fn compare(path: &Path, trace: &Trace) -> Comparison {
    let Ok(kept) = fs::read_to_string(path) else { return Comparison::Missing };
    let text = trace.to_text();
    if kept == text {
        return Comparison::Same;
    }
    let (old, new) = (Trace::from_text(&kept).map_or(kept, |kept| draw(&kept)), draw(trace));
    let (old, new) = if old == new { (old + "(another header)\n", new) } else { (old, new) };
    let diff = TextDiff::from_lines(&old, &new);
    Comparison::Changed(diff.unified_diff().header("kept", "now").to_string())
}

/// Keeps a trace.
///
/// # Errors
/// If the file cannot be written.
pub fn keep(path: &Path, trace: &Trace) -> io::Result<()> {
    fs::write(path, trace.to_text())
}

/// The chart of a trace; where it cannot be performed any longer, its steps as far as they go.
#[must_use]
pub fn draw(trace: &Trace) -> String {
    let Ok(config) = trace.config() else { return trace.to_text() };
    let topology = Topology::new(config);
    let mut performed = trace.steps.len();
    loop {
        match perform(&topology, &trace.steps[..performed]) {
            Ok(steps) => {
                let (breaks, repeats) = (trace.header.breaks, trace.header.repeats);
                let chart = Chart { topology: &topology, steps: &steps, breaks, repeats };
                return chart.to_string();
            }
            Err(_) => performed -= 1,
        }
    }
}
