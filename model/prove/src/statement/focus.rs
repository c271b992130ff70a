//! What is in focus: one request, one actor on its path, and the names around it.
//!
//! A configuration of a tree is seen through one request `r` and one actor `n` on the path from
//! the one that asked to the root. A tree becomes a chain of three: above, `n`, below.

use holdfast_protocol::{ActorId, DebugMode, Node, Policy, RequestId, named};

/// The root, if it is not above `n`.
pub const ROOT: ActorId = ActorId(0);
/// `n`, if it is not the root.
pub const MIDDLE: ActorId = ActorId(1);
/// The child of `n` on the path.
pub const CHILD: ActorId = ActorId(2);
/// The one that asked, if it is deeper.
pub const DEEPER: ActorId = ActorId(3);
/// An orphan that the root adopted.
pub const ORPHAN: ActorId = ActorId(4);
/// The supervisor of `n`.
pub const ABOVE: ActorId = ActorId(10);
/// A child of `n` that is not on the path.
pub const OFF: ActorId = ActorId(20);
/// Another one.
pub const OFF_TOO: ActorId = ActorId(21);

/// A request that came through [`OFF`], and the name of any other owner of the lock.
pub const OTHER: RequestId = RequestId { actor: ActorId(30), serial: 0 };

/// The name of any other request of the actor in focus that owns the lock.
pub const MINE: RequestId = RequestId { actor: ActorId(32), serial: 0 };

/// The kinds of actor in focus. Together they are every running actor beside every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Focus {
    /// Below the root; it asked.
    Asker,
    /// Below the root; its child asked, or nobody did.
    Between,
    /// Below the root; somebody deeper than its child asked.
    BetweenDeeper,
    /// The root; its child asked, or nobody did.
    Root,
    /// The root; somebody deeper than its child asked.
    RootDeeper,
    /// The root; it asked.
    RootAsker,
    /// The root beside an orphan that it adopted, whoever asked.
    RootOrphan,
}

named! {
    Focus, "a kind of actor":
    Asker => "asker",
    Between => "between",
    BetweenDeeper => "between-deeper",
    Root => "root",
    RootDeeper => "root-deeper",
    RootAsker => "root-asker",
    RootOrphan => "root-orphan",
}

impl Focus {
    /// Whether `n` is the root.
    #[must_use]
    pub fn is_root(self) -> bool {
        match self {
            Self::Root | Self::RootDeeper | Self::RootAsker | Self::RootOrphan => true,
            Self::Asker | Self::Between | Self::BetweenDeeper => false,
        }
    }

    /// Whether `n` asked for `r`.
    #[must_use]
    pub fn asks(self) -> bool {
        matches!(self, Self::Asker | Self::RootAsker)
    }

    /// Whether a child of `n` is on the path.
    #[must_use]
    pub fn has_child(self) -> bool {
        matches!(self, Self::Between | Self::BetweenDeeper | Self::Root | Self::RootDeeper)
    }

    /// The name of `n`.
    #[must_use]
    pub fn me(self) -> ActorId {
        if self.is_root() { ROOT } else { MIDDLE }
    }

    /// The name of `r`.
    #[must_use]
    pub fn request(self) -> RequestId {
        let actor = match self {
            Self::Asker | Self::RootAsker => self.me(),
            Self::Between | Self::Root => CHILD,
            Self::BetweenDeeper | Self::RootDeeper | Self::RootOrphan => DEEPER,
        };
        RequestId { actor, serial: 0 }
    }

    /// The children in focus.
    #[must_use]
    pub fn kids(self) -> &'static [ActorId] {
        match self {
            Self::Asker | Self::RootAsker => &[],
            Self::Between | Self::BetweenDeeper | Self::Root | Self::RootDeeper => &[CHILD],
            Self::RootOrphan => &[ORPHAN],
        }
    }

    /// How `n` begins.
    #[must_use]
    pub fn start(self, policy: Policy, debug: DebugMode) -> Node {
        let node = if self.is_root() {
            Node::root(ROOT, policy, debug)
        } else {
            Node::below(ABOVE, ROOT, MIDDLE, policy, debug)
        };
        self.project(&node)
    }

    /// The part of a node, under these names, that is in focus.
    #[must_use]
    pub fn project(self, node: &Node) -> Node {
        node.in_focus(self.request(), self.kids(), (MINE, OTHER))
    }
}
