//! The flag under the standard library.

use super::{Flag, FlagLevel};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

/// Its clones are counted by its `Arc`.
struct Idle;

impl Wake for Idle {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn it_goes_up_once_and_stays() {
    let flag = Flag::new();
    let other = flag.clone();
    assert_eq!((flag.look(), other.raise()), (FlagLevel::Down, FlagLevel::Down));
    assert_eq!(
        (flag.look(), flag.raise(), other.look()),
        (FlagLevel::Up, FlagLevel::Up, FlagLevel::Up)
    );
    flag.wait();
}

#[test]
fn everybody_who_waits_is_woken() {
    let flag = Flag::new();
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let flag = flag.clone();
            thread::spawn(move || flag.wait())
        })
        .collect();
    assert_eq!(flag.raise(), FlagLevel::Down);
    for thread in waiting {
        thread.join().expect("it is woken");
    }
}

#[test]
fn who_stops_waiting_leaves_nothing_behind() {
    let (flag, idle) = (Flag::new(), Arc::new(Idle));
    let waker = Waker::from(Arc::clone(&idle));
    let mut context = Context::from_waker(&waker);
    let mut waits = [flag.raised(), flag.raised()];
    for raised in &mut waits {
        for _ in 0..2 {
            assert_eq!(Pin::new(&mut *raised).poll(&mut context), Poll::Pending);
        }
    }
    assert_eq!(Arc::strong_count(&idle), 2 + 2, "one each, however often it was polled");
    drop(waits);
    assert_eq!(Arc::strong_count(&idle), 2);
}
