//! The guarded actions of each value of a component, worked out once.
//!
//! ```text
//!     (script position, slot, number) --page--> class: conditions, actions and the inputs they begin with
//! ```
//!
//! Many values of a component look alike to the others, so classes are few.

use super::conditions::{ActionRank, Conditions, GuardedAction, conditions_of, list};
use super::guarded::guarded_actions_of;
use super::intern::{InternView, Number, TableFull};
use super::memo::{Memo, PackedInput};
use crate::world::Action;
use crate::world::begin::{ActionContext, begin};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// What some values of a component have in common: their conditions and guarded actions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ClassValue {
    conditions: Conditions,
    /// Each guarded and what it begins with.
    actions: Vec<(GuardedAction, Vec<PackedInput>)>,
}

/// The same, packed.
#[derive(Clone, Debug)]
struct ComponentClass {
    conditions: Conditions,
    /// Where in the table its actions are.
    actions: Range<usize>,
}

/// The number of a class, plus one.
type ClassNumber = u32;

/// Everything that was worked out.
#[derive(Debug, Default)]
pub struct GuardTable {
    /// By script position, slot and number; zero if not known.
    pages: Vec<Vec<Vec<ClassNumber>>>,
    numbers: FxHashMap<ClassValue, ClassNumber>,
    classes: Vec<ComponentClass>,
    actions: Vec<(GuardedAction, Range<usize>)>,
    inputs: Vec<PackedInput>,
    /// The classes of the components of the state at hand.
    here: Vec<ClassNumber>,
}

/// The actions of a state, by their place in the table.
#[derive(Debug, Default)]
pub struct Plan {
    enabled: Vec<(ActionRank, usize)>,
}

impl Plan {
    /// The places of all actions, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.enabled.iter().map(|(_, place)| *place)
    }
}

impl GuardTable {
    /// An action and what it begins with.
    #[must_use]
    pub fn action(&self, place: usize) -> (Action, &[PackedInput]) {
        let (guarded, inputs) = &self.actions[place];
        (guarded.action, &self.inputs[inputs.clone()])
    }

    /// What each action begins with.
    pub fn begun(&self) -> impl Iterator<Item = &[PackedInput]> {
        self.actions.iter().map(|(_, inputs)| &self.inputs[inputs.clone()])
    }

    /// Finds out which actions are possible in a state.
    ///
    /// # Errors
    /// If some component took too many inputs.
    pub fn plan(
        &mut self,
        view: &mut InternView<'_, '_>,
        memo: &mut Memo,
        state: &[Number],
        plan: &mut Plan,
    ) -> Result<(), TableFull> {
        let at = view.script_position(state);
        let mut conditions = Conditions::empty();
        self.here.clear();
        for (slot, number) in state.iter().enumerate() {
            let class = self.class(view, memo, at, (slot, *number))?;
            conditions |= self.classes[class as usize - 1].conditions;
            self.here.push(class);
        }
        plan.enabled.clear();
        for class in &self.here {
            for place in self.classes[*class as usize - 1].actions.clone() {
                let (guarded, _) = &self.actions[place];
                if guarded.is_enabled(conditions) {
                    plan.enabled.push((guarded.rank, place));
                }
            }
        }
        list(&mut plan.enabled, |(rank, _)| *rank);
        Ok(())
    }

    fn class(
        &mut self,
        view: &mut InternView<'_, '_>,
        memo: &mut Memo,
        at: u8,
        (slot, number): (usize, Number),
    ) -> Result<ClassNumber, TableFull> {
        let (page, index) = (usize::from(at), number as usize);
        let known = self.pages.get(page).and_then(|page| page[slot].get(index)).copied();
        if let Some(class) = known.filter(|class| *class != 0) {
            return Ok(class);
        }
        let value = value(view, memo, at, (slot, number))?;
        let class = match self.numbers.get(&value) {
            Some(class) => *class,
            None => self.add(value),
        };
        while self.pages.len() <= page {
            self.pages.push(vec![Vec::new(); view.topology().components()]);
        }
        let known = &mut self.pages[page][slot];
        if known.len() <= index {
            known.resize(index + 1, 0);
        }
        known[index] = class;
        Ok(class)
    }

    fn add(&mut self, value: ClassValue) -> ClassNumber {
        let first = self.actions.len();
        for (guarded, inputs) in &value.actions {
            let start = self.inputs.len();
            self.inputs.extend_from_slice(inputs);
            self.actions.push((*guarded, start..self.inputs.len()));
        }
        self.classes.push(ComponentClass {
            conditions: value.conditions,
            actions: first..self.actions.len(),
        });
        let class = self.classes.len() as ClassNumber;
        self.numbers.insert(value, class);
        class
    }
}

/// Works out the class of a value.
fn value(
    view: &mut InternView<'_, '_>,
    memo: &mut Memo,
    at: u8,
    (slot, number): (usize, Number),
) -> Result<ClassValue, TableFull> {
    let topology = view.topology();
    let (component, facts) = (topology.component(slot), view.component(slot, number));
    let mut guarded = Vec::new();
    guarded_actions_of(topology, at, component, facts, &mut |action| guarded.push(action));
    let with_inputs = |guarded: GuardedAction| {
        let mut begun = Vec::new();
        begin(ActionContext { topology, at, facts }, guarded.action, &mut begun);
        let input = |(component, input)| memo.task(topology.slot(component), input);
        let inputs: Result<Vec<_>, TableFull> = begun.into_iter().map(input).collect();
        Ok((guarded, inputs?))
    };
    let conditions = conditions_of(topology, component, facts);
    let actions = guarded.into_iter().map(with_inputs).collect::<Result<_, _>>()?;
    Ok(ClassValue { conditions, actions })
}
