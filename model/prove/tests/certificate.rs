//! The independent check accepts the certificate of a proof, and no other.

use holdfast_protocol::{Policy, Rule};
use holdfast_prove::certificate::certificate;
use holdfast_prove::verify::{Rejected, verify};
use std::ops::ControlFlow;

#[test]
fn a_certificate_is_accepted_whole_and_of_this_protocol_alone() {
    let text = certificate(Policy::RELAY, |_, _| ControlFlow::Continue(())).expect("it closes");
    assert_eq!(verify(&text, Policy::RELAY), Ok(261_316));

    // Without a state of the kind that is read first.
    let lines: Vec<&str> = text.lines().collect();
    let states = lines.iter().enumerate().filter(|(_, line)| line.starts_with("state "));
    let places: Vec<usize> = states.map(|(place, _)| place).take(1_536).collect();
    for nth in [0, 1, 2, 700, 1_535] {
        let mut fewer = lines.clone();
        fewer.remove(places[nth]);
        let verdict = verify(&fewer.join("\n"), Policy::RELAY);
        assert!(matches!(verdict, Err(Rejected::Open(..))), "without state {nth}: {verdict:?}");
    }

    // With a state that is another.
    let (node, rest) = lines[places[700]][6..].split_once(' ').expect("four numbers");
    let node: u16 = node.parse().expect("a number");
    let altered = format!("state {} {rest}", if node == 0 { 1 } else { node - 1 });
    let mut other = lines.clone();
    other[places[700]] = &altered;
    let verdict = verify(&other.join("\n"), Policy::RELAY);
    assert!(matches!(verdict, Err(Rejected::Open(..) | Rejected::Forbidden(..))), "{verdict:?}");

    // With a rank that does not fall: without it, with one that is too low, at the goal already.
    let between = lines.iter().position(|line| *line == "kind between").expect("the second kind");
    let ranked = |line: &&str| line.starts_with("state ") && line.ends_with(" 3:37");
    let place = lines.iter().skip(between).position(ranked).expect("a state with a rank") + between;
    let (before, _) = lines[place].rsplit_once(' ').expect("a rank");
    for rank in ["", " 3:7", " 3:0"] {
        let altered = format!("{before}{rank}");
        let mut other = lines.clone();
        other[place] = &altered;
        let verdict = verify(&other.join("\n"), Policy::RELAY);
        assert!(matches!(verdict, Err(Rejected::Unranked(..))), "{altered}: {verdict:?}");
    }

    // Of a protocol that does other things.
    for rule in Rule::ALL {
        assert!(verify(&text, Policy::RELAY.without(rule)).is_err(), "without {rule}");
    }

    // Cut short.
    let short = &text[..text.len() / 2];
    assert!(verify(short, Policy::RELAY).is_err());
    assert!(matches!(verify("", Policy::RELAY), Err(Rejected::Unreadable(..))));
}
