//! The properties and the contract, as claims about one state or one step of the actor in focus.
//!
//! Each is local; `model/docs/PROOF.md` says how the properties of a whole tree follow.

use super::claim::{ClaimViolation, Findings};
use super::focus::{CHILD, Focus, MINE};
use super::seen::Told;
use super::state::{BatonLife, FocusView, KidLife};
use holdfast_check::property::PropertyId;
use holdfast_protocol::contract::{Clause, Word};
use holdfast_protocol::hold::{HoldStage, Protects};
use holdfast_protocol::input::Shielding;
use holdfast_protocol::ladder::{Child, Grace, LadderRung};
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::message::Urgency;
use holdfast_protocol::node::{StopOrder, TreePosition};
use holdfast_protocol::sigint::Disposition;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{Message, Origin, Output};

/// Judges a state.
pub fn judge_state(view: &FocusView<'_>, found: &mut Findings<'_>) {
    protects(view, found);
    keeps_contract(view, found);
    nothing_stale(view, found);
    answers(view, found);
    root(view, found);
    let armed = view
        .focus
        .kids()
        .iter()
        .any(|kid| view.node.children().get(kid).is_some_and(|child| child.grace == Grace::On));
    let what = "the grace of a child runs, or does not, against what its supervisor thinks";
    found.claim(PropertyId::NoAlarm, true, armed == view.around.grace, what);
}

/// Whoever is above a prompt holds, and whatever would end it waits.
fn protects(view: &FocusView<'_>, found: &mut Findings<'_>) {
    let holds = hold(view).is_some_and(|(_, protects)| protects);
    let below = view.prompt_below();
    let what = "a prompt may be open below, and there is no hold";
    found.claim(PropertyId::AncestorsKnow, below, !below || holds, what);
    let deferred = matches!(view.node.teardown(), Teardown::Deferred(_));
    if deferred && (below || view.prompt_here()) {
        found.reached.property(PropertyId::NoCancelUnderHold);
    }
    let on_ladder =
        |rung| matches!(rung, LadderRung::Unlinked | LadderRung::Cancel | LadderRung::Terminate);
    let ladder = view.node.children().get(&CHILD).is_some_and(|child| on_ladder(child.rung));
    if ladder && view.prompt_in_child() {
        found.reached.property(PropertyId::NoSignalUnderHold);
    }
}

/// The clauses of the contract that are about states.
fn keeps_contract(view: &FocusView<'_>, found: &mut Findings<'_>) {
    if !view.connected_up() {
        return;
    }
    let said = view.up.said;
    let open = view.prompt_below() || view.prompt_here();
    let what = "a prompt may be open here or below, and the link above is not granted it";
    found.contract(Clause::PromptUnderGrant, open, !open || said.may_prompt(), what);
    let knows = hold(view).is_some() || view.own_stage().is_some();
    let forced = said.cancel_now == Word::Heard && said.grant != Word::Heard;
    let asked = said.want != Word::Unsaid && said.over == Word::Unsaid;
    let asked = asked && said.refuse != Word::Heard && !forced;
    let what = "a request is forgotten, and nobody above was told";
    found.contract(Clause::AskerKnows, asked, !asked || knows, what);
}

/// A hold stands for something below that is not over: with the same clause below, down to the one
/// that asked.
fn nothing_stale(view: &FocusView<'_>, found: &mut Findings<'_>) {
    let property = PropertyId::NothingStale;
    let stage = hold(view).map(|(stage, _)| stage);
    let said = view.down.said;
    let over = said.want != Word::Heard || said.over == Word::Heard || said.refuse != Word::Unsaid;
    let stale = match stage {
        Some(HoldStage::Waiting | HoldStage::Granted | HoldStage::Closed) => {
            over || view.around.kid == KidLife::Gone
        }
        Some(HoldStage::Detached) | None => false,
    };
    let gone = stage.is_none() && view.own_stage().is_none();
    let was = said.want == Word::Heard || view.around.asked;
    found.claim(property, gone && was, !stale, "a hold for what is over below");
    let forced = view.node.urgency() == Urgency::Forced;
    let waits =
        stage == Some(HoldStage::Waiting) || view.own_stage() == Some(RequestStage::Waiting);
    found.demand(property, !(forced && waits), "a request waits where holds do not count");
    let idle = view.node.requests().is_empty() && stage.is_none();
    let shielded = view.node.disposition() == Disposition::Shield;
    found.demand(property, !(idle && shielded), "a shield without a hold");
}

/// Nobody forgets a question: it is with the one above, or its answer is under way.
fn answers(view: &FocusView<'_>, found: &mut Findings<'_>) {
    let property = PropertyId::RequestAnswered;
    let stage = hold(view).map(|(stage, _)| stage);
    let waits =
        stage == Some(HoldStage::Waiting) || view.own_stage() == Some(RequestStage::Waiting);
    let (up, down) = (view.up.said, view.down.said);
    if !view.focus.is_root() {
        let asks = up.want != Word::Unsaid && up.over == Word::Unsaid;
        let asks = asks && up.grant != Word::Heard && up.refuse != Word::Heard;
        // What is unread of a link that has ended is an answer, or its end is.
        let asks = if view.up.connected() { asks } else { view.up.readable().is_some() };
        let what = "a request waits, and nobody above is asked";
        found.claim(property, waits, !waits || asks, what);
    }
    let doomed = |child: &Child| child.rung == LadderRung::Kill;
    let doomed = view.node.children().get(&CHILD).is_some_and(doomed);
    let asked = view.focus.has_child() && view.down.connected() && down.want == Word::Heard;
    let asked = asked && down.over != Word::Heard && !doomed;
    let open = asked && down.grant == Word::Unsaid && down.refuse == Word::Unsaid;
    let what = "somebody below asked, was not answered, and is forgotten";
    found.claim(property, open, !open || stage == Some(HoldStage::Waiting), what);
}

/// The lock, the baton and the terminal.
fn root(view: &FocusView<'_>, found: &mut Findings<'_>) {
    let TreePosition::Root { server, stop } = view.node.position() else { return };
    let r = view.focus.request();
    let owns = server.owner() == Some(r);
    let (here, baton) = (view.prompt_here(), view.around.baton);
    let stage = hold(view).map(|(stage, _)| stage);
    let waits =
        stage == Some(HoldStage::Waiting) || view.own_stage() == Some(RequestStage::Waiting);
    found.claim(
        PropertyId::OnePrompt,
        waits,
        !here || owns,
        "the root's prompt is open, and the lock is not its own",
    );
    if view.focus.has_child() {
        let out = baton == BatonLife::Out;
        let what = "the baton is out, and the lock is not its owner's";
        found.claim(PropertyId::ReleasedOnce, out, !out || owns, what);
        let holds = hold(view).is_some_and(|(_, protects)| protects);
        let what = "the baton is out, and the root does not hold";
        found.demand(PropertyId::InterruptShielded, !out || holds, what);
        let exists = matches!(baton, BatonLife::Out | BatonLife::Closed);
        let what = "the lock is owned, and there is no baton";
        found.demand(PropertyId::ReleasedOnce, !owns || exists, what);
        let stopped =
            owns && *stop == StopOrder::Received && view.node.urgency() == Urgency::Patient;
        let what = "a prompt is open at a root that was told to stop, and no time runs";
        let bounded = !stopped || view.around.yields;
        found.claim(PropertyId::StopIsBounded, stopped, bounded, what);
    }
    let stopped = *stop == StopOrder::Received;
    let what = "a root that was told to stop is at its own prompt";
    let mine =
        here || server.owner().is_some_and(|owner| owner.actor == view.node.id() || owner == MINE);
    found.claim(PropertyId::StopIsBounded, stopped, !(stopped && mine), what);
    let what = "a request waits at a root that was told to stop";
    found.demand(PropertyId::StopIsBounded, !(stopped && waits), what);
    let lent = server.owner().is_some() && view.node.urgency() == Urgency::Patient;
    let ends = matches!(view.node.teardown(), Teardown::Running(_) | Teardown::Over);
    let what = "a root that was told to stop, and whose lock is free, does not end";
    found.demand(PropertyId::StopIsBounded, !stopped || lent || ends, what);
    let held = hold(view).is_some_and(|(_, protects)| protects) || waits;
    let free = held && server.owner().is_none();
    let what = "the lock is free, and the root protects somebody";
    found.claim(PropertyId::InterruptWorksAgain, held, !free, what);
    ladders_run(view, found);
    if view.focus != Focus::RootOrphan {
        let queued = server.waiting().any(|waiting| waiting == r);
        let has = here || matches!(stage, Some(HoldStage::Granted | HoldStage::Detached));
        let agree = queued == waits && has == owns && !(queued && server.owner().is_none());
        found.demand(
            PropertyId::ReleasedOnce,
            agree,
            "the queue, the owner and the holds disagree",
        );
    }
    let what = "the modes of the terminal are not what the lock says";
    let session = view.around.session == server.owner().is_some();
    found.demand(PropertyId::TerminalRestored, session, what);
}

/// Once the time to yield is over, nothing is waited for: each child is on its way to SIGKILL.
fn ladders_run(view: &FocusView<'_>, found: &mut Findings<'_>) {
    if view.node.urgency() != Urgency::Forced {
        return;
    }
    let ends = matches!(view.node.teardown(), Teardown::Running(_) | Teardown::Over);
    let what = "the time to yield is over, and the root does not end";
    found.claim(PropertyId::StopIsBounded, true, ends, what);
    let kids = view.focus.kids().iter().filter_map(|kid| view.node.children().get(kid));
    for kid in kids {
        let climbs = kid.grace == Grace::On || kid.rung == LadderRung::Kill;
        let what = "the time to yield is over, and no grace of a child runs";
        found.demand(PropertyId::StopIsBounded, climbs, what);
    }
}

fn hold(view: &FocusView<'_>) -> Option<(HoldStage, bool)> {
    let hold = view.node.holds().find(view.focus.request())?;
    Some((hold.stage, hold.protects() == Protects::Somebody))
}

/// A step of the actor in focus, as far as it concerns what is in focus.
#[derive(Clone, Copy, Debug)]
pub struct StepInFocus<'a> {
    /// What the actor takes.
    pub told: Told,
    /// What it does.
    pub outputs: &'a [Output],
}

/// Judges a step of the actor in focus between two states.
pub fn judge_step(
    before: &FocusView<'_>,
    step: StepInFocus<'_>,
    after: &FocusView<'_>,
    found: &mut Findings<'_>,
) {
    let granted = step.told == Told::Grant;
    interrupt_taken(before, step.told, found);
    answered(before, step, after, found);
    for output in step.outputs {
        judge_output(before, step.told, *output, after, found);
    }
    if !before.focus.is_root() {
        let hands = step.outputs.iter().filter(|output| hands_on(**output)).count();
        let what = "a grant is not passed on, opened or dropped exactly once";
        let once = !granted || hands == 1;
        found.claim(PropertyId::ReleasedOnce, granted, once, what);
        let what = "a baton comes out of nowhere";
        found.contract(Clause::NobodyElse, granted, granted || hands == 0, what);
    }
}

fn interrupt_taken(before: &FocusView<'_>, told: Told, found: &mut Findings<'_>) {
    let Told::Interrupt(_) = told else { return };
    if before.prompt_here() || before.prompt_in_child() || before.around.baton == BatonLife::Out {
        found.reached.property(PropertyId::InterruptShielded);
    }
}

/// Whoever waits is told the answer, and whoever is at a prompt that it is over.
fn answered(
    before: &FocusView<'_>,
    step: StepInFocus<'_>,
    after: &FocusView<'_>,
    found: &mut Findings<'_>,
) {
    let request = before.focus.request();
    let stages = (before.own_stage(), after.own_stage());
    let told = match stages {
        (Some(RequestStage::Waiting), Some(RequestStage::Open)) => {
            step.outputs.contains(&Output::PromptOpened { request })
        }
        (Some(RequestStage::Waiting), None) => step.outputs.contains(&Output::Refused { request }),
        (Some(RequestStage::Open), None) => {
            step.outputs.contains(&Output::PromptClosed { request })
        }
        _ => true,
    };
    let waited = stages.0 == Some(RequestStage::Waiting);
    let what = "a request is over, and whoever asked is not told";
    found.claim(PropertyId::RequestAnswered, waited, told, what);
    if step.told == Told::Answer {
        let what = "a prompt is answered, and stays open";
        found.demand(PropertyId::RequestAnswered, stages.1.is_none(), what);
    }
}

/// Whether an output does away with the baton that came with a grant.
fn hands_on(output: Output) -> bool {
    matches!(
        output,
        Output::Send { message: Message::Grant { .. }, .. }
            | Output::PromptOpened { .. }
            | Output::BatonDropped { .. }
    )
}

fn judge_output(
    before: &FocusView<'_>,
    told: Told,
    output: Output,
    after: &FocusView<'_>,
    found: &mut Findings<'_>,
) {
    let forced = after.node.urgency() == Urgency::Forced;
    match output {
        Output::Signal { child: CHILD, .. } => {
            let calm = forced || !before.prompt_in_child();
            let what = "a ladder signal to a child, while a prompt may be open in its branch";
            found.demand(PropertyId::NoSignalUnderHold, calm, what);
        }
        Output::PromptOpened { .. } => prompt_opened(before, told, after, found),
        Output::Refused { .. } => {
            if after.node.teardown() != Teardown::NotAsked {
                found.reached.property(PropertyId::NoPromptAfterCancel);
            }
        }
        Output::InterruptObeyed => {
            let terminal = told == Told::Interrupt(Origin::Terminal);
            let open = if before.focus.is_root() {
                before.around.baton == BatonLife::Out || before.prompt_here()
            } else {
                terminal || before.prompt_here() || before.prompt_below()
            };
            let what = "an interrupt is acted on, while a prompt may be open";
            found.demand(PropertyId::InterruptShielded, forced || !open, what);
        }
        Output::TeardownStarted { .. } => {
            let open = after.prompt_below() || after.prompt_here();
            let what = "a teardown begins here, while a prompt may be open here or below";
            found.demand(PropertyId::NoCancelUnderHold, forced || !open, what);
        }
        Output::Exit { .. } => exit(before, told, after, found),
        Output::Alarmed { .. } => found.demand(PropertyId::NoAlarm, false, "an alarm"),
        Output::Signal { .. }
        | Output::Send { .. }
        | Output::Arm { .. }
        | Output::Disarm { .. }
        | Output::Requested { .. }
        | Output::PromptClosed { .. }
        | Output::BatonDropped { .. }
        | Output::TerminalTaken
        | Output::TerminalRestored
        | Output::Sweep
        | Output::Noticed { .. } => {}
    }
}

fn prompt_opened(
    before: &FocusView<'_>,
    told: Told,
    after: &FocusView<'_>,
    found: &mut Findings<'_>,
) {
    let own = after.node.requests().find(after.focus.request());
    let shielded = own.is_some_and(|own| own.purpose.shielding() == Shielding::Shielded);
    let calm = shielded || before.node.teardown() == Teardown::NotAsked;
    let what = "a prompt opens in an actor that was told to end";
    found.demand(PropertyId::NoPromptAfterCancel, calm, what);
    let given = told == Told::Grant || before.focus.is_root();
    found.claim(PropertyId::OnePrompt, true, given, "a prompt opens without a grant");
}

fn exit(before: &FocusView<'_>, told: Told, after: &FocusView<'_>, found: &mut Findings<'_>) {
    let what = "an actor exits at its own prompt";
    found.demand(PropertyId::NoSignalUnderHold, !after.prompt_here(), what);
    if before.focus.is_root() {
        let what = "the root exits, and the terminal has the modes of a session";
        let used = after.around.baton != BatonLife::Unmade || after.around.asked;
        found.claim(PropertyId::TerminalRestored, used, !after.around.session, what);
        let what = "the root exits, and did not find that it has no child left";
        let last = told == Told::ChildrenGone;
        found.claim(PropertyId::NoneLeft, true, last, what);
    }
}

/// What the actor in focus may not say.
#[must_use]
pub fn breach(clause: Clause) -> ClaimViolation {
    ClaimViolation::breach(clause, "something is said that the contract of the link forbids")
}
