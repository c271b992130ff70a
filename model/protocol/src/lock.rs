//! The debug lock: a server in the root, a client in every actor.
//!
//! ```text
//!     client:  (none) --Pause--> Waiting --Grant--> Open --answer, revoke--> (none)
//!                                Waiting --Refuse, cancel--> (none)
//!     server:  queue --grant--> owner --baton closed--> (none)
//! ```
//!
//! # Rules
//! 1. One owner, first come first served (R2). Checked by `one-prompt`.
//! 2. Release is exactly once, on whichever path (R2, R7). Checked by `released-once`.

pub mod client;
pub mod server;
