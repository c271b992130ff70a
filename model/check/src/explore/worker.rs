//! One thread's steps on packed states: a step is a few table look-ups.
//!
//! A component's answer to an input is a function, so it is computed once and remembered.
//!
//! ```text
//!     (number, input) --memo--> (number', tasks that follow, facts for checkers)
//!              \--miss--> world::system::step_part, the same code as on plain values
//! ```

use super::Options;
use super::guard_table::{GuardTable, Plan};
use super::intern::{InternTables, InternView, Number, TableFull};
use super::memo::{Memo, MemoCell, PackedInput, Reaction};
use super::normal_form::NormalForms;
use super::recurrence::ComponentSteps;
use super::symmetry::Symmetries;
use crate::property::liveness::{Fairness, is_fair};
use crate::property::safety::{Judgement, judge_step, matters};
use crate::world::component::Effect;
use crate::world::facts::WorldView;
use crate::world::system::{Components, step_component};
use crate::world::{Action, Observation, System};

/// A successor of a state.
#[derive(Clone, Copy, Debug)]
pub struct Successor<'a> {
    /// The state, in normal form, and canonical under the symmetries.
    pub state: &'a [Number],
    /// What the step to it reached and broke.
    pub judgement: Judgement,
}

/// One thread's view, and everything it has computed.
#[derive(Debug)]
pub struct Worker<'s, 't> {
    stepper: Stepper<'s, 't>,
    normal_forms: NormalForms,
    symmetries: Symmetries,
    book: GuardTable,
    plan: Plan,
    tasks: Vec<PackedInput>,
    observations: Vec<Observation>,
    after: Vec<Number>,
}

impl<'s, 't> Worker<'s, 't> {
    /// A view of `shared` that has seen nothing.
    #[must_use]
    pub fn new(shared: &'s InternTables<'t>, options: Options) -> Self {
        let topology = shared.topology();
        Self {
            stepper: Stepper {
                view: InternView::new(shared),
                memo: Memo::new(topology.components()),
                current: vec![0; topology.components()],
                changed: Vec::new(),
                tables: Ok(()),
            },
            normal_forms: NormalForms::new(topology, options.reduction),
            symmetries: Symmetries::of(topology, options.symmetry),
            book: GuardTable::default(),
            plan: Plan::default(),
            tasks: Vec::new(),
            observations: Vec::new(),
            after: Vec::new(),
        }
    }

    /// How many numbers a state has.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.stepper.current.len()
    }

    /// Packs a plain state, in normal form, and canonical under the symmetries.
    ///
    /// # Errors
    /// If some component took too many values.
    pub fn pack(&mut self, system: &System) -> Result<Vec<Number>, TableFull> {
        let view = &mut self.stepper.view;
        let numbers = system.components().iter().enumerate();
        let numbers = numbers.map(|(slot, value)| view.number(slot, value.clone()));
        let mut state = numbers.collect::<Result<Vec<_>, _>>()?;
        if !self.normal_forms.is_identity() {
            self.normal_forms.normalise(view, &mut state)?;
        }
        self.symmetries.canonicalise(view, &mut state)?;
        Ok(state)
    }

    /// The plain state behind a packed one.
    #[must_use]
    pub fn unpack(&mut self, state: &[Number]) -> System {
        self.stepper.view.unpack(state)
    }

    /// Lets `see` look at a packed state.
    pub fn look<T>(&mut self, state: &[Number], see: impl FnOnce(&WorldView<'_>) -> T) -> T {
        self.stepper.view.look(state, see)
    }

    /// Whether no action is possible in the state that was expanded last.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.plan.iter().next().is_none()
    }

    /// Whether some action of the state that was expanded last must be taken in the end.
    pub fn owes(&mut self, state: &[Number], fairness: Fairness) -> bool {
        let Self { stepper, book, plan, .. } = self;
        stepper.view.look(state, |view| {
            plan.iter().any(|place| is_fair(view, book.action(place).0, fairness))
        })
    }

    /// What was seen of the steps of components.
    #[must_use]
    pub fn into_steps(self) -> ComponentSteps {
        let replaced = self.normal_forms.replaced(self.stride());
        ComponentSteps { memo: self.stepper.memo, guards: self.book, replaced }
    }

    /// Calls `found` with every action that is possible in a state and the successor it leads to.
    ///
    /// # Errors
    /// If some component took too many values; the successors are incomplete then.
    pub fn expand(
        &mut self,
        state: &[Number],
        mut found: impl FnMut(Action, &Successor<'_>),
    ) -> Result<(), TableFull> {
        let Stepper { view, memo, .. } = &mut self.stepper;
        self.book.plan(view, memo, state, &mut self.plan)?;
        self.stepper.stand_on(state);
        for place in self.plan.iter() {
            let (action, tasks) = self.book.action(place);
            self.tasks.clear();
            self.tasks.extend_from_slice(tasks);
            self.observations.clear();
            self.stepper.run(&mut self.tasks, &mut self.observations);
            self.stepper.tables?;
            let judgement = if self.observations.is_empty() {
                Judgement::default()
            } else {
                let Stepper { view, current, .. } = &mut self.stepper;
                view.look_at_step(state, current, |old, new| {
                    judge_step(old, &self.observations, new)
                })
            };
            let after = if self.symmetries.is_empty() && self.normal_forms.is_identity() {
                &self.stepper.current
            } else {
                self.after.clone_from(&self.stepper.current);
                if !self.normal_forms.is_identity() {
                    self.normal_forms.normalise(&mut self.stepper.view, &mut self.after)?;
                }
                self.symmetries.canonicalise(&mut self.stepper.view, &mut self.after)?;
                &self.after
            };
            found(action, &Successor { state: after, judgement });
            self.stepper.undo();
        }
        Ok(())
    }
}

/// A state on which steps run, component by component.
#[derive(Debug)]
struct Stepper<'s, 't> {
    view: InternView<'s, 't>,
    memo: Memo,
    current: Vec<Number>,
    /// The slots that the step has changed and what they were, in order.
    changed: Vec<(u16, Number)>,
    /// Whether every number so far was had.
    tables: Result<(), TableFull>,
}

impl Components for Stepper<'_, '_> {
    type Task = PackedInput;

    fn step(
        &mut self,
        task: PackedInput,
        follow: &mut Vec<PackedInput>,
        observations: &mut Vec<Observation>,
    ) {
        let before = self.current[usize::from(task.slot)];
        let mut cell = self.memo.cell(task, before);
        if cell.is_unknown() {
            match self.compute(task, before) {
                Ok(computed) => cell = computed,
                Err(TableFull) => {
                    self.tables = Err(TableFull);
                    return;
                }
            }
        }
        if cell.after != before {
            self.current[usize::from(task.slot)] = cell.after;
            self.changed.push((task.slot, before));
        }
        if !cell.is_quiet() {
            let answer = self.memo.answer(cell);
            follow.extend_from_slice(&answer.tasks);
            observations.extend_from_slice(&answer.observations);
        }
    }
}

impl Stepper<'_, '_> {
    fn stand_on(&mut self, state: &[Number]) {
        self.current.copy_from_slice(state);
        self.changed.clear();
    }

    /// Takes the step back.
    fn undo(&mut self) {
        while let Some((slot, before)) = self.changed.pop() {
            self.current[usize::from(slot)] = before;
        }
    }

    /// Asks the world itself what a component does on an input.
    fn compute(&mut self, task: PackedInput, before: Number) -> Result<MemoCell, TableFull> {
        let (topology, slot) = (self.view.topology(), usize::from(task.slot));
        let mut value = self.view.value(slot, before).clone();
        let mut effects = Vec::new();
        let input = self.memo.input(task);
        step_component(topology, topology.component(slot), &mut value, input, &mut effects);
        let after = self.view.number(slot, value)?;
        let mut answer = Reaction::default();
        for effect in effects {
            match effect {
                Effect::To(component, input) => {
                    answer.tasks.push(self.memo.task(topology.slot(component), input)?);
                }
                Effect::Observation(what) if matters(&what) => answer.observations.push(what),
                Effect::Observation(_) => {}
            }
        }
        self.memo.remember(task, before, after, answer)
    }
}
