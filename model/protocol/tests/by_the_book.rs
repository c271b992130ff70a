//! The machines against a book of their rules, on random sequences of inputs.
//!
//! Runs in `cargo test`. The book (`support/book.rs`) is written from the text of the rules, by
//! other means than the code: after each input both must have said the same and stand the same.

#[path = "support/book.rs"]
mod book;
#[path = "support/sequence.rs"]
mod sequence;

use Act::{
    Adopts, Answers, AsksChild, Closes, Cuts, Dones, Ends, Expires, Grants, Interrupts, Losts,
    Orphans, Pauses, PausesShielded, Reaps, ReapsKilled, Refuses, Wants,
};
use book::{Book, Phase, Place, Row, Told};
use holdfast_protocol::hold::HoldStage;
use holdfast_protocol::input::Shielding;
use holdfast_protocol::ladder::{ChildLink, Grace, Kinship};
use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::lock::server::{LockServer, NextGrant, Released};
use holdfast_protocol::node::TreePosition;
use holdfast_protocol::sigint::Disposition;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{
    ActorId, Answer, Cause, DebugMode, Input, Message, Node, Origin, Outbox, Output, Policy,
    RequestId, Signal, Status, Timer,
};
use proptest::collection::vec;
use proptest::prelude::*;
use sequence::{demand, find_failure};
use std::collections::{BTreeMap, BTreeSet};

/// What happens to a supervisor. A number picks a child, a request or a timer.
#[derive(Clone, Copy, Debug)]
enum Act {
    AsksChild(usize),
    Ends,
    Wants(usize),
    Dones(usize),
    Losts(usize),
    Closes,
    Grants(usize),
    Refuses(usize),
    Pauses,
    PausesShielded,
    Answers,
    Expires(usize),
    Interrupts,
    Cuts(usize),
    /// A child is reaped that was killed, which is a failure unless it was asked to end.
    ReapsKilled(usize),
    Reaps(usize),
    Adopts,
    Orphans,
}

const ABOVE: ActorId = ActorId(0);
const ME: ActorId = ActorId(1);
const CHILDREN: [ActorId; 2] = [ActorId(2), ActorId(3)];
const ORPHAN: ActorId = ActorId(4);

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let pick = || 0..6_usize;
    let act = prop_oneof![
        2 => pick().prop_map(AsksChild),
        2 => Just(Ends),
        12 => pick().prop_map(Wants),
        8 => pick().prop_map(Dones),
        2 => pick().prop_map(Losts),
        8 => Just(Closes),
        8 => pick().prop_map(Grants),
        2 => pick().prop_map(Refuses),
        3 => Just(Pauses),
        1 => Just(PausesShielded),
        4 => Just(Answers),
        6 => pick().prop_map(Expires),
        4 => Just(Interrupts),
        1 => pick().prop_map(Cuts),
        1 => pick().prop_map(Reaps),
        1 => pick().prop_map(ReapsKilled),
        1 => Just(Adopts),
        1 => Just(Orphans),
    ];
    vec(act, 0..50)
}

/// A machine, the book, and the names that were given so far.
struct Pair {
    node: Node,
    book: Book,
    timers: BTreeSet<Timer>,
    serial: u32,
}

fn nth<T: Copy>(items: &[T], pick: usize) -> Option<T> {
    items.get(pick % items.len().max(1)).copied()
}

impl Pair {
    fn new(place: Place) -> Result<Self, String> {
        let node = match place {
            Place::Root => Node::root(ME, Policy::RELAY, DebugMode::Off),
            Place::Below | Place::Orphan => {
                Node::below(ABOVE, ABOVE, ME, Policy::RELAY, DebugMode::Off)
            }
        };
        let book = Book::new(ME, ABOVE, place);
        let mut pair = Self { node, book, timers: BTreeSet::new(), serial: 0 };
        for child in CHILDREN {
            pair.take(Input::Spawned { child })?;
        }
        Ok(pair)
    }

    /// The input that an act is here, if it is possible.
    fn input(&mut self, act: Act) -> Option<Input> {
        let root = self.book.place == Place::Root;
        let rows = |which: fn(&Row) -> bool| -> Vec<Row> {
            self.book.rows.iter().copied().filter(which).collect()
        };
        let kids: Vec<_> = self.book.kids.keys().copied().collect();
        match act {
            AsksChild(pick) => Some(Input::CancelChild { child: nth(&kids, pick)? }),
            Ends => Some(Input::Cancel { cause: Cause::Requested }),
            Wants(pick) => {
                let from = nth(&CHILDREN, pick)?;
                // Half of them come from further below.
                let actor = if pick < 3 { from } else { ActorId(10 + from.0) };
                let request = RequestId { actor, serial: self.serial };
                self.serial += 1;
                Some(Input::Received { from, message: Message::Want { request } })
            }
            Dones(pick) | Losts(pick) => {
                let row = nth(&rows(|row| row.via.is_some()), pick)?;
                let request = row.request;
                let message = match act {
                    Losts(_) => Message::Lost { request },
                    _ => Message::Done { request },
                };
                Some(Input::Received { from: row.via?, message })
            }
            Closes => {
                let row = self.book.owner().filter(|row| root && row.via.is_some())?;
                Some(Input::BatonClosed { request: row.request })
            }
            Grants(pick) | Refuses(pick) => {
                let held = self.book.owner().is_some() && matches!(act, Grants(_));
                let waits = rows(|row| row.phase == Phase::Waits);
                let request = nth(&waits, pick).filter(|_| !held)?.request;
                let message = match act {
                    Grants(_) => Message::Grant { request },
                    _ => Message::Refuse { request },
                };
                let listens = self.book.place == Place::Below;
                listens.then_some(Input::Received { from: ABOVE, message })
            }
            Pauses => Some(Input::Pause { shielding: Shielding::Plain }),
            PausesShielded => Some(Input::Pause { shielding: Shielding::Shielded }),
            Answers => {
                let row = self.book.owner().filter(|row| row.via.is_none())?;
                Some(Input::Answered { request: row.request, answer: Answer::Continue })
            }
            Expires(pick) => {
                let timers: Vec<_> = self.timers.iter().copied().collect();
                Some(Input::Expired { timer: nth(&timers, pick)? })
            }
            Interrupts => {
                Some(Input::Signalled { signal: Signal::Interrupt, origin: Origin::Process })
            }
            Cuts(pick) => Some(Input::LinkEnded { peer: nth(&CHILDREN, pick)? }),
            ReapsKilled(pick) => {
                Some(Input::Exited { child: nth(&kids, pick)?, status: Status::Killed })
            }
            Reaps(pick) => {
                Some(Input::Exited { child: nth(&kids, pick)?, status: Status::Finished })
            }
            Adopts => root.then_some(Input::Adopted { child: ORPHAN }),
            Orphans => (!root).then_some(Input::LinkEnded { peer: ABOVE }),
        }
    }

    fn act(&mut self, act: Act) -> Result<(), String> {
        // A child that is reaped says nothing, and its link has ended before.
        match self.input(act) {
            Some(input) => self.take(input).map_err(|why| format!("{why}\nafter {input:?}")),
            None => Ok(()),
        }
    }

    fn take(&mut self, input: Input) -> Result<(), String> {
        if let Input::Expired { timer } = input {
            self.timers.remove(&timer);
        }
        let mut out = Outbox::new();
        self.node.handle(input, &mut out);
        let mut said = Vec::new();
        for output in out.drain() {
            match output {
                Output::Arm { timer } => {
                    demand(self.timers.insert(timer), || format!("{timer:?} is armed twice"))?;
                }
                Output::Disarm { timer } => {
                    demand(self.timers.remove(&timer), || format!("{timer:?} was not armed"))?;
                }
                Output::Requested { .. } | Output::Noticed { .. } | Output::Sweep => {}
                other => said.push(other),
            }
        }
        let mut expected = self.book.expect(input);
        said.sort();
        expected.sort();
        demand(said == expected, || format!("said     {said:?}\nexpected {expected:?}"))?;
        self.compare()
    }

    fn compare(&self) -> Result<(), String> {
        let holds: BTreeMap<_, _> = self
            .node
            .holds()
            .iter()
            .map(|(request, hold)| (request, (hold.via, hold.stage)))
            .collect();
        let below = self.book.rows.iter().filter_map(|row| {
            let stage = match row.phase {
                Phase::Waits => HoldStage::Waiting,
                Phase::Has => HoldStage::Granted,
                Phase::Adrift => HoldStage::Detached,
                Phase::Over => HoldStage::Closed,
            };
            row.via.map(|via| (row.request, (via, stage)))
        });
        same("holds", &holds, &below.collect())?;
        let own: Vec<_> = self.node.requests().iter().map(|own| (own.request, own.stage)).collect();
        let rows = self.book.rows.iter().filter(|row| row.via.is_none());
        let stage = |row: &Row| match row.phase {
            Phase::Waits => RequestStage::Waiting,
            Phase::Has | Phase::Adrift | Phase::Over => RequestStage::Open,
        };
        same("requests", &own, &rows.map(|row| (row.request, stage(row))).collect())?;
        if let TreePosition::Root { server, .. } = self.node.position() {
            same("owner", &server.owner(), &self.book.owner().map(|row| row.request))?;
            let waits = self.book.rows.iter().filter(|row| row.phase == Phase::Waits);
            let queue = server.waiting().collect::<Vec<_>>();
            same("queue", &queue, &waits.map(|row| row.request).collect())?;
        }
        let told = match self.node.teardown() {
            Teardown::NotAsked => Told::No,
            Teardown::Deferred(cause) => Told::Waits(cause),
            Teardown::Running(cause) => Told::Ends(cause),
            Teardown::Over => return Err("it is over".to_owned()),
        };
        same("teardown", &told, &self.book.told)?;
        let shielded = self.node.disposition() == Disposition::Shield;
        same("shield", &shielded, &self.book.holds())?;
        self.compare_children()
    }

    fn compare_children(&self) -> Result<(), String> {
        let kids = self.node.children().iter().map(|(id, child)| {
            let armed = child.grace == Grace::On;
            same("a timer", &self.timers.contains(&Timer::Grace(*id)), &armed)?;
            let (linked, adopted) =
                (child.link == ChildLink::Up, child.kinship == Kinship::Adopted);
            Ok((*id, (child.rung as u8, linked, adopted, armed)))
        });
        let kids: BTreeMap<_, _> = kids.collect::<Result<_, String>>()?;
        let expected = self.book.kids.iter();
        let expected = expected
            .map(|(id, kid)| (*id, (kid.rung, kid.linked, kid.adopted, self.book.armed(*id))));
        same("children", &kids, &expected.collect())?;
        same("timers", &self.timers.len(), &kids.values().filter(|kid| kid.3).count())
    }
}

fn same<T: std::fmt::Debug + PartialEq>(what: &str, is: &T, should: &T) -> Result<(), String> {
    demand(is == should, || format!("{what}: {is:?}, by the book {should:?}"))
}

fn run(place: Place, acts: &[Act]) -> Result<(), String> {
    let mut pair = Pair::new(place)?;
    acts.iter().try_for_each(|act| pair.act(*act))
}

#[test]
fn a_root_does_what_the_rules_say() {
    find_failure("a_root_does_what", 10_000, acts(), |acts| run(Place::Root, acts));
}

#[test]
fn an_actor_between_does_what_the_rules_say() {
    find_failure("an_actor_between_does_what", 10_000, acts(), |acts| run(Place::Below, acts));
}

/// What happens to a lock. A number names a request.
#[derive(Clone, Copy, Debug)]
enum OnLock {
    Enqueue,
    Withdraw(u32),
    GrantNext,
    Release(u32),
}

/// R2: who came first and is still there is served next, and only the owner gives back.
fn serve(acts: &[OnLock]) -> Result<(), String> {
    let request = |serial| RequestId { actor: ME, serial };
    let (mut server, mut next) = (LockServer::default(), 0);
    let (mut here, mut owner) = (BTreeSet::new(), None);
    for act in acts {
        match *act {
            OnLock::Enqueue => {
                server.enqueue(request(next));
                here.insert(next);
                next += 1;
            }
            OnLock::Withdraw(serial) => {
                server.withdraw(request(serial));
                here.remove(&serial);
            }
            OnLock::GrantNext => {
                let due = owner.is_none().then(|| here.pop_first()).flatten();
                let expected =
                    due.map_or(NextGrant::Nobody, |serial| NextGrant::Grant(request(serial)));
                same("granted", &server.grant_next(), &expected)?;
                owner = owner.or(due);
            }
            OnLock::Release(serial) => {
                let freed = owner == Some(serial);
                let expected = if freed { Released::Freed } else { Released::NotTheOwner };
                same("released", &server.release(request(serial)), &expected)?;
                owner = owner.filter(|_| !freed);
            }
        }
        same("owner", &server.owner(), &owner.map(request))?;
        let waits: Vec<_> = here.iter().copied().map(request).collect();
        same("waiting", &server.waiting().collect(), &waits)?;
    }
    Ok(())
}

#[test]
fn the_lock_serves_who_came_first_and_is_given_back_once() {
    let act = prop_oneof![
        4 => Just(OnLock::Enqueue),
        1 => (0..12_u32).prop_map(OnLock::Withdraw),
        3 => Just(OnLock::GrantNext),
        3 => (0..12_u32).prop_map(OnLock::Release),
    ];
    find_failure("the_lock_serves", 5_000, vec(act, 0..40), serve);
}
