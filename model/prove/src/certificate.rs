//! What a proof writes down: for each kind of actor every state, as numbers in tables of text.
//!
//! ```text
//!     holdfast-certificate 1
//!     kind asker
//!     node Node { .. }                 every node in focus, in the order in which they were found
//!     up LinkState { .. } History { .. }        every link to the supervisor
//!     down LinkState { .. } History { .. }      every link to the child
//!     state 0 0 0 0                    node, up, down, and the bits of what is around
//!     end
//! ```
//!
//! States stand in the order of the search, so that whatever a state is made of has come up before
//! it as the start or in a step of an earlier state. [`super::verify`] reads them.

use super::focus::Focus;
use super::search::{Closure, FocusSearch};
use super::side::Side;
use holdfast_protocol::Policy;
use std::fmt::Write as _;

/// The first line.
pub const TITLE: &str = "holdfast-certificate 1";

/// A link as the tables have it.
#[must_use]
pub fn link_text(side: &Side) -> String {
    format!("{:?} {:?}", side.link, side.said)
}

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
        for (side, name) in
            ups.iter().map(|it| (it, "up")).chain(downs.iter().map(|it| (it, "down")))
        {
            let _ = writeln!(text, "{name} {}", link_text(side));
        }
        for [node, up, down, around] in search.numbers() {
            let _ = writeln!(text, "state {node} {up} {down} {around}");
        }
        text.push_str("end\n");
    }
    Some(text)
}
