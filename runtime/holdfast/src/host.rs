//! Programs that know nothing of the tree, each below a *host*: an actor that leads a session with a
//! pseudo-terminal of its own, in which the kernel's job control is the lock.
//!
//! A program that reads its terminal without having it is stopped by the kernel (SIGTTIN, SIGTTOU);
//! its host sees that, and asks for the terminal as a breakpoint does. When the root grants it, the
//! host brings the program's group to the foreground and lets it go on, and keys and output pass
//! through, byte for byte: a Ctrl-C there is a signal for that program alone.
//!
//! ```text
//!     the person's terminal
//!        |  raw while a program has it
//!      root ---- baton: keys, output ---- host ---- pseudo-terminal ---- program
//!        \------ link: the protocol ------/  \----- parent, subreaper ----/
//! ```
//!
//! # Rules
//! 1. The host decides nothing of the protocol: it asks, and gives back.
//! 2. The terminal is given back when the program ends, when it does something else while another
//!    waits, when the person says so, and when its hook does.
//! 3. Whatever came from the program is ended with it: the host is the subreaper.
//!
//! ```no_run
//! use holdfast::host::{self, HostedProgram, HostReport};
//! use holdfast::{BoxError, Context, Program};
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     let program = HostedProgram::new(vec!["python3".into(), "server.py".into()]);
//!     Program::new().actor(host::ACTOR, host::run).run(async |tree: Context| {
//!         let host = host::start(&tree, "server", program).await?;
//!         while let Some(report) = host.receive::<HostReport>().await? {
//!             if let HostReport::Ended(end) = report {
//!                 return Ok::<_, BoxError>(ExitCode::from(end.exit_code()));
//!             }
//!         }
//!         Ok(ExitCode::FAILURE)
//!     })
//! }
//! ```

mod forward;
mod hooks;
mod leftovers;
mod lines;
mod order;
mod placeholder;
mod program;
mod pseudo_terminal;
mod reading;
mod serve;
mod turn;
mod turn_request;
mod turns;

pub use forward::ForwardedSignals;
pub use order::{Begins, HostCommand, HostReport, HostedProgram, PersonTerminal, ProgramEnd};
pub use turn_request::{GrantedTurn, TurnAnswer, TurnRequest};

use crate::context::Context;
use crate::error::RuntimeError;
use crate::portal::Portal;
use crate::program::BoxError;

/// The name under which [`run`] is to be registered.
pub const ACTOR: &str = "host";

/// Starts a host for a program. It reports with [`HostReport`]s, the last of them
/// [`HostReport::Ended`].
///
/// # Errors
/// The host cannot be started, or the actor is being cancelled. That the program cannot be started is
/// its end.
pub async fn start(
    tree: &Context,
    name: &str,
    program: HostedProgram,
) -> Result<Portal<()>, RuntimeError> {
    tree.spawn(run, program).name(name).given_all().await
}

/// Hosts a program: the function of the actor. Register it, and start it with [`start`].
///
/// # Errors
/// The operating system gives no pseudo-terminal.
pub async fn run(context: Context, program: HostedProgram) -> Result<(), BoxError> {
    let scope = context.clone();
    let hosted = context.shield(async move { serve::serve(&scope, program).await });
    match hosted.await {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(error.into()),
        None => Ok(()),
    }
}
