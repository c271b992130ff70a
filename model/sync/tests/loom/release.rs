//! Races of the release: continue, quit, revoke, a panic in the prompt, drop, a lost channel.

use crate::explore::{Bound, explore};
use holdfast_sync::engine::thread;
use holdfast_sync::mailbox::mailbox;
use holdfast_sync::release::{Delivery, Release, release};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

type Delivered = Arc<Mutex<Vec<&'static str>>>;

fn recorded() -> (Delivered, Release<&'static str>) {
    let delivered = Delivered::default();
    let record = Arc::clone(&delivered);
    let release = release(move |answer| record.lock().expect("whole").push(answer), "drop");
    (delivered, release)
}

/// The one answer that was delivered.
fn once(delivered: &Delivered) -> &'static str {
    let delivered = delivered.lock().expect("whole");
    assert_eq!(delivered.len(), 1, "released exactly once: {delivered:?}");
    delivered[0]
}

/// Each answers from a thread of its own and drops its handle; the one that was first.
fn race<const N: usize>(answers: [&'static str; N], guard: &Release<&'static str>) -> [bool; N] {
    let threads = answers.map(|answer| {
        let handle = guard.clone();
        thread::spawn(move || handle.answer(answer) == Delivery::First)
    });
    threads.map(|thread| thread.join().expect("it ends"))
}

#[test]
fn continue_quit_and_revoke() {
    let answers = ["continue", "quit", "revoke"];
    explore("release: three answers", Bound::Nothing, answers, move || {
        let (delivered, guard) = recorded();
        let first = race(answers, &guard);
        drop(guard);
        let released = once(&delivered);
        assert_eq!(first, answers.map(|answer| answer == released));
        released
    });
}

#[test]
fn two_answers_against_the_drop_of_a_handle() {
    explore("release: answers against drop", Bound::Nothing, ["continue", "revoke"], || {
        let (delivered, guard) = recorded();
        let (person, driver) = (guard.clone(), guard.clone());
        let threads = [
            thread::spawn(move || usize::from(person.answer("continue") == Delivery::First)),
            thread::spawn(move || usize::from(driver.answer("revoke") == Delivery::First)),
        ];
        drop(guard);
        let firsts: usize = threads.map(|thread| thread.join().expect("it ends")).iter().sum();
        assert_eq!(firsts, 1);
        once(&delivered)
    });
}

#[test]
fn handles_that_are_dropped_together() {
    explore("release: three drops", Bound::Nothing, ["drop"], || {
        let (delivered, guard) = recorded();
        let threads = [guard.clone(), guard.clone()].map(|handle| thread::spawn(|| drop(handle)));
        drop(guard);
        for thread in threads {
            thread.join().expect("it ends");
        }
        once(&delivered)
    });
}

#[test]
fn a_panic_in_the_prompt_against_a_revoke() {
    explore("release: panic against revoke", Bound::Nothing, ["drop", "revoke"], || {
        let (delivered, guard) = recorded();
        let driver = guard.remote();
        let prompt = thread::spawn(move || {
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                let _prompt = guard;
                resume_unwind(Box::new("the prompt"))
            }));
            assert!(unwound.is_err());
        });
        let revoked = driver.answer("revoke");
        prompt.join().expect("it ends");
        let released = once(&delivered);
        assert_eq!(revoked == Delivery::First, released == "revoke");
        released
    });
}

#[test]
fn an_answer_against_a_lost_channel_against_a_drop() {
    let outcomes = ["continue", "lost"];
    explore("release: answer, lost, drop", Bound::Nothing, outcomes, || {
        let (delivered, guard) = recorded();
        let (first, second) = (guard.remote(), guard.remote());
        let channel = thread::spawn(move || second.answer("lost"));
        let person = thread::spawn(move || guard.answer("continue"));
        let late = first.answer("continue");
        let ends = [channel, person].map(|thread| thread.join().expect("it ends"));
        let firsts = ends.into_iter().chain([late]).filter(|end| *end == Delivery::First);
        assert_eq!(firsts.count(), 1);
        once(&delivered)
    });
}

#[test]
fn a_panic_in_the_prompt_against_a_driver_that_only_looks_in() {
    explore("release: panic against drop", Bound::Nothing, ["drop"], || {
        let (delivered, guard) = recorded();
        let driver = guard.clone();
        let driver = thread::spawn(move || drop(driver));
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _prompt = guard;
            resume_unwind(Box::new("the prompt"))
        }));
        assert!(unwound.is_err());
        driver.join().expect("it ends");
        once(&delivered)
    });
}

#[test]
fn the_driver_hears_of_the_release_once_and_is_woken() {
    let outcomes = ["continue", "lost"];
    explore("release: through the mailbox", Bound::Nothing, outcomes, || {
        let (sender, mut receiver) = mailbox();
        let guard = release(move |answer| assert!(sender.send(answer).is_ok()), "drop");
        let (person, channel) = (guard.clone(), guard);
        let threads = [
            thread::spawn(move || person.answer("continue")),
            thread::spawn(move || channel.answer("lost")),
        ];
        let released = receiver.wait().expect("it was released");
        assert_eq!(receiver.wait(), None, "once");
        let answered = threads.map(|thread| thread.join().expect("it ends"));
        assert_eq!(answered.contains(&Delivery::Late), answered.contains(&Delivery::First));
        released
    });
}
