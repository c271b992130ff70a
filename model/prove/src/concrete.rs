//! A counterexample made concrete: a run of a small tree that violates the same claim.
//!
//! One actor between general neighbours stands for many trees. The smallest tree in which the
//! bounded search finds a violation of the same property gives a trace for `holdfast replay` and
//! `run --follow`. A breach of the contract is not a property of a tree; there any property that
//! falls for it is taken.

use super::claim::ProofClaim;
use holdfast_check::explore::{Options, Progress, StopWhen};
use holdfast_check::property::PropertyId;
use holdfast_check::report::{Counterexample, PropertyVerdict, check};
use holdfast_check::world::Config;
use holdfast_protocol::{Placement, Policy};

/// Small trees with what may happen in them, the smallest first.
const RUNS: [(&str, &str); 9] = [
    // A Ctrl-C that is typed at a prompt is a key there; a SIGINT of its own can be forced.
    ("root(a)", "request=1,interrupt-one=1"),
    ("root(a)", "request=1,interrupt=1,kill=1"),
    ("root(a)", "request=1,shielded=1,cancel=1"),
    ("root(a)", "request=2,interrupt=1"),
    ("root(a)", "request=1,interrupt=2,stop=1"),
    ("root(a)", "request=1,stop=1,kill=1"),
    ("root(a(b))", "request=1,interrupt-one=1,quit=1"),
    ("root(a(b))", "request=1,interrupt=1,kill=1"),
    ("root(a,b)", "request=2,interrupt=1,kill=1"),
];

/// A run of a small tree that violates the first of some claims for which there is one, and how that
/// tree is set up; none if there is none among the small runs.
#[must_use]
pub fn concrete(
    policy: Policy,
    claims: &[ProofClaim],
    progress: &Progress,
) -> Option<(Config, Counterexample)> {
    claims.iter().find_map(|claim| run_of(policy, *claim, progress))
}

fn run_of(
    policy: Policy,
    claim: ProofClaim,
    progress: &Progress,
) -> Option<(Config, Counterexample)> {
    RUNS.into_iter().find_map(|(tree, faults)| {
        let tree = tree.parse().expect("a tree");
        let faults = faults.parse().expect("faults");
        let config = Config::new(tree, policy, Placement::OwnSession, faults);
        let options = Options { until: StopWhen::Exhausted, ..Options::default() };
        let report = check(config.clone(), options, progress);
        let of = |property: PropertyId| match report.verdicts.get(&property) {
            Some(PropertyVerdict::Violated(found)) => Some(found.clone()),
            Some(_) | None => None,
        };
        let found = match claim {
            ProofClaim::Property(property) => of(property),
            ProofClaim::Contract(_) => report.shortest().cloned(),
        };
        found.map(|found| (config, found))
    })
}
