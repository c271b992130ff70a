//! Named places in the boot of an actor at which a test can hold it, to force an interleaving.
//!
//! A place that nobody has named in [`VARIABLE`] costs one look at a table.
//!
//! | in `HOLDFAST_TEST_POINTS` | holds | until |
//! |---|---|---|
//! | `starting` | every actor below the root before it does anything: it does not know its name yet | [`Instruction::Boot`] to `starting@PID` |
//! | `booting@root/mid` | the actor of that path: it knows who it is, and has not said that it is ready | [`Instruction::Boot`] to `booting@root/mid` |
//! | `every-input` | every actor before each of its inputs | what [`crate::gate`] says |
//!
//! An actor that is held says so by its hello: the name that the last column has.

use crate::control::{ControlClient, Instruction};

/// The variable that names the places.
pub const VARIABLE: &str = "HOLDFAST_TEST_POINTS";

/// Whether a test has named this place.
pub(crate) fn wants(place: &str) -> bool {
    let named = std::env::var(VARIABLE).unwrap_or_default();
    named.split(',').any(|one| one == place)
}

/// What holds every actor below the root as it starts.
pub const STARTING: &str = "starting";

/// A child is about to start: waits if a test has asked it to.
pub(crate) fn starting() {
    if wants(STARTING) {
        wait_at(&starting_at(std::process::id()));
    }
}

/// The hello of a process that is held as it starts.
#[must_use]
pub fn starting_at(pid: u32) -> String {
    format!("{STARTING}@{pid}")
}

/// A child knows who it is, and has not said that it is ready: waits if a test has asked it to.
pub(crate) fn booting(actor: &str) {
    let here = format!("booting@{actor}");
    if wants(&here) {
        wait_at(&here);
    }
}

fn wait_at(place: &str) {
    let Ok(Some(mut client)) = ControlClient::connect_from_env() else { return };
    let _ = client.hello(place);
    while let Ok(Some(instruction)) = client.recv() {
        if instruction == (Instruction::Boot {}) {
            return;
        }
    }
}
