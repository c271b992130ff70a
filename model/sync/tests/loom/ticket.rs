//! Races of one pause: who ends it, who abandons it, who loses it, and a waiter that sleeps.

use crate::explore::{Bound, explore};
use holdfast_sync::engine::thread;
use holdfast_sync::park::block_on;
use holdfast_sync::ticket::{Lost, Ticket, TicketEnd, TicketReceiver, ticket};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

/// A pause, and how often it was abandoned.
fn counted() -> (Arc<AtomicUsize>, TicketReceiver<u8>, Ticket<u8>) {
    let abandoned = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&abandoned);
    let (receiver, ticket) = ticket(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    (abandoned, receiver, ticket)
}

fn times(count: &AtomicUsize) -> usize {
    count.load(Ordering::Relaxed)
}

#[test]
fn one_of_two_ends_is_the_end_and_the_sleeper_gets_its_outcome() {
    explore("ticket: end, end, wait", Bound::Nothing, [1, 2], || {
        let (abandoned, receiver, ticket) = counted();
        let other = ticket.clone();
        let first = thread::spawn(move || ticket.end(1));
        let second = thread::spawn(move || other.end(2));
        let outcome = receiver.wait().expect("it was ended");
        let ends = (first.join().expect("it ends"), second.join().expect("it ends"));
        match outcome {
            1 => assert_eq!(ends, (TicketEnd::Now, TicketEnd::Before)),
            _ => assert_eq!(ends, (TicketEnd::Before, TicketEnd::Now)),
        }
        assert_eq!(times(&abandoned), 0);
        outcome
    });
}

#[test]
fn a_sleeper_is_woken_by_an_end_while_tickets_stay() {
    explore("ticket: end against sleep", Bound::Nothing, [Ok(7)], || {
        let (_, receiver, ticket) = counted();
        let other = ticket.clone();
        let ends = thread::spawn(move || other.end(7));
        let outcome = receiver.wait();
        assert_eq!(ends.join().expect("it ends"), TicketEnd::Now);
        drop(ticket);
        outcome
    });
}

#[test]
fn an_end_against_a_drop_of_the_receiver() {
    let outcomes = [("now", 0), ("abandoned", 1)];
    explore("ticket: end against abandon", Bound::Nothing, outcomes, || {
        let (abandoned, receiver, ticket) = counted();
        let abandons = thread::spawn(move || drop(receiver));
        let end = ticket.end(1);
        abandons.join().expect("it ends");
        assert_ne!(ticket.end(2), TicketEnd::Now);
        match end {
            TicketEnd::Now => ("now", times(&abandoned)),
            TicketEnd::Before => ("before", times(&abandoned)),
            TicketEnd::Abandoned => ("abandoned", times(&abandoned)),
        }
    });
}

#[test]
fn two_ends_against_a_drop_of_the_receiver() {
    let outcomes = [(1, 0), (0, 1)];
    explore("ticket: end, end, abandon", Bound::Nothing, outcomes, || {
        let (abandoned, receiver, ticket) = counted();
        let other = ticket.clone();
        let threads = [
            thread::spawn(move || usize::from(ticket.end(1) == TicketEnd::Now)),
            thread::spawn(move || usize::from(other.end(2) == TicketEnd::Now)),
        ];
        drop(receiver);
        let ends: usize = threads.map(|thread| thread.join().expect("it ends")).iter().sum();
        (ends, times(&abandoned))
    });
}

#[test]
fn a_sleeper_is_woken_by_the_loss_of_the_last_ticket() {
    explore("ticket: two tickets dropped, wait", Bound::Nothing, [Err(Lost)], || {
        let (abandoned, receiver, ticket) = counted();
        let other = ticket.clone();
        let threads = [thread::spawn(move || drop(ticket)), thread::spawn(move || drop(other))];
        let outcome = receiver.wait();
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
        let (_, receiver, ticket) = counted();
        let other = ticket.clone();
        let ends = thread::spawn(move || assert_eq!(ticket.end(3), TicketEnd::Now));
        let drops = thread::spawn(move || drop(other));
        let outcome = receiver.wait();
        ends.join().expect("it ends");
        drops.join().expect("it ends");
        outcome
    });
}

#[test]
fn a_loss_against_a_drop_of_the_receiver() {
    explore("ticket: loss against abandon", Bound::Nothing, [0, 1], || {
        let (abandoned, receiver, ticket) = counted();
        let loses = thread::spawn(move || drop(ticket));
        drop(receiver);
        loses.join().expect("it ends");
        times(&abandoned)
    });
}

#[test]
fn a_stub_that_moves_to_another_task_is_woken_there() {
    explore("ticket: another waker", Bound::Nothing, [(true, 5), (false, 5)], || {
        let (_, mut receiver, ticket) = counted();
        let ends = thread::spawn(move || assert_eq!(ticket.end(5), TicketEnd::Now));
        let early = Pin::new(&mut receiver).poll(&mut Context::from_waker(Waker::noop()));
        let outcome = match early {
            std::task::Poll::Ready(outcome) => (true, outcome.expect("it was ended")),
            std::task::Poll::Pending => (false, block_on(receiver).expect("it was ended")),
        };
        ends.join().expect("it ends");
        outcome
    });
}
