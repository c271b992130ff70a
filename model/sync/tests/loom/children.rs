//! Races of the child table against a kernel that gives a reaped child's number to another process.

use crate::explore::{Bound, explore};
use holdfast_sync::children::{Children, Reap};
use holdfast_sync::engine::atomic::{AtomicUsize, Ordering};
use holdfast_sync::engine::{Arc, thread};

/// What the kernel has under a number.
#[derive(Clone)]
struct Process {
    state: Arc<AtomicUsize>,
}

const ZOMBIE: usize = 0;
const ANOTHER: usize = 1;

impl Process {
    fn zombie() -> Self {
        Self { state: Arc::new(AtomicUsize::new(ZOMBIE)) }
    }

    fn signal(&self) {
        assert_eq!(self.state.load(Ordering::Relaxed), ZOMBIE, "another process is signalled");
    }

    fn reap(&self) -> Reap<()> {
        assert_eq!(self.state.load(Ordering::Relaxed), ZOMBIE, "another process is reaped");
        self.state.store(ANOTHER, Ordering::Relaxed);
        Reap::Reaped(())
    }
}

fn table() -> Children<u32, Process> {
    let children = Children::new();
    assert!(children.insert(1, Process::zombie()).is_none());
    assert!(!children.is_empty());
    children
}

#[test]
fn a_signal_against_a_reap() {
    explore("children: signal against reap", Bound::Nothing, [Some(()), None], || {
        let children = table();
        let other = children.clone();
        let reaps = thread::spawn(move || other.reap(1, Process::reap));
        let signalled = children.signal(1, Process::signal);
        assert_eq!(reaps.join().expect("it ends"), Some(Reap::Reaped(())));
        assert!(children.is_empty());
        signalled
    });
}

#[test]
fn two_reaps_and_a_signal() {
    let outcomes = [[true, false], [false, true]];
    explore("children: two reaps and a signal", Bound::Nothing, outcomes, || {
        let children = table();
        let reapers = [children.clone(), children.clone()].map(|children| {
            thread::spawn(move || children.reap(1, Process::reap) == Some(Reap::Reaped(())))
        });
        children.each(|_, process| process.signal());
        reapers.map(|thread| thread.join().expect("it ends"))
    });
}

#[test]
fn a_number_that_is_used_again() {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Hit {
        Old,
        New,
        Nobody,
    }
    let outcomes = [Hit::Old, Hit::New, Hit::Nobody];
    explore("children: a number used again", Bound::Nothing, outcomes, || {
        let children = table();
        let other = children.clone();
        let spawns = thread::spawn(move || {
            assert_eq!(other.reap(1, Process::reap), Some(Reap::Reaped(())));
            let new = Process::zombie();
            let state = Arc::clone(&new.state);
            assert!(other.insert(1, new).is_none(), "the old one is forgotten");
            state
        });
        let mut hit = None;
        let signalled = children.signal(1, |process| {
            process.signal();
            hit = Some(Arc::clone(&process.state));
        });
        let new = spawns.join().expect("it ends");
        match (signalled, hit) {
            (None, _) => Hit::Nobody,
            (Some(()), Some(state)) if Arc::ptr_eq(&state, &new) => Hit::New,
            (Some(()), _) => Hit::Old,
        }
    });
}

#[test]
fn an_insert_against_a_signal_to_all() {
    explore("children: insert against each", Bound::Nothing, [1, 2], || {
        let children = table();
        let other = children.clone();
        let inserts = thread::spawn(move || other.insert(2, Process::zombie()).is_none());
        let mut seen = 0;
        children.each(|_, process| {
            process.signal();
            seen += 1;
        });
        assert!(inserts.join().expect("it ends"));
        assert_eq!(children.len(), 2);
        seen
    });
}
