//! A person at a prompt: what reaches the screen, and what a Ctrl-C in each phase does to it.

use crate::support::{
    PLACEMENTS, Tested, answers, breakpoint, ctrl_c_ends, everywhere, go_on, grow, open,
};
use holdfast::Placement;
use holdfast::protocol::PolicyName;
use holdfast_testkit::{ActorEvent, Instruction, PATIENCE, ProcessInfo, TestTreeBuilder};
use nix::sys::signal::Signal;

#[test]
fn a_storm_of_ctrl_c_at_the_prompt_disturbs_nobody() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        open(&mut tree, "leaf", 1)?;
        for _ in 0..50 {
            tree.stage.ctrl_c()?;
        }
        tree.stage.wait_text("Ctrl-C is ignored")?;
        answers(&tree, 1)?;
        go_on(&mut tree, "leaf", 1)?;
        for name in depth.actors() {
            tree.instruct(name, Instruction::Ping { id: 7 })?;
            tree.actor(name)?.wait_for(&ActorEvent::Pong { id: 7 })?;
        }
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn the_root_can_be_at_the_prompt_itself() -> Tested {
    for placement in PLACEMENTS {
        let mut tree = grow(TestTreeBuilder::of("root(sib)")?.placement(placement))?;
        open(&mut tree, "root", 1)?;
        for _ in 0..50 {
            tree.stage.ctrl_c()?;
        }
        tree.stage.wait_text("Ctrl-C is ignored")?;
        answers(&tree, 1)?;
        go_on(&mut tree, "root", 1)?;
        ctrl_c_ends(&mut tree)?;
    }
    Ok(())
}

#[test]
fn ctrl_c_while_a_command_runs_disturbs_nobody() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, _| {
        open(&mut tree, "leaf", 1)?;
        // One that does not answer keeps the command waiting, with the terminal in its own modes.
        tree.signal("sib", Signal::SIGSTOP)?;
        tree.stage.type_line("tree")?;
        tree.wait_modes()?;
        for _ in 0..50 {
            tree.stage.ctrl_c()?;
        }
        tree.stage.wait_text("^C")?;
        tree.stage.wait_text("does not answer")?;
        tree.wait_prompt("leaf")?;
        answers(&tree, 1)?;
        tree.signal("sib", Signal::SIGCONT)?;
        go_on(&mut tree, "leaf", 1)?;
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn a_word_of_the_prompt_is_refused_with_advice_and_help_lists_all() -> Tested {
    let mut tree = grow(TestTreeBuilder::of("root(leaf)")?)?;
    open(&mut tree, "leaf", 1)?;
    tree.stage.type_line("contineu")?;
    tree.stage.wait_text("did you mean `continue`?")?;
    tree.stage.type_line("help")?;
    tree.stage.wait_text("cancel the whole tree")?;
    tree.instruct("leaf", Instruction::Warn { text: "the beans are low".into() })?;
    tree.stage.wait_text("the beans are low")?;
    tree.stage.type_line("log 1")?;
    tree.stage.wait_output("log 1")?;
    tree.stage.wait_output("the beans are low")?;
    go_on(&mut tree, "leaf", 1)?;
    ctrl_c_ends(&mut tree)
}

#[test]
fn under_single_depth_a_ctrl_c_kills_a_grandchild_at_its_prompt() -> Tested {
    let growth = TestTreeBuilder::of("root(mid(leaf))")?
        .policy(PolicyName::SingleDepth)
        .placement(Placement::SharedGroup)
        .grace_ms(300);
    let mut tree = grow(growth)?;
    tree.instruct("leaf", breakpoint(1))?;
    tree.wait_prompt("leaf")?;
    let leaf = ProcessInfo::read(tree.actor("leaf")?.pid())?;
    tree.stage.ctrl_c()?;
    leaf.wait_end(PATIENCE)?;
    Ok(())
}
