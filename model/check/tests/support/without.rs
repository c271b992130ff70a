//! Each rule taken out of `relay`, and what falls on each engine.
//!
//! One table for all who see it: the explorer and the document (`tests/mutants.rs`), stateright
//! (`tests/oracle.rs`), random walks (`tests/random.rs`). What falls in the trees under shuttle is
//! in `guarded.rs`.

use PropertyId::{
    AncestorsKnow, CanAlwaysEnd, InterruptObeyed, InterruptShielded, InterruptWorksAgain, NoAlarm,
    NoCancelUnderHold, NoPromptAfterCancel, NoSignalUnderHold, NoneLeft, NothingStale, OnePrompt,
    ReleasedOnce, RequestAnswered, StopIsBounded, TeardownCompletes,
};
use holdfast_check::property::PropertyId;
use holdfast_protocol::Placement;
use holdfast_protocol::Rule;

/// A small run: tree, faults, placement.
pub(crate) type Run = (&'static str, &'static str, Placement);

const OWN: Placement = Placement::OwnSession;

/// The rule; the run that shows it; everything that falls in it; the steps to the first
/// always-property that falls in it, if one does; what falls in a random walk, if something does.
pub(crate) type Without = (Rule, Run, &'static [PropertyId], Option<usize>, Option<PropertyId>);

pub(crate) const WITHOUT: [Without; 12] = [
    (
        Rule::R1,
        ("root(a(b))", "request=1,interrupt-one=1,quit=1", OWN),
        &[AncestorsKnow, NoSignalUnderHold, NoCancelUnderHold, InterruptShielded],
        Some(3),
        Some(AncestorsKnow),
    ),
    (
        Rule::R2,
        ("root(a)", "request=2,interrupt=1", OWN),
        &[OnePrompt, AncestorsKnow, NoSignalUnderHold, NoCancelUnderHold, InterruptShielded],
        Some(1),
        Some(AncestorsKnow),
    ),
    (
        Rule::R3,
        ("root(a)", "request=1,interrupt=1,kill=1", OWN),
        &[InterruptShielded],
        Some(3),
        Some(InterruptShielded),
    ),
    (
        Rule::R4,
        ("root(a)", "request=1,shielded=1,cancel=1", OWN),
        &[NoCancelUnderHold],
        Some(4),
        Some(NoCancelUnderHold),
    ),
    (
        Rule::R5,
        ("root(a)", "request=1,shielded=1,cancel=1", OWN),
        &[NoSignalUnderHold],
        Some(6),
        Some(NoSignalUnderHold),
    ),
    (
        Rule::R6,
        ("root(a)", "request=1,interrupt=1,kill=1", OWN),
        &[NoPromptAfterCancel],
        Some(6),
        Some(NoPromptAfterCancel),
    ),
    (
        Rule::R7,
        ("root(a,b)", "request=2,interrupt=1,kill=1", OWN),
        &[
            ReleasedOnce,
            NothingStale,
            RequestAnswered,
            TeardownCompletes,
            InterruptWorksAgain,
            CanAlwaysEnd,
        ],
        Some(5),
        Some(NothingStale),
    ),
    (
        Rule::R8,
        ("root(a(b))", "request=1,interrupt=1,kill=1", OWN),
        &[NoSignalUnderHold, InterruptShielded, ReleasedOnce, NoAlarm],
        Some(5),
        Some(NoAlarm),
    ),
    (
        Rule::R9,
        ("root(a(b))", "request=1,interrupt=1,kill=1", OWN),
        &[NoneLeft, TeardownCompletes, InterruptWorksAgain, CanAlwaysEnd],
        Some(4),
        Some(NoneLeft),
    ),
    (Rule::R10, ("root(a)", "request=1,stop=1,kill=1", OWN), &[StopIsBounded], None, None),
    (
        Rule::R11,
        ("root(a)", "request=1,interrupt=2,stop=1", OWN),
        &[InterruptObeyed],
        Some(4),
        Some(InterruptObeyed),
    ),
    (
        Rule::R12,
        ("root(a)", "request=2,interrupt=1", OWN),
        &[InterruptObeyed, NothingStale, InterruptWorksAgain, CanAlwaysEnd],
        Some(4),
        Some(NothingStale),
    ),
];
