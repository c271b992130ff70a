//! One actor of a live tree, as it is known.

use holdfast::live::Point;
use holdfast_model::protocol::lock::client::Stage;
use holdfast_model::protocol::policy::{Shield, WhilePrompt};
use holdfast_model::protocol::sigint::Disposition;
use holdfast_model::protocol::teardown::Teardown;
use holdfast_model::protocol::{Input, Node, Outbox, Output, RequestId, Signal, Timer};
use std::collections::{BTreeMap, BTreeSet};

/// Whether a process is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::on_live) enum Life {
    /// It runs.
    Running,
    /// It has ended, or is about to and does nothing more.
    Ended,
}

/// One actor, as it is known.
#[derive(Debug)]
pub(in crate::on_live) struct Member {
    pub(in crate::on_live) pid: u32,
    pub(in crate::on_live) node: Node,
    pub(in crate::on_live) life: Life,
    /// How many SIGINT it has taken.
    pub(in crate::on_live) interrupts: u32,
    /// How many signals of any kind.
    pub(in crate::on_live) signals: u32,
    /// How many requests it has made.
    pub(in crate::on_live) requests: u32,
    /// On which connection it tells.
    pub(in crate::on_live) connection: usize,
    /// The timers that run.
    pub(in crate::on_live) armed: BTreeSet<Timer>,
    /// How much it has sent to each neighbour, and taken from each.
    pub(in crate::on_live) sent: BTreeMap<u32, u32>,
    pub(in crate::on_live) received: BTreeMap<u32, u32>,
    /// The inputs that it has taken.
    pub(in crate::on_live) inputs: Vec<Input>,
    /// The signals that it is held before.
    pending: Vec<Point>,
    /// How many signals it was held before, and how many of them SIGINT.
    held: (u32, u32),
}

impl Member {
    pub(in crate::on_live) fn new(pid: u32, node: Node, connection: usize) -> Self {
        Self {
            pid,
            node,
            life: Life::Running,
            interrupts: 0,
            signals: 0,
            requests: 0,
            connection,
            armed: BTreeSet::new(),
            sent: BTreeMap::new(),
            received: BTreeMap::new(),
            inputs: Vec::new(),
            pending: Vec::new(),
            held: (0, 0),
        }
    }

    /// Takes an input; gives what the protocol makes of it.
    pub(in crate::on_live) fn take(&mut self, input: Input) -> Vec<Output> {
        self.inputs.push(input);
        match input {
            Input::Received { from, .. } => *self.received.entry(from.0).or_default() += 1,
            Input::Signalled { signal, .. } => {
                self.pending.retain(|point| !is_signal(*point, signal));
                self.signals += 1;
                self.interrupts += u32::from(signal == Signal::Interrupt);
            }
            Input::Expired { timer } => {
                self.armed.remove(&timer);
            }
            _ => {}
        }
        let mut outbox = Outbox::new();
        self.node.handle(input, &mut outbox);
        outbox.drain().collect()
    }

    /// Has done an output.
    pub(in crate::on_live) fn did(&mut self, output: Output) {
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
    pub(in crate::on_live) fn hold(&mut self, point: Point) {
        let Point::Signal(signal, _) = point else { return };
        self.held.0 += 1;
        self.held.1 += u32::from(signal == Signal::Interrupt);
        // Sent again, it is pending once, and comes from where the first did.
        if self.held_signal(signal).is_none() {
            self.pending.push(point);
        }
    }

    /// Is held no more: what was pending, comes.
    pub(in crate::on_live) fn let_go(&mut self) {
        self.pending.clear();
        self.held = (0, 0);
    }

    /// How many SIGINT have reached it, taken or held.
    pub(in crate::on_live) fn interrupted(&self) -> u32 {
        self.interrupts.max(self.held.1)
    }

    /// How many signals of any kind have.
    pub(in crate::on_live) fn signalled(&self) -> u32 {
        self.signals.max(self.held.0)
    }

    /// How many inputs it has taken past a point.
    pub(in crate::on_live) fn taken(&self, point: Point) -> usize {
        self.inputs.iter().filter(|input| point.is_before(**input)).count()
    }

    /// The point at which a signal is held.
    pub(in crate::on_live) fn held_signal(&self, signal: Signal) -> Option<Point> {
        self.pending.iter().copied().find(|point| is_signal(*point, signal))
    }

    /// The request whose prompt is open.
    pub(in crate::on_live) fn prompt(&self) -> Option<RequestId> {
        let open = self.node.requests().open().map(|own| own.request);
        open.filter(|_| self.life == Life::Running)
    }

    /// Whether a request of it waits.
    pub(in crate::on_live) fn waits(&self) -> bool {
        self.node.requests().iter().any(|own| own.stage == Stage::Waiting)
    }

    /// Whether it was told to end.
    pub(in crate::on_live) fn told(&self) -> bool {
        self.node.teardown() != Teardown::NotAsked
    }

    /// Whether its prompt keeps it from anything but signals.
    pub(in crate::on_live) fn frozen(&self) -> bool {
        self.node.policy().while_prompt == WhilePrompt::Freezes && self.prompt().is_some()
    }

    /// Whether a SIGINT does nothing.
    pub(in crate::on_live) fn shielded(&self) -> bool {
        self.node.policy().shield == Shield::On && self.node.disposition() == Disposition::Shield
    }
}

fn is_signal(point: Point, signal: Signal) -> bool {
    matches!(point, Point::Signal(held, _) if held == signal)
}
