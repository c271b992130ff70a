//! Programs that know nothing of the tree, below `holdfast exec` and its like, on real terminals.

mod exits;
mod hooks;
mod leftovers;
mod prompts;
mod support;
mod up;
