//! What was seen, as a document.

use super::engine::{Engine, EngineResult};
use super::table::Mutant;

/// Where it is.
pub(crate) const PATH: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../model/docs/SHARED_MUTANTS.md");

/// A mutant, and what each engine said.
#[derive(Clone, Debug)]
pub(crate) struct MutantReport {
    pub(crate) mutant: &'static Mutant,
    pub(crate) by: Vec<EngineResult>,
}

const HEAD: &str = "\
# Mutants of what threads share

Written by `cargo run --release -p ci --bin mutants -- --write` from what it saw; without `--write` \
it fails if it sees anything else, and a test of `ci` fails if the table has other mutants.
Each text was replaced in the source, one at a time, and the tests of `model/sync/tests/loom.rs` and \
`model/sync/tests/shuttle.rs` run: the first that fails is named.
loom visits every interleaving up to the bound, shuttle random ones with fixed seeds.

| engine | visits of the code as it is, without a failure |
|---|---|
";

const TABLE: &str = "
| module | mutant | what is wrong | loom: fails | shuttle: fails |
|---|---|---|---|---|
";

/// What the code as it is made each engine say, and what the mutants did.
pub(crate) fn document(visited: &[(Engine, String)], seen: &[MutantReport]) -> String {
    let mut text = HEAD.to_owned();
    for (engine, line) in visited {
        text += &format!("| {engine} | {line} |\n");
    }
    text += TABLE;
    for MutantReport { mutant, by } in seen {
        let said: Vec<String> = by.iter().map(cell).collect();
        text += &format!("{}{} |\n", row(mutant), said.join(" | "));
    }
    text
}

/// The row of a mutant up to what the engines said.
fn row(mutant: &Mutant) -> String {
    format!("| `{}` | {} | {} | ", mutant.module(), mutant.name, mutant.what)
}

fn cell(ran: &EngineResult) -> String {
    match ran {
        EngineResult::Passed(_) => "nothing".to_owned(),
        EngineResult::Caught(test) => format!("`{test}`"),
        EngineResult::OutOfTime => "out of time".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::MUTANTS;
    use super::*;

    #[test]
    fn the_document_has_the_mutants_of_the_table_and_somebody_catches_each() {
        let there = include_str!("../../../../model/docs/SHARED_MUTANTS.md");
        let (head, table) = there.split_once(TABLE).expect("it has the table");
        assert!(head.starts_with(HEAD), "its head is another");
        let rows: Vec<&str> = table.lines().collect();
        assert_eq!(rows.len(), MUTANTS.len());
        for (there, mutant) in rows.into_iter().zip(MUTANTS) {
            let said = there.strip_prefix(&row(mutant));
            let said = said.unwrap_or_else(|| panic!("{there} is not of {}", mutant.name));
            assert!(said.contains('`'), "{} is caught by nobody", mutant.name);
        }
    }
}
