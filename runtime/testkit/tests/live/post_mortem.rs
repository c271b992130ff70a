//! Debug mode: a failure opens a prompt where it was, then at each supervisor on its way up.

use crate::support::{Depth, Tested, answers, ends, everywhere, grow, open};
use holdfast_testkit::actor::BORING;
use holdfast_testkit::{Instruction, ProcessEnd, TestTree, TestTreeBuilder};

fn error() -> Instruction {
    Instruction::Error { text: "out of beans".into() }
}

fn panic() -> Instruction {
    Instruction::Crash { text: "out of beans".into() }
}

/// Everybody in debug mode.
fn debugging(growth: TestTreeBuilder) -> TestTreeBuilder {
    growth.debug(&["root", "a", "mid", "leaf", "sib"])
}

/// All on the way of a failure of the leaf.
fn way(depth: &Depth) -> Vec<&'static str> {
    ["leaf"].iter().chain(depth.above.iter().rev()).copied().collect()
}

/// The prompts come in the order of the way, and each shows what failed.
fn climbs(tree: &mut TestTree, way: &[&str], says: &str, word: &str) -> Tested {
    let failure = format!("{} {says}: out of beans", tree.path("leaf")?);
    for name in way {
        tree.wait_prompt(name)?;
        // The last thing that a prompt says of itself: what it fails with.
        let opening = format!("post-mortem in {}, ", tree.path(name)?);
        tree.stage.wait_screen("the failure", |screen| {
            let text = screen.contents();
            let own = text.rsplit_once(&opening).map(|(_, own)| own.to_owned());
            own.is_some_and(|own| own.contains(&failure))
        })?;
        tree.stage.ctrl_c()?;
        tree.stage.type_line(word)?;
    }
    ends(tree, ProcessEnd::Code(1))
}

#[test]
fn an_error_opens_a_prompt_at_each_level() -> Tested {
    everywhere(debugging, |mut tree, depth| {
        tree.instruct("leaf", error())?;
        climbs(&mut tree, &way(depth), "failed", "continue")
    })
}

#[test]
fn a_panic_opens_one_with_its_place_and_backtrace() -> Tested {
    everywhere(debugging, |mut tree, depth| {
        tree.instruct("leaf", panic())?;
        tree.wait_prompt("leaf")?;
        tree.stage.wait_text("runtime/testkit/src/actor.rs")?;
        tree.stage.type_line("bt")?;
        tree.stage.wait_output("holdfast_testkit::actor::test_actor")?;
        tree.stage.type_line("continue")?;
        climbs(&mut tree, &way(depth)[1..], "panicked", "continue")
    })
}

#[test]
fn quit_and_continue_are_the_same_at_a_failure() -> Tested {
    everywhere(debugging, |mut tree, depth| {
        tree.instruct("leaf", error())?;
        climbs(&mut tree, &way(depth), "failed", "quit")
    })
}

#[test]
fn only_actors_in_debug_mode_stop_a_failure_on_its_way() -> Tested {
    let some = |growth: TestTreeBuilder| growth.debug(&["root"]);
    everywhere(some, |mut tree, _| {
        tree.instruct("leaf", error())?;
        tree.wait_prompt("root")?;
        tree.stage.type_line("continue")?;
        ends(&tree, ProcessEnd::Code(1))
    })
}

#[test]
fn a_failure_that_the_filter_lets_pass_opens_none() -> Tested {
    everywhere(debugging, |mut tree, _| {
        tree.instruct("leaf", Instruction::Error { text: format!("{BORING}, once more") })?;
        ends(&tree, ProcessEnd::Code(1))?;
        assert!(!tree.stage.screen().contains("post-mortem"), "{}", tree.stage.dump());
        Ok(())
    })
}

#[test]
fn a_cancel_and_a_deadline_are_no_failures() -> Tested {
    for (instruction, code) in [(Instruction::Cancel {}, 125), (Instruction::Deadline {}, 124)] {
        let mut tree = grow(debugging(TestTreeBuilder::of("root(mid(leaf))")?))?;
        tree.instruct("root", instruction)?;
        ends(&tree, ProcessEnd::Code(code))?;
        assert!(!tree.stage.screen().contains("post-mortem"), "{}", tree.stage.dump());
    }
    Ok(())
}

#[test]
fn quit_at_a_breakpoint_is_a_failure_to_be_looked_at_above() -> Tested {
    let mut tree = grow(TestTreeBuilder::of("root(mid(leaf))")?.debug(&["root"]))?;
    open(&mut tree, "leaf", 1)?;
    answers(&tree, 1)?;
    tree.stage.type_line("quit")?;
    tree.wait_prompt("root")?;
    tree.stage.wait_output("root/mid/leaf was quit at its prompt")?;
    tree.stage.type_line("continue")?;
    ends(&tree, ProcessEnd::Code(1))
}

#[test]
fn two_failures_are_looked_at_one_after_the_other() -> Tested {
    let both = |growth: TestTreeBuilder| growth.debug(&["leaf", "sib"]);
    everywhere(both, |mut tree, _| {
        tree.instruct("leaf", error())?;
        tree.wait_prompt("leaf")?;
        tree.instruct("sib", panic())?;
        tree.stage.wait_text("[1 wait]>")?;
        tree.stage.type_line("continue")?;
        tree.wait_prompt("sib")?;
        tree.stage.wait_output("root/sib panicked: out of beans")?;
        tree.stage.type_line("continue")?;
        ends(&tree, ProcessEnd::Code(1))
    })
}
