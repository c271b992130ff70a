//! What was seen, as a document.

use super::table::{GROUPS, mutants};
use std::fs;

/// Where it is.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/docs/CHECKER_MUTANTS.md");

const HEAD: &str = "\
# Mutants of the checker

Written by `cargo run --release -p ci --bin checker-mutants -- --write` once it has seen each mutant caught; \
without `--write` it fails if it sees anything else, and a test of `ci` fails when the table is another.
Each expression was changed in a copy of `model/check` and `model/prove`, behind a switch of its own; \
with the switch off the test that is named passes, with it on the test fails.
Those with a star survived every test when they were first tried.

What each missing rule of the protocol violates: [MUTANTS.md](MUTANTS.md). \
The facts behind the world: [WORLD.md](WORLD.md).
";

const EQUIVALENT: &str = "
## Equivalent

- `connected_up` in `property/safety.rs` asks one direction of a link instead of both: both are closed at once, \
by every input that closes one (`world/link.rs`).
";

/// The table as a document.
fn document() -> String {
    let mut text = HEAD.to_owned();
    for (title, _) in GROUPS {
        text += &format!(
            "\n## {title}\n\n| mutant | what it would hide | caught by |\n|---|---|---|\n"
        );
        for mutant in mutants().iter().filter(|mutant| mutant.group == *title) {
            let (_, program, test) = super::switched::parts(mutant.test);
            let star = if mutant.survived { " \\*" } else { "" };
            text +=
                &format!("| {}{star} | {} | `{program}`: `{test}` |\n", mutant.name, mutant.what);
        }
    }
    text + EQUIVALENT
}

/// Writes the document, or compares it with the one that is there.
pub(crate) fn keep(write: bool) -> Result<(), String> {
    if write {
        return fs::write(PATH, document())
            .map_err(|error| format!("failed to write {PATH}: {error}"));
    }
    match fs::read_to_string(PATH) {
        Ok(there) if there == document() => Ok(()),
        Ok(_) => Err(format!("{PATH} says something else; --write writes it anew")),
        Err(error) => Err(format!("failed to read {PATH}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_of_the_mutants_of_the_checker_is_that_of_the_table() {
        keep(false).expect("it is current");
    }

    #[test]
    fn each_case_of_the_world_catches_a_mutant() {
        let world = include_str!("../../../../model/docs/WORLD.md");
        let rows = world.lines().filter(|line| line.starts_with("| ") && line.ends_with("` |"));
        let mut cases: Vec<_> = rows.filter_map(|row| row.rsplit('`').nth(1)).collect();
        cases.retain(|case| !mutants().iter().any(|it| it.test.ends_with(&format!("::{case}"))));
        assert_eq!(cases, Vec::<&str>::new(), "these cases catch no mutant");
    }
}
