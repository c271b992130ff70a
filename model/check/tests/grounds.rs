//! The table of the world's facts is current, names sources and cases that are there, and the
//! explorer leaves nothing out of what recorded runs allow, but for a reason that is listed.
//!
//! Runs in `cargo test`.

use holdfast_check::world::begin::fault_of;
use holdfast_check::world::enabled::{can_do, can_step, enabled};
use holdfast_check::world::grounds::{
    EFFECTS, ENVIRONMENT, Ground, STEPS, of_environment, of_step,
};
use holdfast_check::world::recorded::can_happen;
use holdfast_check::world::{
    Action, ActorFlags, Config, EnvironmentAction, System, SystemStep, Topology, WorldView,
};
use holdfast_protocol::ladder::LadderRung;
use holdfast_protocol::policy::{LockRelease, Policy, WhilePrompt};
use holdfast_protocol::{ActorId, Answer, Cause, Placement, RequestId, Signal, Status, Timer};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "\
# The world, and the facts behind it

Generated from `model/check/src/world/grounds.rs` and `model/check/tests/grounds.rs`; a test fails when \
this file is not current.
Each guard and each effect of the world states a fact about the kernel, the person or the library. \
*Source* is a manual page, or a test with real processes that shows it; *without it* is the test of \
`model/check/tests/world_steps.rs` or `world_environment.rs` that fails when it is taken out \
([CHECKER_MUTANTS.md](CHECKER_MUTANTS.md)).
";

const TABLE: &str =
    "| action | what the world demands | the fact | source | without it |\n|---|---|---|---|---|\n";

fn rows(text: &mut String, kind: &str, grounds: &[Ground]) {
    for Ground { rule, fact, source, case } in grounds {
        let _ = writeln!(text, "| {kind} | {rule} | {fact} | {source} | `{case}` |");
    }
}

fn document() -> String {
    let mut text = HEAD.to_owned();
    for (title, table) in [
        ("Steps of the tree, the kernel and time", STEPS),
        ("What the environment does", ENVIRONMENT),
    ] {
        let _ = write!(text, "\n## {title}\n\n{TABLE}");
        for (kind, grounds) in table {
            rows(&mut text, &format!("`{kind}`"), grounds);
        }
    }
    let _ = write!(text, "\n## How steps take effect\n\n{TABLE}");
    rows(&mut text, "all", EFFECTS);
    text += "\n## What the explorer leaves out of what recorded runs allow\n\n\
        In every reachable state of nine small runs each action is asked for both. What is offered \
        is allowed; what is allowed and not offered is one of these.\n\n";
    for reason in REASONS {
        let _ = writeln!(text, "- {reason}");
    }
    text
}

#[test]
fn the_document_of_the_world_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/WORLD.md");
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(path, document()).expect("the repository can be written to");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    let how = "INSTA_UPDATE=always cargo test -p holdfast-check --test grounds writes it anew";
    assert_eq!(there, document(), "{how}");
}

fn all_grounds() -> impl Iterator<Item = &'static Ground> {
    let kinds = STEPS.iter().chain(ENVIRONMENT).flat_map(|(_, grounds)| *grounds);
    kinds.chain(EFFECTS)
}

/// All text below a folder of tests.
fn text_of(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("the tests are there") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            text_of(&path, text);
        } else if path.extension().is_some_and(|it| it == "rs") {
            *text += &std::fs::read_to_string(&path).expect("a test can be read");
        }
    }
}

#[test]
fn each_fact_names_a_case_and_a_source_that_are_there() {
    let cases = concat!(include_str!("world_steps.rs"), include_str!("world_environment.rs"));
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut live = String::new();
    for folder in ["runtime/testkit/tests", "runtime/holdfast/src", "scenarios/cli/tests"] {
        text_of(&top.join(folder), &mut live);
    }
    for Ground { rule, source, case, .. } in all_grounds() {
        assert!(cases.contains(&format!("#[test]\nfn {case}()")), "{rule}: no case `{case}`");
        for (word, after) in ["live `", "recorded `"].map(|word| (word, source.split_once(word))) {
            let Some((_, name)) = after else { continue };
            let name = name.split('`').next().expect("a name");
            assert!(live.contains(&format!("fn {name}(")), "{rule}: no {word}{name}`");
        }
    }
    let named: BTreeSet<_> = all_grounds().map(|ground| ground.case).collect();
    for case in cases.split("#[test]\nfn ").skip(1) {
        let case = case.split('(').next().expect("a name");
        assert!(named.contains(case), "no fact stands behind `{case}`");
    }
}

const BUDGET: &str = "the budget of the run has none left, or the script has its turn";
const OF_RECORDS: &str = "`Die`, `Appear`, `Vanish`, `CutShort`: of programs that are not actors, or end behind the protocol's back";
const TOO_LATE: &str = "what a program calls too late, or while it is frozen: it is refused, or \
    has no effect";
const ASKED: &str = "a second request of a supervisor to the same child: it changes nothing";
const IN_START: &str = "a start that was under way when the supervisor was told to end";
const PENDING: &str = "a signal that is pending already: it changes nothing";
const AS_STOP: &str = "SIGHUP and SIGQUIT: handled as SIGTERM is, which is tried";
const OTHERS: &str = "SIGTERM to an actor below the root: the cause of its end is another, and no \
    property asks for it; ladders send it";
const CAUSES: &str = "causes of an end other than a failure and a cancel: no guard and no property \
    tells them from a cancel";
const HANGUP: &str = "an answer that is the end of the terminal: the root's death, or a stop";
const ON_ITS_WAY: &str = "an answer that was on its way when the root ended";
const ACKNOWLEDGED: &str = "a holder that is reaped before its last word was read, under upstream's \
    release: a runtime waits for no acknowledgement";
const FOUND_DEAD: &str = "an orphan that has ended is found all the same, and reaped afterwards";

const REASONS: [&str; 13] = [
    BUDGET,
    OF_RECORDS,
    TOO_LATE,
    ASKED,
    IN_START,
    PENDING,
    AS_STOP,
    OTHERS,
    CAUSES,
    HANGUP,
    ON_ITS_WAY,
    ACKNOWLEDGED,
    FOUND_DEAD,
];

/// Why an action that a recorded run allows is not offered, if there is a reason.
fn reason(view: &WorldView<'_>, action: Action) -> Option<&'static str> {
    let root = view.topology.root();
    let flags = |actor| view.actor(actor).flags;
    let frozen_or =
        |actor, more| !flags(actor).contains(ActorFlags::SERVING) || flags(actor).intersects(more);
    let spent = |action| {
        fault_of(view.topology, action).is_some_and(|fault| view.shared().budget.left(fault) == 0)
    };
    let refuses = ActorFlags::ORPHAN
        | ActorFlags::FORCED
        | ActorFlags::STOPPING
        | ActorFlags::USER_TASK_ENDED
        | ActorFlags::FAILING;
    match action {
        Action::System(SystemStep::Reap { .. }) => {
            let said = view.topology.config().policy.release == LockRelease::DoneArrived;
            said.then_some(ACKNOWLEDGED)
        }
        Action::System(SystemStep::Adopt { actor }) => {
            flags(actor).contains(ActorFlags::ZOMBIE).then_some(FOUND_DEAD)
        }
        Action::System(_) => None,
        Action::Environment(action) => match action {
            EnvironmentAction::Die { .. }
            | EnvironmentAction::Appear { .. }
            | EnvironmentAction::Vanish { .. }
            | EnvironmentAction::CutShort { .. } => Some(OF_RECORDS),
            EnvironmentAction::Answer { answer: Answer::Hangup, .. } => Some(HANGUP),
            EnvironmentAction::Answer { .. } if !view.root().alive() => Some(ON_ITS_WAY),
            _ if spent(action) => Some(BUDGET),
            EnvironmentAction::Pause { actor } => {
                frozen_or(actor, refuses | ActorFlags::CANCELLED).then_some(TOO_LATE)
            }
            EnvironmentAction::PauseShielded { actor } => {
                frozen_or(actor, refuses).then_some(TOO_LATE)
            }
            EnvironmentAction::Provoke { cause: Cause::Failed | Cause::Requested, actor } => {
                frozen_or(actor, ActorFlags::CANCELLED | ActorFlags::FAILING).then_some(TOO_LATE)
            }
            EnvironmentAction::Provoke { .. } => Some(CAUSES),
            EnvironmentAction::FailUnexamined { cause: Cause::Failed, actor } => {
                frozen_or(actor, ActorFlags::CANCELLED).then_some(TOO_LATE)
            }
            EnvironmentAction::FailUnexamined { .. } => Some(CAUSES),
            EnvironmentAction::CancelChild { actor } => {
                let above = view.topology.config().tree.supervisor(actor)?;
                let asked = |(child, rung, _): &(ActorId, LadderRung, _)| {
                    *child == actor && *rung >= LadderRung::Cancel
                };
                let known = view.actor(above).rungs.iter().any(|(child, ..)| *child == actor);
                let asked = view.actor(above).rungs.iter().any(asked);
                if !flags(above).contains(ActorFlags::SERVING) {
                    Some(TOO_LATE)
                } else {
                    (asked || !known).then_some(ASKED)
                }
            }
            EnvironmentAction::Spawn { actor } => {
                let above = view.topology.config().tree.supervisor(actor)?;
                frozen_or(above, ActorFlags::CANCELLED).then_some(IN_START)
            }
            EnvironmentAction::Interrupt => {
                let reached = |actor: &ActorId| {
                    *actor == root || view.topology.config().placement == Placement::SharedGroup
                };
                let all = view.topology.actors().filter(reached).all(|actor| {
                    let facts = view.actor(actor);
                    !facts.alive() || facts.pending.contains(&Signal::Interrupt)
                });
                all.then_some(PENDING)
            }
            EnvironmentAction::Signal { signal: Signal::Hangup | Signal::Quit, .. } => {
                Some(AS_STOP)
            }
            EnvironmentAction::Signal { actor, signal } => {
                if view.actor(actor).pending.contains(&signal) {
                    Some(PENDING)
                } else {
                    (signal == Signal::Terminate && actor != root).then_some(OTHERS)
                }
            }
            // In none of these trees there is a program.
            EnvironmentAction::Read { .. }
            | EnvironmentAction::Type { .. }
            | EnvironmentAction::TakeBack { .. }
            | EnvironmentAction::Answer { .. }
            | EnvironmentAction::Kill { .. }
            | EnvironmentAction::Cut { .. } => None,
        },
    }
}

/// Every action there is, whether it can happen or not.
fn universe(view: &WorldView<'_>) -> Vec<Action> {
    let mut steps = vec![SystemStep::SeeChildrenGone];
    let mut done = vec![EnvironmentAction::Interrupt];
    let requests: BTreeSet<RequestId> = view
        .actors()
        .flat_map(|(_, facts)| facts.waiting.iter().chain(&facts.prompt))
        .copied()
        .chain(view.shared().batons.keys().copied())
        .collect();
    for (upper, lower) in view.topology.links() {
        steps.push(SystemStep::Deliver { from: *upper, to: *lower });
        steps.push(SystemStep::Deliver { from: *lower, to: *upper });
    }
    for at in 0..2 {
        steps.push(SystemStep::Pass { at });
    }
    for request in &requests {
        steps.push(SystemStep::ReadBaton { request: *request });
    }
    let signals = [Signal::Interrupt, Signal::Terminate, Signal::Hangup, Signal::Quit];
    let causes = [Cause::Failed, Cause::Requested, Cause::Deadline, Cause::Finished];
    for actor in view.topology.actors() {
        let timers = view.topology.actors().map(Timer::Grace);
        let timers = timers.chain(requests.iter().copied().map(Timer::Yield));
        steps.extend(timers.map(|timer| SystemStep::Expire { actor, timer }));
        steps.extend(signals.map(|signal| SystemStep::TakeSignal { actor, signal }));
        steps.extend([
            SystemStep::EndUserTask { actor },
            SystemStep::Boot { actor },
            SystemStep::Reap { actor },
            SystemStep::Adopt { actor },
            SystemStep::LosePrompt { actor },
        ]);
        let answers = [Answer::Continue, Answer::Quit, Answer::Hangup];
        done.extend(answers.map(|answer| EnvironmentAction::Answer { actor, answer }));
        done.extend(causes.map(|cause| EnvironmentAction::Provoke { actor, cause }));
        done.extend(signals.map(|signal| EnvironmentAction::Signal { actor, signal }));
        done.extend([
            EnvironmentAction::Pause { actor },
            EnvironmentAction::PauseShielded { actor },
            EnvironmentAction::FailUnexamined { actor, cause: Cause::Failed },
            EnvironmentAction::FailUnexamined { actor, cause: Cause::Deadline },
            EnvironmentAction::CancelChild { actor },
            EnvironmentAction::Kill { actor },
            EnvironmentAction::Cut { actor },
            EnvironmentAction::Spawn { actor },
            EnvironmentAction::Die { actor, status: Status::Failed },
            EnvironmentAction::Appear { actor },
            EnvironmentAction::Vanish { actor },
            EnvironmentAction::CutShort { actor, performed: 1 },
        ]);
    }
    let steps = steps.into_iter().map(Action::System);
    steps.chain(done.into_iter().map(Action::Environment)).collect()
}

fn compare(view: &WorldView<'_>, seen: &mut BTreeMap<&'static str, u64>) -> Vec<Action> {
    let offered = enabled(view);
    for action in universe(view) {
        match (offered.contains(&action), can_happen(view, action)) {
            (true, false) => panic!("{action:?} is offered, and no record may have it"),
            (false, true) => match reason(view, action) {
                Some(reason) => *seen.entry(reason).or_default() += 1,
                None => panic!("{action:?} is left out for no reason that is listed"),
            },
            (true, true) | (false, false) => {}
        }
        // Each kind has its row, and what the rows ground is what is asked here.
        match action {
            Action::System(step) => {
                assert!(
                    !of_step(step).is_empty()
                        && (can_step(view, step) || !offered.contains(&action))
                );
            }
            Action::Environment(done) => {
                assert!(
                    !of_environment(done).is_empty()
                        && (can_do(view, done) || !offered.contains(&action))
                );
            }
        }
    }
    offered
}

#[test]
fn what_is_left_out_of_what_recorded_runs_allow_is_listed_with_its_reason() {
    let (own, shared) = (Placement::OwnSession, Placement::SharedGroup);
    let relay = Policy::RELAY;
    let frozen = Policy { while_prompt: WhilePrompt::Freezes, ..relay };
    let mut seen = BTreeMap::new();
    for (tree, faults, placement, policy) in [
        ("root(a)", "request=1,interrupt=2,kill=1", own, relay),
        ("root(a)", "request=1,interrupt=1,interrupt-one=1", shared, relay),
        ("root(a)", "shielded=1,cancel=1,stop=1", own, relay),
        ("root(a)", "request=1,quit=1,kill-root=1", own, relay),
        ("root(a)", "request=1,error=1,error-unexamined=1,cut=1", own, relay),
        ("root(a?)", "request=1,cancel=1,interrupt=1,kill=1", shared, relay),
        ("root(a(b))", "request=1,kill=2", own, relay),
        ("root(a)", "request=1,cancel-child=1,interrupt=1", own, frozen),
        ("root(a)", "request=1,kill=1", own, Policy::SINGLE_DEPTH),
    ] {
        let tree = tree.parse().expect("the trees are well formed");
        let faults = faults.parse().expect("the budgets are well formed");
        let topology = Topology::new(Config::new(tree, policy, placement, faults));
        let first = System::new(&topology);
        let mut states = BTreeSet::from([first.clone()]);
        let mut queue = VecDeque::from([first]);
        while let Some(before) = queue.pop_front() {
            for action in before.look(&topology, |view| compare(view, &mut seen)) {
                let mut after = before.clone();
                after.apply(&topology, action);
                if states.insert(after.clone()) {
                    queue.push_back(after);
                }
            }
        }
    }
    let met: BTreeSet<_> = seen.into_keys().collect();
    assert_eq!(met, REASONS.into(), "each reason is met");
}
