//! The language of the house: one name for one thing, the words of the field, English as it is read.
//!
//! Each rule has its allowed places, with a reason.

use files::files;
use std::collections::BTreeMap;

#[path = "support/files.rs"]
mod files;

/// The most definitions of a hundred whose type name stands for more than one type.
const SHARED_PERCENT: usize = 1;

/// The most lines of a function that is shipped. A table of everything that a test knows may be
/// longer.
const LONG: usize = 70;

/// Words that are not used, with those that stand instead.
const WORDS: &[(&str, &str)] = &[
    ("crew", "worker pool"),
    ("deed", "environment action"),
    ("deeds", "environment actions"),
    ("dice", "rng"),
    ("errand", "shim protocol"),
    ("errands", "shim protocol"),
    ("lived", "live result"),
    ("nanny", "subreaper shim"),
    ("nannies", "subreaper shims"),
    ("parcel", "batch"),
    ("parcels", "batch"),
    ("premise", "antecedent"),
    ("puppet", "test actor"),
    ("puppets", "test actors"),
    ("stranger", "unknown pid"),
    ("trapped", "fair lasso"),
    ("unclog", "unblock"),
    ("unwritten", "inferred"),
];

/// Where a word of the list may stand: part of a path, the word, the reason.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("RESEARCH.md", "", "a log of what was found when, in the words of its day"),
    ("CHANGELOG.md", "", "says what was renamed"),
    ("CONTRIBUTING.md", "", "says which words are not used"),
    ("ci/tests/language.rs", "", "this list"),
];

/// What reads as translated, with what is meant.
const PHRASES: &[(&str, &str)] = &[
    ("can not ", "cannot"),
    ("for ever ", "forever"),
    ("for ever.", "forever"),
    ("for ever,", "forever"),
    (" any more ", " any longer"),
];

/// Source that is shipped: no tests, no benches, no examples.
fn shipped() -> Vec<(String, String)> {
    let mut sources = files(".rs");
    let aside = ["/tests/", "/benches/", "/examples/"];
    sources.retain(|(name, _)| {
        !aside.iter().any(|folder| name.contains(folder)) && !name.ends_with("tests.rs")
    });
    sources
}

/// The name that a line defines as a type, and whether all crates see it.
fn defined(line: &str) -> Option<(&str, bool)> {
    let line = line.trim_start();
    let (public, rest) = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with(' ') => (true, rest),
        Some(rest) if rest.starts_with('(') => (false, rest.split_once(')')?.1),
        Some(_) => return None,
        None => (false, line),
    };
    let (kind, rest) = rest.trim_start().split_once(' ')?;
    let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
    let is_type = matches!(kind, "struct" | "enum" | "trait" | "union");
    (is_type && name.starts_with(|c: char| c.is_ascii_uppercase())).then_some((name, public))
}

/// The types that a text defines. What stands behind the head of a macro's call only names one.
fn definitions(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let before = std::iter::once("").chain(text.lines());
    let pairs = before.zip(text.lines());
    pairs.filter(|(before, _)| !before.ends_with("rename!(")).filter_map(|(_, line)| defined(line))
}

/// The folder of a crate, as it begins the name of a file.
fn krate(file: &str) -> &str {
    file.split_once("/src/").map_or(file, |(krate, _)| krate)
}

#[test]
fn few_type_names_stand_for_more_than_one_type() {
    let sources = shipped();
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (file, text) in &sources {
        for (name, _) in definitions(text) {
            places.entry(name).or_default().push(file);
        }
    }
    let all: usize = places.values().map(Vec::len).sum();
    assert!(all > 400, "the search is broken: {all} types");
    places.retain(|_, files| files.len() > 1);
    let shared: usize = places.values().map(Vec::len).sum();
    let most = all * SHARED_PERCENT / 100;
    assert!(
        shared <= most,
        "{shared} of {all} definitions share a name, at most {most}: {places:#?}"
    );
}

#[test]
fn a_public_type_name_is_defined_once_in_a_crate() {
    let sources = shipped();
    let mut places: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (file, text) in &sources {
        for (name, _) in definitions(text).filter(|(_, public)| *public) {
            places.entry((krate(file), name)).or_default().push(file);
        }
    }
    places.retain(|(_, name), files| files.len() > 1 && !TWICE.contains(name));
    assert!(places.is_empty(), "these are defined more than once: {places:#?}");
}

/// Defined under two conditions, of which one holds in a build.
const TWICE: &[&str] = &["Policy"];

/// The words of a text: identifiers are split at `_` and before capital letters.
fn words(text: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        if !c.is_ascii_alphabetic() || (c.is_ascii_uppercase() && before.is_ascii_lowercase()) {
            words.push(String::new());
        }
        if c.is_ascii_alphabetic() {
            words.last_mut().expect("there is one").push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.into_iter().filter(|word| !word.is_empty())
}

fn allowed(file: &str, word: &str) -> bool {
    let fits = |(place, known, _): &&(&str, &str, &str)| {
        file.contains(place) && (known.is_empty() || *known == word)
    };
    ALLOWED.iter().find(fits).is_some()
}

#[test]
fn the_words_of_the_field_stand_instead_of_private_ones() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in files(".rs").into_iter().chain(files(".md")) {
        for (at, line) in text.lines().enumerate() {
            for word in words(line).filter(|word| !allowed(&file, word)) {
                if WORDS.iter().any(|(gone, _)| *gone == word) {
                    places.entry(word).or_default().push(format!("{file}:{}", at + 1));
                }
            }
        }
    }
    let said = |(gone, instead): &(&str, &str)| {
        let here = places.remove(*gone)?;
        Some(format!("`{gone}`, say {instead}: {} times, {here:#?}", here.len()))
    };
    let found: Vec<_> = WORDS.iter().filter_map(said).collect();
    assert!(found.is_empty(), "private words:\n{}", found.join("\n"));
}

/// Whether a text negates a noun as no native speaker would: "X is no Y".
fn is_no(line: &str) -> bool {
    let lower = line.to_lowercase();
    let negations = [" is no ", " are no "].into_iter();
    negations.flat_map(|negation| lower.match_indices(negation)).any(|(at, found)| {
        let before = lower[..at].rsplit(|c: char| !c.is_alphabetic()).next();
        let after = &lower[at + found.len()..];
        !matches!(before, Some("there")) && !after.starts_with("longer")
    })
}

#[test]
fn a_native_reader_does_not_stumble() {
    let mut found = Vec::new();
    for (file, text) in files(".rs").into_iter().chain(files(".md")) {
        for (at, line) in text.lines().enumerate().filter(|_| !allowed(&file, "")) {
            let line = format!("{line} ");
            for (phrase, instead) in PHRASES.iter().filter(|(phrase, _)| line.contains(phrase)) {
                found.push(format!("{file}:{}: `{phrase}`, say {instead}", at + 1));
            }
            if is_no(&line) {
                found.push(format!("{file}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{} phrases:\n{}", found.len(), found.join("\n"));
}

/// The paragraphs of the doc comments of a text, each with the number of its first line.
fn doc_paragraphs(text: &str) -> Vec<(usize, String)> {
    let mut paragraphs: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let doc = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        match (doc.map(str::trim).filter(|doc| !doc.is_empty()), paragraphs.last_mut()) {
            (Some(doc), Some((_, paragraph))) if goes_on => {
                paragraph.push(' ');
                paragraph.push_str(doc);
            }
            (Some(doc), _) => paragraphs.push((at + 1, doc.to_owned())),
            (None, _) => {}
        }
        goes_on = doc.is_some_and(|doc| !doc.trim().is_empty());
    }
    paragraphs
}

/// A sentence of one word, full stop included.
fn lone_word(paragraph: &str) -> Option<&str> {
    let ends = paragraph.match_indices(". ").map(|(at, _)| at + 1);
    let mut from = 0;
    ends.chain([paragraph.len()]).find_map(|end| {
        let sentence = paragraph[from..end].trim();
        from = end;
        let word = sentence.strip_suffix('.')?;
        let capital = word.starts_with(|c: char| c.is_ascii_uppercase());
        (capital && word.chars().all(char::is_alphabetic)).then_some(sentence)
    })
}

#[test]
fn a_doc_comment_is_made_of_sentences_with_a_subject() {
    let mut found = Vec::new();
    let mut seen = 0;
    for (file, text) in files(".rs") {
        for (at, paragraph) in doc_paragraphs(&text) {
            seen += 1;
            let first = paragraph.split(' ').next().unwrap_or_default();
            if matches!(first, "It" | "They") {
                found.push(format!("{file}:{at}: begins with `{first}`: {paragraph}"));
            }
            if let Some(word) = lone_word(&paragraph) {
                found.push(format!("{file}:{at}: `{word}` is not a sentence: {paragraph}"));
            }
        }
    }
    assert!(seen > 4000, "the search is broken: {seen} paragraphs");
    assert!(found.is_empty(), "{} paragraphs:\n{}", found.len(), found.join("\n"));
}

#[test]
fn no_function_is_long() {
    let mut long = Vec::new();
    let mut seen = 0;
    for (file, text) in shipped() {
        let lines: Vec<_> = text.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| begins_function(line)) {
            seen += 1;
            let indent = &line[..line.len() - line.trim_start().len()];
            let end = format!("{indent}}}");
            let body = lines[at..].iter().take_while(|line| **line != end);
            let length = body.count() + 1;
            // A declaration without a body runs on into the next function.
            if length > LONG && !line.ends_with(';') {
                long.push(format!("{file}:{}: {length} lines", at + 1));
            }
        }
    }
    assert!(seen > 2000, "the search is broken: {seen} functions");
    assert!(long.is_empty(), "{} functions:\n{}", long.len(), long.join("\n"));
}

fn begins_function(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let modifiers = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern"];
    words.find(|word| !modifiers.contains(word)) == Some("fn")
}
