//! The lock is free when its holder's process has ended, whoever has a copy of the baton.

use crate::checks::{Tested, command, kill, start};
use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("a_copy_of_a_killed_holder_does_not_keep_the_lock", copy)]
}

fn copy() -> Tested {
    let mut tree = command(&["lock"]);
    tree.env("HOLDFAST_NO_TERMINAL", "wait:1000");
    let mut tree = start(tree)?;
    let line = tree.line("copy ")?;
    let (_, holder) = line.split_once(" holder ").ok_or("no holder")?;
    kill(holder.parse()?);
    tree.ends_with(1)
}
