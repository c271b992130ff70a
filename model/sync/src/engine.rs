//! Locks and threads: those of the standard library, of loom or of shuttle, chosen once, here.
//!
//! ```text
//!     (no cfg)               --> std        what the runtime is built with
//!     --cfg model_loom       --> loom       every interleaving: tests/loom.rs
//!     --cfg model_shuttle    --> shuttle    random schedules of more threads: tests/shuttle.rs,
//!                                           and of whole trees: `driven`
//! ```
//!
//! # Rules
//! 1. [`crate`] takes its locks and threads from here and from nowhere else, so that what
//!    is explored is what runs. `ci/tests/tidy.rs` checks it.
//! 2. The names are our own: `--cfg loom` would strip tokio of its processes and signals.

#[cfg(all(model_loom, model_shuttle))]
compile_error!("`model_loom` and `model_shuttle` exclude each other");

use std::sync::PoisonError;

#[cfg(model_loom)]
pub use loom::{
    sync::{Arc, Condvar, Mutex, MutexGuard, atomic},
    thread,
};
#[cfg(model_shuttle)]
pub use shuttle::{
    sync::{Arc, Condvar, Mutex, MutexGuard, atomic},
    thread,
};
#[cfg(not(any(model_loom, model_shuttle)))]
pub use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, atomic},
    thread,
};

/// The `Arc` that [`std::task::Wake`] demands, whatever the engine.
pub use std::sync::Arc as WakeArc;

/// Locks, poisoned or not.
///
/// A thread that panics under a lock of [`crate`] panics in a closure of its caller, and
/// each of them is called where the state behind the lock is whole.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a notification, poisoned or not; it may end without one.
pub fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}
