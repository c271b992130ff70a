//! Ctrl-Z, `fg` and `bg` under a real shell: the whole tree stops, and its clocks with it.

use crate::support::{
    PLACEMENTS, Tested, answers, breakpoint, ends, everywhere, go_on, grow, open,
};
use holdfast_testkit::process::RunState;
use holdfast_testkit::tree::PROMPT;
use holdfast_testkit::{
    ActorEvent, Instruction, ProcessEnd, ProcessInfo, SessionLeader, TestTree, TestTreeBuilder,
};
use nix::sys::signal::Signal;

/// The shell says with which code the tree has ended, and ends.
fn shell_ends(tree: &TestTree, code: i32) -> Tested {
    tree.stage.wait_output(PROMPT)?;
    tree.stage.type_line("echo code=$?")?;
    tree.stage.wait_output(&format!("code={code}\r\n"))?;
    tree.stage.wait_output(PROMPT)?;
    assert_eq!(left(tree), 0, "nobody is left\n{}", tree.stage.dump());
    tree.stage.type_line("exit 0")?;
    ends(tree, ProcessEnd::Code(0))
}

/// How many processes are on the stage beside the shell.
fn left(tree: &TestTree) -> usize {
    let shell = tree.stage.pid();
    tree.stage.processes().iter().filter(|process| process.pid != shell).count()
}

fn all_answer(tree: &mut TestTree, names: &[&str], id: u32) -> Tested {
    for name in names {
        tree.instruct(name, Instruction::Ping { id })?;
        tree.actor(name)?.wait_for(&ActorEvent::Pong { id })?;
    }
    Ok(())
}

#[test]
fn ctrl_z_stops_an_idle_tree_and_fg_lets_it_go_on() -> Tested {
    let typed = |growth: TestTreeBuilder| growth.typed("ROOT");
    everywhere(typed, |mut tree, depth| {
        let names = depth.actors();
        for round in 1..=2 {
            tree.stage.ctrl_z()?;
            tree.stage.wait_output("Stopped")?;
            tree.wait_state(&names, RunState::Stopped)?;
            tree.stage.wait_output(PROMPT)?;
            tree.stage.type_line("fg")?;
            all_answer(&mut tree, &names, round)?;
        }
        tree.stage.ctrl_c()?;
        shell_ends(&tree, 130)
    })
}

#[test]
fn ctrl_z_at_the_prompt_gives_the_terminal_back_and_keeps_what_was_typed() -> Tested {
    let typed = |growth: TestTreeBuilder| growth.typed("ROOT");
    everywhere(typed, |mut tree, depth| {
        let names = depth.actors();
        open(&mut tree, "leaf", 1)?;
        tree.stage.write(b"print i")?;
        tree.stage.wait_text("> print i")?;
        tree.stage.ctrl_z()?;
        tree.stage.wait_output("Stopped")?;
        tree.wait_state(&names, RunState::Stopped)?;
        tree.stage.wait_output(PROMPT)?;
        tree.stage.type_line("fg")?;
        let path = tree.path("leaf")?;
        tree.stage.wait_screen("the prompt drawn again", |screen| {
            let (row, _) = screen.cursor_position();
            let line = screen.contents_between(row, 0, row, screen.size().1);
            line.starts_with(&format!("{path}> print i"))
        })?;
        tree.stage.type_line("d")?;
        tree.stage.wait_output("id\x1b[0m = 1\r\n")?;
        all_answer(&mut tree, &names, 1)?;
        tree.stage.ctrl_c()?;
        answers(&tree, 1)?;
        go_on(&mut tree, "leaf", 1)?;
        tree.wait_quiet()?;
        tree.stage.ctrl_c()?;
        shell_ends(&tree, 130)
    })
}

/// What may stand between a shell and a tree.
const HOSTS: [&str; 8] = [
    "sh -c 'ROOT; true'",
    "bash -c 'ROOT; true'",
    "sh -c 'sh -c \"ROOT; true\"; true'",
    "(ROOT; true)",
    "ROOT | cat",
    "env nice ROOT",
    "timeout --foreground 1000 ROOT",
    "timeout 1000 ROOT",
];

#[test]
fn ctrl_z_at_the_prompt_stops_the_whole_job_whatever_has_started_the_tree() -> Tested {
    for host in HOSTS {
        for placement in PLACEMENTS {
            let growth = TestTreeBuilder::of("root(leaf)")?.placement(placement).typed(host);
            let tree = grow(growth)?;
            let stops = |mut tree: TestTree| -> Tested {
                open(&mut tree, "leaf", 1)?;
                tree.stage.ctrl_z()?;
                tree.stage.wait_output("Stopped")?;
                tree.wait_state(&["root", "leaf"], RunState::Stopped)?;
                tree.stage.wait_output(PROMPT)?;
                tree.stage.type_line("fg")?;
                all_answer(&mut tree, &["root", "leaf"], 1)?;
                tree.wait_prompt("leaf")?;
                answers(&tree, 1)?;
                go_on(&mut tree, "leaf", 1)?;
                tree.wait_quiet()?;
                tree.stage.ctrl_c()?;
                tree.stage.wait_output(PROMPT)?;
                assert_eq!(left(&tree), 0, "nobody is left\n{}", tree.stage.dump());
                Ok(())
            };
            stops(tree).map_err(|error| format!("{host} {placement:?}: {error}"))?;
        }
    }
    Ok(())
}

#[test]
fn where_nobody_could_let_it_go_on_a_tree_does_not_stop() -> Tested {
    let starters: [&[&str]; 3] = [&[], &["timeout", "--foreground", "1000"], &["env", "nice"]];
    for starter in starters {
        for placement in PLACEMENTS {
            let growth = TestTreeBuilder::of("root(leaf)")?.placement(placement);
            let growth = growth.leader(SessionLeader::Program);
            let growth = if starter.is_empty() { growth } else { growth.started_by(starter) };
            let mut tree = grow(growth)?;
            tree.stage.ctrl_z()?;
            // The kernel takes keys in a thread of its own: a later prompt would get this one.
            tree.stage.wait_output("^Z")?;
            tree.signal("root", Signal::SIGTSTP)?;
            all_answer(&mut tree, &["root", "leaf"], 1)?;
            open(&mut tree, "leaf", 1)?;
            tree.stage.ctrl_z()?;
            tree.stage.wait_output("it does not stop")?;
            answers(&tree, 1)?;
            tree.signal("root", Signal::SIGTSTP)?;
            answers(&tree, 1)?;
            go_on(&mut tree, "leaf", 1)?;
            tree.wait_quiet()?;
            tree.signal("root", Signal::SIGTERM)?;
            ends(&tree, ProcessEnd::Code(143))?;
        }
    }
    Ok(())
}

#[test]
fn a_breakpoint_in_a_background_group_that_nobody_can_bring_back_goes_on() -> Tested {
    for placement in PLACEMENTS {
        let growth = TestTreeBuilder::of("root(leaf)")?.placement(placement).typed("(ROOT &)");
        // The subreaper of the stage is not to be taken for a shell of this session.
        let growth = growth.leader(SessionLeader::Program);
        let mut tree = grow(growth)?;
        tree.instruct("leaf", breakpoint(1))?;
        tree.stage.wait_output("no shell can bring this one to the front")?;
        crate::support::resumed(
            &mut tree,
            "leaf",
            1,
            holdfast_testkit::control::Resumption::Continue,
        )?;
        all_answer(&mut tree, &["root", "leaf"], 1)?;
        tree.signal("root", Signal::SIGTERM)?;
        let root = tree.actor("root")?.pid();
        if let Ok(root) = ProcessInfo::read(root) {
            root.wait_end(holdfast_testkit::PATIENCE)?;
        }
    }
    Ok(())
}

#[test]
fn a_stopped_tree_that_is_told_to_end_ends() -> Tested {
    for placement in PLACEMENTS {
        for at_a_prompt in [false, true] {
            for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
                let mut tree = grow(TestTreeBuilder::of("root(mid(leaf))")?.placement(placement))?;
                if at_a_prompt {
                    open(&mut tree, "leaf", 1)?;
                }
                tree.stage.ctrl_z()?;
                tree.stage.wait_stopped()?;
                tree.wait_state(&["root", "mid", "leaf"], RunState::Stopped)?;
                // As the kill of a shell does, and the kernel when a window is closed.
                tree.signal("root", signal)?;
                tree.signal("root", Signal::SIGCONT)?;
                ends(&tree, ProcessEnd::Code(128 + signal as i32))?;
            }
        }
    }
    Ok(())
}

#[test]
fn a_tree_that_starts_in_the_background_asks_when_it_has_the_terminal() -> Tested {
    for placement in PLACEMENTS {
        let growth = TestTreeBuilder::of("root(leaf,sib)")?.placement(placement).typed("ROOT &");
        let mut tree = grow(growth)?;
        tree.instruct("leaf", breakpoint(1))?;
        // It stops instead of reading a terminal that is not its own.
        tree.wait_state(&["root", "leaf", "sib"], RunState::Stopped)?;
        // A shell that has not heard yet that its job is stopped does not let it go on.
        tree.stage.type_line("while [[ $(jobs) != *Stopped* ]]; do :; done; fg")?;
        tree.wait_prompt("leaf")?;
        answers(&tree, 1)?;
        go_on(&mut tree, "leaf", 1)?;
        tree.wait_quiet()?;
        tree.stage.ctrl_c()?;
        shell_ends(&tree, 130)?;
    }
    Ok(())
}

#[test]
fn a_stopped_tree_that_is_let_go_without_the_terminal_leaves_it_alone() -> Tested {
    for placement in PLACEMENTS {
        let mut tree = grow(TestTreeBuilder::of("root(leaf)")?.placement(placement))?;
        open(&mut tree, "leaf", 1)?;
        tree.stage.ctrl_z()?;
        assert_eq!(tree.stage.wait_stopped()?, Signal::SIGTSTP);
        assert_eq!(tree.stage.modes()?, tree.modes, "while it is stopped");
        tree.stage.background()?;
        // It wants the prompt back, and stops once more.
        assert_eq!(tree.stage.wait_stopped()?, Signal::SIGTTIN);
        assert_eq!(tree.stage.modes()?, tree.modes, "in the background");
        tree.wait_state(&["root", "leaf"], RunState::Stopped)?;
        tree.stage.foreground()?;
        tree.wait_prompt("leaf")?;
        answers(&tree, 1)?;
        go_on(&mut tree, "leaf", 1)?;
        crate::support::ctrl_c_ends(&mut tree)?;
    }
    Ok(())
}

#[test]
fn a_grace_period_stands_still_while_the_tree_is_stopped() -> Tested {
    let records = tempfile::tempdir()?;
    let growth = || -> holdfast_testkit::tree::Result<_> {
        Ok(TestTreeBuilder::of("root(leaf)")?.grace_ms(1500).leader(SessionLeader::Shell))
    };
    let mut tree = grow(growth()?.records(records.path()))?;
    let mut clock = grow(growth()?)?;
    for one in [&mut tree, &mut clock] {
        one.signal("leaf", Signal::SIGSTOP)?;
        one.wait_state(&["leaf"], RunState::Stopped)?;
        one.interrupt()?;
    }
    tree.stage.ctrl_z()?;
    assert_eq!(tree.stage.wait_stopped()?, Signal::SIGTSTP);
    // The other tree has killed its leaf by now: more than a grace period is over.
    let leaf = ProcessInfo::read(clock.actor("leaf")?.pid())?;
    leaf.wait_end(holdfast_testkit::PATIENCE)?;
    ends(&clock, ProcessEnd::Code(130))?;
    tree.stage.foreground()?;
    ends(&tree, ProcessEnd::Code(130))?;
    let mut signalled = 0;
    for folder in std::fs::read_dir(records.path())? {
        for file in std::fs::read_dir(folder?.path())? {
            let text = std::fs::read_to_string(file?.path())?;
            signalled += text.matches("\"signal\":\"terminate\"").count();
        }
    }
    assert_eq!(signalled, 0, "nobody's grace was over when the tree went on");
    Ok(())
}

#[test]
fn a_stop_signal_from_elsewhere_stops_the_tree_too() -> Tested {
    for placement in PLACEMENTS {
        let mut tree = grow(TestTreeBuilder::of("root(mid(leaf))")?.placement(placement))?;
        tree.signal("root", Signal::SIGTSTP)?;
        assert_eq!(tree.stage.wait_stopped()?, Signal::SIGTSTP);
        tree.wait_state(&["root", "mid", "leaf"], RunState::Stopped)?;
        tree.stage.foreground()?;
        all_answer(&mut tree, &["root", "mid", "leaf"], 1)?;
        crate::support::ctrl_c_ends(&mut tree)?;
    }
    Ok(())
}
