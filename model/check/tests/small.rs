//! The small rows of the suite, and the other policies with a rule taken out, with pinned numbers
//! of states: seconds instead of minutes, and enough to notice a change of the protocol.
//!
//! Runs in `cargo test`, and for each mutant of `cargo run -p ci mutants`.

use holdfast_check::explore::{Options, Progress, StateReduction, StopWhen};
use holdfast_check::report::check;
use holdfast_check::suite::suite;
use holdfast_check::world::{Config, Fault};
use holdfast_protocol::Placement;
use holdfast_protocol::policy::{PolicyName, Rule};

/// One line: what was explored, how many states it has, what falls.
fn line(what: &str, config: Config) -> String {
    let run = format!("{} {} {}", config.tree, config.budget, config.placement);
    let reduction = StateReduction::Off;
    let options = Options { until: StopWhen::Exhausted, reduction, ..Options::default() };
    let report = check(config, options, &Progress::default());
    let fell: Vec<_> = report.violated().members().map(|property| property.to_string()).collect();
    let line = format!("{what:<62} {run:<58} {:>6} {}", report.states, fell.join(" "));
    line.trim_end().to_owned()
}

/// Rows of three actors with two faults, and of two with three.
fn is_small(config: &Config) -> bool {
    let faults: u8 = Fault::ALL.iter().map(|fault| config.budget.left(*fault)).sum();
    config.tree.len() + usize::from(faults) <= 5
}

#[test]
fn the_small_rows_of_the_suite_are_pinned() {
    let rows = suite().into_iter().filter(|row| is_small(&row.config));
    let small = rows.map(|row| {
        let what = format!("{}: {}", row.named.policy, row.purpose);
        line(&what, row.config)
    });
    insta::assert_snapshot!("suite", small.collect::<Vec<_>>().join("\n"));
}

/// What `tests/mutants.rs` does for `relay`, for the other two policies: they run the same machines.
#[test]
fn each_rule_taken_out_of_the_other_policies_is_pinned() {
    let mut lines = Vec::new();
    for (policy, rule) in [PolicyName::SingleDepth, PolicyName::Unprotected]
        .into_iter()
        .flat_map(|policy| Rule::ALL.map(|rule| (policy, rule)))
    {
        for (tree, faults) in
            [("root(a)", "request=2,interrupt=2"), ("root(a(b))", "request=1,error=1")]
        {
            let tree = tree.parse().expect("the trees are well formed");
            let faults = faults.parse().expect("the budgets are well formed");
            let policy_without = policy.policy().without(rule);
            let config = Config::new(tree, policy_without, Placement::SharedGroup, faults);
            lines.push(line(&format!("{policy} without {rule}"), config));
        }
    }
    insta::assert_snapshot!("rules", lines.join("\n"));
}
