//! The hook of Python's `breakpoint()`, put where the interpreters below find it.
//!
//! The module is kept in the cache folder of the user, so that nothing is made or left for one run.

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// The module, as it is in the repository.
const MODULE: &str = include_str!("../../python/holdfast_breakpoint.py");

/// What an interpreter runs at its start, where uncaught exceptions open prompts.
const AT_START: &str = include_str!("../../python/sitecustomize.py");

/// What an exception does that nobody catches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceptions {
    /// The exception is printed.
    Print,
    /// A prompt opens where it was raised.
    Prompt,
}

/// The variables of a program by which Python finds the hook; none if its folder cannot be made, or
/// if the user has switched breakpoints off.
#[must_use]
pub fn variables(exceptions: Exceptions) -> Vec<(OsString, OsString)> {
    let configured = std::env::var_os("PYTHONBREAKPOINT").unwrap_or_default();
    if configured == "0" {
        return Vec::new();
    }
    let Ok(folder) = install() else { return Vec::new() };
    let mut variables = vec![("PYTHONBREAKPOINT".into(), "holdfast_breakpoint.set_trace".into())];
    if !configured.is_empty() && configured != "holdfast_breakpoint.set_trace" {
        variables.push(("HOLDFAST_BREAKPOINT".into(), configured));
    }
    let mut path = folder.clone().into_os_string();
    if exceptions == Exceptions::Prompt {
        path = folder.join("start").into_os_string();
        path.push(":");
        path.push(&folder);
        variables.push(("HOLDFAST_POST_MORTEM".into(), "1".into()));
    }
    if let Some(further) = std::env::var_os("PYTHONPATH").filter(|path| !path.is_empty()) {
        path.push(":");
        path.push(further);
    }
    variables.push(("PYTHONPATH".into(), path));
    variables
}

/// Writes the module where it is not yet, and says where that is.
fn install() -> io::Result<PathBuf> {
    let version = env!("CARGO_PKG_VERSION");
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for base in bases() {
        let folder = base.join(format!("python-{version}"));
        let written = private(&base).and_then(|()| write(&folder));
        match written {
            Ok(()) => return Ok(folder),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The cache folder of the user, else one of the user's own among the temporary ones.
fn bases() -> Vec<PathBuf> {
    let cache =
        std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = cache.or(home).map(|cache| cache.join("holdfast"));
    let user = nix::unistd::getuid();
    let temporary = std::env::temp_dir().join(format!("holdfast-{user}"));
    cache.into_iter().chain([temporary]).collect()
}

/// Makes a folder that nobody else can write to; one that is there must be such a folder.
fn private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let found = fs::symlink_metadata(folder)?;
    let own = found.is_dir() && found.uid() == nix::unistd::getuid().as_raw();
    match own && found.mode() & 0o022 == 0 {
        true => Ok(()),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder.join("start"))?;
    for (name, text) in [("holdfast_breakpoint.py", MODULE), ("start/sitecustomize.py", AT_START)] {
        let path = folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|found| found == text) {
            continue;
        }
        // Another run may be writing it too: each has a file of its own until it is whole.
        let own = folder.join(format!("{}.tmp", std::process::id()));
        fs::write(&own, text)?;
        fs::rename(&own, &path)?;
    }
    Ok(())
}
