//! The project's own suite: every rooted tree shape of up to four actors, and chosen larger runs.
//!
//! Under `relay` everything must hold within every budget of `BUDGETS`; under the two other
//! policies a named property must be violated, or the check could not tell good from bad.

use crate::explore::{Options, StopWhen};
use crate::property::PropertyId;
use crate::trace::NamedPolicy;
use crate::tree::Tree;
use crate::world::Config;
use holdfast_protocol::DebugMode;
use holdfast_protocol::Placement;
use holdfast_protocol::policy::PolicyName;

/// What a row claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Every property that applies holds, and none is vacuous.
    Holds,
    /// This property is violated.
    Violates(PropertyId),
}

/// One run of the suite.
#[derive(Clone, Debug)]
pub struct SuiteRun {
    /// What it is there for.
    pub purpose: &'static str,
    /// The run.
    pub config: Config,
    /// Its policy by name.
    pub named: NamedPolicy,
    /// What it claims.
    pub expected: Expected,
}

/// One fault budget, and the largest trees that it is tried on.
struct BudgetRow {
    purpose: &'static str,
    faults: &'static str,
    placement: Placement,
    debug: DebugMode,
    largest: usize,
}

const fn own(purpose: &'static str, faults: &'static str, largest: usize) -> BudgetRow {
    let (placement, debug) = (Placement::OwnSession, DebugMode::Off);
    BudgetRow { purpose, faults, placement, debug, largest }
}

/// The budgets under which `relay` must hold on every tree shape up to a size.
const BUDGETS: [BudgetRow; 17] = [
    own("Ctrl-C and the death of an actor", "request=1,interrupt=1,kill=1", 4),
    own("an error and the death of an actor", "request=1,error=1,kill=1", 4),
    own("SIGINT to one actor, quit at the prompt", "request=1,interrupt-one=1,quit=1", 4),
    own("SIGTERM at the root", "request=1,stop=1", 4),
    own("a link that ends between live actors", "request=1,error=1,cut=1", 3),
    own("two requests and a Ctrl-C", "request=2,interrupt=1", 3),
    own("two Ctrl-C and SIGTERM", "request=1,interrupt=2,stop=1", 3),
    own("SIGTERM and the death of an actor", "request=1,stop=1,kill=1", 3),
    own("a request from an actor that is cancelled", "request=1,shielded=1,cancel=1", 3),
    own("a child that is asked to end", "request=1,cancel-child=1,interrupt=1", 4),
    own("a child that is asked to end, and a death", "request=1,cancel-child=1,kill=1", 3),
    own("two deaths", "request=1,interrupt=1,kill=2", 3),
    own("SIGKILL of the root", "request=1,kill-root=1", 4),
    own("everything at once", "request=2,interrupt=2,kill=1,error=1,stop=1", 2),
    BudgetRow {
        purpose: "Ctrl-C that reaches everybody",
        faults: "request=1,interrupt=1,error=1",
        placement: Placement::SharedGroup,
        debug: DebugMode::Off,
        largest: 3,
    },
    BudgetRow {
        purpose: "post-mortems at every level",
        faults: "error=1,interrupt=1",
        placement: Placement::OwnSession,
        debug: DebugMode::On,
        largest: 4,
    },
    BudgetRow {
        purpose: "a failure that is examined and one that is not",
        faults: "error=1,error-unexamined=1",
        placement: Placement::OwnSession,
        debug: DebugMode::On,
        largest: 3,
    },
];

/// Larger trees, and trees that grow during the run.
const CHOSEN: [(&str, &str, &str); 6] = [
    ("a prompt four levels down", "root(a(b(c(d))))", "request=1,kill=1"),
    ("a wide tree", "root(a,b,c,d)", "request=1,interrupt=1"),
    ("two branches of two", "root(a(b),c(d))", "request=1,interrupt=1"),
    ("an actor that is spawned meanwhile", "root(a?)", "request=1,interrupt=2,error=1,kill=1"),
    ("a grandchild that is spawned meanwhile", "root(a(b?))", "request=1,interrupt=1,error=1"),
    ("a branch that is spawned meanwhile", "root(a?(b?),c)", "request=1,interrupt=1"),
];

/// The options under which a row is run.
#[must_use]
pub fn options(row: &SuiteRun, options: Options) -> Options {
    let until = match row.expected {
        Expected::Holds => StopWhen::FirstViolation,
        Expected::Violates(_) => StopWhen::Exhausted,
    };
    Options { until, ..options }
}

/// All rows, the small ones of each purpose first.
#[must_use]
pub fn suite() -> Vec<SuiteRun> {
    let mut rows = Vec::new();
    for budget in &BUDGETS {
        for tree in (1..=budget.largest).flat_map(Tree::shapes) {
            let mut config = config(tree, PolicyName::Relay, budget.placement, budget.faults);
            config.debug.fill(budget.debug);
            rows.push(suite_run(budget.purpose, config, PolicyName::Relay, Expected::Holds));
        }
    }
    for (purpose, tree, faults) in CHOSEN {
        let tree = tree.parse().expect("the suite's trees are well formed");
        let config = config(tree, PolicyName::Relay, Placement::OwnSession, faults);
        rows.push(suite_run(purpose, config, PolicyName::Relay, Expected::Holds));
    }
    for tree in (2..=4).flat_map(Tree::shapes) {
        rows.push(violates(tree.clone(), PolicyName::SingleDepth));
        rows.push(violates(tree, PolicyName::Unprotected));
    }
    rows
}

/// A row under a policy that does not protect the tree.
fn violates(tree: Tree, policy: PolicyName) -> SuiteRun {
    let nested = tree.height() > 1;
    let (purpose, property) = match policy {
        PolicyName::SingleDepth if nested => {
            ("issue #320: an intermediate kills the prompt", PropertyId::NoSignalUnderHold)
        }
        PolicyName::SingleDepth => {
            ("a Ctrl-C at a prompt cancels a bystander", PropertyId::InterruptShielded)
        }
        PolicyName::Unprotected | PolicyName::Relay => {
            ("a Ctrl-C destroys the prompt", PropertyId::InterruptShielded)
        }
    };
    let config = config(tree, policy, Placement::SharedGroup, "request=1,interrupt=1");
    suite_run(purpose, config, policy, Expected::Violates(property))
}

fn config(tree: Tree, policy: PolicyName, placement: Placement, faults: &str) -> Config {
    let faults = faults.parse().expect("the suite's budgets are well formed");
    Config::new(tree, policy.policy(), placement, faults)
}

fn suite_run(
    purpose: &'static str,
    config: Config,
    policy: PolicyName,
    expected: Expected,
) -> SuiteRun {
    SuiteRun { purpose, config, named: NamedPolicy { policy, without: Vec::new() }, expected }
}
