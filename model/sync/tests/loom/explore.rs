//! Runs one exploration, counts its interleavings and collects the outcomes of its race.

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Up to where loom explores.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    /// Every interleaving.
    Nothing,
    /// Those in which a thread that could go on is set aside at most this often.
    Preemptions(usize),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("no bound"),
            Self::Preemptions(most) => write!(f, "at most {most} preemptions"),
        }
    }
}

/// Explores a race; it must have these outcomes and no other.
pub(crate) fn explore<O: Debug + Ord + Send + 'static>(
    name: &str,
    bound: Bound,
    outcomes: impl IntoIterator<Item = O>,
    race: impl Fn() -> O + Send + Sync + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = match bound {
        Bound::Nothing => None,
        Bound::Preemptions(count) => Some(count),
    };
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let (counts, sees) = (Arc::clone(&count), Arc::clone(&seen));
    builder.check(move || {
        counts.fetch_add(1, Ordering::Relaxed);
        let outcome = race();
        sees.lock().expect("whole").insert(outcome);
    });
    let count = count.load(Ordering::Relaxed);
    println!("{name}: {count} interleavings, {bound}");
    assert!(count > 1, "{name}: nothing raced");
    let seen = seen.lock().expect("whole");
    let expected: BTreeSet<O> = outcomes.into_iter().collect();
    assert_eq!(*seen, expected, "{name}: the outcomes that were seen, and those of the race");
}
