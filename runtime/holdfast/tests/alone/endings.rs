//! Ends of a root that are not the end of its tree: the terminal, the last words, what is below.

use crate::checks::{Tested, command, kill, processes, same, spin};
use crate::terminal::{OnTerminal, code, start_on_terminal};
use libtest_mimic::{Failed, Trial};
use nix::libc;

/// How a root ends itself, and with which code a shell shows that.
const WAYS: [(&str, i32); 7] = [
    ("exit", 3),
    ("thread-exit", 3),
    ("abort", 134),
    ("panic-abort", 134),
    ("fault", 139),
    ("overflow", 134),
    ("illegal", 132),
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("a_root_that_ends_itself_at_a_prompt_leaves_the_terminal_as_it_was", at_prompt),
        Trial::test("a_root_that_is_killed_at_a_prompt_leaves_the_terminal_as_it_was", killed),
        Trial::test("a_shell_that_has_taken_the_terminal_over_keeps_its_modes", taken_over),
        Trial::test("the_last_words_of_a_root_are_shown_whatever_ends_it", last_words),
        Trial::test("nothing_outlives_a_killed_root", outlives),
        Trial::test("what_two_streams_of_one_terminal_get_in_turn_is_shown_in_turn", in_turn),
        Trial::test("one_process_can_run_two_trees", twice),
        Trial::test("an_error_has_nothing_that_a_terminal_obeys", obeyed),
        Trial::test("a_name_that_no_file_could_have_has_a_record", long_name),
        Trial::test("a_warden_is_not_a_child_that_the_program_waits_for", unseen),
    ]
}

/// The tree, with the prompt of its child open.
fn prompted(how: &str) -> Result<OnTerminal, Failed> {
    let mut tree = start_on_terminal(command(&["dies", how]))?;
    tree.reads("root/asks> ")?;
    Ok(tree)
}

fn at_prompt() -> Tested {
    for (how, expected) in WAYS {
        let mut tree = prompted(how)?;
        tree.signal(libc::SIGVTALRM);
        same(how, code(tree.ends()?), expected)?;
        // At once: a shell takes the modes as it finds them.
        tree.modes_are_back_now().map_err(|error| format!("{how}: {error:?}"))?;
        same(how, tree.rest()?.contains("\x1b[?2004l"), true)?;
        nobody_is_left(tree.pid())?;
    }
    Ok(())
}

fn killed() -> Tested {
    for signal in [libc::SIGKILL, libc::SIGALRM, libc::SIGPROF, libc::SIGXCPU] {
        let mut tree = prompted("waits")?;
        tree.signal(signal);
        same("the end", code(tree.ends()?), 128 + signal)?;
        tree.modes_are_back()?;
        nobody_is_left(tree.pid())?;
    }
    Ok(())
}

fn taken_over() -> Tested {
    let mut tree = prompted("waits")?;
    let theirs = tree.changes_modes()?;
    tree.signal(libc::SIGKILL);
    tree.ends()?;
    nobody_is_left(tree.pid())?;
    same("the modes of the shell", tree.modes()? == theirs, true)
}

fn last_words() -> Tested {
    for _ in 0..3 {
        for (how, expected) in WAYS {
            let mut tree = start_on_terminal(command(&["says", how]))?;
            same(how, code(tree.ends()?), expected)?;
            let said = tree.rest()?;
            let words = said.contains("out 0\n") && said.contains("out 99\n");
            same(&format!("{how}: {said:?}"), words && said.contains("the last word\n"), true)?;
        }
        let mut tree = start_on_terminal(command(&["says", "kill"]))?;
        tree.ends()?;
        // The warden writes what was in the pipe.
        tree.reads("the last word")?;
    }
    Ok(())
}

/// Nobody with the mark of this root is there any longer, or will not be soon.
fn nobody_is_left(root: u32) -> Tested {
    let mark = (1_u64 << 40 | u64::from(root)).to_string();
    let left = || {
        let marked = |one: &crate::checks::Process| {
            let limits = std::fs::read_to_string(format!("/proc/{}/limits", one.pid));
            !one.zombie && limits.is_ok_and(|text| text.contains(&mark))
        };
        processes().into_iter().filter(marked).map(|one| one.name).collect::<Vec<_>>()
    };
    spin("nobody left", || Ok(left().is_empty().then_some(())))
        .map_err(|_| Failed::from(format!("left: {:?}", left())))
}

fn outlives() -> Tested {
    for kind in [
        "shielded",
        "foreign",
        "deaf-foreign",
        "stopped",
        "stopped-foreign",
        "private",
        "daemon",
        "deaf",
        "shared-stopped",
    ] {
        let mut tree = command(&["leaves", kind]);
        if kind.starts_with("shared") {
            tree.env("HOLDFAST_PLACEMENT", "shared-group");
        }
        let mut tree = crate::checks::start(tree)?;
        tree.line("up")?;
        let (root, warden) = (tree.pid(), wardens(tree.pid()));
        same("wardens", warden.len(), 1)?;
        kill(root);
        tree.ends()?;
        nobody_is_left(root).map_err(|error| format!("{kind}: {error:?}"))?;
        let runs = || processes().iter().any(|one| one.pid == warden[0] && !one.zombie);
        spin("the warden gone", || Ok((!runs()).then_some(())))?;
    }
    Ok(())
}

fn in_turn() -> Tested {
    for who in ["root", "actor", "command"] {
        let mut tree = start_on_terminal(command(&["in-turn", who]))?;
        same(who, code(tree.ends()?), 0)?;
        let lines = tree.rest()?;
        let lines: Vec<_> = lines.lines().filter(|line| line.starts_with("turn ")).collect();
        let expected: Vec<_> = (0..200).map(|n| format!("turn {n}")).collect();
        same(who, lines == expected, true)?;
    }
    Ok(())
}

fn twice() -> Tested {
    let mut tree = start_on_terminal(command(&["twice"]))?;
    same("the end", code(tree.ends()?), 0)?;
    let said = tree.rest()?;
    same(&said, said.matches("nothing").count(), 2)?;
    same(&said, said.matches("code ExitCode(unix_exit_status(0))").count(), 2)
}

fn obeyed() -> Tested {
    let mut tree = crate::checks::start(command(&["escapes"]))?;
    let said = tree.line("error: ")?;
    same(&said, said.contains('\x1b') || said.contains('\x07'), false)?;
    same(&said, said.contains("red"), true)?;
    tree.ends_with(1)
}

fn long_name() -> Tested {
    let folder = tempfile::tempdir()?;
    let mut tree = command(&["long-name"]);
    tree.env("HOLDFAST_RECORD", folder.path());
    let mut tree = crate::checks::start(tree)?;
    tree.ends_with(0)?;
    same("records", std::fs::read_dir(folder.path())?.count(), 2)
}

fn wardens(root: u32) -> Vec<u32> {
    let all = processes().into_iter();
    let own = all.filter(|one| one.parent == root && one.name == "holdfast-warden");
    own.map(|one| one.pid).collect()
}

fn unseen() -> Tested {
    let mut tree = crate::checks::start(command(&["waits-for-any"]))?;
    same("the error", tree.line("wait ")?, format!("{}", libc::ECHILD))?;
    tree.ends_with(0)
}
