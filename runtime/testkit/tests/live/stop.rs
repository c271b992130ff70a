//! R10: SIGTERM, SIGHUP and SIGQUIT end the tree, or one actor, although a prompt is open.

use crate::support::{
    DEPTHS, PLACEMENTS, Tested, breakpoint, ctrl_c_ends, ends, everywhere, grow, open, reaped,
    resumed, shielded,
};
use holdfast_testkit::control::Resumption;
use holdfast_testkit::{Instruction, ProcessEnd, TestTreeBuilder};
use nix::sys::signal::Signal;

const STOPS: [(Signal, i32); 3] =
    [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129), (Signal::SIGQUIT, 131)];

#[test]
fn r10_a_stop_at_the_root_closes_the_prompt_in_an_orderly_way() -> Tested {
    for (signal, code) in STOPS {
        let same = |growth| growth;
        everywhere(same, |mut tree, _| {
            open(&mut tree, "leaf", 1)?;
            tree.signal("root", signal)?;
            ends(&tree, ProcessEnd::Code(code))
        })?;
    }
    Ok(())
}

#[test]
fn r10_it_closes_the_prompt_of_the_root_too() -> Tested {
    for (signal, code) in STOPS {
        for placement in PLACEMENTS {
            let mut tree = grow(TestTreeBuilder::of("root(sib)")?.placement(placement))?;
            open(&mut tree, "root", 1)?;
            tree.signal("root", signal)?;
            ends(&tree, ProcessEnd::Code(code))?;
        }
    }
    Ok(())
}

#[test]
fn r10_nobody_who_waits_gets_the_terminal_any_more() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, _| {
        open(&mut tree, "leaf", 1)?;
        tree.instruct("sib", shielded(2))?;
        tree.stage.wait_text("[1 wait]>")?;
        tree.instruct("root", shielded(3))?;
        tree.stage.wait_text("[2 wait]>")?;
        tree.signal("root", Signal::SIGTERM)?;
        ends(&tree, ProcessEnd::Code(143))?;
        assert!(!tree.stage.screen().contains("root/sib>"), "{}", tree.stage.dump());
        Ok(())
    })
}

#[test]
fn r10_a_holder_that_does_not_yield_is_killed_after_the_grace() -> Tested {
    let short = |growth: TestTreeBuilder| growth.grace_ms(200);
    everywhere(short, |mut tree, _| {
        open(&mut tree, "leaf", 1)?;
        tree.signal("leaf", Signal::SIGSTOP)?;
        tree.signal("root", Signal::SIGTERM)?;
        ends(&tree, ProcessEnd::Code(143))
    })
}

#[test]
fn r10_it_ends_a_tree_whose_actors_are_all_stopped() -> Tested {
    let short = |growth: TestTreeBuilder| growth.grace_ms(200);
    everywhere(short, |mut tree, depth| {
        open(&mut tree, "leaf", 1)?;
        for name in depth.actors().iter().rev().filter(|name| **name != "root") {
            tree.signal(name, Signal::SIGSTOP)?;
        }
        tree.signal("root", Signal::SIGTERM)?;
        ends(&tree, ProcessEnd::Code(143))
    })
}

#[test]
fn r10_a_stop_of_the_holder_closes_its_prompt_and_ends_it_alone() -> Tested {
    for (signal, _) in STOPS {
        let same = |growth| growth;
        everywhere(same, |mut tree, depth| {
            open(&mut tree, "leaf", 1)?;
            tree.signal("leaf", signal)?;
            reaped(&mut tree, depth.above[depth.above.len() - 1], "leaf")?;
            ctrl_c_ends(&mut tree)
        })?;
    }
    Ok(())
}

#[test]
fn r4_a_stop_of_an_actor_between_waits_for_the_prompt() -> Tested {
    for (signal, _) in STOPS {
        for depth in &DEPTHS[1..] {
            for who in 1..depth.above.len() {
                let mut tree = grow(TestTreeBuilder::of(depth.shape)?)?;
                open(&mut tree, "leaf", 1)?;
                tree.signal(depth.above[who], signal)?;
                tree.wait_survey(depth.above[who], "a teardown that waits", |text| {
                    text.contains("must end (Stopped)")
                })?;
                crate::support::answers(&tree, 1)?;
                tree.stage.type_line("continue")?;
                reaped(&mut tree, depth.above[who - 1], depth.above[who])?;
                ctrl_c_ends(&mut tree)?;
            }
        }
    }
    Ok(())
}

#[test]
fn a_signal_at_an_idle_actor_ends_it_and_only_a_kill_is_a_failure() -> Tested {
    for (signal, _) in STOPS {
        for name in ["mid", "leaf", "sib"] {
            let mut tree = grow(TestTreeBuilder::of("root(mid(leaf),sib)")?)?;
            tree.signal(name, signal)?;
            reaped(&mut tree, if name == "leaf" { "mid" } else { "root" }, name)?;
            ctrl_c_ends(&mut tree)?;
        }
    }
    Ok(())
}

#[test]
fn the_word_stop_cancels_the_tree_from_its_prompt() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, _| {
        open(&mut tree, "leaf", 1)?;
        tree.stage.type_line("stop")?;
        ends(&tree, ProcessEnd::Code(125))
    })
}

#[test]
fn a_request_of_a_tree_that_was_told_to_stop_is_refused() -> Tested {
    let mut tree = grow(TestTreeBuilder::of("root(leaf,sib)")?)?;
    // Code that does not yield keeps the actor, and with it the tree, for a while.
    tree.instruct("leaf", Instruction::Block {})?;
    tree.actor("leaf")?.wait_for(&holdfast_testkit::ActorEvent::Blocked {})?;
    tree.signal("root", Signal::SIGTERM)?;
    tree.wait_survey("root", "a teardown", |text| text.contains("ending"))?;
    tree.instruct("leaf", shielded(1))?;
    resumed(&mut tree, "leaf", 1, Resumption::Refused)?;
    tree.instruct("leaf", breakpoint(2))?;
    ends(&tree, ProcessEnd::Code(143))
}
