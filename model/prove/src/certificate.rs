//! What a proof writes down: for each kind of actor every state, as numbers in tables of text.
//!
//! ```text
//!     holdfast-certificate 3
//!     kind asker
//!     node Node { .. }                 every node in focus, in the order in which they were found
//!     up Side { .. }                   every link to the supervisor
//!     down Side { .. }                 every link to the child
//!     state 0 0 1 0 1:10 2:5           node, link above, link below, the bits of what is around,
//!     end                              and for claims about the end its rank on the way to the goal
//! ```
//!
//! States stand in the order of the search, so that whatever a state is made of has come up before
//! it as the start or in a step of an earlier state. [`super::verify`] reads them.

use super::focus::Focus;
use super::search::{Closure, FocusSearch};
use holdfast_protocol::Policy;
use std::fmt::Write as _;

/// The first line.
pub const TITLE: &str = "holdfast-certificate 3";

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
        for (name, sides) in [("up", ups), ("down", downs)] {
            for side in sides {
                let _ = writeln!(text, "{name} {side:?}");
            }
        }
        for ([node, up, down, around], ranks) in search.numbers() {
            let _ = write!(text, "state {node} {up} {down} {around}");
            for (claim, rank) in ranks.iter().enumerate() {
                if let Some(rank) = rank {
                    let _ = write!(text, " {claim}:{rank}");
                }
            }
            text.push('\n');
        }
        text.push_str("end\n");
    }
    Some(text)
}
