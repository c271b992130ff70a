//! Real trees that really break a property: the judgement of their records names it.
//!
//! A check that cannot fail is a defect, so each always-property has a row here, and a property
//! without one does not compile. A rule that is taken out is taken out of real processes: they are
//! led along the model's counterexample, and their records are judged like those of any live run.

#![cfg(not(model_shuttle))]

use PropertyId::{
    AncestorsKnow, CanAlwaysEnd, InterruptObeyed, InterruptShielded, InterruptWorksAgain, NoAlarm,
    NoCancelUnderHold, NoPromptAfterCancel, NoSignalUnderHold, NoneLeft, NothingStale, OnePrompt,
    ReleasedOnce, RequestAnswered, StopIsBounded, TeardownCompletes, TerminalRestored,
};
use holdfast_check::explore::{Options, Progress, StopWhen};
use holdfast_check::property::{PropertyId, PropertyKind};
use holdfast_check::report::{PropertyVerdict, check};
use holdfast_check::trace::Trace;
use holdfast_check::world::script::Condition;
use holdfast_check::world::{Budget, Config, EnvironmentAction, Script, ScriptStep};
use holdfast_cli::case::resolve::{CaseRun, Golden};
use holdfast_cli::expect::{Expectation, ExpectedViolation};
use holdfast_cli::on_live::follow::follow;
use holdfast_cli::on_live::{self, Conformance, LiveMode, Setup};
use holdfast_protocol::{ActorId, NamedPolicy, Placement, PolicyName, Rule};
use holdfast_testkit::defect::TestDefect;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::thread;

/// How real processes come to break a property, and what they break with it.
enum Broken {
    /// This rule is taken out of relay, in this tree with these faults.
    Without(Rule, &'static str, &'static str, &'static [PropertyId]),
    /// The test actors have this defect, under relay.
    By(TestDefect),
    /// A record shows a beginning of a run, and no beginning breaks what is to happen in the end.
    InTheEnd,
}
use Broken::{By, InTheEnd, Without};

const fn broken(property: PropertyId) -> Broken {
    match property {
        // Without a lock nobody asks, so nobody above knows.
        OnePrompt => Without(Rule::R2, "root(a)", "request=2,interrupt=1", &[AncestorsKnow]),
        AncestorsKnow => Without(Rule::R1, "root(a(b))", "request=1,interrupt-one=1,quit=1", &[]),
        NoSignalUnderHold => Without(Rule::R5, "root(a)", "request=1,shielded=1,cancel=1", &[]),
        NoCancelUnderHold => Without(Rule::R4, "root(a)", "request=1,shielded=1,cancel=1", &[]),
        InterruptShielded => Without(Rule::R3, "root(a)", "request=1,interrupt-one=1", &[]),
        InterruptObeyed => Without(Rule::R11, "root(a)", "request=1,interrupt=2,stop=1", &[]),
        NoPromptAfterCancel => Without(Rule::R6, "root(a)", "request=1,interrupt=1,kill=1", &[]),
        ReleasedOnce => Without(Rule::R7, "root(a)", "request=2,interrupt=1", &[]),
        TerminalRestored => By(TestDefect::TerminalLeftRaw),
        NoneLeft => Without(Rule::R9, "root(a(b))", "request=1,interrupt=1,kill=1", &[]),
        NothingStale => Without(Rule::R12, "root(a)", "request=2,interrupt=1", &[]),
        NoAlarm => Without(Rule::R8, "root(a)", "request=1,kill=1", &[]),
        RequestAnswered | TeardownCompletes | InterruptWorksAgain | StopIsBounded
        | CanAlwaysEnd => InTheEnd,
    }
}

/// What a live run was seen to break, and how each shows.
type Seen = Result<Vec<(PropertyId, String)>, String>;

/// The shortest run of the model that breaks the property.
fn counterexample(property: PropertyId, rule: Rule, tree: &str, faults: &str) -> Trace {
    let named = NamedPolicy { policy: PolicyName::Relay, without: vec![rule] };
    let tree = tree.parse().expect("the table's trees are well formed");
    let faults = faults.parse().expect("the table's budgets are well formed");
    let config = Config::new(tree, named.policy(), Placement::OwnSession, faults);
    let options = Options { until: StopWhen::Exhausted, ..Options::default() };
    let report = check(config, options, &Progress::default());
    match &report.verdicts[&property] {
        PropertyVerdict::Violated(found) => Trace::new(&report.config, &named, found),
        other => panic!("the model without {rule} does not break {property}: {other:?}"),
    }
}

fn without(property: PropertyId, (rule, tree, faults): (Rule, &str, &str), setup: &Setup) -> Seen {
    let trace = counterexample(property, rule, tree, faults);
    let followed = follow(&trace, setup, &AtomicBool::new(false));
    let followed = followed.map_err(|error| error.to_string())?;
    match (followed.left, followed.conformance) {
        (None, Conformance::Conforms) => Ok(followed.violated),
        (left, conformance) => Err(format!("{left:?}, {conformance:?}: {:#?}", followed.story)),
    }
}

/// A prompt is opened and answered, and a Ctrl-C ends the tree.
fn with_defect(property: PropertyId, setup: &Setup) -> Seen {
    let (tree, actor) = ("root(a)".parse().expect("a tree"), ActorId(1));
    let relay = NamedPolicy::from(PolicyName::Relay);
    let mut config = Config::new(tree, relay.policy(), Placement::OwnSession, Budget::NONE);
    let pause = ScriptStep::Do(EnvironmentAction::Pause { actor });
    config.script = Script { steps: vec![pause, ScriptStep::Until(Condition::PromptOpen(actor))] };
    let violation = ExpectedViolation { violates: property, also: Vec::new() };
    let run = CaseRun {
        policy: relay.policy,
        without: relay.without,
        variant: None,
        expectation: Expectation::Violates(violation),
        config,
        golden: Golden::No,
        live_mode: LiveMode::ByItself,
    };
    let ended = on_live::run(&run, setup, "defect", &AtomicBool::new(false));
    match (ended.trouble, ended.conformance) {
        (None, Conformance::Conforms) => Ok(ended.violated),
        (trouble, conformance) => Err(format!("{trouble:?}, {conformance:?}: {:#?}", ended.story)),
    }
}

/// What is wrong with the row of a property, if anything is.
fn mismatch(property: PropertyId, records: &Path) -> Option<String> {
    let defect = match broken(property) {
        By(defect) => Some(defect),
        Without(..) | InTheEnd => None,
    };
    let program = PathBuf::from(env!("CARGO_BIN_EXE_holdfast"));
    let setup = Setup { program, records: records.join(property.to_string()), defect };
    let (seen, also): (Seen, &[PropertyId]) = match broken(property) {
        Without(rule, tree, faults, also) => {
            (without(property, (rule, tree, faults), &setup), also)
        }
        By(_) => (with_defect(property, &setup), &[]),
        InTheEnd if property.kind() == PropertyKind::Always => {
            return Some(format!("{property}: no live tree is seen to break it"));
        }
        InTheEnd => return None,
    };
    let expected: Vec<_> =
        PropertyId::ALL.into_iter().filter(|id| *id == property || also.contains(id)).collect();
    match seen {
        Err(why) => Some(format!("{property}: {why}")),
        Ok(seen) if seen.iter().map(|(id, _)| *id).eq(expected.iter().copied()) => None,
        Ok(seen) => Some(format!("{property}: expected {expected:?}, found {seen:#?}")),
    }
}

#[test]
fn each_always_property_that_a_live_tree_breaks_is_named_by_its_records() {
    let records = tempfile::tempdir().expect("a temporary folder");
    // Most of the time nothing moves, so more than cores.
    let (first, second) = PropertyId::ALL.split_at(PropertyId::ALL.len() / 2);
    let work = |properties: &[PropertyId]| -> Vec<String> {
        properties.iter().filter_map(|one| mismatch(*one, records.path())).collect()
    };
    let wrong = thread::scope(|scope| {
        let other = scope.spawn(|| work(second));
        let mut wrong = work(first);
        wrong.extend(other.join().expect("it does not panic"));
        wrong
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
