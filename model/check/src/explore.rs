//! Breadth-first search over every interleaving, on all cores, in bounded memory.
//!
//! Breadth-first, so the first state or step found to break a property ends a shortest
//! counterexample. With one thread a search is the same every time, to the last number.

pub mod batch;
pub mod conditions;
pub mod estimate;
pub mod frontier;
pub mod guard_table;
pub mod guarded;
pub mod intern;
pub mod lasso;
pub mod layout;
pub mod member;
pub mod memo;
pub mod normal_form;
pub mod obligations;
pub mod parents;
pub mod path;
pub mod recurrence;
pub mod search;
pub mod space;
pub mod store;
pub mod sweep;
pub mod symmetry;
pub mod team;
pub mod worker;

pub use estimate::SizeEstimate;
pub use normal_form::StateReduction;
pub use symmetry::SymmetryReduction;

use crate::property::{PropertyId, PropertySet};
use crate::world::Topology;
use intern::{InternTables, InternView};
use obligations::{Liveness, Standstills};
use recurrence::{Recurrence, recurrence};
use search::{ParallelSearch, SearchFound};
use space::Space;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, PoisonError};
use store::StateId;
use symmetry::Symmetries;

/// When a search ends before everything is explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopWhen {
    /// Never: every property that is violated is found.
    Exhausted,
    /// At the end of the level on which the first property was violated.
    FirstViolation,
}

/// How to search.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many threads.
    pub threads: NonZeroUsize,
    /// From how many states on they share a search. One thread alone finds fewer states sooner.
    pub shared_from: u64,
    /// How many states at most.
    pub max_states: u64,
    /// How many bytes the visited states may occupy at most.
    pub max_bytes: u64,
    /// Whether interchangeable siblings are told apart.
    pub symmetry: SymmetryReduction,
    /// Whether states are told apart that differ in what cannot matter any longer.
    pub reduction: StateReduction,
    /// When to stop.
    pub until: StopWhen,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: NonZeroUsize::MIN,
            shared_from: 200_000,
            max_states: u64::from(u32::MAX),
            max_bytes: 4 << 30,
            symmetry: SymmetryReduction::On,
            reduction: StateReduction::On,
            until: StopWhen::FirstViolation,
        }
    }
}

/// How far a search is. Written by the search, read by whoever shows it.
#[derive(Debug, Default)]
pub struct Progress {
    /// States found.
    pub states: AtomicU64,
    /// The level that is expanded.
    pub depth: AtomicU64,
    /// States of that level.
    pub frontier: AtomicU64,
    /// Bytes that the visited states occupy.
    pub bytes: AtomicU64,
    /// How many states each level has, that one included.
    pub levels: Mutex<Vec<u64>>,
    /// Set from outside: the search ends soon, with what it has.
    pub interrupt: AtomicBool,
}

impl Progress {
    /// How many states there will be, as far as that can be told by now.
    #[must_use]
    pub fn estimate(&self) -> Option<SizeEstimate> {
        SizeEstimate::of(&self.levels.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchEnd {
    /// Every reachable state was seen.
    Exhausted,
    /// A property was violated, and the search was told to stop then.
    Violation,
    /// The state limit was reached.
    StateLimit,
    /// The memory limit was reached.
    MemoryLimit,
    /// A component took more values than there are numbers.
    TableFull,
    /// The search was interrupted from outside.
    Interrupted,
}

holdfast_protocol::named! {
    SearchEnd, "an end of a search":
    Exhausted => "exhausted",
    Violation => "violation",
    StateLimit => "state-limit",
    MemoryLimit => "memory-limit",
    TableFull => "table-full",
    Interrupted => "interrupted",
}

/// Where a property was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// How many steps lead there.
    pub steps: u32,
    /// The last state that is stored.
    pub state: StateId,
    /// Whether the state itself is bad, or a step from it.
    pub site: ViolationSite,
}

/// Whether a state or a step broke a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViolationSite {
    /// The state.
    State,
    /// A step from it.
    Step,
}

/// Everything that a search has found.
#[derive(Debug)]
pub struct Exploration<'t> {
    /// What was explored.
    pub topology: &'t Topology,
    /// The visited states.
    pub space: Space,
    /// The numbers of the results' values.
    pub tables: InternTables<'t>,
    /// How it was searched.
    pub options: Options,
    /// How it ended.
    pub ending: SearchEnd,
    /// The number of the deepest level that was reached.
    pub depth: u32,
    /// How many steps were taken.
    pub transitions: u64,
    /// How often a state or a step reached an antecedent, and how often it was a violation.
    pub findings: u64,
    /// The furthest position of the script that was reached.
    pub furthest: u8,
    /// Properties whose antecedent was reached.
    pub triggered: PropertySet,
    /// For each property that is violated, a shortest way there.
    pub violations: BTreeMap<PropertyId, Violation>,
    /// What is known of leads-to and can-always-end.
    pub liveness: Liveness,
}

/// Explores everything that is reachable in a topology, within the limits.
#[must_use]
pub fn explore<'t>(
    topology: &'t Topology,
    options: Options,
    progress: &Progress,
) -> Exploration<'t> {
    let shared = InternTables::new(topology);
    let search = ParallelSearch::new(&shared, options, progress);
    let SearchFound { stores, results, steps, ending } = search.run();
    let mut violations = BTreeMap::new();
    for result in &results {
        for (property, violation) in &result.violations {
            let least = violations.entry(*property).or_insert(*violation);
            *least = (*least).min(*violation);
        }
    }
    let seen = results.iter().map(|result| result.standstills);
    let seen = seen.fold(Standstills::default(), Standstills::and);
    let liveness = match ending {
        SearchEnd::Exhausted => {
            let symmetries = &mut Symmetries::of(topology, options.symmetry);
            let recurrence = recurrence(&mut InternView::new(&shared), symmetries, &steps);
            // A table that is full hides steps, and those might lie on a cycle.
            let recurrence = recurrence.unwrap_or(Recurrence::Possible);
            Liveness::of(search.obligations(), seen, recurrence)
        }
        SearchEnd::Violation
        | SearchEnd::StateLimit
        | SearchEnd::MemoryLimit
        | SearchEnd::TableFull
        | SearchEnd::Interrupted => Liveness::Undecided,
    };
    Exploration {
        topology,
        options,
        ending,
        depth: results.iter().map(|result| result.depth).max().unwrap_or(0),
        transitions: results.iter().map(|result| result.transitions).sum(),
        findings: results.iter().map(|result| result.findings).sum(),
        furthest: results.iter().map(|result| result.furthest).max().unwrap_or(0),
        triggered: results
            .iter()
            .fold(PropertySet::default(), |all, result| all | result.triggered),
        violations,
        liveness,
        space: Space::new(stores),
        tables: shared,
    }
}
