//! Sessions without a terminal.

use super::played::{CHILD, PLAY};
use std::process::{Command, Stdio};

/// What the child wrote to standard error, and what it said.
fn play(play: &str) -> (String, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", CHILD, "--nocapture", "--test-threads=1"])
        .env(PLAY, play)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (errors, said) = (text(output.stderr), text(output.stdout));
    assert!(output.status.success(), "{errors}\n{said}");
    // The first may stand behind the name of the test.
    let said = said.lines().filter_map(|line| line.find('@').map(|at| &line[at..]));
    (errors, said.collect::<Vec<_>>().join(" "))
}

#[test]
fn a_report_says_everything_and_goes_on() {
    let (errors, said) = play("report");
    let parts = [
        "post-mortem in root/mid, main\nfailure: it \\x1b[31mbroke\n",
        ">     7 use holdfast_protocol::Answer;",
        "alpha = 41 + 1\n",
        "frames of libraries are hidden",
        "nobody is at the prompt: it goes on\n",
    ];
    for part in parts {
        assert!(errors.contains(part), "no {part:?} in\n{errors}");
    }
    assert_eq!(said, "@Continue @ended @over");
}

#[test]
fn a_script_lasts_over_several_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script");
    std::fs::write(&path, "# first\nprint alpha\nbad\nquit\n\nprint alpine\nc\nwhere\n").unwrap();
    let (errors, said) = play(&format!("script {} 4", path.display()));
    assert_eq!(said, "@Quit @ended @Continue @ended @Continue @ended @Continue @ended @over");
    let parts = [
        "root/mid> print alpha\nalpha = 41 + 1\nroot/mid> bad\n`bad` is not a command",
        "root/mid> quit\n",
        "root/mid> print alpine\nalpine = [1, 2]\nroot/mid> c\n",
        "root/mid> where\npost-mortem in root/mid",
        "root/mid> continue (the script is at its end)\n",
    ];
    let mut rest = errors.as_str();
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} in\n{errors}"));
        rest = &rest[at..];
    }
}

#[test]
fn a_script_that_is_not_there_goes_on() {
    let (errors, said) = play("script /no/such/file 1");
    assert!(errors.contains("the script /no/such/file cannot be read"), "{errors}");
    assert_eq!(said, "@Continue @ended @over");
}

#[test]
fn a_wait_has_an_end() {
    let (errors, said) = play("wait 30");
    assert!(errors.contains("root/mid waits 30ms for somebody"), "{errors}");
    assert!(errors.contains("nobody came: root/mid goes on"), "{errors}");
    assert_eq!(said, "@Continue @ended @over");
}
