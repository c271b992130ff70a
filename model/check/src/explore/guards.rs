//! What each value of a part shows and offers, worked out once.
//!
//! ```text
//!     (script position, slot, number) --page--> kind: signs, offers and the tasks they begin with
//! ```
//!
//! Many values of a part look alike to the others, so kinds are few.

use super::intern::{InternView, Number, TableFull};
use super::memo::{Memo, PackedInput};
use crate::world::Action;
use crate::world::choices::begin::{ActionContext, begin};
use crate::world::choices::{
    ActionRank, Conditions, GuardedAction, conditions_of, guarded_actions_of, list,
};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// What some values of a part show and offer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ClassValue {
    signs: Conditions,
    /// Each offer and what it begins with.
    offers: Vec<(GuardedAction, Vec<PackedInput>)>,
}

/// The same, packed.
#[derive(Clone, Debug)]
struct ComponentClass {
    signs: Conditions,
    /// Where in the book its offers are.
    offers: Range<usize>,
}

/// The number of a kind, plus one.
type ClassNumber = u32;

/// Everything that was worked out.
#[derive(Debug, Default)]
pub struct GuardTable {
    /// By script position, slot and number; zero if not known.
    pages: Vec<Vec<Vec<ClassNumber>>>,
    numbers: FxHashMap<ClassValue, ClassNumber>,
    kinds: Vec<ComponentClass>,
    offers: Vec<(GuardedAction, Range<usize>)>,
    tasks: Vec<PackedInput>,
    /// The kinds of the parts of the state at hand.
    here: Vec<ClassNumber>,
}

/// The actions of a state, by their place in the book.
#[derive(Debug, Default)]
pub struct Plan {
    standing: Vec<(ActionRank, usize)>,
}

impl Plan {
    /// The places of all actions, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.standing.iter().map(|(_, place)| *place)
    }
}

impl GuardTable {
    /// An action and what it begins with.
    #[must_use]
    pub fn action(&self, place: usize) -> (Action, &[PackedInput]) {
        let (offer, tasks) = &self.offers[place];
        (offer.action, &self.tasks[tasks.clone()])
    }

    /// Finds out which actions are possible in a state.
    ///
    /// # Errors
    /// If some part took too many inputs.
    pub fn plan(
        &mut self,
        view: &mut InternView<'_, '_>,
        memo: &mut Memo,
        state: &[Number],
        plan: &mut Plan,
    ) -> Result<(), TableFull> {
        let at = view.script_position(state);
        let mut signs = Conditions::empty();
        self.here.clear();
        for (slot, number) in state.iter().enumerate() {
            let kind = self.kind(view, memo, at, (slot, *number))?;
            signs |= self.kinds[kind as usize - 1].signs;
            self.here.push(kind);
        }
        plan.standing.clear();
        for kind in &self.here {
            for place in self.kinds[*kind as usize - 1].offers.clone() {
                let (offer, _) = &self.offers[place];
                if offer.stands(signs) {
                    plan.standing.push((offer.rank, place));
                }
            }
        }
        list(&mut plan.standing, |(rank, _)| *rank);
        Ok(())
    }

    fn kind(
        &mut self,
        view: &mut InternView<'_, '_>,
        memo: &mut Memo,
        at: u8,
        (slot, number): (usize, Number),
    ) -> Result<ClassNumber, TableFull> {
        let (page, index) = (usize::from(at), usize::from(number));
        let known = self.pages.get(page).and_then(|page| page[slot].get(index)).copied();
        if let Some(kind) = known.filter(|kind| *kind != 0) {
            return Ok(kind);
        }
        let looks = looks(view, memo, at, (slot, number))?;
        let kind = match self.numbers.get(&looks) {
            Some(kind) => *kind,
            None => self.add(looks),
        };
        while self.pages.len() <= page {
            self.pages.push(vec![Vec::new(); view.topology().components()]);
        }
        let known = &mut self.pages[page][slot];
        if known.len() <= index {
            known.resize(index + 1, 0);
        }
        known[index] = kind;
        Ok(kind)
    }

    fn add(&mut self, looks: ClassValue) -> ClassNumber {
        let first = self.offers.len();
        for (offer, tasks) in &looks.offers {
            let start = self.tasks.len();
            self.tasks.extend_from_slice(tasks);
            self.offers.push((*offer, start..self.tasks.len()));
        }
        self.kinds.push(ComponentClass { signs: looks.signs, offers: first..self.offers.len() });
        let kind = self.kinds.len() as ClassNumber;
        self.numbers.insert(looks, kind);
        kind
    }
}

/// Asks the world what a value shows and offers.
fn looks(
    view: &mut InternView<'_, '_>,
    memo: &mut Memo,
    at: u8,
    (slot, number): (usize, Number),
) -> Result<ClassValue, TableFull> {
    let topology = view.topology();
    let (part, facts) = (topology.component(slot), view.part(slot, number));
    let mut offers = Vec::new();
    guarded_actions_of(topology, at, part, facts, &mut |offer| offers.push(offer));
    let with_tasks = |offer: GuardedAction| {
        let mut begun = Vec::new();
        begin(ActionContext { topology, at, facts }, offer.action, &mut begun);
        let task = |(part, input)| memo.task(topology.slot(part), input);
        let tasks: Result<Vec<_>, TableFull> = begun.into_iter().map(task).collect();
        Ok((offer, tasks?))
    };
    let signs = conditions_of(topology, part, facts);
    let offers = offers.into_iter().map(with_tasks).collect::<Result<_, _>>()?;
    Ok(ClassValue { signs, offers })
}
