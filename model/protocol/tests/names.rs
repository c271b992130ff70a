//! Names: every value that names actors can be told new ones, and every word is read back.
//!
//! Runs in `cargo test`. Tables over all variants: a new one belongs in its table.

use holdfast_protocol::hold::{Hold, HoldStage, Holds};
use holdfast_protocol::input::Shielding;
use holdfast_protocol::lock::client::{Purpose, Requests};
use holdfast_protocol::lock::server::{LockServer, NextGrant};
use holdfast_protocol::message::{About, MessageDirection};
use holdfast_protocol::policy::{
    Bystander, Deferral, LadderUnderHold, Lock, LockRelease, LostBranch, NamedPolicy, Orphans,
    Policy, PolicyName, Restore, Route, Rule, SecondInterrupt, Shield, StopSignal, WaitingRequest,
};
use holdfast_protocol::{
    ActorId, Alarm, Answer, Cause, DebugMode, Input, LadderSignal, Message, Node, Notice, Origin,
    Outbox, Output, Rename, Renaming, RequestId, Signal, Status, Timer, Urgency,
};
use serde::de::value::Error as ValueError;
use serde::de::{Deserialize as _, IntoDeserializer as _};
use serde::ser::Serialize;
use std::fmt::{self, Debug};
use std::panic::catch_unwind;

const A: ActorId = ActorId(1);
const B: ActorId = ActorId(2);

fn of(actor: ActorId) -> RequestId {
    RequestId { actor, serial: 7 }
}

/// Actor 1 becomes actor 2 and the other way round.
fn swap() -> Renaming {
    Renaming::new(vec![ActorId(0), B, A])
}

fn is_renamed<T: Rename + Debug + PartialEq>(value: impl Fn(ActorId) -> T) {
    let (of_a, of_b) = (value(A), value(B));
    assert_eq!(of_a.renamed(&swap()), of_b);
    assert_eq!(of_b.renamed(&swap()), of_a);
}

fn messages(actor: ActorId) -> [(Message, MessageDirection, &'static str); 6] {
    let request = of(actor);
    [
        (Message::Want { request }, MessageDirection::Up, "Want"),
        (Message::Grant { request }, MessageDirection::Down, "Grant"),
        (Message::Done { request }, MessageDirection::Up, "Done"),
        (Message::Lost { request }, MessageDirection::Up, "Lost"),
        (Message::Refuse { request }, MessageDirection::Down, "Refuse"),
        (Message::Revoke { request }, MessageDirection::Down, "Revoke"),
    ]
}

const CANCELS: [(Message, &str); 2] = [
    (Message::Cancel { urgency: Urgency::Patient }, "Cancel"),
    (Message::Cancel { urgency: Urgency::Forced }, "Cancel now"),
];

#[test]
fn each_message_has_a_way_a_word_and_a_subject() {
    for (at, (message, way, word)) in messages(A).into_iter().enumerate() {
        assert_eq!((message.direction(), message.to_string().as_str()), (way, word));
        assert_eq!(message.request(), About::Request(of(A)), "{message}");
        is_renamed(|actor| messages(actor)[at].0);
    }
    for (message, word) in CANCELS {
        assert_eq!(
            (message.direction(), message.to_string().as_str()),
            (MessageDirection::Down, word)
        );
        assert_eq!((message.request(), message.renamed(&swap())), (About::Actor, message));
    }
}

#[test]
fn inputs_and_outputs_are_renamed() {
    is_renamed(|actor| Input::Answered { request: of(actor), answer: Answer::Quit });
    is_renamed(|actor| Input::Received { from: actor, message: messages(actor)[0].0 });
    is_renamed(|peer| Input::LinkEnded { peer });
    is_renamed(|actor| Input::Expired { timer: Timer::Grace(actor) });
    is_renamed(|actor| Input::Expired { timer: Timer::Yield(of(actor)) });
    is_renamed(|child| Input::CancelChild { child });
    is_renamed(|child| Input::Spawned { child });
    is_renamed(|child| Input::Exited { child, status: Status::Failed });
    is_renamed(|child| Input::Adopted { child });
    is_renamed(|actor| Input::BatonClosed { request: of(actor) });
    is_renamed(|actor| Output::Send { to: actor, message: messages(actor)[1].0 });
    is_renamed(|actor| Output::Arm { timer: Timer::Grace(actor) });
    is_renamed(|actor| Output::Disarm { timer: Timer::Yield(of(actor)) });
    is_renamed(|child| Output::Signal { child, signal: LadderSignal::Kill });
    is_renamed(|actor| Output::Requested { request: of(actor) });
    is_renamed(|actor| Output::PromptOpened { request: of(actor) });
    is_renamed(|actor| Output::PromptClosed { request: of(actor) });
    is_renamed(|actor| Output::Refused { request: of(actor) });
    is_renamed(|actor| Output::BatonDropped { request: of(actor) });
}

#[test]
fn what_names_nobody_stays() {
    let inputs = [
        Input::Pause { shielding: Shielding::Shielded },
        Input::Cancel { cause: Cause::Deadline },
        Input::Unexamined { cause: Cause::Failed },
        Input::UserTaskEnded,
        Input::Signalled { signal: Signal::Quit, origin: Origin::Process },
        Input::ChildrenGone,
    ];
    for input in inputs {
        assert_eq!(input.renamed(&swap()), input);
    }
    let outputs = [
        Output::TerminalTaken,
        Output::TerminalRestored,
        Output::InterruptObeyed,
        Output::TeardownStarted { cause: Cause::Failed },
        Output::Sweep,
        Output::Exit { status: Status::Failed },
        Output::Noticed { notice: Notice::WrongWay },
        Output::Alarmed { alarm: Alarm::TimerNotArmed },
    ];
    for output in outputs {
        assert_eq!(output.renamed(&swap()), output);
    }
}

/// The second of two actors below the root, or the first: everything in it names an actor.
fn busy(actor: ActorId, other: ActorId) -> Node {
    let mut node = Node::below(other, ActorId(0), actor, Policy::RELAY, DebugMode::On);
    let request = of(other);
    let inputs = [
        Input::Spawned { child: other },
        Input::Pause { shielding: Shielding::Plain },
        Input::Received { from: other, message: Message::Want { request } },
    ];
    for input in inputs {
        node.handle(input, &mut Outbox::new());
    }
    node
}

#[test]
fn the_state_of_an_actor_is_renamed() {
    is_renamed(|actor| busy(actor, if actor == A { B } else { A }));
    let renamed = busy(A, B).renamed(&swap());
    assert_eq!((renamed.id(), renamed.policy()), (B, Policy::RELAY));
    is_renamed(|actor| {
        let mut holds = Holds::default();
        holds.set(of(actor), Hold { via: actor, stage: HoldStage::Granted });
        holds
    });
    is_renamed(|actor| {
        let mut requests = Requests::default();
        let request = requests.ask(actor, Purpose::PostMortem);
        requests.set_open(request);
        requests
    });
    is_renamed(|actor| {
        let mut server = LockServer::default();
        server.enqueue(of(actor));
        assert_eq!(server.grant_next(), NextGrant::Grant(of(actor)));
        server.enqueue(RequestId { actor, serial: 8 });
        server
    });
}

#[test]
fn a_renaming_names_each_actor_once() {
    assert!(catch_unwind(|| Renaming::new(vec![A, A])).is_err());
    let (by, request) = (swap(), of(A));
    assert_eq!((by.actor(ActorId(0)), by.actor(A), request.renamed(&by)), (ActorId(0), B, of(B)));
    assert_eq!(request.to_string(), "1.7");
}

#[test]
fn a_process_ends_as_its_cause_says() {
    let table = [
        (Cause::Finished, Status::Finished),
        (Cause::Requested, Status::Cancelled),
        (Cause::Deadline, Status::Cancelled),
        (Cause::Interrupted, Status::Cancelled),
        (Cause::Orphaned, Status::Cancelled),
        (Cause::Stopped, Status::Cancelled),
        (Cause::Failed, Status::Failed),
        (Cause::ChildFailed, Status::Failed),
    ];
    for (cause, status) in table {
        assert_eq!(Status::from(cause), status, "{cause:?}");
    }
}

#[test]
fn words_are_read_back() {
    let signals = [Signal::Interrupt, Signal::Terminate, Signal::Hangup, Signal::Quit];
    assert_eq!(
        signals.map(|signal| signal.to_string()),
        ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]
    );
    for rule in Rule::ALL {
        let (word, low) = (rule.to_string(), rule.to_string().to_lowercase());
        assert_eq!((word.parse::<Rule>().ok(), low.parse::<Rule>().ok()), (Some(rule), Some(rule)));
        assert!(!rule.statement().is_empty());
    }
    assert_eq!(Rule::ALL.map(|rule| rule.to_string())[11], "R12");
    let said = "R13".parse::<Rule>().expect_err("there are twelve").to_string();
    assert!(said.contains("R13"), "{said}");
    let words = ["unprotected", "single-depth", "relay"];
    assert_eq!(PolicyName::ALL.map(|policy| policy.to_string()), words);
    for policy in PolicyName::ALL {
        assert_eq!(policy.to_string().parse::<PolicyName>().ok(), Some(policy));
    }
    let policies = [Policy::UNPROTECTED, Policy::SINGLE_DEPTH, Policy::RELAY];
    assert_eq!(PolicyName::ALL.map(PolicyName::policy), policies);
    let said = "none".parse::<PolicyName>().expect_err("no policy").to_string();
    assert!(said.contains("none"), "{said}");
}

/// What serde makes of a value that it writes as text.
struct Written<T>(T);

impl<T: Serialize> fmt::Display for Written<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

fn read(text: &str) -> Result<NamedPolicy, ValueError> {
    NamedPolicy::deserialize(text.into_deserializer())
}

#[test]
fn a_policy_is_written_and_read_with_the_rules_that_are_taken_out() {
    let relay = NamedPolicy::from(PolicyName::Relay);
    let without = |rules: &[Rule]| NamedPolicy { without: rules.to_vec(), ..relay.clone() };
    let table = [
        ("relay", relay.clone(), Policy::RELAY),
        ("relay without R7", without(&[Rule::R7]), Policy::RELAY.without(Rule::R7)),
        (
            "relay without R7, R12",
            without(&[Rule::R7, Rule::R12]),
            Policy::RELAY.without(Rule::R7).without(Rule::R12),
        ),
        ("unprotected", PolicyName::Unprotected.into(), Policy::UNPROTECTED),
    ];
    for (text, named, policy) in table {
        assert_eq!((named.to_string(), Written(&named).to_string()), (text.into(), text.into()));
        assert_eq!(
            (text.parse().ok(), read(text).ok()),
            (Some(named.clone()), Some(named.clone()))
        );
        assert_eq!((named.policy(), named.is_relay()), (policy, text == "relay"));
    }
    for text in ["", "none", "relay without", "relay without R13", "relay without R7 R8"] {
        assert!(text.parse::<NamedPolicy>().is_err(), "{text}");
        let said = read(text).expect_err("it is not a policy").to_string();
        assert!(said.contains("is not a"), "{said}");
    }
}

#[test]
fn a_rule_taken_out_switches_what_the_rule_is_about() {
    let relay = Policy::RELAY;
    let table = [
        (Rule::R1, Policy { route: Route::Direct, ..relay }),
        (Rule::R2, Policy { lock: Lock::Absent, ..relay }),
        (Rule::R3, Policy { shield: Shield::Off, bystander: Bystander::Obeys, ..relay }),
        (Rule::R4, Policy { deferral: Deferral::OwnRequests, ..relay }),
        (Rule::R5, Policy { ladder_under_hold: LadderUnderHold::Climbs, ..relay }),
        (Rule::R6, Policy { waiting_request: WaitingRequest::Kept, ..relay }),
        (Rule::R7, Policy { release: LockRelease::DoneArrived, ..relay }),
        (Rule::R8, Policy { lost_branch: LostBranch::DropsGranted, ..relay }),
        (Rule::R9, Policy { orphans: Orphans::LiveOn, ..relay }),
        (Rule::R10, Policy { stop: StopSignal::Deferred, ..relay }),
        (Rule::R11, Policy { second_interrupt: SecondInterrupt::Swallowed, ..relay }),
        (Rule::R12, Policy { restore: Restore::SavedSlot, ..relay }),
    ];
    assert_eq!(table.map(|(rule, _)| rule), Rule::ALL);
    for (rule, policy) in table {
        assert_eq!(relay.without(rule), policy, "{rule}");
    }
}
