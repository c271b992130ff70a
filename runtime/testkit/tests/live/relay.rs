//! R1 and R2: the request is the relay, and there is one lock, first come first served.

use crate::support::{
    PLACEMENTS, Tested, answers, breakpoint, ctrl_c_ends, ends, everywhere, go_on, grow, open,
    resumed,
};
use holdfast_testkit::control::Resumption;
use holdfast_testkit::{Instruction, ProcessEnd, TestTreeBuilder};
use nix::sys::signal::Signal;

/// The line of an actor in a survey.
fn line<'a>(survey: &'a str, name: &str) -> &'a str {
    let is = |line: &&str| line.trim_start().starts_with(&format!("{name} ["));
    survey.lines().find(is).unwrap_or_else(|| panic!("{name} is not in\n{survey}"))
}

#[test]
fn r1_every_ancestor_holds_for_the_request_and_nobody_else() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        open(&mut tree, "leaf", 1)?;
        let holds = format!("holds for {} (has the terminal)", tree.path("leaf")?);
        let survey = tree.survey("root")?;
        for above in depth.above {
            assert!(line(&survey, above).contains(&holds), "{above}\n{survey}");
        }
        assert!(line(&survey, "leaf").ends_with("running, at its prompt"), "{survey}");
        assert!(line(&survey, "sib").ends_with("running"), "{survey}");
        assert!(survey.contains(&format!("the terminal: {}", tree.path("leaf")?)), "{survey}");
        tree.stage.type_line("tree")?;
        tree.stage.wait_text(&holds)?;
        tree.wait_prompt("leaf")?;
        go_on(&mut tree, "leaf", 1)?;
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn r1_a_request_that_waits_is_held_for_on_its_way() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        open(&mut tree, "sib", 1)?;
        tree.instruct("leaf", breakpoint(2))?;
        let leaf = tree.path("leaf")?;
        let queue = format!("the terminal: root/sib, then {leaf}");
        let survey = tree.wait_survey("root", "the queue", |text| text.contains(&queue))?;
        for above in &depth.above[1..] {
            let holds = format!("holds for {leaf} (waits)");
            assert!(line(&survey, above).contains(&holds), "{above}\n{survey}");
        }
        assert!(line(&survey, "leaf").ends_with("waits for the terminal"), "{survey}");
        tree.stage.wait_text("root/sib [1 wait]>")?;
        go_on(&mut tree, "sib", 1)?;
        tree.wait_prompt("leaf")?;
        go_on(&mut tree, "leaf", 2)?;
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn r2_who_asks_first_has_the_terminal_first() -> Tested {
    for placement in PLACEMENTS {
        let mut tree = grow(TestTreeBuilder::of("root(a(mid(x)),y,b(z))")?.placement(placement))?;
        open(&mut tree, "y", 1)?;
        let mut queue = "the terminal: root/y".to_owned();
        for (id, name) in [(2, "x"), (3, "root"), (4, "z"), (5, "y")] {
            tree.instruct(name, breakpoint(id))?;
            queue = format!("{queue}, then {}", tree.path(name)?);
            tree.wait_survey("root", &queue, |text| text.contains(&queue))?;
        }
        for (id, name) in [(1, "y"), (2, "x"), (3, "root"), (4, "z"), (5, "y")] {
            tree.wait_prompt(name)?;
            answers(&tree, id)?;
            go_on(&mut tree, name, id)?;
        }
        ctrl_c_ends(&mut tree)?;
    }
    Ok(())
}

#[test]
fn r2_two_tasks_of_one_actor_queue() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, _| {
        tree.instruct("leaf", Instruction::TwoBreakpoints { ids: [1, 2] })?;
        for id in [1, 2] {
            tree.wait_prompt("leaf")?;
            answers(&tree, id)?;
            go_on(&mut tree, "leaf", id)?;
        }
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn r2_whichever_way_a_prompt_ends_the_next_who_waits_has_the_terminal() -> Tested {
    type Way = fn(&mut holdfast_testkit::TestTree) -> Tested;
    let table: [(&str, Way, i32); 5] = [
        ("continue", |tree| Ok(tree.stage.type_line("continue")?), 130),
        ("quit", |tree| Ok(tree.stage.type_line("quit")?), 1),
        ("end of file", |tree| Ok(tree.stage.ctrl_d()?), 1),
        ("its death", |tree| tree.signal("leaf", Signal::SIGKILL), 1),
        ("SIGTERM to it", |tree| tree.signal("leaf", Signal::SIGTERM), 130),
    ];
    for (what, way, code) in table {
        let same = |growth| growth;
        everywhere(same, |mut tree, _| {
            open(&mut tree, "leaf", 1)?;
            tree.instruct("sib", breakpoint(2))?;
            tree.stage.wait_text("[1 wait]>")?;
            way(&mut tree)?;
            tree.wait_prompt("sib").map_err(|error| format!("{what}: {error}"))?;
            answers(&tree, 2)?;
            tree.stage.type_line("continue")?;
            match code {
                130 => {
                    resumed(&mut tree, "sib", 2, Resumption::Continue)?;
                    ctrl_c_ends(&mut tree)
                }
                _ => ends(&tree, ProcessEnd::Code(code)),
            }
        })?;
    }
    Ok(())
}

#[test]
fn a_pause_within_a_pause_passes_and_a_thread_can_pause() -> Tested {
    let mut tree = grow(TestTreeBuilder::of("root(mid(leaf))")?)?;
    tree.instruct("leaf", Instruction::NestedBreakpoint { ids: [1, 2] })?;
    resumed(&mut tree, "leaf", 2, Resumption::Passed)?;
    tree.wait_prompt("leaf")?;
    tree.stage.type_line("print pausing")?;
    tree.stage.wait_text("pausing = shown")?;
    go_on(&mut tree, "leaf", 1)?;
    tree.instruct("leaf", crate::support::shielded(3))?;
    tree.wait_prompt("leaf")?;
    answers(&tree, 3)?;
    go_on(&mut tree, "leaf", 3)?;
    ctrl_c_ends(&mut tree)
}
