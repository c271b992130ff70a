//! The ticket under the standard library: every order of two events, and who is told.

use super::{Lost, Ticket, TicketEnd, TicketReceiver, ticket};
use crate::park::block_on;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

fn counted() -> (Arc<AtomicUsize>, TicketReceiver<u8>, Ticket<u8>) {
    let abandoned = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&abandoned);
    let (receiver, ticket) = ticket(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    (abandoned, receiver, ticket)
}

#[test]
fn what_comes_first_decides() {
    #[derive(Clone, Copy, Debug)]
    enum Event {
        End,
        Abandon,
        Lose,
    }
    use Event::{Abandon, End as Ends, Lose};
    // First, second; what the receiver got, what the last end got, how often it was abandoned.
    let table = [
        (Ends, Ends, Some(Ok(7)), Some(TicketEnd::Before), 0),
        (Ends, Abandon, None, Some(TicketEnd::Now), 0),
        (Ends, Lose, Some(Ok(7)), Some(TicketEnd::Now), 0),
        (Abandon, Ends, None, Some(TicketEnd::Abandoned), 1),
        (Abandon, Lose, None, None, 1),
        (Lose, Abandon, None, None, 0),
        (Lose, Lose, Some(Err(Lost)), None, 0),
    ];
    for (first, second, got, ended, count) in table {
        let (abandoned, receiver, ticket) = counted();
        let (mut receiver, mut ticket, mut last) = (Some(receiver), Some(ticket), None);
        for event in [first, second] {
            match event {
                Ends => last = ticket.as_ref().map(|ticket| ticket.end(7)),
                Abandon => drop(receiver.take()),
                Lose => drop(ticket.take()),
            }
        }
        assert_eq!(last, ended, "{first:?}, {second:?}");
        assert_eq!(receiver.map(TicketReceiver::wait), got, "{first:?}, {second:?}");
        drop(ticket);
        assert_eq!(abandoned.load(Ordering::SeqCst), count, "{first:?}, {second:?}");
    }
}

#[test]
fn an_end_after_the_outcome_was_taken_comes_too_late() {
    let (abandoned, receiver, ticket) = counted();
    assert_eq!(ticket.end(1), TicketEnd::Now);
    assert_eq!(block_on(receiver), Ok(1));
    assert_eq!(ticket.end(2), TicketEnd::Before);
    assert_eq!(abandoned.load(Ordering::SeqCst), 0);
}

#[test]
fn a_clone_keeps_the_pause_from_being_lost() {
    let (_, mut receiver, ticket) = counted();
    let clone = ticket.clone();
    drop(ticket);
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(Pin::new(&mut receiver).poll(&mut context), Poll::Pending);
    drop(clone);
    assert_eq!(Pin::new(&mut receiver).poll(&mut context), Poll::Ready(Err(Lost)));
}

#[test]
fn a_thread_waits_for_an_end_and_for_a_loss() {
    for (outcome, expected) in [(Some(3), Ok(3)), (None, Err(Lost))] {
        let (abandoned, receiver, ticket) = counted();
        let waits = thread::spawn(move || receiver.wait());
        if let Some(outcome) = outcome {
            assert_eq!(ticket.end(outcome), TicketEnd::Now);
        }
        drop(ticket);
        assert_eq!(waits.join().expect("it ends"), expected);
        assert_eq!(abandoned.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn on_abandon_may_use_a_ticket_of_the_same_pause() {
    let (slot, filled) = (Arc::new(std::sync::OnceLock::<Ticket<u8>>::new()), counted());
    drop(filled);
    let inner = Arc::clone(&slot);
    let (receiver, ticket) = ticket(move || {
        assert_eq!(inner.get().map(|ticket| ticket.end(1)), Some(TicketEnd::Abandoned));
    });
    assert!(slot.set(ticket).is_ok());
    drop(receiver);
}
