//! Plain `enabled`, which a reader can check against the world, and the explorer's accelerator name
//! the same actions in the same order, on random walks of random runs.

use holdfast_check::explore::intern::InternTables;
use holdfast_check::explore::worker::Worker;
use holdfast_check::explore::{Options, StateReduction, SymmetryReduction};
use holdfast_check::rng::Rng;
use holdfast_check::tree::Tree;
use holdfast_check::world::{
    Action, Budget, Condition, Config, EnvironmentAction, Fault, Script, ScriptStep, System,
    SystemStep, Topology,
};
use holdfast_protocol::{
    ActorId, Answer, Cause, DebugMode, Placement, Policy, PolicyName, Rule, Signal, Status,
};
use std::collections::BTreeSet;

const TREES: [&str; 8] = [
    "root",
    "root(a)",
    "root(a(b))",
    "root(a?(b?),c)",
    "root(a(b?),c(d))",
    "root(a(b(c)),d,e?)",
    "root(a(b!))",
    "root(a(b!),c?(d!?),e)",
];
const RUNS: u64 = 2_000;
const STEPS: usize = 60;

fn policies() -> Vec<Policy> {
    let whole = PolicyName::ALL.map(PolicyName::policy).into_iter();
    let taken_out = PolicyName::ALL
        .into_iter()
        .flat_map(|name| Rule::ALL.into_iter().map(move |rule| name.policy().without(rule)));
    whole.chain(taken_out).collect()
}

/// Anything that a script may say of an actor.
fn script_step(rng: &mut Rng, actor: ActorId) -> ScriptStep {
    let pause = EnvironmentAction::Pause { actor };
    let steps = [
        ScriptStep::Do(pause),
        ScriptStep::Do(EnvironmentAction::PauseShielded { actor }),
        ScriptStep::Do(EnvironmentAction::Answer { actor, answer: Answer::Continue }),
        ScriptStep::Do(EnvironmentAction::Provoke { actor, cause: Cause::Deadline }),
        ScriptStep::Do(EnvironmentAction::FailUnexamined { actor, cause: Cause::Failed }),
        ScriptStep::Do(EnvironmentAction::CancelChild { actor }),
        ScriptStep::Do(EnvironmentAction::Interrupt),
        ScriptStep::Do(EnvironmentAction::Signal { actor, signal: Signal::Hangup }),
        ScriptStep::Do(EnvironmentAction::Kill { actor }),
        ScriptStep::Do(EnvironmentAction::Cut { actor }),
        ScriptStep::Do(EnvironmentAction::Spawn { actor }),
        ScriptStep::Do(EnvironmentAction::Read { actor }),
        ScriptStep::Do(EnvironmentAction::Type { actor }),
        ScriptStep::Do(EnvironmentAction::TakeBack { actor }),
        ScriptStep::Do(EnvironmentAction::Die { actor, status: Status::Failed }),
        ScriptStep::Until(Condition::PromptOpen(actor)),
        ScriptStep::Until(Condition::Waiting(actor)),
        ScriptStep::Until(Condition::NoPrompt),
        ScriptStep::Until(Condition::Ended(actor)),
        ScriptStep::Until(Condition::Cancelled(actor)),
        ScriptStep::Until(Condition::TearingDown(actor)),
        ScriptStep::Until(Condition::Running(actor)),
        ScriptStep::Until(Condition::Stopped(actor)),
        ScriptStep::Until(Condition::Foreground(actor)),
        ScriptStep::Until(Condition::Quiet),
    ];
    steps[rng.below(steps.len())]
}

fn config(rng: &mut Rng, policy: Policy) -> Config {
    let tree: Tree = TREES[rng.below(TREES.len())].parse().expect("a tree");
    let actors = tree.len();
    let placement = [Placement::OwnSession, Placement::SharedGroup][rng.below(2)];
    let mut budget = Budget::NONE;
    for fault in Fault::ALL {
        budget = budget.with(fault, rng.below(3) as u8);
    }
    let mut config = Config::new(tree, policy, placement, budget);
    for debug in &mut config.debug {
        *debug = [DebugMode::Off, DebugMode::On][rng.below(2)];
    }
    let length = rng.below(2) * rng.below(5);
    let step = |_| {
        let actor = ActorId(rng.below(actors) as u32);
        script_step(rng, actor)
    };
    config.script = Script { steps: (0..length).map(step).collect() };
    config
}

/// The kind of an action, and not whose it is.
fn kind(action: Action) -> String {
    let words = match action {
        Action::Environment(action) => format!("{action:?}"),
        Action::System(step) => format!("{step:?}"),
    };
    words.split([' ', '{']).next().unwrap_or_default().to_owned()
}

/// Takes a random walk, and compares in each of its states. Says which kinds were enabled.
fn compare(number: u64, policy: Policy, seen: &mut BTreeSet<String>) {
    let mut rng = Rng::new(320, number);
    let topology = Topology::new(config(&mut rng, policy));
    let tables = InternTables::new(&topology);
    let (symmetry, reduction) = (SymmetryReduction::Off, StateReduction::Off);
    let options = Options { symmetry, reduction, ..Options::default() };
    let mut worker = Worker::new(&tables, options);
    let mut system = System::new(&topology);
    for _ in 0..STEPS {
        let plain = system.enabled(&topology);
        let packed = worker.pack(&system).expect("a walk takes few values");
        let mut accelerated = Vec::new();
        let expanded = worker.expand(&packed, |action, _| accelerated.push(action));
        expanded.expect("a walk takes few values");
        assert_eq!(plain, accelerated, "run {number}: {:?}", topology.config());
        seen.extend(plain.iter().copied().map(kind));
        let can = |action: &Action| system.can(&topology, *action);
        assert!(plain.iter().all(can), "run {number}: what is enabled can happen");
        // The script goes on in every other step in which it can, so that its end is reached.
        let scripted = plain
            .iter()
            .rposition(|action| matches!(action, Action::System(SystemStep::Pass { .. })));
        let Some(last) = plain.len().checked_sub(1) else { return };
        let pick = scripted.filter(|_| rng.below(2) == 0).unwrap_or(rng.below(last + 1));
        system.apply(&topology, plain[pick]);
    }
}

#[test]
fn the_plain_list_and_the_accelerators_are_the_same_on_random_reachable_states() {
    let (policies, mut seen) = (policies(), BTreeSet::new());
    for number in 0..RUNS {
        let policy = policies[number as usize % policies.len()];
        compare(number, policy, &mut seen);
    }
    // `Appear`, `Vanish` and `CutShort` come in recorded runs alone.
    let kinds = [
        "Adopt",
        "Answer",
        "AskForProgram",
        "Boot",
        "CancelChild",
        "Cut",
        "Deliver",
        "Die",
        "EndUserTask",
        "Expire",
        "FailUnexamined",
        "FinishHost",
        "GiveForeground",
        "Interrupt",
        "Kill",
        "LosePrompt",
        "Pass",
        "Pause",
        "PauseShielded",
        "Provoke",
        "Read",
        "ReadBaton",
        "Reap",
        "SeeChildrenGone",
        "Signal",
        "Spawn",
        "TakeBack",
        "TakeSignal",
        "Type",
    ];
    assert_eq!(seen, kinds.map(str::to_owned).into());
}
