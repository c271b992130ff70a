//! The search: every state of one kind of actor between most general neighbours, breadth first.
//!
//! A state is four numbers: of a node in focus, of the link on either side, of what is around.
//! What a node does on an input, and what a link becomes, is remembered.

use super::claim::{Findings, Reached, Violation};
use super::focus::{ABOVE, CHILD, Focus, ORPHAN};
use super::judge::{breach, judge_state, judge_step};
use super::side::{Move, Side};
use super::state::{Around, BatonState, Life, View};
use super::step::{Outcome, Trigger, goes_up, outcomes};
use holdfast_check::world::link::LinkEnd;
use holdfast_protocol::contract::Clause;
use holdfast_protocol::message::MessageDirection;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{ActorId, DebugMode, Input, Message, Node, Output, Policy, Status, Timer};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::Hash;
use std::ops::ControlFlow;
use std::rc::Rc;

/// What happens on a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// Nothing: the state is one to begin with.
    Starts,
    /// The neighbour above, or the link to it.
    Above(Move),
    /// The neighbour below, or the link to it.
    Below(Move),
    /// The process below dies.
    Dies,
    /// The last copy of the baton is closed.
    BatonCloses,
    /// The actor in focus is killed.
    Killed,
    /// The actor in focus takes an input.
    Takes(Input),
}

/// Values with numbers.
#[derive(Debug)]
struct Numbers<T> {
    of: FxHashMap<T, u16>,
    values: Vec<T>,
}

impl<T: Clone + Eq + Hash> Numbers<T> {
    fn new() -> Self {
        Self { of: FxHashMap::default(), values: Vec::new() }
    }

    fn number(&mut self, value: T) -> u16 {
        match self.of.entry(value) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let number = u16::try_from(self.values.len()).expect("fewer than 65,536 values");
                self.values.push(new.key().clone());
                *new.insert(number)
            }
        }
    }

    fn get(&self, number: u16) -> &T {
        &self.values[usize::from(number)]
    }
}

/// A state, by numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Point {
    node: u16,
    up: u16,
    down: u16,
    around: u16,
}

impl Point {
    fn around(self) -> Around {
        Around::of_bits(self.around)
    }

    fn with(self, change: impl FnOnce(&mut Around)) -> Self {
        let mut around = self.around();
        change(&mut around);
        Self { around: around.bits(), ..self }
    }
}

/// How a claim is violated first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violated {
    /// The claim.
    pub violation: Violation,
    /// The steps up to there, from the start.
    pub steps: Vec<Step>,
    /// What the actor in focus did on the last of them.
    pub outputs: Vec<Output>,
}

/// A step of a counterexample, and the state behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happens.
    pub event: Event,
    /// The node in focus afterwards.
    pub node: Node,
    /// The machine afterwards.
    pub around: Around,
}

/// How an exploration ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closure {
    /// Every state was explored.
    Closed,
    /// It ended with the first violation.
    Violated,
    /// There were more states than expected: nothing is proved.
    TooLarge,
    /// The caller broke off.
    Interrupted,
}

/// What is known of one kind of actor.
#[derive(Clone, Debug)]
pub struct Explored {
    /// The kind.
    pub focus: Focus,
    /// How it ended.
    pub closure: Closure,
    /// How many states there are.
    pub states: usize,
    /// How many steps lead to one.
    pub steps: u64,
    /// How many different nodes in focus.
    pub nodes: usize,
    /// How many different links.
    pub links: usize,
    /// How often the node was run.
    pub runs: u64,
    /// The antecedents that were reached.
    pub reached: Reached,
    /// The first violations; all are found on the same step.
    pub violated: Vec<Violated>,
}

/// More states than any kind has, by far: where a search ends that does not close.
const MOST_STATES: usize = 5_000_000;

/// How many states are expanded between two looks at the caller.
const STRIDE: usize = 4096;

/// What may happen to a link, and what it becomes.
type Moves = Rc<[(Move, u16)]>;

/// What a node may do, and what it becomes.
type Outcomes = Rc<[(u16, Outcome)]>;

/// The exploration of one kind of actor.
pub struct Search {
    focus: Focus,
    keeps: Option<Box<dyn Fn(Event) -> bool>>,
    policy: Policy,
    nodes: Numbers<Node>,
    ups: Numbers<Side>,
    downs: Numbers<Side>,
    moves: FxHashMap<(LinkEnd, u16), Moves>,
    words: FxHashMap<(LinkEnd, u16, Message), (u16, Option<Clause>)>,
    outcomes: FxHashMap<(u16, Trigger), Outcomes>,
    known: FxHashMap<Point, u32>,
    points: Vec<Point>,
    from: Vec<(u32, Event)>,
    reached: Reached,
    violated: Vec<Violated>,
    steps: u64,
    runs: u64,
}

impl Search {
    /// A search that has not begun.
    #[must_use]
    pub fn new(focus: Focus, policy: Policy) -> Self {
        Self {
            focus,
            keeps: None,
            policy,
            nodes: Numbers::new(),
            ups: Numbers::new(),
            downs: Numbers::new(),
            moves: FxHashMap::default(),
            words: FxHashMap::default(),
            outcomes: FxHashMap::default(),
            known: FxHashMap::default(),
            points: Vec::new(),
            from: Vec::new(),
            reached: Reached::default(),
            violated: Vec::new(),
            steps: 0,
            runs: 0,
        }
    }

    /// A search in which only these events happen: it must miss something, and a test wants to see
    /// that.
    #[must_use]
    pub fn keeping(self, keeps: impl Fn(Event) -> bool + 'static) -> Self {
        Self { keeps: Some(Box::new(keeps)), ..self }
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
            let start = Point { node, up, down, around: Around::default().bits() };
            self.add(start, 0, Event::Starts);
        }
        let mut at = 0;
        while at < self.points.len() {
            if at % STRIDE == 0 && progress(self.points.len()).is_break() {
                return Closure::Interrupted;
            }
            self.expand(at as u32);
            if !self.violated.is_empty() {
                return Closure::Violated;
            }
            if self.points.len() > MOST_STATES {
                return Closure::TooLarge;
            }
            at += 1;
        }
        Closure::Closed
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
    pub fn states(&self) -> impl Iterator<Item = View<'_>> {
        self.points.iter().map(|point| self.view(*point))
    }

    /// The values behind the numbers: nodes, links to the supervisor, links to the child.
    pub(crate) fn tables(&self) -> (&[Node], &[Side], &[Side]) {
        (&self.nodes.values, &self.ups.values, &self.downs.values)
    }

    /// Every state that was found, as numbers: node, links, what is around.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = [u16; 4]> + '_ {
        self.points.iter().map(|point| [point.node, point.up, point.down, point.around])
    }

    fn view(&self, point: Point) -> View<'_> {
        View {
            focus: self.focus,
            node: self.nodes.get(point.node),
            up: self.ups.get(point.up),
            down: self.downs.get(point.down),
            around: point.around(),
        }
    }

    fn add(&mut self, point: Point, from: u32, event: Event) {
        if event != Event::Starts && self.keeps.as_ref().is_some_and(|keeps| !keeps(event)) {
            return;
        }
        self.steps += 1;
        let number = self.points.len() as u32;
        match self.known.entry(point) {
            Entry::Occupied(_) => return,
            Entry::Vacant(new) => *new.insert(number),
        };
        self.points.push(point);
        self.from.push((from, event));
        let mut reached = std::mem::take(&mut self.reached);
        let mut found = Findings { reached: &mut reached, violations: Vec::new() };
        judge_state(&self.view(point), &mut found);
        let violations = found.violations;
        self.reached = reached;
        self.blame(violations, from, event, point, &[]);
    }

    fn blame(
        &mut self,
        violations: Vec<Violation>,
        from: u32,
        event: Event,
        to: Point,
        outputs: &[Output],
    ) {
        for violation in violations {
            let step = |event, point: Point| Step {
                event,
                node: self.nodes.get(point.node).clone(),
                around: point.around(),
            };
            let mut steps = vec![step(event, to)];
            let mut at = from;
            while event != Event::Starts && self.from[at as usize].1 != Event::Starts {
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
        if point.around().killed || self.nodes.get(point.node).teardown() == Teardown::Over {
            return self.baton(at, point);
        }
        if !self.focus.is_root() {
            self.above(at, point);
        }
        if self.focus.has_child() {
            self.below(at, point);
        }
        if self.focus == Focus::RootOrphan {
            self.orphan(at, point);
        }
        if self.focus.is_root() {
            self.root(at, point);
        }
        if self.focus.asks() && !point.around().asked {
            self.trigger(at, point, Trigger::Asks);
        }
        self.trigger(at, point, Trigger::Aside);
        // Whoever is killed does nothing any more; what stays is the lock and its batons.
        if self.focus.is_root() {
            self.add(point.with(|around| around.killed = true), at, Event::Killed);
        }
    }

    fn above(&mut self, at: u32, point: Point) {
        for (what, up) in self.moves(LinkEnd::Upper, point.up).iter() {
            self.add(Point { up: *up, ..point }, at, Event::Above(*what));
        }
        let Some(message) = self.ups.get(point.up).readable() else { return };
        let up = self.ups.get(point.up).read(self.policy);
        let next = Point { up: self.ups.number(up), ..point };
        self.takes(
            at,
            next,
            match message {
                Some(message) => Input::Received { from: ABOVE, message },
                None => Input::LinkEnded { peer: ABOVE },
            },
        );
    }

    fn below(&mut self, at: u32, point: Point) {
        let around = point.around();
        if around.kid == Life::Unborn {
            if self.nodes.get(point.node).teardown() == Teardown::NotAsked {
                let next = point.with(|around| around.kid = Life::Alive);
                self.takes(at, next, Input::Spawned { child: CHILD });
            }
            return;
        }
        if around.kid == Life::Alive {
            for (what, down) in self.moves(LinkEnd::Lower, point.down).iter() {
                self.add(Point { down: *down, ..point }, at, Event::Below(*what));
            }
            let down = self.downs.get(point.down).died(self.policy);
            let next = Point { down: self.downs.number(down), ..point };
            self.add(next.with(|around| around.kid = Life::Zombie), at, Event::Dies);
        }
        if let Some(message) = self.downs.get(point.down).readable() {
            let down = self.downs.get(point.down).read(self.policy);
            let next = Point { down: self.downs.number(down), ..point };
            self.takes(
                at,
                next,
                match message {
                    Some(message) => Input::Received { from: CHILD, message },
                    None => Input::LinkEnded { peer: CHILD },
                },
            );
        }
        if around.kid == Life::Zombie {
            let down = self.downs.get(point.down).reaped(self.policy);
            let next = Point { down: self.downs.number(down), ..point };
            let next = next.with(|around| around.kid = Life::Gone);
            for status in [Status::Cancelled, Status::Failed] {
                self.takes(at, next, Input::Exited { child: CHILD, status });
            }
        }
        if around.grace {
            let next = point.with(|around| around.grace = false);
            self.takes(at, next, Input::Expired { timer: Timer::Grace(CHILD) });
        }
    }

    fn orphan(&mut self, at: u32, point: Point) {
        let around = point.around();
        match around.kid {
            Life::Unborn => {
                let next = point.with(|around| around.kid = Life::Alive);
                self.takes(at, next, Input::Adopted { child: ORPHAN });
            }
            Life::Alive => {
                let next = point.with(|around| around.kid = Life::Gone);
                for status in [Status::Cancelled, Status::Failed] {
                    self.takes(at, next, Input::Exited { child: ORPHAN, status });
                }
            }
            Life::Zombie | Life::Gone => {}
        }
        if around.grace {
            let next = point.with(|around| around.grace = false);
            self.takes(at, next, Input::Expired { timer: Timer::Grace(ORPHAN) });
        }
    }

    fn root(&mut self, at: u32, point: Point) {
        let r = self.focus.request();
        self.baton(at, point);
        let around = point.around();
        if around.baton == BatonState::Closed {
            let next = point.with(|around| around.baton = BatonState::Read);
            self.takes(at, next, Input::BatonClosed { request: r });
        }
        if around.yields {
            let next = point.with(|around| around.yields = false);
            self.takes(at, next, Input::Expired { timer: Timer::Yield(r) });
        }
        if matches!(around.kid, Life::Unborn | Life::Gone) {
            // The node looks at its own children before it exits.
            self.takes(at, point, Input::ChildrenGone);
        }
    }

    fn baton(&mut self, at: u32, point: Point) {
        if point.around().baton == BatonState::Out {
            let next = point.with(|around| around.baton = BatonState::Closed);
            self.add(next, at, Event::BatonCloses);
        }
    }

    fn takes(&mut self, at: u32, point: Point, input: Input) {
        self.trigger(at, point, Trigger::Takes(input));
    }

    /// The actor in focus takes a step from a point where the world has made room for it.
    fn trigger(&mut self, at: u32, point: Point, trigger: Trigger) {
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

    fn perform(&mut self, at: u32, point: Point, node: u16, outcome: &Outcome) {
        let mut next = Point { node, ..point };
        let mut violations = Vec::new();
        let mut exited = false;
        for output in &outcome.outputs {
            match *output {
                Output::Send { to, message } => {
                    next = self.send(next, to, message, &mut violations);
                }
                Output::Arm { timer } => next = arm(next, timer, true),
                Output::Disarm { timer } => next = arm(next, timer, false),
                Output::Requested { .. } => next = next.with(|around| around.asked = true),
                Output::TerminalTaken => next = next.with(|around| around.session = true),
                Output::TerminalRestored => next = next.with(|around| around.session = false),
                Output::Exit { .. } => exited = true,
                Output::Signal { .. }
                | Output::PromptOpened { .. }
                | Output::PromptClosed { .. }
                | Output::Refused { .. }
                | Output::BatonDropped { .. }
                | Output::InterruptObeyed
                | Output::TeardownStarted { .. }
                | Output::Sweep
                | Output::Noticed { .. }
                | Output::Alarmed { .. } => {}
            }
        }
        let mut reached = std::mem::take(&mut self.reached);
        let mut found = Findings { reached: &mut reached, violations };
        judge_step(&self.view(point), outcome, &self.view(next), &mut found);
        let violations = found.violations;
        self.reached = reached;
        let event = Event::Takes(outcome.input);
        self.blame(violations, at, event, next, &outcome.outputs);
        if exited {
            self.steps += 1;
        } else {
            self.add(next, at, event);
        }
    }

    /// The actor in focus says something about `r`, or cancels its child.
    fn send(
        &mut self,
        mut next: Point,
        to: ActorId,
        message: Message,
        violations: &mut Vec<Violation>,
    ) -> Point {
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
        if goes_up(self.focus, to) {
            (side, clause) = self.say(LinkEnd::Upper, next.up, message);
            next.up = side;
        } else if to == CHILD && self.focus.has_child() {
            let alive = next.around().kid == Life::Alive;
            (side, clause) = self.say(LinkEnd::Lower, next.down, message);
            next.down = side;
            if matches!(message, Message::Grant { .. }) && self.focus.is_root() {
                next = next.with(|around| around.baton = BatonState::Out);
            }
            if !alive {
                return next;
            }
        } else {
            let what = "somebody is told of the request who is neither above nor below";
            violations.push(Violation::breach(Clause::NobodyElse, what));
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

    fn moves(&mut self, far: LinkEnd, side: u16) -> Moves {
        if let Some(known) = self.moves.get(&(far, side)) {
            return known.clone();
        }
        let value = self.side(far, side).clone();
        let moves = value.moves(self.focus.request()).into_iter();
        let moves: Moves =
            moves.map(|step| (step, self.side_number(value.after(self.policy, step)))).collect();
        self.moves.insert((far, side), moves.clone());
        moves
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

fn arm(point: Point, timer: Timer, on: bool) -> Point {
    point.with(|around| match timer {
        Timer::Grace(_) => around.grace = on,
        Timer::Yield(_) => around.yields = on,
    })
}

impl fmt::Debug for Search {
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
    let mut search = Search::new(focus, policy);
    let closure = search.run(progress);
    search.explored(closure)
}
