//! R4, R5 and R6: no teardown above an open prompt, for whichever cause; no ladder climbs below one.

use crate::support::{
    DEPTHS, PLACEMENTS, Tested, answers, breakpoint, ctrl_c_ends, ends, everywhere, go_on, grow,
    open, reaped, shielded,
};
use holdfast_testkit::{Instruction, PATIENCE, ProcessEnd, ProcessInfo, TestTree, TestTreeBuilder};
use nix::sys::signal::Signal;

/// How the tree ends once the prompt is closed.
fn ends_after(tree: &mut TestTree, above: &[&str], who: &str, code: Option<i32>) -> Tested {
    let supervisor = above.iter().take_while(|name| **name != who).last();
    match (supervisor, code) {
        (_, Some(code)) => ends(tree, ProcessEnd::Code(code)),
        // The branch ends alone, and what is above it goes on.
        (Some(supervisor), None) => {
            reaped(tree, supervisor, who)?;
            ctrl_c_ends(tree)
        }
        (None, None) => Err("the root ends with a code".into()),
    }
}

#[test]
fn r4_whatever_an_ancestor_must_end_for_it_waits_for_the_prompt() -> Tested {
    let error = || Instruction::Error { text: "out of beans".into() };
    let crash = || Instruction::Crash { text: "out of beans".into() };
    type Row = (fn() -> Instruction, Option<i32>, i32);
    let table: [Row; 5] = [
        (error, Some(1), 1),
        (crash, Some(1), 1),
        (|| Instruction::Deadline {}, None, 124),
        (|| Instruction::Cancel {}, None, 125),
        (|| Instruction::Finish {}, None, 0),
    ];
    for (instruction, code, of_root) in table {
        for (depth, placement) in DEPTHS.iter().zip(PLACEMENTS.iter().cycle()) {
            for who in depth.above {
                let mut tree = grow(TestTreeBuilder::of(depth.shape)?.placement(*placement))?;
                open(&mut tree, "leaf", 1)?;
                tree.instruct(who, instruction())?;
                tree.wait_survey(who, "a teardown that waits", |text| {
                    text.lines().next().is_some_and(|line| line.contains("must end"))
                })?;
                tree.stage.ctrl_c()?;
                answers(&tree, 1)?;
                tree.stage.type_line("continue")?;
                let code = if *who == "root" { Some(of_root) } else { code };
                ends_after(&mut tree, depth.above, who, code)
                    .map_err(|error| format!("{:?} at {who}: {error}", instruction()))?;
            }
        }
    }
    Ok(())
}

#[test]
fn r4_a_sibling_that_fails_or_dies_waits_for_the_prompt() -> Tested {
    let table: [fn(&mut TestTree) -> Tested; 2] = [
        |tree| tree.instruct("sib", Instruction::Error { text: "out of beans".into() }),
        |tree| tree.signal("sib", Signal::SIGKILL),
    ];
    for fail in table {
        let same = |growth| growth;
        everywhere(same, |mut tree, _| {
            open(&mut tree, "leaf", 1)?;
            fail(&mut tree)?;
            tree.wait_survey("root", "a teardown that waits", |text| {
                text.contains("must end (ChildFailed), waits for a prompt")
            })?;
            answers(&tree, 1)?;
            tree.stage.type_line("continue")?;
            ends(&tree, ProcessEnd::Code(1))
        })?;
    }
    Ok(())
}

#[test]
fn r4_the_holder_itself_is_cancelled_when_its_prompt_closes() -> Tested {
    let table: [fn() -> Instruction; 2] = [|| Instruction::Cancel {}, || Instruction::Deadline {}];
    for instruction in table {
        let same = |growth| growth;
        everywhere(same, |mut tree, depth| {
            open(&mut tree, "leaf", 1)?;
            tree.instruct("leaf", instruction())?;
            tree.wait_survey("leaf", "a teardown that waits", |text| text.contains("must end"))?;
            answers(&tree, 1)?;
            tree.stage.type_line("continue")?;
            reaped(&mut tree, depth.above[depth.above.len() - 1], "leaf")?;
            ctrl_c_ends(&mut tree)
        })?;
    }
    Ok(())
}

#[test]
fn r4_a_cancel_from_above_waits_for_the_prompt_below() -> Tested {
    for placement in PLACEMENTS {
        let mut tree = grow(TestTreeBuilder::of("root(a(mid(leaf)),sib)")?.placement(placement))?;
        open(&mut tree, "leaf", 1)?;
        tree.instruct("root", Instruction::CancelChild { name: "a".into() })?;
        tree.wait_survey("a", "a teardown that waits", |text| {
            text.lines().next().is_some_and(|line| line.contains("must end"))
        })?;
        answers(&tree, 1)?;
        tree.stage.type_line("continue")?;
        reaped(&mut tree, "root", "a")?;
        ctrl_c_ends(&mut tree)?;
    }
    Ok(())
}

#[test]
fn r5_a_ladder_that_has_begun_stands_still_while_somebody_is_at_a_prompt() -> Tested {
    let graces = |growth: TestTreeBuilder| growth.grace_ms(1500);
    everywhere(graces, |mut tree, _| {
        // Its end says that two grace periods have passed.
        tree.signal("sib", Signal::SIGSTOP)?;
        let sib = ProcessInfo::read(tree.actor("sib")?.pid())?;
        // The cancel is under way to the leaf, or read, when it asks for the terminal.
        tree.instruct("leaf", Instruction::Block {})?;
        tree.actor("leaf")?.wait_for(&holdfast_testkit::ActorEvent::Blocked {})?;
        tree.instruct("root", Instruction::Cancel {})?;
        tree.wait_survey("leaf", "the cancel", |text| text.contains("ending"))?;
        tree.instruct("leaf", shielded(1))?;
        tree.wait_prompt("leaf")?;
        sib.wait_end(PATIENCE)?;
        answers(&tree, 1)?;
        tree.instruct("leaf", Instruction::Unblock {})?;
        answers(&tree, 1)?;
        tree.stage.type_line("continue")?;
        ends(&tree, ProcessEnd::Code(125))
    })
}

#[test]
fn r6_a_cancel_withdraws_a_request_that_waits() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        open(&mut tree, "sib", 1)?;
        tree.instruct("leaf", breakpoint(2))?;
        tree.stage.wait_text("root/sib [1 wait]>")?;
        tree.instruct("leaf", Instruction::Cancel {})?;
        reaped(&mut tree, depth.above[depth.above.len() - 1], "leaf")?;
        tree.wait_prompt("sib")?;
        tree.wait_survey("root", "nobody waits", |text| !text.contains("then"))?;
        answers(&tree, 1)?;
        go_on(&mut tree, "sib", 1)?;
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn r6_a_shielded_request_outlives_the_cancel() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        open(&mut tree, "sib", 1)?;
        tree.instruct("leaf", shielded(2))?;
        tree.stage.wait_text("root/sib [1 wait]>")?;
        tree.instruct("leaf", Instruction::Cancel {})?;
        tree.wait_survey("leaf", "a cancel", |text| !text.contains("running"))?;
        go_on(&mut tree, "sib", 1)?;
        tree.wait_prompt("leaf")?;
        answers(&tree, 2)?;
        tree.stage.type_line("continue")?;
        reaped(&mut tree, depth.above[depth.above.len() - 1], "leaf")?;
        ctrl_c_ends(&mut tree)
    })
}
