//! How the command ends: one code for each class of outcome.

use holdfast_check::report::CheckOutcome;

/// The exit codes of `holdfast`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitClass {
    /// Everything holds, every expectation is met.
    Holds = 0,
    /// A file, an argument or a message that cannot be used.
    BadInput = 2,
    /// An always-property is violated, or was never put to the test.
    Safety = 10,
    /// A leads-to is violated, or the tree can lock up.
    Liveness = 11,
    /// A recorded run is none of the model.
    Conformance = 12,
    /// An expectation of a scenario is not met.
    Expectation = 13,
    /// A limit was reached before everything was explored.
    NotExhausted = 14,
    /// The person stopped it.
    Interrupted = 130,
}

impl From<CheckOutcome> for ExitClass {
    fn from(outcome: CheckOutcome) -> Self {
        match outcome {
            CheckOutcome::Holds => Self::Holds,
            CheckOutcome::SafetyViolated | CheckOutcome::Vacuous => Self::Safety,
            CheckOutcome::LivenessViolated => Self::Liveness,
            CheckOutcome::NotExhausted => Self::NotExhausted,
            CheckOutcome::Interrupted => Self::Interrupted,
        }
    }
}

impl From<ExitClass> for std::process::ExitCode {
    fn from(exit: ExitClass) -> Self {
        Self::from(exit as u8)
    }
}
