//! One actor with all of its threads: users, driver, prompt, spawner, and a stop from outside.
//!
//! ```text
//!     user:    send Pause --> wait for the outcome, or leave
//!     driver:  first come, first served: one prompt at a time, until all senders are gone;
//!              a stop revokes the open prompt and refuses who still waits
//!     prompt:  continue, quit, or panic
//! ```

use crate::Seen;
use holdfast_sync::children::{Children, Reap};
use holdfast_sync::engine::atomic::{AtomicUsize, Ordering};
use holdfast_sync::engine::{Arc, thread};
use holdfast_sync::flag::{Flag, FlagLevel};
use holdfast_sync::mailbox::{Receiver, Sender, mailbox};
use holdfast_sync::park::block_on;
use holdfast_sync::release::{Delivery, Release, Remote, release};
use holdfast_sync::ticket::{Ticket, TicketEnd, TicketReceiver, ticket};
use shuttle::rand::Rng;
use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Waker};

/// Every way in which a race of this actor can go.
pub(crate) const OUTCOMES: [&str; 10] = [
    "paused: continued",
    "paused: quit",
    "paused: revoked",
    "paused: prompt gone",
    "paused: refused",
    "left: abandoned",
    "left: ended before",
    "child: signalled",
    "child: reaped before",
    "stop: revoke was late",
];

const USERS: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Continued,
    Quit,
    Revoked,
    PromptGone,
    Refused,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Continued => "paused: continued",
            Self::Quit => "paused: quit",
            Self::Revoked => "paused: revoked",
            Self::PromptGone => "paused: prompt gone",
            Self::Refused => "paused: refused",
        }
    }
}

/// What the driver hears.
enum Told {
    Pause(usize, Ticket<Outcome>),
    Abandoned(usize),
    Released(Outcome),
    Stop,
}

/// Runs it once.
pub(crate) fn run(seen: &Seen) {
    let see = |what| *seen.lock().expect("whole").entry(what).or_default() += 1;
    let (sender, told) = mailbox();
    let (flag, children) = (Flag::new(), Children::new());
    let users: Vec<_> = (0..USERS)
        .map(|user| {
            let sender = sender.clone();
            thread::spawn(move || pause(user, sender))
        })
        .collect();
    let outside = sender.clone();
    let stops = thread::spawn(move || {
        dawdle();
        assert!(outside.send(Told::Stop).is_ok());
    });
    let ending = flag.clone();
    let spawns = thread::spawn(move || spawn(&children, &ending));
    let driver = thread::spawn(move || drive(sender, told, &flag));
    let mut left = 0;
    for user in users {
        match user.join().expect("a user ends") {
            Paused::Got(outcome) => see(outcome.name()),
            Paused::Left => left += 1,
        }
    }
    stops.join().expect("it ends");
    let heard = driver.join().expect("the driver ends");
    assert!(heard.abandoned <= left, "only who leaves abandons");
    (0..heard.abandoned).for_each(|_| see("left: abandoned"));
    (heard.abandoned..left).for_each(|_| see("left: ended before"));
    (0..heard.late_revokes).for_each(|_| see("stop: revoke was late"));
    match spawns.join().expect("the spawner ends") {
        Some(()) => see("child: signalled"),
        None => see("child: reaped before"),
    }
}

/// Lets the others go first for a while, or every random schedule would begin with the stop.
fn dawdle() {
    for _ in 0..shuttle::rand::thread_rng().gen_range(0..60) {
        thread::yield_now();
    }
}

enum Paused {
    Got(Outcome),
    Left,
}

/// One user: odd ones are tasks, even ones threads, each third leaves early.
fn pause(user: usize, sender: Sender<Told>) -> Paused {
    let tells = sender.clone();
    let (mut receiver, ticket): (TicketReceiver<Outcome>, _) = ticket(move || {
        assert!(tells.send(Told::Abandoned(user)).is_ok(), "the driver hears whoever leaves");
    });
    assert!(sender.send(Told::Pause(user, ticket)).is_ok(), "the driver is there");
    drop(sender);
    if user % 3 == 2 {
        let _ = Pin::new(&mut receiver).poll(&mut Context::from_waker(Waker::noop()));
        dawdle();
        return Paused::Left;
    }
    let outcome = if user % 2 == 1 { block_on(receiver) } else { receiver.wait() };
    Paused::Got(outcome.expect("the driver never loses a ticket"))
}

/// A child that ends at once and is signalled when the actor is told to end.
fn spawn(children: &Children<u32, Arc<AtomicUsize>>, flag: &Flag) -> Option<()> {
    assert!(children.insert(1, Arc::new(AtomicUsize::new(0))).is_none());
    let reaper = {
        let children = children.clone();
        thread::spawn(move || {
            dawdle();
            children.reap(1, |reaped| {
                assert_eq!(reaped.fetch_add(1, Ordering::SeqCst), 0, "reaped once");
                Reap::Reaped(())
            })
        })
    };
    flag.wait();
    assert_eq!(flag.look(), FlagLevel::Up);
    let signalled = children.signal(1, |reaped| {
        assert_eq!(reaped.load(Ordering::SeqCst), 0, "a reaped child is signalled");
    });
    assert_eq!(reaper.join().expect("the reaper ends"), Some(Reap::Reaped(())));
    signalled
}

/// What the driver reports at its end.
struct Heard {
    abandoned: usize,
    late_revokes: usize,
}

/// The driver, until every sender is gone.
fn drive(own: Sender<Told>, mut told: Receiver<Told>, flag: &Flag) -> Heard {
    let (prompts, requests) = mailbox();
    let prompt = thread::spawn(move || prompt(requests));
    let mut ends = Some((own, prompts));
    let mut heard = Heard { abandoned: 0, late_revokes: 0 };
    let mut waiting = VecDeque::new();
    let mut open: Option<(Ticket<Outcome>, Remote<Outcome>)> = None;
    let (mut asked, mut served) = (BTreeSet::new(), 0);
    while let Some(news) = told.wait() {
        match news {
            Told::Pause(user, ticket) => {
                assert!(asked.insert(user), "each asks once");
                waiting.push_back(ticket);
            }
            Told::Abandoned(user) => {
                assert!(asked.contains(&user), "who asks is heard before it leaves");
                heard.abandoned += 1;
            }
            Told::Released(outcome) => {
                let (ticket, _) = open.take().expect("what is released was open");
                assert_ne!(ticket.end(outcome), TicketEnd::Before);
                served += 1;
            }
            Told::Stop => {
                assert_eq!(flag.raise(), FlagLevel::Down);
                if let Some((_, remote)) = &open {
                    let late = remote.answer(Outcome::Revoked) == Delivery::Late;
                    heard.late_revokes += usize::from(late);
                }
            }
        }
        while open.is_none()
            && let Some(ticket) = waiting.pop_front()
        {
            match (flag.look(), &ends) {
                (FlagLevel::Down, Some((own, prompts))) => {
                    let own = own.clone();
                    let deliver = move |outcome| assert!(own.send(Told::Released(outcome)).is_ok());
                    let guard = release(deliver, Outcome::PromptGone);
                    open = Some((ticket, guard.remote()));
                    assert!(prompts.send(guard).is_ok(), "the prompt's thread is there");
                }
                _ => {
                    assert_ne!(ticket.end(Outcome::Refused), TicketEnd::Before);
                    served += 1;
                }
            }
        }
        if served == USERS && flag.look() == FlagLevel::Up {
            ends = None;
        }
    }
    assert!(open.is_none(), "every prompt was released");
    prompt.join().expect("the prompt's thread ends");
    heard
}

/// The prompt's thread: continues, quits and panics in turn.
fn prompt(mut requests: Receiver<Release<Outcome>>) {
    let mut turns = [Some(Outcome::Continued), Some(Outcome::Quit), None].into_iter().cycle();
    while let Some(guard) = requests.wait() {
        match turns.next().flatten() {
            Some(outcome) => {
                let _ = guard.answer(outcome);
            }
            None => {
                let unwound = catch_unwind(AssertUnwindSafe(|| {
                    let _guard = guard;
                    resume_unwind(Box::new("the prompt"))
                }));
                assert!(unwound.is_err());
            }
        }
    }
}
