//! The file format: every kind of mistake has its message, no text makes the parser panic, and the
//! schema for editors is current.

use holdfast_cli::case::load::{load_file, parse};
use holdfast_cli::case::schema::schema;
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn files(directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(here(directory)).expect("the directory is there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

#[test]
fn every_kind_of_mistake_is_explained() {
    let bad = files("tests/bad");
    assert!(bad.len() >= 25, "{} bad files", bad.len());
    for file in bad {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let error = load_file(&file).expect_err(&name).to_string();
        let root = format!("{}/", env!("CARGO_MANIFEST_DIR"));
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, error.replace(&root, ""));
        });
    }
}

#[test]
fn the_template_is_a_case() {
    let text = holdfast_cli::cli::new::template("my-case");
    assert_eq!(parse(&text, "my-case").expect("it has no mistakes").runs().len(), 2);
}

#[test]
fn the_schema_is_current() {
    let file = here("../case.schema.json");
    let kept = fs::read_to_string(&file).unwrap_or_default();
    if kept != schema() {
        let fresh = file.with_extension("json.new");
        fs::write(&fresh, schema()).expect("writable");
        panic!("case.schema.json is out of date; {} is current", fresh.display());
    }
}

#[test]
fn files_that_are_no_text_are_refused() {
    for (name, bytes) in [("binary", vec![0xff_u8, 0, 1]), ("long", vec![b'#'; 1 << 19])] {
        let directory = tempfile::tempdir().expect("writable");
        let file = directory.path().join("case.toml");
        fs::write(&file, bytes).expect("writable");
        assert!(load_file(&file).is_err(), "{name}");
    }
}

/// A way to spoil a good file: some bytes are replaced by another piece of a good file.
fn spoiled() -> impl Strategy<Value = String> {
    let texts: Vec<String> =
        files("../cases").iter().map(|file| fs::read_to_string(file).expect("readable")).collect();
    let piece = prop_oneof![
        any::<String>(),
        Just("\"".to_owned()),
        Just("[[".to_owned()),
        Just("{ ".to_owned()),
        Just("\n".to_owned()),
        Just("999999999999999999999".to_owned()),
        "[a-z-]{1,12}",
    ];
    let spot = (any::<prop::sample::Index>(), 0_usize..40, piece);
    (prop::sample::select(texts), prop::collection::vec(spot, 1..6)).prop_map(|(text, spots)| {
        let mut text = text;
        for (at, length, piece) in spots {
            let start = text.floor_char_boundary(at.index(text.len() + 1));
            let end = text.floor_char_boundary((start + length).min(text.len())).max(start);
            text.replace_range(start..end, &piece);
        }
        text
    })
}

fn survives(text: &str) {
    match parse(text, "name") {
        Ok(case) => drop(case.runs()),
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty());
            let (path, text) = (PathBuf::from("x.toml"), text.to_owned());
            let all = holdfast_cli::case::diagnostic::Diagnostics { path, text, list: diagnostics };
            assert!(all.to_string().starts_with("x.toml:"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn no_spoiled_case_makes_the_parser_panic(text in spoiled()) {
        survives(&text);
    }
}
