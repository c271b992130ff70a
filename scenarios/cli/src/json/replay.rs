//! `holdfast replay FILE --json`.

use holdfast_check::property::PropertyId;
use holdfast_check::schedule::ScheduleHeader;
use holdfast_check::trace::TraceHeader;
use holdfast_check::world::Action;
use serde::Serialize;

/// The result of `holdfast replay --json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReplayJson {
    /// The first line of the file.
    pub header: TraceHeader,
    /// `violated` (on `step`), `repeats`, `stuck`, `possible` (a lock-up: the steps are possible), or
    /// `walk` (nothing is claimed).
    pub confirmed: &'static str,
    /// The step on which the property is violated, counted from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// The steps.
    pub steps: Vec<StepJson>,
}

/// One step of a replay.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StepJson {
    /// What happened.
    pub action: Action,
    /// The same in words.
    pub text: String,
    /// What was done, in words.
    pub did: Vec<String>,
    /// Which properties the step, or the state behind it, breaks.
    pub broken: Vec<PropertyId>,
}

/// The result of `holdfast replay --json` of a schedule that still fails.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ScheduleJson<'a> {
    /// The first line of the file.
    pub header: &'a ScheduleHeader,
    /// `violated`: anything else is an error.
    pub confirmed: &'static str,
    /// How often a thread was chosen.
    pub choices: usize,
    /// What happened, line by line.
    pub story: &'a [String],
}
