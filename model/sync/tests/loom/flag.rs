//! Races of the flag: a raise against a look, against those who wait, and against a second raise.

use crate::explore::{Bound, explore};
use holdfast_sync::engine::atomic::{AtomicUsize, Ordering};
use holdfast_sync::engine::{Arc, WakeArc, thread};
use holdfast_sync::flag::{Flag, FlagLevel, Raised};
use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};

#[test]
fn who_sees_it_up_sees_what_was_done_before() {
    explore("flag: raise against look", Bound::Nothing, [None, Some(1)], || {
        let (flag, cause) = (Flag::new(), Arc::new(AtomicUsize::new(0)));
        let (raises, writes) = (flag.clone(), Arc::clone(&cause));
        let raises = thread::spawn(move || {
            writes.store(1, Ordering::Relaxed);
            assert_eq!(raises.raise(), FlagLevel::Down);
        });
        let seen = match flag.look() {
            FlagLevel::Up => Some(cause.load(Ordering::Relaxed)),
            FlagLevel::Down => None,
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
            assert_eq!(raises.raise(), FlagLevel::Down);
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
        assert_eq!(flag.raise(), FlagLevel::Down);
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
                .map(|flag| thread::spawn(move || flag.raise() == FlagLevel::Down));
            flag.wait();
            raises.map(|thread| thread.join().expect("it ends"))
        },
    );
}

#[test]
fn who_stops_waiting_takes_no_wake_up_along_and_gets_none() {
    let outcomes = [(true, 0), (false, 1), (false, 0)];
    explore("flag: a waiter leaves", Bound::Nothing, outcomes, || {
        let flag = Flag::new();
        let other = flag.clone();
        let raises = thread::spawn(move || assert_eq!(other.raise(), FlagLevel::Down));
        let notifier = WakeArc::new(Count::default());
        let mut leaves = flag.raised();
        let early = poll(&mut leaves, &notifier);
        drop(leaves);
        flag.wait();
        raises.join().expect("it ends");
        (early.is_ready(), notifier.woken())
    });
}

#[test]
fn each_who_waits_has_a_place_of_its_own() {
    explore("flag: raise against three polls", Bound::Nothing, 0..=3, || {
        let flag = Flag::new();
        let other = flag.clone();
        let raises = thread::spawn(move || assert_eq!(other.raise(), FlagLevel::Down));
        let mut waits = [(); 3].map(|()| (flag.raised(), WakeArc::new(Count::default())));
        let ready = waits.each_mut().map(|(raised, notifier)| poll(raised, notifier).is_ready());
        raises.join().expect("it ends");
        let woken = waits.each_ref().map(|(_, notifier)| notifier.woken());
        assert_eq!(woken, ready.map(|ready| usize::from(!ready)), "woken once, who waits");
        woken.into_iter().sum::<usize>()
    });
}

/// Counts how often it is woken; out of loom's sight, as foreign wakers are.
#[derive(Default)]
struct Count(std::sync::atomic::AtomicUsize);

impl Count {
    fn woken(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: WakeArc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll(raised: &mut Raised, notifier: &WakeArc<Count>) -> Poll<()> {
    let waker = Waker::from(WakeArc::clone(notifier));
    Pin::new(raised).poll(&mut Context::from_waker(&waker))
}
