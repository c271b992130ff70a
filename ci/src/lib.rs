//! The stages that must pass before a change lands.
