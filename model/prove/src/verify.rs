//! An independent check of a certificate: what begins is in it, it is closed under every step of
//! the actor and every move around it, and nothing in it is bad.
//!
//! Written a second time, from `model/docs/PROOF.md`. It shares with the search the node, the link
//! and the contract, the rests (which `tests/commute.rs` compares with nodes of any size), and the
//! words of a certificate (the kinds of actor, their names, the bits of what is around).

use super::certificate::TITLE;
use super::focus::{ABOVE, CHILD, Focus, ROOT};
use super::state::{Around, BatonLife, KidLife};
use holdfast_check::world::link::{LaneState, LinkEnd, LinkInput, LinkState};
use holdfast_protocol::contract::History;
use holdfast_protocol::message::Urgency;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{
    ActorId, DebugMode, Input, Message, Node, Output, Policy, RequestId, Status, Timer,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt::Debug;
use std::hash::Hash;

mod bad;

/// Why a certificate is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It cannot be read.
    #[error("line {0}: expected {1}")]
    Unreadable(usize, &'static str),
    /// A kind of actor is missing.
    #[error("the kind of actor `{0}` is missing, or not in its place")]
    Missing(Focus),
    /// A step leads out of it, or nothing leads to one of its states.
    #[error("{0}: {1} is not in the certificate, or only after a state that needs it")]
    Open(Focus, String),
    /// Something in it is bad.
    #[error("{0}: {1}")]
    Bad(Focus, &'static str),
}

/// A link, and what was said on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Wire {
    link: LinkState,
    said: History,
}

/// The values behind one table of the certificate.
struct Table<T> {
    texts: FxHashMap<String, u16>,
    numbers: FxHashMap<T, u16>,
    values: FxHashMap<u16, T>,
}

impl<T: Clone + Eq + Hash + Debug> Table<T> {
    fn new() -> Self {
        let (texts, numbers) = (FxHashMap::default(), FxHashMap::default());
        Self { texts, numbers, values: FxHashMap::default() }
    }

    fn number(&mut self, value: &T, text: impl Fn(&T) -> String) -> Result<u16, String> {
        if let Some(number) = self.numbers.get(value) {
            return Ok(*number);
        }
        let text = text(value);
        let number = *self.texts.get(&text).ok_or(text)?;
        self.numbers.insert(value.clone(), number);
        self.values.insert(number, value.clone());
        Ok(number)
    }
}

type StateNumbers = [u16; 4];
type NodeStep = (Node, Vec<Output>, Input);

struct CertificateCheck {
    focus: Focus,
    policy: Policy,
    nodes: Table<Node>,
    ups: Table<Wire>,
    downs: Table<Wire>,
    states: FxHashSet<StateNumbers>,
    steps: FxHashMap<(u16, Option<Input>), std::rc::Rc<[NodeStep]>>,
}

/// Checks a certificate of a policy and says how many states it has.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn verify(text: &str, policy: Policy) -> Result<usize, Rejected> {
    let mut lines = text.lines().zip(1..);
    if lines.next().is_none_or(|(line, _)| line != TITLE) {
        return Err(Rejected::Unreadable(1, TITLE));
    }
    let mut all = 0;
    for focus in Focus::ALL {
        if lines.next().is_none_or(|(line, _)| line != format!("kind {focus}")) {
            return Err(Rejected::Missing(focus));
        }
        let mut check = CertificateCheck {
            focus,
            policy,
            nodes: Table::new(),
            ups: Table::new(),
            downs: Table::new(),
            states: FxHashSet::default(),
            steps: FxHashMap::default(),
        };
        let mut order: Vec<StateNumbers> = Vec::new();
        loop {
            let (line, at) = lines.next().ok_or(Rejected::Missing(focus))?;
            let texts = match line.split_once(' ') {
                Some(("node", text)) => (&mut check.nodes.texts, text),
                Some(("up", text)) => (&mut check.ups.texts, text),
                Some(("down", text)) => (&mut check.downs.texts, text),
                Some(("state", numbers)) => {
                    let numbers: Vec<u16> = numbers.split(' ').flat_map(str::parse).collect();
                    let state = StateNumbers::try_from(numbers);
                    order.push(state.map_err(|_| Rejected::Unreadable(at, "four numbers"))?);
                    continue;
                }
                _ if line == "end" => break,
                _ => return Err(Rejected::Unreadable(at, "node, up, down, state or end")),
            };
            let number = texts.0.len() as u16;
            texts.0.insert(texts.1.to_owned(), number);
        }
        check.states.extend(&order);
        check.begin()?;
        order.iter().try_for_each(|state| check.state(*state))?;
        all += order.len();
    }
    Ok(all)
}

/// What can be said to the actor in focus, from either side.
fn words(far: LinkEnd, request: RequestId) -> Vec<Message> {
    let cancel = |urgency| Message::Cancel { urgency };
    match far {
        LinkEnd::Lower => {
            vec![Message::Want { request }, Message::Done { request }, Message::Lost { request }]
        }
        LinkEnd::Upper => vec![
            Message::Grant { request },
            Message::Refuse { request },
            Message::Revoke { request },
            cancel(Urgency::Patient),
            cancel(Urgency::Forced),
        ],
    }
}

impl Wire {
    fn step(mut self, policy: Policy, far: LinkEnd, inputs: &[LinkInput]) -> Self {
        for input in inputs {
            self.link.step((ROOT, ROOT), policy, *input, &mut Vec::new());
        }
        // The neighbour reads at once.
        while {
            let to = if far == LinkEnd::Upper { &self.link.up } else { &self.link.down };
            to.queue().next().is_some() || to.state() == LaneState::Closed
        } {
            self.link.step((ROOT, ROOT), policy, LinkInput::Read(far), &mut Vec::new());
        }
        if far == LinkEnd::Upper && !self.open() {
            self.said = History::default();
        }
        self
    }

    fn open(&self) -> bool {
        (self.link.up.state(), self.link.down.state()) == (LaneState::Open, LaneState::Open)
    }

    fn next(&self, far: LinkEnd) -> Option<Option<Message>> {
        let lane = if far == LinkEnd::Upper { &self.link.down } else { &self.link.up };
        let first = lane.queue().next();
        (first.is_some() || lane.state() == LaneState::Closed).then_some(first)
    }
}

/// A state as values, which the moves change.
#[derive(Clone)]
struct Now {
    node: Node,
    up: Wire,
    down: Wire,
    around: Around,
}

impl CertificateCheck {
    fn bad(&self, what: &'static str) -> Rejected {
        Rejected::Bad(self.focus, what)
    }

    fn begin(&mut self) -> Result<(), Rejected> {
        let wire = Wire { link: LinkState::default(), said: History::default() };
        for debug in [DebugMode::Off, DebugMode::On] {
            let node = self.focus.start(self.policy, debug);
            let around = Around::default();
            self.has(&Now { node, up: wire.clone(), down: wire.clone(), around })?;
        }
        Ok(())
    }

    /// The state is in the certificate.
    fn has(&mut self, now: &Now) -> Result<(), Rejected> {
        let text = |wire: &Wire| format!("{:?} {:?}", wire.link, wire.said);
        let open = |what| Rejected::Open(self.focus, what);
        let node = self.nodes.number(&now.node, |node| format!("{node:?}")).map_err(open)?;
        let up = self.ups.number(&now.up, text).map_err(open)?;
        let down = self.downs.number(&now.down, text).map_err(open)?;
        let state = [node, up, down, now.around.bits()];
        let has = self.states.contains(&state);
        if has { Ok(()) } else { Err(open(format!("state {state:?}"))) }
    }

    /// Everything that a state leads to is in the certificate, and it is not bad.
    fn state(&mut self, state: StateNumbers) -> Result<(), Rejected> {
        let [node, up, down, around] = state;
        let early = || Rejected::Open(self.focus, format!("what leads to state {state:?}"));
        let now = Now {
            node: self.nodes.values.get(&node).ok_or_else(early)?.clone(),
            up: self.ups.values.get(&up).ok_or_else(early)?.clone(),
            down: self.downs.values.get(&down).ok_or_else(early)?.clone(),
            around: Around::of_bits(around),
        };
        bad::state(self.focus, &now).map_err(|what| self.bad(what))?;
        let (focus, policy) = (self.focus, self.policy);
        let around = now.around;
        let after = |change: fn(&mut Around)| {
            let mut now = now.clone();
            change(&mut now.around);
            now
        };
        if around.baton == BatonLife::Out {
            self.has(&after(|it| it.baton = BatonLife::Closed))?;
        }
        if around.killed {
            return Ok(());
        }
        if !focus.is_root() {
            self.neighbour(&now, LinkEnd::Upper)?;
        }
        if focus.is_root() {
            self.has(&after(|it| it.killed = true))?;
            if around.baton == BatonLife::Closed {
                let request = focus.request();
                let read = after(|it| it.baton = BatonLife::Read);
                self.take(&read, Some(Input::BatonClosed { request }))?;
            }
            if around.yields {
                let timer = Timer::Yield(focus.request());
                self.take(&after(|it| it.yields = false), Some(Input::Expired { timer }))?;
            }
            if matches!(around.kid, KidLife::Unborn | KidLife::Gone) {
                self.take(&now, Some(Input::ChildrenGone))?;
            }
        }
        let kid = focus.kids().first().copied();
        if let Some(child) = kid.filter(|_| around.grace) {
            let timer = Timer::Grace(child);
            self.take(&after(|it| it.grace = false), Some(Input::Expired { timer }))?;
        }
        match (focus.has_child(), kid, around.kid) {
            (true, Some(child), KidLife::Unborn) if now.node.teardown() == Teardown::NotAsked => {
                self.take(&after(|it| it.kid = KidLife::Alive), Some(Input::Spawned { child }))?;
            }
            (true, Some(_), KidLife::Alive) => {
                self.neighbour(&now, LinkEnd::Lower)?;
                let mut dead = after(|it| it.kid = KidLife::Zombie);
                let died = LinkInput::Died(LinkEnd::Lower);
                dead.down = dead.down.step(policy, LinkEnd::Lower, &[died]);
                self.has(&dead)?;
            }
            (true, Some(child), KidLife::Zombie) => {
                self.read(&now, LinkEnd::Lower)?;
                let mut gone = after(|it| it.kid = KidLife::Gone);
                let end = [LinkInput::Died(LinkEnd::Lower), LinkInput::Abandon];
                let wire = Wire { link: LinkState::default(), said: History::default() };
                gone.down = wire.step(policy, LinkEnd::Lower, &end);
                self.reap(&gone, child)?;
            }
            (false, Some(child), KidLife::Unborn) => {
                self.take(&after(|it| it.kid = KidLife::Alive), Some(Input::Adopted { child }))?;
            }
            (false, Some(child), KidLife::Alive) => {
                self.reap(&after(|it| it.kid = KidLife::Gone), child)?;
            }
            _ => {}
        }
        self.take(&now, None)
    }

    fn reap(&mut self, now: &Now, child: ActorId) -> Result<(), Rejected> {
        let take = |status| self.take(now, Some(Input::Exited { child, status }));
        [Status::Cancelled, Status::Failed].into_iter().try_for_each(take)
    }

    /// Whatever the neighbour on one side may say or do, and the actor may read of it.
    fn neighbour(&mut self, now: &Now, far: LinkEnd) -> Result<(), Rejected> {
        let wire = if far == LinkEnd::Upper { &now.up } else { &now.down }.clone();
        let mut afters = Vec::new();
        if wire.open() {
            afters.push(wire.clone().step(self.policy, far, &[LinkInput::Cut]));
            for word in words(far, self.focus.request()) {
                let mut next = wire.clone();
                if next.said.says(word).is_ok() {
                    afters.push(next.step(self.policy, far, &[LinkInput::Push(far, word)]));
                }
            }
        }
        for next in afters {
            let mut after = now.clone();
            *(if far == LinkEnd::Upper { &mut after.up } else { &mut after.down }) = next;
            self.has(&after)?;
        }
        self.read(now, far)
    }

    fn read(&mut self, now: &Now, far: LinkEnd) -> Result<(), Rejected> {
        let mut after = now.clone();
        let (wire, from, near) = match far {
            LinkEnd::Upper => (&mut after.up, ABOVE, LinkEnd::Lower),
            LinkEnd::Lower => (&mut after.down, CHILD, LinkEnd::Upper),
        };
        let Some(word) = wire.next(far) else { return Ok(()) };
        word.into_iter().for_each(|word| wire.said.hears(word));
        *wire = wire.clone().step(self.policy, far, &[LinkInput::Read(near)]);
        let end = Input::LinkEnded { peer: from };
        self.take(&after, Some(word.map_or(end, |message| Input::Received { from, message })))
    }

    /// The actor takes an input, or any that is aside, beside every rest.
    fn take(&mut self, now: &Now, input: Option<Input>) -> Result<(), Rejected> {
        let node = self.nodes.number(&now.node, |node| format!("{node:?}"));
        let key = (node.map_err(|what| Rejected::Open(self.focus, what))?, input);
        if !self.steps.contains_key(&key) {
            let steps = bad::steps(self.focus, &now.node, input);
            self.steps.insert(key, steps.map_err(|what| self.bad(what))?);
        }
        let asked = now.around.asked;
        for (node, outputs, input) in self.steps[&key].clone().iter() {
            let asks = |it: &Output| *it == Output::Requested { request: self.focus.request() };
            if asked && outputs.iter().any(asks) {
                continue;
            }
            self.perform(now, node, outputs, *input)?;
        }
        Ok(())
    }

    fn perform(
        &mut self,
        now: &Now,
        node: &Node,
        outputs: &[Output],
        input: Input,
    ) -> Result<(), Rejected> {
        let mut after = Now { node: node.clone(), ..now.clone() };
        for output in outputs {
            let around = &mut after.around;
            match *output {
                Output::Send { to, message } => {
                    self.say(&mut after, to, message).map_err(|what| self.bad(what))?;
                }
                Output::Arm { timer } | Output::Disarm { timer } => {
                    let on = matches!(output, Output::Arm { .. });
                    match timer {
                        Timer::Grace(_) => around.grace = on,
                        Timer::Yield(_) => around.yields = on,
                    }
                }
                Output::Requested { .. } => around.asked = true,
                Output::TerminalTaken => around.session = true,
                Output::TerminalRestored => around.session = false,
                _ => {}
            }
        }
        bad::step(self.focus, now, input, outputs, &after).map_err(|what| self.bad(what))?;
        let over = outputs.iter().any(|output| matches!(output, Output::Exit { .. }));
        if over { Ok(()) } else { self.has(&after) }
    }

    fn say(&self, after: &mut Now, to: ActorId, word: Message) -> Result<(), &'static str> {
        let (wire, far, near, binds) = match to {
            ABOVE if !self.focus.is_root() => {
                let open = after.up.open();
                (&mut after.up, LinkEnd::Upper, LinkEnd::Lower, open)
            }
            CHILD if self.focus.has_child() => {
                let alive = after.around.kid == KidLife::Alive;
                (&mut after.down, LinkEnd::Lower, LinkEnd::Upper, alive)
            }
            _ => return Err("somebody else is told of the request"),
        };
        let kept = wire.said.says(word).is_ok();
        if wire.open() && matches!(word, Message::Want { .. } | Message::Grant { .. }) {
            wire.said.hears(word);
        }
        *wire = wire.clone().step(self.policy, far, &[LinkInput::Push(near, word)]);
        if self.focus.is_root() && matches!(word, Message::Grant { .. }) {
            after.around.baton = BatonLife::Out;
        }
        if kept || !binds { Ok(()) } else { Err("the contract of a link is not kept") }
    }
}
