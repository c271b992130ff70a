//! The calls that led to the pause, without those of the libraries between.
//!
//! Runs in the agent's thread; the symbols are looked up here, when somebody asks, and not where
//! the task paused.

use super::within;
use crate::session::{Frames, Reply};
use std::backtrace::{Backtrace, BacktraceStatus};

/// The backtrace as lines.
pub(super) fn reply(backtrace: &Backtrace, frames: Frames) -> Reply {
    match backtrace.status() {
        BacktraceStatus::Captured => Reply::Lines(within(lines(&backtrace.to_string(), frames))),
        BacktraceStatus::Disabled => {
            Reply::Failed("no backtrace was captured: set RUST_BACKTRACE=1 for the tree".to_owned())
        }
        _ => Reply::Failed("this platform has no backtraces".to_owned()),
    }
}

fn lines(text: &str, frames: Frames) -> Vec<String> {
    let all = split(text);
    let hidden = match frames {
        Frames::All => 0,
        Frames::Own => all.iter().filter(|frame| is_foreign(frame.name)).count(),
    };
    let mut lines = Vec::new();
    for frame in &all {
        if frames == Frames::All || !is_foreign(frame.name) {
            lines.push(format!("{:>4}: {}", frame.number, frame.name));
            lines.extend(frame.place.map(|place| format!("      {place}")));
        }
    }
    if hidden > 0 {
        lines.push(format!("({hidden} frames of libraries are hidden; `bt all` shows them)"));
    }
    lines
}

struct BacktraceFrame<'t> {
    number: &'t str,
    name: &'t str,
    place: Option<&'t str>,
}

/// Takes the text of a [`Backtrace`] apart: `  3: name`, then perhaps `   at file:line:column`.
fn split(text: &str) -> Vec<BacktraceFrame<'_>> {
    let mut found: Vec<BacktraceFrame<'_>> = Vec::new();
    for line in text.lines().map(str::trim) {
        let numbered = line.split_once(": ").filter(|(number, _)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        match (numbered, found.last_mut()) {
            (Some((number, name)), _) => found.push(BacktraceFrame { number, name, place: None }),
            (None, Some(frame)) if line.starts_with("at ") => frame.place = Some(line),
            (None, _) => {}
        }
    }
    found
}

fn is_foreign(name: &str) -> bool {
    // `<F as holdfast::…>::call`: a trait of a library, for whatever type.
    let name = match name.strip_prefix('<').and_then(|rest| rest.split_once(" as ")) {
        Some((implementor, of)) if !implementor.contains("::") => of,
        Some(_) | None => name,
    };
    let path = name.trim_start_matches(['<', '&', '*']).trim_start_matches("dyn ");
    let root = path.split("::").next().unwrap_or(path);
    let root = root.split('[').next().unwrap_or(root);
    match path.contains("::") {
        true => {
            let family = root.split('_').next().unwrap_or(root);
            LIBRARIES.contains(&root) || FAMILIES.contains(&family)
        }
        false => RUNTIME.contains(&path) || path.starts_with("__rust"),
    }
}

/// Crates of the standard library and of this project.
const LIBRARIES: [&str; 8] =
    ["__rustc", "alloc", "core", "holdfast", "holdfast_protocol", "holdfast_sync", "std", "test"];

/// Crates whose names begin with one word.
const FAMILIES: [&str; 3] = ["futures", "tokio", "tracing"];

/// What stands below `main` and below each thread.
const RUNTIME: [&str; 10] = [
    "_start",
    "__clone3",
    "__libc_start_main",
    "__libc_start_call_main",
    "__libc_start_main_impl",
    "clone",
    "clone3",
    "main",
    "rust_begin_unwind",
    "start_thread",
];

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "   0: holdfast::pause::here
             at /src/pause.rs:9:5
   1: <demo::Worker as core::future::future::Future>::poll
             at ./src/main.rs:7:1
   2: <core::pin::Pin<P> as core::future::future::Future>::poll
   3: holdfast_demo::main::{{closure}}
             at ./src/main.rs:3:1
   4: tokio::runtime::park::CachedParkThread::block_on
   5: core::ops::function::FnOnce::call_once{{vtable.shim}}
   6: __libc_start_call_main
   7: <unknown>
   8: futures_util::future::FutureExt::poll_unpin
   9: __rustc::rust_begin_unwind
  10: <F as holdfast::program::ActorFn<A>>::call::{{closure}}
";

    #[test]
    fn frames_of_libraries_are_hidden() {
        let own = lines(TEXT, Frames::Own);
        assert_eq!(
            own,
            [
                "   1: <demo::Worker as core::future::future::Future>::poll",
                "      at ./src/main.rs:7:1",
                "   3: holdfast_demo::main::{{closure}}",
                "      at ./src/main.rs:3:1",
                "   7: <unknown>",
                "(8 frames of libraries are hidden; `bt all` shows them)",
            ]
        );
    }

    #[test]
    fn all_are_shown_on_request() {
        let all = lines(TEXT, Frames::All);
        assert_eq!(all.len(), 14);
        assert_eq!(all[0], "   0: holdfast::pause::here");
    }

    #[test]
    fn a_real_one_can_be_taken_apart() {
        let backtrace = Backtrace::force_capture();
        let Reply::Lines(lines) = reply(&backtrace, Frames::All) else { panic!("captured") };
        assert!(lines.iter().any(|line| line.contains("a_real_one_can_be_taken_apart")));
    }

    #[test]
    fn a_missing_one_says_so() {
        assert!(matches!(reply(&Backtrace::disabled(), Frames::Own), Reply::Failed(_)));
    }
}
