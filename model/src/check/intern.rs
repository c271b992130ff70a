//! Interned parts: a state is a small vector of numbers, and a step is a few table look-ups.
//!
//! Nodes and links take few distinct values in a run, and a part's answer to an input is a
//! function. So each value is stored once and named by its number (collapse compression: Holzmann,
//! "State compression in SPIN", 1997), and each answer is computed once and remembered.
//!
//! ```text
//!     (number, input) --memo--> (number', tasks that follow, facts for checkers)
//!              \--miss--> world::system::step_part, the same code as on plain values
//! ```
//!
//! [`Shared`] is what all threads agree on; a [`Worker`] has a copy of what it has seen, so threads
//! meet only when something is seen for the first time.

use super::safety::{Judgement, judge_step, matters};
use crate::protocol::{Rename, Renaming};
use crate::world::choices::{Begun, begin, enabled};
use crate::world::facts::{PartFacts, Scene};
use crate::world::part::{Effect, Part, PartInput, PartValue};
use crate::world::system::{Parts, see_part, step_part};
use crate::world::{Action, Did, System, Topology};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The number of a part's value.
pub type Number = u16;

/// The longest state: every actor, a link up and a direct link each, the room.
pub const MOST_PARTS: usize = 3 * crate::tree::MOST_ACTORS;

/// A state: the number of each part's value, by slot.
pub type Packed = [Number; MOST_PARTS];

/// A value took the last number of its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFull;

/// A value and what can be seen of it.
#[derive(Debug)]
struct Entry {
    value: PartValue,
    facts: PartFacts,
}

#[derive(Debug, Default)]
struct Table {
    numbers: FxHashMap<PartValue, Number>,
    entries: Vec<Arc<Entry>>,
}

/// The numbers that all threads agree on.
#[derive(Debug)]
pub struct Shared<'t> {
    topology: &'t Topology,
    tables: Vec<Mutex<Table>>,
}

impl<'t> Shared<'t> {
    /// Empty tables.
    #[must_use]
    pub fn new(topology: &'t Topology) -> Self {
        assert!(topology.parts() <= MOST_PARTS, "a state has room for {MOST_PARTS} parts");
        let tables = (0..topology.parts()).map(|_| Mutex::default()).collect();
        Self { topology, tables }
    }

    /// What stays fixed.
    #[must_use]
    pub fn topology(&self) -> &'t Topology {
        self.topology
    }

    fn number(&self, slot: usize, value: PartValue) -> Result<Number, TableFull> {
        let mut table = self.tables[slot].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = table.numbers.get(&value) {
            return Ok(*number);
        }
        let number = Number::try_from(table.entries.len()).map_err(|_| TableFull)?;
        let facts = see_part(self.topology, self.topology.part(slot), &value);
        table.numbers.insert(value.clone(), number);
        table.entries.push(Arc::new(Entry { value, facts }));
        Ok(number)
    }

    fn entry(&self, slot: usize, number: Number) -> Arc<Entry> {
        let table = self.tables[slot].lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&table.entries[usize::from(number)])
    }

    /// How many values all parts together have taken.
    #[must_use]
    pub fn values(&self) -> usize {
        let count = |table: &Mutex<Table>| {
            table.lock().unwrap_or_else(PoisonError::into_inner).entries.len()
        };
        self.tables.iter().map(count).sum()
    }
}

/// A slot and the number of an input to it.
type Task = (u8, u32);

/// What a part does on the inputs it had: by the number of its value, then of the input; zero if
/// that is not known yet, else one more than the number of the answer, above the new value.
type Memo = Vec<Vec<u64>>;

/// The inputs that a part has had, numbered.
#[derive(Clone, Debug, Default)]
struct Inputs {
    numbers: FxHashMap<PartInput, u32>,
    list: Vec<PartInput>,
}

/// What follows from an input: tasks, and the facts that a property looks at.
#[derive(Debug)]
struct Answer {
    tasks: Vec<Task>,
    did: Vec<Did>,
}

/// A successor of a state.
#[derive(Clone, Copy, Debug)]
pub struct Successor {
    /// The state, canonical under the symmetries.
    pub state: Packed,
    /// What the step to it reached and broke.
    pub judgement: Judgement,
}

/// One thread's view: everything it has seen, without locks.
#[derive(Debug)]
pub struct Worker<'s, 't> {
    shared: &'s Shared<'t>,
    topology: &'t Topology,
    seen: Vec<Vec<Option<Arc<Entry>>>>,
    inputs: Vec<Inputs>,
    memo: Vec<Memo>,
    answers: Vec<Answer>,
    symmetries: Vec<Symmetry>,
    current: Packed,
    full: bool,
    plan: Plan,
    tasks: Vec<Task>,
    did: Vec<Did>,
}

/// The actions of one state and what each begins with.
#[derive(Debug, Default)]
struct Plan {
    actions: Vec<Action>,
    begun: Vec<Begun>,
    /// Where in `begun` each action ends.
    ends: Vec<usize>,
}

impl Plan {
    fn lay(&mut self, scene: &Scene<'_>) {
        self.actions.clear();
        self.begun.clear();
        self.ends.clear();
        enabled(scene, &mut self.actions);
        for action in &self.actions {
            begin(scene, *action, &mut self.begun);
            self.ends.push(self.begun.len());
        }
    }
}

/// A renaming of the actors, and what it does to packed states.
#[derive(Debug)]
struct Symmetry {
    by: Renaming,
    /// Where each slot moves.
    to: Vec<usize>,
    /// The number of each renamed value, by slot, once known.
    numbers: Vec<Vec<Option<Number>>>,
}

/// Whether interchangeable siblings are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymmetryReduction {
    /// States that differ by a renaming count as one.
    On,
    /// All states count.
    Off,
}

impl<'s, 't> Worker<'s, 't> {
    /// A view of `shared` that has seen nothing.
    #[must_use]
    pub fn new(shared: &'s Shared<'t>, reduction: SymmetryReduction) -> Self {
        let topology = shared.topology;
        let parts = topology.parts();
        let renamings = match reduction {
            SymmetryReduction::On => topology.config().symmetries(),
            SymmetryReduction::Off => Vec::new(),
        };
        let identity = |by: &Renaming| topology.actors().all(|id| by.actor(id) == id);
        let symmetries = renamings
            .into_iter()
            .filter(|by| !identity(by))
            .map(|by| Symmetry {
                to: (0..parts)
                    .map(|slot| topology.slot(topology.renamed(topology.part(slot), &by)))
                    .collect(),
                by,
                numbers: vec![Vec::new(); parts],
            })
            .collect();
        Self {
            shared,
            topology,
            seen: vec![Vec::new(); parts],
            inputs: vec![Inputs::default(); parts],
            memo: vec![Memo::default(); parts],
            answers: Vec::new(),
            symmetries,
            current: [0; MOST_PARTS],
            full: false,
            plan: Plan::default(),
            tasks: Vec::new(),
            did: Vec::new(),
        }
    }

    /// How many numbers a state has.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.topology.parts()
    }

    /// Packs a plain state, in canonical form.
    ///
    /// # Errors
    /// If some part took too many values.
    pub fn pack(&mut self, system: &System) -> Result<Packed, TableFull> {
        let mut state = [0; MOST_PARTS];
        for (slot, value) in system.parts().iter().enumerate() {
            state[slot] = self.shared.number(slot, value.clone())?;
        }
        let canonical = self.canonical(state);
        if self.full { Err(TableFull) } else { Ok(canonical) }
    }

    /// The plain state behind a packed one.
    #[must_use]
    pub fn unpack(&mut self, state: &Packed) -> System {
        self.look_up(state);
        let value = |slot: usize| self.entry(slot, state[slot]).value.clone();
        System::from_parts((0..self.stride()).map(value).collect())
    }

    /// Lets `see` look at a packed state.
    pub fn look<T>(&mut self, state: &Packed, see: impl FnOnce(&Scene<'_>) -> T) -> T {
        self.look_up(state);
        let parts = self.facts(state);
        see(&Scene { topology: self.topology, parts: &parts[..self.stride()] })
    }

    /// Calls `found` with every action that is possible in a state and the successor it leads to.
    ///
    /// # Errors
    /// If some part took too many values; the successors are incomplete then.
    pub fn expand(
        &mut self,
        state: &Packed,
        mut found: impl FnMut(&mut Self, Action, &Successor),
    ) -> Result<(), TableFull> {
        self.look_up(state);
        let mut plan = std::mem::take(&mut self.plan);
        {
            let parts = self.facts(state);
            plan.lay(&Scene { topology: self.topology, parts: &parts[..self.stride()] });
        }
        let mut begins = 0;
        for (action, ends) in plan.actions.iter().zip(&plan.ends) {
            let successor = self.perform(state, &plan.begun[begins..*ends]);
            begins = *ends;
            found(self, *action, &successor);
        }
        self.plan = plan;
        if self.full { Err(TableFull) } else { Ok(()) }
    }

    fn perform(&mut self, state: &Packed, begun: &[Begun]) -> Successor {
        let mut tasks = std::mem::take(&mut self.tasks);
        let mut did = std::mem::take(&mut self.did);
        tasks.clear();
        did.clear();
        for (part, input) in begun {
            let task = self.task(*part, *input);
            tasks.push(task);
        }
        self.current = *state;
        self.run(&mut tasks, &mut did);
        let after = self.current;
        let judgement = if did.is_empty() {
            Judgement::default()
        } else {
            self.look_up(&after);
            let (old, new) = (self.facts(state), self.facts(&after));
            let scene = |parts| Scene { topology: self.topology, parts };
            judge_step(&scene(&old[..self.stride()]), &did, &scene(&new[..self.stride()]))
        };
        self.tasks = tasks;
        self.did = did;
        Successor { state: self.canonical(after), judgement }
    }

    fn task(&mut self, part: Part, input: PartInput) -> Task {
        let slot = self.topology.slot(part);
        let Inputs { numbers, list } = &mut self.inputs[slot];
        let number = *numbers.entry(input).or_insert_with(|| {
            list.push(input);
            list.len() as u32 - 1
        });
        (slot as u8, number)
    }

    /// The least of all renamed forms of a state.
    fn canonical(&mut self, state: Packed) -> Packed {
        let mut least = state;
        let mut symmetries = std::mem::take(&mut self.symmetries);
        for symmetry in &mut symmetries {
            let mut renamed = [0; MOST_PARTS];
            for slot in 0..self.stride() {
                renamed[symmetry.to[slot]] = self.renamed(symmetry, slot, state[slot]);
            }
            least = least.min(renamed);
        }
        self.symmetries = symmetries;
        least
    }

    fn renamed(&mut self, symmetry: &mut Symmetry, slot: usize, number: Number) -> Number {
        let index = usize::from(number);
        if let Some(Some(known)) = symmetry.numbers[slot].get(index) {
            return *known;
        }
        self.see(slot, number);
        let value = self.entry(slot, number).value.renamed(&symmetry.by);
        let renamed = self.number(symmetry.to[slot], value);
        let numbers = &mut symmetry.numbers[slot];
        if numbers.len() <= index {
            numbers.resize(index + 1, None);
        }
        numbers[index] = Some(renamed);
        renamed
    }

    fn number(&mut self, slot: usize, value: PartValue) -> Number {
        self.shared.number(slot, value).unwrap_or_else(|TableFull| {
            self.full = true;
            0
        })
    }

    fn see(&mut self, slot: usize, number: Number) {
        let index = usize::from(number);
        let seen = &mut self.seen[slot];
        if seen.len() <= index {
            seen.resize(index + 1, None);
        }
        if seen[index].is_none() {
            seen[index] = Some(self.shared.entry(slot, number));
        }
    }

    fn look_up(&mut self, state: &Packed) {
        for slot in 0..self.stride() {
            self.see(slot, state[slot]);
        }
    }

    fn entry(&self, slot: usize, number: Number) -> &Entry {
        self.seen[slot][usize::from(number)].as_deref().expect("looked up before")
    }

    /// The facts of every part of a state that was looked up.
    fn facts(&self, state: &Packed) -> [&PartFacts; MOST_PARTS] {
        let first = &self.entry(0, state[0]).facts;
        let mut parts = [first; MOST_PARTS];
        for slot in 1..self.stride() {
            parts[slot] = &self.entry(slot, state[slot]).facts;
        }
        parts
    }
}

impl Parts for Worker<'_, '_> {
    type Task = Task;

    fn step(&mut self, task: Task, follow: &mut Vec<Task>, did: &mut Vec<Did>) {
        let (slot, input) = (usize::from(task.0), task.1 as usize);
        let number = usize::from(self.current[slot]);
        let remembered = self.memo[slot].get(number).and_then(|row| row.get(input)).copied();
        let known = match remembered {
            None | Some(0) => self.compute(slot, number, input),
            Some(known) => known,
        };
        self.current[slot] = known as Number;
        let answer = &self.answers[(known >> Number::BITS) as usize - 1];
        follow.extend(&answer.tasks);
        did.extend_from_slice(&answer.did);
    }
}

impl Worker<'_, '_> {
    /// Asks the world itself what a part does on an input.
    fn compute(&mut self, slot: usize, number: usize, input: usize) -> u64 {
        self.see(slot, number as Number);
        let mut value = self.entry(slot, number as Number).value.clone();
        let mut effects = Vec::new();
        let part = self.topology.part(slot);
        let what = self.inputs[slot].list[input];
        step_part(self.topology, part, &mut value, what, &mut effects);
        let after = self.number(slot, value);
        let mut answer = Answer { tasks: Vec::new(), did: Vec::new() };
        for effect in effects {
            match effect {
                Effect::To(part, input) => answer.tasks.push(self.task(part, input)),
                Effect::Did(what) if matters(&what) => answer.did.push(what),
                Effect::Did(_) => {}
            }
        }
        self.answers.push(answer);
        let known = (self.answers.len() as u64) << Number::BITS | u64::from(after);
        let memo = &mut self.memo[slot];
        if memo.len() <= number {
            memo.resize(number + 1, Vec::new());
        }
        if memo[number].len() <= input {
            memo[number].resize(input + 1, 0);
        }
        memo[number][input] = known;
        known
    }
}
