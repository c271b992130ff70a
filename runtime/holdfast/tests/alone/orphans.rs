//! Every orphan is reaped at once, whatever it did; a child of the program's own is never touched.

use crate::checks::{Tested, command, same, spin, start};
use libtest_mimic::{Failed, Trial};
use std::os::unix::process::CommandExt as _;

/// Ways to leave an orphan, in a shell.
const WAYS: [&str; 8] = [
    "(true &)",
    "(sleep 0.02 &)",
    "(env -i /bin/sleep 0.02 &)",
    "(env -i /bin/true &)",
    "(setsid true &)",
    "(setsid sh -c '(true &)' &)",
    "(sh -c 'kill -9 $$' &)",
    "((exec sh -c 'exec true') &)",
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("orphans_are_reaped_at_once", reaped),
        Trial::test("a_child_of_a_thread_that_ended_is_the_programs", threads),
        Trial::test("a_child_from_before_the_tree_is_left_alone", early),
        Trial::test("the_jobs_of_a_shell_that_became_the_program_are_left_alone", jobs),
    ]
}

fn reaped() -> Tested {
    for how in ["root", "actor", "deep", "command"] {
        for way in WAYS {
            let script =
                format!("for i in $(seq 50); do {way}; done; echo looped; exec sleep 1000");
            let mut tree = start(command(&["hears", how, &script]))?;
            tree.line("looped")?;
            // The actor, or the shell; not those that it has left.
            let gone = spin("no zombie", || Ok((tree.children() == (0, 1)).then_some(())));
            gone.map_err(|_| Failed::from(format!("{how} {way}: {:?}", tree.children())))?;
            tree.signal(libc::SIGTERM);
            tree.ends_with(143)?;
        }
    }
    Ok(())
}

fn threads() -> Tested {
    let mut tree = start(command(&["threads", "60"]))?;
    same("statuses", tree.line("waited ")?, "60".to_owned())?;
    tree.ends_with(0)
}

fn early() -> Tested {
    let mut tree = start(command(&["early"]))?;
    same("after the tree", tree.line("early runs ")?, "true".to_owned())?;
    same("its status", tree.line("early ")?, "signal 9".to_owned())?;
    tree.ends_with(0)
}

fn jobs() -> Tested {
    let mut shell = std::process::Command::new("/bin/sh");
    let exe = std::env::current_exe()?.display().to_string();
    let script = "sleep 1000 & echo job $!; exec \"$0\" --program name";
    shell.args(["-c", script, &exe]).stdin(std::process::Stdio::null());
    // SAFETY: setsid(2) is async-signal-safe.
    unsafe { shell.pre_exec(|| nix::unistd::setsid().map(drop).map_err(Into::into)) };
    let mut tree = start(shell)?;
    let session = tree.pid();
    tree.line("error ")?;
    tree.ends_with(0)?;
    let left = crate::checks::processes().into_iter().filter(|one| one.session == session);
    same("jobs that live on", left.filter(|one| !one.zombie).count(), 1)
}
