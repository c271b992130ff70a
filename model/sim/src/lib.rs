//! Trees of real drivers on simulated machines, a thread an actor, on schedules by chance.
//!
//! ```text
//!     what is real:       Driver, Node, mailbox, park       the code that the runtime executes
//!     what is simulated:  links, batons, processes, signals, timers, the terminal, the person
//!
//!     soak --> order (who goes on next) --> shuttle --> run (one tree) --> actor --> kernel, links
//!      |                                                                               |
//!      +--> check::schedule (a failure as a file)             observer (judges) <------+
//! ```
//!
//! Built with `--cfg model_shuttle` alone, for `tests/driver.rs`, `holdfast walk --on drivers` and
//! `holdfast replay`. The explorer steps a whole input at a time. Here others run, read, die and
//! are signalled between any two outputs of one, and between an event and its being taken.
//!
//! Reading order: [`soak`], `order`, `run`, `actor`, `kernel`, `links`, `observer`.

#![forbid(unsafe_code)]
#![cfg(model_shuttle)]

mod actor;
mod kernel;
mod links;
mod observer;
mod order;
mod run;
pub mod soak;

pub use observer::Watch;
