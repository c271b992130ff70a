//! An independent check of a certificate: what begins is in it, it is closed under every step of the
//! actor and every move around it, and nothing in it is forbidden.
//!
//! Written a second time, from `model/docs/PROOF.md`. What it shares with the search is the node, the
//! link and the contract; the words of a certificate; and the rests with their inputs, which
//! `tests/commute.rs` compares with nodes of any size.

mod forbidden;

use super::certificate::TITLE;
use super::focus::{ABOVE, CHILD, Focus, MIDDLE, MINE, OTHER, ROOT};
use super::rest::{inputs_aside, inputs_that_ask, rests};
use super::state::{Around, BatonLife, KidLife};
use holdfast_check::world::link::{LaneState, LinkEnd, LinkInput, LinkState};
use holdfast_protocol::contract::History;
use holdfast_protocol::message::{About, MessageDirection, Urgency};
use holdfast_protocol::node::focus::Rest;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{
    ActorId, DebugMode, Input, Message, Node, Outbox, Output, Policy, RequestId, Status, Timer,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt::Debug;
use std::hash::Hash;
use std::rc::Rc;

/// Why a certificate is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The certificate cannot be read.
    #[error("expected `{0}`, found `{1}`")]
    Unreadable(String, String),
    /// A step leads out of it, or nothing that stands before leads to one of its states.
    #[error("{0}: not in the certificate, or too late: {1}")]
    Open(Focus, String),
    /// Something in it is forbidden.
    #[error("{0}: {1}")]
    Forbidden(Focus, &'static str),
}

/// A link, and what was said on it.
type Wire = (LinkState, History);

/// A state as values: the node, the links above and below it, and what is around.
#[derive(Clone, Debug)]
struct Now {
    node: Node,
    up: Wire,
    down: Wire,
    around: Around,
}

/// What the actor does after a move.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Then {
    Nothing,
    Takes(Input),
    TakesAside,
    Asks,
}

/// A step of the node: what it becomes, what it did, and on which input.
type NodeStep = (Node, Vec<Output>, Input);

/// The lines of one table, and the values behind them as far as steps have made them.
struct Table<T> {
    lines: FxHashMap<String, u16>,
    numbers: FxHashMap<T, u16>,
    values: FxHashMap<u16, T>,
}

impl<T: Clone + Eq + Hash + Debug> Table<T> {
    fn new() -> Self {
        let (lines, numbers) = (FxHashMap::default(), FxHashMap::default());
        Self { lines, numbers, values: FxHashMap::default() }
    }

    fn number(&mut self, value: &T) -> Option<u16> {
        if !self.numbers.contains_key(value) {
            let number = *self.lines.get(&format!("{value:?}"))?;
            self.numbers.insert(value.clone(), number);
            self.values.insert(number, value.clone());
        }
        self.numbers.get(value).copied()
    }
}

struct CertificateCheck {
    focus: Focus,
    nodes: Table<Node>,
    links: Table<Wire>,
    states: FxHashSet<[u16; 4]>,
    steps: FxHashMap<(u16, Then), Rc<[NodeStep]>>,
}

/// Checks a certificate of a policy and says how many states it has.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn verify(text: &str, policy: Policy) -> Result<usize, Rejected> {
    let mut lines = text.lines();
    let unreadable =
        |expected: &str, found: &str| Rejected::Unreadable(expected.into(), found.into());
    let expect = |found: Option<&str>, expected: String| match found.unwrap_or_default() {
        found if found == expected => Ok(()),
        found => Err(unreadable(&expected, found)),
    };
    expect(lines.next(), TITLE.to_owned())?;
    let mut all = 0;
    for focus in Focus::ALL {
        expect(lines.next(), format!("kind {focus}"))?;
        let (nodes, links) = (Table::new(), Table::new());
        let (states, steps) = (FxHashSet::default(), FxHashMap::default());
        let mut check = CertificateCheck { focus, nodes, links, states, steps };
        let mut order: Vec<[u16; 4]> = Vec::new();
        for line in lines.by_ref().take_while(|line| *line != "end") {
            let table = match line.split_once(' ').unwrap_or_default() {
                ("node", text) => (&mut check.nodes.lines, text),
                ("link", text) => (&mut check.links.lines, text),
                (_, numbers) => {
                    let state: Vec<u16> = numbers.split(' ').flat_map(str::parse).collect();
                    order.push(state.try_into().map_err(|_| unreadable("state", line))?);
                    continue;
                }
            };
            let number = table.0.len() as u16;
            table.0.insert(table.1.to_owned(), number);
        }
        check.states.extend(&order);
        check.begins(policy)?;
        order.iter().try_for_each(|state| check.state(*state))?;
        all += order.len();
    }
    Ok(all)
}

fn is_open((link, _): &Wire) -> bool {
    (link.up.state(), link.down.state()) == (LaneState::Open, LaneState::Open)
}

/// Something happens to a link whose end `far` is the neighbour's, who reads at once.
fn pass((link, said): &mut Wire, far: LinkEnd, input: LinkInput) {
    let step = |link: &mut LinkState, input| {
        link.step((ROOT, ROOT), Policy::RELAY, input, &mut Vec::new());
    };
    step(link, input);
    while {
        let lane = if far == LinkEnd::Upper { &link.up } else { &link.down };
        lane.queue().next().is_some() || lane.state() == LaneState::Closed
    } {
        step(link, LinkInput::Read(far));
    }
    // A supervisor that is gone hears nothing.
    if far == LinkEnd::Upper && !is_open(&(link.clone(), *said)) {
        *said = History::default();
    }
}

impl CertificateCheck {
    fn in_focus(&self, node: &Node) -> Node {
        node.in_focus(self.focus.request(), self.focus.kids(), (MINE, OTHER))
    }

    fn begins(&mut self, policy: Policy) -> Result<(), Rejected> {
        for debug in [DebugMode::Off, DebugMode::On] {
            let node = match self.focus.is_root() {
                true => Node::root(ROOT, policy, debug),
                false => Node::below(ABOVE, ROOT, MIDDLE, policy, debug),
            };
            let (up, down, around) = (Wire::default(), Wire::default(), Around::default());
            self.has(&Now { node: self.in_focus(&node), up, down, around })?;
        }
        Ok(())
    }

    /// The state is in the certificate.
    fn has(&mut self, now: &Now) -> Result<(), Rejected> {
        let (node, up) = (self.nodes.number(&now.node), self.links.number(&now.up));
        let (down, around) = (self.links.number(&now.down), now.around.bits());
        let state = node.zip(up).zip(down).map(|((node, up), down)| [node, up, down, around]);
        let has = state.is_some_and(|state| self.states.contains(&state));
        if has { Ok(()) } else { Err(Rejected::Open(self.focus, format!("{now:?}"))) }
    }

    /// Everything that a state leads to is in the certificate, and nothing of it is forbidden.
    fn state(&mut self, state: [u16; 4]) -> Result<(), Rejected> {
        let link = |number| self.links.values.get(number);
        let values = self.nodes.values.get(&state[0]).zip(link(&state[1])).zip(link(&state[2]));
        let too_late = || Rejected::Open(self.focus, format!("what leads to state {state:?}"));
        let ((node, up), down) = values.ok_or_else(too_late)?;
        let (node, up, down) = (node.clone(), up.clone(), down.clone());
        let now = Now { node, up, down, around: Around::of_bits(state[3]) };
        self.permit(forbidden::state(self.focus, &now))?;
        for (after, then) in self.moves(&now) {
            if then == Then::Nothing {
                self.has(&after)?;
                continue;
            }
            for step in self.steps(state[0], &after.node, then)?.iter() {
                self.perform(&after, step)?;
            }
        }
        Ok(())
    }

    fn permit(&self, forbidden: Option<&'static str>) -> Result<(), Rejected> {
        forbidden.map_or(Ok(()), |what| Err(Rejected::Forbidden(self.focus, what)))
    }

    /// What may happen next: the neighbours, the kernel and the timers make room for the actor.
    fn moves(&self, now: &Now) -> Vec<(Now, Then)> {
        let (focus, around) = (self.focus, now.around);
        let (request, mut moves) = (focus.request(), Vec::new());
        let mut add = |then, change: &dyn Fn(&mut Now)| {
            let mut after = now.clone();
            change(&mut after);
            moves.push((after, then));
        };
        if around.baton == BatonLife::Out {
            add(Then::Nothing, &|it| it.around.baton = BatonLife::Closed);
        }
        if around.killed {
            return moves;
        }
        add(Then::TakesAside, &|_| ());
        if focus.asks() && !around.asked {
            add(Then::Asks, &|_| ());
        }
        if focus.is_root() {
            add(Then::Nothing, &|it| it.around.killed = true);
            if around.baton == BatonLife::Closed {
                let read = Then::Takes(Input::BatonClosed { request });
                add(read, &|it| it.around.baton = BatonLife::Read);
            }
            if around.yields {
                let expired = Input::Expired { timer: Timer::Yield(request) };
                add(Then::Takes(expired), &|it| it.around.yields = false);
            }
            if matches!(around.kid, KidLife::Unborn | KidLife::Gone) {
                add(Then::Takes(Input::ChildrenGone), &|_| ());
            }
        }
        for child in focus.kids().iter().copied() {
            if around.grace {
                let expired = Input::Expired { timer: Timer::Grace(child) };
                add(Then::Takes(expired), &|it| it.around.grace = false);
            }
            let comes =
                if focus.has_child() { Input::Spawned { child } } else { Input::Adopted { child } };
            match (around.kid, focus.has_child()) {
                (KidLife::Unborn, own) if !own || now.node.teardown() == Teardown::NotAsked => {
                    add(Then::Takes(comes), &|it| it.around.kid = KidLife::Alive);
                }
                (KidLife::Alive, true) => add(Then::Nothing, &|it| {
                    it.around.kid = KidLife::Zombie;
                    pass(&mut it.down, LinkEnd::Lower, LinkInput::Died(LinkEnd::Lower));
                }),
                (KidLife::Alive, false) | (KidLife::Zombie, true) => {
                    for status in [Status::Cancelled, Status::Failed] {
                        add(Then::Takes(Input::Exited { child, status }), &|it| {
                            it.around.kid = KidLife::Gone;
                            if focus.has_child() {
                                it.down = Wire::default();
                                pass(&mut it.down, LinkEnd::Lower, LinkInput::Died(LinkEnd::Lower));
                                pass(&mut it.down, LinkEnd::Lower, LinkInput::Abandon);
                            }
                        });
                    }
                }
                _ => {}
            }
        }
        if !focus.is_root() {
            self.neighbour(now, LinkEnd::Upper, &mut moves);
        }
        if focus.has_child() {
            self.neighbour(now, LinkEnd::Lower, &mut moves);
        }
        moves
    }

    /// What the neighbour whose end is `far` may say or do, and what the actor may read of it.
    fn neighbour(&self, now: &Now, far: LinkEnd, moves: &mut Vec<(Now, Then)>) {
        let (wire, from, near, there, way) = match far {
            LinkEnd::Upper => (&now.up, ABOVE, LinkEnd::Lower, true, MessageDirection::Down),
            LinkEnd::Lower => {
                let alive = now.around.kid == KidLife::Alive;
                (&now.down, CHILD, LinkEnd::Upper, alive, MessageDirection::Up)
            }
        };
        let mut add = |then, said, input| {
            let mut after = now.clone();
            let wire = if far == LinkEnd::Upper { &mut after.up } else { &mut after.down };
            wire.1 = said;
            pass(wire, far, input);
            moves.push((after, then));
        };
        if there && is_open(wire) {
            add(Then::Nothing, wire.1, LinkInput::Cut);
            for word in words(self.focus.request()).into_iter().filter(|it| it.direction() == way) {
                let mut said = wire.1;
                if said.says(word).is_ok() {
                    add(Then::Nothing, said, LinkInput::Push(far, word));
                }
            }
        }
        let lane = if far == LinkEnd::Upper { &wire.0.down } else { &wire.0.up };
        let mut said = wire.1;
        if let Some(message) = lane.queue().next() {
            said.hears(message);
            add(Then::Takes(Input::Received { from, message }), said, LinkInput::Read(near));
        } else if lane.state() == LaneState::Closed {
            add(Then::Takes(Input::LinkEnded { peer: from }), said, LinkInput::Read(near));
        }
    }

    /// What the actor does beside every rest; its node has a number.
    fn steps(&mut self, number: u16, node: &Node, then: Then) -> Result<Rc<[NodeStep]>, Rejected> {
        if let Some(known) = self.steps.get(&(number, then)) {
            return Ok(known.clone());
        }
        let (mut seen, mut steps, mut outbox) = (FxHashSet::default(), Vec::new(), Outbox::new());
        for rest in rests(self.focus, node) {
            let (rest, inputs) = match then {
                Then::Nothing => (rest, Vec::new()),
                Then::Takes(input) => (rest, vec![input]),
                Then::TakesAside => (rest.clone(), inputs_aside(self.focus, node, &rest)),
                Then::Asks => (Rest { next_serial: 0, ..rest.clone() }, inputs_that_ask(&rest)),
            };
            let before = node.beside(&rest);
            for input in inputs {
                let mut after = before.clone();
                after.handle(input, &mut outbox);
                let did = outbox.drain().filter(|output| ours(self.focus, *output));
                let did: Vec<Output> = did.collect();
                self.permit(forbidden::whole_step(self.focus, &before, input, &after, &did))?;
                let to = self.in_focus(&after);
                let told = matches!(input, Input::Signalled { .. }).then_some(input);
                if seen.insert((to.clone(), did.clone(), told)) {
                    steps.push((to, did, input));
                }
            }
        }
        let steps: Rc<[NodeStep]> = steps.into();
        self.steps.insert((number, then), steps.clone());
        Ok(steps)
    }

    fn perform(&mut self, now: &Now, (node, did, input): &NodeStep) -> Result<(), Rejected> {
        let mut after = Now { node: node.clone(), ..now.clone() };
        let mut exits = false;
        for output in did {
            let around = &mut after.around;
            match *output {
                Output::Send { to, message } => {
                    let kept = self.say(&mut after, to, message);
                    self.permit((!kept).then_some("the contract of a link is not kept"))?;
                }
                Output::Arm { timer: Timer::Grace(_) } => around.grace = true,
                Output::Disarm { timer: Timer::Grace(_) } => around.grace = false,
                Output::Arm { timer: Timer::Yield(_) } => around.yields = true,
                Output::Disarm { timer: Timer::Yield(_) } => around.yields = false,
                Output::Requested { .. } => around.asked = true,
                Output::TerminalTaken => around.session = true,
                Output::TerminalRestored => around.session = false,
                Output::Exit { .. } => exits = true,
                _ => {}
            }
        }
        self.permit(forbidden::step(self.focus, now, *input, did, &after))?;
        if exits { Ok(()) } else { self.has(&after) }
    }

    /// The actor says something. Whether the contract permits it, if it binds.
    fn say(&self, after: &mut Now, to: ActorId, word: Message) -> bool {
        let (far, near, way) = match to {
            ABOVE if !self.focus.is_root() => {
                (LinkEnd::Upper, LinkEnd::Lower, MessageDirection::Up)
            }
            CHILD if self.focus.has_child() => {
                (LinkEnd::Lower, LinkEnd::Upper, MessageDirection::Down)
            }
            _ => return false,
        };
        let alive = after.around.kid == KidLife::Alive;
        let wire = if far == LinkEnd::Upper { &mut after.up } else { &mut after.down };
        let binds = if far == LinkEnd::Upper { is_open(wire) } else { alive };
        let kept = wire.1.says(word).is_ok() && word.direction() == way;
        if is_open(wire) && matches!(word, Message::Want { .. } | Message::Grant { .. }) {
            wire.1.hears(word);
        }
        pass(wire, far, LinkInput::Push(near, word));
        if self.focus.is_root() && matches!(word, Message::Grant { .. }) {
            after.around.baton = BatonLife::Out;
        }
        kept || !binds
    }
}

/// Everything there is to say about a request.
fn words(request: RequestId) -> [Message; 8] {
    [
        Message::Want { request },
        Message::Done { request },
        Message::Lost { request },
        Message::Grant { request },
        Message::Refuse { request },
        Message::Revoke { request },
        Message::Cancel { urgency: Urgency::Patient },
        Message::Cancel { urgency: Urgency::Forced },
    ]
}

/// Whether an output is about the request, or the children in focus.
fn ours(focus: Focus, output: Output) -> bool {
    match output {
        Output::Send { to, message } => match message.request() {
            // Whoever else asks under its name is refused.
            About::Request(request) => {
                let another = to != CHILD && matches!(message, Message::Refuse { .. });
                request == focus.request() && !another
            }
            About::Actor => to == CHILD && focus.has_child(),
        },
        Output::Arm { timer: Timer::Grace(child) }
        | Output::Disarm { timer: Timer::Grace(child) }
        | Output::Signal { child, .. } => focus.kids().contains(&child),
        Output::Arm { timer: Timer::Yield(request) }
        | Output::Disarm { timer: Timer::Yield(request) }
        | Output::Requested { request }
        | Output::PromptOpened { request }
        | Output::PromptClosed { request }
        | Output::Refused { request }
        | Output::BatonDropped { request } => request == focus.request(),
        Output::Sweep | Output::Noticed { .. } => false,
        _ => true,
    }
}
