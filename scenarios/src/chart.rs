//! A counterexample as a message chart: one column an actor, one row a step.
