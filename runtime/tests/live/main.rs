//! Live trees: real processes on a real terminal, one file a behaviour.

mod ending;
mod prompt;
mod support;
