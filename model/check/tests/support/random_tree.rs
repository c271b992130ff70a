//! Random small trees with what may happen in them, from numbers that shrink well.

use holdfast_check::tree::{ActorKind, ActorSpec, ActorStart, Tree};
use holdfast_check::world::{Budget, Config, Fault};
use holdfast_protocol::{ActorId, DebugMode, Placement, Policy};
use proptest::collection::vec;
use proptest::prelude::*;

/// What a tree is made from.
#[derive(Clone, Debug)]
pub(crate) struct RandomTree {
    /// For each actor below the root: whose child (modulo those before it), late, debug mode, and
    /// whether it is a program where one can be.
    below: Vec<(u8, bool, bool, bool)>,
    /// How often each fault may happen, in the order of `Fault::ALL`.
    pub(crate) faults: Vec<u8>,
    placement: Placement,
}

/// Trees of up to this many actors below the root; so often one that can be is a program.
pub(crate) fn random_trees(most: usize, programs: f64) -> impl Strategy<Value = RandomTree> {
    let below = vec(
        (any::<u8>(), prop::bool::weighted(0.2), any::<bool>(), prop::bool::weighted(programs)),
        1..=most,
    );
    let faults = vec(0..=2_u8, Fault::ALL.len());
    let placement = prop_oneof![Just(Placement::OwnSession), Just(Placement::SharedGroup)];
    (below, faults, placement).prop_map(|(below, faults, placement)| RandomTree {
        below,
        faults,
        placement,
    })
}

impl RandomTree {
    pub(crate) fn tree(&self) -> Tree {
        let mut actors = vec![ActorSpec {
            name: "root".into(),
            supervisor: None,
            start: ActorStart::Running,
            kind: ActorKind::Actor,
        }];
        for (index, (above, late, ..)) in self.below.iter().enumerate() {
            let above = usize::from(*above) % actors.len();
            let late = *late || actors[above].start == ActorStart::Later;
            actors.push(ActorSpec {
                name: char::from(b'a' + index as u8).to_string(),
                supervisor: Some(ActorId(above as u32)),
                start: if late { ActorStart::Later } else { ActorStart::Running },
                kind: ActorKind::Actor,
            });
        }
        let only = |id: usize| {
            let child = |above: usize| {
                actors
                    .iter()
                    .filter(move |one| one.supervisor == Some(ActorId(above as u32)))
                    .count()
            };
            let host = actors[id].supervisor.map(ActorId::index).filter(|host| *host > 0);
            child(id) == 0 && host.is_some_and(|host| child(host) == 1)
        };
        let programs: Vec<_> =
            (1..actors.len()).filter(|id| self.below[id - 1].3 && only(*id)).collect();
        for id in programs {
            actors[id].kind = ActorKind::Program;
        }
        let tree = Tree::new(actors).expect("supervisors stand before their children");
        // A trace names actors by their place in the notation, which is depth-first.
        tree.to_string().parse().expect("the notation is read back")
    }

    pub(crate) fn config(&self, policy: Policy) -> Config {
        let faults = Fault::ALL.into_iter().zip(&self.faults);
        let budget = faults.fold(Budget::NONE, |budget, (fault, count)| budget.with(fault, *count));
        let mut config = Config::new(self.tree(), policy, self.placement, budget);
        for (index, (_, _, debug, _)) in self.below.iter().enumerate() {
            config.debug[index + 1] = if *debug { DebugMode::On } else { DebugMode::Off };
        }
        config
    }
}
