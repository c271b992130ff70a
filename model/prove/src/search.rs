//! The search: every state of one kind of actor between most general neighbours, breadth first.
//!
//! A state is four numbers: of a node in focus, of the link on either side, of what is around.
//! What a node does on an input, and what a link becomes, is remembered.

mod found;
mod numbers;
mod progress;

pub use super::environment::FocusEvent;
pub use found::{Closure, Explored, FocusStep, Violated};

use numbers::{NumberedState, Numbers};
use progress::Edge;

use super::claim::{ClaimViolation, Findings, Reached};
use super::environment::{BelowKeeps, Mover, Trigger, moves};
use super::focus::{ABOVE, CHILD, Focus};
use super::judge::{StepInFocus, breach, judge_state, judge_step};
use super::leads_to::{Ranks, is_quiet};
use super::seen::Told;
use super::side::Side;
use super::state::{Around, BatonLife, FocusView, KidLife};
use super::step::{FocusOutcome, outcomes};
use holdfast_check::world::link::LinkEnd;
use holdfast_protocol::contract::Clause;
use holdfast_protocol::message::MessageDirection;
use holdfast_protocol::{ActorId, DebugMode, Message, Node, Output, Policy};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::ops::ControlFlow;
use std::rc::Rc;

/// More states than any kind has, by far: where a search ends that does not close.
const MOST_STATES: usize = 5_000_000;

/// More nodes in focus than any kind has, and few enough to have numbers.
const MOST_VALUES: usize = 60_000;

/// How many states are expanded between two looks at the caller.
const STRIDE: usize = 4096;

/// What a node may do, and what it becomes.
type Outcomes = Rc<[(u16, FocusOutcome)]>;

/// The exploration of one kind of actor.
pub struct FocusSearch {
    focus: Focus,
    keeps: Option<Box<dyn Fn(FocusEvent) -> bool>>,
    child: BelowKeeps,
    policy: Policy,
    nodes: Numbers<Node>,
    ups: Numbers<Side>,
    downs: Numbers<Side>,
    words: FxHashMap<(LinkEnd, u16, Message), (u16, Option<Clause>)>,
    outcomes: FxHashMap<(u16, Trigger), Outcomes>,
    known: FxHashMap<NumberedState, u32>,
    points: Vec<NumberedState>,
    from: Vec<(u32, FocusEvent)>,
    edges: Vec<Edge>,
    ranks: Vec<Ranks>,
    reached: Reached,
    violated: Vec<Violated>,
    steps: u64,
    runs: u64,
}

impl FocusSearch {
    /// A search that has not begun.
    #[must_use]
    pub fn new(focus: Focus, policy: Policy) -> Self {
        Self {
            focus,
            keeps: None,
            child: BelowKeeps::Contract,
            policy,
            nodes: Numbers::new(),
            ups: Numbers::new(),
            downs: Numbers::new(),
            words: FxHashMap::default(),
            outcomes: FxHashMap::default(),
            known: FxHashMap::default(),
            points: Vec::new(),
            from: Vec::new(),
            edges: Vec::new(),
            ranks: Vec::new(),
            reached: Reached::default(),
            violated: Vec::new(),
            steps: 0,
            runs: 0,
        }
    }

    /// A search in which only these events happen: it must miss something, and a test wants to see
    /// that.
    #[must_use]
    pub fn keeping(self, keeps: impl Fn(FocusEvent) -> bool + 'static) -> Self {
        Self { keeps: Some(Box::new(keeps)), ..self }
    }

    /// A search in which the child on the path keeps no contract. It goes on after a violation, and
    /// finds the first of each claim: what is not among them remains true.
    #[must_use]
    pub fn below_says_anything(self) -> Self {
        Self { child: BelowKeeps::Nothing, ..self }
    }

    /// Explores all states, or up to the first violation. Now and then `progress` is told how many
    /// states there are and may break it off.
    pub fn run(&mut self, mut progress: impl FnMut(usize) -> ControlFlow<()>) -> Closure {
        let (up, down) = (
            self.ups.number(Side::new(LinkEnd::Upper)),
            self.downs.number(Side::new(LinkEnd::Lower)),
        );
        for debug in [DebugMode::Off, DebugMode::On] {
            let node = self.nodes.number(self.focus.start(self.policy, debug));
            let start = NumberedState { node, up, down, around: Around::default().bits() };
            self.arrive(start, 0, FocusEvent::Starts, true);
        }
        let mut at = 0;
        while at < self.points.len() {
            if at % STRIDE == 0 && progress(self.points.len()).is_break() {
                return Closure::Interrupted;
            }
            self.expand(at as u32);
            if !self.violated.is_empty() && self.child == BelowKeeps::Contract {
                return Closure::Violated;
            }
            if self.points.len() > MOST_STATES || self.nodes.values.len() > MOST_VALUES {
                return Closure::TooLarge;
            }
            at += 1;
        }
        self.judge_progress();
        if self.violated.is_empty() { Closure::Closed } else { Closure::Violated }
    }

    /// What was found.
    #[must_use]
    pub fn explored(self, closure: Closure) -> Explored {
        Explored {
            focus: self.focus,
            closure,
            states: self.points.len(),
            steps: self.steps,
            nodes: self.nodes.values.len(),
            links: self.ups.values.len() + self.downs.values.len(),
            runs: self.runs,
            reached: self.reached,
            violated: self.violated,
        }
    }

    /// Every state that was found.
    pub fn states(&self) -> impl Iterator<Item = FocusView<'_>> {
        self.points.iter().map(|point| self.view(*point))
    }

    /// The values behind the numbers: nodes, links to the supervisor, links to the child.
    pub(crate) fn tables(&self) -> (&[Node], &[Side], &[Side]) {
        (&self.nodes.values, &self.ups.values, &self.downs.values)
    }

    /// Every state that was found, as numbers: node, links, what is around; and its ranks.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = ([u16; 4], Ranks)> + '_ {
        let numbers = |point: &NumberedState| [point.node, point.up, point.down, point.around];
        self.points.iter().map(numbers).zip(self.ranks.iter().copied())
    }

    fn view(&self, point: NumberedState) -> FocusView<'_> {
        FocusView {
            focus: self.focus,
            node: self.nodes.get(point.node),
            up: self.ups.get(point.up),
            down: self.downs.get(point.down),
            around: point.around(),
        }
    }

    /// A step leads to a state; it is quiet if it may be taken while nobody asks for anything.
    fn arrive(&mut self, point: NumberedState, from: u32, event: FocusEvent, quiet: bool) {
        if self.leaves_out(event) {
            return;
        }
        self.steps += 1;
        let number = self.points.len() as u32;
        let known = match self.known.entry(point) {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(new) => {
                new.insert(number);
                None
            }
        };
        self.edge(from, Some(known.unwrap_or(number)), event, quiet);
        if known.is_some() {
            return;
        }
        self.points.push(point);
        self.from.push((from, event));
        let mut reached = std::mem::take(&mut self.reached);
        let mut found = Findings { reached: &mut reached, violations: Vec::new() };
        judge_state(&self.view(point), &mut found);
        let violations = found.violations;
        self.reached = reached;
        self.blame(violations, from, event, point, &[]);
    }

    fn leaves_out(&self, event: FocusEvent) -> bool {
        event != FocusEvent::Starts && self.keeps.as_ref().is_some_and(|keeps| !keeps(event))
    }

    fn blame(
        &mut self,
        violations: Vec<ClaimViolation>,
        from: u32,
        event: FocusEvent,
        to: NumberedState,
        outputs: &[Output],
    ) {
        for violation in violations {
            let known = |found: &Violated| found.violation == violation;
            if self.child == BelowKeeps::Nothing && self.violated.iter().any(known) {
                continue;
            }
            let step = |event, point: NumberedState| FocusStep {
                event,
                node: self.nodes.get(point.node).clone(),
                around: point.around(),
            };
            let mut steps = vec![step(event, to)];
            let mut at = from;
            while event != FocusEvent::Starts && self.from[at as usize].1 != FocusEvent::Starts {
                let (before, event) = self.from[at as usize];
                steps.push(step(event, self.points[at as usize]));
                at = before;
            }
            steps.reverse();
            self.violated.push(Violated { violation, steps, outputs: outputs.to_vec() });
        }
    }

    fn expand(&mut self, at: u32) {
        let point = self.points[at as usize];
        for step in moves(&self.view(point), self.child) {
            let mut next = NumberedState { around: step.around.bits(), ..point };
            match step.link {
                Some(side) if side.far == LinkEnd::Upper => next.up = self.ups.number(side),
                Some(side) => next.down = self.downs.number(side),
                None => {}
            }
            match step.mover {
                Mover::Environment(event) => self.arrive(next, at, event, is_quiet(event)),
                Mover::Actor(trigger) => self.trigger(at, next, trigger),
            }
        }
    }

    /// The actor in focus takes a step from a point where the world has made room for it.
    fn trigger(&mut self, at: u32, point: NumberedState, trigger: Trigger) {
        let known = match self.outcomes.get(&(point.node, trigger)) {
            Some(known) => known.clone(),
            None => {
                let node = self.nodes.get(point.node).clone();
                let (outcomes, runs) = outcomes(self.focus, &node, trigger);
                self.runs += runs;
                let numbered = outcomes.into_iter();
                let numbered: Outcomes = numbered
                    .map(|outcome| (self.nodes.number(outcome.node.clone()), outcome))
                    .collect();
                self.outcomes.insert((point.node, trigger), numbered.clone());
                numbered
            }
        };
        for (node, outcome) in known.iter() {
            self.perform(at, point, *node, outcome);
        }
    }

    fn perform(&mut self, at: u32, point: NumberedState, node: u16, outcome: &FocusOutcome) {
        let mut next = NumberedState { node, ..point };
        let mut violations = Vec::new();
        let mut exited = false;
        for output in &outcome.outputs {
            next.around = next.around().after(*output).bits();
            match *output {
                Output::Send { to, message } => {
                    next = self.send(next, to, message, &mut violations);
                }
                Output::Exit { .. } => exited = true,
                _ => {}
            }
        }
        let mut reached = std::mem::take(&mut self.reached);
        violations.extend(outcome.violation);
        if let Some(property) = outcome.reaches {
            reached.property(property);
        }
        let mut found = Findings { reached: &mut reached, violations };
        let told = Told::of(self.focus, outcome.input);
        let step = StepInFocus { told, outputs: &outcome.outputs };
        judge_step(&self.view(point), step, &self.view(next), &mut found);
        let violations = found.violations;
        self.reached = reached;
        let event = FocusEvent::Takes(outcome.input);
        self.blame(violations, at, event, next, &outcome.outputs);
        if exited && !self.leaves_out(event) {
            self.steps += 1;
            self.edge(at, None, event, outcome.quiet);
        } else if !exited {
            self.arrive(next, at, event, outcome.quiet);
        }
    }

    /// The actor in focus says something about `r`, or cancels its child.
    fn send(
        &mut self,
        mut next: NumberedState,
        to: ActorId,
        message: Message,
        violations: &mut Vec<ClaimViolation>,
    ) -> NumberedState {
        for clause in Clause::about(message) {
            self.reached.clause(*clause);
        }
        let wrong = match message.direction() {
            MessageDirection::Up => to == CHILD,
            MessageDirection::Down => to == ABOVE,
        };
        if wrong {
            violations.push(breach(Clause::OwnWay));
        }
        let (side, clause);
        if to == ABOVE && !self.focus.is_root() {
            (side, clause) = self.say(LinkEnd::Upper, next.up, message);
            next.up = side;
        } else if to == CHILD && self.focus.has_child() {
            let alive = next.around().kid == KidLife::Alive;
            (side, clause) = self.say(LinkEnd::Lower, next.down, message);
            next.down = side;
            if matches!(message, Message::Grant { .. }) && self.focus.is_root() {
                next = next.with(|around| around.baton = BatonLife::Out);
            }
            if !alive {
                return next;
            }
        } else {
            let what = "somebody is told of the request who is neither above nor below";
            violations.push(ClaimViolation::breach(Clause::NobodyElse, what));
            return next;
        }
        violations.extend(clause.map(breach));
        next
    }

    fn say(&mut self, far: LinkEnd, side: u16, message: Message) -> (u16, Option<Clause>) {
        if let Some(known) = self.words.get(&(far, side, message)) {
            return *known;
        }
        let mut value = self.side(far, side).clone();
        let clause = value.say(self.policy, message).err();
        let after = (self.side_number(value), clause);
        self.words.insert((far, side, message), after);
        after
    }

    fn side(&self, far: LinkEnd, side: u16) -> &Side {
        match far {
            LinkEnd::Upper => self.ups.get(side),
            LinkEnd::Lower => self.downs.get(side),
        }
    }

    fn side_number(&mut self, side: Side) -> u16 {
        match side.far {
            LinkEnd::Upper => self.ups.number(side),
            LinkEnd::Lower => self.downs.number(side),
        }
    }
}

impl fmt::Debug for FocusSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states = self.points.len();
        f.debug_struct("Search").field("focus", &self.focus).field("states", &states).finish()
    }
}

/// Explores one kind of actor under a policy.
pub fn explore(
    focus: Focus,
    policy: Policy,
    progress: impl FnMut(usize) -> ControlFlow<()>,
) -> Explored {
    let mut search = FocusSearch::new(focus, policy);
    let closure = search.run(progress);
    search.explored(closure)
}
