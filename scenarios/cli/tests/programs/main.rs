//! Programs that know nothing of the tree, below `holdfast exec` and its like, on real terminals.

mod exits;
mod hooks;
mod init;
mod leftovers;
mod prompts;
mod rounds;
mod support;
mod up;
