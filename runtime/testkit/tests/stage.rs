//! Stages: what a person can do to a program on a terminal, and that nothing outlives its stage.

use holdfast_testkit::process::{self, RunState};
use holdfast_testkit::{
    JobPlace, ProcessEnd, ProcessInfo, SessionLeader, StageError, StagedProgram, TerminalStage,
};
use nix::sys::signal::Signal;
use nix::sys::termios::LocalFlags;
use std::process::Command;
use std::time::Duration;

type Tested = Result<(), Box<dyn std::error::Error>>;

fn open(program: &StagedProgram) -> Result<TerminalStage, StageError> {
    TerminalStage::open(Command::new(env!("CARGO_BIN_EXE_holdfast-shim")), program)
}

/// The number that the program writes behind this word, as `word=123.`
fn number(stage: &TerminalStage, word: &str) -> Result<i32, Box<dyn std::error::Error>> {
    stage.wait_screen(word, |screen| {
        let text = screen.contents();
        text.split_once(&format!("{word}=")).is_some_and(|(_, rest)| rest.contains('.'))
    })?;
    let screen = stage.screen();
    let (_, rest) = screen.split_once(&format!("{word}=")).ok_or("just seen")?;
    Ok(rest.split('.').next().ok_or("just seen")?.parse()?)
}

/// Types a line and waits until it is there twice: as echo, and written by `cat`.
fn through_cat(stage: &TerminalStage, line: &str) -> Result<(), StageError> {
    stage.type_line(line)?;
    stage.wait_output(&format!("{line}\r\n"))?;
    stage.wait_output(&format!("{line}\r\n"))
}

#[test]
fn output_reaches_the_screen_and_the_exit_code_the_test() -> Tested {
    let script = "printf '\\033[2J\\033[3;5Hhere'; printf %s \"$ONE$HOME\"; exit 7";
    let stage = open(&StagedProgram::script(script).env("ONE", "1"))?;
    stage.wait_text("here1")?;
    assert_eq!(stage.exit()?, ProcessEnd::Code(7));
    let (row, column) = (2, 4);
    stage.wait_screen("the text in its place", |screen| {
        screen.cell(row, column).is_some_and(|cell| cell.contents() == "h")
    })?;
    assert_eq!(stage.leftovers()?, Vec::<ProcessInfo>::new());
    assert!(stage.transcript().ends_with(b"here1"));
    Ok(())
}

#[test]
fn all_output_is_there_when_the_program_has_ended() -> Tested {
    for leader in [SessionLeader::Shell, SessionLeader::Program] {
        let stage = open(&StagedProgram::new("seq").args(["1", "5000"]).leader(leader))?;
        assert_eq!(stage.exit()?, ProcessEnd::Code(0));
        assert!(stage.transcript().ends_with(b"\n4999\r\n5000\r\n"), "{}", stage.dump());
    }
    Ok(())
}

#[test]
fn what_can_not_be_started_says_why() -> Tested {
    let Err(error) = open(&StagedProgram::new("/nowhere/nothing")) else {
        return Err("it was started".into());
    };
    assert!(error.to_string().contains("No such file"), "{error}");
    Ok(())
}

#[test]
fn what_does_not_come_fails_with_all_that_came() -> Tested {
    let stage = open(&StagedProgram::script("echo something; exec cat"))?;
    stage.wait_text("something")?;
    let stage = stage.patience(Duration::from_millis(1));
    let Err(error) = stage.wait_text("nothing") else { return Err("it came".into()) };
    let text = error.to_string();
    for expected in ["\"nothing\" on the screen", "1ms", "|something", "something\\r\\n", "cat"] {
        assert!(text.contains(expected), "{expected:?} is not in {text}");
    }
    Ok(())
}

#[test]
fn an_end_of_output_ends_a_wait_at_once() -> Tested {
    let stage = open(&StagedProgram::script("exit 0"))?.patience(Duration::from_secs(3600));
    let Err(error) = stage.wait_text("nothing") else { return Err("it came".into()) };
    assert!(error.to_string().contains("the output has ended"), "{error}");
    Ok(())
}

#[test]
fn the_keyboard_sends_signals_and_ends_input() -> Tested {
    for leader in [SessionLeader::Shell, SessionLeader::Program] {
        let stage = open(&StagedProgram::new("cat").leader(leader))?;
        through_cat(&stage, "one")?;
        stage.ctrl_c()?;
        assert_eq!(stage.exit()?, ProcessEnd::by(Signal::SIGINT), "{leader:?}");

        let stage = open(&StagedProgram::new("cat").leader(leader))?;
        through_cat(&stage, "two")?;
        stage.ctrl_d()?;
        assert_eq!(stage.exit()?, ProcessEnd::Code(0), "{leader:?}");
    }
    Ok(())
}

#[test]
fn the_program_starts_as_if_nobody_had_been_before() -> Tested {
    for leader in [SessionLeader::Shell, SessionLeader::Program] {
        let stage = open(&StagedProgram::new("cat").leader(leader))?;
        through_cat(&stage, "up")?;
        let masks = process::masks(stage.pid())?;
        assert_eq!(masks, process::SignalMasks::default(), "{leader:?}");
        let open: Vec<i32> = process::descriptors(stage.pid())?.into_keys().collect();
        assert_eq!(open, [0, 1, 2], "{leader:?}");
        let environment = process::environment(stage.pid())?;
        let names: Vec<_> = environment.keys().map(String::as_str).collect();
        assert_eq!(names, ["LANG", "PATH", "TERM"]);
        let process = ProcessInfo::read(stage.pid())?;
        let leads = process.session == process.pid;
        assert_eq!(leads, leader == SessionLeader::Program, "{process}");
        assert_eq!(process.group, process.pid, "{process}");
        assert_eq!(stage.foreground_group()?, process.pid, "{leader:?}");
    }
    Ok(())
}

#[test]
fn modes_are_read_back_and_compared() -> Tested {
    let script = "saved=$(stty -g); stty raw -echo; echo raw; head -c 1 >/dev/null; \
                  [ \"$1\" = tidy ] && stty $saved; exit 0";
    for (kind, leader, restored) in [
        ("tidy", SessionLeader::Shell, true),
        ("untidy", SessionLeader::Shell, false),
        ("tidy", SessionLeader::Program, true),
        ("untidy", SessionLeader::Program, false),
    ] {
        let program = StagedProgram::script(script).args(["sh", kind]).leader(leader);
        let stage = open(&program)?;
        stage.wait_text("raw")?;
        let during = stage.modes()?;
        assert!(!during.local_flags.contains(LocalFlags::ECHO), "what is typed does not show");
        stage.write(b"x")?;
        assert_eq!(stage.exit()?, ProcessEnd::Code(0));
        let after = stage.modes()?;
        assert_eq!(after != during, restored, "{kind} {leader:?}");
        let fresh = open(&StagedProgram::new("cat"))?;
        assert_eq!(after == fresh.modes()?, restored, "{kind} {leader:?}");
    }
    Ok(())
}

#[test]
fn what_is_left_is_counted_and_cleared_and_nothing_else() -> Tested {
    let mut bystander = Command::new("sleep").arg("1000").spawn()?;
    let script = "sleep 1000 & echo pid=$!.; exit 3";
    let stage = open(&StagedProgram::script(script))?;
    let pid = number(&stage, "pid")?;
    assert_eq!(stage.exit()?, ProcessEnd::Code(3));
    let left = stage.leftovers()?;
    assert_eq!(left.iter().map(|one| one.pid).collect::<Vec<_>>(), [pid]);
    let now = stage.leftovers_now()?;
    assert_eq!(now.iter().map(|one| one.pid).collect::<Vec<_>>(), [pid]);
    assert_ne!(now[0].state, RunState::Zombie);
    let cleared = stage.clear()?;
    assert_eq!(cleared.iter().map(|one| one.pid).collect::<Vec<_>>(), [pid]);
    assert_eq!(stage.leftovers_now()?, Vec::<ProcessInfo>::new());
    assert!(ProcessInfo::read(pid).is_err(), "{pid} is there");
    assert_eq!(bystander.try_wait()?, None, "the bystander is dead");
    bystander.kill()?;
    bystander.wait()?;
    Ok(())
}

#[test]
fn zombies_and_daemons_count() -> Tested {
    // One child leaves the session and its parent, the other one's parent reaps nobody.
    let script = "setsid sh -c 'sh -c \"echo daemon=\\$\\$.; exec sleep 1000\" & echo'; \
                  sleep 1000 & echo zombie=$!.; exec cat";
    let stage = open(&StagedProgram::script(script))?;
    let (daemon, zombie) = (number(&stage, "daemon")?, number(&stage, "zombie")?);
    through_cat(&stage, "up")?;
    let process = ProcessInfo::read(zombie)?;
    process.signal(Signal::SIGKILL)?;
    process.wait_end(Duration::from_secs(20))?;
    assert_eq!(ProcessInfo::read(zombie)?.state, RunState::Zombie);
    stage.ctrl_d()?;
    assert_eq!(stage.exit()?, ProcessEnd::Code(0));
    let mut left: Vec<_> = stage.leftovers()?.into_iter().map(|one| (one.pid, one.state)).collect();
    left.sort_by_key(|one| one.1 != RunState::Zombie);
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(left[0], (zombie, RunState::Zombie));
    assert_eq!(left[1].0, daemon);
    process::signal(daemon, Signal::SIGKILL)?;
    stage.wait_gone()?;
    assert_eq!(stage.leftovers_now()?, Vec::<ProcessInfo>::new());
    Ok(())
}

#[test]
fn dropping_a_stage_takes_everybody_along() -> Tested {
    // One that ignores what can be ignored, in a session of its own.
    let script = "trap '' INT TERM HUP QUIT TSTP; setsid sh -c 'echo inner=$$.; exec sleep 1000' & \
                  echo outer=$$.; exec cat";
    let stage = open(&StagedProgram::script(script))?;
    let all = [number(&stage, "inner")?, number(&stage, "outer")?, stage.pid()];
    drop(stage);
    for pid in all {
        assert!(ProcessInfo::read(pid).is_err(), "{pid} is there");
    }
    Ok(())
}

#[test]
fn a_killed_test_takes_everybody_along() -> Tested {
    let name = "a_killed_test_takes_everybody_along";
    if std::env::var_os("INNER").is_some() {
        let script = "setsid sh -c 'echo inner=$$.; exec sleep 1000' & echo outer=$$.; exec cat";
        let stage = open(&StagedProgram::script(script))?;
        number(&stage, "inner")?;
        number(&stage, "outer")?;
        println!("up=1.");
        return stage.exit().map(|_| ()).map_err(Into::into);
    }
    let itself =
        StagedProgram::new(std::env::current_exe()?).args(["--exact", name, "--nocapture"]);
    let stage = open(&itself.env("INNER", "1"))?;
    number(&stage, "up")?;
    // The test, its shim, and two that the shim looks after.
    assert_eq!(stage.processes().len(), 4, "{}", stage.dump());
    process::signal(stage.pid(), Signal::SIGKILL)?;
    assert_eq!(stage.exit()?, ProcessEnd::by(Signal::SIGKILL));
    stage.wait_gone()?;
    Ok(())
}

#[test]
fn a_job_is_stopped_and_continued_as_by_a_shell() -> Tested {
    let stage = open(&StagedProgram::new("cat"))?;
    through_cat(&stage, "one")?;
    stage.ctrl_z()?;
    assert_eq!(stage.wait_stopped()?, Signal::SIGTSTP);
    assert_eq!(ProcessInfo::read(stage.pid())?.state, RunState::Stopped);
    assert_ne!(stage.foreground_group()?, stage.pid());
    // In the background it may not read, and is stopped for trying.
    stage.background()?;
    assert_eq!(stage.wait_stopped()?, Signal::SIGTTIN);
    stage.foreground()?;
    assert_eq!(stage.foreground_group()?, stage.pid());
    through_cat(&stage, "two")?;
    stage.ctrl_d()?;
    assert_eq!(stage.exit()?, ProcessEnd::Code(0));
    Ok(())
}

#[test]
fn a_program_can_start_in_the_background() -> Tested {
    let stage = open(&StagedProgram::new("cat").place(JobPlace::Background))?;
    assert_eq!(stage.wait_stopped()?, Signal::SIGTTIN);
    assert_ne!(stage.foreground_group()?, stage.pid());
    stage.foreground()?;
    through_cat(&stage, "up")?;
    Ok(())
}

#[test]
fn a_real_shell_does_job_control() -> Tested {
    // What is typed before a program is ready is read in the modes of the one before it.
    let job = "trap 'echo on again' CONT; echo ready; while :; do read x; echo \"got $x\"; done";
    let bash = StagedProgram::new("bash").args(["--norc", "--noprofile", "-i"]);
    let bash = bash.env("PS1", "bash> ").env("JOB", job).leader(SessionLeader::Program);
    let stage = open(&bash)?;
    stage.wait_output("bash> ")?;
    stage.type_line("sh -c \"$JOB\"")?;
    stage.wait_output("ready")?;
    let job = stage.foreground_group()?;
    assert_ne!(job, stage.pid());
    stage.ctrl_z()?;
    stage.wait_output("Stopped")?;
    stage.wait_output("bash> ")?;
    assert_eq!(ProcessInfo::read(job)?.state, RunState::Stopped);
    assert_eq!(stage.foreground_group()?, stage.pid());
    stage.type_line("fg")?;
    stage.wait_output("on again\r\n")?;
    assert_eq!(stage.foreground_group()?, job);
    stage.type_line("two")?;
    stage.wait_output("got two")?;
    stage.ctrl_c()?;
    stage.wait_output("bash> ")?;
    stage.type_line("exit 5")?;
    assert_eq!(stage.exit()?, ProcessEnd::Code(5));
    assert_eq!(stage.leftovers()?, Vec::<ProcessInfo>::new());
    Ok(())
}

#[test]
fn a_closed_window_hangs_up() -> Tested {
    for leader in [SessionLeader::Shell, SessionLeader::Program] {
        // One that does not read: the end of its input may come before the signal.
        let mut stage = open(&StagedProgram::new("sleep").args(["1000"]).leader(leader))?;
        stage.close_terminal();
        assert_eq!(stage.exit()?, ProcessEnd::by(Signal::SIGHUP), "{leader:?}");
        assert!(stage.modes().is_err());
        assert_eq!(stage.leftovers()?, Vec::<ProcessInfo>::new());
    }
    Ok(())
}

#[test]
fn a_window_has_a_size() -> Tested {
    let script = "trap 'stty size' WINCH; stty size; while :; do read line; done";
    let stage = open(&StagedProgram::script(script).size(10, 40))?;
    stage.wait_text("10 40")?;
    stage.resize(30, 100)?;
    // The trap runs when the line is read.
    stage.type_line("")?;
    stage.wait_text("30 100")?;
    Ok(())
}
