//! Records and traces that nobody wrote: whatever bytes they have, they are read or refused.
//!
//! `PROPTEST_CASES=1000000` makes a long run of it.

use holdfast_check::trace::Trace;
use holdfast_cli::conform::record::parse;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

/// A change of a text.
#[derive(Clone, Debug)]
enum Change {
    Cut(usize, usize),
    Put(usize, Vec<u8>),
    Repeat(usize, usize),
    Digit(usize, char),
}

fn change() -> impl Strategy<Value = Change> {
    let place = || any::<usize>();
    prop_oneof![
        (place(), 0..200_usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (place(), proptest::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(at, bytes)| Change::Put(at, bytes)),
        (place(), 0..400_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        (place(), prop_oneof![Just('9'), Just('-'), Just('e'), Just('"'), Just('}'), Just('0')])
            .prop_map(|(at, by)| Change::Digit(at, by)),
    ]
}

fn changed(text: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut text = text.to_vec();
    for change in changes {
        let (Change::Cut(at, _)
        | Change::Put(at, _)
        | Change::Repeat(at, _)
        | Change::Digit(at, _)) = change;
        let at = at % (text.len() + 1);
        match change {
            Change::Cut(_, length) => drop(text.drain(at..(at + length).min(text.len()))),
            Change::Put(_, bytes) => drop(text.splice(at..at, bytes.iter().copied())),
            Change::Repeat(_, length) => {
                let piece = text[at..(at + length).min(text.len())].to_vec();
                drop(text.splice(at..at, piece));
            }
            Change::Digit(_, by) => drop(text.splice(at..(at + 1).min(text.len()), [*by as u8])),
        }
    }
    text
}

fn traces() -> Vec<Vec<u8>> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases");
    let files = fs::read_dir(cases).expect("the cases are there").flatten().map(|one| one.path());
    let traces = files.filter(|file| file.extension().is_some_and(|end| end == "trace"));
    let mut texts: Vec<_> = traces.map(|file| fs::read(file).expect("readable")).collect();
    texts.sort();
    texts
}

const RECORD: &str = concat!(
    r#"{"holdfast_record":2,"actor":7,"path":["root"],"supervisor":null,"root":7,"#,
    r#""policy":"relay","placement":"own-session","debugging":"Breakpoints"}"#,
    "\n",
    r#"{"at_ns":1,"input":{"input":"spawned","child":8},"outputs":[]}"#,
    "\n",
    r#"{"at_ns":2,"input":{"input":"cancel","cause":"requested"},"outputs":[{"output":"teardown-started","cause":"requested"}]}"#,
    "\n",
);

#[test]
fn the_record_is_one() {
    assert!(parse("it", RECORD.as_bytes()).expect("it is read").is_some());
}

proptest! {
    #[test]
    fn a_record_is_read_or_refused(changes in proptest::collection::vec(change(), 1..6)) {
        let _ = parse("it", &changed(RECORD.as_bytes(), &changes));
    }

    #[test]
    fn a_trace_is_read_or_refused(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec(change(), 1..6),
    ) {
        let traces = traces();
        let text = changed(&traces[which.index(traces.len())], &changes);
        if let Ok(trace) = Trace::from_text(&String::from_utf8_lossy(&text)) {
            let _ = trace.config();
        }
    }
}
