//! Programs that know nothing of the tree, each below a host: what holds under `relay`, and what is
//! violated where hosts do less, or where all programs have one terminal together.

use holdfast_check::explore::{Options, Progress, StopWhen};
use holdfast_check::property::PropertyId::{self, AncestorsKnow, OnePrompt, RequestAnswered};
use holdfast_check::report::{CheckReport, check};
use holdfast_check::world::{Config, HostRule};
use holdfast_protocol::Placement;
use holdfast_protocol::policy::{Policy, PolicyName, Rule};

const ONE: &str = "root(web(server!))";
const TWO: &str = "root(web(server!),job(worker!))";

fn config(tree: &str, faults: &str, policy: Policy) -> Config {
    let tree = tree.parse().expect("the trees are well formed");
    let faults = faults.parse().expect("the budgets are well formed");
    Config::new(tree, policy, Placement::OwnSession, faults)
}

fn explored(config: Config) -> CheckReport {
    let options = Options { until: StopWhen::Exhausted, ..Options::default() };
    check(config, options, &Progress::default())
}

fn violated(config: Config) -> Vec<PropertyId> {
    explored(config).violated().members().collect()
}

/// Each with the number of its states.
const RUNS: [(&str, &str, u64); 12] = [
    (ONE, "read=1", 11),
    (ONE, "read=2,take-back=1,interrupt=1", 3_455),
    (ONE, "read=2,kill=1,stop=1", 16_032),
    (ONE, "read=1,kill=2,kill-root=1", 243),
    (ONE, "read=1,take-back=1,kill=1,interrupt=1,error=1", 12_547),
    (TWO, "read=2", 74),
    (TWO, "read=2,kill=1", 4_639),
    (TWO, "read=2,take-back=1", 247),
    (TWO, "read=2,kill-root=1", 1_872),
    ("root(web(server!),job)", "read=1,request=1,take-back=1", 241),
    ("root(mid(web(server!)))", "read=1,take-back=1,kill=1", 4_302),
    ("root(web(server!?))", "read=1,take-back=1,kill=1", 211),
];

#[test]
fn hosts_keep_every_property() {
    let mut wrong = Vec::new();
    for (tree, faults, states) in RUNS {
        let report = explored(config(tree, faults, Policy::RELAY));
        assert_eq!(report.violated().members().collect::<Vec<_>>(), [], "{tree} {faults}");
        if report.states != states {
            wrong.push((tree, faults, report.states));
        }
    }
    assert_eq!(wrong, [], "the states of these runs");
}

#[test]
fn where_every_program_reads_the_terminal_two_are_at_a_prompt() {
    for policy in [PolicyName::Unprotected, PolicyName::SingleDepth] {
        for placement in [Placement::OwnSession, Placement::SharedGroup] {
            let config = Config { placement, ..config(TWO, "read=2", policy.policy()) };
            assert_eq!(violated(config), [OnePrompt], "{policy} {placement}");
        }
    }
}

#[test]
fn hosts_without_a_lock_are_at_a_prompt_together() {
    let config = config(TWO, "read=2", Policy::RELAY.without(Rule::R2));
    assert_eq!(violated(config), [OnePrompt, AncestorsKnow]);
}

#[test]
fn each_duty_of_a_host_is_guarded() {
    let table = [
        (HostRule::ForegroundLeft, TWO, "read=2,take-back=1", OnePrompt),
        (HostRule::AskedOnce, ONE, "read=1,take-back=1", RequestAnswered),
    ];
    for (hosts, tree, faults, property) in table {
        let config = Config { hosts, ..config(tree, faults, Policy::RELAY) };
        assert_eq!(violated(config), [property], "{hosts:?}");
    }
}
