//! Races of the flag: a raise against a look, against those who wait, and against a second raise.

use crate::explore::{Bound, explore};
use holdfast_model::shared::flag::{Flag, Look};
use holdfast_model::sync::atomic::{AtomicUsize, Ordering};
use holdfast_model::sync::{Arc, thread};
use std::pin::Pin;
use std::task::{Context, Waker};

#[test]
fn who_sees_it_up_sees_what_was_done_before() {
    explore("flag: raise against look", Bound::Nothing, [None, Some(1)], || {
        let (flag, cause) = (Flag::new(), Arc::new(AtomicUsize::new(0)));
        let (raises, writes) = (flag.clone(), Arc::clone(&cause));
        let raises = thread::spawn(move || {
            writes.store(1, Ordering::Relaxed);
            assert_eq!(raises.raise(), Look::Down);
        });
        let seen = match flag.look() {
            Look::Up => Some(cause.load(Ordering::Relaxed)),
            Look::Down => None,
        };
        raises.join().expect("it ends");
        seen
    });
}

#[test]
fn who_waits_is_woken() {
    explore("flag: raise against sleep", Bound::Nothing, [1], || {
        let (flag, cause) = (Flag::new(), Arc::new(AtomicUsize::new(0)));
        let (raises, writes) = (flag.clone(), Arc::clone(&cause));
        let raises = thread::spawn(move || {
            writes.store(1, Ordering::Relaxed);
            assert_eq!(raises.raise(), Look::Down);
        });
        flag.wait();
        let seen = cause.load(Ordering::Relaxed);
        raises.join().expect("it ends");
        seen
    });
}

#[test]
fn everybody_who_waits_is_woken_and_sees_what_was_done_before() {
    explore("flag: raise against two who wait", Bound::Preemptions(4), [[1, 1]], || {
        let (flag, cause) = (Flag::new(), Arc::new(AtomicUsize::new(0)));
        let waits = [(), ()].map(|()| {
            let (flag, cause) = (flag.clone(), Arc::clone(&cause));
            thread::spawn(move || {
                flag.wait();
                cause.load(Ordering::Relaxed)
            })
        });
        cause.store(1, Ordering::Relaxed);
        assert_eq!(flag.raise(), Look::Down);
        waits.map(|thread| thread.join().expect("it ends"))
    });
}

#[test]
fn one_of_two_raises_is_the_first() {
    explore(
        "flag: two raises, one waits",
        Bound::Preemptions(4),
        [[true, false], [false, true]],
        || {
            let flag = Flag::new();
            let raises = [flag.clone(), flag.clone()]
                .map(|flag| thread::spawn(move || flag.raise() == Look::Down));
            flag.wait();
            raises.map(|thread| thread.join().expect("it ends"))
        },
    );
}

#[test]
fn who_stops_waiting_takes_no_wake_up_along() {
    explore("flag: a waiter leaves", Bound::Nothing, [true, false], || {
        let flag = Flag::new();
        let other = flag.clone();
        let raises = thread::spawn(move || assert_eq!(other.raise(), Look::Down));
        let mut leaves = flag.raised();
        let early = Pin::new(&mut leaves).poll(&mut Context::from_waker(Waker::noop()));
        drop(leaves);
        flag.wait();
        raises.join().expect("it ends");
        early.is_ready()
    });
}
