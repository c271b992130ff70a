//! What the threads of one actor share.
//!
//! ```text
//!     user's task or thread            driver (owns the Node)           prompt or agent thread
//!         |  TicketReceiver                 |                                |  Release
//!         |----- mailbox: pause, Ticket --->|                                |
//!         |                                 |----- mailbox: open a prompt -->|
//!         |                                 |<---- mailbox: Release ---------|
//!         |<---- Ticket::end ---------------|                                |
//!         |<---- Flag::raise ---------------|
//!
//!     driver, and whoever spawns:  Children
//! ```
//!
//! | module | what | races that it settles |
//! |---|---|---|
//! | [`park`] | blocks a thread until a future is ready | wake-up against falling asleep |
//! | [`mailbox`] | many senders, one receiver, in order | send, last sender gone, receiver gone |
//! | [`ticket`] | one pause: who waits, who ends it | end, second end, abandon, loss |
//! | [`release`] | the guard whose drop is the release | continue, quit, revoke, panic, drop |
//! | [`children`] | the child table | signal against reap |
//! | [`flag`] | raised once: this actor is to end | raise against look and wait |
//!
//! # Rules
//! 1. Everything shared is behind a mutex of [`crate::engine`], the flag's one bit aside. No waker
//!    is called and nothing of a caller's is run or dropped under a mutex, but the closures of
//!    [`children`], which says so.
//! 2. The signal path is apart: a handler of the runtime counts in atomics of its own and wakes the
//!    driver through a descriptor. No module in here runs in a handler.
//! 3. The runtime shares memory through these modules alone. They are explored by
//!    `tests/loom.rs` and `tests/shuttle.rs`.

#![forbid(unsafe_code)]

pub mod children;
pub mod engine;
pub mod flag;
pub mod mailbox;
pub mod park;
pub mod release;
pub mod ticket;
