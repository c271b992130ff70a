//! The public API of the library, item by item, beside the kept list.
//!
//! Until a version is published there is nothing for `cargo semver-checks` to compare with. The
//! kept list is the next best thing: a change of what programs can name is seen in review.

use std::process::Command;

/// The library's package, its crate, and the kept list.
const LIBRARY: (&str, &str, &str) =
    ("holdfast-runtime", "holdfast", "runtime/holdfast/public-api.txt");

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[test]
fn the_public_api_is_the_kept_one() {
    let (package, library, list) = LIBRARY;
    let found = public_api(package, library);
    let path = format!("{ROOT}/{list}");
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(&path, &found).expect("the repository can be written to");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let without = |text: &str, other: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !other.lines().any(|it| it == *line))
            .map(str::to_owned)
            .collect()
    };
    let (gone, new) = (without(&kept, &found), without(&found, &kept));
    assert!(
        kept == found,
        "the public API is not that of {list}\ngone: {gone:#?}\nnew: {new:#?}\n\
         if that is meant: INSTA_UPDATE=always cargo run -p ci -- api, and a line in \
         CHANGELOG.md"
    );
}

/// A line for each public item, in the order of their names.
fn public_api(package: &str, library: &str) -> String {
    let target = format!("{ROOT}/target/public-api");
    let output = Command::new(env!("CARGO"))
        .args(["rustdoc", "--locked", "--package", package, "--lib", "--target-dir", &target])
        .args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"])
        // JSON is an unstable format of rustdoc; the toolchain and its reader are both pinned.
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTFLAGS")
        .current_dir(ROOT)
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let api = public_api::Builder::from_rustdoc_json(format!("{target}/doc/{library}.json"))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .expect("the reader knows this version of the format");
    api.items().map(|item| format!("{item}\n")).collect()
}
