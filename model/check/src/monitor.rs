//! The contract of a link, watched on every link of a run.
//!
//! Fed with the observations of each step, in order; it keeps one [`LinkMonitor`] a link. Only the
//! relay keeps the contract, so a run under another route is not watched.

use crate::world::{Observation, Topology};
use holdfast_protocol::contract::{Breach, LinkEnd, LinkMonitor};
use holdfast_protocol::policy::Route;
use holdfast_protocol::{ActorId, Message, Output};
use std::collections::BTreeMap;
use thiserror::Error;

/// A breach, and where it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("between {} and {}: {breach}", upper.0, lower.0)]
pub struct LinkBreach {
    /// The upper end.
    pub upper: ActorId,
    /// The lower end.
    pub lower: ActorId,
    /// What was said.
    pub breach: Breach,
}

/// The monitors of all links of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeMonitor {
    links: BTreeMap<(ActorId, ActorId), LinkMonitor>,
}

impl TreeMonitor {
    /// Takes what was observed on one step.
    ///
    /// # Errors
    /// The first breach.
    pub fn observe(
        &mut self,
        topology: &Topology,
        observed: &[Observation],
    ) -> Result<(), LinkBreach> {
        for what in observed {
            match *what {
                Observation::Output { actor, output: Output::Send { to, message } } => {
                    self.says(topology, actor, to, message)?;
                }
                Observation::Delivered { from, to, message } => {
                    self.hears(topology, from, to, message);
                }
                Observation::Output { .. }
                | Observation::EndRead { .. }
                | Observation::Took { .. }
                | Observation::Died { .. } => {}
            }
        }
        Ok(())
    }

    /// One actor sends a message to another.
    ///
    /// # Errors
    /// If the contract of their link forbids it.
    pub fn says(
        &mut self,
        topology: &Topology,
        from: ActorId,
        to: ActorId,
        message: Message,
    ) -> Result<(), LinkBreach> {
        if topology.config().policy.route == Route::Direct {
            return Ok(());
        }
        let (upper, lower, end) = ends(topology, from, to);
        let link = self.links.entry((upper, lower)).or_default();
        link.says(end, message).map_err(|breach| LinkBreach { upper, lower, breach })
    }

    /// The other actor reads it.
    pub fn hears(&mut self, topology: &Topology, from: ActorId, to: ActorId, message: Message) {
        let (upper, lower, _) = ends(topology, from, to);
        self.links.entry((upper, lower)).or_default().hears(message);
    }
}

/// The link between two actors, and which end of it the first is.
fn ends(topology: &Topology, from: ActorId, to: ActorId) -> (ActorId, ActorId, LinkEnd) {
    if topology.config().tree.supervisor(from) == Some(to) {
        (to, from, LinkEnd::Lower)
    } else {
        (from, to, LinkEnd::Upper)
    }
}
