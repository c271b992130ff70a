//! The documents: links that lead somewhere, places that exist, the program that is compiled.

use files::files;
use std::fs;
use std::path::Path;

#[path = "support/files.rs"]
mod files;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The text outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

/// The targets of the links of a document.
fn links(text: &str) -> Vec<&str> {
    let targets = |line| str::split(line, "](").skip(1).filter_map(|rest| rest.split(')').next());
    prose(text).flat_map(targets).collect()
}

/// The anchors of a document: what a heading is called in a link.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let title = |line: &str| line.trim_start_matches('#').trim().to_lowercase();
    let known = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    let anchor = |title: String| title.chars().filter(known).collect::<String>().replace(' ', "-");
    headings.map(title).map(anchor).collect()
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let mut dead = Vec::new();
    let mut seen = 0;
    for (path, text) in files(".md") {
        let path = Path::new(ROOT).join(path);
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            seen += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = path.parent().expect("a file is in a folder");
            let target = if file.is_empty() { path.clone() } else { folder.join(file) };
            let there = target.exists() && (anchor.is_empty() || has(&target, anchor));
            if !there {
                dead.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(seen > 100, "the search for links is broken: {seen}");
    assert_eq!(dead, Vec::<String>::new(), "these lead nowhere");
}

fn has(document: &Path, anchor: &str) -> bool {
    let text = fs::read_to_string(document).unwrap_or_default();
    anchors(&text).iter().any(|known| known == anchor)
}

/// The text between two backticks, again and again.
fn code(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_places_that_the_architecture_names_exist() {
    let text = fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).expect("it is there");
    let section = text.split("## Where is it decided?").nth(1).expect("the section is there");
    let rows = section.split("\n## ").next().into_iter().flat_map(str::lines);
    let rows: Vec<_> =
        rows.filter(|line| line.starts_with("| ") && line.contains(".rs`")).collect();
    assert!(rows.len() >= 10, "the table is gone: {rows:?}");
    let mut missing = Vec::new();
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, _, file, names, _] = cells[..] else { panic!("expected three cells: {row}") };
        let file = code(file)[0];
        let text = fs::read_to_string(Path::new(ROOT).join(file)).unwrap_or_default();
        for name in code(names) {
            let there = ["fn", "const", "struct", "enum", "macro_rules!"].iter().any(|kind| {
                let declared = format!("{kind} {name}");
                text.match_indices(&declared).any(|(at, _)| {
                    let next = text[at + declared.len()..].chars().next();
                    next.is_none_or(|next| !next.is_alphanumeric() && next != '_')
                })
            });
            if !there {
                missing.push(format!("{file}: {name}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "ARCHITECTURE.md names these");
}

/// Whether a piece of code is the path of a file of this project, from its root.
fn is_path(code: &str) -> bool {
    let folders = ["model/", "runtime/", "scenarios/", "ci/", ".ci/", ".cargo/"];
    let known = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    folders.iter().any(|folder| code.starts_with(folder)) && code.chars().all(known)
}

#[test]
fn the_paths_that_the_documents_name_exist() {
    let mut dead = Vec::new();
    let mut seen = 0;
    for (document, text) in files(".md") {
        for path in prose(&text).flat_map(code).filter(|code| is_path(code)) {
            seen += 1;
            if !Path::new(ROOT).join(path).exists() {
                dead.push(format!("{document}: {path}"));
            }
        }
    }
    assert!(seen > 50, "the search for paths is broken: {seen}");
    assert_eq!(dead, Vec::<String>::new(), "these are nowhere");
}

#[test]
fn the_readme_is_short() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).expect("it is there");
    let lines = readme.lines().count();
    assert!(lines <= 90, "README.md has {lines} lines: what is more than 90 belongs elsewhere");
}

#[test]
fn the_program_of_the_documents_is_the_example_that_is_compiled() {
    let example = Path::new(ROOT).join("runtime/holdfast/examples/quick_start.rs");
    let example = fs::read_to_string(example).expect("the example is there");
    let program: Vec<_> = example.lines().filter(|line| !line.starts_with("//!")).collect();
    let program = program.join("\n");
    for document in ["README.md", "runtime/README.md"] {
        let text = fs::read_to_string(Path::new(ROOT).join(document)).expect("it is there");
        let shown = text.split("```rust\n").nth(1).and_then(|rest| rest.split("\n```").next());
        assert_eq!(shown, Some(program.trim()), "in {document}");
    }
}

/// The README shows a recorded run: what it shows of the source is what stands there now.
#[test]
fn the_recorded_prompt_is_at_the_line_that_it_shows() {
    let read = |name| fs::read_to_string(Path::new(ROOT).join(name)).expect("it is there");
    let (readme, example) = (read("README.md"), read("runtime/holdfast/examples/nested.rs"));
    let recording = readme.split("```text\n").nth(1).and_then(|rest| rest.split("\n```").next());
    let recording: Vec<_> = recording.expect("there is a recording").lines().collect();
    assert!(recording.len() <= 12, "the recording has {} lines", recording.len());
    let mut shown = Vec::new();
    for line in &recording {
        let (number, text) =
            line.trim_start_matches(['>', ' ']).split_once(' ').unwrap_or_default();
        if let Ok(number) = number.parse::<usize>() {
            assert_eq!(example.lines().nth(number - 1), Some(text), "line {number} of the example");
            shown.push((line.starts_with('>'), number));
        }
    }
    let at = shown.iter().find(|(here, _)| *here).expect("the place of the breakpoint is shown").1;
    let place = format!("at runtime/holdfast/examples/nested.rs:{at}:5 ");
    assert!(recording.iter().any(|line| line.starts_with(&place)), "expected `{place}`");
}

#[test]
fn the_pinned_toolchain_is_the_lowest_that_is_supported() {
    let root = Path::new(ROOT);
    let read = |name| fs::read_to_string(root.join(name)).expect("it is there");
    let value = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).expect("the key is there");
        line.split('"').nth(1).expect("the value is a string").to_owned()
    };
    let (lowest, pinned) = (
        value(&read("Cargo.toml"), "rust-version ="),
        value(&read("rust-toolchain.toml"), "channel ="),
    );
    assert_eq!(pinned, format!("{lowest}.0"), "every stage tests the version that is promised");
    assert!(read("README.md").contains(&format!("Rust {lowest} or later")), "in README.md");
    assert!(read(".ci/run").contains(&format!("rustup toolchain install {pinned}")), "in .ci/run");
}
