//! How good the estimate of a search's size is: at 5, 20 and 50 percent of twenty searches.

use holdfast_check::explore::{Options, Progress, SizeEstimate, explore};
use holdfast_check::world::{Config, Topology};
use holdfast_protocol::{Placement, PolicyName};

/// Trees and faults: 2,700 to 140,000 states.
const RUNS: [(&str, &str); 20] = [
    ("root(a)", "request=2,interrupt=2,kill=1,error=1,stop=1"),
    ("root(a,b)", "request=1,interrupt=1,kill=1"),
    ("root(a,b)", "request=2,interrupt=1,error=1"),
    ("root(a,b)", "request=1,error=1,cut=1"),
    ("root(a,b)", "request=2,interrupt=2,kill=1,error=1"),
    ("root(a(b))", "request=1,interrupt=1,kill=1"),
    ("root(a(b))", "request=1,interrupt=1,kill=2"),
    ("root(a(b))", "request=1,stop=1,kill=1"),
    ("root(a(b))", "request=1,interrupt=2,stop=1"),
    ("root(a(b))", "request=1,cancel-child=1,kill=1"),
    ("root(a(b))", "request=1,shielded=1,cancel=1"),
    ("root(a(b))", "interrupt=3,error=2,request=1"),
    ("root(a(b?))", "request=1,interrupt=1,error=1"),
    ("root(a?,b)", "request=2,interrupt=1,kill=1"),
    ("root(a?(b?),c)", "request=1,interrupt=1"),
    ("root(a,b,c)", "request=1,interrupt=1,kill=1"),
    ("root(a,b,c)", "request=1,interrupt=2,kill=1,error=1"),
    ("root(a(b,c))", "request=1,interrupt-one=1,quit=1"),
    ("root(a,b,c,d)", "request=1,interrupt=1"),
    ("root(a(b(c)))", "request=1,kill-root=1"),
];

/// The levels of a search, from the first one on.
fn levels(tree: &str, faults: &str) -> Vec<u64> {
    let tree = tree.parse().expect("the tree is well formed");
    let faults = faults.parse().expect("the faults are well formed");
    let policy = PolicyName::Relay.policy();
    let topology = Topology::new(Config::new(tree, policy, Placement::OwnSession, faults));
    let progress = Progress::default();
    let explored = explore(&topology, Options::default(), &progress);
    let levels = progress.levels.into_inner().expect("no search thread panicked");
    assert_eq!(levels.iter().sum::<u64>(), explored.space.len(), "every state is on a level");
    levels
}

/// The levels up to the one on which a part of all states was seen.
fn seen(levels: &[u64], percent: u64) -> &[u64] {
    let all: u64 = levels.iter().sum();
    let mut sum = 0;
    let end = levels.iter().position(|level| {
        sum += level;
        sum * 100 >= all * percent
    });
    &levels[..=end.expect("the last level makes it whole")]
}

#[test]
fn nineteen_of_twenty_searches_have_as_many_states_as_was_estimated() {
    let searches: Vec<_> =
        RUNS.iter().map(|(tree, faults)| (tree, faults, levels(tree, faults))).collect();
    for percent in [5, 20, 50] {
        let (mut right, mut told, mut said) = (0, 0, String::new());
        for (tree, faults, levels) in &searches {
            let all: u64 = levels.iter().sum();
            let Some(estimate) = SizeEstimate::of(seen(levels, percent)) else { continue };
            told += 1;
            let SizeEstimate { at_least, at_most } = estimate;
            right += usize::from(at_least <= all && at_most.is_none_or(|most| all <= most));
            said.push_str(&format!("{tree} {faults}: {all}, {estimate}\n"));
        }
        println!("at {percent} %: {right} of {told}\n{said}");
        assert!(right * 20 >= told * 19, "at {percent} %: {right} of {told}\n{said}");
        assert!(told * 2 > searches.len(), "{told} estimates at {percent} %");
    }
}

#[test]
fn halfway_an_estimate_has_two_ends_and_they_are_not_far_apart() {
    let estimate =
        |(tree, faults): &(&str, &str)| SizeEstimate::of(seen(&levels(tree, faults), 50));
    let estimates: Vec<_> = RUNS[..8].iter().filter_map(estimate).collect();
    assert!(estimates.len() >= 4, "{estimates:?}");
    for SizeEstimate { at_least, at_most } in estimates {
        let at_most = at_most.expect("the levels do not grow any longer");
        assert!(at_most <= 4 * at_least, "{at_least} to {at_most}");
    }
}
