//! Races of the mailbox: senders against each other, against the receiver, and the last of each.

use crate::explore::{Bound, explore};
use holdfast_sync::engine::thread;
use holdfast_sync::mailbox::{Closed, Receiver, mailbox};
use holdfast_sync::park::block_on;
use std::sync::Arc;
use std::task::{Context, Waker};

fn all<T>(receiver: &mut Receiver<T>) -> Vec<T> {
    let mut items = Vec::new();
    while let Some(item) = receiver.wait() {
        items.push(item);
    }
    items
}

#[test]
fn two_senders_and_the_order_of_each() {
    let merges = [[1, 2, 9], [1, 9, 2], [9, 1, 2]].map(Vec::from);
    explore("mailbox: two senders", Bound::Preemptions(4), merges, || {
        let (sender, mut receiver) = mailbox();
        let other = sender.clone();
        let first = thread::spawn(move || {
            assert_eq!(sender.send(1), Ok(()));
            assert_eq!(sender.send(2), Ok(()));
        });
        let second = thread::spawn(move || assert_eq!(other.send(9), Ok(())));
        let items = all(&mut receiver);
        first.join().expect("it ends");
        second.join().expect("it ends");
        items
    });
}

#[test]
fn two_senders_that_stay() {
    let orders = [[Some(1), Some(2)], [Some(2), Some(1)]];
    explore("mailbox: two senders that stay", Bound::Nothing, orders, || {
        let (sender, mut receiver) = mailbox();
        let sends = [1, 2].map(|item| {
            let sender = sender.clone();
            thread::spawn(move || assert_eq!(sender.send(item), Ok(())))
        });
        let items = [receiver.wait(), receiver.wait()];
        for thread in sends {
            thread.join().expect("it ends");
        }
        items
    });
}

#[test]
fn what_was_sent_before_another_send_began_is_taken_before_it() {
    explore("mailbox: one after the other", Bound::Preemptions(4), [vec![1, 2]], || {
        let ((sender, mut receiver), (goes_on, mut waits)) = (mailbox(), mailbox());
        let other = sender.clone();
        let first = thread::spawn(move || {
            assert_eq!(sender.send(1), Ok(()));
            assert_eq!(goes_on.send(()), Ok(()));
        });
        let second = thread::spawn(move || {
            assert_eq!(waits.wait(), Some(()));
            assert_eq!(other.send(2), Ok(()));
        });
        let items = all(&mut receiver);
        first.join().expect("it ends");
        second.join().expect("it ends");
        items
    });
}

#[test]
fn the_receiver_sleeps_and_is_woken_by_a_send_while_the_sender_stays() {
    explore("mailbox: send against sleep", Bound::Nothing, [Some(1)], || {
        let (sender, mut receiver) = mailbox();
        let other = sender.clone();
        let sends = thread::spawn(move || assert_eq!(other.send(1), Ok(())));
        let item = receiver.wait();
        sends.join().expect("it ends");
        drop(sender);
        item
    });
}

#[test]
fn the_last_sender_of_two_wakes_the_receiver() {
    explore("mailbox: senders gone against sleep", Bound::Nothing, [None::<u8>], || {
        let (sender, mut receiver) = mailbox::<u8>();
        let other = sender.clone();
        let first = thread::spawn(move || drop(sender));
        let second = thread::spawn(move || drop(other));
        let item = receiver.wait();
        first.join().expect("it ends");
        second.join().expect("it ends");
        item
    });
}

#[test]
fn a_send_against_the_receivers_drop_keeps_or_returns_the_item() {
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Item {
        Dropped,
        Returned,
    }
    let outcomes = [Item::Dropped, Item::Returned];
    explore("mailbox: send against closing", Bound::Nothing, outcomes, || {
        let (sender, receiver) = mailbox();
        let item = Arc::new(());
        let sent = Arc::clone(&item);
        // It keeps the mailbox, but not what is in it.
        let stays = sender.clone();
        let sends = thread::spawn(move || sender.send(sent));
        drop(receiver);
        let outcome = match sends.join().expect("it ends") {
            Ok(()) => Item::Dropped,
            Err(Closed(back)) => {
                assert!(Arc::ptr_eq(&back, &item));
                Item::Returned
            }
        };
        assert_eq!(Arc::strong_count(&item), 1, "no copy stays behind");
        drop(stays);
        outcome
    });
}

#[test]
fn a_receiver_that_was_polled_by_another_task_before_is_woken() {
    explore("mailbox: another waker", Bound::Nothing, [Some(1), None], || {
        let (sender, mut receiver) = mailbox();
        let sends = thread::spawn(move || assert_eq!(sender.send(1), Ok(())));
        let early = receiver.poll_recv(&mut Context::from_waker(Waker::noop())).is_ready();
        let item = block_on(receiver.recv());
        assert_eq!(item.is_none(), early, "it is taken once");
        sends.join().expect("it ends");
        item
    });
}
