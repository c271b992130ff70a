//! Interned components: a state is a small vector of numbers.
//!
//! Nodes and links take few distinct values in a run. So each value is stored once and named by
//! its number (collapse compression: Holzmann, "State compression in SPIN", 1997).
//!
//! [`InternTables`] is what all threads agree on; an [`InternView`] has a copy of what one thread has seen, so
//! threads meet only when something is seen for the first time.

use crate::world::component::ComponentValue;
use crate::world::facts::{ComponentFacts, WorldView};
use crate::world::system::see_component;
use crate::world::{System, Topology};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The number of a component's value.
pub type Number = u32;

/// The longest state: every actor, a link up and a direct link each, the shared environment.
pub const MOST_PARTS: usize = 3 * crate::tree::MOST_ACTORS;

/// A state of so many components is looked at on less stack.
const FEW_PARTS: usize = 12;

/// A component took the last number, of its values or its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFull;

/// A value and what can be seen of it.
#[derive(Debug)]
struct InternedValue {
    value: ComponentValue,
    facts: ComponentFacts,
}

#[derive(Debug, Default)]
struct SlotTable {
    numbers: FxHashMap<ComponentValue, Number>,
    entries: Vec<Arc<InternedValue>>,
}

/// The numbers that all threads agree on.
#[derive(Debug)]
pub struct InternTables<'t> {
    topology: &'t Topology,
    tables: Vec<Mutex<SlotTable>>,
}

impl<'t> InternTables<'t> {
    /// Empty tables.
    #[must_use]
    pub fn new(topology: &'t Topology) -> Self {
        assert!(
            topology.components() <= MOST_PARTS,
            "a state has room for {MOST_PARTS} components"
        );
        let tables = (0..topology.components()).map(|_| Mutex::default()).collect();
        Self { topology, tables }
    }

    /// What stays fixed.
    #[must_use]
    pub fn topology(&self) -> &'t Topology {
        self.topology
    }

    fn number(&self, slot: usize, value: ComponentValue) -> Result<Number, TableFull> {
        let mut table = self.tables[slot].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = table.numbers.get(&value) {
            return Ok(*number);
        }
        let number = Number::try_from(table.entries.len()).map_err(|_| TableFull)?;
        let facts = see_component(self.topology, self.topology.component(slot), &value);
        table.numbers.insert(value.clone(), number);
        table.entries.push(Arc::new(InternedValue { value, facts }));
        Ok(number)
    }

    fn entry(&self, slot: usize, number: Number) -> Arc<InternedValue> {
        let table = self.tables[slot].lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&table.entries[number as usize])
    }

    /// How many values all components together have taken.
    #[must_use]
    pub fn values(&self) -> usize {
        let count = |table: &Mutex<SlotTable>| {
            table.lock().unwrap_or_else(PoisonError::into_inner).entries.len()
        };
        self.tables.iter().map(count).sum()
    }
}

/// The values that one thread has seen, without locks.
#[derive(Debug)]
pub struct InternView<'s, 't> {
    shared: &'s InternTables<'t>,
    /// By slot and number.
    seen: Vec<Vec<Option<Arc<InternedValue>>>>,
}

impl<'s, 't> InternView<'s, 't> {
    /// A view of `shared` that has seen nothing.
    #[must_use]
    pub fn new(shared: &'s InternTables<'t>) -> Self {
        Self { shared, seen: vec![Vec::new(); shared.topology.components()] }
    }

    /// What stays fixed.
    #[must_use]
    pub fn topology(&self) -> &'t Topology {
        self.shared.topology
    }

    /// The number of a value.
    ///
    /// # Errors
    /// If the component took too many values.
    pub fn number(&self, slot: usize, value: ComponentValue) -> Result<Number, TableFull> {
        self.shared.number(slot, value)
    }

    /// The value of a number.
    pub fn value(&mut self, slot: usize, number: Number) -> &ComponentValue {
        self.see(slot, number);
        &self.entry(slot, number).value
    }

    /// The facts of a value.
    pub fn component(&mut self, slot: usize, number: Number) -> &ComponentFacts {
        self.see(slot, number);
        &self.entry(slot, number).facts
    }

    /// The position in the script.
    pub fn script_position(&mut self, state: &[Number]) -> u8 {
        let last = state.len() - 1;
        match self.component(last, state[last]) {
            ComponentFacts::SharedEnvironment(shared) => shared.at,
            ComponentFacts::Actor(_) | ComponentFacts::Link(_) => {
                unreachable!("the shared comes last")
            }
        }
    }

    /// The plain state behind a packed one.
    #[must_use]
    pub fn unpack(&mut self, state: &[Number]) -> System {
        let value = |(slot, number): (usize, &Number)| self.value(slot, *number).clone();
        System::from_components(state.iter().enumerate().map(value).collect())
    }

    /// Lets `see` look at a packed state.
    pub fn look<T>(&mut self, state: &[Number], see: impl FnOnce(&WorldView<'_>) -> T) -> T {
        if state.len() <= FEW_PARTS {
            self.look_in::<FEW_PARTS, T>(state, see)
        } else {
            self.look_in::<MOST_PARTS, T>(state, see)
        }
    }

    /// Lets `see` look at the states before and after a step.
    pub fn look_at_step<T>(
        &mut self,
        before: &[Number],
        after: &[Number],
        see: impl FnOnce(&WorldView<'_>, &WorldView<'_>) -> T,
    ) -> T {
        self.see_all(before);
        self.see_all(after);
        let (old, new) = (self.facts::<MOST_PARTS>(before), self.facts::<MOST_PARTS>(after));
        let topology = self.shared.topology;
        let world = |components| WorldView { topology, components };
        see(&world(&old[..before.len()]), &world(&new[..after.len()]))
    }

    fn look_in<const ROOM: usize, T>(
        &mut self,
        state: &[Number],
        see: impl FnOnce(&WorldView<'_>) -> T,
    ) -> T {
        self.see_all(state);
        let components = self.facts::<ROOM>(state);
        see(&WorldView { topology: self.shared.topology, components: &components[..state.len()] })
    }

    fn see_all(&mut self, state: &[Number]) {
        for (slot, number) in state.iter().enumerate() {
            self.see(slot, *number);
        }
    }

    /// The facts of every component of a state that was seen.
    fn facts<const ROOM: usize>(&self, state: &[Number]) -> [&ComponentFacts; ROOM] {
        let mut components = [&self.entry(0, state[0]).facts; ROOM];
        for (slot, number) in state.iter().enumerate().skip(1) {
            components[slot] = &self.entry(slot, *number).facts;
        }
        components
    }

    fn see(&mut self, slot: usize, number: Number) {
        let index = number as usize;
        let seen = &mut self.seen[slot];
        if let Some(Some(_)) = seen.get(index) {
            return;
        }
        if seen.len() <= index {
            seen.resize(index + 1, None);
        }
        seen[index] = Some(self.shared.entry(slot, number));
    }

    fn entry(&self, slot: usize, number: Number) -> &InternedValue {
        self.seen[slot][number as usize].as_deref().expect("seen before")
    }
}
