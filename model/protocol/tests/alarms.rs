//! What a node says when it is told something that cannot be, or comes too late.
//!
//! Runs in `cargo test`. Honest runs raise no alarm, so no search can see that one is raised where
//! it should be: each alarm and each notice has a row here.

use holdfast_protocol::input::Shielding;
use holdfast_protocol::{
    ActorId, Alarm, Answer, Cause, DebugMode, Input, LadderSignal, Message, Node, Notice, Origin,
    Outbox, Output, Policy, RequestId, Rule, Signal, Status, Timer, Urgency,
};

const ABOVE: ActorId = ActorId(0);
const ME: ActorId = ActorId(1);
const CHILD: ActorId = ActorId(2);
const OTHER: ActorId = ActorId(3);
/// A child of one of them.
const DEEP: ActorId = ActorId(4);

const PAUSE: Input = Input::Pause { shielding: Shielding::Plain };
const END: Input = Input::Cancel { cause: Cause::Requested };
const GRACE: Input = Input::Expired { timer: Timer::Grace(CHILD) };

const fn of(actor: ActorId) -> RequestId {
    RequestId { actor, serial: 0 }
}

const fn says(from: ActorId, message: Message) -> Input {
    Input::Received { from, message }
}

const fn wants(from: ActorId) -> Input {
    says(from, Message::Want { request: of(from) })
}

const fn signal(signal: Signal, origin: Origin) -> Input {
    Input::Signalled { signal, origin }
}

fn at_root() -> Node {
    with_children(Node::root(ME, Policy::RELAY, DebugMode::Off))
}

fn below() -> Node {
    with_children(Node::below(ABOVE, ABOVE, ME, Policy::RELAY, DebugMode::Off))
}

fn with_children(mut node: Node) -> Node {
    for child in [CHILD, OTHER] {
        node.handle(Input::Spawned { child }, &mut Outbox::new());
    }
    node
}

/// What the last of some inputs leads to.
fn last(mut node: Node, inputs: &[Input]) -> Vec<Output> {
    let mut out = Outbox::new();
    for input in inputs {
        out.drain();
        node.handle(*input, &mut out);
    }
    out.drain().collect()
}

#[test]
fn each_alarm_is_raised_where_it_should_be() {
    let grant = says(ABOVE, Message::Grant { request: of(ME) });
    let refuse = says(ABOVE, Message::Refuse { request: of(ME) });
    let answer = Input::Answered { request: of(ME), answer: Answer::Continue };
    let closed = Input::BatonClosed { request: of(CHILD) };
    let table: [(Node, &[Input], Alarm); 8] = [
        (at_root(), &[closed], Alarm::ReleaseByNonOwner),
        (at_root(), &[wants(CHILD), closed, closed], Alarm::ReleaseByNonOwner),
        (below(), &[PAUSE, grant, grant], Alarm::GrantedTwice),
        (below(), &[PAUSE, grant, refuse], Alarm::GrantedTwice),
        (below(), &[answer], Alarm::AnswerWithoutPrompt),
        (below(), &[PAUSE, answer], Alarm::AnswerWithoutPrompt),
        (below(), &[GRACE], Alarm::TimerNotArmed),
        (below(), &[Input::Expired { timer: Timer::Grace(ME) }], Alarm::TimerNotArmed),
    ];
    for (node, inputs, alarm) in table {
        assert_eq!(last(node, inputs), [Output::Alarmed { alarm }], "after {inputs:?}");
    }
}

#[test]
fn each_notice_is_given_where_it_should_be() {
    let grant = |actor| says(ABOVE, Message::Grant { request: of(actor) });
    let refuse = says(ABOVE, Message::Refuse { request: of(CHILD) });
    let revoke = says(ABOVE, Message::Revoke { request: of(CHILD) });
    let done = says(OTHER, Message::Done { request: of(CHILD) });
    let forged = says(OTHER, Message::Want { request: of(CHILD) });
    let own = says(OTHER, Message::Want { request: of(ME) });
    let deep = |from| says(from, Message::Want { request: of(DEEP) });
    let typed = signal(Signal::Interrupt, Origin::Terminal);
    let sent = signal(Signal::Interrupt, Origin::Process);
    let noticed = |notice| Output::Noticed { notice };
    let refused = |request| Output::Send { to: OTHER, message: Message::Refuse { request } };
    let dropped = |actor| Output::BatonDropped { request: of(actor) };
    let table: [(Node, &[Input], Vec<Output>); 16] = [
        (at_root(), &[wants(CHILD), typed], vec![noticed(Notice::InterruptShielded)]),
        (below(), &[PAUSE, sent], vec![noticed(Notice::InterruptShielded)]),
        (below(), &[typed], vec![noticed(Notice::InterruptLeftToRoot)]),
        (below(), &[refuse], vec![noticed(Notice::UnexpectedMessage)]),
        (below(), &[revoke], vec![noticed(Notice::UnexpectedMessage)]),
        (below(), &[wants(CHILD), done], vec![noticed(Notice::UnexpectedMessage)]),
        (below(), &[grant(CHILD)], vec![noticed(Notice::UnexpectedMessage), dropped(CHILD)]),
        (below(), &[wants(CHILD), wants(CHILD)], vec![noticed(Notice::DuplicateWant)]),
        (below(), &[forged], vec![noticed(Notice::DuplicateWant), refused(of(CHILD))]),
        (below(), &[own], vec![noticed(Notice::DuplicateWant), refused(of(ME))]),
        (
            below(),
            &[deep(CHILD), deep(OTHER)],
            vec![noticed(Notice::DuplicateWant), refused(of(DEEP))],
        ),
        (
            below(),
            &[wants(CHILD), grant(CHILD), grant(CHILD)],
            vec![noticed(Notice::DuplicateGrant), dropped(CHILD)],
        ),
        (below(), &[END, GRACE, GRACE, wants(CHILD)], vec![noticed(Notice::WantTooLate)]),
        (
            below(),
            &[says(CHILD, Message::Cancel { urgency: Urgency::Forced })],
            vec![noticed(Notice::WrongWay)],
        ),
        (
            below(),
            &[says(ABOVE, Message::Want { request: of(ABOVE) })],
            vec![noticed(Notice::WrongWay)],
        ),
        (
            at_root(),
            &[says(CHILD, Message::Revoke { request: of(OTHER) })],
            vec![noticed(Notice::WrongWay)],
        ),
    ];
    for (node, inputs, said) in table {
        assert_eq!(last(node, inputs), said, "after {inputs:?}");
    }
}

#[test]
fn a_forced_stop_is_said_to_who_can_hear_it() {
    let now = says(ABOVE, Message::Cancel { urgency: Urgency::Forced });
    let cancel = |to| Output::Send { to, message: Message::Cancel { urgency: Urgency::Forced } };
    // The one child was sent SIGKILL, the other one was asked to end.
    assert_eq!(last(below(), &[END, GRACE, GRACE, now]), [cancel(OTHER)]);
    // The link of the one child has ended.
    assert_eq!(last(below(), &[END, Input::LinkEnded { peer: CHILD }, now]), [cancel(OTHER)]);
    // It is said once.
    assert_eq!(last(below(), &[END, now]), [cancel(CHILD), cancel(OTHER)]);
    assert_eq!(last(below(), &[END, now, now]), []);
}

#[test]
fn a_root_is_told_to_stop_once() {
    let stop = signal(Signal::Terminate, Origin::Process);
    let yielding = Output::Arm { timer: Timer::Yield(of(CHILD)) };
    assert!(last(at_root(), &[wants(CHILD), stop]).contains(&yielding));
    assert_eq!(last(at_root(), &[wants(CHILD), stop, stop]), []);
}

/// Under `relay` a root that holds is shielded, so there is no such Ctrl-C.
#[test]
fn a_ctrl_c_without_a_shield_hurries_no_ladder_that_a_hold_suspends() {
    let root = Node::root(ME, Policy::RELAY.without(Rule::R3), DebugMode::Off);
    let typed = signal(Signal::Interrupt, Origin::Terminal);
    let said = last(with_children(root), &[END, wants(CHILD), typed]);
    let signalled = |child| Output::Signal { child, signal: LadderSignal::Terminate };
    assert!(said.contains(&Output::InterruptObeyed), "{said:?}");
    assert!(said.contains(&signalled(OTHER)), "{said:?}");
    assert!(!said.contains(&signalled(CHILD)), "{said:?}");
}

#[test]
fn a_root_exits_once_nothing_of_it_is_left() {
    const SHIELDED: Input = Input::Pause { shielding: Shielding::Shielded };
    const GONE: Input = Input::ChildrenGone;
    let alone = || Node::root(ME, Policy::RELAY, DebugMode::Off);
    let reaped = |child| Input::Exited { child, status: Status::Finished };
    let exit = [Output::Exit { status: Status::Cancelled }];
    assert_eq!(last(alone(), &[GONE]), [], "nobody told it to end");
    assert_eq!(last(alone(), &[END, GONE]), [], "its tasks are there");
    let early = [END, Input::UserTaskEnded, GONE];
    assert!(!last(at_root(), &early).contains(&exit[0]), "its children are known");
    let busy = [END, Input::UserTaskEnded, SHIELDED, GONE];
    assert!(!last(alone(), &busy).contains(&exit[0]), "its prompt is open");
    assert_eq!(last(alone(), &[END, Input::UserTaskEnded, GONE]), exit);
    let after = [END, reaped(CHILD), reaped(OTHER), Input::UserTaskEnded, GONE];
    assert_eq!(last(at_root(), &after), exit);
}

#[test]
fn only_a_failure_in_debug_mode_is_examined() {
    let table = [
        (Cause::Finished, false),
        (Cause::Requested, false),
        (Cause::Deadline, false),
        (Cause::Interrupted, false),
        (Cause::Orphaned, false),
        (Cause::Stopped, false),
        (Cause::Failed, true),
        (Cause::ChildFailed, true),
    ];
    for (cause, failure) in table {
        let inputs = [(Input::Cancel { cause }, failure), (Input::Unexamined { cause }, false)];
        for (input, examined) in inputs {
            for debug in [DebugMode::On, DebugMode::Off] {
                let said = last(Node::root(ME, Policy::RELAY, debug), &[input]);
                let opened = said.contains(&Output::PromptOpened { request: of(ME) });
                assert_eq!(opened, examined && debug == DebugMode::On, "{input:?} in {debug:?}");
                let begun = said.contains(&Output::TeardownStarted { cause });
                assert_ne!(opened, begun, "{input:?} in {debug:?}");
            }
        }
    }
}

#[test]
fn an_orphan_at_its_prompt_is_shielded_where_orphans_end() {
    let grant = says(ABOVE, Message::Grant { request: of(ME) });
    let cut = Input::LinkEnded { peer: ABOVE };
    let sent = signal(Signal::Interrupt, Origin::Process);
    let shielded = Output::Noticed { notice: Notice::InterruptShielded };
    let (linked, orphaned) = ([PAUSE, grant, sent], [PAUSE, grant, cut, sent]);
    let below = |policy| Node::below(ABOVE, ABOVE, ME, policy, DebugMode::Off);
    assert_eq!(last(below(Policy::RELAY), &linked), [shielded]);
    assert_eq!(last(below(Policy::RELAY), &orphaned), [shielded]);
    assert_eq!(last(below(Policy::SINGLE_DEPTH), &linked), [shielded]);
    // Upstream's handler lets go when its parent channel is closed.
    let obeys = last(below(Policy::SINGLE_DEPTH), &orphaned);
    assert!(obeys.contains(&Output::InterruptObeyed), "{obeys:?}");
}
