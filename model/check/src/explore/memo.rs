//! What components answer to inputs, remembered.
//!
//! ```text
//!     (slot, number of the value, number of the input) --> cell: (number', answer)
//!     answer --> tasks that follow, facts for checkers
//! ```
//!
//! A slot's cells are one flat table, so a look-up reads one line of memory. Few answers are
//! distinct, so each is kept once, and these stay in the processor's cache.

use super::intern::{Number, TableFull};
use crate::world::Observation;
use crate::world::component::ComponentInput;
use rustc_hash::FxHashMap;

/// A slot and the number of an input to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PackedInput {
    /// The slot.
    pub slot: u16,
    /// The number of the input.
    pub input: u16,
}

/// What is remembered of an input to a value: the new value, and the number of the answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoCell {
    /// The number of the new value.
    pub after: Number,
    answer: AnswerNumber,
}

impl MemoCell {
    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        self.answer == UNKNOWN
    }

    /// Whether tasks or facts follow.
    #[must_use]
    pub fn is_quiet(self) -> bool {
        self.answer == QUIET
    }
}

/// The number of an answer.
type AnswerNumber = u32;

const UNKNOWN: AnswerNumber = 0;
/// The answer of which nothing follows.
const QUIET: AnswerNumber = 1;

/// What follows from an input: tasks, and the facts that a property looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reaction {
    /// In order.
    pub tasks: Vec<PackedInput>,
    /// In order.
    pub observations: Vec<Observation>,
}

/// The inputs that a component has had, numbered, and the cells by the number of the value.
#[derive(Clone, Debug)]
struct SlotMemo {
    inputs: FxHashMap<ComponentInput, u16>,
    list: Vec<ComponentInput>,
    cells: Vec<MemoCell>,
    /// How many inputs a value has cells for.
    width: usize,
}

/// Everything that is remembered.
#[derive(Debug)]
pub struct Memo {
    rows: Vec<SlotMemo>,
    answers: Vec<Reaction>,
    numbers: FxHashMap<Reaction, AnswerNumber>,
}

impl Memo {
    /// One that remembers nothing, for so many slots.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let row = SlotMemo {
            inputs: FxHashMap::default(),
            list: Vec::new(),
            cells: Vec::new(),
            width: LEAST_WIDTH,
        };
        let quiet = Reaction::default();
        Self {
            rows: vec![row; slots],
            answers: vec![quiet.clone(), quiet.clone()],
            numbers: FxHashMap::from_iter([(quiet, QUIET)]),
        }
    }

    /// The task of giving an input to a slot.
    ///
    /// # Errors
    /// If the slot has had too many inputs.
    pub fn task(&mut self, slot: usize, input: ComponentInput) -> Result<PackedInput, TableFull> {
        let row = &mut self.rows[slot];
        if let Some(number) = row.inputs.get(&input) {
            return Ok(PackedInput { slot: slot as u16, input: *number });
        }
        let number = u16::try_from(row.list.len()).map_err(|_| TableFull)?;
        row.inputs.insert(input, number);
        row.list.push(input);
        if row.list.len() > row.width {
            row.widen();
        }
        Ok(PackedInput { slot: slot as u16, input: number })
    }

    /// The input of a task.
    #[must_use]
    pub fn input(&self, task: PackedInput) -> ComponentInput {
        self.rows[usize::from(task.slot)].list[usize::from(task.input)]
    }

    /// What is remembered of a task for a value.
    #[must_use]
    pub fn cell(&self, task: PackedInput, value: Number) -> MemoCell {
        let row = &self.rows[usize::from(task.slot)];
        let at = value as usize * row.width + usize::from(task.input);
        row.cells.get(at).copied().unwrap_or_default()
    }

    /// What follows.
    #[must_use]
    pub fn answer(&self, cell: MemoCell) -> &Reaction {
        &self.answers[cell.answer as usize]
    }

    /// Everything that is remembered: the task, the value before and after, and what follows.
    pub fn steps(&self) -> impl Iterator<Item = (PackedInput, Number, Number, &Reaction)> {
        self.rows.iter().enumerate().flat_map(move |(slot, row)| {
            row.cells.iter().enumerate().filter(|(_, cell)| !cell.is_unknown()).map(
                move |(at, cell)| {
                    let input = (at % row.width) as u16;
                    let task = PackedInput { slot: slot as u16, input };
                    (task, (at / row.width) as Number, cell.after, self.answer(*cell))
                },
            )
        })
    }

    /// Remembers what follows from a task for a value.
    ///
    /// # Errors
    /// If there are too many distinct answers.
    pub fn remember(
        &mut self,
        task: PackedInput,
        value: Number,
        after: Number,
        answer: Reaction,
    ) -> Result<MemoCell, TableFull> {
        let next = AnswerNumber::try_from(self.answers.len()).map_err(|_| TableFull)?;
        let answers = &mut self.answers;
        let number = *self.numbers.entry(answer).or_insert_with_key(|answer| {
            answers.push(answer.clone());
            next
        });
        let cell = MemoCell { after, answer: number };
        let row = &mut self.rows[usize::from(task.slot)];
        let start = value as usize * row.width;
        if row.cells.len() <= start {
            row.cells.resize(start + row.width, MemoCell::default());
        }
        row.cells[start + usize::from(task.input)] = cell;
        Ok(cell)
    }
}

const LEAST_WIDTH: usize = 16;

impl SlotMemo {
    fn widen(&mut self) {
        let width = self.width * 2;
        let mut cells = vec![MemoCell::default(); self.cells.len() * 2];
        for (old, new) in self.cells.chunks(self.width).zip(cells.chunks_mut(width)) {
            new[..old.len()].copy_from_slice(old);
        }
        (self.width, self.cells) = (width, cells);
    }
}
