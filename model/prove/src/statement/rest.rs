//! The rest of the actor in focus: other requests, other children, the user task.
//!
//! What an actor knows beside `r` is not part of a state. Before each step every one of these
//! rests is put beside the node in focus; the real [`Node::handle`] runs on the whole. They stand
//! for all rests there are, of any size: `tests/commute.rs` drives nodes with many children and
//! requests, and finds each of their steps among those that these rests give.

use super::focus::{ABOVE, CHILD, Focus, MINE, OFF, OFF_TOO, OTHER, ROOT};
use holdfast_protocol::hold::{Hold, HoldStage, Protects};
use holdfast_protocol::ladder::{Child, ChildLink, Grace, Kinship, LadderRung};
use holdfast_protocol::lock::client::{OwnRequest, Purpose, RequestStage};
use holdfast_protocol::message::Urgency;
use holdfast_protocol::node::focus::Rest;
use holdfast_protocol::node::{StopOrder, TreePosition};
use holdfast_protocol::teardown::{Teardown, UserTaskState};
use holdfast_protocol::{
    ActorId, Answer, Cause, Input, Message, Node, Origin, RequestId, Shielding, Signal, Status,
    Timer,
};

/// A second request that came through [`OFF`].
const OTHER_TOO: RequestId = RequestId { actor: ActorId(30), serial: 5 };
/// A request that comes through [`OFF`].
const OTHER_NEW: RequestId = RequestId { actor: ActorId(30), serial: 9 };
/// Another request that came through the child on the path.
const BESIDE: RequestId = RequestId { actor: ActorId(31), serial: 0 };
const BESIDE_TOO: RequestId = RequestId { actor: ActorId(31), serial: 5 };
const BESIDE_NEW: RequestId = RequestId { actor: ActorId(31), serial: 9 };

/// Own requests beside `r`: older ones, younger ones.
type Own = (Vec<OwnRequest>, Vec<OwnRequest>);

/// Holds beside `r`; the owner of the lock, if it is another; whether [`OFF`] is needed.
#[derive(Clone)]
struct HeldBeside {
    holds: Vec<(RequestId, Hold)>,
    owner: Option<RequestId>,
    needs_off: bool,
}

/// Every rest that can stand beside a node in focus.
#[must_use]
pub fn rests(focus: Focus, node: &Node) -> Vec<Rest> {
    let owner = match node.position() {
        TreePosition::Root { server, .. } => server.owner(),
        TreePosition::Below { .. } => None,
    };
    let child_here = node.children().contains_key(&CHILD);
    let held = if !focus.is_root() {
        held_between(child_here)
    } else if owner == Some(OTHER) || owner == Some(MINE) {
        held_under_another(child_here, owner == Some(MINE))
    } else {
        held_under_mine(child_here, owner.is_some())
    };
    let mut rests = Vec::new();
    for own in own_requests(focus, owner.is_some()) {
        for held in &held {
            match held.owner.filter(|owner| owner.actor == focus.me()) {
                None => put_together((focus, node), own.clone(), held, &mut rests),
                Some(_) => {
                    for purpose in [PLAIN, Purpose::PostMortem] {
                        let own = at_prompt(focus, &own, purpose);
                        put_together((focus, node), own, held, &mut rests);
                    }
                }
            }
        }
    }
    if node.stop_order() == StopOrder::Received {
        // No request waits there (checked of each, `stop-is-bounded`).
        rests.retain(|rest| {
            let mut own = rest.own_before.iter().chain(&rest.own_after);
            let waits = own.any(|own| own.stage == RequestStage::Waiting);
            !waits && rest.holds.iter().all(|(_, hold)| hold.stage != HoldStage::Waiting)
        });
    }
    rests
}

fn own(focus: Focus, serial: u32, stage: RequestStage, purpose: Purpose) -> OwnRequest {
    OwnRequest { request: RequestId { actor: focus.me(), serial }, stage, purpose }
}

const PLAIN: Purpose = Purpose::Breakpoint(Shielding::Plain);
const SHIELDED: Purpose = Purpose::Breakpoint(Shielding::Shielded);

fn own_requests(focus: Focus, owned: bool) -> Vec<Own> {
    let mut all: Vec<Own> = vec![(vec![], vec![])];
    let waits = |purpose| own(focus, 50, RequestStage::Waiting, purpose);
    let open = |purpose| own(focus, 50, RequestStage::Open, purpose);
    if !focus.is_root() || owned {
        all.push((vec![waits(PLAIN)], vec![]));
        all.push((vec![], vec![waits(SHIELDED)]));
        all.push((vec![], vec![waits(Purpose::PostMortem)]));
    }
    if !focus.is_root() {
        all.push((vec![open(PLAIN)], vec![]));
        all.push((vec![open(Purpose::PostMortem)], vec![]));
        all.push((vec![open(SHIELDED)], vec![own(focus, 51, RequestStage::Waiting, PLAIN)]));
    }
    all
}

fn through(via: ActorId, stage: HoldStage) -> Hold {
    Hold { via, stage }
}

const NOTHING: HeldBeside = HeldBeside { holds: Vec::new(), owner: None, needs_off: false };

fn held_between(child_here: bool) -> Vec<HeldBeside> {
    let mut all = vec![NOTHING];
    for stage in [HoldStage::Waiting, HoldStage::Granted] {
        let holds = vec![(OTHER, through(OFF, stage))];
        all.push(HeldBeside { holds, owner: None, needs_off: true });
        if child_here {
            all.push(HeldBeside { holds: vec![(BESIDE, through(CHILD, stage))], ..NOTHING });
        }
    }
    all
}

/// At the root, while the lock is another's: its own, or that of somebody below.
fn held_under_another(child_here: bool, mine: bool) -> Vec<HeldBeside> {
    let owned = |request, via, stage, needs_off| HeldBeside {
        holds: vec![(request, through(via, stage))],
        owner: Some(request),
        needs_off,
    };
    let mut owners = if mine {
        vec![HeldBeside { owner: Some(RequestId { actor: ROOT, serial: 50 }), ..NOTHING }]
    } else {
        vec![
            owned(OTHER, OFF, HoldStage::Granted, true),
            owned(OTHER, OFF, HoldStage::Detached, true),
            owned(OTHER, OFF, HoldStage::Detached, false),
        ]
    };
    if child_here && !mine {
        owners.push(owned(BESIDE, CHILD, HoldStage::Granted, false));
        owners.push(owned(BESIDE, CHILD, HoldStage::Detached, false));
    }
    let mut all = Vec::new();
    for held in owners {
        let with = |request, via, needs_off| {
            let mut more = held.clone();
            more.holds.push((request, through(via, HoldStage::Waiting)));
            more.needs_off |= needs_off;
            more
        };
        all.push(with(OTHER_TOO, OFF, true));
        if child_here {
            all.push(with(BESIDE_TOO, CHILD, false));
        }
        all.push(held);
    }
    all
}

/// At the root, while the lock is free, or that of `r`.
fn held_under_mine(child_here: bool, owned: bool) -> Vec<HeldBeside> {
    let mut all = vec![NOTHING];
    let stages = [HoldStage::Closed, HoldStage::Waiting];
    for stage in stages.into_iter().take(if owned { 2 } else { 1 }) {
        let holds = vec![(OTHER, through(OFF, stage))];
        all.push(HeldBeside { holds, owner: None, needs_off: true });
        if child_here {
            all.push(HeldBeside { holds: vec![(BESIDE, through(CHILD, stage))], ..NOTHING });
        }
    }
    all
}

fn other_child(rung: LadderRung, grace: Grace, link: ChildLink) -> Child {
    Child { rung, grace, link, kinship: Kinship::Own }
}

/// The same own requests beside one at its prompt, the oldest of all.
fn at_prompt(focus: Focus, (before, after): &Own, purpose: Purpose) -> Own {
    let younger = |requests: &[OwnRequest]| -> Vec<OwnRequest> {
        let request = RequestId { actor: focus.me(), serial: 51 };
        requests.iter().map(|own| OwnRequest { request, ..*own }).collect()
    };
    let mut before = younger(before);
    before.insert(0, own(focus, 50, RequestStage::Open, purpose));
    (before, younger(after))
}

/// One set of own requests and one of holds, with every other child and user task beside them.
fn put_together(
    (focus, node): (Focus, &Node),
    (before, after): Own,
    held: &HeldBeside,
    rests: &mut Vec<Rest>,
) {
    let plain = before.is_empty() && after.is_empty() && held.holds.is_empty();
    // A teardown that begins tells the user task (checked, `teardown-completes`).
    let tasks = match node.teardown() {
        Teardown::NotAsked | Teardown::Deferred(_) => {
            [UserTaskState::Running, UserTaskState::Ended]
        }
        Teardown::Running(_) | Teardown::Over => [UserTaskState::Asked, UserTaskState::Ended],
    };
    let mut waiting: Vec<RequestId> = Vec::new();
    if focus.is_root() {
        let waits = |(_, hold): &&(RequestId, Hold)| hold.stage == HoldStage::Waiting;
        waiting.extend(held.holds.iter().filter(waits).map(|(name, _)| *name));
        let own = before.iter().chain(&after).filter(|own| own.stage == RequestStage::Waiting);
        waiting.extend(own.map(|own| own.request));
    }
    for child in other_children(held, plain) {
        for user_task in tasks {
            let rest = Rest {
                own_before: before.clone(),
                own_after: after.clone(),
                next_serial: 100,
                holds: held.holds.clone(),
                children: child.map(|child| (OFF, child)).into_iter().collect(),
                user_task,
                owner: held.owner,
                queue_before: waiting.clone(),
                queue_after: Vec::new(),
            };
            if waiting.len() > 1 {
                let turned = waiting.iter().rev().copied().collect();
                rests.push(Rest { queue_before: turned, ..rest.clone() });
            }
            if !waiting.is_empty() {
                let (queue_before, queue_after) = (Vec::new(), waiting.clone());
                rests.push(Rest { queue_before, queue_after, ..rest.clone() });
            }
            rests.push(rest);
        }
    }
}

fn other_children(held: &HeldBeside, plain: bool) -> Vec<Option<Child>> {
    let protecting =
        held.holds.iter().any(|(_, hold)| hold.via == OFF && hold.protects() == Protects::Somebody);
    let children = [
        other_child(LadderRung::Unasked, Grace::Off, ChildLink::Up),
        other_child(LadderRung::Cancel, Grace::On, ChildLink::Up),
        other_child(LadderRung::Unlinked, Grace::On, ChildLink::Ended),
        other_child(LadderRung::Kill, Grace::Off, ChildLink::Up),
    ];
    let mut all: Vec<Option<Child>> = Vec::new();
    if !held.needs_off {
        all.push(None);
    }
    for child in children.into_iter().take(if plain { 4 } else { 1 }) {
        let grace = if protecting { Grace::Off } else { child.grace };
        all.push(Some(Child { grace, ..child }));
    }
    all
}

/// Every input that concerns neither `r` nor the links and children in focus, but for cancels.
#[must_use]
pub fn inputs_aside(focus: Focus, node: &Node, rest: &Rest) -> Vec<Input> {
    let mut inputs = vec![
        Input::Pause { shielding: Shielding::Plain },
        Input::Pause { shielding: Shielding::Shielded },
        Input::Cancel { cause: Cause::Failed },
        Input::Cancel { cause: Cause::Requested },
        Input::Cancel { cause: Cause::Finished },
        Input::Cancel { cause: Cause::Deadline },
        Input::Unexamined { cause: Cause::Failed },
        Input::CancelChild { child: OFF },
        Input::UserTaskEnded,
        Input::Signalled { signal: Signal::Interrupt, origin: Origin::Terminal },
        Input::Signalled { signal: Signal::Interrupt, origin: Origin::Process },
        Input::Signalled { signal: Signal::Terminate, origin: Origin::Process },
        Input::Spawned { child: OFF_TOO },
    ];
    if node.children().contains_key(&CHILD) {
        inputs.push(Input::CancelChild { child: CHILD });
        about_others(rest, CHILD, BESIDE_NEW, &mut inputs);
    }
    if let Some((_, other)) = rest.children.first() {
        from_the_other_child(*other, &mut inputs);
        about_others(rest, OFF, OTHER_NEW, &mut inputs);
        anything(focus.request(), node, OFF, &mut inputs);
    }
    let own = rest.own_before.iter().chain(&rest.own_after);
    let mine = node.requests().find(focus.request());
    for open in own.clone().chain(&mine).filter(|own| own.stage == RequestStage::Open) {
        for answer in [Answer::Continue, Answer::Quit, Answer::Hangup] {
            inputs.push(Input::Answered { request: open.request, answer });
        }
    }
    match node.position() {
        TreePosition::Below { .. } => {
            for own in own {
                let request = own.request;
                if own.stage == RequestStage::Waiting {
                    inputs.push(received(ABOVE, Message::Grant { request }));
                    inputs.push(received(ABOVE, Message::Refuse { request }));
                } else {
                    inputs.push(received(ABOVE, Message::Revoke { request }));
                }
            }
            for request in rest.holds.iter().map(|(name, _)| *name).chain([OTHER_NEW]) {
                inputs.push(received(ABOVE, Message::Grant { request }));
                inputs.push(received(ABOVE, Message::Refuse { request }));
                inputs.push(received(ABOVE, Message::Revoke { request }));
            }
        }
        TreePosition::Root { stop, .. } => {
            if let Some(request) = rest.owner.filter(|owner| owner.actor != ROOT) {
                inputs.push(Input::BatonClosed { request });
                if *stop == StopOrder::Received {
                    inputs.push(Input::Expired { timer: Timer::Yield(request) });
                }
            }
            inputs.push(Input::Adopted { child: OFF_TOO });
        }
    }
    inputs
}

fn received(from: ActorId, message: Message) -> Input {
    Input::Received { from, message }
}

fn from_the_other_child(child: Child, inputs: &mut Vec<Input>) {
    inputs.push(Input::LinkEnded { peer: OFF });
    for status in [Status::Cancelled, Status::Failed] {
        inputs.push(Input::Exited { child: OFF, status });
    }
    if child.grace == Grace::On {
        inputs.push(Input::Expired { timer: Timer::Grace(OFF) });
    }
}

/// What a child says about requests other than `r`, whether it has asked for them or not: it does
/// not keep the contract, or somebody below it does not.
fn about_others(rest: &Rest, from: ActorId, unknown: RequestId, inputs: &mut Vec<Input>) {
    let own = rest.own_before.iter().chain(&rest.own_after).map(|own| own.request);
    for request in rest.holds.iter().map(|(name, _)| *name).chain(own).chain([unknown]) {
        inputs.push(received(from, Message::Want { request }));
        inputs.push(received(from, Message::Done { request }));
        inputs.push(received(from, Message::Lost { request }));
    }
}

/// What a child that is not on the path says about `r`, and against the way of its link. All there
/// is, but for one thing: it does not ask under the name of `r` before `r` has come by.
fn anything(request: RequestId, node: &Node, from: ActorId, inputs: &mut Vec<Input>) {
    if node.requests().find(request).is_some() || node.holds().find(request).is_some() {
        inputs.push(received(from, Message::Want { request }));
    }
    inputs.extend([
        received(from, Message::Done { request }),
        received(from, Message::Lost { request }),
        received(from, Message::Grant { request }),
        received(from, Message::Refuse { request }),
        received(from, Message::Revoke { request }),
        received(from, Message::Cancel { urgency: Urgency::Patient }),
        received(from, Message::Cancel { urgency: Urgency::Forced }),
    ]);
}

/// Every input on which an actor asks for `r`.
#[must_use]
pub fn inputs_that_ask(rest: &Rest) -> Vec<Input> {
    let mut inputs = vec![
        Input::Pause { shielding: Shielding::Plain },
        Input::Pause { shielding: Shielding::Shielded },
        Input::Cancel { cause: Cause::Failed },
    ];
    if !rest.children.is_empty() {
        inputs.push(Input::Exited { child: OFF, status: Status::Failed });
    }
    inputs
}
