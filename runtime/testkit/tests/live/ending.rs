//! How a tree ends without a prompt: by itself, by signals, by deaths; and that nothing is left.

use crate::support::{PLACEMENTS, Tested, ends, grow};
use holdfast_testkit::{
    Instruction, ProcessEnd, SessionLeader, StagedProgram, TerminalStage, TestTreeBuilder,
};
use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::unistd::{pipe2, read};
use std::process::Command;

const SHAPES: [&str; 3] = ["root(leaf)", "root(mid(leaf))", "root(a(mid(leaf)),sib)"];
#[test]
fn a_ctrl_c_ends_an_idle_tree() -> Tested {
    for shape in SHAPES {
        for placement in PLACEMENTS {
            let tree = grow(TestTreeBuilder::of(shape)?.placement(placement))?;
            tree.stage.ctrl_c()?;
            ends(&tree, ProcessEnd::Code(130))?;
        }
    }
    Ok(())
}

#[test]
fn a_signal_at_the_root_ends_the_tree_with_its_code() -> Tested {
    let table = [
        (Signal::SIGINT, 130),
        (Signal::SIGTERM, 143),
        (Signal::SIGHUP, 129),
        (Signal::SIGQUIT, 131),
    ];
    for (signal, code) in table {
        let mut tree = grow(TestTreeBuilder::of("root(mid(leaf))")?)?;
        tree.signal("root", signal)?;
        ends(&tree, ProcessEnd::Code(code))?;
    }
    Ok(())
}

#[test]
fn a_root_that_is_done_cancels_its_children_and_ends_with_its_own_code() -> Tested {
    let mut tree = grow(TestTreeBuilder::of("root(mid(leaf),sib)")?)?;
    tree.instruct("root", Instruction::Finish {})?;
    ends(&tree, ProcessEnd::Code(0))
}

#[test]
fn an_error_climbs_with_its_way_and_ends_all() -> Tested {
    for instruction in [
        Instruction::Error { text: "out of beans".into() },
        Instruction::Crash { text: "out of beans".into() },
    ] {
        let mut tree = grow(TestTreeBuilder::of("root(mid(leaf),sib)")?)?;
        tree.instruct("leaf", instruction)?;
        tree.stage.wait_output("root/mid/leaf")?;
        tree.stage.wait_output("(passed on by root/mid, root)")?;
        ends(&tree, ProcessEnd::Code(1))?;
    }
    Ok(())
}

#[test]
fn a_killed_actor_fails_its_supervisor_and_its_children_end_themselves() -> Tested {
    for victim in ["leaf", "mid"] {
        let mut tree = grow(TestTreeBuilder::of("root(mid(leaf),sib)")?)?;
        tree.signal(victim, Signal::SIGKILL)?;
        tree.stage.wait_output("was ended by SIGKILL")?;
        ends(&tree, ProcessEnd::Code(1))?;
    }
    Ok(())
}

#[test]
fn whoever_does_not_end_is_killed_by_its_supervisor() -> Tested {
    let mut tree = grow(TestTreeBuilder::of("root(mid(leaf))")?.grace_ms(200))?;
    tree.signal("leaf", Signal::SIGSTOP)?;
    tree.stage.ctrl_c()?;
    ends(&tree, ProcessEnd::Code(130))
}

#[test]
fn code_that_never_yields_does_not_keep_its_process() -> Tested {
    let mut tree = grow(TestTreeBuilder::of("root(leaf)")?.grace_ms(200))?;
    for name in ["root", "leaf"] {
        tree.instruct(name, Instruction::Block {})?;
        tree.actor(name)?.wait_for(&holdfast_testkit::ActorEvent::Blocked {})?;
    }
    tree.stage.ctrl_c()?;
    ends(&tree, ProcessEnd::Code(130))
}

#[test]
fn nobody_survives_the_death_of_the_root() -> Tested {
    for leader in [SessionLeader::Shell, SessionLeader::Program] {
        for placement in PLACEMENTS {
            let mut tree = grow(
                TestTreeBuilder::of("root(mid(leaf),sib)")?.placement(placement).leader(leader),
            )?;
            tree.signal("root", Signal::SIGKILL)?;
            assert_eq!(tree.stage.exit()?, ProcessEnd::Signal(Signal::SIGKILL as i32));
            tree.stage.wait_gone()?;
            assert_eq!(tree.stage.modes()?, tree.modes);
        }
    }
    Ok(())
}

#[test]
fn a_storm_of_ctrl_c_ends_a_tree_like_one_does() -> Tested {
    for placement in PLACEMENTS {
        let tree = grow(TestTreeBuilder::of("root(mid(leaf),sib)")?.placement(placement))?;
        for _ in 0..50 {
            tree.stage.ctrl_c()?;
        }
        // A key that comes when the program has its signals back ends it as any other; shells call
        // both 130.
        let ways = [ProcessEnd::Code(130), ProcessEnd::by(Signal::SIGINT)];
        assert!(ways.contains(&tree.stage.exit()?), "{}", tree.stage.dump());
        ends(&tree, tree.stage.exit()?)?;
    }
    Ok(())
}

#[test]
fn every_other_way_to_end_has_its_code() -> Tested {
    let table = [
        (Instruction::Deadline {}, 124),
        (Instruction::Cancel {}, 125),
        (Instruction::Finish {}, 0),
    ];
    for (instruction, code) in table {
        for placement in PLACEMENTS {
            let mut tree = grow(TestTreeBuilder::of("root(mid(leaf),sib)")?.placement(placement))?;
            tree.instruct("root", instruction.clone())?;
            ends(&tree, ProcessEnd::Code(code))
                .map_err(|error| format!("{instruction:?}: {error}"))?;
        }
    }
    Ok(())
}

/// All actors share the standard error: what another one writes must not come between.
#[test]
fn the_last_word_of_a_program_is_one_write() -> Tested {
    // Each write is a packet of its own (O_DIRECT of pipe(2)), and a read gets one.
    let (packets, errors) = pipe2(OFlag::O_DIRECT | OFlag::O_CLOEXEC)?;
    let mut program = Command::new(env!("CARGO_BIN_EXE_holdfast-test-actor"));
    program.env("HOLDFAST_DEBUG", "maybe").stderr(errors);
    let status = program.status()?;
    assert_eq!(status.code(), Some(2));
    drop(program);
    let mut packet = [0; 4096];
    let length = read(&packets, &mut packet)?;
    let said = String::from_utf8_lossy(&packet[..length]);
    assert!(said.starts_with("error: failed to read the environment: HOLDFAST_DEBUG=maybe: "));
    assert!(said.ends_with('\n'), "{said:?}");
    assert_eq!(read(&packets, &mut packet)?, 0, "nothing comes after it");
    Ok(())
}

#[test]
fn a_variable_that_can_not_be_used_is_said_before_anything_starts() -> Tested {
    let bad = [
        ("HOLDFAST_DEBUG", "maybe"),
        ("HOLDFAST_NO_TERMINAL", "wait:l"),
        ("HOLDFAST_PLACEMENT", "elsewhere"),
        ("HOLDFAST_POLICY", "single-depth"),
    ];
    for (key, value) in bad {
        let program = StagedProgram::new(env!("CARGO_BIN_EXE_holdfast-test-actor")).env(key, value);
        let stage =
            TerminalStage::open(Command::new(env!("CARGO_BIN_EXE_holdfast-shim")), &program)?;
        stage.wait_output(&format!("error: failed to read the environment: {key}={value}: "))?;
        assert_eq!(stage.exit()?, ProcessEnd::Code(2));
    }
    Ok(())
}
