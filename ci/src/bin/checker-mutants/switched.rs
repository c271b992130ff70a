//! A copy of the checker in which every mutant is there, behind a switch.

use super::copy::{mirror, update};
use super::table::{CheckerMutant, mutants};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// What a test says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TestResult {
    Passed,
    Failed,
    /// Neither in a reasonable time, which proves nothing.
    OutOfTime,
}

/// What is copied, from the workspace's root.
const COPIED: [&str; 8] = [
    "Cargo.lock",
    "model/README.md",
    "model/check",
    "model/docs",
    "model/prove",
    "model/protocol",
    "model/sim/tests",
    "rustfmt.toml",
];

/// The variable that says which mutant is on.
const SWITCH: &str = "HOLDFAST_CHECKER_MUTANT";

/// What every mutant asks, at the end of the checker's root module.
const SWITCHED: &str = r#"
/// Whether a mutant is switched on.
#[must_use]
pub fn is_broken(mutant: usize) -> bool {
    static ON: std::sync::OnceLock<Option<usize>> = std::sync::OnceLock::new();
    let read = || std::env::var("HOLDFAST_CHECKER_MUTANT").ok()?.parse().ok();
    *ON.get_or_init(read) == Some(mutant)
}
"#;

/// How long the test of one mutant may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// The copy, built.
pub(crate) struct SwitchedBuild {
    copy: PathBuf,
    /// The test programs, by package and name.
    programs: BTreeMap<(String, String), PathBuf>,
}

impl SwitchedBuild {
    /// Copies the checker as it is now, puts every mutant behind its switch, and builds its tests.
    pub(crate) fn new() -> Result<Self, String> {
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let copy = original.join("target/checker");
        let files = switched_files(&original)?;
        let times = files.iter().filter(|(file, text)| {
            fs::read_to_string(copy.join(file)).is_ok_and(|there| there == **text)
        });
        let times = times.filter_map(|(file, _)| {
            let modified = fs::metadata(copy.join(file)).and_then(|about| about.modified());
            Some((*file, modified.ok()?))
        });
        let times: BTreeMap<_, _> = times.collect();
        let fill = || {
            fs::create_dir_all(copy.join("model"))?;
            COPIED.iter().try_for_each(|name| mirror(&original.join(name), &copy.join(name)))?;
            for (file, text) in &files {
                update(&copy.join(file), text.as_bytes())?;
                // Nothing is built anew for what is the same as before.
                if let Some(time) = times.get(file) {
                    fs::File::options().write(true).open(copy.join(file))?.set_modified(*time)?;
                }
            }
            Ok::<_, std::io::Error>(())
        };
        fill().map_err(|error| format!("failed to copy the checker: {error}"))?;
        let mut build = Self { copy, programs: BTreeMap::new() };
        for package in ["check", "prove"] {
            build.compile(package)?;
        }
        Ok(build)
    }

    fn compile(&mut self, package: &str) -> Result<(), String> {
        let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
        cargo.args(["test", "--release", "--offline", "--no-run", "--package"]);
        cargo.arg(format!("holdfast-{package}"));
        let mut tests: Vec<_> = mutants().iter().map(|mutant| parts(mutant.test)).collect();
        tests.retain(|(of, ..)| *of == package);
        tests.sort_unstable();
        tests.dedup_by_key(|(_, program, _)| *program);
        for (_, program, _) in tests {
            cargo.args(["--test", program]);
        }
        let built = cargo
            .env("CARGO_INCREMENTAL", "1")
            .current_dir(&self.copy)
            .output()
            .map_err(|error| format!("cargo could not be started: {error}"))?;
        let said = String::from_utf8_lossy(&built.stderr);
        if !built.status.success() {
            return Err(format!("the copy with its switches does not compile:\n{said}"));
        }
        for line in said.lines().filter_map(|line| line.trim().strip_prefix("Executable tests/")) {
            let (name, path) = line.split_once(".rs (").ok_or("cargo names no test program")?;
            let path = self.copy.join(path.trim_end_matches(')'));
            self.programs.insert((package.to_owned(), name.to_owned()), path);
        }
        Ok(())
    }

    /// Runs one test, with a mutant or with none.
    pub(crate) fn test(&self, test: &str, switch: Option<usize>) -> Result<TestResult, String> {
        let (package, program, name) = parts(test);
        let key = (package.to_owned(), program.to_owned());
        let path = self.programs.get(&key).ok_or(format!("{test}: no such program"))?;
        let mut command = Command::new(path);
        command.args([name, "--exact"]).env("RUST_BACKTRACE", "0").env("INSTA_UPDATE", "no");
        command.env_remove(SWITCH).current_dir(self.copy.join("model").join(package));
        if let Some(switch) = switch {
            command.env(SWITCH, switch.to_string());
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{test}: {error}"))?;
        let mut stdout = child.stdout.take().ok_or("the test has no output")?;
        let (sender, end) = mpsc::channel();
        let reads = thread::spawn(move || {
            let mut said = String::new();
            // What it says is read to its end; who waits may have gone.
            let _ = stdout.read_to_string(&mut said);
            let _ = sender.send(said);
        });
        let said = match end.recv_timeout(PATIENCE) {
            Ok(said) => Some(said),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                // It may have ended by itself meanwhile.
                let _ = child.kill();
                None
            }
        };
        let status = child.wait().map_err(|error| format!("{test} is lost: {error}"))?;
        let _ = reads.join();
        match said {
            None => Ok(TestResult::OutOfTime),
            Some(said) if !said.contains("running 1 test\n") => {
                Err(format!("{test}: no such test"))
            }
            Some(_) if status.success() => Ok(TestResult::Passed),
            Some(_) => Ok(TestResult::Failed),
        }
    }
}

/// The package, the program and the name of a test, as in `check census::it_counts`.
pub(crate) fn parts(test: &str) -> (&str, &str, &str) {
    let (package, rest) = test.split_once(' ').expect("a test has a package");
    let (program, name) = rest.split_once("::").expect("a test has a program");
    (package, program, name)
}

/// The files that are another in the copy, with every mutant in them.
fn switched_files(original: &Path) -> Result<BTreeMap<&'static str, String>, String> {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for (switch, mutant) in mutants().into_iter().enumerate() {
        if !files.contains_key(mutant.file) {
            files.insert(mutant.file, read(&original.join(mutant.file))?);
        }
        let text = files.get_mut(mutant.file).expect("it was put there");
        *text = with_switch(text, switch, &mutant)?;
    }
    let root = "model/check/src/lib.rs";
    files.insert(root, read(&original.join(root))? + SWITCHED);
    let manifest = read(&original.join("Cargo.toml"))?;
    let (_, rest) = manifest.split_once("\n]\n").ok_or("the workspace has no members")?;
    let members = "[\"model/protocol\", \"model/check\", \"model/prove\"]";
    let head = format!("[workspace]\nresolver = \"3\"\nmembers = {members}\n");
    // A switch stands in parentheses everywhere, where they are needed and where not.
    let lints = "[workspace.lints.rust]\n";
    let rest = rest.replace(lints, &format!("{lints}unused_parens = \"allow\"\n"));
    files.insert("Cargo.toml", head + &rest);
    Ok(files)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("failed to read {}: {error}", path.display()))
}

/// A text with one more mutant in it. An expression that several mutants change is nested: each
/// stands where the one before it leaves the text as it was.
fn with_switch(text: &str, switch: usize, mutant: &CheckerMutant) -> Result<String, String> {
    let CheckerMutant { name, file, instead, .. } = mutant;
    let (context, from) = expression(mutant.text);
    let whole = format!("{context}{from}");
    let at = text.rfind(&whole).ok_or(format!("{name}: {file} lacks its text:\n{whole}"))?;
    let (before, after) = (&text[..at + context.len()], &text[at + whole.len()..]);
    let lib = if file.starts_with("model/check") { "crate" } else { "holdfast_check" };
    let switched = format!("(if {lib}::is_broken({switch}) {{ {instead} }} else {{ {from} }})");
    Ok(format!("{before}{switched}{after}"))
}

/// What stands before an expression, where that is needed to find it, and the expression.
fn expression(text: &str) -> (&str, &str) {
    text.split_once("=>> ").unwrap_or(("", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mutant_changes_a_text_that_stands_in_its_file_once() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let wrong =
            mutants().into_iter().filter_map(|CheckerMutant { name, file, text, .. }| {
                let there = read(&top.join(file)).expect("the file is there");
                let (context, expression) = expression(text);
                let times = there.matches(&format!("{context}{expression}")).count();
                (times != 1).then(|| format!("{name}: {file} has its text {times} times:\n{text}"))
            });
        let wrong: Vec<_> = wrong.collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
