//! `holdfast up`: Procfiles, names in front, one keyboard.

use crate::support::{HOLDFAST, Scene, Tested, holdfast, send, show};
use holdfast_testkit::PATIENCE;
use nix::sys::signal::Signal;
use std::error::Error;
use std::process::Command;
use std::time::Instant;

/// A folder with a Procfile and an `.env`.
fn folder(procfile: &str, env: &str) -> Result<tempfile::TempDir, Box<dyn Error + Send + Sync>> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("Procfile"), procfile)?;
    std::fs::write(folder.path().join(".env"), env)?;
    Ok(folder)
}

fn up(folder: &tempfile::TempDir, args: &[&str]) -> Result<Scene, Box<dyn Error + Send + Sync>> {
    let procfile = folder.path().join("Procfile").display().to_string();
    let args = [&["up", "-f", &procfile], args].concat();
    show(&holdfast(&args).size(40, 100))
}

#[test]
fn programs_prompt_in_turn_while_the_others_go_on() -> Tested {
    let ask = "printf 'name? '; read name; echo \"hello $name\"; exec sleep 100";
    let procfile = format!("a: {ask}\nb: {ask}\nc: while :; do echo tick; sleep 0.1; done\n");
    let folder = folder(&procfile, "")?;
    let scene = up(&folder, &[])?;
    for name in ["ann", "bob"] {
        scene.stage.wait_output("has the keyboard")?;
        scene.stage.wait_output("name? ")?;
        // The foreground is a shell that does not read after that: the next one asks, and gets it.
        scene.stage.type_line(name)?;
        scene.stage.wait_output(&format!("hello {name}"))?;
    }
    // The last one sleeps at the keyboard, and nobody asks: Ctrl-C is for that one, and all end.
    scene.stage.ctrl_c()?;
    assert_eq!(
        scene.stage.exit()?,
        holdfast_testkit::ProcessEnd::Code(130),
        "{}",
        scene.stage.dump()
    );
    assert!(scene.stage.leftovers()?.is_empty());
    scene.modes_are_back()
}

#[test]
fn when_one_ends_all_do_and_its_code_is_kept() -> Tested {
    let folder = folder("web: sleep 100\njob: sh -c 'sleep 0.3; exit 9'\n", "")?;
    let scene = up(&folder, &[])?;
    scene.ends(9)?;
    let screen = scene.stage.screen();
    assert!(screen.contains("job.1 | exited with code 9"), "{screen}");
    assert!(screen.contains("web.1 | ended by signal 15"), "{screen}");
    Ok(())
}

#[test]
fn numbers_ports_and_variables_are_as_with_foreman() -> Tested {
    let say = "echo \"$PS $PORT $GREETING\"";
    let folder = folder(&format!("web: {say}\njob: {say}\n"), "GREETING='good day'\n")?;
    let scene = up(&folder, &["--keep-going", "-p", "7000", "web=2", "job=1"])?;
    scene.ends(0)?;
    let screen = scene.stage.screen();
    for line in ["web.1 7000 good day", "web.2 7001 good day", "job.1 7100 good day"] {
        assert!(screen.contains(line), "{line}: {screen}");
    }
    Ok(())
}

#[test]
fn a_ctrl_c_with_nobody_at_the_keyboard_ends_all() -> Tested {
    let folder = folder("a: echo up; exec sleep 100\nb: exec sleep 100\n", "")?;
    // Whether or not the second has been started.
    for shown in ["a.1 | started", "a.1 | up", "b.1 | started"] {
        let scene = up(&folder, &[])?;
        scene.stage.wait_text(shown)?;
        scene.stage.ctrl_c()?;
        scene.ends(143)?;
    }
    Ok(())
}

#[test]
fn ps_says_who_has_the_keyboard_and_who_waits() -> Tested {
    let folder = folder("a: read x\nb: read x\nc: exec sleep 100\n", "")?;
    let scene = up(&folder, &[])?;
    scene.stage.wait_output("1 more waits")?;
    let root = scene.stage.pid().to_string();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut ps = Command::new(HOLDFAST);
        let output = ps.args(["ps", &root]).env_remove("HOLDFAST_TREE").output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // The person reads who has the keyboard before that one has heard of it.
        let states = ["has the keyboard", "waits for the keyboard", "runs"];
        if states.iter().all(|state| text.matches(state).count() == 1) {
            break;
        }
        assert!(Instant::now() < deadline, "{text}");
    }
    // So does the menu.
    scene.stage.write(b"\x1dw")?;
    scene.stage.wait_output("root")?;
    scene.stage.write(b"\x1dq")?;
    scene.stage.exit()?;
    assert!(scene.stage.leftovers()?.is_empty());
    scene.modes_are_back()
}

#[test]
fn mistakes_are_said_with_their_place() -> Tested {
    let table: [(&str, &str, &[&str], &str); 5] = [
        ("web sleep", "", &[], "Procfile:1:4: expected `:` after the name, found ` `"),
        ("", "", &[], "found no program"),
        ("a: b", "what", &[], ".env:1:5: expected NAME=VALUE, found the end of the line"),
        ("a: b", "", &["c=1"], "expected one of a, found `c`"),
        ("a: b", "", &["a=many"], "expected NAME=N"),
    ];
    for (procfile, env, args, complaint) in table {
        let folder = folder(procfile, env)?;
        let path = folder.path().join("Procfile").display().to_string();
        let args = [&["up", "-f", &path], args].concat();
        let output = Command::new(HOLDFAST).args(&args).output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(complaint), "{complaint}: {error}");
    }
    let output = Command::new(HOLDFAST).args(["up", "-f", "/no/such/Procfile"]).output()?;
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("failed to read /no/such/Procfile"));
    Ok(())
}

#[test]
fn trees_within_trees_hand_the_terminal_down() -> Tested {
    let inner = format!(
        "{HOLDFAST} exec -- {HOLDFAST} exec -- sh -c 'read x; echo got $x; read y; echo and $y'"
    );
    let folder =
        folder(&format!("a: exec {inner}\nb: read z; echo other $z; exec sleep 100\n"), "")?;
    let scene = up(&folder, &["--keep-going"])?;
    scene.stage.wait_output("1 more waits")?;
    let other = scene.screen_has("b.1 has the keyboard");
    if other {
        scene.stage.type_line("b")?;
        scene.stage.wait_output("other b")?;
        scene.stage.wait_output("--- a.1")?;
    }
    for _ in 0..2 {
        scene.stage.type_line("one")?;
        scene.stage.wait_output("one\r\n")?;
    }
    if !other {
        scene.stage.wait_output("b.1 has the keyboard")?;
        scene.stage.type_line("b")?;
        scene.stage.wait_output("other b")?;
    }
    scene.stage.wait_text("and one")?;
    send(scene.stage.pid(), Signal::SIGTERM);
    scene.stage.exit()?;
    assert!(scene.stage.leftovers()?.is_empty(), "{}", scene.stage.dump());
    scene.modes_are_back()
}

#[test]
fn jobs_of_a_shell_that_are_trees_have_their_turns() -> Tested {
    let job = format!("{HOLDFAST} exec -- sh -c 'read x; echo got $x'");
    let line = format!("set -m; {job} & {job} & wait; echo all");
    let scene = show(&crate::support::exec(&["bash", "-c", &line]))?;
    for name in ["one", "two"] {
        scene.stage.wait_output("has the keyboard")?;
        scene.stage.type_line(name)?;
        scene.stage.wait_output(&format!("got {name}"))?;
    }
    scene.stage.wait_output("all")?;
    scene.ends(0)
}
