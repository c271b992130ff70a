//! The driver: one input in, each output performed, in order. No decision is made here.
//!
//! ```text
//!     source --> Event --> Hands::take --> Input --> Node::handle --> Output --> Hands::perform
//!                                            ^                                        |
//!                                            +------------- follow-ups --------------+
//! ```
//!
//! The node is [`holdfast_model::protocol`], the very code that the checker explores. What performs
//! its outputs is a [`Hands`]: the operating system in a live actor, a simulation in a check.

use holdfast_model::protocol::{Input, Node, Outbox, Output};
use std::collections::VecDeque;

/// What performs the outputs of a node.
pub trait Hands {
    /// Performs one output. What happens to the node at once because of it is appended to `follow`.
    fn perform(&mut self, output: Output, follow: &mut VecDeque<Input>);

    /// Is told of every input and what came of it, before the outputs are performed.
    fn handled(&mut self, input: Input, outputs: &[Output]) {
        let _ = (input, outputs);
    }
}

/// One actor: its node and what performs for it.
#[derive(Debug)]
pub struct Driver<H> {
    node: Node,
    hands: H,
    outbox: Outbox,
    follow: VecDeque<Input>,
}

impl<H: Hands> Driver<H> {
    /// Puts the two together.
    pub fn new(node: Node, hands: H) -> Self {
        Self { node, hands, outbox: Outbox::new(), follow: VecDeque::new() }
    }

    /// The node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// What performs.
    pub fn hands(&self) -> &H {
        &self.hands
    }

    /// What performs, to be changed.
    pub fn hands_mut(&mut self) -> &mut H {
        &mut self.hands
    }

    /// Lets the node take an input, and performs all that follows.
    pub fn feed(&mut self, input: Input) {
        self.follow.push_back(input);
        while let Some(input) = self.follow.pop_front() {
            self.node.handle(input, &mut self.outbox);
            let outputs: Vec<Output> = self.outbox.drain().collect();
            self.hands.handled(input, &outputs);
            for output in outputs {
                self.hands.perform(output, &mut self.follow);
            }
        }
    }
}
