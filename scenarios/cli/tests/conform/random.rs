//! Random schedules on random trees, deaths included: every run of the model conforms.

use crate::check;
use crate::recorded::Recorder;
use holdfast_check::tree::{ActorSpec, ActorStart, Tree};
use holdfast_check::world::{Budget, Config, Fault};
use holdfast_cli::conform::verdict::Finding;
use holdfast_protocol::Placement;
use holdfast_protocol::{ActorId, DebugMode, PolicyName};
use proptest::collection::vec;
use proptest::prelude::*;

/// What a random run is made from.
#[derive(Clone, Debug)]
struct Plan {
    below: Vec<(u8, bool, bool)>,
    faults: Vec<u8>,
    placement: Placement,
    picks: Vec<u8>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let below = vec((any::<u8>(), prop::bool::weighted(0.2), any::<bool>()), 1..=4);
    let faults = vec(0..=2_u8, Fault::ALL.len());
    let placement = prop_oneof![Just(Placement::OwnSession), Just(Placement::SharedGroup)];
    (below, faults, placement, vec(any::<u8>(), 0..160))
        .prop_map(|(below, faults, placement, picks)| Plan { below, faults, placement, picks })
}

impl Plan {
    fn config(&self) -> Config {
        let mut members =
            vec![ActorSpec { name: "root".into(), supervisor: None, start: ActorStart::Running }];
        for (index, (above, late, _)) in self.below.iter().enumerate() {
            let above = usize::from(*above) % members.len();
            let late = *late || members[above].start == ActorStart::Later;
            members.push(ActorSpec {
                name: char::from(b'a' + index as u8).to_string(),
                supervisor: Some(ActorId(above as u32)),
                start: if late { ActorStart::Later } else { ActorStart::Running },
            });
        }
        let tree = Tree::new(members).expect("supervisors stand before their children");
        let tree: Tree = tree.to_string().parse().expect("the notation is read back");
        // That a link was cut shows once both have read its end, and a random run may stop before:
        // such runs are in `tampered`.
        let faults = Fault::ALL.into_iter().zip(&self.faults);
        let faults = faults.filter(|(fault, _)| *fault != Fault::Cut);
        let budget = faults.fold(Budget::NONE, |budget, (fault, count)| budget.with(fault, *count));
        let mut config = Config::new(tree, PolicyName::Relay.policy(), self.placement, budget);
        for (index, (_, _, debug)) in self.below.iter().enumerate() {
            config.debug[index + 1] = if *debug { DebugMode::On } else { DebugMode::Off };
        }
        config
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_run_of_the_model_conforms(plan in plans()) {
        let mut run = Recorder::new(plan.config());
        for pick in &plan.picks {
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
