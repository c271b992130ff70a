//! What every test of a live tree needs.

use holdfast::Placement;
use holdfast::protocol::Shielding;
use holdfast_testkit::control::Resumption;
use holdfast_testkit::tree::Result;
use holdfast_testkit::{
    ActorEvent, Instruction, ProcessEnd, ProcessInfo, TestTree, TestTreeBuilder,
};
use std::path::Path;
use std::process::Command;

/// What a test returns.
pub(crate) type Tested = Result<()>;

/// Both placements: what holds must hold in each.
pub(crate) const PLACEMENTS: [Placement; 2] = [Placement::OwnSession, Placement::SharedGroup];

/// A tree with a `leaf` at some depth, and a bystander.
pub(crate) struct Depth {
    pub(crate) shape: &'static str,
    /// The actors above the leaf, the root first.
    pub(crate) above: &'static [&'static str],
}

impl Depth {
    /// All actors, supervisors first.
    pub(crate) fn actors(&self) -> Vec<&'static str> {
        [self.above, &["leaf", "sib"]].concat()
    }
}

/// Depth 1, 2 and 3.
pub(crate) const DEPTHS: [Depth; 3] = [
    Depth { shape: "root(leaf,sib)", above: &["root"] },
    Depth { shape: "root(mid(leaf),sib)", above: &["root", "mid"] },
    Depth { shape: "root(a(mid(leaf)),sib)", above: &["root", "a", "mid"] },
];

/// A tree at each depth and with each placement, to be tested by the same code.
///
/// # Errors
/// The first that fails.
pub(crate) fn everywhere(
    change: impl Fn(TestTreeBuilder) -> TestTreeBuilder,
    test: impl Fn(TestTree, &Depth) -> Tested,
) -> Tested {
    for depth in &DEPTHS {
        for placement in PLACEMENTS {
            let growth = change(TestTreeBuilder::of(depth.shape)?.placement(placement));
            let tree = grow(growth)?;
            let failed = |error| format!("{} {placement:?}: {error}", depth.shape);
            test(tree, depth).map_err(failed)?;
        }
    }
    Ok(())
}

/// A task hits a breakpoint.
pub(crate) fn breakpoint(id: u32) -> Instruction {
    Instruction::Breakpoint { id, shielding: Shielding::Plain }
}

/// A thread hits one that no cancel withdraws.
pub(crate) fn shielded(id: u32) -> Instruction {
    Instruction::SyncBreakpoint { id, shielding: Shielding::Shielded }
}

/// An actor opens its prompt.
///
/// # Errors
/// The wait times out.
pub(crate) fn open(tree: &mut TestTree, name: &str, id: u32) -> Tested {
    tree.instruct(name, breakpoint(id))?;
    tree.wait_prompt(name)
}

/// The prompt of a pause of that number is alive: it answers.
///
/// # Errors
/// The wait times out.
pub(crate) fn answers(tree: &TestTree, id: u32) -> Tested {
    tree.stage.type_line("print id")?;
    Ok(tree.stage.wait_output(&format!("id\x1b[0m = {id}\r\n"))?)
}

/// The person lets an open pause go on.
///
/// # Errors
/// The wait times out.
pub(crate) fn go_on(tree: &mut TestTree, name: &str, id: u32) -> Tested {
    tree.stage.type_line("continue")?;
    resumed(tree, name, id, Resumption::Continue)
}

/// The pause of that number in an actor ends like this.
///
/// # Errors
/// The wait times out, or the pause ends in another way.
pub(crate) fn resumed(tree: &mut TestTree, name: &str, id: u32, how: Resumption) -> Tested {
    Ok(tree.actor(name)?.wait_for(&ActorEvent::Resumed { id, how })?)
}

/// A supervisor has reaped a child.
///
/// # Errors
/// The wait times out.
pub(crate) fn reaped(tree: &mut TestTree, supervisor: &str, name: &str) -> Tested {
    Ok(tree.actor(supervisor)?.wait_for(&ActorEvent::Reaped { name: name.to_owned() })?)
}

/// With no prompt in the way, a Ctrl-C ends the tree.
///
/// # Errors
/// The wait times out.
pub(crate) fn ctrl_c_ends(tree: &mut TestTree) -> Tested {
    tree.wait_quiet()?;
    tree.stage.ctrl_c()?;
    ends(tree, ProcessEnd::Code(130))
}

/// Grows a tree of test actors.
///
/// # Errors
/// Something did not happen in time.
pub(crate) fn grow(growth: TestTreeBuilder) -> Result<TestTree> {
    let shim = Command::new(env!("CARGO_BIN_EXE_holdfast-shim"));
    growth.grow(shim, Path::new(env!("CARGO_BIN_EXE_holdfast-test-actor")))
}

/// The tree ends like this, leaves nobody behind, and the terminal is as it was.
///
/// # Errors
/// The wait times out.
///
/// # Panics
/// The tree ends in another way.
pub(crate) fn ends(tree: &TestTree, exit: ProcessEnd) -> Tested {
    leaves_nobody(tree, exit)?;
    assert_eq!(tree.stage.modes()?, tree.modes, "the terminal's modes are what they were");
    Ok(())
}

/// The same, where there is no terminal any longer.
///
/// # Errors
/// The wait times out.
///
/// # Panics
/// The tree ends in another way.
pub(crate) fn leaves_nobody(tree: &TestTree, exit: ProcessEnd) -> Tested {
    assert_eq!(tree.stage.exit()?, exit, "{}", tree.stage.dump());
    assert_eq!(tree.stage.leftovers()?, Vec::<ProcessInfo>::new(), "nobody is left");
    Ok(())
}
