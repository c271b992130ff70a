//! What trees of hosts record is a run of the model: `holdfast record` in front of `exec` and `up`.
//!
//! `record` ends with the program's own code if its run conforms, and otherwise with 10 or 12.

use crate::support::{HOLDFAST, Tested, holdfast, show};
use holdfast_testkit::StagedProgram;
use std::error::Error;
use std::fs;
use std::path::Path;

const DEBUGGED: &str = "x = 6\nbreakpoint()\nprint('done', x)\n";

/// `holdfast record -- holdfast ARGS`, to be put on a stage.
fn recorded(folder: &Path, args: &[&str]) -> Result<StagedProgram, Box<dyn Error + Send + Sync>> {
    let folder = folder.to_str().ok_or("a folder with a name that is text")?;
    Ok(holdfast(&[&["record", "--dir", folder, "--", HOLDFAST], args].concat()))
}

/// How many records there are.
fn records(folder: &Path) -> Result<usize, Box<dyn Error + Send + Sync>> {
    Ok(fs::read_dir(folder)?.count())
}

#[test]
fn a_program_at_its_prompt_conforms() -> Tested {
    let folder = tempfile::tempdir()?;
    let args = ["exec", "--", "python3", "-c", DEBUGGED];
    let scene = show(&recorded(folder.path(), &args)?)?;
    scene.stage.wait_output("(Pdb) ")?;
    scene.interrupt_python()?;
    scene.stage.type_line("c")?;
    scene.stage.wait_output("done 6")?;
    scene.stage.wait_output("conforms")?;
    scene.ends(0)?;
    assert_eq!(records(folder.path())?, 2, "the root and the host");
    Ok(())
}

#[test]
fn a_program_that_is_killed_while_it_has_the_terminal_conforms() -> Tested {
    let folder = tempfile::tempdir()?;
    let args = ["exec", "--", "sh", "-c", "echo reads; read line; kill -9 $$"];
    let scene = show(&recorded(folder.path(), &args)?)?;
    scene.stage.wait_text("reads")?;
    scene.stage.type_line("a line")?;
    scene.stage.wait_output("conforms")?;
    scene.ends(137)
}

#[test]
fn programs_that_read_in_turn_conform() -> Tested {
    let folder = tempfile::tempdir()?;
    let (procfile, kept) = (folder.path().join("Procfile"), folder.path().join("records"));
    let read =
        |name: &str| format!("{name}: echo {name} reads; read line; echo {name} got $line\n");
    fs::write(&procfile, [read("one"), read("two")].concat())?;
    let procfile = procfile.to_str().ok_or("a folder with a name that is text")?;
    let scene = show(&recorded(&kept, &["up", "--keep-going", "-f", procfile])?)?;
    scene.stage.wait_output("1 more waits")?;
    scene.stage.type_line("first")?;
    scene.stage.wait_output("got first")?;
    scene.stage.wait_output("has the keyboard")?;
    scene.stage.type_line("second")?;
    scene.stage.wait_output("got second")?;
    scene.stage.wait_output("conforms")?;
    scene.ends(0)?;
    assert_eq!(records(&kept)?, 3, "the root and two hosts");
    Ok(())
}
