//! One actor of a live tree, as it is known.

use holdfast_protocol::lock::client::RequestStage;
use holdfast_protocol::policy::WhilePrompt;
use holdfast_protocol::teardown::Teardown;
use holdfast_protocol::{Input, Node, Outbox, Output, RequestId, Signal, Timer};
use holdfast_testkit::Point;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a process is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// The process runs.
    Running,
    /// The process has ended, or is about to and does nothing more.
    Ended,
}

/// One actor, as it is known.
#[derive(Debug)]
pub(super) struct MirroredActor {
    pub(super) pid: u32,
    pub(super) node: Node,
    pub(super) life: Life,
    /// How many requests it has made.
    pub(super) requests: u32,
    /// On which connection it tells.
    pub(super) connection: usize,
    /// The timers that run.
    pub(super) armed: BTreeSet<Timer>,
    /// How much it has sent to each neighbour.
    pub(super) sent: BTreeMap<u32, usize>,
    /// The inputs that it has taken.
    pub(super) inputs: Vec<Input>,
    /// The signals that it is held before.
    pending: Vec<Point>,
    /// Every signal that it was held before.
    held: Vec<Signal>,
}

impl MirroredActor {
    pub(super) fn new(pid: u32, node: Node, connection: usize) -> Self {
        Self {
            pid,
            node,
            life: Life::Running,
            requests: 0,
            connection,
            armed: BTreeSet::new(),
            sent: BTreeMap::new(),
            inputs: Vec::new(),
            pending: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Takes an input. What the actor made of it, it tells.
    pub(super) fn take(&mut self, input: Input) {
        self.inputs.push(input);
        match input {
            Input::Signalled { signal, .. } => {
                self.pending.retain(|point| !is_signal(*point, signal));
            }
            Input::Expired { timer } => {
                self.armed.remove(&timer);
            }
            _ => {}
        }
        self.node.handle(input, &mut Outbox::new());
    }

    /// Has done an output.
    pub(super) fn did(&mut self, output: Output) {
        match output {
            Output::Send { to, .. } => *self.sent.entry(to.0).or_default() += 1,
            Output::Arm { timer } => {
                self.armed.insert(timer);
            }
            Output::Disarm { timer } => {
                self.armed.remove(&timer);
            }
            Output::Requested { .. } => self.requests += 1,
            _ => {}
        }
    }

    /// Is held before an input.
    pub(super) fn hold(&mut self, point: Point) {
        let Point::Signal(signal, _) = point else { return };
        self.held.push(signal);
        // Sent again, it is pending once, and comes from where the first did.
        if self.held_signal(signal).is_none() {
            self.pending.push(point);
        }
    }

    /// Is held no more: what was pending, comes.
    pub(super) fn let_go(&mut self) {
        self.pending.clear();
        self.held.clear();
    }

    /// How many SIGINT it has taken.
    pub(super) fn interrupts(&self) -> usize {
        self.signals().filter(|signal| *signal == Signal::Interrupt).count()
    }

    /// How many SIGINT have reached it, taken or held.
    pub(super) fn interrupted(&self) -> usize {
        let held = self.held.iter().filter(|signal| **signal == Signal::Interrupt).count();
        self.interrupts().max(held)
    }

    /// How many signals of any kind have.
    pub(super) fn signalled(&self) -> usize {
        self.signals().count().max(self.held.len())
    }

    fn signals(&self) -> impl Iterator<Item = Signal> + '_ {
        self.inputs.iter().filter_map(|input| match input {
            Input::Signalled { signal, .. } => Some(*signal),
            _ => None,
        })
    }

    /// How many messages it has read of a neighbour.
    pub(super) fn received(&self, pid: u32) -> usize {
        let of = |input: &&Input| matches!(input, Input::Received { from, .. } if from.0 == pid);
        self.inputs.iter().filter(of).count()
    }

    /// How many inputs it has taken past a point.
    pub(super) fn taken(&self, point: Point) -> usize {
        self.inputs.iter().filter(|input| point.is_before(**input)).count()
    }

    /// The point at which a signal is held.
    pub(super) fn held_signal(&self, signal: Signal) -> Option<Point> {
        self.pending.iter().copied().find(|point| is_signal(*point, signal))
    }

    /// The request whose prompt is open.
    pub(super) fn prompt(&self) -> Option<RequestId> {
        let open = self.node.requests().open().map(|own| own.request);
        open.filter(|_| self.life == Life::Running)
    }

    /// Whether a request of it waits.
    pub(super) fn waits(&self) -> bool {
        self.node.requests().iter().any(|own| own.stage == RequestStage::Waiting)
    }

    /// Whether it was told to end.
    pub(super) fn told(&self) -> bool {
        self.node.teardown() != Teardown::NotAsked
    }

    /// Whether its prompt keeps it from anything but signals.
    pub(super) fn frozen(&self) -> bool {
        self.node.policy().while_prompt == WhilePrompt::Freezes && self.prompt().is_some()
    }
}

fn is_signal(point: Point, signal: Signal) -> bool {
    matches!(point, Point::Signal(held, _) if held == signal)
}
