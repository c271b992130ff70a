//! A tree of processes with one debug lock: the runtime that executes the checked protocol.
//!
//! Every process of the tree is an *actor*: an async function that was registered by name and runs in
//! a process of its own, started from the same executable. Any of them may hit a breakpoint
//! ([`pause()`]) or, in debug mode, fail; then a prompt opens at the one terminal, and until the person
//! lets it go on, no Ctrl-C, no deadline, no failing sibling and no reaper ends the session, at any
//! depth.
//!
#![doc = concat!("```no_run\n", include_str!("../examples/quick_start.rs"), "```\n")]
//!
//! # The scope of an actor
//!
//! What an actor spawns cannot outlive it. When its function returns, children that still run are
//! cancelled; when it or a child fails, all are cancelled, and the [`Failure`] climbs with the path of
//! the actors it came through. A child that is asked to end gets a grace period, then SIGTERM, then
//! SIGKILL; a person at a prompt in its branch stops that clock. See [`Timing`] and [`exit`].
//!
//! # What the runtime owns in each process
//!
//! | what | which |
//! |---|---|
//! | processes | beside the root a warden, a copy of it that waits for its end; where that is not the end of the tree, the warden puts the terminal back, writes the last words and ends what the tree has left. Not a child that a wait of the program sees |
//! | threads | the driver (the main thread, inside [`Program::run`]); those that start children (`start`), and `words`, which writes what the driver says; the actor's own code, named by its path; while a prompt is open `agent` in the holder, and the line editor's in the root; `output` in a root whose output is a terminal |
//! | descriptors | the link to the supervisor and to each child, a pidfd a child, an eventfd for the signals, two epoll instances and their wake-ups; in the root `/dev/tty` twice, a socket to the warden, two that are kept for a look at the children, and the pipe of the output, and from its first prompt on those of the line editor; during a prompt one socket. All are close-on-exec but one pipe of the line editor; a child gets 0, 1, 2 and its link (3), a foreign program 0, 1, 2 |
//! | signals | in a root those of faults (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS) have handlers that put the terminal back, and do then what was done before; SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGUSR1, SIGUSR2 and SIGCHLD have handlers, and none is blocked; those that were ignored at the start stay so, but SIGCHLD |
//! | limits | the soft limit of descriptors is raised, up to 65,536; what [`Context::spawn_command`] starts has the one from before. What is below the root's own process is marked by its limit of file locks, which Linux does not enforce |
//! | children | the root adopts and reaps every orphan below it; never a process that the program started itself, or that was a child before [`Program::run`] |
//! | variables | `HOLDFAST_LINK` (removed at boot) and `HOLDFAST_TREE` in children; see [`settings`] for those that it reads |
//!
//! A child that the program starts by any means hears what it would hear without the runtime: exec
//! resets handlers, and every thread of the program has the signal mask that the program was started
//! with. So has a copy of the process (fork without exec): what a signal did before the tree it does
//! there.
//!
//! A handler that the program installs itself, while the tree runs, takes its signal away from the
//! tree, unless it calls the one from before, as signal-hook and `tokio::signal` do and ctrlc does not.
//! A handler from before [`Program::run`] is back when that returns. A program that waits for *any*
//! child (`waitpid(-1)`), or ignores SIGCHLD, takes statuses away: such an end counts as a failure.
//!
//! SIGUSR1 dumps the tree: every actor, what it does, what it holds for and who waits, to the
//! standard error and to a file in the temporary directory.
//!
//! # How it is built
//!
//! ```text
//!     Program, Context, Portal, pause     what a program uses
//!       |  mailbox
//!     intake      what happens becomes events
//!     actor loop  an event becomes inputs of Node::handle, whose outputs are performed: the code
//!                 that is soaked, around the code that is explored
//!     effects     what the loop acts through: one method, one call
//!       |
//!     link  process  signals  timers  terminal  output      the operating system
//!     prompt (root), agent (holder)                         what the person sees
//! ```
//!
//! Architecture invariant: no decision lives outside [`protocol`]. Linux only.

#![warn(missing_debug_implementations)]

mod actor;
mod agent;
mod child_record;
mod context;
mod effects;
mod error;
mod event;
pub mod exit;
mod failure;
pub mod host;
mod inherited;
mod intake;
mod job;
mod link;
mod logs;
mod orphans;
mod output;
mod pause;
mod peer;
mod portal;
pub mod probe;
mod process;
mod program;
mod prompt;
pub mod recorder;
mod requirements;
mod session;
pub mod settings;
mod signals;
mod standstill;
mod starts;
mod survey;
mod terminal;
mod timers;
mod user_task;
mod warden;
mod wire;
mod words;

pub use context::{Context, Spawn};
pub use error::RuntimeError;
pub use event::Resumed;
pub use failure::{Failure, FailureKind};
pub use holdfast_protocol as protocol;
pub use holdfast_protocol::Placement;
pub use logs::{LogLayer, layer as log_layer};
pub use pause::{Pause, pause};
pub use portal::Portal;
pub use program::{ActorFn, ActorFuture, BoxError, Program};
pub use settings::{BadVariable, Debugging, NoTerminal, Timing};
