//! The side channel to the actors of a live tree: instructions go down, events come up.
//!
//! The test listens on a Unix socket whose path stands in [`VARIABLE`]; every actor connects when it
//! starts and says [`ActorEvent::Hello`]. Both sides send lines of JSON. The channel is beside the
//! protocol on purpose: it works while an actor is stuck, cut off or stopped at a prompt.
//!
//! ```text
//!     ControlServer (test)                          ControlClient (one in each actor)
//!       wait_actor         <----- Hello -------       connect
//!       ActorHandle::send  --- Instruction --->       recv
//!       ActorHandle::wait  <--- ActorEvent ----       EventSender::send
//!       gone               <--- end of file ---       the process ended
//! ```
//!
//! # Rules
//! 1. The events of one actor are in its order; across actors, in the order in which they came.
//! 2. What an instruction leads to carries the number or the name that the instruction gave.

mod client;
mod server;

pub use client::{ControlClient, EventSender};
pub use server::{ActorHandle, ControlEntry, ControlError, ControlLine, ControlServer};

use holdfast::probe::Point;
use holdfast_protocol::{Input, Output, Shielding};
use serde::{Deserialize, Serialize};

/// The environment variable that leads an actor to the test's socket.
pub const VARIABLE: &str = "HOLDFAST_TEST_CONTROL";

/// What an actor is told to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, tag = "do")]
pub enum Instruction {
    /// Start a child.
    Spawn {
        /// Its name.
        name: String,
    },
    /// Boot now; to an actor that is held as it starts or boots ([`crate::points`]).
    Boot {},
    /// A task hits a breakpoint.
    Breakpoint {
        /// The number of the request in [`ActorEvent::Asked`] and [`ActorEvent::Resumed`].
        id: u32,
        /// Whether a cancel withdraws it.
        shielding: Shielding,
    },
    /// A plain thread hits a breakpoint; so it does even where the scope was told to end.
    SyncBreakpoint {
        /// As with `breakpoint`.
        id: u32,
        /// As with `breakpoint`.
        shielding: Shielding,
    },
    /// Two tasks hit a breakpoint at once.
    TwoBreakpoints {
        /// As with `breakpoint`.
        ids: [u32; 2],
    },
    /// A task hits a breakpoint with a value whose `Debug` hits another one.
    NestedBreakpoint {
        /// As with `breakpoint`: the outer one, the one within.
        ids: [u32; 2],
    },
    /// A task hits a breakpoint with this value beside `id`, shown as it stands.
    Show {
        /// As with `breakpoint`.
        id: u32,
        /// The name of the value.
        name: String,
        /// Its text.
        text: String,
    },
    /// Start a foreign program as a child.
    Command {
        /// Its name, on the `PATH`.
        program: String,
        /// Its arguments.
        args: Vec<String>,
    },
    /// Start a host for a program that knows nothing of the tree.
    Host {
        /// The name of the host.
        name: String,
        /// The program, by its path.
        program: String,
        /// Its arguments.
        args: Vec<String>,
    },
    /// Read a line of the terminal; to a program below a host.
    ReadLine {},
    /// Say what the tree below looks like; so it does even where the scope was told to end.
    Survey {
        /// The number in [`ActorEvent::Surveyed`].
        id: u32,
    },
    /// Log a warning.
    Warn {
        /// What it says.
        text: String,
    },
    /// The user task panics.
    Crash {
        /// With this message.
        text: String,
    },
    /// Fail with an error.
    Error {
        /// With this message.
        text: String,
    },
    /// A deadline of the scope passes.
    Deadline {},
    /// Ask the own scope to end.
    Cancel {},
    /// Ask a child to end.
    CancelChild {
        /// The child's name.
        name: String,
    },
    /// Leave the scope: the program is done.
    Finish {},
    /// Block the thread that drives the actor's tasks.
    Block {},
    /// Let it go on.
    Unblock {},
    /// Close the link to the supervisor and live on.
    Cut {},
    /// Write these bytes on the link to the supervisor.
    Garble {
        /// What no actor would write.
        bytes: Vec<u8>,
    },
    /// Write a line to the standard output.
    Print {
        /// The line.
        text: String,
    },
    /// Go past a place, once; to the gate of an actor.
    Pass {
        /// The place.
        point: Point,
    },
    /// Be held nowhere any longer; to the gate of an actor.
    Open {},
    /// The actor answers with [`ActorEvent::Pong`].
    Ping {
        /// The number in [`ActorEvent::Pong`].
        id: u32,
    },
}

/// What an actor says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, tag = "event")]
pub enum ActorEvent {
    /// The actor is there; the first event of each connection.
    Hello {
        /// Its process.
        pid: i32,
        /// Its place in the tree, as in `root/mid/leaf`.
        actor: String,
    },
    /// Its boot is over, it runs.
    Booted {},
    /// A child was started.
    Spawned {
        /// Its name.
        name: String,
        /// Its process.
        pid: i32,
    },
    /// A child has ended and was reaped.
    Reaped {
        /// Its name.
        name: String,
    },
    /// A task asks for the terminal.
    Asked {
        /// The number of the instruction.
        id: u32,
    },
    /// The task goes on.
    Resumed {
        /// The number of the instruction.
        id: u32,
        /// How the request ended.
        how: Resumption,
    },
    /// Its driving thread is about to block.
    Blocked {},
    /// And goes on.
    Unblocked {},
    /// The answer to a ping.
    Pong {
        /// The number of the instruction.
        id: u32,
    },
    /// The answer to a survey.
    Surveyed {
        /// The number of the instruction.
        id: u32,
        /// The tree, an actor a line.
        text: String,
    },
    /// Its scope was told to end: the code in it was dropped.
    Cancelled {},
    /// Its protocol handled an input; on the connection of [`crate::report`] alone.
    Handled {
        /// What happened.
        input: Input,
        /// What it led to.
        outputs: Vec<Output>,
    },
    /// A program below a host begins to read a line.
    Reading {},
    /// A program below a host has read a line.
    Line {
        /// The line, without its end.
        text: String,
    },
    /// A program below a host has taken a SIGINT.
    Interrupted {},
    /// Its driver is held before an input; on the connection of its gate alone.
    Held {
        /// The point.
        point: Point,
    },
    /// An instruction could not be carried out.
    Failed {
        /// The order, and why.
        text: String,
    },
    /// Anything else worth the log.
    Noted {
        /// The text.
        text: String,
    },
}

/// How a request for the terminal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resumption {
    /// The person said so at the prompt.
    Continue,
    /// The person quit.
    Quit,
    /// The prompt was closed over the person's head.
    Revoked,
    /// No prompt opens for it.
    Refused,
    /// The pause was passed at once.
    Passed,
}
