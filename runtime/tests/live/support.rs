//! What every test of a live tree needs.

use holdfast::Placement;
use holdfast::live::orders::Resumption;
use holdfast::live::tree::Result;
use holdfast::live::{Event, Exit, Grown, Growth, Process};
use std::path::Path;
use std::process::Command;

/// What a test returns.
pub(crate) type Tested = Result<()>;

/// Both placements: what holds must hold in each.
pub(crate) const PLACEMENTS: [Placement; 2] = [Placement::OwnSession, Placement::SharedGroup];

/// The pause of that number in an actor ends like this.
///
/// # Errors
/// It does not end in time, or otherwise.
pub(crate) fn resumed(tree: &mut Grown, name: &str, id: u32, how: Resumption) -> Tested {
    Ok(tree.actor(name)?.wait_for(&Event::Resumed { id, how })?)
}

/// Grows a tree of puppets.
///
/// # Errors
/// Something did not happen in time.
pub(crate) fn grow(growth: Growth) -> Result<Grown> {
    let nanny = Command::new(env!("CARGO_BIN_EXE_holdfast-nanny"));
    growth.grow(nanny, Path::new(env!("CARGO_BIN_EXE_holdfast-actor")))
}

/// The tree ends like this, leaves nobody behind, and the terminal is as it was.
///
/// # Errors
/// It does not end in time.
///
/// # Panics
/// It ends otherwise.
pub(crate) fn ends(tree: &Grown, exit: Exit) -> Tested {
    assert_eq!(tree.stage.exit()?, exit, "{}", tree.stage.dump());
    assert_eq!(tree.stage.leftovers()?, Vec::<Process>::new(), "nobody is left");
    assert_eq!(tree.stage.modes()?, tree.modes, "the terminal's modes are what they were");
    Ok(())
}
