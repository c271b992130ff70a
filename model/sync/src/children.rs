//! The child table: a child that was reaped is never signalled.
//!
//! Runs in every actor that spawns: the driver signals and reaps, whoever spawns inserts. Between
//! a `waitid` that reaps and the forgetting of the child its number may be given to another process, so
//! both are one step, under the lock that a signal takes too.
//!
//! ```text
//!     (none) --insert--> Present --signal, reap: Running--> Present
//!                        Present --reap: Reaped--> (none)
//! ```
//!
//! # Rules
//! 1. A closure sees the handle of a child only while nobody has reaped it.
//! 2. A child is reaped once: who reaps it is the only one to see [`Reap::Reaped`].
//! 3. The closures run under the table's lock and must not use the table.

use crate::engine::{Arc, Mutex, lock};
use std::collections::BTreeMap;
use std::fmt;

/// The children of one actor, by key, with what is needed to signal and reap each.
pub struct Children<K, H> {
    table: Arc<Mutex<BTreeMap<K, H>>>,
}

/// What an attempt to reap came to.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reap<R> {
    /// The child has ended with this status, and is not in the table any longer.
    Reaped(R),
    /// The child runs.
    Running,
}

impl<K: Ord + Copy, H> Children<K, H> {
    /// A table without children.
    #[must_use]
    pub fn new() -> Self {
        Self { table: Arc::new(Mutex::new(BTreeMap::new())) }
    }

    /// Adds a child; gives back the handle that stood there, if one did.
    pub fn insert(&self, child: K, handle: H) -> Option<H> {
        lock(&self.table).insert(child, handle)
    }

    /// Runs the closure on a child that is not reaped; `None` if there is no such child.
    pub fn signal<R>(&self, child: K, send: impl FnOnce(&H) -> R) -> Option<R> {
        lock(&self.table).get(&child).map(send)
    }

    /// Tries to reap a child, and forgets it if that worked; `None` if there is no such child.
    pub fn reap<R>(&self, child: K, wait: impl FnOnce(&H) -> Reap<R>) -> Option<Reap<R>> {
        let mut table = lock(&self.table);
        let reap = wait(table.get(&child)?);
        let handle = match reap {
            Reap::Reaped(_) => table.remove(&child),
            Reap::Running => None,
        };
        drop(table);
        drop(handle);
        Some(reap)
    }

    /// Runs the closure on every child that is not reaped, in the order of the keys.
    pub fn each(&self, mut visit: impl FnMut(K, &H)) {
        lock(&self.table).iter().for_each(|(child, handle)| visit(*child, handle));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.table).len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: Ord + Copy, H> Default for Children<K, H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, H> Clone for Children<K, H> {
    fn clone(&self) -> Self {
        Self { table: Arc::clone(&self.table) }
    }
}

impl<K, H> fmt::Debug for Children<K, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Children")
    }
}

#[cfg(all(test, not(any(model_loom, model_shuttle))))]
mod tests;
