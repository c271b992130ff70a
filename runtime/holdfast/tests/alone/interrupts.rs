//! Without a person, an interrupt that comes during a report is obeyed when that is out.

use crate::checks::{Tested, command, start};
use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("reports_that_go_by_do_not_swallow_an_interrupt", reports),
        Trial::test("a_wait_remembers_an_interrupt", wait),
    ]
}

fn reports() -> Tested {
    for actors in ["1", "2", "5"] {
        for _ in 0..3 {
            let mut tree = start(command(&["reports", actors]))?;
            tree.line("nobody is at the prompt")?;
            tree.signal(libc::SIGINT);
            tree.ends_with(130)?;
        }
    }
    Ok(())
}

fn wait() -> Tested {
    for actors in ["1", "2"] {
        let mut tree = command(&["reports", actors]);
        tree.env("HOLDFAST_NO_TERMINAL", "wait:0.5");
        let mut tree = start(tree)?;
        tree.line("root/a0 waits 500ms for somebody")?;
        tree.signal(libc::SIGINT);
        tree.signal(libc::SIGINT);
        tree.ends_with(130)?;
    }
    Ok(())
}
