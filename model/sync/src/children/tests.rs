//! The child table under the standard library.

use super::{Children, Reap};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

#[test]
fn a_child_is_signalled_until_it_is_reaped() {
    let children = Children::new();
    assert!(children.is_empty());
    assert_eq!(children.insert(2, "b"), None);
    assert_eq!(children.insert(1, "a"), None);
    let clone = children.clone();
    assert_eq!((clone.len(), clone.signal(1, |handle| handle.len())), (2, Some(1)));
    assert_eq!(clone.reap(1, |_| Reap::<u8>::Running), Some(Reap::Running));
    assert_eq!(clone.signal(1, |handle| *handle), Some("a"), "it still runs");
    assert_eq!(clone.reap(1, |_| Reap::Reaped(0)), Some(Reap::Reaped(0)));
    assert_eq!(children.signal(1, |handle| *handle), None);
    assert_eq!(children.reap(1, |_| Reap::Reaped(0)), None);
    let mut left = Vec::new();
    children.each(|child, handle| left.push((child, *handle)));
    assert_eq!(left, [(2, "b")]);
    assert_eq!(children.insert(2, "c"), Some("b"), "what stood there comes back");
}

#[test]
fn a_closure_that_panics_leaves_the_child_and_the_table_usable() {
    let children = Children::new();
    assert_eq!(children.insert(1, ()), None);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        children.reap(1, |()| -> Reap<()> { resume_unwind(Box::new("waitid")) })
    }));
    assert!(unwound.is_err());
    assert_eq!(children.signal(1, |()| 9), Some(9));
}
