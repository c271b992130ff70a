//! An independent check of a certificate: what begins is in it, it is closed under every step of the
//! actor and every move around it, nothing in it is forbidden, and its ranks fall.
//!
//! In common with the search are the statement ([`super::statement`] says how a mistake in it would
//! show), the node and the link, and no other code. Nothing is searched for here: where the search
//! computes a fixed point over a graph, this check compares a rank with those of the next states.

use super::certificate::TITLE;
use super::claim::{ClaimViolation, Findings, Reached};
use super::environment::{BelowKeeps, FocusEvent, Mover, Trigger, moves};
use super::focus::{ABOVE, CHILD, Focus};
use super::judge::{StepInFocus, breach, judge_state, judge_step};
use super::leads_to::{CLAIMS, FAIR, FairMove, Ranks, fair, is_quiet, is_quiet_step};
use super::rest::{inputs_aside, inputs_that_ask, rests};
use super::seen::{Told, concerns, without_cause};
use super::side::Side;
use super::state::{Around, BatonLife, FocusState, KidLife};
use super::whole::WholeStep;
use holdfast_check::world::link::LinkEnd;
use holdfast_protocol::contract::Clause;
use holdfast_protocol::message::MessageDirection;
use holdfast_protocol::node::focus::Rest;
use holdfast_protocol::{ActorId, DebugMode, Input, Message, Node, Outbox, Output, Policy};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
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
    #[error("{0}: {claim}: {what}", claim = .1.claim, what = .1.what)]
    Forbidden(Focus, ClaimViolation),
    /// The ranks of a state and of those that follow it do not show that the goal is inevitable.
    #[error("{0}: {1}, for all that the ranks say")]
    Unranked(Focus, &'static str),
}

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

/// A step of the node: what it becomes, what it did, on which input, and whether nobody asks.
type NodeStep = (Node, Vec<Output>, Input, bool);

struct CertificateCheck {
    focus: Focus,
    nodes: Table<Node>,
    ups: Table<Side>,
    downs: Table<Side>,
    states: FxHashMap<[u16; 4], Ranks>,
    steps: FxHashMap<(u16, Trigger), Rc<[NodeStep]>>,
}

/// Checks a certificate of a policy and says how many states it has.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn verify(text: &str, policy: Policy) -> Result<usize, Rejected> {
    let mut lines = text.lines();
    let expect = |found: Option<&str>, expected: String| match found.unwrap_or_default() {
        found if found == expected => Ok(()),
        found => Err(Rejected::Unreadable(expected, found.into())),
    };
    expect(lines.next(), TITLE.to_owned())?;
    let mut all = 0;
    for focus in Focus::ALL {
        expect(lines.next(), format!("kind {focus}"))?;
        let (nodes, ups, downs) = (Table::new(), Table::new(), Table::new());
        let (states, steps) = (FxHashMap::default(), FxHashMap::default());
        let mut check = CertificateCheck { focus, nodes, ups, downs, states, steps };
        let mut order: Vec<[u16; 4]> = Vec::new();
        for line in lines.by_ref().take_while(|line| *line != "end") {
            let (table, text) = match line.split_once(' ').unwrap_or_default() {
                ("node", text) => (&mut check.nodes.lines, text),
                ("up", text) => (&mut check.ups.lines, text),
                ("down", text) => (&mut check.downs.lines, text),
                (_, text) => {
                    let unreadable = || Rejected::Unreadable("state".into(), line.into());
                    let (state, ranks) = state_of(text).ok_or_else(unreadable)?;
                    check.states.insert(state, ranks);
                    order.push(state);
                    continue;
                }
            };
            table.insert(text.to_owned(), table.len() as u16);
        }
        check.begins(policy)?;
        order.iter().try_for_each(|state| check.state(*state))?;
        all += order.len();
    }
    Ok(all)
}

/// The numbers of a state and its ranks.
fn state_of(text: &str) -> Option<([u16; 4], Ranks)> {
    let (ranked, numbers): (Vec<&str>, Vec<&str>) =
        text.split(' ').partition(|word| word.contains(':'));
    let numbers: Vec<u16> = numbers.into_iter().flat_map(str::parse).collect();
    let mut ranks = Ranks::default();
    for (claim, rank) in ranked.into_iter().filter_map(|word| word.split_once(':')) {
        *ranks.get_mut(claim.parse::<usize>().ok()?)? = Some(rank.parse().ok()?);
    }
    Some((numbers.try_into().ok()?, ranks))
}

impl CertificateCheck {
    fn begins(&mut self, policy: Policy) -> Result<(), Rejected> {
        for debug in [DebugMode::Off, DebugMode::On] {
            let (up, down) = (Side::new(LinkEnd::Upper), Side::new(LinkEnd::Lower));
            let node = self.focus.start(policy, debug);
            self.find(&FocusState { node, up, down, around: Around::default() })?;
        }
        Ok(())
    }

    /// The state is in the certificate, with these ranks.
    fn find(&mut self, now: &FocusState) -> Result<Ranks, Rejected> {
        let (node, up) = (self.nodes.number(&now.node), self.ups.number(&now.up));
        let (down, around) = (self.downs.number(&now.down), now.around.bits());
        let state = node.zip(up).zip(down).map(|((node, up), down)| [node, up, down, around]);
        let ranks = state.and_then(|state| self.states.get(&state)).copied();
        ranks.ok_or_else(|| Rejected::Open(self.focus, format!("{now:?}")))
    }

    /// Everything that a state leads to is in the certificate, and nothing of it is forbidden.
    fn state(&mut self, state: [u16; 4]) -> Result<(), Rejected> {
        let values = self.nodes.values.get(&state[0]).zip(self.ups.values.get(&state[1]));
        let values = values.zip(self.downs.values.get(&state[2]));
        let too_late = || Rejected::Open(self.focus, format!("what leads to state {state:?}"));
        let ((node, up), down) = values.ok_or_else(too_late)?;
        let (node, up, down) = (node.clone(), up.clone(), down.clone());
        let now = FocusState { node, up, down, around: Around::of_bits(state[3]) };
        let (view, mut steps) = (now.view(self.focus), Vec::new());
        self.permit(|found| judge_state(&view, found))?;
        for step in moves(&view, BelowKeeps::Contract) {
            let after = now.after(&step);
            match step.mover {
                Mover::Environment(event) => {
                    let ranks = self.find(&after)?;
                    steps.push((fair(&view, event), is_quiet(event), ranks));
                }
                Mover::Actor(trigger) => {
                    for step in self.steps(state[0], &after.node, trigger)?.iter() {
                        let ranks = self.perform(&after, step)?;
                        let event = FocusEvent::Takes(step.2);
                        steps.push((fair(&view, event), step.3, ranks));
                    }
                }
            }
        }
        self.ranked(&now, self.states[&state], &steps)
    }

    /// From where it must come to a goal, it comes: no step that counts raises a rank, and one fair
    /// move is possible and lowers it.
    fn ranked(
        &self,
        now: &FocusState,
        ranks: Ranks,
        steps: &[(Option<FairMove>, bool, Ranks)],
    ) -> Result<(), Rejected> {
        let view = now.view(self.focus);
        for (number, claim) in CLAIMS.iter().enumerate() {
            let counted = || steps.iter().filter(|step| step.1 || !claim.quiet);
            let shown = match ranks[number] {
                None => !(claim.obliged)(&view),
                Some(0) => (claim.goal)(&view),
                Some(rank) => {
                    let lowers = Some(FAIR[rank as usize % FAIR.len()]);
                    let falls = |(fair, _, after): &(_, _, Ranks)| {
                        let most = if *fair == lowers { rank - 1 } else { rank };
                        after[number].is_some_and(|after| after <= most)
                    };
                    counted().all(falls) && counted().any(|(fair, ..)| *fair == lowers)
                }
            };
            if !shown {
                return Err(Rejected::Unranked(self.focus, claim.what));
            }
        }
        Ok(())
    }

    fn permit(&self, judge: impl FnOnce(&mut Findings<'_>)) -> Result<(), Rejected> {
        let mut reached = Reached::default();
        let mut found = Findings { reached: &mut reached, violations: Vec::new() };
        judge(&mut found);
        let violation = found.violations.first();
        violation.map_or(Ok(()), |it| Err(Rejected::Forbidden(self.focus, *it)))
    }

    /// What the actor does beside every rest; its node has a number.
    fn steps(&mut self, number: u16, node: &Node, on: Trigger) -> Result<Rc<[NodeStep]>, Rejected> {
        if let Some(known) = self.steps.get(&(number, on)) {
            return Ok(known.clone());
        }
        let (mut steps, mut outbox): (Vec<NodeStep>, _) = (Vec::new(), Outbox::new());
        let mut seen = FxHashMap::<_, usize>::default();
        for rest in rests(self.focus, node) {
            let (rest, inputs) = match on {
                Trigger::Takes(input) => (rest, vec![input]),
                Trigger::Aside => (rest.clone(), inputs_aside(self.focus, node, &rest)),
                Trigger::Asks => (Rest { next_serial: 0, ..rest.clone() }, inputs_that_ask(&rest)),
            };
            let before = node.beside(&rest);
            for input in inputs {
                let mut after = before.clone();
                after.handle(input, &mut outbox);
                let did: Vec<Output> = outbox.drain().collect();
                let whole = WholeStep { before: &before, input, after: &after, outputs: &did };
                self.permit(|found| found.violations.extend(whole.judge(self.focus).0))?;
                let quiet = is_quiet_step(node, &before, &after);
                let did = did.into_iter().filter(|output| concerns(self.focus, *output));
                let did: Vec<Output> = did.map(without_cause).collect();
                let to = self.focus.project(&after);
                match seen.entry((to.clone(), did.clone(), Told::of(self.focus, input))) {
                    Entry::Occupied(known) => steps[*known.get()].3 |= quiet,
                    Entry::Vacant(new) => {
                        new.insert(steps.len());
                        steps.push((to, did, input, quiet));
                    }
                }
            }
        }
        let steps: Rc<[NodeStep]> = steps.into();
        self.steps.insert((number, on), steps.clone());
        Ok(steps)
    }

    /// The actor takes a step; the ranks of the state it leads to. An actor that exits is nowhere,
    /// which is as good as at each goal.
    fn perform(&mut self, now: &FocusState, step: &NodeStep) -> Result<Ranks, Rejected> {
        let (node, did, input, _) = step;
        let mut after = FocusState { node: node.clone(), ..now.clone() };
        let mut exits = false;
        for output in did {
            after.around = after.around.after(*output);
            match *output {
                Output::Send { to, message } => {
                    let kept = self.say(&mut after, to, message);
                    self.permit(|found| found.violations.extend(kept.err().map(breach)))?;
                }
                Output::Exit { .. } => exits = true,
                _ => {}
            }
        }
        let seen = StepInFocus { told: Told::of(self.focus, *input), outputs: did };
        let (from, to) = (now.view(self.focus), after.view(self.focus));
        self.permit(|found| judge_step(&from, seen, &to, found))?;
        if exits { Ok([Some(0); CLAIMS.len()]) } else { self.find(&after) }
    }

    /// The actor says something, which the contract may forbid where it binds.
    fn say(&self, after: &mut FocusState, to: ActorId, word: Message) -> Result<(), Clause> {
        let (side, way) = match to {
            ABOVE if !self.focus.is_root() => (&mut after.up, MessageDirection::Up),
            CHILD if self.focus.has_child() => (&mut after.down, MessageDirection::Down),
            _ => return Err(Clause::NobodyElse),
        };
        let kept = side.say(after.node.policy(), word);
        if self.focus.is_root() && matches!(word, Message::Grant { .. }) {
            after.around.baton = BatonLife::Out;
        }
        let binds = to == ABOVE || after.around.kid == KidLife::Alive;
        match (word.direction() == way, binds) {
            (false, _) => Err(Clause::OwnWay),
            (true, true) => kept,
            (true, false) => Ok(()),
        }
    }
}
