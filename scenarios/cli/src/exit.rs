//! How the command ends: one code for each class of outcome.

use holdfast_check::verdict::Outcome;

/// The exit codes of `holdfast`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitClass {
    /// Everything holds, every expectation is met.
    Holds = 0,
    /// A file, an argument or a message that can not be used.
    BadInput = 2,
    /// An always-property fell, or was never put to the test.
    Safety = 10,
    /// A leads-to fell, or the tree can lock up.
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

impl From<Outcome> for ExitClass {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Holds => Self::Holds,
            Outcome::SafetyViolated | Outcome::Vacuous => Self::Safety,
            Outcome::LivenessViolated => Self::Liveness,
            Outcome::NotExhausted => Self::NotExhausted,
            Outcome::Interrupted => Self::Interrupted,
        }
    }
}

impl From<ExitClass> for std::process::ExitCode {
    fn from(exit: ExitClass) -> Self {
        Self::from(exit as u8)
    }
}
