//! The leads-to properties once more, as a sceptic reads their sentences, and the most naive
//! search for a fair run that never gets there, over every state of a run as a plain value.
//!
//! ```text
//!     can(s): a fair run can stay undischarged from s on. The greatest set with
//!         s undischarged, and for each assumption there is a way, inside the set, to
//!             a state of the set in which it says nothing, or
//!             a step of it, into the set
//! ```
//!
//! That is weak fairness by the letter (Emerson and Lei, "Modalities for model checking", 1987): no
//! components, no sweep, no use of budgets that shrink. A run may also stay where it is, forever.

use super::sceptic::{ROOT, World};
use holdfast_check::property::PropertyId;
use holdfast_check::world::process::Parent;
use holdfast_check::world::process::ProcessState;
use holdfast_check::world::{
    Action, Config, EnvironmentAction, ScriptStep, System, SystemStep, Topology,
};
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::node::{Node, StopOrder, TreePosition};
use holdfast_protocol::policy::Shield;
use holdfast_protocol::sigint::Disposition;
use holdfast_protocol::{ActorId, Answer, RequestId, Signal};
use std::collections::{BTreeMap, BTreeSet};

/// What is relied on: one line a kind of step, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Assumption {
    /// What has arrived is read.
    Reads,
    /// A pending signal is handled.
    HandlesSignals,
    /// An armed timer fires.
    TimersFire,
    /// A user task that was told to end ends.
    TasksEnd,
    /// Who was started boots.
    Boots,
    /// A zombie is reaped.
    Reaps,
    /// The root finds an orphan.
    Adopts,
    /// The root sees that no child is left.
    SeesNobodyLeft,
    /// The root reads the end of a baton.
    ReadsBatons,
    /// A holder sees that the root is gone.
    SeesRootGone,
    /// The person says `continue`.
    PersonContinues,
    /// The script goes on.
    ScriptGoesOn,
}

use Assumption::{
    Adopts, Boots, HandlesSignals, PersonContinues, Reads, ReadsBatons, Reaps, ScriptGoesOn,
    SeesNobodyLeft, SeesRootGone, TasksEnd, TimersFire,
};

impl Assumption {
    pub(crate) const ALL: [Self; 12] = [
        Reads,
        HandlesSignals,
        TimersFire,
        TasksEnd,
        Boots,
        Reaps,
        Adopts,
        SeesNobodyLeft,
        ReadsBatons,
        SeesRootGone,
        PersonContinues,
        ScriptGoesOn,
    ];
}

/// Who is relied on for what: for each assumption nobody, the root and the kernel, or everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Nobody,
    Root,
    Everybody,
}

/// A set of assumptions.
pub(crate) type Assumptions = BTreeMap<Assumption, Of>;

/// What everybody is relied on for: every step of tree and kernel, every timer, the person.
pub(crate) fn everybody() -> Assumptions {
    Assumption::ALL.map(|assumption| (assumption, Of::Everybody)).into()
}

/// What the root and the kernel do: nobody closes the prompt, and nobody else does anything.
pub(crate) fn root_and_kernel() -> Assumptions {
    let of = |assumption| match assumption {
        Reads | HandlesSignals | TimersFire | TasksEnd | Reaps | Adopts | SeesNobodyLeft
        | ReadsBatons => Of::Root,
        Boots | SeesRootGone | PersonContinues | ScriptGoesOn => Of::Nobody,
    };
    Assumption::ALL.map(|assumption| (assumption, of(assumption))).into()
}

/// The assumption that an action is a case of, and whose it is to take it; nobody's if it is the
/// kernel's. An actor at its prompt may be frozen, so where everybody is relied on, it is not.
fn case_of(world: World<'_>, action: Action) -> Option<(Assumption, Option<ActorId>)> {
    let script = &world.config().script;
    match action {
        Action::Environment(action) => {
            let next = script.step(world.rest().at) == Some(ScriptStep::Do(action));
            match action {
                _ if next => Some((ScriptGoesOn, None)),
                EnvironmentAction::Answer { answer: Answer::Continue, .. } => {
                    Some((PersonContinues, None))
                }
                _ => None,
            }
        }
        Action::System(step) => Some(match step {
            SystemStep::Deliver { to, .. } => (Reads, Some(to)),
            SystemStep::TakeSignal { actor, .. } => (HandlesSignals, Some(actor)),
            SystemStep::Expire { actor, .. } => (TimersFire, Some(actor)),
            SystemStep::EndUserTask { actor } => (TasksEnd, Some(actor)),
            SystemStep::Boot { actor } => (Boots, Some(actor)),
            SystemStep::Reap { actor } => (Reaps, world.parent(actor)),
            SystemStep::Adopt { .. } => (Adopts, Some(ROOT)),
            SystemStep::SeeChildrenGone => (SeesNobodyLeft, Some(ROOT)),
            SystemStep::ReadBaton { .. } => (ReadsBatons, Some(ROOT)),
            SystemStep::LosePrompt { actor } => (SeesRootGone, Some(actor)),
            // Of the trees here none has hosts; one hears of its program as of anything else.
            SystemStep::AskForProgram { actor }
            | SystemStep::GiveForeground { actor }
            | SystemStep::FinishHost { actor } => (Reads, Some(actor)),
            SystemStep::Pass { .. } => (ScriptGoesOn, None),
        }),
    }
}

/// Whether an action is taken in the end, if it stays possible.
pub(crate) fn is_fair(world: World<'_>, action: Action, assumed: &Assumptions) -> bool {
    let Some((assumption, whose)) = case_of(world, action) else { return false };
    match (assumed[&assumption], assumption) {
        (Of::Nobody, _) => false,
        (Of::Root, _) => whose.is_none_or(|actor| actor == ROOT),
        // Who boots has no prompt yet, and it is its prompt that a holder loses.
        (Of::Everybody, Boots | SeesRootGone) => true,
        (Of::Everybody, _) => whose.is_none_or(|actor| world.open_prompt(actor).is_none()),
    }
}

impl World<'_> {
    /// The actor whose child a process is.
    fn parent(self, actor: ActorId) -> Option<ActorId> {
        let parent = match self.process(actor) {
            ProcessState::Running(running) => running.parent,
            ProcessState::Booting(parent) | ProcessState::Zombie(_, parent) => *parent,
            ProcessState::Later | ProcessState::Gone => return None,
        };
        match parent {
            Parent::Supervisor => self.config().tree.supervisor(actor),
            Parent::RootUnaware | Parent::RootAware => Some(ROOT),
            Parent::Init => None,
        }
    }

    fn pends_at_root(self, signal: Signal) -> bool {
        self.running(ROOT).is_some_and(|root| root.pending.iter().any(|it| it == signal))
    }

    fn waiting(self) -> BTreeSet<RequestId> {
        let nodes = self.actors().filter_map(|actor| self.node(actor));
        let own = nodes.flat_map(|node| node.requests().iter().collect::<Vec<_>>());
        own.filter(|own| own.stage == RequestStage::Waiting).map(|own| own.request).collect()
    }

    fn told_to_stop(self) -> bool {
        self.node(ROOT).is_some_and(|root| match root.position() {
            TreePosition::Root { stop, .. } => *stop == StopOrder::Received,
            TreePosition::Below { .. } => panic!("the root stands below somebody"),
        })
    }

    /// The tree has ended, or is at rest where a Ctrl-C ends it.
    pub(crate) fn can_be_left_alone(self) -> bool {
        let shields = self.config().policy.shield == Shield::On;
        let obeys = |root: &Node| !(shields && root.disposition() == Disposition::Shield);
        let rests = self.node(ROOT).is_some_and(obeys) && !self.told_to_end(ROOT);
        self.tree_has_ended() || (rests && self.nobody_asks())
    }
}

/// Every state of a run, and every step.
pub(crate) struct Graph {
    pub(crate) topology: Topology,
    pub(crate) states: Vec<System>,
    /// From each state: what was done, and where it led.
    pub(crate) steps: Vec<Vec<(Action, usize)>>,
}

impl Graph {
    pub(crate) fn of(config: &Config) -> Self {
        let topology = Topology::new(config.clone());
        let first = System::new(&topology);
        let mut numbers = BTreeMap::from([(first.clone(), 0)]);
        let (mut states, mut steps) = (vec![first], Vec::new());
        while steps.len() < states.len() {
            let before = states[steps.len()].clone();
            let mut out = Vec::new();
            for action in before.enabled(&topology) {
                let mut after = before.clone();
                after.apply(&topology, action);
                let next = numbers.len();
                let number = *numbers.entry(after.clone()).or_insert(next);
                if number == next {
                    states.push(after);
                }
                out.push((action, number));
            }
            steps.push(out);
        }
        Self { topology, states, steps }
    }

    fn world(&self, state: usize) -> World<'_> {
        World { topology: &self.topology, system: &self.states[state] }
    }

    fn all(&self, is: impl Fn(World<'_>) -> bool) -> Vec<bool> {
        (0..self.states.len()).map(|state| is(self.world(state))).collect()
    }

    /// Whether some state leads to itself again.
    pub(crate) fn has_a_cycle(&self) -> bool {
        // Strikes out what leads nowhere but to what is struck out.
        let mut left: BTreeSet<usize> = (0..self.states.len()).collect();
        loop {
            let before = left.len();
            let ends = |state: &usize| !self.steps[*state].iter().any(|(_, to)| left.contains(to));
            let ended: Vec<usize> = left.iter().copied().filter(ends).collect();
            ended.iter().for_each(|state| assert!(left.remove(state)));
            if left.is_empty() || left.len() == before {
                return !left.is_empty();
            }
        }
    }

    /// What is violated of the leads-to properties and can-always-end, by their sentences.
    pub(crate) fn violated(
        &self,
        of_everybody: &Assumptions,
        of_root: &Assumptions,
    ) -> BTreeSet<PropertyId> {
        let mut violated = BTreeSet::new();
        let mut look = |property, obliged: &[bool], kept: &[bool], assumed: &Assumptions| {
            if self.may_never(obliged, kept, assumed) {
                violated.insert(property);
            }
        };
        // A request is granted, refused or withdrawn.
        let waiting: Vec<_> = (0..self.states.len()).map(|it| self.world(it).waiting()).collect();
        for request in waiting.iter().flatten().collect::<BTreeSet<_>>() {
            let waits: Vec<bool> = waiting.iter().map(|all| all.contains(request)).collect();
            let over: Vec<bool> = waits.iter().map(|waits| !waits).collect();
            look(PropertyId::RequestAnswered, &waits, &over, of_everybody);
        }
        // A tree whose root was told to end, or was killed, ends completely.
        let ends = self.all(|world| !world.is_alive(ROOT) || world.told_to_end(ROOT));
        let ended = self.all(|world| world.tree_has_ended());
        look(PropertyId::TeardownCompletes, &ends, &ended, of_everybody);
        // A Ctrl-C while no request is outstanding ends the tree, unless a new request comes.
        let typed = self.all(|world| world.pends_at_root(Signal::Interrupt) && world.nobody_asks());
        let kept = self.all(|world| world.tree_has_ended() || !world.nobody_asks());
        look(PropertyId::InterruptWorksAgain, &typed, &kept, of_everybody);
        // After SIGTERM, SIGHUP or SIGQUIT at the root the tree ends, whoever does nothing.
        let told = self.all(|world| world.told_to_stop() || world.pends_at_root(Signal::Terminate));
        let gone = self.all(|world| !world.is_alive(ROOT));
        look(PropertyId::StopIsBounded, &told, &gone, of_root);
        // From every reachable state the tree can end, or come to rest where a Ctrl-C ends it.
        let good = self.all(|world| world.can_be_left_alone());
        let everywhere = vec![true; self.states.len()];
        if self.reach(&good, &everywhere).contains(&false) {
            violated.insert(PropertyId::CanAlwaysEnd);
        }
        violated
    }

    /// From which allowed states some goal can be reached, through allowed states.
    fn reach(&self, goals: &[bool], allowed: &[bool]) -> Vec<bool> {
        let mut reach: Vec<bool> = (0..goals.len()).map(|it| goals[it] && allowed[it]).collect();
        loop {
            let mut grown = false;
            for state in (0..reach.len()).rev().filter(|state| allowed[*state]) {
                let leads = |(_, to): &(Action, usize)| reach[*to];
                if !reach[state] && self.steps[state].iter().any(leads) {
                    (reach[state], grown) = (true, true);
                }
            }
            if !grown {
                return reach;
            }
        }
    }

    /// Whether a fair run may be obliged, and never keep it.
    fn may_never(&self, obliged: &[bool], kept: &[bool], assumed: &Assumptions) -> bool {
        let fair: Vec<Vec<Action>> = (0..self.states.len())
            .map(|state| {
                let actions = self.steps[state].iter().map(|(action, _)| *action);
                actions.filter(|action| is_fair(self.world(state), *action, assumed)).collect()
            })
            .collect();
        let mut can: Vec<bool> = kept.iter().map(|kept| !kept).collect();
        let relied_on: BTreeSet<Action> =
            (0..can.len()).filter(|it| can[*it]).flat_map(|it| fair[it].iter().copied()).collect();
        loop {
            let before = can.clone();
            for action in &relied_on {
                let met = |state: usize| {
                    let taken =
                        self.steps[state].iter().any(|(step, to)| step == action && can[*to]);
                    can[state] && (taken || !fair[state].contains(action))
                };
                let goals: Vec<bool> = (0..can.len()).map(met).collect();
                can = self.reach(&goals, &can);
            }
            if can == before {
                return (0..can.len()).any(|state| can[state] && obliged[state]);
            }
        }
    }
}
