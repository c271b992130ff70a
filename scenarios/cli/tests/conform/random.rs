//! Random schedules on random trees, deaths included: every run of the model conforms.

use crate::check;
use crate::random_tree::{RandomTree, random_trees};
use crate::recorded::Recorder;
use holdfast_check::world::Fault;
use holdfast_cli::conform::verdict::Finding;
use holdfast_protocol::PolicyName;
use proptest::collection::vec;
use proptest::prelude::*;

/// A tree in which no link is cut: that one was cut shows once both peers have read its end, and a
/// random run may stop before. Such runs are in `tampered`.
fn uncut(mut tree: RandomTree) -> RandomTree {
    let cut = Fault::ALL.iter().position(|fault| *fault == Fault::Cut).expect("a fault");
    tree.faults[cut] = 0;
    tree
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_run_of_the_model_conforms(tree in random_trees(4, 0.3).prop_map(uncut), picks in vec(any::<u8>(), 0..160)) {
        let mut run = Recorder::new(tree.config(PolicyName::Relay.policy()));
        for pick in &picks {
            let actions = run.system.enabled(&run.topology);
            if actions.is_empty() {
                break;
            }
            run.take(actions[usize::from(*pick) % actions.len()]);
        }
        // The clock says what was likely, not what is possible.
        for clock in [|at_ns| at_ns, |_| 0, |at_ns| at_ns % 5, |at_ns| 1_000 - at_ns] {
            let files = run.files_by(clock);
            let finding = check(&files).map(|verdict| verdict.finding);
            prop_assert!(matches!(finding, Ok(Finding::Conforms)), "{finding:#?}\n{files:#?}");
        }
    }
}
