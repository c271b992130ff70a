//! `holdfast run --watch` on a real terminal and in a pipe, with files that change as editors
//! change them.

use holdfast_cli::on_live::SHIM;
use holdfast_testkit::{ProcessEnd, ProcessInfo, StagedProgram, TerminalStage};
use serde_json::Value;
use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

type Tested = Result<(), Box<dyn Error + Send + Sync>>;

const HOLDFAST: &str = env!("CARGO_BIN_EXE_holdfast");

const HOLDS: &str = r#"
id = "small"
title = "Ctrl-C in a tree where nobody is at a prompt"
source = ["a test"]
tree = "root(leaf)"
step = [{ do = "ctrl-c" }]
[upstream]
outcome = "works"
seen = "it ends"
[expect]
relay = "holds"
"#;

/// The same with a claim that is not met.
fn not_met() -> String {
    HOLDS.replace("\"holds\"", "{ violates = \"interrupt-obeyed\" }")
}

/// Writes a new file and renames it to the old one's name, as most editors do.
fn replace(file: &Path, text: &str) {
    let new = file.with_extension("new");
    fs::write(&new, text).expect("the folder can be written");
    fs::rename(&new, file).expect("it is the same folder");
}

/// `holdfast run --watch` on a stage.
fn watch(path: &Path, folder: &Path) -> Result<TerminalStage, Box<dyn Error + Send + Sync>> {
    let mut shim = Command::new(HOLDFAST);
    shim.arg(SHIM);
    let program = StagedProgram::new(HOLDFAST)
        .args(["run", "--watch", "--on", "model", "--threads", "1", "--trace-dir"])
        .args([folder.join("traces").to_string_lossy(), path.to_string_lossy()])
        .size(60, 140);
    Ok(TerminalStage::open(shim, &program)?.patience(Duration::from_secs(60)))
}

fn ends(stage: &TerminalStage, code: i32) -> Tested {
    stage.ctrl_c()?;
    assert_eq!(stage.exit()?, ProcessEnd::Code(code), "{}", stage.dump());
    assert_eq!(stage.leftovers()?, Vec::<ProcessInfo>::new(), "nobody is left");
    Ok(())
}

#[test]
fn a_file_that_is_replaced_or_written_is_run_again_and_a_mistake_is_waited_out() -> Tested {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("small.toml");
    fs::write(&file, HOLDS)?;
    let stage = watch(&file, folder.path())?;
    stage.wait_output("pass 1: begins")?;
    stage.wait_text("ends with code 0")?;
    replace(&file, &not_met());
    stage.wait_output("small.toml changed")?;
    stage.wait_text("ends with code 13")?;
    // The screen was emptied: what it shows is of this pass.
    assert!(!stage.screen().contains("pass 1"), "{}", stage.dump());
    fs::write(&file, HOLDS.replace("root(leaf)", "root(leaf"))?;
    stage.wait_text("ends with code 2;")?;
    assert!(stage.screen().contains("small.toml"), "{}", stage.dump());
    fs::remove_file(&file)?;
    stage.wait_screen("that the file is missing", |screen| {
        screen.contents().contains("failed to read") && screen.contents().contains("code 2;")
    })?;
    fs::write(&file, HOLDS)?;
    stage.wait_text("ends with code 0")?;
    ends(&stage, 0)
}

#[test]
fn in_a_folder_a_new_file_counts_and_ctrl_c_ends_with_the_last_verdict() -> Tested {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("small.toml"), HOLDS)?;
    let stage = watch(folder.path(), folder.path())?;
    stage.wait_text("ends with code 0")?;
    fs::write(folder.path().join("notes.txt"), "not a scenario")?;
    let other = not_met().replace("\"small\"", "\"other\"");
    replace(&folder.path().join("other.toml"), &other);
    stage.wait_text("pass 2: other.toml changed")?;
    stage.wait_text("ends with code 13")?;
    ends(&stage, 13)
}

#[test]
fn a_directory_that_is_not_there_cannot_be_watched() {
    let args = ["run", "--watch", "/nowhere/at/all.toml"];
    let output = Command::new(HOLDFAST).args(args).output().expect("the binary was built");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("failed to watch /nowhere/at for changes"), "{said}");
}

#[test]
fn in_a_pipe_each_pass_writes_json_lines_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("small.toml");
    fs::write(&file, HOLDS).expect("the folder can be written");
    let mut command = Command::new(HOLDFAST);
    command.args(["run", "--watch", "--json", "--on", "model"]).arg(&file);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut watching = command.spawn().expect("the binary was built");
    let out = watching.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(out).lines();
    let mut line = || -> Value {
        let line = lines.next().expect("there is more").expect("the output is UTF-8");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    assert_eq!(line()["outcome"], "pass");
    assert_eq!(line()["met"], 1);
    replace(&file, &not_met());
    assert_eq!(line()["outcome"], "unexpected-pass");
    assert_eq!(line()["not-met"], 1);
    let told = Command::new("kill").args(["-INT", &watching.id().to_string()]).status();
    assert!(told.expect("kill(1) is there").success());
    let exit = watching.wait().expect("it ends").code();
    // The signal may come before the pass is over, which has printed everything by then.
    assert!(exit == Some(13) || exit == Some(0), "{exit:?}");
}
