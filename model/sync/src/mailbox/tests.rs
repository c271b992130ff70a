//! The mailbox under the standard library: what it does when nothing races.

use super::{Closed, mailbox};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn counted() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    (Arc::clone(&count), Waker::from(count))
}

#[test]
fn items_come_in_the_order_of_sending_then_the_end() {
    let (sender, mut receiver) = mailbox();
    let second = sender.clone();
    assert_eq!(receiver.try_recv(), None);
    for (number, sender) in [(1, &sender), (2, &second), (3, &sender)] {
        assert_eq!(sender.send(number), Ok(()));
    }
    drop((sender, second));
    assert_eq!(receiver.try_recv(), Some(1));
    assert_eq!([receiver.wait(), receiver.wait(), receiver.wait()], [Some(2), Some(3), None]);
    assert_eq!(receiver.wait(), None, "the end stays");
}

#[test]
fn a_send_fails_once_the_receiver_is_gone_and_its_contents_go_with_it() {
    let (sender, receiver) = mailbox();
    let item = Arc::new(());
    assert_eq!(sender.send(Arc::clone(&item)), Ok(()));
    assert_eq!(Arc::strong_count(&item), 2);
    drop(receiver);
    assert_eq!(Arc::strong_count(&item), 1);
    assert_eq!(sender.send(Arc::clone(&item)), Err(Closed(item)));
}

#[test]
fn contents_may_send_to_their_own_mailbox_when_they_are_dropped() {
    struct Last(super::Sender<Option<Last>>);
    impl Drop for Last {
        fn drop(&mut self) {
            assert!(self.0.send(None).is_err());
        }
    }
    let (sender, receiver) = mailbox();
    assert!(sender.send(Some(Last(sender.clone()))).is_ok());
    drop(receiver);
}

#[test]
fn the_waker_of_the_last_poll_is_woken_once() {
    let (sender, mut receiver) = mailbox();
    let ((old, old_waker), (new, new_waker)) = (counted(), counted());
    for waker in [&old_waker, &new_waker] {
        assert_eq!(receiver.poll_recv(&mut Context::from_waker(waker)), Poll::Pending);
    }
    assert_eq!(sender.send(1), Ok(()));
    assert_eq!(sender.send(2), Ok(()));
    assert_eq!((old.0.load(Ordering::SeqCst), new.0.load(Ordering::SeqCst)), (0, 1));
    let mut context = Context::from_waker(&new_waker);
    for expected in [Poll::Ready(Some(1)), Poll::Ready(Some(2)), Poll::Pending] {
        assert_eq!(receiver.poll_recv(&mut context), expected);
    }
    drop(sender);
    assert_eq!(new.0.load(Ordering::SeqCst), 2, "the last sender's drop wakes");
    assert_eq!(receiver.poll_recv(&mut context), Poll::Ready(None));
}

#[test]
fn threads_send_and_a_thread_waits() {
    let (sender, mut receiver) = mailbox();
    let threads: Vec<_> = (0..4)
        .map(|number: usize| {
            let sender = sender.clone();
            thread::spawn(move || (0..100).try_for_each(|item| sender.send((number, item))))
        })
        .collect();
    drop(sender);
    let mut next = [0; 4];
    while let Some((number, item)) = receiver.wait() {
        assert_eq!(item, next[number], "of sender {number}");
        next[number] += 1;
    }
    assert_eq!(next, [100; 4]);
    for thread in threads {
        assert_eq!(thread.join().expect("a sender ends"), Ok(()));
    }
}
