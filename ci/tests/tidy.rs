//! House rules that no lint knows: headers, sizes, sleeps, titles, layers.

use std::fs;
use std::path::{Path, PathBuf};

/// Files of the repository with this ending, generated ones aside.
fn files(ending: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).expect("the repository can be read") {
            let path = entry.expect("the repository can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "snapshots" {
                walk(&path, ending, found);
            } else if name.ends_with(ending) {
                let text = fs::read_to_string(&path).expect("source is UTF-8");
                found.push((path, text));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    walk(&root, ending, &mut found);
    assert!(!found.is_empty(), "no file ends with {ending}: the walk is broken");
    found
}

fn offenders(ending: &str, offends: impl Fn(&Path, &str) -> bool) -> Vec<PathBuf> {
    let files = files(ending).into_iter();
    files.filter(|(path, text)| offends(path, text)).map(|(path, _)| path).collect()
}

#[test]
fn every_source_file_says_what_it_is() {
    let silent = offenders(".rs", |_, text| !text.starts_with("//! "));
    assert_eq!(silent, Vec::<PathBuf>::new(), "these lack a header");
}

#[test]
fn no_source_file_is_long() {
    let code =
        |text: &str| text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
    let long = offenders(".rs", |_, text| code(text) > 450);
    assert_eq!(long, Vec::<PathBuf>::new(), "these have more than 450 lines without their tests");
}

#[test]
fn no_test_sleeps_is_ignored_or_expects_a_panic() {
    let words = ["thread::sleep", "#[ignore", "#[should_panic", "todo!(", "unimplemented!("];
    let here = Path::new(file!()).file_name();
    let bad = offenders(".rs", |path, text| {
        path.file_name() != here && words.iter().any(|word| text.contains(word))
    });
    assert_eq!(bad, Vec::<PathBuf>::new(), "these wait for time, or check nothing");
}

#[test]
fn every_document_has_one_title() {
    let titles = |text: &str| {
        let mut in_code = false;
        let mut count = 0;
        for line in text.lines() {
            in_code ^= line.starts_with("```");
            count += usize::from(!in_code && line.starts_with("# "));
        }
        count
    };
    let bad = offenders(".md", |_, text| titles(text) != 1);
    assert_eq!(bad, Vec::<PathBuf>::new(), "these have no title, or several");
}

#[test]
fn layers_point_one_way() {
    let forbidden = [
        ("model/check/src/world", &["crate::explore", "crate::search", "crate::walk"][..]),
        ("model/", &["holdfast_cli", "holdfast::"]),
        ("runtime/", &["holdfast_cli"]),
    ];
    let bad = offenders(".rs", |path, text| {
        let path = path.to_string_lossy();
        let layer = forbidden.iter().filter(|(layer, _)| path.contains(layer));
        let code = || text.lines().filter(|line| !line.trim_start().starts_with("//"));
        layer.flat_map(|(_, words)| *words).any(|word| code().any(|line| line.contains(word)))
    });
    assert_eq!(bad, Vec::<PathBuf>::new(), "these use a layer above their own");
}

#[test]
fn threads_share_memory_behind_the_one_facade() {
    let engines = ["std::sync", "std::thread", "core::sync", "loom::", "shuttle::"];
    let bad = offenders(".rs", |path, text| {
        let place = path.to_string_lossy();
        let shared = place.contains("model/sync/src") && !place.ends_with("tests.rs");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        shared
            && !place.ends_with("engine.rs")
            && code.into_iter().any(|line| engines.iter().any(|engine| line.contains(engine)))
    });
    assert_eq!(bad, Vec::<PathBuf>::new(), "these do not take it from `crate::engine`");
}
