//! The protocol is pure, and the model stays small: what it leans on is listed here, with reasons.
//!
//! Runs in `cargo test`. `model/clippy.toml` bans the same from the compiler's side.

use std::fs;
use std::path::{Path, PathBuf};

/// What the model may depend on, and why.
const DEPENDENCIES: [(&str, &str); 6] = [
    ("bitflags", "facts and sets of properties are words, not vectors of booleans"),
    ("foldhash", "the hash of a visited state, the same on every run"),
    ("rustc-hash", "a fast map for interning, never iterated"),
    ("serde", "traces and scenarios are written and read"),
    ("serde_json", "traces are JSON lines"),
    ("thiserror", "error messages beside their variants"),
];

/// Words that stand for the world outside; a pure protocol has no use for them.
const IMPURE: [&str; 18] = [
    "std::time",
    "std::thread",
    "std::fs",
    "std::net",
    "std::process",
    "std::io",
    "std::env",
    "std::sync",
    "std::os",
    "HashMap",
    "HashSet",
    "RandomState",
    "rand",
    "print!",
    "println!",
    "eprintln!",
    "dbg!",
    "unsafe",
];

fn crate_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file of a module: `name.rs` and everything in `name/`, if there is one.
fn sources(module: &str) -> Vec<PathBuf> {
    let src = crate_root().join("src");
    let mut found = vec![src.join(format!("{module}.rs"))];
    let mut folders = vec![src.join(module)];
    folders.retain(|folder| folder.exists());
    let is_one_file = folders.is_empty();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a module has a folder") {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    assert!(is_one_file || found.len() > 3, "`{module}` has more files than that");
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a line of code, its comments aside, says a word.
fn says(line: &str, word: &str) -> bool {
    let code = line.split("//").next().unwrap_or(line);
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_some_and(is_word);
        let after = code[at + word.len()..].chars().next().is_some_and(is_word);
        !before && !after
    })
}

/// Every place in a module that says one of the words.
fn places(module: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in sources(module) {
        let text = fs::read_to_string(&path).expect("a source file is text");
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| says(line, word)) {
                found.push(format!("{}:{}: `{word}`", path.display(), number + 1));
            }
        }
    }
    found
}

#[test]
fn the_dependencies_are_those_of_the_list() {
    #[expect(clippy::disallowed_methods, reason = "only cargo knows what the crate depends on")]
    let output = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--package", "holdfast-model", "--edges", "normal", "--depth", "1"])
        .args(["--prefix", "none", "--format", "{p}", "--offline"])
        // What a normal build depends on: loom and shuttle come with a cfg, and with it only.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(crate_root())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    // The first line is the model itself.
    let mut names: Vec<_> =
        text.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names, DEPENDENCIES.map(|(name, _)| name), "add it to the list with a reason");
}

#[test]
fn the_protocol_knows_nothing_of_the_world_outside() {
    assert_eq!(places("protocol", &IMPURE), Vec::<String>::new());
    assert_eq!(places("driver", &IMPURE), Vec::<String>::new());
}

#[test]
fn shared_memory_is_behind_the_one_facade() {
    let engines = ["std::sync", "std::thread", "core::sync", "loom", "shuttle", "unsafe"];
    let mut found = places("shared", &engines);
    found.retain(|place| !place.contains("/tests.rs"));
    assert_eq!(found, Vec::<String>::new(), "take it from `crate::sync`");
}

#[test]
fn modules_depend_downward_only() {
    let table: [(&str, &[&str]); 5] = [
        (
            "protocol",
            &["crate::world", "crate::check", "crate::tree", "crate::shared", "crate::driver"],
        ),
        ("driver", &["crate::world", "crate::check", "crate::tree", "crate::shared"]),
        ("world", &["crate::check", "crate::shared"]),
        ("check", &["crate::shared", "crate::driver"]),
        ("shared", &["crate::world", "crate::check", "crate::tree", "crate::protocol"]),
    ];
    for (module, above) in table {
        assert_eq!(places(module, &["crate::driven"]), Vec::<String>::new(), "`{module}` looks up");
        assert_eq!(places(module, above), Vec::<String>::new(), "`{module}` looks up");
    }
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    let table = [
        ("use std::time::Instant;", "std::time", true),
        ("let x = rand();", "rand", true),
        ("let operand = 1;", "rand", false),
        ("// HashMap is banned", "HashMap", false),
        ("println!(\"x\")", "println!", true),
        ("eprintln!(\"x\")", "println!", false),
    ];
    for (line, word, found) in table {
        assert_eq!(says(line, word), found, "{word} in {line}");
    }
}
