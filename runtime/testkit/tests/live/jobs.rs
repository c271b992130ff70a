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
        assert_eq!(tree.stage.wait_stopped()?, Signal::SIGSTOP);
        assert_eq!(tree.stage.modes()?, tree.modes, "while it is stopped");
        tree.stage.background()?;
        // It wants the prompt back, and stops once more.
        assert_eq!(tree.stage.wait_stopped()?, Signal::SIGSTOP);
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
    assert_eq!(tree.stage.wait_stopped()?, Signal::SIGSTOP);
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
        assert_eq!(tree.stage.wait_stopped()?, Signal::SIGSTOP);
        tree.wait_state(&["root", "mid", "leaf"], RunState::Stopped)?;
        tree.stage.foreground()?;
        all_answer(&mut tree, &["root", "mid", "leaf"], 1)?;
        crate::support::ctrl_c_ends(&mut tree)?;
    }
    Ok(())
}
