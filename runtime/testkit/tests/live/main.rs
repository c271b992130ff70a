//! Live trees: real processes on a real terminal, one file a behaviour.

mod boot;
mod deaths;
mod debugger;
mod dump;
mod ending;
mod jobs;
mod post_mortem;
mod prompt;
mod relay;
mod shield;
mod stop;
mod support;
mod surroundings;
mod teardown;
mod terminal;
