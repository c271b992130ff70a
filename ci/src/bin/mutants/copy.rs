//! A copy of sources that is brought up to date, so that cargo rebuilds only what changed.

use std::fs;
use std::io;
use std::path::Path;

/// Copies a file or a folder, and takes away what is not there any longer.
pub(crate) fn mirror(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return update(to, &fs::read(from)?);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(to)? {
        let path = entry?.path();
        let there = path.file_name().is_some_and(|name| from.join(name).exists());
        match (there, path.is_dir()) {
            (true, _) => {}
            (false, true) => fs::remove_dir_all(path)?,
            (false, false) => fs::remove_file(path)?,
        }
    }
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        mirror(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

/// Writes a file if it differs, so that cargo rebuilds only what changed.
pub(crate) fn update(file: &Path, text: &[u8]) -> io::Result<()> {
    if fs::read(file).is_ok_and(|there| there == text) { Ok(()) } else { fs::write(file, text) }
}
