//! The whole check of one run: explore, judge, look for lassos, sum up.

use crate::explore::lasso::{ObligationGraph, find_lasso};
use crate::explore::obligations::Liveness;
use crate::explore::sweep::{Sweep, Swept, find_lock_up, sweep};
use crate::explore::symmetry::SymmetryReduction;
use crate::explore::{
    Exploration, Options, Progress, SearchEnd, SizeEstimate, StateReduction, StopWhen, explore,
};
use crate::property::liveness::obligations;
use crate::property::{Applies, PropertyId, PropertyKind, PropertySet};
use crate::world::{Action, Config, Topology};
use std::collections::BTreeMap;

/// A run that breaks a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The property.
    pub property: PropertyId,
    /// What happens, from the first state on.
    pub steps: Vec<Action>,
    /// What then may repeat forever; only for a leads-to, and empty if the run is stuck.
    pub round: Vec<Action>,
}

/// What the check says about one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropertyVerdict {
    /// The property holds on every interleaving within the bounds, and its antecedent was reached.
    Holds,
    /// The property is violated.
    Violated(Counterexample),
    /// The antecedent is not reached, though it should be: the property was never put to the test.
    Vacuous,
    /// The property says nothing about this run, which lacks something.
    DoesNotApply(&'static str),
    /// The search ended before it could be decided.
    Undecided,
}

/// How a whole check ended, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckOutcome {
    /// An always-property is violated.
    SafetyViolated,
    /// A leads-to is violated, or the tree can lock up.
    LivenessViolated,
    /// The person stopped it.
    Interrupted,
    /// A limit was reached before everything was explored.
    NotExhausted,
    /// A property was never put to the test.
    Vacuous,
    /// Everything holds.
    Holds,
}

holdfast_protocol::named! {
    CheckOutcome, "an outcome":
    SafetyViolated => "safety-violated",
    LivenessViolated => "liveness-violated",
    Interrupted => "interrupted",
    NotExhausted => "not-exhausted",
    Vacuous => "vacuous",
    Holds => "holds",
}

/// What a check has found.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// What was checked.
    pub config: Config,
    /// What is said about each property.
    pub verdicts: BTreeMap<PropertyId, PropertyVerdict>,
    /// How the search ended.
    pub ending: SearchEnd,
    /// How many states were found.
    pub states: u64,
    /// How many steps were taken.
    pub transitions: u64,
    /// How often a state or a step reached an antecedent, and how often it was a violation.
    pub findings: u64,
    /// The number of the deepest level.
    pub depth: u32,
    /// Of a search that a limit or a person ended: how many states there would have been.
    pub estimate: Option<SizeEstimate>,
    /// What the visited states occupied, in bytes.
    pub bytes: u64,
    /// In which graph all of that is so.
    pub reduction: StateReduction,
    /// Whether the last step of the script was reached on some interleaving.
    pub script: ScriptReached,
}

/// Whether a script was performed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptReached {
    /// To its end, at least once.
    End,
    /// At best to the step of this number.
    Step(u8),
}

/// Checks everything that applies to a run.
///
/// Leads-to properties and the absence of lock-ups are decided only if the search is exhausted.
/// What is violated in a reduced graph is searched once more in the full one, so that people see
/// shortest counterexamples and numbers of the full graph; if a limit ends that, they see those of
/// the reduced one.
#[must_use]
pub fn check(config: Config, options: Options, progress: &Progress) -> CheckReport {
    let topology = Topology::new(config);
    let first = explore(&topology, options, progress);
    if options.reduction == StateReduction::On && !may_hold(&first) {
        let max_bytes = options.max_bytes.saturating_sub(first.space.bytes());
        let full = Options { reduction: StateReduction::Off, max_bytes, ..options };
        let full = explore(&topology, full, progress);
        if matches!(full.ending, SearchEnd::Exhausted | SearchEnd::Violation) {
            return judge(&topology, &full, progress);
        }
    }
    judge(&topology, &first, progress)
}

/// Whether nothing that was explored is violated, or would have to be looked at more closely.
fn may_hold(exploration: &Exploration<'_>) -> bool {
    let lives = exploration.ending != SearchEnd::Exhausted
        || exploration.liveness == Liveness::Acyclic(PropertySet::default());
    exploration.violations.is_empty() && lives
}

/// Says what holds in an explored graph. A lasso is searched in one without symmetry, which is
/// explored for it if symmetry merged states before.
fn judge(topology: &Topology, first: &Exploration<'_>, progress: &Progress) -> CheckReport {
    let options = first.options;
    let mut verdicts: BTreeMap<PropertyId, PropertyVerdict> = BTreeMap::new();
    for property in PropertyId::ALL {
        verdicts.insert(property, always(first, property));
    }
    let mut ending = first.ending;
    let safe = first.violations.is_empty() || options.until == StopWhen::Exhausted;
    if first.liveness == Liveness::Acyclic(PropertySet::default()) && safe {
        settle(&mut verdicts, first, Swept::default());
    } else if first.ending == SearchEnd::Exhausted && safe {
        match sweep(first, progress) {
            Sweep::Interrupted => ending = SearchEnd::Interrupted,
            Sweep::Acyclic(swept) => settle(&mut verdicts, first, swept),
            Sweep::Cyclic(_) => {
                let full = Options { symmetry: SymmetryReduction::Off, ..options };
                settle_cyclic(&mut verdicts, &explore(topology, full, progress));
            }
        }
    }
    let estimate = match first.ending {
        SearchEnd::Exhausted | SearchEnd::Violation => None,
        SearchEnd::StateLimit
        | SearchEnd::MemoryLimit
        | SearchEnd::TableFull
        | SearchEnd::Interrupted => progress.estimate(),
    };
    CheckReport {
        verdicts,
        ending,
        estimate,
        states: first.space.len(),
        transitions: first.transitions,
        findings: first.findings,
        depth: first.depth,
        bytes: first.space.bytes(),
        reduction: options.reduction,
        script: script_reached(first),
        config: topology.config().clone(),
    }
}

fn always(exploration: &Exploration<'_>, property: PropertyId) -> PropertyVerdict {
    if let Some(finding) = exploration.violations.get(&property) {
        let steps = exploration.actions_to(property, *finding);
        return PropertyVerdict::Violated(Counterexample { property, steps, round: Vec::new() });
    }
    match property.applies(exploration.topology.config()) {
        Applies::Needs(what) => PropertyVerdict::DoesNotApply(what),
        Applies::Yes if exploration.ending != SearchEnd::Exhausted => PropertyVerdict::Undecided,
        Applies::Yes if property.kind() != PropertyKind::Always => PropertyVerdict::Undecided,
        Applies::Yes if exploration.triggered.has(property) => PropertyVerdict::Holds,
        Applies::Yes => PropertyVerdict::Vacuous,
    }
}

/// What one sweep over an acyclic graph says.
fn settle(
    verdicts: &mut BTreeMap<PropertyId, PropertyVerdict>,
    exploration: &Exploration<'_>,
    swept: Swept,
) {
    for verdict in verdicts.values_mut().filter(|verdict| **verdict == PropertyVerdict::Undecided) {
        *verdict = PropertyVerdict::Holds;
    }
    for (property, way) in swept.lassos {
        let steps = exploration.actions_along(&way);
        verdicts.insert(property, violated(property, steps, Vec::new()));
    }
    if let Some(state) = swept.lock_up {
        let property = PropertyId::CanAlwaysEnd;
        let (steps, _) = exploration.walk_to(state);
        verdicts.insert(property, violated(property, steps, Vec::new()));
    }
}

/// The same for a graph with cycles, explored without symmetry: a lasso for each leads-to, and
/// backward reachability.
fn settle_cyclic(verdicts: &mut BTreeMap<PropertyId, PropertyVerdict>, full: &Exploration<'_>) {
    if full.ending != SearchEnd::Exhausted {
        return;
    }
    settle(verdicts, full, Swept { lock_up: find_lock_up(full), ..Swept::default() });
    for (property, _) in obligations() {
        if verdicts[&property] != PropertyVerdict::Holds {
            continue;
        }
        let mut instances = ObligationGraph::instances(full, property);
        if let Some(lasso) = instances.iter_mut().find_map(find_lasso) {
            let before = full.actions_along(&lasso.stem).len();
            let way: Vec<_> = lasso.stem.into_iter().chain(lasso.round).collect();
            let mut steps = full.actions_along(&way);
            let round = steps.split_off(before);
            verdicts.insert(property, violated(property, steps, round));
        }
    }
}

fn violated(property: PropertyId, steps: Vec<Action>, round: Vec<Action>) -> PropertyVerdict {
    PropertyVerdict::Violated(Counterexample { property, steps, round })
}

fn script_reached(exploration: &Exploration<'_>) -> ScriptReached {
    let steps = exploration.topology.config().script.steps.len();
    let furthest = exploration.furthest;
    if usize::from(furthest) >= steps { ScriptReached::End } else { ScriptReached::Step(furthest) }
}

impl CheckReport {
    /// The properties that are violated.
    #[must_use]
    pub fn violated(&self) -> PropertySet {
        let fell = |(property, verdict): (&PropertyId, &PropertyVerdict)| {
            matches!(verdict, PropertyVerdict::Violated(_)).then_some(*property)
        };
        self.verdicts.iter().filter_map(fell).collect()
    }

    /// The shortest counterexample of all, an always-property before others.
    #[must_use]
    pub fn shortest(&self) -> Option<&Counterexample> {
        let found = self.verdicts.values().filter_map(|verdict| match verdict {
            PropertyVerdict::Violated(counterexample) => Some(counterexample),
            PropertyVerdict::Holds
            | PropertyVerdict::Vacuous
            | PropertyVerdict::DoesNotApply(_)
            | PropertyVerdict::Undecided => None,
        });
        found.min_by_key(|found| {
            (found.property.kind() != PropertyKind::Always, found.steps.len(), found.property)
        })
    }

    /// The sum of it.
    #[must_use]
    pub fn outcome(&self) -> CheckOutcome {
        let one = |verdict: &PropertyVerdict| match (verdict, self.ending) {
            (PropertyVerdict::Violated(found), _)
                if found.property.kind() == PropertyKind::Always =>
            {
                CheckOutcome::SafetyViolated
            }
            (PropertyVerdict::Violated(_), _) => CheckOutcome::LivenessViolated,
            (_, SearchEnd::Interrupted) => CheckOutcome::Interrupted,
            (PropertyVerdict::Undecided, _) => CheckOutcome::NotExhausted,
            (PropertyVerdict::Vacuous, _) => CheckOutcome::Vacuous,
            (PropertyVerdict::Holds | PropertyVerdict::DoesNotApply(_), _) => CheckOutcome::Holds,
        };
        self.verdicts.values().map(one).min().unwrap_or(CheckOutcome::Holds)
    }
}
