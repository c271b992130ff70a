//! `holdfast run --watch`: pass after pass, one for every change of the scenario files.
//!
//! What is watched are directories, since editors replace files: they write a new one and rename
//! it, and a watched file would be the old one.

use super::note;
use crate::exit::ExitClass;
use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use signal_hook::consts::SIGINT;
use signal_hook::iterator::{Handle, Signals};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use std::{fs, thread};

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum RerunError {
    /// The system refuses.
    #[error("failed to watch {path} for changes; choose a file in a directory that is there")]
    Watch {
        /// The directory, or a file in it.
        path: PathBuf,
        /// The cause.
        source: notify::Error,
    },
    /// Ctrl-C cannot be caught.
    #[error("failed to catch Ctrl-C")]
    CtrlC(#[source] io::Error),
}

/// What ends a wait.
enum Wake {
    /// This file has changed.
    Changed(PathBuf),
    /// Changes were lost.
    Rescan,
    /// The person wants no more.
    Interrupted,
}

/// Files of one directory.
#[derive(Clone, Debug)]
struct WatchedFiles {
    directory: PathBuf,
    /// The one that counts; all scenario files if none is named.
    file: Option<OsString>,
}

impl WatchedFiles {
    /// What to watch for a path of the command line. A link is watched, and what it leads to.
    fn of(path: &Path) -> Vec<Self> {
        if path.is_dir() {
            return vec![Self { directory: resolved(path), file: None }];
        }
        let mut files: Vec<_> = std::iter::once(path.to_owned()).collect();
        files.extend(fs::canonicalize(path));
        let parts = |file: &PathBuf| Self {
            directory: resolved(match file.parent() {
                Some(parent) if parent != Path::new("") => parent,
                Some(_) | None => Path::new("."),
            }),
            file: file.file_name().map(ToOwned::to_owned),
        };
        files.iter().map(parts).collect()
    }

    fn has(&self, path: &Path) -> bool {
        let counts = match &self.file {
            Some(file) => path.file_name() == Some(file),
            None => path.extension().is_some_and(|ending| ending == "toml"),
        };
        counts && path.parent() == Some(&self.directory)
    }
}

/// The path without links, if it is there.
fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// How long the files must be left alone before a pass begins: an editor writes more than once.
const SETTLED: Duration = Duration::from_millis(50);

/// How a pass is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassView {
    /// On an empty screen, if there is one, below a line that says why.
    Labelled,
    /// The line goes to the standard error alone.
    Plain,
}

/// Runs a pass, and again after each change of a scenario file, until Ctrl-C.
///
/// Ends as the last pass that ran to its end; as interrupted, if there is none.
///
/// # Errors
/// If the files cannot be watched.
pub fn passes(
    paths: &[PathBuf],
    view: PassView,
    pass: impl Fn(&Arc<AtomicBool>) -> ExitClass,
) -> Result<ExitClass, RerunError> {
    let files: Vec<_> = paths.iter().flat_map(|path| WatchedFiles::of(path)).collect();
    let (sender, wakes) = channel();
    let interrupt = Arc::new(AtomicBool::new(false));
    let signals = forward_ctrl_c(&interrupt, &sender).map_err(RerunError::CtrlC)?;
    let _watcher = watch(&files, sender)?;
    let mut verdict = ExitClass::Interrupted;
    let mut why = "begins".to_owned();
    for number in 1_u64.. {
        label(view, &format!("pass {number}: {why}"));
        let exit = pass(&interrupt);
        if interrupt.load(Relaxed) {
            break;
        }
        verdict = exit;
        note(&format!(
            "pass {number} ends with code {}; waits for a change (Ctrl-C ends with that code)",
            exit as u8
        ));
        match next(&wakes) {
            Some(changed) => why = changed,
            None => break,
        }
    }
    signals.close();
    Ok(verdict)
}

/// Waits for a change, and until no more follow. None if the person wants no more.
fn next(wakes: &Receiver<Wake>) -> Option<String> {
    let mut changed = BTreeSet::new();
    let mut wake = wakes.recv().ok()?;
    loop {
        match wake {
            Wake::Interrupted => return None,
            Wake::Changed(path) => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                changed.extend(name);
            }
            Wake::Rescan => {}
        }
        wake = match wakes.recv_timeout(SETTLED) {
            Ok(wake) => wake,
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return None,
        };
    }
    let names: Vec<_> = changed.into_iter().collect();
    Some(format!(
        "{} changed",
        if names.is_empty() { "something".into() } else { names.join(", ") }
    ))
}

/// Has changes of the files reported; they are, until the watcher is dropped.
fn watch(files: &[WatchedFiles], wakes: Sender<Wake>) -> Result<RecommendedWatcher, RerunError> {
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |source| RerunError::Watch { path, source }
    };
    let counting = files.to_vec();
    let report = move |event: notify::Result<Event>| {
        // An error says that something could not be seen.
        let Ok(event) = event else { return drop(wakes.send(Wake::Rescan)) };
        if event.need_rescan() {
            let _ = wakes.send(Wake::Rescan);
        }
        if !is_change(event.kind) {
            return;
        }
        for path in event.paths {
            if counting.iter().any(|files| files.has(&path)) {
                let _ = wakes.send(Wake::Changed(path));
            }
        }
    };
    let mut watcher = notify::recommended_watcher(report).map_err(refused(Path::new(".")))?;
    let directories: BTreeSet<_> = files.iter().map(|files| &files.directory).collect();
    for directory in directories {
        watcher.watch(directory, RecursiveMode::NonRecursive).map_err(refused(directory))?;
    }
    Ok(watcher)
}

/// Whether a file may have other contents now. That a pass reads the files is not a change.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(_) | EventKind::Remove(_) => true,
        EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Name(_) | ModifyKind::Any) => true,
        EventKind::Modify(ModifyKind::Metadata(_) | ModifyKind::Other) => false,
        EventKind::Any | EventKind::Access(_) | EventKind::Other => false,
    }
}

/// Has every Ctrl-C set the flag and end the wait, until the handle is closed.
fn forward_ctrl_c(interrupt: &Arc<AtomicBool>, wakes: &Sender<Wake>) -> io::Result<Handle> {
    let mut signals = Signals::new([SIGINT])?;
    let (handle, interrupt, wakes) = (signals.handle(), Arc::clone(interrupt), wakes.clone());
    thread::spawn(move || {
        for _ in signals.forever() {
            interrupt.store(true, Relaxed);
            let _ = wakes.send(Wake::Interrupted);
        }
    });
    Ok(handle)
}

fn label(view: PassView, text: &str) {
    match view {
        PassView::Plain => note(text),
        PassView::Labelled => {
            let clear = if io::stdout().is_terminal() { CLEAR } else { "" };
            super::print(&format!("{clear}{text}\n\n"));
        }
    }
}

/// Empties the screen and puts the cursor into its corner.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_directory_scenario_files_count_and_of_a_file_the_file_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = resolved(folder.path());
        let all = &WatchedFiles::of(&folder)[0];
        assert!(all.has(&folder.join("a.toml")));
        assert!(!all.has(&folder.join("a.relay.trace")) && !all.has(&folder.join("b/a.toml")));
        let file = folder.join("a.toml");
        fs::write(&file, "").expect("the folder can be written");
        let one = WatchedFiles::of(&file);
        assert!(one.iter().all(|files| files.has(&file) && !files.has(&folder.join("b.toml"))));
    }
}
