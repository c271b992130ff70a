//! The exit codes of a tree, and of each actor in it.
//!
//! | code | meaning |
//! |---|---|
//! | the program's own | the root's function returned |
//! | 1 | the root, or an actor below it, failed |
//! | 2 | the tree could not be set up: arguments, environment, the operating system |
//! | 124 | a deadline of the root passed (as timeout(1)) |
//! | 125 | the root was cancelled: by its own code, or by `stop` at a prompt |
//! | 130 | a Ctrl-C (or SIGINT) cancelled the tree |
//! | 129, 131, 143 | SIGHUP, SIGQUIT, SIGTERM stopped the tree |
//!
//! An actor below the root ends with the same codes; 0 where its function returned.

use crate::process::ProcessEnd;
use holdfast_protocol::{Cause, Signal, Status};

/// An actor failed.
pub(crate) const FAILED: u8 = 1;
/// The tree could not be set up.
pub(crate) const SETUP: u8 = 2;
const DEADLINE: u8 = 124;
const CANCELLED: u8 = 125;

pub(crate) fn of_signal(signal: Signal) -> u8 {
    128 + match signal {
        Signal::Hangup => 1,
        Signal::Interrupt => 2,
        Signal::Quit => 3,
        Signal::Terminate => 15,
    }
}

/// The code of an actor that ends for this cause. `stopped` is the signal that told it to stop.
pub(crate) fn code(status: Status, cause: Cause, stopped: Option<Signal>) -> u8 {
    let stopped = stopped.unwrap_or(Signal::Terminate);
    match (status, cause) {
        (Status::Finished, _) => 0,
        (Status::Failed, _) => FAILED,
        (Status::Killed, _) | (Status::Cancelled, Cause::Stopped) => of_signal(stopped),
        (Status::Cancelled, Cause::Interrupted) => of_signal(Signal::Interrupt),
        (Status::Cancelled, Cause::Deadline) => DEADLINE,
        (
            Status::Cancelled,
            Cause::Requested
            | Cause::Orphaned
            | Cause::Finished
            | Cause::Failed
            | Cause::ChildFailed,
        ) => CANCELLED,
    }
}

/// How the end of an actor's process is understood.
pub(crate) fn status_of_actor(ended: ProcessEnd) -> Status {
    match ended {
        ProcessEnd::Signal(_) => Status::Killed,
        ProcessEnd::Code(0) => Status::Finished,
        ProcessEnd::Code(code) if [CANCELLED, DEADLINE].map(i32::from).contains(&code) => {
            Status::Cancelled
        }
        // Told to end by a signal, and obeyed in an orderly way.
        ProcessEnd::Code(129 | 130 | 131 | 143) => Status::Cancelled,
        ProcessEnd::Code(_) | ProcessEnd::Unknown => Status::Failed,
    }
}

/// How the end of a foreign program is understood.
pub(crate) fn status_of_foreign(ended: ProcessEnd) -> Status {
    match ended {
        ProcessEnd::Signal(_) => Status::Killed,
        ProcessEnd::Code(0) => Status::Finished,
        ProcessEnd::Code(_) | ProcessEnd::Unknown => Status::Failed,
    }
}
