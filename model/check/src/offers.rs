//! What each value of a part shows and offers, worked out once.
//!
//! ```text
//!     (script position, slot, number) --page--> kind: signs, offers and the tasks they begin with
//! ```
//!
//! Many values of a part look alike to the others, so kinds are few.

use super::intern::{Number, TableFull, View};
use super::memo::{Memo, Task};
use crate::world::Action;
use crate::world::choices::begin::{Place, begin};
use crate::world::choices::{Offer, Rank, Signs, list, offers_of, signs_of};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// What some values of a part show and offer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Looks {
    signs: Signs,
    /// Each offer and what it begins with.
    offers: Vec<(Offer, Vec<Task>)>,
}

/// The same, packed.
#[derive(Clone, Debug)]
struct Kind {
    signs: Signs,
    /// Where in the book its offers are.
    offers: Range<usize>,
}

/// The number of a kind, plus one.
type KindNumber = u32;

/// Everything that was worked out.
#[derive(Debug, Default)]
pub struct Book {
    /// By script position, slot and number; zero if not known.
    pages: Vec<Vec<Vec<KindNumber>>>,
    numbers: FxHashMap<Looks, KindNumber>,
    kinds: Vec<Kind>,
    offers: Vec<(Offer, Range<usize>)>,
    tasks: Vec<Task>,
    /// The kinds of the parts of the state at hand.
    here: Vec<KindNumber>,
}

/// The actions of a state, by their place in the book.
#[derive(Debug, Default)]
pub struct Plan {
    standing: Vec<(Rank, usize)>,
}

impl Plan {
    /// The places of all actions, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.standing.iter().map(|(_, place)| *place)
    }
}

impl Book {
    /// An action and what it begins with.
    #[must_use]
    pub fn action(&self, place: usize) -> (Action, &[Task]) {
        let (offer, tasks) = &self.offers[place];
        (offer.action, &self.tasks[tasks.clone()])
    }

    /// Finds out which actions are possible in a state.
    ///
    /// # Errors
    /// If some part took too many inputs.
    pub fn plan(
        &mut self,
        view: &mut View<'_, '_>,
        memo: &mut Memo,
        state: &[Number],
        plan: &mut Plan,
    ) -> Result<(), TableFull> {
        let at = view.script_position(state);
        let mut signs = Signs::empty();
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
        view: &mut View<'_, '_>,
        memo: &mut Memo,
        at: u8,
        (slot, number): (usize, Number),
    ) -> Result<KindNumber, TableFull> {
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
            self.pages.push(vec![Vec::new(); view.topology().parts()]);
        }
        let known = &mut self.pages[page][slot];
        if known.len() <= index {
            known.resize(index + 1, 0);
        }
        known[index] = kind;
        Ok(kind)
    }

    fn add(&mut self, looks: Looks) -> KindNumber {
        let first = self.offers.len();
        for (offer, tasks) in &looks.offers {
            let start = self.tasks.len();
            self.tasks.extend_from_slice(tasks);
            self.offers.push((*offer, start..self.tasks.len()));
        }
        self.kinds.push(Kind { signs: looks.signs, offers: first..self.offers.len() });
        let kind = self.kinds.len() as KindNumber;
        self.numbers.insert(looks, kind);
        kind
    }
}

/// Asks the world what a value shows and offers.
fn looks(
    view: &mut View<'_, '_>,
    memo: &mut Memo,
    at: u8,
    (slot, number): (usize, Number),
) -> Result<Looks, TableFull> {
    let topology = view.topology();
    let (part, facts) = (topology.part(slot), view.part(slot, number));
    let mut offers = Vec::new();
    offers_of(topology, at, part, facts, &mut |offer| offers.push(offer));
    let with_tasks = |offer: Offer| {
        let mut begun = Vec::new();
        begin(Place { topology, at, facts }, offer.action, &mut begun);
        let task = |(part, input)| memo.task(topology.slot(part), input);
        let tasks: Result<Vec<_>, TableFull> = begun.into_iter().map(task).collect();
        Ok((offer, tasks?))
    };
    let signs = signs_of(topology, part, facts);
    let offers = offers.into_iter().map(with_tasks).collect::<Result<_, _>>()?;
    Ok(Looks { signs, offers })
}
