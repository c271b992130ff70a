//! Every link keeps its contract in every run of small trees, whatever happens around it.
//!
//! The monitors are part of what is explored, so no history is missed.

use holdfast_check::monitor::TreeMonitor;
use holdfast_check::world::{Config, System, Topology};
use holdfast_protocol::{Placement, Policy};
use std::collections::BTreeSet;

#[test]
fn every_link_keeps_its_contract_in_every_run_of_a_small_tree() {
    let table = [
        ("root(a)", "request=1,cancel=1,kill=1,stop=1"),
        ("root(a(b))", "request=1,kill=1"),
        ("root(a)", "request=1,stop=1,cut=1"),
    ];
    for (tree, faults) in table {
        let (tree, faults) = (tree.parse().expect("a tree"), faults.parse().expect("faults"));
        let config = Config::new(tree, Policy::RELAY, Placement::SharedGroup, faults);
        let topology = Topology::new(config);
        let mut seen = BTreeSet::new();
        let mut open = vec![(System::new(&topology), TreeMonitor::default())];
        while let Some((system, monitor)) = open.pop() {
            for action in system.enabled(&topology) {
                let (mut next, mut watch) = (system.clone(), monitor.clone());
                let observed = next.apply(&topology, action);
                if let Err(breach) = watch.observe(&topology, &observed) {
                    panic!("{breach}, on {action:?}");
                }
                if seen.insert((next.clone(), watch.clone())) {
                    open.push((next, watch));
                }
            }
        }
        println!("{tree}: {} states", seen.len(), tree = topology.config().tree);
    }
}
