//! Programs at their prompts: keys, Ctrl-C, modes, window, job control.

use crate::support::{Tested, exec, show};
use holdfast_testkit::JobPlace;
use nix::sys::signal::Signal;

/// Keys, and what is shown then.
type Step = (&'static str, &'static str);

const DEBUGGED: &str = "import sys\nx = 6\nbreakpoint()\nprint('done', x)\n";

#[test]
fn a_breakpoint_in_python_survives_ctrl_c() -> Tested {
    let scene = show(&exec(&["python3", "-c", DEBUGGED]))?;
    scene.stage.wait_output("(Pdb) ")?;
    for _ in 0..20 {
        scene.interrupt_python()?;
        scene.stage.wait_output("(Pdb) ")?;
    }
    scene.stage.type_line("p x * 7")?;
    scene.stage.wait_output("\r\n42\r\n")?;
    scene.stage.type_line("c")?;
    scene.stage.wait_output("done 6")?;
    scene.ends(0)
}

#[test]
fn a_program_that_does_not_read_ends_of_ctrl_c_as_in_a_shell() -> Tested {
    let scene = show(&exec(&["sh", "-c", "echo runs; exec sleep 100"]))?;
    scene.stage.wait_text("runs")?;
    scene.stage.ctrl_c()?;
    scene.ends(130)
}

#[test]
fn what_takes_the_whole_screen_works_as_without() -> Tested {
    let table: [(&[&str], &str, &[Step]); 4] = [
        (&["bash", "--norc", "-i"], "$ ", &[("echo $((6*7))\r", "42\r\n"), ("exit\r", "exit")]),
        (&["less", "/etc/services"], "/etc/services", &[("/^ssh\r", "22/tcp"), ("q", "")]),
        (&["vim", "-u", "NONE", "-i", "NONE"], "~", &[("ihello\x1b", "hello"), (":q!\r", "")]),
        (
            &["python3", "-q"],
            ">>> ",
            // A Ctrl-D before Python has set its modes is the terminal's, and no key.
            &[
                ("6 * 7\r", "42\r\n"),
                ("", ">>> "),
                ("\x1b[A\r", "42\r\n"),
                ("", ">>> "),
                ("\x04", ""),
            ],
        ),
    ];
    for (command, first, steps) in table {
        let scene = show(&exec(command).env("PS1", "$ "))?;
        scene.stage.wait_output(first)?;
        for (keys, shown) in steps {
            scene.stage.write(keys.as_bytes())?;
            if !shown.is_empty() {
                scene.stage.wait_output(shown)?;
            }
        }
        scene.ends(0)?;
    }
    Ok(())
}

#[test]
fn the_jobs_of_a_shell_have_the_terminal_in_turn() -> Tested {
    let scene = show(&exec(&["bash", "--norc", "-i"]).env("PS1", "$ "))?;
    scene.stage.wait_output("$ ")?;
    // A key before the job runs would be the shell's, which throws it away. And dash throws a Ctrl-C
    // away that comes between the vfork(2) and the execve(2) of a child: so there is none.
    scene.stage.type_line("sh -c 'echo runs; exec sleep 100'")?;
    scene.stage.wait_output("\rruns\r\n")?;
    scene.stage.ctrl_c()?;
    scene.stage.wait_output("$ ")?;
    scene.stage.type_line("sh -c 'echo copies; exec cat'")?;
    scene.stage.wait_output("\rcopies\r\n")?;
    scene.stage.ctrl_z()?;
    scene.stage.wait_output("Stopped")?;
    scene.stage.wait_output("$ ")?;
    scene.stage.type_line("fg")?;
    scene.stage.wait_output("exec cat'\r\n")?;
    // A shell says that before it sets the modes: a carriage return may come too early.
    scene.stage.write(b"again\n")?;
    scene.stage.wait_output("again\r\n")?;
    scene.stage.ctrl_d()?;
    scene.stage.type_line("exit")?;
    scene.ends(0)
}

#[test]
fn a_password_is_not_shown_and_the_modes_are_back() -> Tested {
    let script = "stty -echo; printf 'pw: '; read p; stty echo; echo; echo got $p";
    let scene = show(&exec(&["sh", "-c", script]))?;
    scene.stage.wait_output("pw: ")?;
    scene.stage.type_line("secret")?;
    scene.stage.wait_output("\r\ngot secret\r\n")?;
    scene.ends(0)?;
    assert_eq!(scene.stage.screen().matches("secret").count(), 1);
    Ok(())
}

#[test]
fn the_size_of_the_window_follows() -> Tested {
    let script = "import os, signal\n\
                  say = lambda *_: print(tuple(os.get_terminal_size()), flush=True)\n\
                  signal.signal(signal.SIGWINCH, say); say(); signal.signal(signal.SIGINT, signal.SIG_DFL)\n\
                  while True: signal.pause()\n";
    let scene = show(&exec(&["python3", "-c", script]).size(31, 97))?;
    scene.stage.wait_output("(97, 31)")?;
    scene.stage.resize(40, 120)?;
    scene.stage.wait_output("(120, 40)")?;
    scene.stage.ctrl_c()?;
    scene.ends(130)
}

#[test]
fn ctrl_z_stops_the_job_and_it_goes_on_in_the_foreground() -> Tested {
    let scene = show(&exec(&["python3", "-c", DEBUGGED]))?;
    scene.stage.wait_output("(Pdb) ")?;
    assert!(scene.is_raw()?);
    for round in 0..3 {
        scene.stage.ctrl_z()?;
        assert_ne!(scene.stage.wait_stopped()?, Signal::SIGSTOP);
        scene.modes_are_back()?;
        scene.stage.foreground()?;
        scene.stage.type_line(&format!("p x + {round}"))?;
        scene.stage.wait_output(&format!("\r\n{}\r\n", 6 + round))?;
    }
    scene.stage.type_line("c")?;
    scene.ends(0)
}

#[test]
fn a_background_job_runs_and_stops_when_it_reads() -> Tested {
    let script = "echo begun; read line; echo got $line";
    let scene = show(&exec(&["sh", "-c", script]).place(JobPlace::Background))?;
    scene.stage.wait_text("begun")?;
    assert_eq!(scene.stage.wait_stopped()?, Signal::SIGTTIN);
    scene.modes_are_back()?;
    scene.stage.foreground()?;
    scene.stage.type_line("it")?;
    scene.stage.wait_output("got it")?;
    scene.ends(0)
}

#[test]
fn a_job_that_goes_on_in_the_background_does_not_stop_before_it_reads() -> Tested {
    let script = "echo begun; read line; echo got $line; read more; echo end";
    let scene = show(&exec(&["bash", "-c", script]))?;
    scene.stage.wait_text("begun")?;
    scene.stage.ctrl_z()?;
    assert_ne!(scene.stage.wait_stopped()?, Signal::SIGSTOP);
    scene.stage.background()?;
    assert_eq!(scene.stage.wait_stopped()?, Signal::SIGTTIN);
    scene.stage.foreground()?;
    scene.stage.type_line("it")?;
    scene.stage.wait_output("got it")?;
    scene.stage.type_line("")?;
    scene.ends(0)
}
