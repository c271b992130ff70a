//! What a program starts hears what it would hear without the runtime, however it is started.

use crate::checks::{Tested, command, same, start};
use libtest_mimic::{Failed, Trial};
use std::os::unix::process::CommandExt as _;

/// The ways to start a program in a tree.
const WAYS: [&str; 7] = ["root", "thread", "fork", "actor", "deep", "command", "plain"];

/// Scripts that do not end, or end otherwise, where signals are blocked, ignored or handled.
const SCRIPTS: [&str; 6] = [
    "grep SigBlk /proc/self/status | sed 's/^/line /'; echo line end",
    "true & wait; echo line end",
    "timeout 1 sleep 100; echo line $?; echo line end",
    "sleep 100 & kill -TERM $!; wait $!; echo line $?; echo line end",
    "trap 'echo line usr1' USR1; kill -USR1 $$; echo line end",
    "sh -c 'kill -INT $$'; echo line $?; sh -c 'kill -HUP $$'; echo line $?; echo line end",
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("what_is_started_hears_what_it_would_hear_alone", alone),
        Trial::test("a_mask_from_the_starter_is_handed_on_and_does_not_make_the_tree_deaf", masked),
        Trial::test("ignored_signals_stay_ignored_but_sigchld_does_not", ignored),
        Trial::test("a_copy_of_a_process_is_not_deaf", copies),
        Trial::test("an_end_that_nobody_knows_is_a_failure", lost),
    ]
}

fn lines(how: &str, script: &str) -> Result<Vec<String>, Failed> {
    let mut tree = start(command(&["hears", how, script]))?;
    let mut lines = Vec::new();
    while lines.last().is_none_or(|line| line != "end") {
        lines.push(tree.line("line ").map_err(|error| format!("{how}: {script}: {error:?}"))?);
    }
    lines.push(tree.line("status ")?);
    tree.ends_with(0)?;
    Ok(lines)
}

fn alone() -> Tested {
    for script in SCRIPTS {
        let expected = lines("plain", script)?;
        for how in WAYS {
            let found = lines(how, script)?;
            let both = found.iter().zip(&expected);
            let alike = both.clone().all(|(found, expected)| {
                found == expected
                // The exit code of a foreign program is told in words.
                || found.ends_with(expected.trim_start_matches("exit "))
            });
            same(&format!("{how}: {script}: {found:?} {expected:?}"), alike, true)?;
        }
    }
    Ok(())
}

fn masked() -> Tested {
    let blocked = |words: &[&str]| {
        let mut tree = command(words);
        // SAFETY: sigprocmask(2) is async-signal-safe.
        unsafe {
            tree.pre_exec(|| {
                let mut mask = std::mem::zeroed();
                libc::sigemptyset(&raw mut mask);
                for signal in [libc::SIGTERM, libc::SIGCHLD, libc::SIGUSR2, libc::SIGALRM] {
                    libc::sigaddset(&raw mut mask, signal);
                }
                libc::sigprocmask(libc::SIG_SETMASK, &raw const mask, std::ptr::null_mut());
                Ok(())
            });
        }
        start(tree)
    };
    let script = "grep SigBlk /proc/self/status; exit 0";
    let mut expected = None;
    for how in ["plain", "root", "thread", "fork", "actor", "deep", "command"] {
        let mut tree = blocked(&["hears", how, script])?;
        let found = tree.line("SigBlk:")?;
        tree.ends_with(0)?;
        same(how, found.clone(), expected.get_or_insert(found).clone())?;
    }
    let mut tree = blocked(&["reports", "0"])?;
    tree.ends_with(0)?;
    let mut tree = blocked(&["hears", "root", "echo up; exec sleep 1000"])?;
    tree.line("up")?;
    tree.signal(libc::SIGTERM);
    tree.ends_with(143)
}

fn ignored() -> Tested {
    let ignoring = |words: &[&str]| {
        let mut tree = command(words);
        // SAFETY: signal(2) is async-signal-safe, and neither disposition is a handler.
        unsafe {
            tree.pre_exec(|| {
                for signal in [libc::SIGCHLD, libc::SIGHUP, libc::SIGINT] {
                    libc::signal(signal, libc::SIG_IGN);
                }
                Ok(())
            });
        }
        start(tree)
    };
    let mut tree = ignoring(&["hears", "command", "sleep 0.1; exit 4"])?;
    tree.line("error: root/sh ended with exit code 4")?;
    tree.ends_with(1)?;
    let mut tree = ignoring(&["hears", "command", "kill -9 $$"])?;
    tree.ends_with(1)?;
    let mut tree = ignoring(&["hears", "actor", "echo up; exec sleep 1000"])?;
    tree.line("up")?;
    tree.signal(libc::SIGHUP);
    tree.signal(libc::SIGINT);
    tree.signal(libc::SIGTERM);
    tree.ends_with(143)
}

fn copies() -> Tested {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1] {
        let mut tree = start(command(&["copy", &signal.to_string()]))?;
        same("how the copy ends", tree.line("status ")?, format!("signal {signal}"))?;
        tree.ends_with(0)?;
    }
    Ok(())
}

fn lost() -> Tested {
    for how in ["ignored", "thrown-away"] {
        let mut tree = start(command(&["lost", how]))?;
        tree.line("error: root/sh has ended and nobody knows how")
            .map_err(|error| format!("{how}: {error:?}"))?;
        tree.ends_with(1)?;
    }
    Ok(())
}
