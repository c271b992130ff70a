//! What is forbidden, said a second time from `model/docs/PROOF.md`, agrees with the claims that the
//! search and the verifier share: on states that are put together at random, most of which no run
//! comes to, and on steps of protocols that lack a rule.

use forbidden::{Now, forbidden_state, forbidden_step, forbidden_whole_step};
use holdfast_check::property::PropertyId;
use holdfast_check::rng::Rng;
use holdfast_protocol::{Input, Node, Outbox, Output, Policy, Rule};
use holdfast_prove::claim::{ClaimViolation, Findings, ProofClaim, Reached};
use holdfast_prove::environment::Trigger;
use holdfast_prove::focus::{ABOVE, Focus};
use holdfast_prove::judge::{StepInFocus, judge_state, judge_step};
use holdfast_prove::rest::{inputs_aside, rests};
use holdfast_prove::search::FocusSearch;
use holdfast_prove::seen::Told;
use holdfast_prove::side::Side;
use holdfast_prove::state::{Around, FocusView};
use holdfast_prove::step::outcomes;
use holdfast_prove::whole::WholeStep;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

#[path = "support/forbidden.rs"]
mod forbidden;

/// How many states are put together for each kind of actor and each protocol.
const STATES: usize = 3_000;
/// How many states are looked at for the values of which others are put together.
const SEEN: usize = 4_000;
/// How many steps are taken for each kind of actor and each protocol.
const STEPS: usize = 60;

/// What two judges say of the same thing, and how often.
type Verdicts = BTreeMap<(Said, Said), u64>;

/// What is wrong, as one judge says it.
type Said = Option<&'static str>;

/// The second judge says nothing of the leads-to properties.
fn first_said(violations: &[ClaimViolation]) -> Option<&'static str> {
    let always = |it: &&ClaimViolation| match it.claim {
        ProofClaim::Contract(_) => true,
        ProofClaim::Property(property) => !matches!(
            property,
            PropertyId::RequestAnswered
                | PropertyId::TeardownCompletes
                | PropertyId::InterruptWorksAgain
        ),
    };
    violations.iter().find(always).map(|it| it.what)
}

fn judged(judge: impl FnOnce(&mut Findings<'_>)) -> Option<&'static str> {
    let mut reached = Reached::default();
    let mut found = Findings { reached: &mut reached, violations: Vec::new() };
    judge(&mut found);
    first_said(&found.violations)
}

/// The values of which the states of a kind are made, each once.
struct Values {
    nodes: Vec<Node>,
    ups: Vec<Side>,
    downs: Vec<Side>,
    arounds: Vec<Around>,
}

impl Values {
    fn of(focus: Focus, policy: Policy) -> Self {
        let mut search = FocusSearch::new(focus, policy);
        let enough = |states| {
            if states > SEEN { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        search.run(enough);
        let mut all =
            Self { nodes: Vec::new(), ups: Vec::new(), downs: Vec::new(), arounds: Vec::new() };
        let mut known = std::collections::HashSet::new();
        for view in search.states() {
            if known.insert(format!("{:?}", view.node)) {
                all.nodes.push(view.node.clone());
            }
            if known.insert(format!("up {:?}", view.up)) {
                all.ups.push(view.up.clone());
            }
            if known.insert(format!("down {:?}", view.down)) {
                all.downs.push(view.down.clone());
            }
            if known.insert(format!("{:?}", view.around)) {
                all.arounds.push(view.around);
            }
        }
        all
    }

    fn view(&self, focus: Focus, rng: &mut Rng) -> FocusView<'_> {
        FocusView {
            focus,
            node: &self.nodes[rng.below(self.nodes.len())],
            up: &self.ups[rng.below(self.ups.len())],
            down: &self.downs[rng.below(self.downs.len())],
            around: self.arounds[rng.below(self.arounds.len())],
        }
    }
}

fn now(view: &FocusView<'_>) -> Now {
    let side = |side: &Side| (side.link.clone(), side.said);
    let (up, down) = (side(view.up), side(view.down));
    Now { node: view.node.clone(), up, down, around: view.around }
}

#[test]
fn two_judges_agree() {
    let mut verdicts = Verdicts::new();
    let policies = Rule::ALL.map(|rule| Policy::RELAY.without(rule));
    for (number, policy) in policies.into_iter().chain([Policy::RELAY]).enumerate() {
        for focus in Focus::ALL {
            let values = Values::of(focus, policy);
            let mut rng = Rng::new(number as u64, focus as u64);
            for _ in 0..STATES {
                let view = values.view(focus, &mut rng);
                let first = judged(|found| judge_state(&view, found));
                *verdicts.entry((first, forbidden_state(focus, &now(&view)))).or_default() += 1;
            }
            for _ in 0..STEPS {
                steps(focus, &values, &mut rng, &mut verdicts);
            }
        }
    }
    let differ: Verdicts = verdicts
        .iter()
        .filter(|((one, two), _)| one.is_some() != two.is_some())
        .map(entry)
        .collect();
    assert_eq!(differ, Verdicts::new());
    let forbidden: BTreeSet<_> = verdicts.keys().filter_map(|(first, _)| *first).collect();
    assert!(forbidden.len() >= 15, "too few sentences are put to the test: {forbidden:#?}");
}

fn entry((verdict, times): (&(Said, Said), &u64)) -> ((Said, Said), u64) {
    (*verdict, *times)
}

/// All that an actor does in a state that is put together, on one trigger.
fn steps(focus: Focus, values: &Values, rng: &mut Rng, verdicts: &mut Verdicts) {
    let (from, to) = (values.view(focus, rng), values.view(focus, rng));
    let node = from.node;
    let mut triggers = vec![Trigger::Aside];
    if let Some(Some(message)) = from.up.readable() {
        triggers.push(Trigger::Takes(Input::Received { from: ABOVE, message }));
    }
    for trigger in triggers {
        let (outcomes, _) = outcomes(focus, node, trigger);
        for outcome in outcomes {
            let to = FocusView { node: &outcome.node, ..to };
            let outputs = &outcome.outputs;
            let step = StepInFocus { told: Told::of(focus, outcome.input), outputs };
            let first = judged(|found| judge_step(&from, step, &to, found));
            let second = forbidden_step(focus, &now(&from), outcome.input, outputs, &now(&to));
            *verdicts.entry((first, second)).or_default() += 1;
        }
    }
    let rests = rests(focus, node);
    let rest = &rests[rng.below(rests.len())];
    let before = node.beside(rest);
    for input in inputs_aside(focus, node, rest) {
        let (mut after, mut outbox) = (before.clone(), Outbox::new());
        after.handle(input, &mut outbox);
        let outputs: Vec<Output> = outbox.drain().collect();
        let whole = WholeStep { before: &before, input, after: &after, outputs: &outputs };
        let first: Vec<ClaimViolation> = whole.judge(focus).0.into_iter().collect();
        let second = forbidden_whole_step(focus, &before, input, &after, &outputs);
        *verdicts.entry((first_said(&first), second)).or_default() += 1;
    }
}
