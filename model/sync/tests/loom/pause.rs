//! A pause as the runtime has it: the ticket goes through the driver's mailbox.

use crate::explore::{Bound, explore};
use holdfast_sync::engine::thread;
use holdfast_sync::mailbox::mailbox;
use holdfast_sync::ticket::{Lost, Ticket, TicketEnd, ticket};

/// What the driver hears.
enum Told {
    Pause(Ticket<u8>),
    Abandoned,
}

#[test]
fn a_driver_that_goes_away_lets_nobody_wait() {
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Ending {
        Refused,
        Lost,
        Ended,
    }
    let outcomes = [Ending::Refused, Ending::Lost, Ending::Ended];
    explore("pause: driver gone", Bound::Nothing, outcomes, || {
        let (sender, mut receiver) = mailbox::<Told>();
        let driver = thread::spawn(move || {
            if let Some(Told::Pause(ticket)) = receiver.try_recv() {
                assert_eq!(ticket.end(1), TicketEnd::Now);
            }
        });
        let (receiver, ticket) = ticket(|| ());
        let ending = match sender.send(Told::Pause(ticket)) {
            Err(_) => Ending::Refused,
            Ok(()) => match receiver.wait() {
                Ok(outcome) => {
                    assert_eq!(outcome, 1);
                    Ending::Ended
                }
                Err(Lost) => Ending::Lost,
            },
        };
        driver.join().expect("it ends");
        ending
    });
}

#[test]
fn the_driver_hears_of_each_pause_that_nobody_waits_for() {
    let outcomes = [(TicketEnd::Now, 0), (TicketEnd::Abandoned, 1)];
    explore("pause: cancelled task", Bound::Nothing, outcomes, || {
        let (sender, mut receiver) = mailbox();
        let tells = sender.clone();
        let task = thread::spawn(move || {
            let (receiver, ticket) = ticket(move || assert!(tells.send(Told::Abandoned).is_ok()));
            assert!(sender.send(Told::Pause(ticket)).is_ok());
            drop(receiver);
        });
        let (mut end, mut told) = (None, 0);
        while let Some(item) = receiver.wait() {
            match item {
                Told::Pause(ticket) => end = Some(ticket.end(1)),
                Told::Abandoned => told += 1,
            }
        }
        task.join().expect("it ends");
        (end.expect("the pause came"), told)
    });
}

#[test]
fn two_tasks_are_served_in_the_order_in_which_they_asked() {
    explore("pause: first come, first served", Bound::Preemptions(3), [[1, 2], [2, 1]], || {
        let (sender, mut receiver) = mailbox();
        let other = sender.clone();
        let tasks = [(1, sender), (2, other)].map(|(number, sender)| {
            thread::spawn(move || {
                let (receiver, ticket) = ticket(|| ());
                assert!(sender.send((number, ticket)).is_ok());
                drop(sender);
                receiver.wait().expect("it is served")
            })
        });
        let mut order = [0; 2];
        let mut place = 0_u8;
        while let Some((number, ticket)) = receiver.wait() {
            order[usize::from(place)] = number;
            assert_eq!(ticket.end(place), TicketEnd::Now);
            place += 1;
        }
        let places = tasks.map(|task| task.join().expect("it ends"));
        assert_eq!(places.map(|place| order[usize::from(place)]), [1, 2]);
        order
    });
}
