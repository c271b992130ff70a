//! Each broken variant of `relay` is caught, by exactly the properties that a table names.
//!
//! Runs in `cargo test`. A check that cannot fail is a defect, so the tables together must break
//! every property; and each run must hold under `relay` itself, or it would prove nothing.

use PropertyId::{
    AncestorsKnow, CanAlwaysEnd, InterruptObeyed, InterruptShielded, NoAlarm, NoCancelUnderHold,
    NoPromptAfterCancel, NoSignalUnderHold, NoneLeft, NothingStale, ReleasedOnce, StopIsBounded,
    TeardownCompletes, TerminalRestored,
};
use holdfast_check::explore::{Options, Progress, StopWhen};
use holdfast_check::property::{PropertyId, PropertySet, guardian};
use holdfast_check::report::{CheckOutcome, CheckReport, check};
use holdfast_check::world::Config;
use holdfast_protocol::Placement;
use holdfast_protocol::policy::{
    AfterInterrupt, BootInterrupt, Bystander, Deferral, LadderUnderHold, Lock, LockRelease,
    LostBranch, Orphans, Policy, Restore, Route, Rule, Rungs, SecondInterrupt, Shield, StopSignal,
    TerminalReader, WaitingRequest, WhilePrompt,
};
use without::{Run, WITHOUT};

#[path = "../../sim/tests/support/guarded.rs"]
mod guarded;
#[path = "support/without.rs"]
mod without;

const OWN: Placement = Placement::OwnSession;
const SHARED: Placement = Placement::SharedGroup;

/// What a switch of one choice leads to.
#[derive(Clone, Copy)]
enum Switched {
    /// These fall, in this run.
    Falls(Run, &'static [PropertyId]),
    /// Nothing falls in any run of [`HARD`], and why that is right.
    Holds(&'static str),
}
use Switched::{Falls, Holds};

/// Runs in which every fault occurs.
const HARD: [Run; 9] = [
    ("root(a)", "request=2,interrupt=2,kill=1,error=1", OWN),
    ("root(a)", "request=1,shielded=1,cancel=1,stop=1", OWN),
    ("root(a)", "request=1,error=1,cut=1", OWN),
    ("root(a)", "request=1,kill-root=1", OWN),
    ("root(a)", "request=1,interrupt=2,error=1", SHARED),
    ("root(a?)", "request=1,interrupt=2,kill=1", SHARED),
    ("root(a(b))", "request=1,interrupt-one=1,quit=1", OWN),
    ("root(a(b))", "request=1,interrupt=1", SHARED),
    ("root(a,b)", "request=1,interrupt=1", SHARED),
];

const TWO: &str = "root(a)";
const CHAIN: &str = "root(a(b))";

/// Every choice switched away from what `relay` says, in the order of the policy's fields.
const SWITCHES: [(&str, Switched); 23] = [
    (
        "route: Direct",
        Falls(
            (CHAIN, "request=1,interrupt=1,kill=1", OWN),
            &[AncestorsKnow, NoSignalUnderHold, NoCancelUnderHold],
        ),
    ),
    (
        "lock: Absent",
        Falls(
            (TWO, "request=1,interrupt=2,stop=1", OWN),
            &[
                AncestorsKnow,
                NoSignalUnderHold,
                NoCancelUnderHold,
                InterruptShielded,
                StopIsBounded,
            ],
        ),
    ),
    ("shield: Off", Falls((TWO, "request=1,interrupt=1,kill=1", OWN), &[InterruptShielded])),
    (
        "bystander: Obeys",
        Falls((TWO, "request=1,interrupt=1,error=1", SHARED), &[InterruptShielded]),
    ),
    (
        "deferral: RootAfterError",
        Falls((TWO, "request=1,shielded=1,cancel=1", OWN), &[NoCancelUnderHold]),
    ),
    ("deferral: OwnRequests", Falls((TWO, "request=1,error=1,cut=1", OWN), &[NoCancelUnderHold])),
    (
        "deferral: Never",
        Falls((TWO, "request=1,shielded=1,cancel=1", OWN), &[NoCancelUnderHold, NothingStale]),
    ),
    (
        "ladder_under_hold: SuspendedInRoot",
        Falls((CHAIN, "request=1,shielded=1,cancel=1", OWN), &[NoSignalUnderHold]),
    ),
    (
        "ladder_under_hold: Climbs",
        Falls((CHAIN, "request=1,interrupt=1", SHARED), &[NoSignalUnderHold]),
    ),
    (
        "waiting_request: Kept",
        Falls((CHAIN, "request=1,interrupt=1,kill=1", OWN), &[NoPromptAfterCancel]),
    ),
    ("release: DoneArrived", Falls((TWO, "request=2,interrupt=1", OWN), &[ReleasedOnce])),
    ("lost_branch: DropsGranted", Falls((TWO, "request=1,error=1,cut=1", OWN), &[NoAlarm])),
    ("lost_branch: Untold", Falls((CHAIN, "request=1,stop=1", OWN), &[NothingStale])),
    (
        "orphans: LiveOn",
        Falls((TWO, "request=1,kill-root=1", OWN), &[TeardownCompletes, CanAlwaysEnd]),
    ),
    ("stop: Deferred", Falls((CHAIN, "request=1,stop=1", OWN), &[StopIsBounded])),
    ("stop: Dies", Falls((TWO, "request=1,stop=1,kill=1", OWN), &[TerminalRestored, NoneLeft])),
    (
        "second_interrupt: Swallowed",
        Falls((TWO, "request=1,interrupt=1,error=1", SHARED), &[InterruptObeyed]),
    ),
    (
        "restore: SavedSlot",
        Falls((TWO, "request=1,shielded=1,cancel=1", OWN), &[NothingStale, CanAlwaysEnd]),
    ),
    (
        "reader: Holder",
        Falls((TWO, "request=1,interrupt=1,kill=1", OWN), &[TerminalRestored, NothingStale]),
    ),
    (
        "while_prompt: Freezes",
        Holds("nothing leans on an actor at its prompt: fairness allows that it is frozen"),
    ),
    (
        "after_interrupt: Lingers",
        Holds("an actor that lingers still obeys its supervisor, as relay asks every actor to"),
    ),
    (
        "boot_interrupt: Dies",
        Falls(("root(a?)", "request=1,interrupt=1,kill=1", SHARED), &[InterruptShielded]),
    ),
    ("rungs: CancelKill", Holds("the ladder is shorter, and no property counts its rungs")),
];

/// Builds every switch; a new field or variant does not compile until it is listed.
macro_rules! switches {
    ($($field:ident: $choice:ident { $($variant:ident),+ })+) => {
        fn switches() -> Vec<(String, Policy)> {
            let Policy { $($field),+ } = Policy::RELAY;
            let mut all = Vec::new();
            $(
                match $field { $($choice::$variant)|+ => {} }
                $(
                    if $field != $choice::$variant {
                        let name = format!("{}: {:?}", stringify!($field), $choice::$variant);
                        all.push((name, Policy { $field: $choice::$variant, ..Policy::RELAY }));
                    }
                )+
            )+
            all
        }
    };
}

switches! {
    route: Route { Relayed, Direct }
    lock: Lock { FirstComeFirstServed, Absent }
    shield: Shield { On, Off }
    bystander: Bystander { LeavesItToRoot, Obeys }
    deferral: Deferral { AnyHold, RootAfterError, OwnRequests, Never }
    ladder_under_hold: LadderUnderHold { Suspended, SuspendedInRoot, Climbs }
    waiting_request: WaitingRequest { Withdrawn, Kept }
    release: LockRelease { BatonClosed, DoneArrived }
    lost_branch: LostBranch { KeepsGranted, DropsGranted, Untold }
    orphans: Orphans { End, LiveOn }
    stop: StopSignal { Revokes, Deferred, Dies }
    second_interrupt: SecondInterrupt { Climbs, Swallowed }
    restore: Restore { Derived, SavedSlot }
    reader: TerminalReader { Root, Holder }
    while_prompt: WhilePrompt { Serves, Freezes }
    after_interrupt: AfterInterrupt { Exits, Lingers }
    boot_interrupt: BootInterrupt { Ignored, Dies }
    rungs: Rungs { CancelTerminateKill, CancelKill }
}

fn explore_all((tree, faults, placement): Run, policy: Policy) -> CheckReport {
    let tree = tree.parse().expect("the table's trees are well formed");
    let faults = faults.parse().expect("the table's budgets are well formed");
    let config = Config::new(tree, policy, placement, faults);
    let options = Options { until: StopWhen::Exhausted, ..Options::default() };
    check(config, options, &Progress::default())
}

fn names(properties: PropertySet) -> String {
    properties.members().map(|property| property.to_string()).collect::<Vec<_>>().join(" ")
}

/// What differs from a row of a table, if anything does.
fn mismatch(what: &str, run: Run, policy: Policy, falls: &[PropertyId]) -> Option<String> {
    let expected: PropertySet = falls.iter().copied().collect();
    let fell = explore_all(run, policy).violated();
    let wrong = fell != expected;
    wrong.then(|| {
        format!("{what} on {run:?}: fell `{}`, expected `{}`", names(fell), names(expected))
    })
}

#[test]
fn each_rule_taken_out_breaks_its_guardian_and_what_the_table_says() {
    assert_eq!(WITHOUT.map(|(rule, ..)| rule), Rule::ALL);
    let mut wrong = Vec::new();
    for (rule, run, falls, ..) in WITHOUT {
        let what = format!("without {rule}");
        wrong.extend(mismatch(&what, run, Policy::RELAY.without(rule), falls));
        if !falls.contains(&guardian(rule)) {
            wrong.push(format!("{what}: its guardian `{}` does not fall", guardian(rule)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_choice_switched_breaks_what_the_table_says() {
    let switches = switches();
    let listed: Vec<_> = SWITCHES.iter().map(|(name, _)| *name).collect();
    let built: Vec<_> = switches.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(listed, built);
    let mut wrong = Vec::new();
    for ((name, policy), (_, switched)) in switches.iter().zip(SWITCHES) {
        match switched {
            Falls(run, falls) => wrong.extend(mismatch(name, run, *policy, falls)),
            Holds(reason) => {
                assert!(!reason.is_empty(), "{name} holds without a reason");
                for run in HARD {
                    wrong.extend(mismatch(name, run, *policy, &[]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_run_of_the_tables_holds_under_relay() {
    let ruled = WITHOUT.iter().map(|(_, run, ..)| *run);
    let switched = SWITCHES.iter().filter_map(|(_, switched)| match switched {
        Falls(run, _) => Some(*run),
        Holds(_) => None,
    });
    let mut runs: Vec<Run> = ruled.chain(switched).chain(HARD).collect();
    runs.sort_unstable_by_key(|(tree, faults, placement)| (*tree, *faults, *placement == SHARED));
    runs.dedup();
    for run in runs {
        let report = explore_all(run, Policy::RELAY);
        assert_eq!(report.outcome(), CheckOutcome::Holds, "{run:?}: {:?}", report.verdicts);
    }
}

#[test]
fn every_property_is_broken_by_some_mutant() {
    let mut broken = PropertySet::default();
    for (_, _, falls, ..) in WITHOUT {
        broken |= falls.iter().copied().collect();
    }
    for (_, switched) in SWITCHES {
        if let Falls(_, falls) = switched {
            broken |= falls.iter().copied().collect();
        }
    }
    let unbroken: PropertySet =
        PropertyId::ALL.into_iter().filter(|property| !broken.has(*property)).collect();
    assert!(unbroken.is_empty(), "no mutant breaks `{}`", names(unbroken));
}

fn shown((tree, faults, placement): Run) -> String {
    format!("`{tree}`, {faults}, {placement}")
}

/// What engines say that know the always-properties alone.
const NOT_ALWAYS: &str = "nothing: it is not an always-property";

fn listed(falls: &[PropertyId]) -> String {
    falls.iter().map(|property| format!("`{property}`")).collect::<Vec<_>>().join(", ")
}

const HEAD: &str = "\
# Mutants

Generated from `model/check/tests/mutants.rs`, `support/without.rs` and `../../sim/tests/support/guarded.rs`; a test \
fails when it is not current.
Each line was seen to fall as it says, and each of its runs to hold under `relay` itself.
What loom and shuttle catch in the memory that threads share: [SHARED_MUTANTS.md](SHARED_MUTANTS.md). \
What is broken in the checker itself, and what notices: [CHECKER_MUTANTS.md](CHECKER_MUTANTS.md).

| engine | test | what it visits | up to |
|---|---|---|---|
| explorer | `tests/mutants.rs` | every interleaving of the run, every property; exactly these fall | the run's tree and faults |
| stateright | `tests/oracle.rs` | every interleaving of the run, the always-properties, until the first falls | the run's tree and faults |
| walks | `tests/random.rs` | random schedules of 12 actors, the always-properties, the first walk that goes wrong | 10,000 walks |
| trees under shuttle | `tests/driver.rs` | random schedules of the driver loop, a thread an actor; the property that guards the rule | 20,000 schedules |

";

/// The tables as a document.
fn document() -> String {
    let mut text = HEAD.to_owned()
        + "| rule taken out | what it says | run | explorer: falls | stateright: falls | \
           walks: falls | trees under shuttle: falls |\n|---|---|---|---|---|---|---|\n";
    for ((rule, run, falls, steps, walk), (guarded, property)) in
        WITHOUT.into_iter().zip(guarded::GUARDED)
    {
        assert_eq!(rule, guarded);
        let (says, run, falls) = (rule.statement(), shown(run), listed(falls));
        let steps = steps.map_or(NOT_ALWAYS.to_owned(), |steps| format!("at step {steps}"));
        let walk = walk.map_or(NOT_ALWAYS.to_owned(), |property| format!("`{property}`"));
        text +=
            &format!("| {rule} | {says} | {run} | {falls} | {steps} | {walk} | `{property}` |\n");
    }
    text += "\n| choice switched | run | explorer: falls |\n|---|---|---|\n";
    for (name, switched) in SWITCHES {
        text += &match switched {
            Falls(run, falls) => format!("| {name} | {} | {} |\n", shown(run), listed(falls)),
            Holds(reason) => format!("| {name} | the hardest runs | none: {reason} |\n"),
        };
    }
    text
}

#[test]
fn the_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/MUTANTS.md");
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(path, document()).expect("the repository can be written to");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        there,
        document(),
        "INSTA_UPDATE=always cargo test -p holdfast-check writes it anew"
    );
}
