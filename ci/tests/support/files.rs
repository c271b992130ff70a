//! The files of the repository, generated ones aside.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file with this ending: its place in the repository, and its text.
pub(crate) fn files(ending: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("the repository can be read") {
            let path = entry.expect("the repository can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "snapshots" {
                walk(&path, ending, found);
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    walk(&root, ending, &mut found);
    found.sort();
    assert!(found.len() > 10, "only {} files end with {ending}: the walk is broken", found.len());
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("source is UTF-8");
        let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        (name, text)
    };
    found.into_iter().map(read).collect()
}
