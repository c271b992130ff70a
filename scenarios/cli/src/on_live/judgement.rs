//! What a live run has broken: its records, replayed in the world of the checker, with what the
//! script did and what was seen from outside in them ([`crate::conform`]).

use super::Conformance;
use crate::chart::{describe, details};
use crate::conform::conform_seen;
use crate::conform::outside::Outside;
use crate::conform::verdict::{Finding, Verdict};
use holdfast_check::property::PropertyId;
use holdfast_check::trace::ReplayedStep;
use holdfast_check::world::Observation;
use holdfast_protocol::{Output, PolicyName};
use std::collections::BTreeMap;
use std::path::Path;

/// Broken properties, and how each shows.
pub(super) type Found = BTreeMap<PropertyId, String>;

/// What the records of a run say.
#[derive(Debug)]
pub(super) struct LiveJudgement {
    /// The always-properties that it breaks.
    pub(super) found: Found,
    /// Whether it is a run of the model.
    pub(super) conformance: Conformance,
}

/// Judges a run by its records.
pub(super) fn judge(records: &Path, outside: &Outside) -> LiveJudgement {
    let differs = |why: String| {
        let conformance = Conformance::Differs(why);
        LiveJudgement { found: Found::new(), conformance }
    };
    let folders = std::fs::read_dir(records).into_iter().flatten().flatten();
    let Some(folder) = folders.map(|entry| entry.path()).next() else {
        return differs("there is no record".to_owned());
    };
    let verdicts = match conform_seen(&folder, outside) {
        Ok(verdicts) => verdicts,
        Err(error) => return differs(error.to_string()),
    };
    let mut judgement = LiveJudgement { found: Found::new(), conformance: Conformance::Conforms };
    for verdict in &verdicts {
        judgement.found.extend(found(verdict));
        match &verdict.finding {
            Finding::Conforms | Finding::Breaks(_) => {}
            Finding::Breaches(..) | Finding::Differs(_) | Finding::Undecided(_) => {
                judgement.conformance = Conformance::Differs(verdict.to_string());
            }
        }
    }
    judgement
}

/// What a merged run breaks, each with the first step on which it does.
fn found(verdict: &Verdict) -> Found {
    let mut found = Found::new();
    for (step, number) in verdict.steps.iter().zip(1..) {
        for property in &step.violated {
            found.entry(*property).or_insert_with(|| on_step(verdict, number, step));
        }
    }
    found
}

fn on_step(verdict: &Verdict, number: usize, step: &ReplayedStep) -> String {
    let tree = verdict.recorded.tree();
    let matters = |did: &&Observation| {
        let output = matches!(did, Observation::Output { output, .. } if !matters_not(*output));
        output || matches!(did, Observation::Took { .. } | Observation::Died { .. })
    };
    let did: Vec<_> =
        step.observations.iter().filter(matters).map(|did| details(tree, *did)).collect();
    let action = describe(tree, step.action);
    match did.as_slice() {
        [] => format!("step {number}, {action}"),
        did => format!("step {number}, {action}: {}", did.join("; ")),
    }
}

fn matters_not(output: Output) -> bool {
    matches!(output, Output::Arm { .. } | Output::Disarm { .. } | Output::Send { .. })
}

/// Whether what happens after the script is a part of a case: `relay` promises that too.
pub(super) fn judges_the_end(policy: PolicyName) -> bool {
    policy == PolicyName::Relay
}
