//! Interchangeable siblings: a state stands for all states that differ from it by their names.

use super::intern::{InternView, MOST_PARTS, Number, TableFull};
use crate::world::Topology;
use crate::world::component::ComponentInput;
use holdfast_protocol::{Rename, Renaming};

/// Whether interchangeable siblings are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymmetryReduction {
    /// States that differ by a renaming count as one.
    On,
    /// All states count.
    Off,
}

/// The renamings under which a run stays the same, and what each does to packed states.
#[derive(Debug, Default)]
pub struct Symmetries {
    all: Vec<Symmetry>,
    renamed: Vec<Number>,
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

impl Symmetries {
    /// Those of a run, the identity aside.
    #[must_use]
    pub fn of(topology: &Topology, reduction: SymmetryReduction) -> Self {
        let renamings = match reduction {
            SymmetryReduction::On => topology.config().symmetries(),
            SymmetryReduction::Off => Vec::new(),
        };
        let identity = |by: &Renaming| topology.actors().all(|id| by.actor(id) == id);
        let slots = 0..topology.components();
        let to = |slot: usize, by: &Renaming| {
            topology.slot(topology.renamed(topology.component(slot), by))
        };
        let symmetry = |by: Renaming| Symmetry {
            to: slots.clone().map(|slot| to(slot, &by)).collect(),
            by,
            numbers: vec![Vec::new(); slots.len()],
        };
        let all = renamings.into_iter().filter(|by| !identity(by)).map(symmetry).collect();
        Self { all, renamed: vec![0; slots.len()] }
    }

    /// Whether there is none: every state is canonical.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The least of the renamed forms of a component's value: its slot and number.
    ///
    /// # Errors
    /// If some component took too many values.
    pub fn least(
        &mut self,
        view: &mut InternView<'_, '_>,
        slot: usize,
        number: Number,
    ) -> Result<(usize, Number), TableFull> {
        let mut least = (slot, number);
        for symmetry in &mut self.all {
            least = least.min((symmetry.to[slot], symmetry.renamed(view, slot, number)?));
        }
        Ok(least)
    }

    /// The least of the renamed forms of an input to a slot.
    #[must_use]
    pub fn least_input(&self, slot: usize, input: ComponentInput) -> (usize, ComponentInput) {
        let renamed = |symmetry: &Symmetry| (symmetry.to[slot], input.renamed(&symmetry.by));
        self.all.iter().map(renamed).fold((slot, input), Ord::min)
    }

    /// Replaces a state by the least of all its renamed forms.
    ///
    /// # Errors
    /// If some component took too many values.
    pub fn canonicalise(
        &mut self,
        view: &mut InternView<'_, '_>,
        state: &mut [Number],
    ) -> Result<(), TableFull> {
        let mut least = [0; MOST_PARTS];
        let least = &mut least[..state.len()];
        least.copy_from_slice(state);
        for symmetry in &mut self.all {
            for (slot, number) in state.iter().enumerate() {
                self.renamed[symmetry.to[slot]] = symmetry.renamed(view, slot, *number)?;
            }
            if self.renamed.as_slice() < &*least {
                least.copy_from_slice(&self.renamed);
            }
        }
        state.copy_from_slice(least);
        Ok(())
    }
}

impl Symmetry {
    fn renamed(
        &mut self,
        view: &mut InternView<'_, '_>,
        slot: usize,
        number: Number,
    ) -> Result<Number, TableFull> {
        let index = number as usize;
        if let Some(Some(known)) = self.numbers[slot].get(index) {
            return Ok(*known);
        }
        let value = view.value(slot, number).renamed(&self.by);
        let renamed = view.number(self.to[slot], value)?;
        let numbers = &mut self.numbers[slot];
        if numbers.len() <= index {
            numbers.resize(index + 1, None);
        }
        numbers[index] = Some(renamed);
        Ok(renamed)
    }
}
