//! Trees of real actor loops on simulated machines, a thread an actor, on random schedules.
//!
//! ```text
//!     what is real:       ActorLoop, Node, mailbox, park    the code that the runtime executes
//!     what is simulated:  links, batons, processes, signals, timers, user tasks, the terminal,
//!                         the person
//!
//!     stress --> scheduler (who goes on next) --> shuttle --> environment (one tree)
//!      |                                                        |
//!      |                                     effects --> kernel, links, later
//!      +--> check::schedule (a failure as a file)          |
//!                                          observer <------+
//! ```
//!
//! Built with `--cfg model_shuttle` alone, for `tests/driver.rs`, `holdfast walk --on drivers` and
//! `holdfast replay`. The explorer steps a whole input at a time. Here others run, read, die and
//! are signalled between any two outputs of one, and between an event and its being taken.
//!
//! Reading order: `stress`, `scheduler`, `environment`, `effects`, `kernel`, `links`, `later`,
//! `observer`, `mirror`.

#![forbid(unsafe_code)]
#![cfg(model_shuttle)]

mod effects;
mod environment;
mod kernel;
mod later;
mod links;
mod mirror;
mod observer;
mod scheduler;
pub mod stress;

pub use observer::Watch;
