//! Values with numbers, in the order in which the values were met; and a state made of numbers.

use crate::state::Around;
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// Values with numbers.
#[derive(Debug)]
pub(super) struct Numbers<T> {
    pub(super) of: FxHashMap<T, u16>,
    pub(super) values: Vec<T>,
}

impl<T: Clone + Eq + Hash> Numbers<T> {
    pub(super) fn new() -> Self {
        Self { of: FxHashMap::default(), values: Vec::new() }
    }

    pub(super) fn number(&mut self, value: T) -> u16 {
        match self.of.entry(value) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let number = u16::try_from(self.values.len()).expect("fewer than 65,536 values");
                self.values.push(new.key().clone());
                *new.insert(number)
            }
        }
    }

    pub(super) fn get(&self, number: u16) -> &T {
        &self.values[usize::from(number)]
    }
}

/// A state, by numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NumberedState {
    pub(super) node: u16,
    pub(super) up: u16,
    pub(super) down: u16,
    pub(super) around: u16,
}

impl NumberedState {
    pub(super) fn around(self) -> Around {
        Around::of_bits(self.around)
    }

    pub(super) fn with(self, change: impl FnOnce(&mut Around)) -> Self {
        let mut around = self.around();
        change(&mut around);
        Self { around: around.bits(), ..self }
    }
}
