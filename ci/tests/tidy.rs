//! House rules that no lint knows: headers, sizes, sleeps, titles, layers.

use files::files;

#[path = "support/files.rs"]
mod files;

fn offenders(ending: &str, offends: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let files = files(ending).into_iter();
    files.filter(|(path, text)| offends(path, text)).map(|(path, _)| path).collect()
}

#[test]
fn every_source_file_says_what_it_is() {
    let silent = offenders(".rs", |_, text| !text.starts_with("//! "));
    assert_eq!(silent, Vec::<String>::new(), "these lack a header");
}

#[test]
fn no_source_file_is_long() {
    let code =
        |text: &str| text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
    let long = offenders(".rs", |_, text| code(text) > 450);
    assert_eq!(long, Vec::<String>::new(), "these have more than 450 lines without their tests");
}

#[test]
fn no_test_sleeps_is_ignored_or_expects_a_panic() {
    let words = ["thread::sleep", "#[ignore", "#[should_panic", "todo!(", "unimplemented!("];
    let bad = offenders(".rs", |path, text| {
        path != "ci/tests/tidy.rs" && words.iter().any(|word| text.contains(word))
    });
    assert_eq!(bad, Vec::<String>::new(), "these wait for time, or check nothing");
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
    assert_eq!(bad, Vec::<String>::new(), "these have no title, or several");
}

#[test]
fn layers_point_one_way() {
    let forbidden = [
        ("model/check/src/world", &["crate::explore", "crate::search", "crate::walk"][..]),
        ("model/", &["holdfast_cli", "holdfast::"]),
        ("runtime/", &["holdfast_cli"]),
    ];
    let bad = offenders(".rs", |path, text| {
        let layer = forbidden.iter().filter(|(layer, _)| path.starts_with(layer));
        let code = || text.lines().filter(|line| !line.trim_start().starts_with("//"));
        layer.flat_map(|(_, words)| *words).any(|word| code().any(|line| line.contains(word)))
    });
    assert_eq!(bad, Vec::<String>::new(), "these use a layer above their own");
}

#[test]
fn threads_share_memory_behind_the_one_facade() {
    let engines = ["std::sync", "std::thread", "core::sync", "loom::", "shuttle::"];
    let bad = offenders(".rs", |path, text| {
        let shared = path.starts_with("model/sync/src") && !path.ends_with("tests.rs");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        shared
            && !path.ends_with("engine.rs")
            && code.into_iter().any(|line| engines.iter().any(|engine| line.contains(engine)))
    });
    assert_eq!(bad, Vec::<String>::new(), "these do not take it from `crate::engine`");
}
