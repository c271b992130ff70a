//! What must happen in the end does not, as soon as a move that is relied on is taken out.

use holdfast_check::property::PropertyId;
use holdfast_protocol::{Input, Policy, Timer};
use holdfast_prove::claim::ProofClaim;
use holdfast_prove::focus::Focus;
use holdfast_prove::search::{Closure, FocusEvent, FocusSearch};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// The leads-to claims that are violated, and nothing else, if these events do not happen.
fn falls(focus: Focus, is: fn(FocusEvent) -> bool) -> BTreeSet<PropertyId> {
    let mut search = FocusSearch::new(focus, Policy::RELAY).keeping(move |event| !is(event));
    let closure = search.run(|_| ControlFlow::Continue(()));
    let violated = search.explored(closure).violated;
    assert_eq!(closure == Closure::Violated, !violated.is_empty());
    let property = |claim| match claim {
        ProofClaim::Property(property) => property,
        ProofClaim::Contract(clause) => panic!("{focus}: {clause}"),
    };
    violated.into_iter().map(|it| property(it.violation.claim)).collect()
}

fn grace_ends(event: FocusEvent) -> bool {
    matches!(event, FocusEvent::Takes(Input::Expired { timer: Timer::Grace(_) }))
}

fn time_to_yield_ends(event: FocusEvent) -> bool {
    matches!(event, FocusEvent::Takes(Input::Expired { timer: Timer::Yield(_) }))
}

fn baton_is_read(event: FocusEvent) -> bool {
    matches!(event, FocusEvent::Takes(Input::BatonClosed { .. }))
}

fn dies(event: FocusEvent) -> bool {
    event == FocusEvent::Dies
}

fn is_reaped(event: FocusEvent) -> bool {
    matches!(event, FocusEvent::Takes(Input::Exited { .. }))
}

#[test]
fn each_move_that_is_relied_on_is_needed() {
    use PropertyId::{RequestAnswered, StopIsBounded, TeardownCompletes};
    let both = BTreeSet::from([StopIsBounded, TeardownCompletes]);
    let teardown = BTreeSet::from([TeardownCompletes]);
    let stop = BTreeSet::from([StopIsBounded]);
    assert_eq!(falls(Focus::Root, time_to_yield_ends), stop);
    assert_eq!(falls(Focus::Root, baton_is_read), BTreeSet::from([RequestAnswered]));
    for (name, is) in [("grace", grace_ends as fn(_) -> _), ("dies", dies), ("reaps", is_reaped)] {
        assert_eq!(falls(Focus::Root, is), both, "{name}");
        assert_eq!(falls(Focus::Between, is), teardown, "{name}");
    }
    for is in [grace_ends, is_reaped] {
        assert_eq!(falls(Focus::RootOrphan, is), both);
    }
    // Nothing else is: a neighbour that is silent holds nobody up.
    for focus in Focus::ALL {
        assert_eq!(falls(focus, |event| matches!(event, FocusEvent::Above(_))), BTreeSet::new());
        assert_eq!(falls(focus, |event| matches!(event, FocusEvent::Below(_))), BTreeSet::new());
    }
}
