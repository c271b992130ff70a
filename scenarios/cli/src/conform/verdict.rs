//! What is said about a recorded run.

use super::merge::{BlockedActor, Furthest, Merged, MergedStep, Why, merge};
use super::participants::{End, RecordedRun};
use super::record::Tail;
use super::words::{input_words, output_words, status_words};
use crate::chart::name_of;
use crate::exit::ExitClass;
use holdfast_check::monitor::LinkBreach;
use holdfast_check::property::PropertyId;
use holdfast_check::report::Counterexample;
use holdfast_check::trace::{ReplayedStep, Trace, perform_as_seen};
use holdfast_check::world::{Action, Observation};
use holdfast_protocol::{ActorId, Output};
use std::fmt;

/// A recorded run and what came of it.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Who took part.
    pub recorded: RecordedRun,
    /// The merged run, as far as it could be followed.
    pub steps: Vec<ReplayedStep>,
    /// What was found.
    pub finding: Finding,
    /// What else is to be known about the records.
    pub notes: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The records are a run of the model, and every always-property holds on it.
    Conforms,
    /// The records are a run of the model, and each of these properties is violated, first on this step, counted
    /// from one.
    Breaks(Vec<(PropertyId, usize)>),
    /// The records are a run of the model, and on this step, counted from one, something is said that the
    /// contract of a link forbids.
    Breaches(LinkBreach, usize),
    /// The records are not a run of the model.
    Differs(Difference),
    /// No order was found, and not all were tried.
    Undecided(Difference),
}

/// Where a run leaves the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The line: file and number.
    pub place: String,
    /// The actor.
    pub actor: String,
    /// What it handled.
    pub input: String,
    /// Why that cannot be; none if only the outputs differ.
    pub why: Option<String>,
    /// What it recorded that followed.
    pub recorded: Vec<String>,
    /// What follows in the model; empty if the input is not possible.
    pub expected: Vec<String>,
    /// Where the others stand, and what they wait for.
    pub others: Vec<String>,
}

impl Verdict {
    /// Merges and judges a run.
    #[must_use]
    pub fn of(recorded: RecordedRun) -> Self {
        let merged = merge(&recorded);
        let (merged_steps, difference) = match &merged {
            Merged::Found(steps) => (steps, None),
            Merged::None(furthest) | Merged::Undecided(furthest) => {
                (&furthest.steps, Some(difference(&recorded, furthest)))
            }
        };
        let steps = judged(&recorded, merged_steps);
        let mut violated: Vec<(PropertyId, usize)> = Vec::new();
        for (step, number) in steps.iter().zip(1..) {
            for property in &step.violated {
                if !violated.iter().any(|(other, _)| other == property) {
                    violated.push((*property, number));
                }
            }
        }
        let breach = steps.iter().zip(1..).find_map(|(step, at)| Some((step.breach?, at)));
        let finding = match (difference, merged) {
            (Some(difference), Merged::Undecided(_)) => Finding::Undecided(difference),
            (Some(difference), _) => Finding::Differs(difference),
            (None, _) if violated.is_empty() => {
                breach.map_or(Finding::Conforms, |(breach, at)| Finding::Breaches(breach, at))
            }
            (None, _) => Finding::Breaks(violated),
        };
        let notes = notes(&recorded, &steps);
        Self { recorded, steps, finding, notes }
    }

    /// How a command ends that found this. The properties are promises of `relay`: that a run of
    /// another policy breaks one is told, and no failure.
    #[must_use]
    pub fn exit(&self) -> ExitClass {
        match (&self.finding, self.recorded.named.is_relay()) {
            (Finding::Breaks(_) | Finding::Breaches(..), true) => ExitClass::Safety,
            (Finding::Conforms | Finding::Breaks(_) | Finding::Breaches(..), _) => ExitClass::Holds,
            (Finding::Differs(_) | Finding::Undecided(_), _) => ExitClass::Conformance,
        }
    }

    /// The merged run as a trace.
    #[must_use]
    pub fn trace(&self) -> Trace {
        let breaks = match &self.finding {
            Finding::Breaks(violated) => violated.first().map(|(property, _)| *property),
            Finding::Conforms
            | Finding::Breaches(..)
            | Finding::Differs(_)
            | Finding::Undecided(_) => None,
        };
        let steps: Vec<Action> = self.steps.iter().map(|step| step.action).collect();
        let property = breaks.unwrap_or(PropertyId::NoAlarm);
        let run = Counterexample { property, steps, round: Vec::new() };
        let mut trace = Trace::new(self.recorded.topology.config(), &self.recorded.named, &run);
        trace.header.breaks = breaks;
        trace
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.finding {
            Finding::Conforms => f.write_str("conforms"),
            Finding::Breaks(violated) => {
                let names: Vec<_> =
                    violated.iter().map(|(property, _)| property.to_string()).collect();
                write!(f, "breaks {}", names.join(", "))
            }
            Finding::Breaches(breach, _) => write!(f, "{breach}"),
            Finding::Differs(difference) => write!(f, "{difference}"),
            Finding::Undecided(difference) => write!(f, "undecided; at best {difference}"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}: ", self.place, self.actor, self.input)?;
        match &self.why {
            Some(why) => f.write_str(why),
            None => {
                let (recorded, expected) = (self.recorded.join(", "), self.expected.join(", "));
                write!(f, "recorded [{recorded}], the model has [{expected}]")
            }
        }
    }
}

/// The steps with what each has broken, as far as the run is judged.
fn judged(recorded: &RecordedRun, merged: &[MergedStep]) -> Vec<ReplayedStep> {
    let actions: Vec<Action> = merged.iter().map(|step| step.action).collect();
    // A step that waited for another is as late as that.
    let mut latest = 0;
    let times = merged.iter().map(|step| {
        latest = latest.max(step.at_ns);
        latest
    });
    let times: Vec<u64> = times.chain([u64::MAX]).collect();
    let mut steps = perform_as_seen(&recorded.topology, &actions, |step, system| {
        recorded.outside.look(&recorded.topology, system, times[step - 1], times[step])
    })
    .expect("the search took only possible steps");
    if let Some(until) = recorded.outside.until {
        let after = times.iter().zip(&mut steps).filter(|(time, _)| **time > until);
        after.for_each(|(_, step)| step.violated.clear());
    }
    steps
}

fn difference(recorded: &RecordedRun, furthest: &Furthest) -> Difference {
    let stop = &furthest.at;
    let tree = recorded.tree();
    let line = &recorded.participants[stop.actor.index()].lines[stop.line];
    let say = |outputs: &[Output]| -> Vec<String> {
        outputs.iter().map(|output| output_words(tree, stop.actor, *output)).collect()
    };
    let (why, expected) = match &stop.why {
        Why::Outputs(expected) => (None, say(expected)),
        Why::Never(why) | Why::Waits(why) => (Some(why.clone()), Vec::new()),
    };
    Difference {
        place: place(recorded, stop),
        actor: name_of(tree, stop.actor),
        input: input_words(tree, line.input),
        why,
        recorded: say(&line.outputs),
        expected,
        others: furthest.others.iter().map(|stop| other(recorded, stop)).collect(),
    }
}

fn place(recorded: &RecordedRun, stop: &BlockedActor) -> String {
    let part = &recorded.participants[stop.actor.index()];
    let file = part.file.as_deref().unwrap_or("(no record)");
    format!("{file}:{}", part.lines[stop.line].number)
}

fn other(recorded: &RecordedRun, stop: &BlockedActor) -> String {
    let input = recorded.participants[stop.actor.index()].lines[stop.line].input;
    let why = match &stop.why {
        Why::Outputs(_) => "other outputs",
        Why::Never(why) | Why::Waits(why) => why,
    };
    format!("{}: {}: {why}", place(recorded, stop), input_words(recorded.tree(), input))
}

fn notes(recorded: &RecordedRun, steps: &[ReplayedStep]) -> Vec<String> {
    let mut notes = Vec::new();
    let died = |actor: ActorId| {
        let died = |did: &Observation| matches!(did, Observation::Died { actor: who, .. } if *who == actor);
        steps.iter().flat_map(|step| &step.observations).any(died)
    };
    for (part, actor) in recorded.participants.iter().zip((0..).map(ActorId)) {
        let Some(file) = &part.file else { continue };
        if part.tail == Tail::Torn {
            notes.push(format!("{file} ends in the middle of a line, which is left out"));
        }
        let name = name_of(recorded.tree(), actor);
        match part.end {
            End::Own => {}
            End::Silent(_) if !died(actor) => {
                notes.push(format!("{file} ends before {name} does"));
            }
            End::Silent(status) => notes.push(format!(
                "{file} says nothing of the end of {name}, which had another cause than the \
                 protocol ({})",
                status_words(status)
            )),
        }
    }
    notes
}
