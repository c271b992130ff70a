//! Breadth-first search over every interleaving, on all cores, in bounded memory.
//!
//! ```text
//!     level by level:   expand (each thread its own shard of the states)
//!                       exchange (a successor goes to the thread that owns its hash)
//! ```
//!
//! Breadth-first, so the first state or step found to break a property ends a shortest
//! counterexample. With one thread a search is the same every time, to the last number.

use super::intern::{Packed, Shared, SymmetryReduction, Worker};
use super::property::{PropertyId, PropertySet};
use super::safety::{Judgement, judge_state};
use super::store::{Parcels, StateId, Store, hash};
use crate::world::{System, Topology};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Barrier, Mutex, PoisonError};

/// When a search ends before everything is explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Never: every property that falls is found.
    Exhausted,
    /// At the end of the level on which the first property fell.
    FirstViolation,
}

/// How to search.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many threads.
    pub threads: NonZeroUsize,
    /// How many states at most.
    pub max_states: u64,
    /// How many bytes the visited states may occupy at most.
    pub max_bytes: u64,
    /// Whether interchangeable siblings are told apart.
    pub symmetry: SymmetryReduction,
    /// When to stop.
    pub until: Until,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: NonZeroUsize::MIN,
            max_states: u64::from(u32::MAX),
            max_bytes: 4 << 30,
            symmetry: SymmetryReduction::On,
            until: Until::FirstViolation,
        }
    }
}

/// How far a search is. Written by the search, read by whoever shows it.
#[derive(Debug, Default)]
pub struct Progress {
    /// States found.
    pub states: AtomicU64,
    /// The level that is expanded.
    pub depth: AtomicU64,
    /// States of that level.
    pub frontier: AtomicU64,
    /// Bytes that the visited states occupy.
    pub bytes: AtomicU64,
    /// Set from outside: the search ends soon, with what it has.
    pub interrupt: AtomicBool,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every reachable state was seen.
    Exhausted,
    /// A property fell, and the search was told to stop then.
    Violation,
    /// The state limit was reached.
    StateLimit,
    /// The memory limit was reached.
    MemoryLimit,
    /// A part took more values than there are numbers.
    TableFull,
    /// It was interrupted from outside.
    Interrupted,
}

/// Where a property was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// How many steps lead there.
    pub steps: u32,
    /// The last state that is stored.
    pub state: StateId,
    /// Whether the state itself is bad, or a step from it.
    pub place: Place,
}

/// Whether a state or a step broke a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The state.
    State,
    /// A step from it.
    Step,
}

/// Everything that a search has found.
#[derive(Debug)]
pub struct Exploration<'t> {
    /// What was explored.
    pub topology: &'t Topology,
    /// The visited states.
    pub space: Space,
    /// The numbers of the parts' values.
    pub shared: Shared<'t>,
    /// How it was searched.
    pub options: Options,
    /// How it ended.
    pub ending: Ending,
    /// The number of the deepest level that was reached.
    pub depth: u32,
    /// How many steps were taken.
    pub transitions: u64,
    /// The furthest position of the script that was reached.
    pub furthest: u8,
    /// Properties whose premise was reached.
    pub reached: PropertySet,
    /// For each property that fell, a shortest way there.
    pub findings: BTreeMap<PropertyId, Finding>,
}

/// The visited states, one store a thread.
#[derive(Debug)]
pub struct Space {
    shards: Vec<Store>,
}

impl Space {
    /// How many states there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.shards.iter().map(|shard| shard.len() as u64).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What they occupy, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.bytes() as u64).sum()
    }

    /// One more than the largest state number.
    #[must_use]
    pub fn id_bound(&self) -> usize {
        self.shards.iter().map(Store::len).max().unwrap_or(0) * self.shards.len()
    }

    /// All state numbers, in the order in which one thread finds them.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = StateId> + '_ {
        let shards = self.shards.len();
        (0..self.id_bound())
            .filter(move |id| id / shards < self.shards[id % shards].len())
            .map(|id| StateId::try_from(id).expect("a space has at most 2^32 states"))
    }

    /// The state of a number.
    #[must_use]
    pub fn state(&self, id: StateId) -> Packed {
        let (shard, place) = self.split(id);
        self.shards[shard].state(place)
    }

    /// The state from which it was found; the first one was found from itself.
    #[must_use]
    pub fn parent(&self, id: StateId) -> StateId {
        let (shard, place) = self.split(id);
        self.shards[shard].parent(place)
    }

    /// The number of a state.
    #[must_use]
    pub fn find(&self, state: &Packed, stride: usize) -> Option<StateId> {
        let shard = shard_of(hash(&state[..stride]), self.shards.len());
        Some(self.join(shard, self.shards[shard].find(state)?))
    }

    fn split(&self, id: StateId) -> (usize, u32) {
        let shards = self.shards.len() as u32;
        ((id % shards) as usize, id / shards)
    }

    fn join(&self, shard: usize, place: u32) -> StateId {
        place * self.shards.len() as u32 + shard as u32
    }
}

/// The store's table uses the high bits of a hash.
fn shard_of(hashed: u64, shards: usize) -> usize {
    ((hashed & 0xffff) % shards as u64) as usize
}

/// What the threads of a search share.
struct Search<'a, 't> {
    shared: &'a Shared<'t>,
    options: Options,
    progress: &'a Progress,
    barrier: Barrier,
    /// `mail[to][from]`.
    mail: Vec<Vec<Mutex<Parcels>>>,
    /// New states of each thread on this level, then summed up by everybody.
    grown: Vec<AtomicU64>,
    bytes: Vec<AtomicU64>,
    lens: Vec<AtomicU64>,
    stop: Mutex<Option<Ending>>,
    violated: AtomicBool,
}

/// What one thread has found.
struct Part {
    store: Store,
    transitions: u64,
    reached: PropertySet,
    findings: BTreeMap<PropertyId, Finding>,
    depth: u32,
    furthest: u8,
}

/// How many states a thread expands between two exchanges.
const BATCH: u32 = 1 << 10;

/// How many new states one state leads to, generously.
const MOST_SUCCESSORS: usize = 64;

/// Explores everything that is reachable in a topology, within the limits.
#[must_use]
pub fn explore<'t>(
    topology: &'t Topology,
    options: Options,
    progress: &Progress,
) -> Exploration<'t> {
    let shared = Shared::new(topology);
    let threads = options.threads.get();
    let counters = || (0..threads).map(|_| AtomicU64::new(0)).collect();
    let search = Search {
        shared: &shared,
        options,
        progress,
        barrier: Barrier::new(threads),
        mail: (0..threads).map(|_| (0..threads).map(|_| Mutex::default()).collect()).collect(),
        grown: counters(),
        bytes: counters(),
        lens: counters(),
        stop: Mutex::new(None),
        violated: AtomicBool::new(false),
    };
    let mut parts: Vec<Part> = std::thread::scope(|scope| {
        let run = |thread| {
            let search = &search;
            move || search.run(thread)
        };
        let others: Vec<_> = (1..threads).map(|thread| scope.spawn(run(thread))).collect();
        let first = run(0)();
        let joined =
            others.into_iter().map(|other| other.join().expect("a search thread panicked"));
        std::iter::once(first).chain(joined).collect()
    });
    let ending = search.ending().unwrap_or(Ending::Exhausted);
    let mut findings = BTreeMap::new();
    for part in &parts {
        for (property, finding) in &part.findings {
            let least = findings.entry(*property).or_insert(*finding);
            *least = (*least).min(*finding);
        }
    }
    Exploration {
        topology,
        options,
        ending,
        depth: parts.iter().map(|part| part.depth).max().unwrap_or(0),
        transitions: parts.iter().map(|part| part.transitions).sum(),
        furthest: parts.iter().map(|part| part.furthest).max().unwrap_or(0),
        reached: parts.iter().fold(PropertySet::default(), |all, part| all | part.reached),
        findings,
        space: Space { shards: parts.drain(..).map(|part| part.store).collect() },
        shared,
    }
}

impl Search<'_, '_> {
    fn run(&self, thread: usize) -> Part {
        let mut worker = Worker::new(self.shared, self.options.symmetry);
        let mut part = Part {
            store: Store::new(worker.stride()),
            transitions: 0,
            reached: PropertySet::default(),
            findings: BTreeMap::new(),
            depth: 0,
            furthest: 0,
        };
        self.seed(thread, &mut worker, &mut part);
        let mut level = 0..part.store.len() as u32;
        self.barrier.wait();
        loop {
            self.grown[thread].store(u64::from(level.end - level.start), Relaxed);
            self.barrier.wait();
            let frontier: u64 = self.grown.iter().map(|grown| grown.load(Relaxed)).sum();
            if thread == 0 {
                self.progress.frontier.store(frontier, Relaxed);
                self.progress.depth.store(u64::from(part.depth), Relaxed);
            }
            let enough = self.violated.load(Relaxed) && self.options.until == Until::FirstViolation;
            // Everybody must have read both before anybody writes again.
            self.barrier.wait();
            if enough {
                self.stop(Ending::Violation);
            }
            if frontier == 0 || enough || self.ending().is_some() {
                return part;
            }
            let largest =
                self.grown.iter().map(|grown| grown.load(Relaxed)).max().unwrap_or(0) as u32;
            for batch in (0..largest).step_by(BATCH as usize) {
                let from = (level.start + batch).min(level.end);
                let to = (level.start + batch + BATCH).min(level.end);
                self.expand(thread, from..to, &mut worker, &mut part);
                self.barrier.wait();
                self.collect(thread, &mut part);
                self.account(thread, &part);
                self.barrier.wait();
                if self.ending().is_some() {
                    return part;
                }
                self.barrier.wait();
            }
            level = level.end..part.store.len() as u32;
            part.depth += u32::from(self.any_new(thread, &level));
        }
    }

    /// Whether any thread has new states; all threads count the same levels.
    fn any_new(&self, thread: usize, level: &std::ops::Range<u32>) -> bool {
        self.grown[thread].store(u64::from(level.end - level.start), Relaxed);
        self.barrier.wait();
        self.grown.iter().any(|grown| grown.load(Relaxed) > 0)
    }

    fn seed(&self, thread: usize, worker: &mut Worker<'_, '_>, part: &mut Part) {
        let first = System::new(self.topology());
        let state = worker.pack(&first).expect("the first values fit");
        let hashed = hash(&state[..worker.stride()]);
        if shard_of(hashed, self.threads()) == thread {
            let mut parcels = Parcels::default();
            parcels.push(&state[..worker.stride()], hashed, thread as StateId);
            part.store.insert_all(&parcels);
        }
    }

    fn topology(&self) -> &Topology {
        self.shared.topology()
    }

    fn threads(&self) -> usize {
        self.options.threads.get()
    }

    fn expand(
        &self,
        thread: usize,
        batch: std::ops::Range<u32>,
        worker: &mut Worker<'_, '_>,
        part: &mut Part,
    ) {
        let (threads, stride) = (self.threads(), worker.stride());
        let mut away: Vec<Parcels> = (0..threads).map(|_| Parcels::default()).collect();
        for place in batch {
            if self.progress.interrupt.load(Relaxed) {
                self.stop(Ending::Interrupted);
                break;
            }
            let state = part.store.state(place);
            let id = place * threads as u32 + thread as u32;
            let (judgement, at) =
                worker.look(&state, |scene| (judge_state(scene), scene.room().at));
            part.furthest = part.furthest.max(at);
            self.note(part, judgement, id, Place::State);
            let expanded = worker.expand(&state, |_, _, successor| {
                part.transitions += 1;
                self.note(part, successor.judgement, id, Place::Step);
                let hashed = hash(&successor.state[..stride]);
                away[shard_of(hashed, threads)].push(&successor.state[..stride], hashed, id);
            });
            if expanded.is_err() {
                self.stop(Ending::TableFull);
            }
        }
        for (owner, parcels) in away.into_iter().enumerate() {
            *lock(&self.mail[owner][thread]) = parcels;
        }
    }

    fn note(&self, part: &mut Part, judgement: Judgement, state: StateId, place: Place) {
        part.reached |= judgement.reached;
        if judgement.broken.is_empty() {
            return;
        }
        self.violated.store(true, Relaxed);
        let steps = part.depth + u32::from(place == Place::Step);
        for property in judgement.broken.members() {
            let finding = Finding { steps, state, place };
            let least = part.findings.entry(property).or_insert(finding);
            *least = (*least).min(finding);
        }
    }

    fn collect(&self, thread: usize, part: &mut Part) {
        for parcels in &self.mail[thread] {
            part.store.insert_all(&std::mem::take(&mut *lock(parcels)));
        }
    }

    fn account(&self, thread: usize, part: &Part) {
        self.lens[thread].store(part.store.len() as u64, Relaxed);
        let bytes = part.store.bytes() + part.store.bytes_to_grow(BATCH as usize * MOST_SUCCESSORS);
        self.bytes[thread].store(bytes as u64, Relaxed);
        let sum = |counts: &[AtomicU64]| counts.iter().map(|count| count.load(Relaxed)).sum();
        let (states, bytes): (u64, u64) = (sum(&self.lens), sum(&self.bytes));
        self.progress.states.store(states, Relaxed);
        self.progress.bytes.store(bytes, Relaxed);
        if states > self.options.max_states {
            self.stop(Ending::StateLimit);
        }
        if bytes > self.options.max_bytes {
            self.stop(Ending::MemoryLimit);
        }
    }

    fn stop(&self, ending: Ending) {
        lock(&self.stop).get_or_insert(ending);
    }

    fn ending(&self) -> Option<Ending> {
        *lock(&self.stop)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
