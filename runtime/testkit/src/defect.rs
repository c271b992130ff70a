//! What test actors get wrong on purpose, so that a test sees whether somebody notices.
//!
//! A defect of the library would show in the same place: nothing here is known to what judges a run.

use holdfast_protocol::named;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use std::fs::File;

/// The variable that names the defect of a tree of test actors.
pub(crate) const VARIABLE: &str = "HOLDFAST_TEST_DEFECT";

/// What test actors get wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestDefect {
    /// The root ends and leaves the terminal in the modes of a prompt.
    TerminalLeftRaw,
}

named! {
    TestDefect, "a defect of test actors":
    TerminalLeftRaw => "terminal-left-raw",
}

/// The program is about to end.
#[expect(clippy::panic, reason = "a tree without the defect that it should have is not a test")]
pub(crate) fn at_the_end() {
    let Ok(name) = std::env::var(VARIABLE) else { return };
    match name.parse().unwrap_or_else(|error| panic!("{VARIABLE}: {error}")) {
        TestDefect::TerminalLeftRaw => leave_terminal_raw(),
    }
}

/// In a session of its own an actor below the root has no terminal to leave.
fn leave_terminal_raw() {
    let Ok(terminal) = File::options().read(true).write(true).open("/dev/tty") else { return };
    let Ok(mut modes) = tcgetattr(&terminal) else { return };
    cfmakeraw(&mut modes);
    let _ = tcsetattr(&terminal, SetArg::TCSANOW, &modes);
}
