//! The documents say what the code says: every property and every rule, in the code's own words.

use holdfast_check::property::{PropertyId, guardian};
use holdfast_protocol::Rule;
use std::fmt::Write as _;

const MODEL_README: &str = include_str!("../../README.md");

const PROPERTIES_HEAD: &str = "\
# The properties

Generated from `model/check/src/property.rs`; a test fails when this file is not current.
`holdfast check` proves each property on every interleaving within the suite's bounds, under `relay`.
An *always* property whose antecedent is never reached is vacuous, and a vacuous property fails the run.

| property | kind | statement | antecedent, or what is fair |
|---|---|---|---|
";

const PROPERTIES_END: &str = "
The rules of the protocol, each with the property that guards it: [the protocol](../README.md#rules).
What is violated without each rule, on every engine: [MUTANTS.md](MUTANTS.md).
What is proved for which bounds, and what is not: [RESEARCH.md](../../RESEARCH.md).
";

fn properties() -> String {
    let mut text = PROPERTIES_HEAD.to_owned();
    for property in PropertyId::ALL {
        let (kind, statement) = (property.kind(), property.statement());
        let _ =
            writeln!(text, "| `{property}` | {kind} | {statement} | {} |", property.antecedent());
    }
    text + PROPERTIES_END
}

#[test]
fn the_document_of_the_properties_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/PROPERTIES.md");
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(path, properties()).expect("the repository can be written to");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        there,
        properties(),
        "INSTA_UPDATE=always cargo test -p holdfast-check --test docs writes it anew"
    );
}

#[test]
fn the_models_readme_has_a_row_for_each_rule_and_the_place_that_it_names_exists() {
    for rule in Rule::ALL {
        let (start, end) =
            (format!("| {rule} | {} | ", rule.statement()), format!(" | `{}` |", guardian(rule)));
        let row = MODEL_README
            .lines()
            .find(|line| line.starts_with(&start) && line.ends_with(&end))
            .unwrap_or_else(|| panic!("model/README.md lacks a row `{start}…{end}`"));
        let mut code = row.split('`').skip(1).step_by(2);
        let (place, function) = (code.next().expect("a file"), code.next().expect("a function"));
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/src/").to_owned() + place;
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{rule} names the file {place}: {error}"));
        let there =
            ["fn", "struct"].iter().any(|kind| text.contains(&format!("{kind} {function}")));
        assert!(there, "{rule} names {function} in {place}, which is not there");
    }
}
