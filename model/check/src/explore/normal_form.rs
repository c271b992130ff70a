//! What cannot matter any longer is forgotten before a state is stored: the packed form of
//! [`crate::world::relevance`].
//!
//! ```text
//!     each actor's number --> the faults that can strike it, whose end it ignores
//!     all of them, and the budget --> the numbers of the forgotten forms
//! ```

use super::intern::{InternView, Number, TableFull};
use crate::tree::MOST_ACTORS;
use crate::world::Topology;
use crate::world::component::ComponentValue;
use crate::world::relevance::{
    ActorRelevance, FaultBits, breakpoints_left, forgotten_process, forgotten_shared,
};
use holdfast_protocol::ActorId;
use holdfast_protocol::node::forget::StillAsked;
use rustc_hash::FxHashMap;

/// Which states of a run are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateReduction {
    /// Those that differ in what cannot matter any longer count as one.
    On,
    /// All states are told apart.
    Off,
}

holdfast_protocol::named! {
    StateReduction, "a graph":
    On => "reduced",
    Off => "full",
}

/// One actor's value: what it leaves open, and its forgotten forms, by [`index`].
#[derive(Clone, Copy, Debug)]
struct KnownActor {
    relevance: ActorRelevance,
    forms: [Option<Number>; 8],
}

/// Everything that was worked out.
#[derive(Debug)]
pub struct NormalForms {
    reduction: StateReduction,
    /// The slot of each actor's supervisor.
    supervisors: Vec<Option<usize>>,
    /// By slot and number.
    actors: Vec<Vec<Option<KnownActor>>>,
    /// By number of the shared environment: whether breakpoints, and shielded ones, may come.
    breakpoints: Vec<Option<(bool, bool)>>,
    shared: FxHashMap<(Number, FaultBits), Number>,
}

fn index(asked: StillAsked) -> usize {
    usize::from(asked.status) << 2
        | usize::from(asked.breakpoint) << 1
        | usize::from(asked.shielded)
}

impl NormalForms {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(topology: &Topology, reduction: StateReduction) -> Self {
        let tree = &topology.config().tree;
        Self {
            reduction,
            supervisors: tree.ids().map(|id| tree.supervisor(id).map(ActorId::index)).collect(),
            actors: vec![Vec::new(); tree.len()],
            breakpoints: Vec::new(),
            shared: FxHashMap::default(),
        }
    }

    /// Whether every state is its own normal form.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.reduction == StateReduction::Off
    }

    /// Every value that was replaced: slot, before, after.
    #[must_use]
    pub fn replaced(&self, slots: usize) -> Vec<(usize, Number, Number)> {
        let mut all = Vec::new();
        for (slot, known) in self.actors.iter().enumerate() {
            for (number, known) in known.iter().enumerate() {
                let forms = known.iter().flat_map(|known| known.forms).flatten();
                all.extend(forms.map(|form| (slot, number as Number, form)));
            }
        }
        all.extend(self.shared.iter().map(|((number, _), form)| (slots - 1, *number, *form)));
        all.retain(|(_, before, after)| before != after);
        all
    }

    /// Replaces a state by its normal form.
    ///
    /// # Errors
    /// If some component took too many values.
    pub fn normalise(
        &mut self,
        view: &mut InternView<'_, '_>,
        state: &mut [Number],
    ) -> Result<(), TableFull> {
        let (actors, last) = (self.supervisors.len(), state.len() - 1);
        let (breakpoint, shielded) = self.breakpoints(view, last, state[last]);
        let mut supervised = [false; MOST_ACTORS];
        let mut ignores = [0_u16; MOST_ACTORS];
        let mut faults = 0;
        for slot in 0..actors {
            let relevance = self.known(view, slot, state[slot]).relevance;
            (supervised[slot], ignores[slot]) = (relevance.supervised, relevance.ignores);
            faults |= relevance.faults;
        }
        for slot in 0..actors {
            let above = self.supervisors[slot].filter(|_| supervised[slot]);
            let status = above.is_some_and(|above| ignores[above] >> slot & 1 == 0);
            let asked = StillAsked { status, breakpoint, shielded };
            state[slot] = self.form(view, slot, state[slot], asked)?;
        }
        state[last] = self.form_of_shared(view, last, state[last], faults)?;
        Ok(())
    }

    fn breakpoints(
        &mut self,
        view: &mut InternView<'_, '_>,
        slot: usize,
        number: Number,
    ) -> (bool, bool) {
        let at = number as usize;
        if self.breakpoints.len() <= at {
            self.breakpoints.resize(at + 1, None);
        }
        let topology = view.topology();
        *self.breakpoints[at].get_or_insert_with(|| match view.value(slot, number) {
            ComponentValue::SharedEnvironment(shared) => breakpoints_left(topology, shared),
            ComponentValue::Actor(_) | ComponentValue::Link(_) => {
                unreachable!("the shared comes last")
            }
        })
    }

    fn known(
        &mut self,
        view: &mut InternView<'_, '_>,
        slot: usize,
        number: Number,
    ) -> &mut KnownActor {
        let (known, at) = (&mut self.actors[slot], number as usize);
        if known.len() <= at {
            known.resize(at + 1, None);
        }
        let topology = view.topology();
        known[at].get_or_insert_with(|| match view.value(slot, number) {
            ComponentValue::Actor(process) => {
                let relevance = ActorRelevance::of(topology, ActorId(slot as u32), process);
                KnownActor { relevance, forms: [None; 8] }
            }
            ComponentValue::Link(_) | ComponentValue::SharedEnvironment(_) => {
                unreachable!("actors come first")
            }
        })
    }

    fn form(
        &mut self,
        view: &mut InternView<'_, '_>,
        slot: usize,
        number: Number,
        asked: StillAsked,
    ) -> Result<Number, TableFull> {
        if let Some(form) = self.known(view, slot, number).forms[index(asked)] {
            return Ok(form);
        }
        let ComponentValue::Actor(process) = view.value(slot, number) else {
            unreachable!("actors come first")
        };
        let forgotten = ComponentValue::Actor(forgotten_process(process, asked));
        let form = view.number(slot, forgotten)?;
        self.known(view, slot, number).forms[index(asked)] = Some(form);
        Ok(form)
    }

    fn form_of_shared(
        &mut self,
        view: &mut InternView<'_, '_>,
        slot: usize,
        number: Number,
        faults: FaultBits,
    ) -> Result<Number, TableFull> {
        if let Some(form) = self.shared.get(&(number, faults)) {
            return Ok(*form);
        }
        let topology = view.topology();
        let ComponentValue::SharedEnvironment(shared) = view.value(slot, number) else {
            unreachable!("the shared comes last")
        };
        let forgotten = forgotten_shared(topology, shared, faults);
        let form = view.number(slot, ComponentValue::SharedEnvironment(forgotten))?;
        self.shared.insert((number, faults), form);
        Ok(form)
    }
}
