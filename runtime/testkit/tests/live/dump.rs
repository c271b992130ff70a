//! SIGUSR1: every actor writes what is below it, to the standard error and to a file.

use crate::support::{Tested, breakpoint, ctrl_c_ends, everywhere, go_on, open};
use holdfast_testkit::TestTreeBuilder;
use nix::sys::signal::Signal;

#[test]
fn a_dump_shows_each_actor_after_its_supervisor_and_what_it_holds() -> Tested {
    let folder = tempfile::tempdir()?;
    let there = folder.path().display().to_string();
    let temporary = |growth: TestTreeBuilder| growth.env("TMPDIR", &there);
    everywhere(temporary, |mut tree, depth| {
        open(&mut tree, "leaf", 1)?;
        tree.instruct("sib", breakpoint(2))?;
        tree.stage.wait_text("[1 wait]>")?;
        for (level, name) in depth.above.iter().enumerate() {
            let pid = tree.actor(name)?.pid();
            tree.signal(name, Signal::SIGUSR1)?;
            let path = tree.path(name)?;
            tree.stage.wait_output(&format!("the tree of {path} (also in "))?;
            let text = std::fs::read_to_string(folder.path().join(format!("holdfast-{pid}.tree")))?;
            let names = text.lines().map(|line| line.trim_start().split(' ').next());
            let mut expected: Vec<_> = depth.above[level..].iter().chain(&["leaf"]).collect();
            if *name == "root" {
                expected.push(&"sib");
                assert!(text.contains("; the terminal: root/"), "{text}");
                assert!(text.contains(", then root/sib"), "{text}");
            }
            assert_eq!(
                names.collect::<Vec<_>>(),
                expected.into_iter().map(|n| Some(*n)).collect::<Vec<_>>(),
                "{text}"
            );
            assert!(text.lines().next().is_some_and(|line| line.contains("holds for ")), "{text}");
            assert!(text.contains("at its prompt"), "{text}");
        }
        // The prompt is drawn again below the dump.
        tree.wait_prompt("leaf")?;
        go_on(&mut tree, "leaf", 1)?;
        tree.wait_prompt("sib")?;
        go_on(&mut tree, "sib", 2)?;
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn a_dump_names_who_does_not_answer() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, _| {
        tree.signal("leaf", Signal::SIGSTOP)?;
        tree.signal("root", Signal::SIGUSR1)?;
        tree.stage.wait_output("does not answer")?;
        tree.signal("leaf", Signal::SIGCONT)?;
        ctrl_c_ends(&mut tree)
    })
}
