//! Charts of runs that no search would show: late actors, rounds, runs of every length.

use holdfast_check::property::PropertyId;
use holdfast_check::trace::{ReplayedStep, perform};
use holdfast_check::tree::Tree;
use holdfast_check::world::{
    Action, Budget, Config, EnvironmentAction, Fault, System, SystemStep, Topology,
};
use holdfast_cli::chart::{Chart, WIDTH, wrap};
use holdfast_protocol::Placement;
use holdfast_protocol::{ActorId, PolicyName, Signal};

fn topology(tree: &str, policy: PolicyName, placement: Placement) -> Topology {
    let budget = Fault::ALL.into_iter().fold(Budget::NONE, |budget, fault| budget.with(fault, 1));
    let tree: Tree = tree.parse().expect("a tree");
    Topology::new(Config::new(tree, policy.policy(), placement, budget))
}

/// The text without colours.
fn plain(chart: &Chart<'_>) -> String {
    anstream::adapter::strip_str(&chart.to_string()).to_string()
}

/// A run in which the `pick`th of the possible actions is taken, again and again.
fn walk(topology: &Topology, pick: usize) -> Vec<ReplayedStep> {
    let mut system = System::new(topology);
    let mut steps = Vec::new();
    while steps.len() < 60 {
        let enabled = system.enabled(topology);
        let Some(action) = enabled.get(pick % enabled.len().max(1)) else { break };
        system.apply(topology, *action);
        steps.push(*action);
    }
    perform(topology, &steps).expect("every step was possible")
}

#[test]
fn no_run_is_too_wide() {
    for tree in ["root", "root(a?(b?),c)", "root(a(b(c(d(e)))))", "root(a(b,c),d(e),f(g))"] {
        for policy in PolicyName::ALL {
            for placement in [Placement::OwnSession, Placement::SharedGroup] {
                let topology = topology(tree, policy, placement);
                for pick in 0..12 {
                    let steps = walk(&topology, pick);
                    let breaks = steps.iter().find_map(|step| step.violated.first().copied());
                    let text =
                        plain(&Chart { topology: &topology, steps: &steps, breaks, repeats: 0 });
                    for line in text.lines() {
                        assert!(line.chars().count() <= WIDTH, "{tree} {policy} {pick}: {line}");
                        assert_eq!(line, line.trim_end(), "{tree} {policy} {pick}");
                    }
                    let last = format!("{:>3}", steps.len());
                    assert!(text.contains(&last), "{tree} {policy} {pick}: no step {last}");
                }
            }
        }
    }
}

#[test]
fn late_actors_and_rounds_are_drawn() {
    let topology = topology("root(mid,late?)", PolicyName::Relay, Placement::OwnSession);
    let (root, mid, late) = (ActorId(0), ActorId(1), ActorId(2));
    let take = Action::System(SystemStep::TakeSignal { actor: root, signal: Signal::Interrupt });
    let actions = [
        Action::Environment(EnvironmentAction::Spawn { actor: late }),
        Action::System(SystemStep::Boot { actor: late }),
        Action::Environment(EnvironmentAction::PauseShielded { actor: late }),
        Action::System(SystemStep::Deliver { from: late, to: root }),
        Action::Environment(EnvironmentAction::Cut { actor: mid }),
        Action::Environment(EnvironmentAction::Interrupt),
        take,
        Action::Environment(EnvironmentAction::Kill { actor: mid }),
        Action::System(SystemStep::Deliver { from: root, to: late }),
    ];
    let steps = perform(&topology, &actions).expect("every step is possible");
    let breaks = Some(PropertyId::TeardownCompletes);
    let text = plain(&Chart { topology: &topology, steps: &steps, breaks, repeats: 2 });
    insta::assert_snapshot!("late_actors_and_rounds", text);
}

#[test]
fn text_is_broken_between_words() {
    assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
    assert_eq!(wrap("", 7), Vec::<String>::new());
    assert_eq!(wrap("a-word-too-long for it", 7), ["a-word-too-long", "for it"]);
}
