//! R7, R8 and R9: what a SIGKILL in any place does to the terminal and to those who are left.

use crate::support::{
    DEPTHS, PLACEMENTS, Tested, answers, breakpoint, ctrl_c_ends, ends, everywhere, go_on, grow,
    open, reaped,
};
use holdfast_testkit::{Instruction, PATIENCE, ProcessEnd, ProcessInfo, TestTree, TestTreeBuilder};
use nix::sys::signal::Signal;

/// Kills an actor; it is dead then, if not yet reaped.
fn kill(tree: &mut TestTree, name: &str) -> Tested {
    let process = ProcessInfo::read(tree.actor(name)?.pid())?;
    process.signal(Signal::SIGKILL)?;
    Ok(process.wait_end(PATIENCE)?)
}

#[test]
fn r7_the_death_of_the_holder_frees_the_terminal() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, _| {
        open(&mut tree, "leaf", 1)?;
        tree.signal("leaf", Signal::SIGKILL)?;
        tree.stage.wait_output("was ended by SIGKILL")?;
        ends(&tree, ProcessEnd::Code(1))
    })
}

#[test]
fn r7_the_death_of_one_who_waits_leaves_the_prompt_alone() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, _| {
        open(&mut tree, "sib", 1)?;
        tree.instruct("leaf", breakpoint(2))?;
        tree.stage.wait_text("root/sib [1 wait]>")?;
        kill(&mut tree, "leaf")?;
        tree.wait_survey("root", "nobody waits", |text| !text.contains("then"))?;
        answers(&tree, 1)?;
        tree.stage.type_line("continue")?;
        ends(&tree, ProcessEnd::Code(1))
    })
}

#[test]
fn r8_the_prompt_outlives_the_actors_between() -> Tested {
    for depth in &DEPTHS[1..] {
        for placement in PLACEMENTS {
            let between = &depth.above[1..];
            for victims in between.iter().map(std::slice::from_ref).chain([between]) {
                let mut tree = grow(TestTreeBuilder::of(depth.shape)?.placement(placement))?;
                let leaf = ProcessInfo::read(tree.actor("leaf")?.pid())?;
                open(&mut tree, "leaf", 1)?;
                for victim in victims {
                    kill(&mut tree, victim)?;
                }
                tree.wait_survey("root", "the loss", |text| text.contains("must end"))?;
                for _ in 0..10 {
                    tree.stage.ctrl_c()?;
                }
                answers(&tree, 1)?;
                tree.deliver("leaf", Signal::SIGINT)?;
                answers(&tree, 1)?;
                tree.stage.type_line("continue")?;
                leaf.wait_end(PATIENCE)?;
                ends(&tree, ProcessEnd::Code(1))
                    .map_err(|error| format!("{victims:?}: {error}"))?;
            }
        }
    }
    Ok(())
}

#[test]
fn r9_an_orphan_that_waits_ends_without_a_prompt() -> Tested {
    for depth in &DEPTHS[1..] {
        for placement in PLACEMENTS {
            let mut tree = grow(TestTreeBuilder::of(depth.shape)?.placement(placement))?;
            let leaf = ProcessInfo::read(tree.actor("leaf")?.pid())?;
            open(&mut tree, "sib", 1)?;
            tree.instruct("leaf", breakpoint(2))?;
            tree.stage.wait_text("root/sib [1 wait]>")?;
            tree.signal("mid", Signal::SIGKILL)?;
            leaf.wait_end(PATIENCE)?;
            tree.wait_survey("root", "nobody waits", |text| !text.contains("then"))?;
            answers(&tree, 1)?;
            tree.stage.type_line("continue")?;
            ends(&tree, ProcessEnd::Code(1))?;
        }
    }
    Ok(())
}

#[test]
fn r9_who_is_cut_off_ends_by_itself() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        let supervisor = depth.above[depth.above.len() - 1];
        tree.instruct("leaf", Instruction::Cut {})?;
        reaped(&mut tree, supervisor, "leaf")?;
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn who_sends_what_is_no_frame_is_cut_off_and_nobody_else_is() -> Tested {
    let too_long = u32::MAX.to_le_bytes().to_vec();
    let no_frame = [&3_u32.to_le_bytes()[..], b"\xc1\xc1\xc1"].concat();
    for bytes in [too_long, no_frame] {
        for placement in PLACEMENTS {
            let mut tree = grow(TestTreeBuilder::of("root(mid(leaf,sib))")?.placement(placement))?;
            open(&mut tree, "sib", 1)?;
            tree.instruct("leaf", Instruction::Garble { bytes: bytes.clone() })?;
            reaped(&mut tree, "mid", "leaf")?;
            answers(&tree, 1)?;
            go_on(&mut tree, "sib", 1)?;
            ctrl_c_ends(&mut tree)?;
        }
    }
    Ok(())
}

#[test]
fn r9_who_is_cut_off_at_its_prompt_ends_after_it() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        let supervisor = depth.above[depth.above.len() - 1];
        open(&mut tree, "leaf", 1)?;
        tree.instruct("leaf", Instruction::Cut {})?;
        tree.wait_survey("leaf", "a teardown that waits", |text| text.contains("must end"))?;
        tree.stage.ctrl_c()?;
        answers(&tree, 1)?;
        tree.stage.type_line("continue")?;
        reaped(&mut tree, supervisor, "leaf")?;
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn nobody_survives_the_root_and_no_prompt_does() -> Tested {
    for holder in ["leaf", "root"] {
        let same = |growth| growth;
        everywhere(same, |mut tree, _| {
            open(&mut tree, holder, 1)?;
            tree.signal("root", Signal::SIGKILL)?;
            assert_eq!(tree.stage.exit()?, ProcessEnd::by(Signal::SIGKILL));
            Ok(tree.stage.wait_gone()?)
        })?;
    }
    Ok(())
}
