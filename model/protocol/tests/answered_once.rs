//! Each request of an actor is answered once, whatever else the answer leads to.
//!
//! Runs in `cargo test`. `tests/driver.rs` found the run of this file: a refused post-mortem cancels
//! its actor, and the cancel withdraws the request that was about to be refused next.

use holdfast_protocol::input::Shielding;
use holdfast_protocol::{
    ActorId, Cause, DebugMode, Input, Node, Outbox, Output, Policy, RequestId,
};

#[test]
fn what_a_refused_post_mortem_withdraws_is_not_refused_again() {
    let (root, me) = (ActorId(0), ActorId(1));
    let mut node = Node::below(root, root, me, Policy::RELAY, DebugMode::On);
    let mut outbox = Outbox::new();
    let pause = Input::Pause { shielding: Shielding::Plain };
    for input in [pause, Input::Cancel { cause: Cause::Failed }, pause] {
        node.handle(input, &mut outbox);
    }
    drop(outbox.drain());
    node.handle(Input::LinkEnded { peer: root }, &mut outbox);
    let refused: Vec<u32> = outbox
        .drain()
        .filter_map(|output| match output {
            Output::Refused { request: RequestId { serial, .. } } => Some(serial),
            _ => None,
        })
        .collect();
    assert_eq!(refused, [0, 1, 2]);
}
