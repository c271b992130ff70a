//! The probe of a test actor: what the environment asks it to hold and to report.

use crate::gate::Gate;
use crate::points;
use crate::report::Reporter;
use holdfast::probe::{DriverWaker, Point, Probe};
use holdfast_protocol::{Input, NamedPolicy, Output, PolicyName};
use std::sync::OnceLock;

/// Holds and reports what the test has asked for in the environment; nothing, if no test has.
#[derive(Debug, Default)]
pub(crate) struct TestProbe {
    gate: OnceLock<Gate>,
    reporter: OnceLock<Reporter>,
}

/// The variable that sets the policy of a tree of test actors, as [`NamedPolicy`] is written.
pub(crate) const POLICY_VARIABLE: &str = "HOLDFAST_TEST_POLICY";

impl Probe for TestProbe {
    #[expect(clippy::panic, reason = "a tree under another policy than the test's is not a test")]
    fn policy(&self) -> NamedPolicy {
        let Ok(name) = std::env::var(POLICY_VARIABLE) else { return PolicyName::Relay.into() };
        name.parse().unwrap_or_else(|error| panic!("{POLICY_VARIABLE}: {error}"))
    }

    fn starting(&self) {
        points::starting();
    }

    fn booting(&self, path: &str) {
        points::booting(path);
    }

    fn running(&self, path: &str, waker: DriverWaker) {
        if let Some(reporter) = Reporter::start(path) {
            let _ = self.reporter.set(reporter);
        }
        if let Some(gate) = Gate::close(path, waker) {
            let _ = self.gate.set(gate);
        }
    }

    fn handled(&self, input: Input, outputs: &[Output]) {
        if let Some(reporter) = self.reporter.get() {
            reporter.handled(input, outputs);
        }
    }

    fn passes(&self, point: Point) -> bool {
        self.gate.get().is_none_or(|gate| gate.passes(point))
    }

    fn resumes(&self, point: Point) -> bool {
        self.gate.get().is_some_and(|gate| gate.admit(point))
    }
}
