//! The documents say what the code says: every property and every rule, in the code's own words.

use holdfast_check::property::{PropertyId, guardian};
use holdfast_protocol::Rule;

const README: &str = include_str!("../../../README.md");
const MODEL_README: &str = include_str!("../../README.md");

#[test]
fn the_readme_has_a_row_for_each_property() {
    let rows = PropertyId::ALL.map(|property| {
        format!("| `{property}` | {} | {} |", property.kind(), property.statement())
    });
    let missing: Vec<_> = rows.iter().filter(|row| !README.contains(*row)).collect();
    assert!(missing.is_empty(), "README.md lacks these rows:\n{missing:#?}");
    let count = README.lines().filter(|line| rows.iter().any(|row| row == line)).count();
    assert_eq!(count, rows.len(), "a row stands twice");
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
        let place = row.split('`').nth(1).expect("the place is code");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/src/").to_owned() + place;
        assert!(std::path::Path::new(&path).exists(), "{rule} names {place}, which is not there");
    }
}
