//! Names and numbers at their limits.

use crate::checks::{Tested, command, same, start};
use libtest_mimic::Trial;
use std::os::unix::process::CommandExt as _;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("a_name_with_nul_is_an_error", name),
        Trial::test("more_children_than_the_soft_limit_allows", many),
    ]
}

fn name() -> Tested {
    let mut tree = start(command(&["name"]))?;
    let said = tree.line("error ")?;
    same("the error", said.contains("expected no NUL"), true)?;
    tree.ends_with(0)
}

fn many() -> Tested {
    let mut tree = command(&["many", "60"]);
    // SAFETY: setrlimit(2) is async-signal-safe.
    unsafe {
        tree.pre_exec(|| {
            let limit = libc::rlimit { rlim_cur: 64, rlim_max: 1024 };
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
            Ok(())
        });
    }
    let mut tree = start(tree)?;
    same("children", tree.line("up ")?, "60".to_owned())?;
    same("the limit of a foreign program", tree.line("limit ")?, "64".to_owned())?;
    tree.ends_with(0)
}
