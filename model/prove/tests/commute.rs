//! The finite rests stand for every rest: nodes with many children and requests are driven by
//! chance, and each of their steps, seen in focus, is among the steps that the rests give.
//!
//! The same samples miss a step as soon as a value of the rest is taken out.

use holdfast_check::rng::Rng;
use holdfast_protocol::hold::HoldStage;
use holdfast_protocol::ladder::{ChildLink, Grace, Kinship};
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::message::{About, Urgency};
use holdfast_protocol::node::focus::Rest;
use holdfast_protocol::node::overview::Overview;
use holdfast_protocol::node::{StopOrder, TreePosition};
use holdfast_protocol::teardown::{Teardown, UserTaskState};
use holdfast_protocol::{
    ActorId, Answer, Cause, DebugMode, Input, Message, Node, Origin, Outbox, Output, Policy,
    RequestId, Shielding, Signal, Status, Timer,
};
use holdfast_prove::environment::Trigger;
use holdfast_prove::focus::{ABOVE, CHILD, DEEPER, Focus, OFF, ORPHAN, ROOT};
use holdfast_prove::rest::rests;
use holdfast_prove::seen::{concerns, without_cause};
use holdfast_prove::step::outcomes_beside;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// How many lives of a node are driven for each kind of actor.
const LIVES: u64 = 3_000;
/// How long a life is at most.
const LENGTH: usize = 60;

/// Steps of real nodes, seen in focus: what may follow a node and a trigger.
type Samples = BTreeMap<(Node, Trigger), BTreeSet<(Node, Vec<Output>)>>;

/// What was met in the lives of nodes of one kind.
#[derive(Default)]
struct Lives {
    samples: Samples,
    /// What could be seen of a whole node, beside which part of it in focus.
    overviews: BTreeSet<(Node, Overview)>,
    steps: u64,
}

#[test]
fn every_step_of_a_node_of_any_size_is_among_those_beside_the_rests() {
    for focus in Focus::ALL {
        let Lives { samples, steps, .. } = lives_of(focus);
        let missing = first_missing(focus, samples, |_| true);
        let kinds: usize = samples.values().map(BTreeSet::len).sum();
        println!("{focus}: {steps} steps, {kinds} of them different");
        assert_eq!(missing, None, "{focus}: no rest gives this step");
    }
}

/// What one request can see of all others of a real node, it can see of some rest.
#[test]
fn every_overview_of_a_node_of_any_size_is_that_of_a_rest() {
    let mut all = BTreeSet::new();
    for focus in Focus::ALL {
        let mut given: BTreeMap<&Node, BTreeSet<Overview>> = BTreeMap::new();
        for (node, overview) in &lives_of(focus).overviews {
            let given = given.entry(node).or_insert_with(|| {
                rests(focus, node).iter().map(|rest| node.beside(rest).overview()).collect()
            });
            assert!(
                given.contains(overview),
                "{focus}: no rest gives {overview:?} beside {node:?}"
            );
            all.insert(*overview);
        }
    }
    println!("{} different overviews", all.len());
}

#[test]
fn each_value_of_the_rest_is_needed() {
    let samples = Focus::ALL.map(|focus| (focus, &lives_of(focus).samples));
    let idle: Vec<_> = VALUES
        .iter()
        .filter(|(_, is)| {
            !samples
                .iter()
                .any(|(focus, samples)| first_missing(*focus, samples, |rest| !is(rest)).is_some())
        })
        .map(|(name, _)| *name)
        .collect();
    assert!(idle.is_empty(), "taken out, nothing is missed: {idle:?}");
}

/// A value of the rest: its name, and the rests that have it.
type RestValue = (&'static str, fn(&Rest) -> bool);

fn own(rest: &Rest, stage: RequestStage) -> bool {
    rest.own_before.iter().chain(&rest.own_after).any(|own| own.stage == stage)
}

fn holds(rest: &Rest, via: ActorId, stages: &[HoldStage]) -> bool {
    rest.holds.iter().any(|(_, hold)| hold.via == via && stages.contains(&hold.stage))
}

/// Finer values (a purpose, a stage, a user task that goes on) are not all needed: others give the
/// same steps in focus. They stay, since the claims look at the whole node.
const VALUES: [RestValue; 11] = [
    ("nothing at all", |rest| {
        rest.own_before.is_empty() && rest.own_after.is_empty() && rest.holds.is_empty()
    }),
    ("own requests that wait", |rest| own(rest, RequestStage::Waiting)),
    ("own prompts", |rest| own(rest, RequestStage::Open)),
    ("holds through another child, not over", |rest| {
        holds(rest, OFF, &[HoldStage::Waiting, HoldStage::Granted])
    }),
    ("holds whose child is gone", |rest| holds(rest, OFF, &[HoldStage::Detached])),
    ("holds through the child that wait", |rest| holds(rest, CHILD, &[HoldStage::Waiting])),
    ("holds through the child, granted", |rest| {
        holds(rest, CHILD, &[HoldStage::Granted, HoldStage::Detached])
    }),
    ("no other child", |rest| rest.children.is_empty()),
    ("another child", |rest| !rest.children.is_empty()),
    ("a user task that has ended", |rest| rest.user_task == UserTaskState::Ended),
    ("others wait before the request", |rest| !rest.queue_before.is_empty()),
];

/// The first step of the samples that no rest of the kept ones gives.
fn first_missing(
    focus: Focus,
    samples: &Samples,
    keep: impl Fn(&Rest) -> bool,
) -> Option<(Node, Trigger, Node, Vec<Output>)> {
    samples.iter().find_map(|((node, trigger), seen)| {
        let mut kept = rests(focus, node);
        kept.retain(&keep);
        let (outcomes, _) = outcomes_beside(focus, node, *trigger, &kept);
        let given = |(to, outputs): &&(Node, Vec<Output>)| {
            outcomes.iter().any(|it| it.node == *to && it.outputs == *outputs)
        };
        let missing = seen.iter().find(|step| !given(step))?;
        Some((node.clone(), *trigger, missing.0.clone(), missing.1.clone()))
    })
}

/// The lives of a kind of actor, run once for all tests.
fn lives_of(focus: Focus) -> &'static Lives {
    static LIVES_OF: [OnceLock<Lives>; 7] = [const { OnceLock::new() }; 7];
    LIVES_OF[focus as usize].get_or_init(|| {
        let mut lives = Lives::default();
        for number in 0..LIVES {
            live(focus, number, &mut lives);
        }
        lives
    })
}

/// Drives one node until it is over.
fn live(focus: Focus, number: u64, lives: &mut Lives) {
    let mut rng = Rng::new(1, number);
    let debug = if rng.below(2) == 0 { DebugMode::Off } else { DebugMode::On };
    let mut node = if focus.is_root() {
        Node::root(ROOT, Policy::RELAY, debug)
    } else {
        Node::below(ABOVE, ROOT, focus.me(), Policy::RELAY, debug)
    };
    let mut request = focus.request();
    if focus.asks() {
        request.serial = rng.below(4) as u32;
    }
    let lens = Lens { focus, request };
    let (mut fresh, mut wanted) = (0, false);
    for _ in 0..LENGTH {
        if node.teardown() == Teardown::Over {
            return;
        }
        let mut inputs = Vec::new();
        inputs_of_life(focus, &node, &mut rng, &mut fresh, &mut inputs);
        if number.is_multiple_of(2) {
            hostile_words(&node, request, &mut rng, &mut inputs);
        }
        let linked = |child: ActorId| {
            node.children().get(&child).is_some_and(|child| child.link == ChildLink::Up)
        };
        if focus.has_child() && linked(CHILD) && !wanted {
            let want = Input::Received { from: CHILD, message: Message::Want { request } };
            inputs.extend([want; 4]);
        }
        let input = inputs[rng.below(inputs.len())];
        wanted |= matches!(input, Input::Received { message: Message::Want { request: it }, .. }
            if it == request);
        let before = node.clone();
        let mut outbox = Outbox::new();
        node.handle(input, &mut outbox);
        let raw: Vec<Output> = outbox.drain().collect();
        let outputs: Vec<Output> = raw
            .iter()
            .map(|output| lens.output(*output))
            .filter(|output| concerns(focus, *output))
            .map(without_cause)
            .collect();
        lives.overviews.insert((lens.node(&before), before.overview()));
        let key = (lens.node(&before), lens.trigger(input, &raw));
        lives.samples.entry(key).or_default().insert((lens.node(&node), outputs));
        lives.steps += 1;
    }
}

/// Sees a node under the names of the proof.
struct Lens {
    focus: Focus,
    request: RequestId,
}

impl Lens {
    fn node(&self, node: &Node) -> Node {
        let owners = (holdfast_prove::focus::MINE, holdfast_prove::focus::OTHER);
        node.in_focus(self.request, self.focus.kids(), owners).under_names(&|id| id, ABOVE, ROOT)
    }

    fn name(&self, request: RequestId) -> RequestId {
        if request == self.request {
            self.focus.request()
        } else {
            RequestId { serial: request.serial + 1_000, ..request }
        }
    }

    fn message(&self, message: Message) -> Message {
        match message {
            Message::Want { request } => Message::Want { request: self.name(request) },
            Message::Grant { request } => Message::Grant { request: self.name(request) },
            Message::Done { request } => Message::Done { request: self.name(request) },
            Message::Lost { request } => Message::Lost { request: self.name(request) },
            Message::Refuse { request } => Message::Refuse { request: self.name(request) },
            Message::Revoke { request } => Message::Revoke { request: self.name(request) },
            Message::Cancel { .. } => message,
        }
    }

    fn timer(&self, timer: Timer) -> Timer {
        match timer {
            Timer::Grace(_) => timer,
            Timer::Yield(request) => Timer::Yield(self.name(request)),
        }
    }

    fn output(&self, output: Output) -> Output {
        match output {
            Output::Send { to, message } => Output::Send { to, message: self.message(message) },
            Output::Arm { timer } => Output::Arm { timer: self.timer(timer) },
            Output::Disarm { timer } => Output::Disarm { timer: self.timer(timer) },
            Output::Requested { request } => Output::Requested { request: self.name(request) },
            Output::PromptOpened { request } => {
                Output::PromptOpened { request: self.name(request) }
            }
            Output::PromptClosed { request } => {
                Output::PromptClosed { request: self.name(request) }
            }
            Output::Refused { request } => Output::Refused { request: self.name(request) },
            Output::BatonDropped { request } => {
                Output::BatonDropped { request: self.name(request) }
            }
            other => other,
        }
    }

    fn trigger(&self, input: Input, outputs: &[Output]) -> Trigger {
        let kid = |id: ActorId| self.focus.kids().contains(&id);
        if outputs.contains(&Output::Requested { request: self.request }) {
            return Trigger::Asks;
        }
        match input {
            Input::Received { from, message } => {
                let ours = message.request() == About::Request(self.request);
                let near = from == ABOVE || kid(from);
                if near && (ours || message.request() == About::Actor) {
                    Trigger::Takes(Input::Received { from, message: self.message(message) })
                } else {
                    Trigger::Aside
                }
            }
            Input::BatonClosed { request } if request == self.request => {
                Trigger::Takes(Input::BatonClosed { request: self.focus.request() })
            }
            Input::Expired { timer: Timer::Yield(request) } if request == self.request => {
                let timer = Timer::Yield(self.focus.request());
                Trigger::Takes(Input::Expired { timer })
            }
            Input::Expired { timer: Timer::Grace(child) } if kid(child) => Trigger::Takes(input),
            Input::LinkEnded { peer } if peer == ABOVE || kid(peer) => Trigger::Takes(input),
            Input::Exited { child, .. } | Input::Spawned { child } | Input::Adopted { child }
                if kid(child) =>
            {
                Trigger::Takes(input)
            }
            Input::ChildrenGone => Trigger::Takes(input),
            _ => Trigger::Aside,
        }
    }
}

fn received(from: ActorId, message: Message) -> Input {
    Input::Received { from, message }
}

/// What children say that keep no contract: anything about every request that is known here, and
/// against the way of the link. The one on the path keeps it for the request in focus.
fn hostile_words(node: &Node, in_focus: RequestId, rng: &mut Rng, inputs: &mut Vec<Input>) {
    let own = node.requests().iter().map(|own| own.request);
    let unknown = RequestId { actor: ActorId(77), serial: rng.below(3) as u32 };
    let known: Vec<RequestId> = node.holds().iter().map(|(name, _)| name).chain(own).collect();
    let request = known.get(rng.below(known.len() + 1)).copied().unwrap_or(unknown);
    for from in node.children().keys().copied().filter(|_| rng.below(2) == 0) {
        if from == CHILD && request == in_focus {
            continue;
        }
        inputs.push(received(from, Message::Want { request }));
        inputs.push(received(from, Message::Done { request }));
        inputs.push(received(from, Message::Lost { request }));
        inputs.push(received(from, Message::Grant { request }));
        inputs.push(received(from, Message::Revoke { request }));
    }
}

/// What can happen to a node, under a contract that is kept.
fn inputs_of_life(
    focus: Focus,
    node: &Node,
    rng: &mut Rng,
    fresh: &mut u32,
    inputs: &mut Vec<Input>,
) {
    for _ in 0..2 {
        inputs.push(Input::Pause { shielding: Shielding::Plain });
        inputs.push(Input::Pause { shielding: Shielding::Shielded });
        inputs.push(Input::Signalled { signal: Signal::Interrupt, origin: Origin::Process });
    }
    inputs.push(Input::Signalled { signal: Signal::Interrupt, origin: Origin::Terminal });
    inputs.push(Input::UserTaskEnded);
    for child in [CHILD, OFF, ActorId(22), ActorId(23), ActorId(24)] {
        if !node.children().contains_key(&child) && node.teardown() == Teardown::NotAsked {
            inputs.extend([Input::Spawned { child }; 2]);
        }
    }
    if rng.below(12) == 0 {
        for cause in [Cause::Failed, Cause::Requested, Cause::Finished, Cause::Deadline] {
            inputs.push(Input::Cancel { cause });
        }
        inputs.push(Input::Unexamined { cause: Cause::Failed });
        inputs.push(Input::Signalled { signal: Signal::Terminate, origin: Origin::Process });
        if !focus.is_root() {
            for urgency in [Urgency::Patient, Urgency::Forced] {
                inputs.push(received(ABOVE, Message::Cancel { urgency }));
            }
            inputs.push(Input::LinkEnded { peer: ABOVE });
        }
    }
    from_children(node, rng, fresh, inputs);
    about_holds(focus, node, inputs);
    about_own(focus, node, inputs);
    if let TreePosition::Root { server, stop } = node.position() {
        if let Some(owner) = server.owner().filter(|owner| owner.actor != ROOT) {
            inputs.extend([Input::BatonClosed { request: owner }; 2]);
            if *stop == StopOrder::Received {
                inputs.push(Input::Expired { timer: Timer::Yield(owner) });
            }
        }
        for child in [ORPHAN, DEEPER, ActorId(26)] {
            if rng.below(4) == 0 && !node.children().contains_key(&child) {
                inputs.push(Input::Adopted { child });
            }
        }
        if node.children().is_empty() {
            inputs.push(Input::ChildrenGone);
        }
    }
}

fn from_children(node: &Node, rng: &mut Rng, fresh: &mut u32, inputs: &mut Vec<Input>) {
    for (child, of) in node.children() {
        *fresh += 1;
        if of.link == ChildLink::Up && of.kinship == Kinship::Own {
            for actor in [*child, ActorId(40 + child.0)] {
                let request = RequestId { actor, serial: *fresh };
                inputs.push(received(*child, Message::Want { request }));
            }
        }
        if of.grace == Grace::On {
            inputs.push(Input::Expired { timer: Timer::Grace(*child) });
        }
        inputs.push(Input::CancelChild { child: *child });
        if rng.below(5) == 0 {
            if of.link == ChildLink::Up {
                inputs.push(Input::LinkEnded { peer: *child });
            }
            for status in [Status::Cancelled, Status::Failed] {
                inputs.push(Input::Exited { child: *child, status });
            }
        }
    }
}

fn about_holds(focus: Focus, node: &Node, inputs: &mut Vec<Input>) {
    for (request, hold) in node.holds().iter() {
        let via = node.children().get(&hold.via);
        if via.is_some_and(|child| child.link == ChildLink::Up) {
            inputs.push(received(hold.via, Message::Done { request }));
            inputs.push(received(hold.via, Message::Lost { request }));
        }
        if !focus.is_root() {
            if hold.stage == HoldStage::Waiting {
                inputs.extend([received(ABOVE, Message::Grant { request }); 2]);
                inputs.push(received(ABOVE, Message::Refuse { request }));
            } else {
                inputs.push(received(ABOVE, Message::Revoke { request }));
            }
        }
    }
}

fn about_own(focus: Focus, node: &Node, inputs: &mut Vec<Input>) {
    for own in node.requests().iter() {
        let request = own.request;
        match own.stage {
            RequestStage::Waiting if !focus.is_root() && node.requests().open().is_none() => {
                inputs.push(received(ABOVE, Message::Grant { request }));
                inputs.push(received(ABOVE, Message::Refuse { request }));
            }
            RequestStage::Waiting => {}
            RequestStage::Open => {
                for answer in [Answer::Continue, Answer::Quit, Answer::Hangup] {
                    inputs.push(Input::Answered { request, answer });
                }
                if !focus.is_root() {
                    inputs.push(received(ABOVE, Message::Revoke { request }));
                }
            }
        }
    }
}
