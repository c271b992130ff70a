//! The prompt at a real terminal: a process of its own, in a session and pseudo-terminal of its own.
//!
//! A test starts this test binary again, as [`played::child`]. What happens there is told by the
//! test over the child's standard input, and told to the test over its standard output.

mod played;
mod screen;
mod signalled;
mod typed;
mod unattended;
