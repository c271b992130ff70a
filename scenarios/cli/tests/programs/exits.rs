//! Exit codes, descriptors without a terminal, bad input.

use crate::support::{HOLDFAST, Tested, exec, show};
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// Runs the command in a session of its own, so that there is no terminal.
fn detached(args: &[&str], input: &str) -> Output {
    let mut command = Command::new("setsid");
    command.args(["-w", HOLDFAST]).args(args).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("setsid is there");
    let mut stdin = child.stdin.take().expect("a pipe");
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

#[test]
fn the_exit_code_is_the_programs_own() -> Tested {
    let table: [(&[&str], i32, &str); 6] = [
        (&["true"], 0, ""),
        (&["sh", "-c", "exit 7"], 7, ""),
        (&["sh", "-c", "kill -TERM $$"], 143, ""),
        (&["sh", "-c", "kill -KILL $$"], 137, ""),
        (&["no-such-program"], 127, "failed to start `no-such-program`: there is no such program"),
        (&["/etc/passwd"], 126, "failed to start `/etc/passwd`: Permission denied"),
    ];
    for (command, code, complaint) in table {
        let output = detached(&[&["exec", "--"], command].concat(), "");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{command:?}: {error}");
        assert!(error.contains(complaint), "{command:?}: {error}");
        let scene = show(&exec(command))?;
        scene.ends(code)?;
        assert!(scene.stage.screen().contains(complaint), "{}", scene.stage.dump());
    }
    Ok(())
}

#[test]
fn arguments_that_cannot_be_used_are_refused() {
    let table: [(&[&str], &str); 3] = [
        (&["exec"], "<CMD>"),
        (&["exec", "--grace", "soon", "--", "true"], "expected seconds"),
        (&["exec", "--grace", "-1", "--", "true"], "expected seconds"),
    ];
    for (args, complaint) in table {
        let output = detached(args, "");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.contains(complaint), "{args:?}: {error}");
    }
}

#[test]
fn without_a_terminal_the_descriptors_are_handed_on() {
    let script = "cat; echo err >&2; echo seven >&7";
    let args = ["exec", "--", "sh", "-c", script];
    // A shell opens one more descriptor, and hands it on.
    let mut command = Command::new("sh");
    let line = format!("setsid -w {HOLDFAST} \"$@\" 7>&1");
    command.args(["-c", &line, "sh"]).args(args).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("sh is there");
    child.stdin.take().expect("a pipe").write_all(b"typed\n").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "typed\nseven\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "err\n");
}

#[test]
fn a_pipe_stays_a_pipe_beside_a_terminal() -> Tested {
    let line =
        format!("echo through | {HOLDFAST} exec -- sh -c 'cat; test -t 0 || echo piped' | cat");
    let scene = show(&holdfast_testkit::StagedProgram::script(&line))?;
    scene.ends(0)?;
    let screen = scene.stage.screen();
    assert!(screen.contains("through") && screen.contains("piped"), "{screen}");
    Ok(())
}
