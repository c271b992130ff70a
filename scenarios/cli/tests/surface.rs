//! What a shell and an operating system meet: completions, manual pages, outputs that cannot be
//! written, values that are too long, signals.

use holdfast_check::world::Fault;
use holdfast_protocol::{Named as _, Placement, PolicyName, Rule};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use support::{code, holdfast, stderr, stdout};

#[path = "support/command.rs"]
mod support;

#[test]
fn completions_and_manual_pages_know_every_subcommand() {
    let help = stdout(&holdfast(&["help"]));
    let commands = help.split("Commands:").nth(1).expect("help lists the commands");
    let lines = commands.lines().skip(1).take_while(|line| !line.is_empty());
    let names: Vec<_> =
        lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let names: Vec<_> = names.into_iter().filter(|name| !matches!(*name, "" | "help")).collect();
    assert!(names.len() >= 11, "{names:?}");
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&holdfast(&["completions", shell]));
        for word in names.iter().copied().chain(PolicyName::NAMES.iter().copied()) {
            assert!(script.contains(word), "{shell} cannot complete {word}");
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("man1");
    let output = holdfast(&["man", dir.to_str().expect("a temporary path is UTF-8")]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let page = |name: &str| std::fs::read_to_string(dir.join(name)).expect("the page is written");
    assert_eq!(page("holdfast.1"), stdout(&holdfast(&["man"])));
    for name in names {
        let text = page(&format!("holdfast-{name}.1"));
        assert!(text.contains(".SH SYNOPSIS"), "{name}: {text}");
    }
}

#[test]
fn a_completion_script_is_one_that_bash_reads() {
    let script = holdfast(&["completions", "bash"]).stdout;
    let mut bash = Command::new("bash");
    bash.arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut bash = bash.spawn().expect("bash is there");
    bash.stdin.take().expect("it is piped").write_all(&script).expect("bash reads it");
    let output = bash.wait_with_output().expect("bash ends");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn help_lists_every_fault_and_every_choice() {
    let help = stdout(&holdfast(&["check", "--help"])).replace(|c: char| c.is_whitespace(), " ");
    let names = Fault::NAMES.iter().chain(PolicyName::NAMES).chain(Placement::NAMES);
    for name in names.chain(Rule::NAMES) {
        assert!(help.contains(name), "--help does not list {name}: {help}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/../cases");
    let check = ["check", "--tree", "root", "--threads=1"];
    let with_json = [&check[..], &["--json"]].concat();
    let new_case = ["run", cases, "--filter", "nested-ctrlc", "--on", "model", "--json"];
    let list: [&[&str]; 7] = [
        &["list", cases],
        &["list", "--rules"],
        &check,
        &with_json,
        &new_case,
        &["completions", "bash"],
        &["man"],
    ];
    for args in list {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        command.args(args).stdout(full.expect("Linux has /dev/full")).stderr(Stdio::piped());
        let child = command.spawn().expect("the binary was built");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(code(&output), 2, "{args:?}: {}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains("failed to write the output: No space left"), "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{args:?}: {said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_leaves_early_is_not_an_error() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.args(["list", "--properties"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let child = command.stdout(writer).spawn().expect("the binary was built");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
}

#[test]
fn an_error_does_not_repeat_a_very_long_value() {
    let long = format!("root({})", "a".repeat(60_000));
    let twice = format!("root({0},{0})", "a".repeat(60_000));
    for tree in [long, twice] {
        let output = holdfast(&["check", "--tree", &tree]);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).len() < 2000, "{} bytes", stderr(&output).len());
    }
}

#[test]
fn whatever_stands_in_an_argument_is_printed_without_control_characters() {
    let tree = "root(\u{1b}[31mred)";
    let output = holdfast(&["check", "--tree", tree]);
    assert_eq!(code(&output), 2);
    assert!(!stderr(&output).contains('\u{1b}'), "{:?}", stderr(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_to_record_ends_the_program_that_it_runs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = "trap 'echo told; exit 7' TERM; echo ready; read line";
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.args(["record", "--dir"]).arg(folder.path()).args(["--", "sh", "-c", script]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut record = command.spawn().expect("the binary was built");
    let keeps_open = record.stdin.take();
    let mut lines = BufReader::new(record.stdout.take().expect("it is piped")).lines();
    let mut line = || lines.next().map(|line| line.expect("the output is UTF-8"));
    assert_eq!(line().as_deref(), Some("ready"));
    let told = Command::new("kill").args(["-TERM", &record.id().to_string()]).status();
    assert!(told.expect("kill(1) is there").success());
    assert_eq!(line().as_deref(), Some("told"), "the program goes on without its recorder");
    assert_eq!(record.wait().expect("it ends").code(), Some(2), "there is no record");
    drop(keeps_open);
}
