//! The guard under the standard library: answers, drops and unwinding, one after another.

use super::{Delivery, Release, release};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

type Delivered = Arc<Mutex<Vec<&'static str>>>;

fn recorded() -> (Delivered, Release<&'static str>) {
    let delivered = Delivered::default();
    let record = Arc::clone(&delivered);
    let release = release(move |answer| record.lock().expect("whole").push(answer), "drop");
    (delivered, release)
}

fn all(delivered: &Delivered) -> Vec<&'static str> {
    delivered.lock().expect("whole").clone()
}

#[test]
fn the_first_answer_is_delivered_and_no_other() {
    let (delivered, guard) = recorded();
    let other = guard.clone();
    assert_eq!(guard.answer("continue"), Delivery::First);
    assert_eq!(all(&delivered), ["continue"]);
    assert_eq!(other.answer("quit"), Delivery::Late);
    assert_eq!(guard.answer("revoke"), Delivery::Late);
    drop((guard, other));
    assert_eq!(all(&delivered), ["continue"]);
}

#[test]
fn the_last_handles_drop_is_the_release() {
    let (delivered, guard) = recorded();
    let other = guard.clone();
    drop(guard);
    assert_eq!(all(&delivered), Vec::<&str>::new());
    drop(other);
    assert_eq!(all(&delivered), ["drop"]);
}

#[test]
fn unwinding_is_a_drop() {
    let (delivered, guard) = recorded();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _guard = guard;
        resume_unwind(Box::new("the prompt"))
    }));
    assert!(unwound.is_err());
    assert_eq!(all(&delivered), ["drop"]);
}

#[test]
fn a_remote_answers_and_puts_off_no_drop() {
    let (delivered, guard) = recorded();
    let remote = guard.remote();
    assert_eq!(remote.answer("revoke"), Delivery::First);
    assert_eq!(guard.answer("continue"), Delivery::Late);
    assert_eq!(all(&delivered), ["revoke"]);

    let (delivered, guard) = recorded();
    let remote = guard.remote();
    drop(guard);
    assert_eq!(all(&delivered), ["drop"]);
    assert_eq!(remote.answer("revoke"), Delivery::Late);
}

#[test]
fn a_delivery_may_answer_again() {
    let slot = Arc::new(Mutex::new(None::<Release<u8>>));
    let inner = Arc::clone(&slot);
    let guard = release(
        move |_| {
            let own = inner.lock().expect("whole").take();
            assert_eq!(own.map(|own| own.answer(2)), Some(Delivery::Late));
        },
        0,
    );
    *slot.lock().expect("whole") = Some(guard.clone());
    assert_eq!(guard.answer(1), Delivery::First);
}
