//! Live trees: real processes on a real terminal, one file a behaviour.

mod deaths;
mod ending;
mod prompt;
mod relay;
mod shield;
mod stop;
mod support;
mod teardown;
