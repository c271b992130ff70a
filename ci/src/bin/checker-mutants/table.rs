//! The mutants: an expression of a source file, what stands there instead, and the test that fails.

#[path = "table/effects.rs"]
mod effects;
#[path = "table/judging.rs"]
mod judging;
#[path = "table/proof.rs"]
mod proof;
#[path = "table/world.rs"]
mod world;

/// One way to break the checker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckerMutant {
    /// What is broken.
    pub(crate) group: &'static str,
    /// The file, from the workspace's root.
    pub(crate) file: &'static str,
    /// What the mutant does, and its name on the command line.
    pub(crate) name: &'static str,
    /// What it would hide.
    pub(crate) what: &'static str,
    /// The expression that stands there, once, behind the text before `=>> ` if it has one.
    pub(crate) text: &'static str,
    /// What the mutant has instead.
    pub(crate) instead: &'static str,
    /// The package, the program and the name of the test that fails.
    pub(crate) test: &'static str,
    /// Whether no test failed when it was first tried.
    pub(crate) survived: bool,
}

/// A mutant without its group and file: name, what it would hide, text, instead, test.
pub(crate) type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// The rows of one file; those that survived at first have a star before their name.
pub(crate) type FileRows = (&'static str, &'static [Row]);

/// All of them, by what they break.
pub(crate) const GROUPS: &[(&str, &[FileRows])] = &[
    ("The always-properties", judging::ALWAYS),
    ("Leads-to, fairness and lassos", judging::LEADS_TO),
    ("The search and the verdict", judging::SEARCH),
    ("The world: what can happen", world::GUARDS),
    ("The world: what comes of it", effects::EFFECTS),
    ("The proof for every size", proof::PROOF),
];

/// All of them, in order.
pub(crate) fn mutants() -> Vec<CheckerMutant> {
    let mut all = Vec::new();
    for (group, files) in GROUPS {
        for (file, rows) in *files {
            for (name, what, text, instead, test) in *rows {
                let survived = name.starts_with('*');
                let name = name.trim_start_matches('*');
                all.push(CheckerMutant { group, file, name, what, text, instead, test, survived });
            }
        }
    }
    all
}
