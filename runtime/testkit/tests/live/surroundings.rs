//! What a process of a tree finds when it starts: descriptors, environment, folder, signals.

use crate::support::{Tested, ctrl_c_ends, ends, everywhere, go_on, grow, open, reaped};
use holdfast_testkit::process::{self, SignalMasks, SignalSet};
use holdfast_testkit::tree::Result;
use holdfast_testkit::{ActorEvent, Instruction, ProcessEnd, TestTree, TestTreeBuilder};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a closed prompt may take to leave nothing behind, on a busy machine.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);

/// What the descriptors of an actor lead to, above 2, by kind.
fn kinds(pid: i32) -> Result<BTreeMap<String, usize>> {
    let mut kinds = BTreeMap::new();
    for (number, target) in process::descriptors(pid)? {
        let target = target.display().to_string();
        let kind = match target.split_once(":[") {
            Some((kind @ ("socket" | "pipe"), _)) => kind.to_owned(),
            _ => target,
        };
        // The record is there because the person who tests wants one.
        if number > 2 && !kind.ends_with(".jsonl") {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    Ok(kinds)
}

/// What an actor with so many children has, the connection to the test included; in the root the
/// line editor too, from the first of its prompts on.
fn expected(children: usize, root: bool, prompts: usize) -> BTreeMap<String, usize> {
    let edits = usize::from(root && prompts > 0);
    let mut kinds = vec![
        // The links, and two for the test.
        // And in the root the one to the warden.
        ("socket", children + 1 + 2 + edits),
        // Two runtimes, each with a second handle; and one for the signals.
        ("anon_inode:[eventpoll]", 4),
        ("anon_inode:[eventfd]", 3),
        ("anon_inode:[pidfd]", 2 * children),
    ];
    if root {
        // One for the last act of the process.
        kinds.push(("/dev/tty", 2 + 2 * edits));
        // Kept for a look at the children when no other is left.
        kinds.push(("/dev/null", 2));
    }
    let some = kinds.into_iter().filter(|(_, count)| *count > 0);
    some.map(|(kind, count)| (kind.to_owned(), count)).collect()
}

/// The same, as far as it does not belong to the root's output.
fn owned(pid: i32) -> Result<BTreeMap<String, usize>> {
    let mut kinds = kinds(pid)?;
    kinds.retain(|kind, _| kind != "pipe" && !kind.starts_with("/dev/pts/"));
    Ok(kinds)
}

/// What an exec leaves open, above 2.
fn left_open(pid: i32) -> Result<Vec<String>> {
    let mut left = Vec::new();
    for (number, target) in process::descriptors(pid)?.into_iter().filter(|(number, _)| *number > 2)
    {
        let text = std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}"))?;
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = u32::from_str_radix(flags.unwrap_or_default().trim(), 8)?;
        if flags & 0o2_000_000 == 0 {
            left.push(target.display().to_string());
        }
    }
    Ok(left)
}

#[test]
fn an_actor_has_the_descriptors_that_the_runtime_owns_and_no_other() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        for id in 1..=3 {
            for name in depth.actors() {
                let pid = tree.actor(name)?.pid();
                let descriptors = process::descriptors(pid)?;
                let root = name == "root";
                let children = match (name, depth.above.len()) {
                    ("leaf" | "sib", _) => 0,
                    ("root", _) => 2,
                    _ => 1,
                };
                let expected = expected(children, root, id as usize - 1);
                // The threads of the last prompt may not be quite at their end.
                let begun = Instant::now();
                while owned(pid)? != expected && begun.elapsed() < SETTLES_WITHIN {
                    std::thread::yield_now();
                }
                assert_eq!(owned(pid)?, expected, "{name}: {descriptors:?}");
                if !root {
                    assert_eq!(kinds(pid)?, owned(pid)?, "{name} has no terminal: {descriptors:?}");
                    let shown = |number| descriptors[&number].display().to_string();
                    assert_eq!(shown(0), "/dev/null");
                    assert!(shown(1).starts_with("pipe:"), "{descriptors:?}");
                    assert!(shown(2).starts_with("pipe:"), "{descriptors:?}");
                }
                // The library of the line editor makes one pipe that is not close-on-exec.
                let left = left_open(pid)?;
                assert_eq!(left.len(), if root && id > 1 { 2 } else { 0 }, "{name}: {left:?}");
                assert!(left.windows(2).all(|ends| ends[0] == ends[1]), "{name}: {left:?}");
            }
            // And a debug session leaves none behind.
            open(&mut tree, "leaf", id)?;
            go_on(&mut tree, "leaf", id)?;
            tree.wait_quiet()?;
        }
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn an_actor_has_the_environment_and_the_folder_of_the_root() -> Tested {
    let marked = |growth: TestTreeBuilder| growth.env("BEANS", "out of them");
    everywhere(marked, |mut tree, depth| {
        let root = tree.actor("root")?.pid();
        let mut environment = process::environment(root)?;
        assert_eq!(environment["BEANS"], "out of them");
        environment.insert("HOLDFAST_TREE".into(), root.to_string());
        environment.insert("HOLDFAST_LINK".into(), "3".into());
        let folder = std::fs::read_link(format!("/proc/{root}/cwd"))?;
        for name in &depth.actors()[1..] {
            let pid = tree.actor(name)?.pid();
            assert_eq!(process::environment(pid)?, environment, "{name}");
            assert_eq!(std::fs::read_link(format!("/proc/{pid}/cwd"))?, folder, "{name}");
        }
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn an_actor_is_in_the_session_that_its_placement_says() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        let root = holdfast_testkit::ProcessInfo::read(tree.actor("root")?.pid())?;
        let mut sessions = Vec::new();
        for name in &depth.actors()[1..] {
            let pid = tree.actor(name)?.pid();
            let process = holdfast_testkit::ProcessInfo::read(pid)?;
            sessions.push(process.session == pid && process.group == pid);
            assert_eq!(process.session == root.session, process.group == root.group, "{name}");
        }
        let own = sessions[0];
        assert!(sessions.iter().all(|one| *one == own), "{sessions:?}");
        ctrl_c_ends(&mut tree)
    })
}

/// Starts `sleep 1000` in an actor, and gives its process.
fn sleeper(tree: &mut TestTree, name: &str) -> Result<i32> {
    let (program, args) = ("sleep".to_owned(), vec!["1000".to_owned()]);
    tree.instruct(name, Instruction::Command { program, args })?;
    let is =
        |event: &ActorEvent| matches!(event, ActorEvent::Spawned { name, .. } if name == "sleep");
    match tree.actor(name)?.wait("the program", is)? {
        ActorEvent::Spawned { pid, .. } => Ok(pid),
        other => Err(format!("{other:?}").into()),
    }
}

#[test]
fn a_foreign_program_starts_as_if_no_runtime_was_there() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, _| {
        let root = tree.actor("root")?.pid();
        for name in ["root", "leaf"] {
            let pid = sleeper(&mut tree, name)?;
            let none = SignalSet::default();
            let masks = process::masks(pid)?;
            let expected =
                SignalMasks { blocked: none, ignored: none, caught: none, pending: none };
            assert_eq!(masks, expected, "{name}");
            // Its loader has files open at first.
            tree.spin("the descriptors 0, 1 and 2 alone", || {
                Ok(process::descriptors(pid)?.into_keys().eq([0, 1, 2]))
            })?;
            let descriptors = process::descriptors(pid)?;
            assert_eq!(descriptors[&0].display().to_string(), "/dev/null");
            let environment = process::environment(pid)?;
            assert_eq!(environment.get("HOLDFAST_LINK"), None, "{name}");
            assert_eq!(environment["HOLDFAST_TREE"], root.to_string(), "{name}");
        }
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn a_foreign_program_ends_with_its_actor_and_its_failure_is_one() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        sleeper(&mut tree, "leaf")?;
        tree.instruct("leaf", Instruction::Finish {})?;
        reaped(&mut tree, depth.above[depth.above.len() - 1], "leaf")?;
        tree.instruct("sib", Instruction::Command { program: "false".into(), args: Vec::new() })?;
        tree.stage.wait_output("root/sib/false ended with exit code 1")?;
        ends(&tree, ProcessEnd::Code(1))
    })
}

#[test]
fn a_foreign_program_that_is_killed_waits_for_the_prompt_of_another() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, _| {
        let pid = sleeper(&mut tree, "sib")?;
        open(&mut tree, "leaf", 1)?;
        process::signal(pid, Signal::SIGKILL)?;
        tree.wait_survey("root", "the failure", |text| text.contains("must end"))?;
        crate::support::answers(&tree, 1)?;
        tree.stage.type_line("continue")?;
        tree.stage.wait_output("root/sib/sleep was ended by SIGKILL")?;
        ends(&tree, ProcessEnd::Code(1))
    })
}

#[test]
fn a_program_that_is_not_there_is_an_answer_and_no_failure() -> Tested {
    let mut tree = grow(TestTreeBuilder::of("root(leaf)")?)?;
    let program = "no-such-program".to_owned();
    tree.instruct("leaf", Instruction::Command { program, args: Vec::new() })?;
    let is = |event: &ActorEvent| matches!(event, ActorEvent::Failed { text } if text.contains("program"));
    tree.actor("leaf")?.wait("the refusal", is)?;
    ctrl_c_ends(&mut tree)
}
