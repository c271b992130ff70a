//! What a proof writes down: for each kind of actor every state, as numbers in tables of text.
//!
//! ```text
//!     holdfast-certificate 2
//!     kind asker
//!     node Node { .. }                 every node in focus, in the order in which they were found
//!     link (LinkState { .. }, History { .. })   every link: to the supervisor, to the child
//!     state 0 0 1 0                    node, link above, link below, the bits of what is around
//!     end
//! ```
//!
//! States stand in the order of the search, so that whatever a state is made of has come up before
//! it as the start or in a step of an earlier state. [`super::verify`] reads them.

use super::focus::Focus;
use super::search::{Closure, FocusSearch};
use holdfast_protocol::Policy;
use std::collections::HashMap;
use std::fmt::Write as _;

/// The first line.
pub const TITLE: &str = "holdfast-certificate 2";

/// Explores every kind of actor and writes down all states; none if one does not close.
#[must_use]
pub fn certificate(
    policy: Policy,
    mut progress: impl FnMut(Focus, usize) -> std::ops::ControlFlow<()>,
) -> Option<String> {
    let mut text = format!("{TITLE}\n");
    for focus in Focus::ALL {
        let mut search = FocusSearch::new(focus, policy);
        if search.run(|states| progress(focus, states)) != Closure::Closed {
            return None;
        }
        let _ = writeln!(text, "kind {focus}");
        let (nodes, ups, downs) = search.tables();
        for node in nodes {
            let _ = writeln!(text, "node {node:?}");
        }
        // A link above and one below may be the same value: it stands in the table once.
        let mut links: HashMap<String, usize> = HashMap::new();
        let mut numbers = Vec::new();
        for side in ups.iter().chain(downs) {
            let link = format!("{:?}", (&side.link, &side.said));
            let next = links.len();
            let number = *links.entry(link.clone()).or_insert(next);
            if number == next {
                let _ = writeln!(text, "link {link}");
            }
            numbers.push(number);
        }
        for [node, up, down, around] in search.numbers() {
            let (up, down) = (numbers[usize::from(up)], numbers[ups.len() + usize::from(down)]);
            let _ = writeln!(text, "state {node} {up} {down} {around}");
        }
        text.push_str("end\n");
    }
    Some(text)
}
