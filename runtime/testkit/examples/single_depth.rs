//! The nested tree of tractor's issue #320 under the upstream policy: a Ctrl-C kills the session.
//!
//! ```sh
//! cargo run --package holdfast-testkit --example single_depth     # press Ctrl-C at the prompt
//! ```

use holdfast::Placement;
use holdfast::probe::Probe;
use holdfast::protocol::{NamedPolicy, PolicyName};
use std::process::ExitCode;

#[path = "../../holdfast/examples/nested.rs"]
#[expect(dead_code, reason = "the same program with a main of its own, which runs it under relay")]
mod nested;

/// Has the tree run under the upstream policy.
#[derive(Debug)]
struct SingleDepth;

impl Probe for SingleDepth {
    fn policy(&self) -> NamedPolicy {
        PolicyName::SingleDepth.into()
    }
}

fn main() -> ExitCode {
    // Upstream has everybody in the terminal's foreground: a Ctrl-C reaches all.
    nested::program().probe(SingleDepth).placement(Placement::SharedGroup).run(nested::root)
}
