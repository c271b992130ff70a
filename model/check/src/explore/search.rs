//! A search: one thread begins, others join it once there is enough for all.

use super::batch::{BatchEntry, StateBatch};
use super::intern::InternTables;
use super::member::{Member, SearchPause, SearchPosition, ThreadResult, id};
use super::obligations::Obligations;
use super::recurrence::ComponentSteps;
use super::space::shard_of;
use super::store::{Belated, StateId, StateIndex, Store, hash};
use super::team::Team;
use super::worker::Worker;
use super::{Options, Progress, SearchEnd};
use crate::world::System;
use std::sync::PoisonError;

/// A search that has not begun.
#[derive(Debug)]
pub struct ParallelSearch<'a, 't> {
    shared: &'a InternTables<'t>,
    options: Options,
    progress: &'a Progress,
    obligations: Obligations,
}

/// What a search has found.
pub struct SearchFound {
    /// The states, a store for each thread.
    pub stores: Vec<Store>,
    /// What each thread has seen.
    pub results: Vec<ThreadResult>,
    /// What each thread has seen components do.
    pub steps: Vec<ComponentSteps>,
    /// How it ended.
    pub ending: SearchEnd,
}

impl<'a, 't> ParallelSearch<'a, 't> {
    /// A search that has not begun.
    #[must_use]
    pub fn new(shared: &'a InternTables<'t>, options: Options, progress: &'a Progress) -> Self {
        let obligations = Obligations::of(shared.topology().config());
        Self { shared, options, progress, obligations }
    }

    /// The leads-to properties that it decides.
    #[must_use]
    pub fn obligations(&self) -> &Obligations {
        &self.obligations
    }

    /// How it searches.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Where it tells how far it is.
    #[must_use]
    pub fn progress(&self) -> &'a Progress {
        self.progress
    }

    /// Runs the search until it ends.
    #[must_use]
    pub fn run(&self) -> SearchFound {
        let levels = &self.progress.levels;
        levels.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let threads = self.options.threads.get();
        let mut worker = Worker::new(self.shared, self.options);
        let shards = if self.options.shared_from == 0 { threads } else { 1 };
        let stores = self.seed(&mut worker, shards);
        let ends: Vec<_> = stores.iter().map(|store| store.len() as u32).collect();
        let mut first = Member::new(self, worker, 0, SearchPosition::first(&ends));
        if shards == threads {
            return self.together(stores, first, Vec::new());
        }
        let alone = Team::new(stores);
        match first.run(&alone, self.options.shared_from) {
            SearchPause::Ended(ending) => found(alone, [first], ending),
            SearchPause::Large => {
                let (stores, belated) = self.divide(&alone.into_stores()[0], &mut first);
                self.together(stores, first, belated)
            }
        }
    }

    fn seed(&self, worker: &mut Worker<'_, '_>, shards: usize) -> Vec<Store> {
        let mut stores: Vec<_> = (0..shards).map(|_| Store::new(worker.stride())).collect();
        let state = worker.pack(&System::new(self.shared.topology()));
        let state = state.expect("the first values fit");
        let hashed = hash(&state);
        let shard = shard_of(hashed, shards);
        let mut batch = StateBatch::default();
        batch.push(&state, BatchEntry { hashed, parent: id(shards, shard, 0), pending: 0 });
        stores[shard].insert_all(&batch, 0..1, 0, &mut Vec::new());
        stores
    }

    /// Divides what one thread has found among all. Every order is kept.
    fn divide(&self, alone: &Store, first: &mut Member<'_, 't>) -> (Vec<Store>, Vec<Vec<Belated>>) {
        let threads = self.options.threads.get();
        let mut state = vec![0; alone.stride()];
        let mut lens = vec![0; threads];
        let mut batches = vec![StateBatch::default(); threads];
        let mut moved: Vec<StateId> = Vec::with_capacity(alone.len());
        for (place, parent) in alone.parents().enumerate() {
            alone.read(place as StateIndex, &mut state);
            let (hashed, pending) = (hash(&state), alone.pending(place as StateIndex));
            let shard = shard_of(hashed, threads);
            moved.push(id(threads, shard, lens[shard]));
            lens[shard] += 1;
            // Whatever a state was found from was found before it, or is itself.
            let parent = moved[parent as usize];
            batches[shard].push(&state, BatchEntry { hashed, parent, pending });
        }
        let store = |batch: StateBatch| {
            let mut store = Store::new(alone.stride());
            store.insert_all(&batch, 0..batch.entries().len(), 0, &mut Vec::new());
            store
        };
        let (result, position) = first.so_far();
        position.level = position.level.divided(&moved, threads);
        position.coming = position.coming.divided(&moved, threads);
        result.violations.values_mut().for_each(|found| found.state = moved[found.state as usize]);
        let mut belated = vec![Vec::new(); threads];
        for Belated { place, more } in result.belated.drain(..) {
            let id = moved[place as usize];
            let (shard, place) = (id as usize % threads, id / threads as u32);
            belated[shard].push(Belated { place, more });
        }
        (batches.into_iter().map(store).collect(), belated)
    }

    /// Searches on with all threads; the first one has begun.
    fn together(
        &self,
        stores: Vec<Store>,
        mut first: Member<'_, 't>,
        belated: Vec<Vec<Belated>>,
    ) -> SearchFound {
        let team = Team::new(stores);
        let shared = &team;
        let position = first.so_far().1.clone();
        let mut belated = belated.into_iter();
        first.so_far().0.belated = belated.next().unwrap_or_default();
        let (members, ending) = std::thread::scope(|scope| {
            let join = |thread| {
                let (position, belated) = (position.clone(), belated.next().unwrap_or_default());
                scope.spawn(move || {
                    let worker = Worker::new(self.shared, self.options);
                    let mut member = Member::new(self, worker, thread, position);
                    member.so_far().0.belated = belated;
                    let _ = member.run(shared, u64::MAX);
                    member
                })
            };
            let others: Vec<_> = (1..team.threads()).map(join).collect();
            let pause = first.run(shared, u64::MAX);
            let others =
                others.into_iter().map(|other| other.join().expect("a search thread panicked"));
            let members: Vec<_> = std::iter::once(first).chain(others).collect();
            (members, pause)
        });
        match ending {
            SearchPause::Ended(ending) => found(team, members, ending),
            SearchPause::Large => unreachable!("no search has so many states"),
        }
    }
}

fn found<'a, 't: 'a>(
    team: Team,
    members: impl IntoIterator<Item = Member<'a, 't>>,
    ending: SearchEnd,
) -> SearchFound {
    let (results, steps) = members.into_iter().map(Member::into_found).unzip();
    SearchFound { stores: team.into_stores(), results, steps, ending }
}
