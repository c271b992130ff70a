//! What is bad, and the steps of a node beside every rest.

use super::super::focus::{CHILD, Focus, ORPHAN};
use super::super::rest::{inputs_aside, inputs_that_ask, rests};
use super::super::state::{BatonLife, KidLife};
use super::{NodeStep, Now};
use holdfast_protocol::contract::Word;
use holdfast_protocol::hold::HoldStage;
use holdfast_protocol::input::Shielding;
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::message::{About, Urgency};
use holdfast_protocol::node::focus::Rest;
use holdfast_protocol::node::{StopOrder, TreePosition, Uplink};
use holdfast_protocol::reaper::{Grace, LadderRung};
use holdfast_protocol::sigint::Disposition;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{
    Cause, Input, Message, Node, Origin, Outbox, Output, Signal, Status, Timer,
};
use rustc_hash::FxHashSet;
use std::rc::Rc;

type Verdict = Result<(), &'static str>;

fn unless(bad: bool, what: &'static str) -> Verdict {
    if bad { Err(what) } else { Ok(()) }
}

/// Whether the prompt of the request is open here, may be in the child, and may be below it with
/// messages that pass.
fn open(focus: Focus, now: &Now) -> (bool, bool, bool) {
    let here = now.node.requests().find(focus.request());
    let out = !focus.is_root() || now.around.baton == BatonLife::Out;
    let alive = focus.has_child() && now.around.kid == KidLife::Alive;
    let child = alive && out && now.down.said.may_prompt();
    (here.is_some_and(|own| own.stage == RequestStage::Open), child, child && now.down.open())
}

pub(super) fn state(focus: Focus, now: &Now) -> Verdict {
    let (node, around, r) = (&now.node, now.around, focus.request());
    let (here, _, below) = open(focus, now);
    let own = node.requests().find(r).map(|own| own.stage);
    let hold = node.holds().find(r).map(|hold| hold.stage);
    let holds = hold.is_some_and(|stage| stage != HoldStage::Closed);
    unless(below && !holds, "no hold above a prompt")?;
    let (up, down) = (now.up.said, now.down.said);
    if !focus.is_root() && now.up.open() {
        unless((below || here) && !up.may_prompt(), "a prompt without a grant above")?;
        let told = up.over != Word::Unsaid
            || up.refuse == Word::Heard
            || (up.cancel_now == Word::Heard && up.grant != Word::Heard);
        let forgot = up.want != Word::Unsaid && hold.is_none() && own.is_none();
        unless(forgot && !told, "a request is forgotten")?;
    }
    let over = down.want != Word::Heard || down.over == Word::Heard || down.refuse != Word::Unsaid;
    let below_over = over || around.kid == KidLife::Gone;
    let stale = hold.is_some_and(|stage| stage != HoldStage::Detached) && below_over;
    unless(stale, "a hold for what is over")?;
    let waits = hold == Some(HoldStage::Waiting) || own == Some(RequestStage::Waiting);
    unless(node.urgency() == Urgency::Forced && waits, "a request waits in a forced actor")?;
    let idle = hold.is_none() && node.requests().is_empty();
    unless(idle && node.disposition() == Disposition::Shield, "a shield without a hold")?;
    let armed = focus.kids().iter().filter_map(|kid| node.children().get(kid));
    let armed = armed.into_iter().any(|kid| kid.grace == Grace::On);
    unless(armed != around.grace, "a timer is not what the node thinks")?;
    let TreePosition::Root { server, stop } = node.position() else { return Ok(()) };
    let owns = server.owner() == Some(r);
    unless(here && !owns, "the root's prompt is open without the lock")?;
    unless(around.session != server.owner().is_some(), "the terminal is not as the lock says")?;
    unless(*stop == StopOrder::Received && here, "a stop leaves the root at its own prompt")?;
    let forced = node.urgency() == Urgency::Forced;
    let ends = matches!(node.teardown(), Teardown::Running(_));
    unless(forced && !ends, "the time to yield is over, and the root does not end")?;
    let mut kids = focus.kids().iter().filter_map(|kid| node.children().get(kid));
    let calm = kids.any(|kid| kid.grace == Grace::Off && kid.rung != LadderRung::Kill);
    unless(forced && calm, "the time to yield is over, and no grace of a child runs")?;
    if focus.has_child() {
        let out = around.baton == BatonLife::Out;
        unless(out && !(owns && holds), "the baton is out without the lock or the hold")?;
        unless(owns && !out && around.baton != BatonLife::Closed, "a lock without a baton")?;
        let patient = node.urgency() == Urgency::Patient && *stop == StopOrder::Received;
        unless(owns && patient && !around.yields, "no time runs after a stop")?;
    }
    if focus == Focus::RootOrphan {
        return Ok(());
    }
    let granted = matches!(hold, Some(HoldStage::Granted | HoldStage::Detached)) || here;
    let queued = server.waiting().any(|it| it == r);
    let free = queued && server.owner().is_none();
    unless(queued != waits || granted != owns || free, "the lock does not agree with the holds")
}

pub(super) fn step(focus: Focus, from: &Now, input: Input, did: &[Output], to: &Now) -> Verdict {
    let forced = to.node.urgency() == Urgency::Forced;
    let ((here, child, below), (here_then, _, below_then)) = (open(focus, from), open(focus, to));
    let out = from.around.baton == BatonLife::Out;
    let grant = matches!(input, Input::Received { message: Message::Grant { request }, .. }
        if request == focus.request());
    let mut hands = 0;
    for output in did {
        match output {
            Output::Send { message: Message::Grant { .. }, .. } | Output::BatonDropped { .. } => {
                hands += 1;
            }
            Output::PromptOpened { request } => {
                hands += 1;
                let own = to.node.requests().find(*request);
                let shielded =
                    own.is_some_and(|own| own.purpose.shielding() == Shielding::Shielded);
                let told = from.node.teardown() != Teardown::NotAsked;
                unless(told && !shielded, "a prompt opens in an actor that was told to end")?;
                unless(!grant && !focus.is_root(), "a prompt opens without a grant")?;
            }
            Output::Signal { child: CHILD, .. } => {
                unless(!forced && child, "a ladder signal under a hold")?;
            }
            Output::InterruptObeyed => {
                let terminal = matches!(input, Input::Signalled { origin: Origin::Terminal, .. });
                let open = if focus.is_root() { out || here } else { terminal || here || below };
                unless(!forced && open, "an interrupt is obeyed under a prompt")?;
            }
            Output::TeardownStarted { .. } => {
                unless(!forced && (below_then || here_then), "a teardown above a prompt")?;
            }
            Output::Exit { .. } => {
                unless(here_then, "an exit at the own prompt")?;
                let root = focus.is_root();
                unless(root && input != Input::ChildrenGone, "the root exits too early")?;
                unless(root && to.around.session, "the terminal is not restored")?;
            }
            Output::Alarmed { .. } => return Err("an alarm"),
            _ => {}
        }
    }
    let right = if grant { hands == 1 } else { hands == 0 };
    unless(!focus.is_root() && !right, "a baton is lost, kept or made")
}

/// What is bad about a step of the whole node.
fn local(focus: Focus, before: &Node, input: Input, after: &Node, did: &[Output]) -> Verdict {
    let idle =
        |node: &Node| node.requests().is_empty() && node.holds().protecting().next().is_none();
    let shield = after.disposition() == Disposition::Shield;
    unless(idle(after) && shield, "a shield without a hold")?;
    let position = after.position();
    let orphan = matches!(position, TreePosition::Below { uplink: Uplink::Ended, .. });
    unless(orphan && after.teardown() == Teardown::NotAsked, "an orphan lives on")?;
    let TreePosition::Root { server, .. } = before.position() else { return Ok(()) };
    let lent = server.owner().is_some_and(|owner| owner.actor != before.id());
    let signal = |output: &Output| matches!(output, Output::Signal { child: ORPHAN, .. });
    let hit = focus == Focus::RootOrphan && did.iter().any(signal);
    let patient = after.urgency() == Urgency::Patient;
    unless(hit && lent && patient, "an orphan is signalled while the lock is lent")?;
    let Input::Signalled { signal, .. } = input else { return Ok(()) };
    if signal == Signal::Terminate {
        return unless(after.stop_order() == StopOrder::None, "a stop is not heard");
    }
    let obeyed = did.contains(&Output::InterruptObeyed);
    let stays = before.children().iter().any(|(id, child)| {
        let on = !matches!(child.rung, LadderRung::Unasked | LadderRung::Kill);
        on && after.children().get(id).is_some_and(|now| now.rung <= child.rung)
    });
    let deaf = match before.teardown() {
        Teardown::NotAsked => !obeyed,
        Teardown::Running(_) => !obeyed || stays,
        Teardown::Deferred(_) => true,
        Teardown::Over => false,
    };
    unless(idle(before) && deaf, "an interrupt is not obeyed")
}

fn ours(focus: Focus, output: Output) -> bool {
    let r = focus.request();
    match output {
        Output::Send { to, message } => match message.request() {
            About::Request(request) => request == r,
            About::Actor => to == CHILD && focus.has_child(),
        },
        Output::Arm { timer } | Output::Disarm { timer } => {
            timer == Timer::Yield(r) || focus.kids().iter().any(|it| timer == Timer::Grace(*it))
        }
        Output::Signal { child, .. } => focus.kids().contains(&child),
        Output::Requested { request }
        | Output::PromptOpened { request }
        | Output::PromptClosed { request }
        | Output::Refused { request }
        | Output::BatonDropped { request } => request == r,
        Output::Sweep | Output::Noticed { .. } => false,
        _ => true,
    }
}

/// What the node does on an input beside every rest; on none, everything that is aside, and asking.
pub(super) fn steps(
    focus: Focus,
    node: &Node,
    input: Option<Input>,
) -> Result<Rc<[NodeStep]>, &'static str> {
    let (mut seen, mut steps, mut outbox) = (FxHashSet::default(), Vec::new(), Outbox::new());
    for rest in rests(focus, node) {
        let asking = Rest { next_serial: 0, ..rest.clone() };
        let aside = input.map_or_else(|| inputs_aside(focus, node, &rest), |input| vec![input]);
        let asks = input.is_none() && focus.asks();
        let asks = if asks { inputs_that_ask(&rest) } else { Vec::new() };
        let aside = aside.into_iter().map(|input| (input, &rest));
        for (input, rest) in aside.chain(asks.into_iter().map(|input| (input, &asking))) {
            let before = node.beside(rest);
            let mut after = before.clone();
            after.handle(input, &mut outbox);
            let did: Vec<Output> = outbox
                .drain()
                .filter(|output| ours(focus, *output))
                .map(|output| match output {
                    Output::TeardownStarted { .. } => {
                        Output::TeardownStarted { cause: Cause::Requested }
                    }
                    Output::Exit { .. } => Output::Exit { status: Status::Cancelled },
                    output => output,
                })
                .collect();
            local(focus, &before, input, &after, &did)?;
            let to = focus.project(&after);
            let told = matches!(input, Input::Signalled { .. }).then_some(input);
            if seen.insert((to.clone(), did.clone(), told)) {
                steps.push((to, did, input));
            }
        }
    }
    Ok(steps.into())
}
