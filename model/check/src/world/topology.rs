//! Who is linked to whom: what follows from a [`Config`] and stays fixed.

use super::component::Component;
use super::config::Config;
use super::link::LinkEnd;
use holdfast_protocol::policy::Route;
use holdfast_protocol::{ActorId, Node, Renaming};

/// A config and its links.
#[derive(Clone, Debug)]
pub struct Topology {
    config: Config,
    /// The upper and the lower actor of each link.
    links: Vec<(ActorId, ActorId)>,
}

impl Topology {
    /// Lays the links: one from each actor to its supervisor and, where requests go straight to
    /// the root, one from each deeper actor to the root.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let tree = &config.tree;
        let mut links: Vec<_> =
            tree.ids().filter_map(|id| tree.supervisor(id).map(|above| (above, id))).collect();
        if config.policy.route == Route::Direct {
            links.extend(tree.ids().filter(|id| tree.depth(*id) > 1).map(|id| (ActorId(0), id)));
        }
        Self { config, links }
    }

    /// What it was made from.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> ActorId {
        ActorId(0)
    }

    /// All actors.
    pub fn actors(&self) -> impl Iterator<Item = ActorId> + use<> {
        self.config.tree.ids()
    }

    /// The upper and the lower actor of each link, by number.
    #[must_use]
    pub fn links(&self) -> &[(ActorId, ActorId)] {
        &self.links
    }

    /// The link between two actors, and which end the first of them is.
    ///
    /// # Panics
    /// If there is none: the protocol sent to somebody who is not a neighbour.
    #[must_use]
    pub fn link(&self, one: ActorId, other: ActorId) -> (u8, LinkEnd) {
        let find = |ends| self.links.iter().position(|link| *link == ends);
        match (find((one, other)), find((other, one))) {
            (Some(link), _) => (link as u8, LinkEnd::Upper),
            (None, Some(link)) => (link as u8, LinkEnd::Lower),
            (None, None) => panic!("no link between {} and {}", one.0, other.0),
        }
    }

    /// The number of the link from an actor to its supervisor.
    #[must_use]
    pub fn link_up(&self, actor: ActorId) -> Option<u8> {
        let above = self.config.tree.supervisor(actor)?;
        Some(self.link(actor, above).0)
    }

    /// All links of an actor, and which end of each it is.
    pub fn links_of(&self, actor: ActorId) -> impl Iterator<Item = (u8, LinkEnd)> + '_ {
        self.links.iter().enumerate().filter_map(move |(link, (upper, lower))| {
            if *upper == actor {
                Some((link as u8, LinkEnd::Upper))
            } else if *lower == actor {
                Some((link as u8, LinkEnd::Lower))
            } else {
                None
            }
        })
    }

    /// Whose parent a process may be. The root adopts, so it may be anybody's.
    pub fn may_lose_parent(&self, dead: ActorId) -> impl Iterator<Item = ActorId> + '_ {
        let tree = &self.config.tree;
        self.actors().filter(move |id| {
            *id != dead && (dead == self.root() || tree.supervisor(*id) == Some(dead))
        })
    }

    /// The node of an actor as it starts.
    #[must_use]
    pub fn node(&self, actor: ActorId) -> Node {
        let (policy, debug) = (self.config.policy, self.config.debug[actor.index()]);
        match self.config.tree.supervisor(actor) {
            None => Node::root(actor, policy, debug),
            Some(supervisor) => Node::below(supervisor, self.root(), actor, policy, debug),
        }
    }

    /// How many components there are: actors, links, the shared environment.
    #[must_use]
    pub fn components(&self) -> usize {
        self.config.tree.len() + self.links.len() + 1
    }

    /// The place of a component in a table of all components.
    #[must_use]
    pub fn slot(&self, component: Component) -> usize {
        match component {
            Component::Actor(id) => id.index(),
            Component::Link(link) => self.config.tree.len() + usize::from(link),
            Component::SharedEnvironment => self.components() - 1,
        }
    }

    /// The component at a place.
    #[must_use]
    pub fn component(&self, slot: usize) -> Component {
        let actors = self.config.tree.len();
        if slot < actors {
            Component::Actor(ActorId(slot as u32))
        } else if slot < self.components() - 1 {
            Component::Link((slot - actors) as u8)
        } else {
            Component::SharedEnvironment
        }
    }

    /// Where a renaming moves a component.
    #[must_use]
    pub fn renamed(&self, component: Component, by: &Renaming) -> Component {
        match component {
            Component::Actor(id) => Component::Actor(by.actor(id)),
            Component::Link(link) => {
                let (upper, lower) = self.links[usize::from(link)];
                Component::Link(self.link(by.actor(upper), by.actor(lower)).0)
            }
            Component::SharedEnvironment => Component::SharedEnvironment,
        }
    }
}
