//! R3, R11 and R12: who acts on a SIGINT, how often one must be typed, and that nothing stays.

use crate::support::{
    DEPTHS, PLACEMENTS, Tested, answers, ctrl_c_ends, ends, everywhere, go_on, grow, open, reaped,
};
use holdfast_testkit::process::{RunState, SignalMasks, SignalSet, masks};
use holdfast_testkit::tree::Result;
use holdfast_testkit::{
    ActorEvent, Instruction, ProcessEnd, SessionLeader, TestTree, TestTreeBuilder,
};
use nix::sys::signal::Signal;

#[test]
fn r3_kill_int_to_the_holder_and_to_every_ancestor_is_ignored() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        open(&mut tree, "leaf", 1)?;
        for name in depth.above.iter().chain(&["leaf"]) {
            for _ in 0..3 {
                tree.deliver(name, Signal::SIGINT)?;
            }
            let survey = tree.survey(name)?;
            assert!(survey.contains("] running, "), "{name} goes on\n{survey}");
        }
        answers(&tree, 1)?;
        go_on(&mut tree, "leaf", 1)?;
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn r3_kill_int_to_a_bystander_cancels_it_and_not_the_prompt() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, _| {
        open(&mut tree, "leaf", 1)?;
        tree.signal("sib", Signal::SIGINT)?;
        reaped(&mut tree, "root", "sib")?;
        answers(&tree, 1)?;
        go_on(&mut tree, "leaf", 1)?;
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn r3_kill_int_to_an_actor_cancels_it_and_what_is_below_it() -> Tested {
    for depth in &DEPTHS {
        for placement in PLACEMENTS {
            for pair in depth.actors().windows(2).take(depth.above.len()) {
                let mut tree = grow(TestTreeBuilder::of(depth.shape)?.placement(placement))?;
                tree.signal(pair[1], Signal::SIGINT)?;
                reaped(&mut tree, pair[0], pair[1])?;
                ctrl_c_ends(&mut tree)?;
            }
        }
    }
    Ok(())
}

#[test]
fn r3_a_ctrl_c_of_the_terminal_is_the_roots_to_decide() -> Tested {
    // The kernel sends it to the whole group: those below the root must leave it alone, and the one
    // orderly cancel from above is what ends them. No shell is there to take the terminal back.
    let records = tempfile::tempdir()?;
    let growth = TestTreeBuilder::of("root(mid(leaf),sib)")?.placement(PLACEMENTS[1]);
    let mut tree = grow(growth.leader(SessionLeader::Program).records(records.path()))?;
    tree.signal("root", Signal::SIGSTOP)?;
    tree.wait_state(&["root"], RunState::Stopped)?;
    tree.stage.ctrl_c()?;
    tree.stage.wait_output("^C")?;
    for name in ["mid", "leaf", "sib"] {
        tree.wait_read(name, Signal::SIGINT)?;
        let survey = tree.survey(name)?;
        assert!(survey.contains("] running"), "{survey}");
    }
    tree.signal("root", Signal::SIGCONT)?;
    ends(&tree, ProcessEnd::Code(130))?;
    let mut heard = 0;
    for folder in std::fs::read_dir(records.path())? {
        for file in std::fs::read_dir(folder?.path())? {
            let text = std::fs::read_to_string(file?.path())?;
            heard += usize::from(text.contains(r#""signal":"interrupt","origin":"terminal""#));
        }
    }
    assert_eq!(heard, 4, "everybody has read it");
    Ok(())
}

#[test]
fn r11_each_further_ctrl_c_climbs_a_rung_without_its_timer() -> Tested {
    for depth in &DEPTHS {
        for placement in PLACEMENTS {
            // So long that no test waits for one.
            let growth = TestTreeBuilder::of(depth.shape)?.placement(placement).grace_ms(3_600_000);
            let mut tree = grow(growth)?;
            // Code that does not yield: its process outlives the cancel and SIGTERM.
            tree.instruct("leaf", Instruction::Block {})?;
            tree.actor("leaf")?.wait_for(&ActorEvent::Blocked {})?;
            tree.interrupt()?;
            tree.wait_survey("leaf", "the cancel", |text| text.contains("ending"))?;
            // Terminate and kill; and for each orphan of who was killed all three rungs.
            for _ in 0..2 + 3 * (depth.above.len() - 1) {
                let settled = tree.interrupt().and_then(|()| {
                    tree.wait_survey("root", "no killed child", |text| !text.contains("kill"))
                });
                if settled.is_err() {
                    break;
                }
            }
            ends(&tree, ProcessEnd::Code(130))?;
        }
    }
    Ok(())
}

/// The masks of all actors, pending signals aside.
fn all_masks(tree: &mut TestTree, names: &[&str]) -> Result<Vec<SignalMasks>> {
    let mut all = Vec::new();
    for name in names {
        // While it starts a thread, as it does last at its boot, the C library blocks all signals.
        tree.survey(name)?;
        let pid = tree.actor(name)?.pid();
        let pending = SignalSet::default();
        all.push(SignalMasks { pending, ..masks(pid)? });
    }
    Ok(all)
}

#[test]
fn r12_after_the_last_prompt_nothing_is_left_of_it() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        let names = depth.actors();
        let before = all_masks(&mut tree, &names)?;
        for (id, holder) in [(1, "leaf"), (2, "root"), (3, "leaf")] {
            open(&mut tree, holder, id)?;
            tree.stage.ctrl_c()?;
            answers(&tree, id)?;
            go_on(&mut tree, holder, id)?;
            tree.wait_quiet()?;
            tree.wait_modes()?;
            assert_eq!(all_masks(&mut tree, &names)?, before, "after pause {id}");
        }
        ctrl_c_ends(&mut tree)
    })
}
