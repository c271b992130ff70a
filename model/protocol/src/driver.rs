//! The driver: one input in, each output performed, in order. No decision is made here.
//!
//! ```text
//!     source --> Event --> Hands::take --> Input --> Node::handle --> Output --> Hands::perform
//!                                            ^                                        |
//!                                            +------------- follow-ups --------------+
//! ```
//!
//! Runs in every live actor, and in every actor of `driven`: the same code. What performs
//! the outputs is a [`Hands`]: the operating system there, a simulation here.
//!
//! # Rules
//! 1. The outputs of one input are performed, in order, before the next input is handled. What
//!    others do meanwhile falls between any two of them. Explored by `tests/driver.rs`.
//! 2. What an output leads to at once follows before anything else does.

use crate::{Input, Node, Outbox, Output};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// What performs the outputs of a node.
pub trait Hands {
    /// Performs one output. What happens to the node at once because of it is appended to `follow`.
    fn perform(&mut self, output: Output, follow: &mut VecDeque<Input>);

    /// Is told of every input, the node behind it and what came of it, before the outputs are
    /// performed.
    fn handled(&mut self, node: &Node, input: Input, outputs: &[Output]) {
        let _ = (node, input, outputs);
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
            self.hands.handled(&self.node, input, &outputs);
            for output in outputs {
                self.hands.perform(output, &mut self.follow);
            }
        }
    }
}
