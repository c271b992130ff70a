//! What is forbidden, a second time: of states, steps in focus, steps of the whole node.

use holdfast_check::world::link::{LaneState, LinkState};
use holdfast_protocol::contract::{History, Word};
use holdfast_protocol::hold::HoldStage;
use holdfast_protocol::input::Shielding;
use holdfast_protocol::ladder::{Grace, LadderRung};
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::message::Urgency;
use holdfast_protocol::node::{StopOrder, TreePosition, Uplink};
use holdfast_protocol::sigint::Disposition;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{Input, Message, Node, Origin, Output, Signal};
use holdfast_prove::focus::{CHILD, Focus, MINE, ORPHAN};
use holdfast_prove::state::{Around, BatonLife, KidLife};

/// A link, and what was said on it.
type Wire = (LinkState, History);

/// A state as values: the node, the links above and below it, and what is around.
#[derive(Clone, Debug)]
pub(crate) struct Now {
    pub(crate) node: Node,
    pub(crate) up: Wire,
    pub(crate) down: Wire,
    pub(crate) around: Around,
}

fn is_open((link, _): &Wire) -> bool {
    (link.up.state(), link.down.state()) == (LaneState::Open, LaneState::Open)
}

/// The first of some sentences that is so.
fn first<const N: usize>(sentences: [(bool, &'static str); N]) -> Option<&'static str> {
    sentences.into_iter().find_map(|(is, what)| is.then_some(what))
}

/// Whether the prompt of the request is open here, may be in the child, and may be below it with
/// messages that pass.
fn open(focus: Focus, now: &Now) -> (bool, bool, bool) {
    let here = now.node.requests().find(focus.request());
    let out = !focus.is_root() || now.around.baton == BatonLife::Out;
    let alive = focus.has_child() && now.around.kid == KidLife::Alive;
    let child = alive && out && now.down.1.may_prompt();
    (here.is_some_and(|own| own.stage == RequestStage::Open), child, child && is_open(&now.down))
}

fn forced(node: &Node) -> bool {
    node.urgency() == Urgency::Forced
}

pub(crate) fn forbidden_state(focus: Focus, now: &Now) -> Option<&'static str> {
    let (node, around, r, (here, _, below)) =
        (&now.node, now.around, focus.request(), open(focus, now));
    let own = node.requests().find(r).map(|own| own.stage);
    let hold = node.holds().find(r).map(|hold| hold.stage);
    let holds = hold.is_some_and(|stage| stage != HoldStage::Closed);
    let waits = hold == Some(HoldStage::Waiting) || own == Some(RequestStage::Waiting);
    let (up, down) = (now.up.1, now.down.1);
    let heard = |word| word == Word::Heard;
    let told =
        up.over != Word::Unsaid || heard(up.refuse) || (heard(up.cancel_now) && !heard(up.grant));
    let forgot = up.want != Word::Unsaid && hold.is_none() && own.is_none() && !told;
    let over = !heard(down.want) || heard(down.over) || down.refuse != Word::Unsaid;
    let stale = hold.is_some_and(|stage| stage != HoldStage::Detached);
    let idle = hold.is_none() && node.requests().is_empty();
    let kids = || focus.kids().iter().filter_map(|kid| node.children().get(kid));
    let linked = !focus.is_root() && is_open(&now.up);
    let local = first([
        (below && !holds, "no hold above a prompt"),
        (linked && (below || here) && !up.may_prompt(), "a prompt without a grant above"),
        (linked && forgot, "a request is forgotten"),
        (stale && (over || around.kid == KidLife::Gone), "a hold for what is over"),
        (forced(node) && waits, "a request waits in a forced actor"),
        (idle && node.disposition() == Disposition::Shield, "a shield without a hold"),
        (kids().any(|kid| kid.grace == Grace::On) != around.grace, "a timer nobody knows of"),
    ]);
    let TreePosition::Root { server, stop } = node.position() else { return local };
    let (owns, stopped) = (server.owner() == Some(r), *stop == StopOrder::Received);
    let mine = server.owner().is_some_and(|owner| owner.actor == node.id() || owner == MINE);
    let calm = |kid: &Grace, rung| *kid == Grace::Off && rung != LadderRung::Kill;
    let calm = kids().any(|kid| calm(&kid.grace, kid.rung));
    let (out, path) = (around.baton == BatonLife::Out, focus.has_child());
    let unmade = !out && around.baton != BatonLife::Closed;
    let granted = matches!(hold, Some(HoldStage::Granted | HoldStage::Detached)) || here;
    let queued = server.waiting().any(|it| it == r);
    let agrees = queued == waits && granted == owns && !(queued && server.owner().is_none());
    local.or_else(|| {
        first([
            (here && !owns, "the root's prompt is open without the lock"),
            (around.session != server.owner().is_some(), "the terminal is not as the lock says"),
            (stopped && (here || mine), "a stop leaves the root at its own prompt"),
            (
                forced(node) && !matches!(node.teardown(), Teardown::Running(_)),
                "no end after a stop",
            ),
            (forced(node) && calm, "no grace of a child runs, and the time to yield is over"),
            (path && out && !(owns && holds), "the baton is out without the lock or the hold"),
            (path && owns && unmade, "a lock without a baton"),
            (path && owns && !forced(node) && stopped && !around.yields, "no time to yield runs"),
            (focus != Focus::RootOrphan && !agrees, "the lock does not agree with the holds"),
        ])
    })
}

pub(crate) fn forbidden_step(
    focus: Focus,
    from: &Now,
    input: Input,
    did: &[Output],
    to: &Now,
) -> Option<&'static str> {
    let (root, forced) = (focus.is_root(), forced(&to.node));
    let ((here, child, below), (here_then, _, below_then)) = (open(focus, from), open(focus, to));
    let any = |is: fn(&Output) -> bool| did.iter().any(is);
    let opens = any(|it| matches!(it, Output::PromptOpened { .. }));
    let exits = any(|it| matches!(it, Output::Exit { .. }));
    let begins = any(|it| matches!(it, Output::TeardownStarted { .. }));
    let climbs = any(|it| matches!(it, Output::Signal { child: CHILD, .. }));
    let obeys = any(|it| *it == Output::InterruptObeyed);
    let hands_on = |it: &&Output| {
        let passes = matches!(it, Output::Send { message: Message::Grant { .. }, .. });
        passes || matches!(it, Output::PromptOpened { .. } | Output::BatonDropped { .. })
    };
    let hands = did.iter().filter(hands_on).count();
    let granted = matches!(input, Input::Received { message: Message::Grant { request }, .. }
        if request == focus.request());
    let own = to.node.requests().find(focus.request());
    let plain = own.is_none_or(|own| own.purpose.shielding() == Shielding::Plain);
    let told = from.node.teardown() != Teardown::NotAsked;
    let terminal = matches!(input, Input::Signalled { origin: Origin::Terminal, .. });
    let out = from.around.baton == BatonLife::Out;
    let open = here || if root { out } else { terminal || below };
    first([
        (opens && told && plain, "a prompt opens in an actor that was told to end"),
        (opens && !granted && !root, "a prompt opens without a grant"),
        (climbs && child && !forced, "a ladder signal under a hold"),
        (obeys && open && !forced, "an interrupt is obeyed under a prompt"),
        (begins && (below_then || here_then) && !forced, "a teardown above a prompt"),
        (exits && here_then, "an exit at the own prompt"),
        (exits && root && input != Input::ChildrenGone, "the root exits too early"),
        (exits && root && to.around.session, "the terminal is not restored"),
        (any(|it| matches!(it, Output::Alarmed { .. })), "an alarm"),
        (!root && hands != usize::from(granted), "a baton is lost, kept or made"),
    ])
}

/// What is forbidden of a step of the whole node, whatever the neighbours do.
pub(crate) fn forbidden_whole_step(
    focus: Focus,
    before: &Node,
    input: Input,
    after: &Node,
    did: &[Output],
) -> Option<&'static str> {
    let idle =
        |node: &Node| node.requests().is_empty() && node.holds().protecting().next().is_none();
    let uplink = after.position();
    let orphan = matches!(uplink, TreePosition::Below { uplink: Uplink::Ended, .. });
    let lent = match before.position() {
        TreePosition::Root { server, .. } => {
            server.owner().is_some_and(|it| it.actor != before.id())
        }
        TreePosition::Below { .. } => false,
    };
    let hit = did.iter().any(|it| matches!(it, Output::Signal { child: ORPHAN, .. }));
    let signal = |is| matches!(input, Input::Signalled { signal, .. } if signal == is);
    let stays = before.children().iter().any(|(id, child)| {
        let on = !matches!(child.rung, LadderRung::Unasked | LadderRung::Kill);
        on && after.children().get(id).is_some_and(|now| now.rung <= child.rung)
    });
    let obeyed = did.contains(&Output::InterruptObeyed);
    let deaf = match before.teardown() {
        Teardown::NotAsked => !obeyed,
        Teardown::Running(_) => !obeyed || stays,
        Teardown::Deferred(_) => true,
        Teardown::Over => false,
    };
    let (root, stopped) = (focus.is_root(), after.stop_order() == StopOrder::Received);
    first([
        (idle(after) && after.disposition() == Disposition::Shield, "a shield without a hold"),
        (orphan && after.teardown() == Teardown::NotAsked, "an orphan lives on"),
        (hit && lent && !forced(after), "an orphan is signalled while the lock is lent"),
        (root && signal(Signal::Terminate) && !stopped, "a stop is not heard"),
        (root && signal(Signal::Interrupt) && idle(before) && deaf, "an interrupt is not obeyed"),
    ])
}
