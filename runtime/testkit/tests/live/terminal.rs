//! The terminal as it may be: closed, none at all, dumb, without colours, of another size.

use crate::support::{
    PLACEMENTS, Tested, answers, breakpoint, ctrl_c_ends, ends, everywhere, go_on, grow,
    leaves_nobody, open, resumed,
};
use holdfast_testkit::control::Resumption;
use holdfast_testkit::{Instruction, ProcessEnd, SessionLeader, TestTreeBuilder};
use nix::sys::signal::Signal;

/// Started in a session that has no terminal; what it writes is seen all the same.
const NOWHERE: [&str; 2] = ["setsid", "--wait"];

#[test]
fn a_terminal_that_is_closed_ends_the_tree() -> Tested {
    for leader in [SessionLeader::Shell, SessionLeader::Program] {
        for at_a_prompt in [None, Some("leaf"), Some("root")] {
            let led = |growth: TestTreeBuilder| growth.leader(leader);
            everywhere(led, |mut tree, _| {
                if let Some(holder) = at_a_prompt {
                    open(&mut tree, holder, 1)?;
                }
                tree.stage.close_terminal();
                leaves_nobody(&tree, ProcessEnd::Code(129))
                    .map_err(|error| format!("{leader:?} {at_a_prompt:?}: {error}").into())
            })?;
        }
    }
    Ok(())
}

#[test]
fn without_a_terminal_a_prompt_is_a_report() -> Tested {
    let nowhere = |growth: TestTreeBuilder| growth.started_by(&NOWHERE);
    everywhere(nowhere, |mut tree, _| {
        for id in [1, 2] {
            tree.instruct("leaf", breakpoint(id))?;
            tree.stage.wait_output(&tree.path("leaf")?)?;
            tree.stage.wait_output(&format!("id\x1b[0m = {id}"))?;
            tree.stage.wait_output("nobody is at the prompt: it goes on")?;
            resumed(&mut tree, "leaf", id, Resumption::Continue)?;
        }
        tree.wait_quiet()?;
        tree.signal("root", Signal::SIGTERM)?;
        ends(&tree, ProcessEnd::Code(143))
    })
}

#[test]
fn without_a_terminal_a_script_can_be_at_the_prompt() -> Tested {
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("script");
    std::fs::write(&script, "print id\ncontinue\n# the second session\ntree\nquit\n")?;
    let variable = format!("script:{}", script.display());
    let scripted = |growth: TestTreeBuilder| {
        growth.started_by(&NOWHERE).env("HOLDFAST_NO_TERMINAL", &variable)
    };
    everywhere(scripted, |mut tree, _| {
        tree.instruct("leaf", breakpoint(1))?;
        tree.stage.wait_output("> print id")?;
        tree.stage.wait_output("id\x1b[0m = 1")?;
        resumed(&mut tree, "leaf", 1, Resumption::Continue)?;
        tree.instruct("leaf", breakpoint(2))?;
        tree.stage.wait_output("> tree")?;
        tree.stage.wait_output("(has the terminal)")?;
        tree.stage.wait_output("was quit at its prompt")?;
        ends(&tree, ProcessEnd::Code(1))
    })
}

#[test]
fn without_a_terminal_a_prompt_can_wait() -> Tested {
    let short = |growth: TestTreeBuilder| {
        growth.started_by(&NOWHERE).env("HOLDFAST_NO_TERMINAL", "wait:0.1")
    };
    everywhere(short, |mut tree, _| {
        tree.instruct("leaf", breakpoint(1))?;
        tree.stage.wait_output("waits 100ms for somebody")?;
        tree.stage.wait_output("nobody came")?;
        resumed(&mut tree, "leaf", 1, Resumption::Continue)?;
        tree.wait_quiet()?;
        tree.signal("root", Signal::SIGINT)?;
        ends(&tree, ProcessEnd::Code(130))
    })
}

#[test]
fn a_prompt_that_waits_without_a_terminal_is_shielded_and_can_be_stopped() -> Tested {
    let long = |growth: TestTreeBuilder| {
        growth.started_by(&NOWHERE).env("HOLDFAST_NO_TERMINAL", "wait:3600")
    };
    everywhere(long, |mut tree, _| {
        tree.instruct("leaf", breakpoint(1))?;
        tree.stage.wait_output("waits 3600s for somebody")?;
        for _ in 0..3 {
            tree.deliver("root", Signal::SIGINT)?;
        }
        assert!(tree.survey("root")?.contains("root ["), "it is there");
        tree.signal("root", Signal::SIGTERM)?;
        ends(&tree, ProcessEnd::Code(143))
    })
}

#[test]
fn a_dumb_terminal_has_plain_lines_and_ctrl_c_is_a_signal() -> Tested {
    let dumb = |growth: TestTreeBuilder| growth.env("TERM", "dumb");
    everywhere(dumb, |mut tree, _| {
        open(&mut tree, "leaf", 1)?;
        assert_eq!(tree.stage.modes()?, tree.modes, "the terminal edits by itself");
        // One at a time: the key makes a terminal drop the output that nobody has read.
        tree.interrupt()?;
        tree.stage.wait_text("Ctrl-C is ignored")?;
        for _ in 0..3 {
            tree.interrupt()?;
        }
        tree.stage.type_line("print id")?;
        tree.stage.wait_output("id = 1")?;
        go_on(&mut tree, "leaf", 1)?;
        let transcript = tree.stage.transcript();
        assert!(!transcript.contains(&0x1b), "{}", tree.stage.dump());
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn colours_can_be_switched_off() -> Tested {
    let plain = |growth: TestTreeBuilder| growth.env("NO_COLOR", "1");
    everywhere(plain, |mut tree, _| {
        open(&mut tree, "leaf", 1)?;
        tree.stage.type_line("print id")?;
        tree.stage.wait_output("id = 1")?;
        tree.stage.type_line("frobnicate")?;
        tree.stage.wait_text("is not a command")?;
        go_on(&mut tree, "leaf", 1)?;
        let transcript = String::from_utf8_lossy(&tree.stage.transcript()).into_owned();
        let colours = ["\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[1;31m", "\x1b[1;32m"];
        assert!(!colours.iter().any(|one| transcript.contains(one)), "{}", tree.stage.dump());
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn a_window_of_another_size_keeps_the_prompt_and_what_is_typed() -> Tested {
    for placement in PLACEMENTS {
        let mut tree = grow(TestTreeBuilder::of("root(mid(leaf))")?.placement(placement))?;
        open(&mut tree, "leaf", 1)?;
        tree.stage.write(b"print i")?;
        tree.stage.wait_text("> print i")?;
        for (rows, columns) in [(30, 100), (10, 40), (24, 80)] {
            tree.stage.resize(rows, columns)?;
        }
        tree.stage.type_line("d")?;
        tree.stage.wait_output("id\x1b[0m = 1\r\n")?;
        tree.wait_prompt("leaf")?;
        go_on(&mut tree, "leaf", 1)?;
        ctrl_c_ends(&mut tree)?;
    }
    Ok(())
}

#[test]
fn a_value_can_not_take_the_terminal_over() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, _| {
        let hostile = "\x1b]0;owned\x07\x1b[2J\x1b[H\u{9b}31m\r\nroot> \u{202e}";
        let (name, text) = ("\x1b[31mname".to_owned(), hostile.to_owned());
        tree.instruct("leaf", Instruction::Show { id: 1, name, text })?;
        tree.wait_prompt("leaf")?;
        tree.stage.type_line("locals")?;
        tree.stage.wait_output("root> ")?;
        tree.wait_prompt("leaf")?;
        let transcript = String::from_utf8_lossy(&tree.stage.transcript()).into_owned();
        for sequence in ["\x1b]0;", "\x1b[2J", "\x1b[H", "\u{9b}31m", "\x1b[31m", "\u{202e}"] {
            assert!(!transcript.contains(sequence), "{sequence:?}\n{}", tree.stage.dump());
        }
        go_on(&mut tree, "leaf", 1)?;
        ctrl_c_ends(&mut tree)
    })
}

#[test]
fn what_others_write_comes_above_the_prompt_and_the_typed_text_stays() -> Tested {
    let same = |growth| growth;
    everywhere(same, |mut tree, depth| {
        open(&mut tree, "leaf", 1)?;
        tree.stage.write(b"print i")?;
        tree.stage.wait_text("> print i")?;
        let path = tree.path("leaf")?;
        for (index, name) in depth.actors().into_iter().enumerate() {
            let text = format!("line {index} of {name}");
            if index % 2 == 0 {
                tree.instruct(name, Instruction::Print { text: text.clone() })?;
            } else {
                tree.instruct(name, Instruction::Warn { text: text.clone() })?;
            }
            tree.stage.wait_screen(&text, |screen| {
                let (row, _) = screen.cursor_position();
                let line = screen.contents_between(row, 0, row, screen.size().1);
                let above = screen.contents_between(0, 0, row, 0);
                above.contains(&text) && line.trim_end() == format!("{path}> print i")
            })?;
        }
        tree.stage.type_line("d")?;
        tree.stage.wait_output("id\x1b[0m = 1\r\n")?;
        answers(&tree, 1)?;
        go_on(&mut tree, "leaf", 1)?;
        ctrl_c_ends(&mut tree)
    })
}
