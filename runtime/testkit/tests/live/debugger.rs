//! A real debugger at a prompt: what it sees, and that the prompt comes back whatever becomes of it.

use crate::support::{Tested, answers, ctrl_c_ends, ends, go_on, grow, leaves_nobody, open};
use holdfast::protocol::Shielding;
use holdfast_testkit::actor::UNNAMED;
use holdfast_testkit::process::RunState;
use holdfast_testkit::tree::{PROMPT, Result};
use holdfast_testkit::{
    ActorEvent, Instruction, ProcessEnd, ProcessInfo, TestTree, TestTreeBuilder,
};
use nix::sys::signal::Signal;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
enum Debugger {
    Gdb,
    Lldb,
}

impl Debugger {
    const BOTH: [Self; 2] = [Self::Gdb, Self::Lldb];

    fn name(self) -> &'static str {
        match self {
            Self::Gdb => "gdb",
            Self::Lldb => "lldb",
        }
    }

    /// Starts it at the open prompt, and waits until it is at its own.
    fn start(self, tree: &mut TestTree) -> Tested {
        tree.stage.type_line(self.name())?;
        tree.stage.wait_output(match self {
            Self::Gdb => "(gdb) ",
            // As the line editor paints it; before that it shows the commands that it was given.
            Self::Lldb => "(lldb) \u{1b}[0m\u{1b}[8G",
        })?;
        self.is_at_its_prompt(tree)?;
        let traced = [RunState::Traced, RunState::Stopped];
        let leaf = tree.actor("leaf")?.pid();
        tree.spin("the leaf traced", || Ok(traced.contains(&ProcessInfo::read(leaf)?.state)))
    }

    /// Answers a command: an echo, as nothing of what came before can say it.
    fn is_at_its_prompt(self, tree: &TestTree) -> Tested {
        tree.stage.type_line(&self.sum(2))?;
        Ok(tree.stage.wait_output("42\r\n")?)
    }

    /// Prints 40 and so many.
    fn sum(self, add: u32) -> String {
        match self {
            Self::Gdb => format!("print 40 + {add}"),
            Self::Lldb => format!("platform shell expr 40 + {add}"),
        }
    }

    /// Answers after a Ctrl-C, which throws away what is typed until it is heard.
    fn answers_again(self, tree: &TestTree) -> Tested {
        for add in 7_654_100..7_654_130 {
            tree.stage.type_line(&self.sum(add))?;
            let sum = (40 + add).to_string();
            if tree.stage.shows(Duration::from_secs(2), |screen| screen.contents().contains(&sum)) {
                return Ok(());
            }
        }
        Err(format!("{self:?} does not answer\n{}", tree.stage.dump()).into())
    }

    /// Ends it, as a person does.
    fn quit(self, tree: &mut TestTree) -> Tested {
        match self {
            Self::Gdb => tree.stage.type_line("detach")?,
            Self::Lldb => tree.stage.type_line("process detach")?,
        }
        tree.stage.wait_output("etach")?;
        tree.stage.type_line("quit")?;
        self.has_ended(tree)
    }

    fn has_ended(self, tree: &mut TestTree) -> Tested {
        tree.stage.wait_output(&format!("--- {} has ended (", self.name()))?;
        tree.wait_prompt("leaf")
    }

    /// The process of the debugger itself.
    fn process(self, tree: &TestTree) -> Result<ProcessInfo> {
        let mut found = tree.stage.processes().into_iter();
        Ok(found.find(|one| one.name == self.name()).ok_or("the debugger is not there")?)
    }
}

fn grown() -> Result<TestTree> {
    let tree = grow(TestTreeBuilder::of("root(mid(leaf),sib)")?)?;
    tree.stage.resize(100, 120)?;
    Ok(tree)
}

fn goes_on(tree: &mut TestTree) -> Tested {
    answers(tree, 1)?;
    go_on(tree, "leaf", 1)?;
    for name in ["root", "mid", "leaf", "sib"] {
        tree.instruct(name, Instruction::Ping { id: 7 })?;
        tree.actor(name)?.wait_for(&ActorEvent::Pong { id: 7 })?;
    }
    ctrl_c_ends(tree)
}

#[test]
fn gdb_at_the_prompt_of_a_grandchild_prints_what_nobody_named() -> Tested {
    let mut tree = grown()?;
    tree.instruct("leaf", Instruction::SyncBreakpoint { id: 1, shielding: Shielding::Plain })?;
    tree.wait_prompt("leaf")?;
    Debugger::Gdb.start(&mut tree)?;
    tree.stage.type_line("print unnamed")?;
    tree.stage.wait_output(&format!("= {}\r\n", UNNAMED + 1))?;
    Debugger::Gdb.quit(&mut tree)?;
    goes_on(&mut tree)
}

#[test]
fn a_task_that_awaits_its_pause_is_on_the_stack_for_gdb() -> Tested {
    let mut tree = grown()?;
    open(&mut tree, "leaf", 1)?;
    Debugger::Gdb.start(&mut tree)?;
    // The selected frame is the program's own.
    tree.stage.type_line("frame")?;
    tree.stage.wait_output("breakpoint::{async_block")?;
    Debugger::Gdb.quit(&mut tree)?;
    // Once more: the task went on to wait.
    Debugger::Gdb.start(&mut tree)?;
    Debugger::Gdb.quit(&mut tree)?;
    goes_on(&mut tree)
}

#[test]
fn lldb_at_the_prompt_of_a_grandchild_shows_where_it_pauses() -> Tested {
    let mut tree = grown()?;
    open(&mut tree, "leaf", 1)?;
    Debugger::Lldb.start(&mut tree)?;
    tree.stage.type_line("bt")?;
    tree.stage.wait_output("breakpoint::{async_block")?;
    Debugger::Lldb.quit(&mut tree)?;
    goes_on(&mut tree)
}

#[test]
fn ctrl_c_mashed_at_each_point_is_the_debuggers_alone() -> Tested {
    let mash = |tree: &TestTree| (0..20).try_for_each(|_| tree.stage.ctrl_c());
    for debugger in Debugger::BOTH {
        let mut tree = grown()?;
        open(&mut tree, "leaf", 1)?;
        mash(&tree)?;
        debugger.start(&mut tree)?;
        mash(&tree)?;
        debugger.answers_again(&tree)?;
        debugger.quit(&mut tree)?;
        mash(&tree)?;
        goes_on(&mut tree).map_err(|error| format!("{debugger:?}: {error}"))?;
    }
    Ok(())
}

#[test]
fn a_debugger_that_is_killed_gives_the_prompt_back() -> Tested {
    for debugger in Debugger::BOTH {
        for signal in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGHUP] {
            let mut tree = grown()?;
            open(&mut tree, "leaf", 1)?;
            debugger.start(&mut tree)?;
            debugger.process(&tree)?.signal(signal)?;
            debugger.has_ended(&mut tree)?;
            goes_on(&mut tree).map_err(|error| format!("{debugger:?} {signal}: {error}"))?;
        }
    }
    Ok(())
}

#[test]
fn one_key_ends_a_debugger_that_hangs() -> Tested {
    for debugger in Debugger::BOTH {
        let mut tree = grown()?;
        open(&mut tree, "leaf", 1)?;
        debugger.start(&mut tree)?;
        debugger.process(&tree)?.signal(Signal::SIGSTOP)?;
        tree.stage.write(b"\x1d")?;
        debugger.has_ended(&mut tree)?;
        goes_on(&mut tree).map_err(|error| format!("{debugger:?}: {error}"))?;
    }
    Ok(())
}

#[test]
fn a_holder_that_is_killed_takes_its_debugger_along() -> Tested {
    for debugger in Debugger::BOTH {
        let mut tree = grown()?;
        open(&mut tree, "leaf", 1)?;
        debugger.start(&mut tree)?;
        tree.signal("leaf", Signal::SIGKILL)?;
        tree.stage.wait_output("was ended by SIGKILL")?;
        ends(&tree, ProcessEnd::Code(1))?;
    }
    Ok(())
}

#[test]
fn a_terminal_that_is_closed_under_a_debugger_ends_the_tree() -> Tested {
    for debugger in Debugger::BOTH {
        let mut tree = grown()?;
        open(&mut tree, "leaf", 1)?;
        debugger.start(&mut tree)?;
        tree.stage.close_terminal();
        leaves_nobody(&tree, ProcessEnd::Code(129))?;
    }
    Ok(())
}

#[test]
fn a_sigterm_at_the_root_ends_debugger_and_tree() -> Tested {
    for debugger in Debugger::BOTH {
        let mut tree = grown()?;
        open(&mut tree, "leaf", 1)?;
        debugger.start(&mut tree)?;
        tree.signal("root", Signal::SIGTERM)?;
        ends(&tree, ProcessEnd::Code(143))?;
    }
    Ok(())
}

#[test]
fn a_job_that_stops_ends_the_debugger_and_is_at_its_prompt_afterwards() -> Tested {
    let growth = TestTreeBuilder::of("root(mid(leaf),sib)")?.typed("ROOT");
    for debugger in Debugger::BOTH {
        let mut tree = grow(growth.clone())?;
        open(&mut tree, "leaf", 1)?;
        debugger.start(&mut tree)?;
        tree.signal("root", Signal::SIGTSTP)?;
        tree.stage.wait_output("Stopped")?;
        tree.wait_state(&["root", "mid", "leaf", "sib"], RunState::Stopped)?;
        tree.stage.wait_output(PROMPT)?;
        tree.stage.type_line("fg")?;
        tree.wait_prompt("leaf")?;
        answers(&tree, 1)?;
        go_on(&mut tree, "leaf", 1)?;
        tree.wait_quiet()?;
        tree.stage.ctrl_c()?;
        tree.stage.wait_output(PROMPT)?;
        tree.stage.type_line("exit 0")?;
        ends(&tree, ProcessEnd::Code(0))?;
    }
    Ok(())
}

#[test]
fn any_command_can_be_the_debugger_and_has_a_window_of_the_same_size() -> Tested {
    let mut tree = grown()?;
    open(&mut tree, "leaf", 1)?;
    let leaf = tree.actor("leaf")?.pid();
    tree.stage.type_line("debugger echo \"on {pid}: $(stty size)\"")?;
    tree.stage.wait_output(&format!("on {leaf}: 100 120\r\n"))?;
    tree.stage.wait_output("has ended (exit code 0)")?;
    tree.wait_prompt("leaf")?;
    tree.stage.type_line("debugger no-such-debugger {pid}")?;
    tree.stage.wait_output("has ended (exit code 127)")?;
    tree.wait_prompt("leaf")?;
    goes_on(&mut tree)
}

#[test]
fn what_cannot_be_debugged_says_why() -> Tested {
    let mut tree = grown()?;
    open(&mut tree, "leaf", 1)?;
    let leaf = tree.actor("leaf")?.pid();
    // As a debugger in another terminal.
    let mut other = std::process::Command::new("gdb")
        .args(["-q", "-p", &leaf.to_string()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()?;
    tree.spin("the leaf traced", || Ok(ProcessInfo::read(leaf)?.state == RunState::Traced))?;
    tree.stage.type_line("gdb")?;
    tree.stage.wait_output("traces it already")?;
    drop(other.stdin.take());
    other.wait()?;
    tree.wait_prompt("leaf")?;
    goes_on(&mut tree)?;
    let mut tree = grown()?;
    open(&mut tree, "root", 1)?;
    tree.stage.type_line("gdb")?;
    tree.stage.wait_output("in another terminal")?;
    go_on(&mut tree, "root", 1)?;
    ctrl_c_ends(&mut tree)?;
    Ok(())
}

#[test]
fn who_must_end_waits_for_an_actor_that_a_debugger_has_stopped() -> Tested {
    for debugger in Debugger::BOTH {
        let growth = TestTreeBuilder::of("root(mid(leaf),sib)")?.grace_ms(1);
        let mut tree = grow(growth)?;
        tree.stage.resize(100, 120)?;
        open(&mut tree, "leaf", 1)?;
        debugger.start(&mut tree)?;
        for who in ["mid", "root"] {
            tree.instruct(who, Instruction::Error { text: "out of beans".into() })?;
            tree.wait_survey(who, "a teardown that waits", |text| {
                text.lines().next().is_some_and(|line| line.contains("must end"))
            })?;
        }
        debugger.is_at_its_prompt(&tree)?;
        debugger.quit(&mut tree)?;
        answers(&tree, 1)?;
        tree.stage.type_line("continue")?;
        ends(&tree, ProcessEnd::Code(1))?;
    }
    Ok(())
}
