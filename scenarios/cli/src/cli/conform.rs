//! `holdfast conform`: checks recorded runs of real processes against the model.

use super::{Format, TraceNotWritten, complain, print, print_json, write_trace};
use crate::chart::{Chart, describe};
use crate::conform::participants::RecordedRun;
use crate::conform::verdict::{Difference, Finding, Verdict};
use crate::conform::{ConformError, conform};
use crate::exit::ExitClass;
use crate::json::conform::{ConformJson, DifferenceJson, TreeJson};
use anstyle::{AnsiColor, Style};
use clap::Args;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Checks that what real processes recorded is a run of the model.
///
/// Merges the records of a folder into one causally consistent order, replays it on the model, and
/// reports the first line that the model does not allow, and every always-property that is violated.
#[derive(Debug, Args)]
pub struct ConformArgs {
    /// The folder that HOLDFAST_RECORD named; it may hold the records of several trees.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Only the tree with this root (a process id).
    #[arg(long, value_name = "PID")]
    root: Option<u32>,
    /// Draws the merged run even if it conforms.
    #[arg(long)]
    chart: bool,
    /// Writes the merged run to a file, for `holdfast replay`.
    #[arg(long, value_name = "FILE")]
    trace_out: Option<PathBuf>,
    /// Prints one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Why records cannot be checked.
#[derive(Debug, thiserror::Error)]
enum ConformCommandError {
    /// The files are not records of one run.
    #[error(transparent)]
    Records(#[from] ConformError),
    /// No such tree.
    #[error("--root {asked}: the roots of the trees in {} are {known}", folder.display())]
    NoRoot {
        /// What was asked for.
        asked: u32,
        /// The folder.
        folder: PathBuf,
        /// Who is there.
        known: String,
    },
    /// One file for several traces.
    #[error("--trace-out takes one tree, the folder holds {0}; choose one with --root")]
    Several(usize),
    /// The trace cannot be written.
    #[error(transparent)]
    Trace(#[from] TraceNotWritten),
}

impl ConformArgs {
    /// Does it.
    #[must_use]
    pub fn run(&self) -> ExitClass {
        self.check().unwrap_or_else(|error| complain(&error))
    }

    fn check(&self) -> Result<ExitClass, ConformCommandError> {
        let mut verdicts = conform(&self.folder)?;
        if let Some(asked) = self.root {
            let roots: Vec<_> = verdicts.iter().map(|verdict| root(&verdict.recorded)).collect();
            if !roots.contains(&asked) {
                let known = roots.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
                return Err(ConformCommandError::NoRoot {
                    asked,
                    folder: self.folder.clone(),
                    known,
                });
            }
            verdicts.retain(|verdict| root(&verdict.recorded) == asked);
        }
        if let Some(path) = &self.trace_out {
            let [verdict] = &verdicts[..] else {
                return Err(ConformCommandError::Several(verdicts.len()));
            };
            write_trace(path, &verdict.trace().to_text())?;
        }
        match Format::of_switch(self.json) {
            Format::Json => print_json(&ConformJson {
                exit: worst(&verdicts) as u8,
                trees: verdicts.iter().map(TreeJson::new).collect(),
            }),
            Format::Text => {
                let draw = if self.chart { Draw::Always } else { Draw::Failures };
                print(&text(&verdicts, draw));
            }
        }
        Ok(worst(&verdicts))
    }
}

fn root(recorded: &RecordedRun) -> u32 {
    recorded.participants[0].process
}

/// How a command ends that found all this: what is not a run of the model comes first.
#[must_use]
pub fn worst(verdicts: &[Verdict]) -> ExitClass {
    let exits = || verdicts.iter().map(Verdict::exit);
    let order = [ExitClass::Conformance, ExitClass::Safety];
    order.into_iter().find(|exit| exits().any(|one| one == *exit)).unwrap_or(ExitClass::Holds)
}

/// Whose chart is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// Of every run.
    Always,
    /// Of those that do not conform.
    Failures,
}

/// What was found, for people: of several trees, those that conform first and in a line each.
#[must_use]
pub fn text(verdicts: &[Verdict], draw: Draw) -> String {
    let mut text = String::new();
    if let [verdict] = verdicts {
        one(&mut text, verdict, draw);
        return text;
    }
    let (good, bad): (Vec<_>, Vec<_>) =
        verdicts.iter().partition(|verdict| verdict.exit() == ExitClass::Holds);
    let file =
        |verdict: &Verdict| verdict.recorded.participants[0].file.clone().unwrap_or_default();
    for verdict in &good {
        if draw == Draw::Always {
            let _ = write!(text, "{}: ", file(verdict));
            one(&mut text, verdict, draw);
            text.push('\n');
            continue;
        }
        let policy = &verdict.recorded.named;
        let tree = &verdict.recorded.topology.config().tree;
        let _ = writeln!(text, "{}: {tree} under {policy}: conforms", file(verdict));
    }
    for verdict in &bad {
        let _ = write!(text, "\n{}: ", file(verdict));
        one(&mut text, verdict, draw);
    }
    let _ = writeln!(text, "\n{} of {} trees conform", good.len(), verdicts.len());
    text
}

fn one(text: &mut String, verdict: &Verdict, draw: Draw) {
    let recorded = &verdict.recorded;
    let config = recorded.topology.config();
    let written = recorded.participants.iter().filter(|part| part.file.is_some()).count();
    let _ = writeln!(
        text,
        "{} under {}, {}: {written} of {} processes recorded, {} lines, {} steps",
        config.tree,
        recorded.named,
        config.placement,
        recorded.participants.len(),
        recorded.lines(),
        verdict.steps.len(),
    );
    let (breaks, failed) = match &verdict.finding {
        Finding::Breaks(violated) => (violated.first().map(|(property, _)| *property), true),
        Finding::Conforms => (None, false),
        Finding::Breaches(..) => (None, true),
        Finding::Differs(_) | Finding::Undecided(_) => (None, true),
    };
    if draw == Draw::Always || failed {
        let steps = &verdict.steps[..];
        let chart = Chart { topology: &recorded.topology, steps, breaks, repeats: 0 }.to_string();
        let _ = write!(text, "\n{}\n", tail(&chart));
    }
    let (red, green) = (AnsiColor::Red.on_default().bold(), AnsiColor::Green.on_default());
    let _ = match &verdict.finding {
        Finding::Conforms => writeln!(
            text,
            "{green}conforms{green:#}: a run of the model; every always-property holds in all its \
             states"
        ),
        Finding::Breaks(violated) => {
            for (property, step) in violated {
                let action = describe(&config.tree, verdict.steps[step - 1].action);
                let _ = writeln!(text, "{red}breaks {property}{red:#} on step {step} ({action})");
            }
            let known = match recorded.named.is_relay() {
                true => "which this policy promises not to",
                false => "as this policy may",
            };
            writeln!(text, "conforms: a run of the model, {known}")
        }
        Finding::Breaches(breach, step) => {
            let action = describe(&config.tree, verdict.steps[step - 1].action);
            writeln!(text, "{red}{breach}{red:#}, on step {step} ({action})")
        }
        Finding::Differs(difference) => {
            let _ = writeln!(text, "{red}does not conform{red:#}");
            write!(text, "{}", told(difference))
        }
        Finding::Undecided(difference) => {
            let _ = writeln!(
                text,
                "{red}undecided{red:#}: no order was found in which the model allows this, and too \
                 many are left to try; the most likely one ends here"
            );
            write!(text, "{}", told(difference))
        }
    };
    for note in &verdict.notes {
        let _ = writeln!(text, "note: {note}");
    }
}

/// The last lines of a long chart, below its head.
fn tail(chart: &str) -> String {
    let lines: Vec<_> = chart.lines().collect();
    match lines.len().checked_sub(LONGEST) {
        None | Some(0) => chart.to_owned(),
        Some(more) => {
            let left_out =
                format!("… {more} lines; --trace-out FILE and `holdfast replay` show all");
            let rest = lines[more + 1..].iter().copied();
            let mut text = String::new();
            for line in [lines[0], left_out.as_str()].into_iter().chain(rest) {
                text.push_str(line);
                text.push('\n');
            }
            text
        }
    }
}

/// How many lines of a chart are shown.
const LONGEST: usize = 60;

fn told(difference: &Difference) -> String {
    let faint = Style::new().dimmed();
    let mut text = String::new();
    let Difference { place, actor, input, why, recorded, expected, others } = difference;
    let _ = writeln!(text, "  {place}: {actor}: {input}");
    let list = |outputs: &[String]| match outputs {
        [] => "nothing".to_owned(),
        outputs => outputs.join(", "),
    };
    match why {
        Some(why) => {
            let _ = writeln!(text, "    not possible there: {why}");
        }
        None => {
            let _ = writeln!(text, "    recorded:  {}", list(recorded));
            let _ = writeln!(text, "    the model: {}", list(expected));
        }
    }
    for other in others {
        let _ = writeln!(text, "  {faint}meanwhile {other}{faint:#}");
    }
    text
}

impl TreeJson {
    fn new(verdict: &Verdict) -> Self {
        let recorded = &verdict.recorded;
        let config = recorded.topology.config();
        let (word, breaks, difference) = match &verdict.finding {
            Finding::Conforms => ("conforms", Vec::new(), None),
            Finding::Breaks(violated) => ("breaks", violated.clone(), None),
            Finding::Breaches(..) => ("breaches", Vec::new(), None),
            Finding::Differs(difference) => ("differs", Vec::new(), Some(difference)),
            Finding::Undecided(difference) => ("undecided", Vec::new(), Some(difference)),
        };
        Self {
            root: root(recorded),
            tree: config.tree.to_string(),
            policy: recorded.named.policy,
            placement: config.placement,
            lines: recorded.lines(),
            verdict: word,
            breaks,
            difference: difference.map(|difference| DifferenceJson {
                place: difference.place.clone(),
                actor: difference.actor.clone(),
                input: difference.input.clone(),
                why: difference.why.clone(),
                recorded: difference.recorded.clone(),
                expected: difference.expected.clone(),
                others: difference.others.clone(),
            }),
            notes: verdict.notes.clone(),
            steps: verdict.steps.iter().map(|step| step.action).collect(),
        }
    }
}
