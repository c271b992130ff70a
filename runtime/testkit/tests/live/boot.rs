//! An actor that is held while it boots: a Ctrl-C, a cancel, a death and a prompt of others then.

use crate::support::{PLACEMENTS, Tested, answers, ctrl_c_ends, ends, go_on, grow, open, reaped};
use holdfast::Placement;
use holdfast_testkit::control::ActorHandle;
use holdfast_testkit::tree::Result;
use holdfast_testkit::{
    ActorEvent, Instruction, PATIENCE, ProcessEnd, ProcessInfo, TestTree, TestTreeBuilder,
};
use nix::sys::signal::Signal;

/// A supervisor of the one that boots, at depth 1, 2 and 3, with a bystander.
const SHAPES: [(&str, &str); 3] = [
    ("root(late?,sib)", "root"),
    ("root(mid(late?),sib)", "mid"),
    ("root(a(mid(late?)),sib)", "mid"),
];

/// A tree in which `late` is held while it boots, and the hand on it.
fn booting(shape: &str, placement: Placement, grace_ms: u64) -> Result<(TestTree, ActorHandle)> {
    held(TestTreeBuilder::of(shape)?.placement(placement).grace_ms(grace_ms), shape)
}

fn held(growth: TestTreeBuilder, shape: &str) -> Result<(TestTree, ActorHandle)> {
    let at = match shape {
        "root(late?,sib)" => "booting@root/late",
        "root(mid(late?),sib)" => "booting@root/mid/late",
        _ => "booting@root/a/mid/late",
    };
    let mut tree = grow(growth.point(at))?;
    tree.ask_to_spawn("late")?;
    let held = tree.control.wait_actor(at)?;
    Ok((tree, held))
}

fn everywhere(grace_ms: u64, test: impl Fn(TestTree, ActorHandle, &str) -> Tested) -> Tested {
    for (shape, supervisor) in SHAPES {
        for placement in PLACEMENTS {
            let (tree, held) = booting(shape, placement, grace_ms)?;
            test(tree, held, supervisor)
                .map_err(|error| format!("{shape} {placement:?}: {error}"))?;
        }
    }
    Ok(())
}

#[test]
fn an_actor_that_is_held_boots_when_it_is_let_go() -> Tested {
    everywhere(2000, |mut tree, held, _| {
        held.send(Instruction::Boot {})?;
        tree.actor("late")?;
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn ctrl_c_ends_a_tree_in_which_an_actor_never_boots() -> Tested {
    everywhere(200, |tree, _, _| {
        tree.stage.ctrl_c()?;
        ends(&tree, ProcessEnd::Code(130))
    })
}

#[test]
fn who_boots_after_the_ctrl_c_ends_in_an_orderly_way() -> Tested {
    // So long that nobody is killed.
    everywhere(3_600_000, |mut tree, held, supervisor| {
        tree.interrupt()?;
        tree.wait_survey(supervisor, "the cancel", |text| text.contains("ending"))?;
        held.send(Instruction::Boot {})?;
        ends(&tree, ProcessEnd::Code(130))
    })
}

#[test]
fn a_cancel_reaches_who_boots() -> Tested {
    everywhere(200, |mut tree, _, _| {
        tree.instruct("root", Instruction::Cancel {})?;
        ends(&tree, ProcessEnd::Code(125))
    })
}

#[test]
fn a_death_while_it_boots_fails_the_spawn_at_once() -> Tested {
    everywhere(3_600_000, |mut tree, held, supervisor| {
        let process = ProcessInfo::read(held.pid())?;
        process.signal(Signal::SIGKILL)?;
        process.wait_end(PATIENCE)?;
        let failed = |event: &ActorEvent| matches!(event, ActorEvent::Failed { text } if text.contains("late"));
        let heard = tree.actor(supervisor)?.wait("the failed spawn", failed);
        ends(&tree, ProcessEnd::Code(1))?;
        // The actor that spawned it fails because of it, and may have ended without a word.
        if let Err(error) = heard {
            assert!(error.to_string().contains("it has gone"), "{error}");
        }
        Ok(())
    })
}

#[test]
fn kill_int_is_taken_by_who_boots_when_it_has_booted() -> Tested {
    everywhere(2000, |mut tree, held, supervisor| {
        open(&mut tree, "sib", 1)?;
        holdfast_testkit::process::signal(held.pid(), Signal::SIGINT)?;
        answers(&tree, 1)?;
        // It holds for nobody, so it obeys, and in an orderly way.
        held.send(Instruction::Boot {})?;
        reaped(&mut tree, supervisor, "late")?;
        answers(&tree, 1)?;
        go_on(&mut tree, "sib", 1)?;
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn a_ctrl_c_at_a_prompt_leaves_who_boots_alone() -> Tested {
    for (shape, _) in SHAPES {
        for placement in PLACEMENTS {
            // There the key is a signal to the whole group while the prompt is open.
            let dumb = TestTreeBuilder::of(shape)?.placement(placement).env("TERM", "dumb");
            let (mut tree, held) = held(dumb, shape)?;
            open(&mut tree, "sib", 1)?;
            tree.interrupt()?;
            tree.stage.wait_text("Ctrl-C is ignored")?;
            held.send(Instruction::Boot {})?;
            tree.actor("late")?;
            tree.wait_read("late", Signal::SIGINT)?;
            assert!(tree.survey("late")?.contains("] running"), "it goes on");
            go_on(&mut tree, "sib", 1)?;
            ctrl_c_ends(&mut tree)?;
        }
    }
    Ok(())
}

#[test]
fn the_death_of_the_root_ends_who_boots() -> Tested {
    everywhere(2000, |mut tree, held, _| {
        tree.signal("root", Signal::SIGKILL)?;
        assert_eq!(tree.stage.exit()?, ProcessEnd::by(Signal::SIGKILL));
        held.send(Instruction::Boot {})?;
        Ok(tree.stage.wait_gone()?)
    })
}

#[test]
fn a_child_that_is_asked_to_end_while_a_sibling_boots_ends_alone() -> Tested {
    for placement in PLACEMENTS {
        let (mut tree, held) = booting("root(late?,sib)", placement, 2000)?;
        tree.instruct("root", Instruction::CancelChild { name: "sib".into() })?;
        reaped(&mut tree, "root", "sib")?;
        held.send(Instruction::Boot {})?;
        tree.actor("late")?;
        ctrl_c_ends(&mut tree)?;
    }
    Ok(())
}
