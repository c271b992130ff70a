//! A person at a prompt: what reaches the screen, and what a Ctrl-C, a signal or a death does to it.

use crate::support::{PLACEMENTS, Tested, ends, grow, resumed};
use holdfast::live::orders::Resumption;
use holdfast::live::{Event, Exit, Growth, Order, PATIENCE, Process};
use holdfast::protocol::Shielding;
use holdfast::{Placement, PolicyName};

const DEPTHS: [(&str, &str); 4] = [
    ("root(sib)", "root"),
    ("root(leaf,sib)", "leaf"),
    ("root(mid(leaf),sib)", "leaf"),
    ("root(a(mid(leaf)),sib)", "leaf"),
];

fn breakpoint(id: u32) -> Order {
    Order::Breakpoint { id, shielding: Shielding::Plain }
}

#[test]
fn ctrl_c_at_the_prompt_disturbs_nobody_at_any_depth() -> Tested {
    for (shape, holder) in DEPTHS {
        for placement in PLACEMENTS {
            let mut tree = grow(Growth::of(shape)?.placement(placement))?;
            tree.order(holder, breakpoint(1))?;
            tree.wait_prompt(holder)?;
            for _ in 0..20 {
                tree.stage.ctrl_c()?;
            }
            tree.stage.wait_text("Ctrl-C is ignored")?;
            tree.stage.type_line("print id")?;
            tree.stage.wait_text("id = 1")?;
            tree.stage.type_line("continue")?;
            resumed(&mut tree, holder, 1, Resumption::Continue)?;
            for name in ["sib", "root"] {
                tree.order(name, Order::Ping { id: 7 })?;
                tree.actor(name)?.wait_for(&Event::Pong { id: 7 })?;
            }
            tree.stage.ctrl_c()?;
            ends(&tree, Exit::Code(130))?;
        }
    }
    Ok(())
}

#[test]
fn under_single_depth_a_ctrl_c_kills_a_grandchild_at_its_prompt() -> Tested {
    let growth = Growth::of("root(mid(leaf))")?
        .policy(PolicyName::SingleDepth)
        .placement(Placement::SharedGroup)
        .grace_ms(300);
    let mut tree = grow(growth)?;
    tree.order("leaf", breakpoint(1))?;
    tree.wait_prompt("leaf")?;
    let leaf = Process::read(tree.actor("leaf")?.pid())?;
    tree.stage.ctrl_c()?;
    leaf.wait_end(PATIENCE)?;
    Ok(())
}
