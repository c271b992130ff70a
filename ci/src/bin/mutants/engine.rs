//! A copy of the shared modules to break, and the two engines that must notice.

use super::copy::{mirror, update};
use super::table::Mutant;
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// What explores the shared modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Loom,
    Shuttle,
}

impl Engine {
    /// The more thorough first.
    pub(crate) const ALL: [Self; 2] = [Self::Loom, Self::Shuttle];

    fn name(self) -> &'static str {
        match self {
            Self::Loom => "loom",
            Self::Shuttle => "shuttle",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What an engine says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EngineResult {
    /// No test failed; what they say that they visited.
    Passed(Vec<String>),
    /// The first test that failed.
    Caught(String),
    /// Neither in a reasonable time, which proves nothing.
    OutOfTime,
}

/// A copy of the shared modules and their tests, as a crate of its own: it compiles in a second.
///
/// The copy stays below `target`, and builds where the engine's stage builds.
pub(crate) struct Workspace {
    original: PathBuf,
    copy: PathBuf,
}

/// What is copied, from the workspace's root.
const COPIED: [&str; 3] = ["Cargo.lock", "model/sync/src", "model/sync/tests"];

/// What the crate consists of beside it; the versions are those of the lock file.
const WRITTEN: [(&str, &str); 2] = [
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"model/sync\"]\nresolver = \"3\"\n\n\
         [profile.release]\ndebug = \"line-tables-only\"\n\n\
         [profile.release.package.holdfast-sync]\nopt-level = 0\ncodegen-units = 16\ndebug = 0\n",
    ),
    (
        "model/sync/Cargo.toml",
        "[package]\nname = \"holdfast-sync\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [lints.rust]\nunexpected_cfgs = \"allow\"\n\n\
         [dependencies]\nthiserror = \"*\"\n\n\
         [target.'cfg(model_loom)'.dependencies]\nloom = \"*\"\n\n\
         [target.'cfg(model_shuttle)'.dependencies]\nshuttle = \"*\"\n",
    ),
];

/// What is in the line of a test that says how much it visited.
const VISITS: [&str; 2] = [" interleavings, ", " schedules, "];

/// How long the tests of one mutant may take.
const PATIENCE: Duration = Duration::from_secs(600);

impl Workspace {
    /// Copies the shared modules as they are now.
    pub(crate) fn new() -> Result<Self, String> {
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let copy = original.join("target/mutants");
        let fill = || {
            fs::create_dir_all(copy.join("model/sync"))?;
            for (name, text) in WRITTEN {
                update(&copy.join(name), text.as_bytes())?;
            }
            COPIED.iter().try_for_each(|name| mirror(&original.join(name), &copy.join(name)))
        };
        fill().map_err(|error| format!("failed to copy the shared modules: {error}"))?;
        Ok(Self { original, copy })
    }

    /// The file of a mutant with the mutation in it.
    pub(crate) fn mutated(&self, mutant: &Mutant) -> Result<String, String> {
        let text = fs::read_to_string(self.original.join(mutant.file))
            .map_err(|error| format!("failed to read {}: {error}", mutant.file))?;
        match text.matches(mutant.text).count() {
            1 => Ok(text.replace(mutant.text, mutant.instead)),
            count => Err(format!(
                "{}: {} has its text {count} times, not once:\n{}",
                mutant.name, mutant.file, mutant.text
            )),
        }
    }

    /// Puts the mutation into the copy.
    pub(crate) fn break_by(&self, mutant: &Mutant) -> Result<(), String> {
        let text = self.mutated(mutant)?;
        fs::write(self.copy.join(mutant.file), text)
            .map_err(|error| format!("failed to write {}: {error}", mutant.file))
    }

    /// Takes it out again.
    pub(crate) fn mend(&self, mutant: &Mutant) -> Result<(), String> {
        let text = fs::read_to_string(self.original.join(mutant.file));
        text.and_then(|text| fs::write(self.copy.join(mutant.file), text))
            .map_err(|error| format!("failed to mend {}: {error}", mutant.file))
    }

    /// Builds the copy for an engine and runs all tests.
    pub(crate) fn run(&self, engine: Engine) -> Result<EngineResult, String> {
        first_failure(&self.build(engine)?, &[])
    }

    /// The same, but the tests of one module first: most likely one of them fails.
    pub(crate) fn run_from(&self, engine: Engine, module: &str) -> Result<EngineResult, String> {
        match first_failure(&self.build(engine)?, &[&format!("{module}::")])? {
            EngineResult::Passed(_) => self.run(engine),
            caught @ (EngineResult::Caught(_) | EngineResult::OutOfTime) => Ok(caught),
        }
    }

    /// The engine's test program.
    fn build(&self, engine: Engine) -> Result<PathBuf, String> {
        let name = engine.name();
        let target = self.original.join("target").join(name);
        let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
        cargo.args(["test", "--release", "--offline", "--test", name, "--no-run", "--target-dir"]);
        let built = cargo
            .arg(target)
            .env("RUSTFLAGS", format!("--cfg model_{name}"))
            .env("CARGO_INCREMENTAL", "1")
            .current_dir(&self.copy)
            .output()
            .map_err(|error| format!("cargo could not be started: {error}"))?;
        let said = String::from_utf8_lossy(&built.stderr);
        if !built.status.success() {
            return Err(format!("it does not compile for {engine}:\n{said}"));
        }
        let program = said.lines().find_map(|line| {
            line.trim_start().strip_prefix("Executable ")?.split_once('(')?.1.strip_suffix(')')
        });
        let program = program.ok_or_else(|| format!("cargo names no test program:\n{said}"))?;
        Ok(self.copy.join(program))
    }
}

/// Runs tests one after another up to the first that fails, which is the same one every time.
fn first_failure(program: &Path, arguments: &[&str]) -> Result<EngineResult, String> {
    let mut tests = Command::new(program)
        .args(arguments)
        .args(["--test-threads=1", "--show-output"])
        .env("SHUTTLE_SILENCE_WARNINGS", "1")
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{} could not be started: {error}", program.display()))?;
    let stdout = tests.stdout.take().ok_or("the tests have no output")?;
    let (sender, lines) = mpsc::channel();
    let reads = thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    let deadline = Instant::now() + PATIENCE;
    let (mut last, mut visited) = (String::new(), Vec::new());
    let verdict = loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                match line.strip_prefix("test ").and_then(|line| line.split_once(" ... ")) {
                    Some((name, "FAILED")) => break Some(EngineResult::Caught(name.to_owned())),
                    Some((name, _)) => name.clone_into(&mut last),
                    None if VISITS.iter().any(|what| line.contains(what)) => visited.push(line),
                    None => {}
                }
            }
            Err(RecvTimeoutError::Timeout) => break Some(EngineResult::OutOfTime),
            Err(RecvTimeoutError::Disconnected) => break None,
        }
    };
    if verdict.is_some() {
        // It may have ended by itself meanwhile.
        let _ = tests.kill();
    }
    let status = tests.wait().map_err(|error| format!("the tests are lost: {error}"))?;
    drop(lines);
    let _ = reads.join();
    Ok(match verdict {
        Some(verdict) => verdict,
        None if status.success() => EngineResult::Passed(visited),
        None if last.is_empty() => return Err(format!("the tests ended with {status}")),
        // An engine may end the process, on a second panic or when memory runs out.
        None => EngineResult::Caught(last),
    })
}
