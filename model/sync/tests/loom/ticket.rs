//! Races of one pause: who ends it, who abandons it, who loses it, and a waiter that sleeps.

use crate::explore::{Bound, explore};
use holdfast_sync::engine::thread;
use holdfast_sync::park::block_on;
use holdfast_sync::ticket::{End, Lost, Stub, Ticket, ticket};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

/// A pause, and how often it was abandoned.
fn counted() -> (Arc<AtomicUsize>, Stub<u8>, Ticket<u8>) {
    let abandoned = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&abandoned);
    let (stub, ticket) = ticket(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    (abandoned, stub, ticket)
}

fn times(count: &AtomicUsize) -> usize {
    count.load(Ordering::Relaxed)
}

#[test]
fn one_of_two_ends_is_the_end_and_the_sleeper_gets_its_outcome() {
    explore("ticket: end, end, wait", Bound::Nothing, [1, 2], || {
        let (abandoned, stub, ticket) = counted();
        let other = ticket.clone();
        let first = thread::spawn(move || ticket.end(1));
        let second = thread::spawn(move || other.end(2));
        let outcome = stub.wait().expect("it was ended");
        let ends = (first.join().expect("it ends"), second.join().expect("it ends"));
        match outcome {
            1 => assert_eq!(ends, (End::Now, End::Before)),
            _ => assert_eq!(ends, (End::Before, End::Now)),
        }
        assert_eq!(times(&abandoned), 0);
        outcome
    });
}

#[test]
fn a_sleeper_is_woken_by_an_end_while_tickets_stay() {
    explore("ticket: end against sleep", Bound::Nothing, [Ok(7)], || {
        let (_, stub, ticket) = counted();
        let other = ticket.clone();
        let ends = thread::spawn(move || other.end(7));
        let outcome = stub.wait();
        assert_eq!(ends.join().expect("it ends"), End::Now);
        drop(ticket);
        outcome
    });
}

#[test]
fn an_end_against_a_drop_of_the_stub() {
    let outcomes = [("now", 0), ("abandoned", 1)];
    explore("ticket: end against abandon", Bound::Nothing, outcomes, || {
        let (abandoned, stub, ticket) = counted();
        let abandons = thread::spawn(move || drop(stub));
        let end = ticket.end(1);
        abandons.join().expect("it ends");
        assert_ne!(ticket.end(2), End::Now);
        match end {
            End::Now => ("now", times(&abandoned)),
            End::Before => ("before", times(&abandoned)),
            End::Abandoned => ("abandoned", times(&abandoned)),
        }
    });
}

#[test]
fn two_ends_against_a_drop_of_the_stub() {
    let outcomes = [(1, 0), (0, 1)];
    explore("ticket: end, end, abandon", Bound::Nothing, outcomes, || {
        let (abandoned, stub, ticket) = counted();
        let other = ticket.clone();
        let threads = [
            thread::spawn(move || usize::from(ticket.end(1) == End::Now)),
            thread::spawn(move || usize::from(other.end(2) == End::Now)),
        ];
        drop(stub);
        let ends: usize = threads.map(|thread| thread.join().expect("it ends")).iter().sum();
        (ends, times(&abandoned))
    });
}

#[test]
fn a_sleeper_is_woken_by_the_loss_of_the_last_ticket() {
    explore("ticket: two tickets dropped, wait", Bound::Nothing, [Err(Lost)], || {
        let (abandoned, stub, ticket) = counted();
        let other = ticket.clone();
        let threads = [thread::spawn(move || drop(ticket)), thread::spawn(move || drop(other))];
        let outcome = stub.wait();
        for thread in threads {
            thread.join().expect("it ends");
        }
        assert_eq!(times(&abandoned), 0);
        outcome
    });
}

#[test]
fn an_end_is_no_loss_whoever_drops_a_ticket() {
    explore("ticket: end against drop of a clone", Bound::Nothing, [Ok(3)], || {
        let (_, stub, ticket) = counted();
        let other = ticket.clone();
        let ends = thread::spawn(move || assert_eq!(ticket.end(3), End::Now));
        let drops = thread::spawn(move || drop(other));
        let outcome = stub.wait();
        ends.join().expect("it ends");
        drops.join().expect("it ends");
        outcome
    });
}

#[test]
fn a_loss_against_a_drop_of_the_stub() {
    explore("ticket: loss against abandon", Bound::Nothing, [0, 1], || {
        let (abandoned, stub, ticket) = counted();
        let loses = thread::spawn(move || drop(ticket));
        drop(stub);
        loses.join().expect("it ends");
        times(&abandoned)
    });
}

#[test]
fn a_stub_that_moves_to_another_task_is_woken_there() {
    explore("ticket: another waker", Bound::Nothing, [(true, 5), (false, 5)], || {
        let (_, mut stub, ticket) = counted();
        let ends = thread::spawn(move || assert_eq!(ticket.end(5), End::Now));
        let early = Pin::new(&mut stub).poll(&mut Context::from_waker(Waker::noop()));
        let outcome = match early {
            std::task::Poll::Ready(outcome) => (true, outcome.expect("it was ended")),
            std::task::Poll::Pending => (false, block_on(stub).expect("it was ended")),
        };
        ends.join().expect("it ends");
        outcome
    });
}
