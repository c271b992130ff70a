//! Placement: which processes of a tree the terminal's own signals reach.

use crate::named;

/// Who is in the terminal's foreground process group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placement {
    /// Each actor but the root has a session of its own: a Ctrl-C reaches the root alone.
    OwnSession,
    /// Everybody: a Ctrl-C reaches all.
    SharedGroup,
}

named! {
    Placement, "a placement":
    OwnSession => "own-session",
    SharedGroup => "shared-group",
}
