//! A counterexample as a file: JSON lines, the run first, then one concrete step a line.
//!
//! A trace holds actions, not indices or the state of a generator, so it stays readable and is
//! checked against whatever the code does now.

use crate::json_lines::{self, JsonLinesError};
use crate::monitor::{LinkBreach, TreeMonitor};
use crate::property::liveness::{Fairness, is_fair};
use crate::property::safety::{judge_state, judge_step};
use crate::property::{PropertyId, PropertyKind, PropertySet};
use crate::report::Counterexample;
use crate::tree::{Tree, TreeError};
use crate::world::config::BudgetError;
use crate::world::{
    Action, Config, Environment, Observation, Script, ScriptStep, System, Topology, WorldView,
};
use holdfast_protocol::Placement;
pub use holdfast_protocol::policy::NamedPolicy;
use holdfast_protocol::policy::{PolicyName, Rule};
use holdfast_protocol::{ActorId, DebugMode};
use serde::{Deserialize, Serialize};

/// The version of the format that this code writes and reads.
pub const VERSION: u32 = 1;

/// The first line: everything that stays fixed, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TraceHeader {
    /// The version of the format.
    pub holdfast_trace: u32,
    /// What the trace breaks; none for a walk that breaks nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaks: Option<PropertyId>,
    /// The tree in its notation.
    pub tree: String,
    /// The policy.
    pub policy: PolicyName,
    /// Rules taken out of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Rule>,
    /// The placement.
    pub placement: Placement,
    /// The actors in debug mode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub debug: Vec<String>,
    /// The faults allowed.
    pub faults: String,
    /// `recorded` for a run of real processes, which neither faults nor script bound.
    #[serde(default, skip_serializing_if = "Environment::is_bounded")]
    pub environment: Environment,
    /// The script, if the run had one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub script: Vec<ScriptStep>,
    /// How many of the last steps may repeat forever.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repeats: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A run and the steps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The run.
    pub header: TraceHeader,
    /// The steps.
    pub steps: Vec<Action>,
}

/// Why a trace cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file is not JSON lines of this kind.
    #[error(transparent)]
    Lines(#[from] JsonLinesError),
    /// Another version.
    #[error("the trace has version {0}, this program reads version {VERSION}")]
    Version(u32),
    /// The tree is none.
    #[error("failed to read the tree")]
    Tree(#[from] TreeError),
    /// The faults are none.
    #[error("failed to read the faults")]
    Faults(#[from] BudgetError),
    /// An actor of the header is not in the tree.
    #[error("`{0}` is in debug mode but not in the tree")]
    UnknownActor(String),
    /// A step cannot be taken.
    #[error("step {step} ({action}) is not possible there: the trace does not fit this code")]
    Impossible {
        /// Which step, counted from one.
        step: usize,
        /// What it says.
        action: String,
    },
    /// The steps are possible and break nothing.
    #[error("all {0} steps are possible, but `{1}` is not violated")]
    Harmless(usize, PropertyId),
    /// The script names an actor that is not in the tree.
    #[error("the script names actor {0}, which is not in the tree; the root is actor 0")]
    UnknownScriptActor(u32),
    /// More steps repeat than there are.
    #[error("the last {repeats} of {steps} steps cannot repeat: there are not so many")]
    TooManyRepeats {
        /// How many the header says.
        repeats: usize,
        /// How many there are.
        steps: usize,
    },
    /// The last steps do not lead back.
    #[error("the last {repeats} steps do not lead back to where step {from} begins")]
    NoRound {
        /// How many steps should repeat.
        repeats: usize,
        /// The first of them, counted from one.
        from: usize,
    },
    /// Something must still happen after the last step.
    #[error("`{property}` is not violated after step {steps}: {action} must still happen")]
    NotStuck {
        /// What should be violated.
        property: PropertyId,
        /// How many steps there are.
        steps: usize,
        /// What is possible and must happen in the end.
        action: String,
    },
}

impl TraceHeader {
    /// A run.
    #[must_use]
    pub fn new(config: &Config, named: &NamedPolicy, breaks: Option<PropertyId>) -> Self {
        let debugged = |id: &ActorId| config.debug[id.index()] == DebugMode::On;
        let names = config.tree.ids().filter(debugged).map(|id| config.tree.name(id).to_owned());
        Self {
            holdfast_trace: VERSION,
            breaks,
            tree: config.tree.to_string(),
            policy: named.policy,
            without: named.without.clone(),
            placement: config.placement,
            debug: names.collect(),
            faults: config.budget.to_string(),
            environment: config.environment,
            script: config.script.steps.clone(),
            repeats: 0,
        }
    }

    /// How the policy is named.
    #[must_use]
    pub fn named(&self) -> NamedPolicy {
        NamedPolicy { policy: self.policy, without: self.without.clone() }
    }

    /// The run.
    ///
    /// # Errors
    /// If the tree, the faults or a name is wrong.
    pub fn config(&self) -> Result<Config, TraceError> {
        let tree: Tree = self.tree.parse()?;
        let faults = self.faults.parse()?;
        let mut config = Config::new(tree, self.named().policy(), self.placement, faults);
        for name in &self.debug {
            let actor =
                config.tree.find(name).ok_or_else(|| TraceError::UnknownActor(name.clone()))?;
            config.debug[actor.index()] = DebugMode::On;
        }
        config.environment = self.environment;
        config.script = Script { steps: self.script.clone() };
        match config.script.actors().into_iter().find(|id| id.index() >= config.tree.len()) {
            Some(unknown) => Err(TraceError::UnknownScriptActor(unknown.0)),
            None => Ok(config),
        }
    }
}

impl Trace {
    /// A counterexample of a run.
    #[must_use]
    pub fn new(config: &Config, named: &NamedPolicy, found: &Counterexample) -> Self {
        let mut header = TraceHeader::new(config, named, Some(found.property));
        header.repeats = found.round.len();
        Self { header, steps: found.steps.iter().chain(&found.round).copied().collect() }
    }

    /// The run that the header describes.
    ///
    /// # Errors
    /// If the tree, the faults or a name is wrong.
    pub fn config(&self) -> Result<Config, TraceError> {
        self.header.config()
    }

    /// The file.
    #[must_use]
    pub fn to_text(&self) -> String {
        json_lines::write(&self.header, &self.steps)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If a line is not JSON of its kind, or the version is another.
    pub fn from_text(text: &str) -> Result<Self, TraceError> {
        let (header, steps) = json_lines::read::<TraceHeader>("a trace", text)?;
        if header.holdfast_trace != VERSION {
            return Err(TraceError::Version(header.holdfast_trace));
        }
        Ok(Self { header, steps: steps.parse()? })
    }
}

/// One step of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedStep {
    /// What happened.
    pub action: Action,
    /// What was done.
    pub observations: Vec<Observation>,
    /// Which properties the step, or the state behind it, breaks.
    pub violated: Vec<PropertyId>,
    /// What was said on the step that the contract of a link forbids.
    pub breach: Option<LinkBreach>,
}

/// Performs steps one by one and judges each.
///
/// # Errors
/// If a step is not possible where it stands.
pub fn perform(topology: &Topology, steps: &[Action]) -> Result<Vec<ReplayedStep>, TraceError> {
    perform_as_seen(topology, steps, |_, _| None)
}

/// Performs steps one by one and judges each, with what was seen of the states behind them.
///
/// `seen` is asked after each step, counted from one, and may give the state another look: where
/// reality was looked at, that is judged, and not what the model makes of it.
///
/// # Errors
/// If a step is not possible where it stands.
pub fn perform_as_seen(
    topology: &Topology,
    steps: &[Action],
    mut seen: impl FnMut(usize, &System) -> Option<System>,
) -> Result<Vec<ReplayedStep>, TraceError> {
    let (mut system, mut monitor) = (System::new(topology), TreeMonitor::default());
    let mut replayed = Vec::new();
    for (action, step) in steps.iter().zip(1..) {
        if !system.can(topology, *action) {
            return Err(TraceError::Impossible { step, action: format!("{action:?}") });
        }
        let before = system.clone();
        let observations = system.apply(topology, *action);
        let on_step = before.look(topology, |before| {
            system.look(topology, |after| judge_step(before, &observations, after).violated)
        });
        let behind = seen(step, &system);
        let behind = behind.as_ref().unwrap_or(&system).look(topology, judge_state_broken);
        let broken = (on_step | behind).members().collect();
        let breach = monitor.observe(topology, &observations).err();
        replayed.push(ReplayedStep { action: *action, observations, violated: broken, breach });
    }
    Ok(replayed)
}

fn judge_state_broken(view: &WorldView<'_>) -> PropertySet {
    judge_state(view).violated
}

/// What a replay has confirmed of what a trace claims.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The property is violated on this step, counted from one.
    Violated(usize),
    /// The last steps lead back to where they begin, so they may repeat forever.
    Repeats,
    /// After the last step nothing has to happen any longer.
    Stuck,
    /// The steps are possible; that no ending can be reached from there, only a search can show.
    Possible,
    /// The steps are possible, and the trace claims no more.
    Walk,
}

/// Confirms what a trace claims.
///
/// # Errors
/// If a step is not possible, or the property is not violated.
pub fn confirm(topology: &Topology, trace: &Trace) -> Result<Confirmed, TraceError> {
    let (steps, repeats) = (trace.steps.len(), trace.header.repeats);
    let replayed = perform(topology, &trace.steps)?;
    let Some(property) = trace.header.breaks else { return Ok(Confirmed::Walk) };
    if property.kind() == PropertyKind::Always {
        let fatal = replayed.iter().position(|step| step.violated.contains(&property));
        return match fatal {
            Some(place) => Ok(Confirmed::Violated(place + 1)),
            None => Err(TraceError::Harmless(steps, property)),
        };
    }
    if property.kind() == PropertyKind::CanAlwaysEnd {
        return Ok(Confirmed::Possible);
    }
    let stem = steps.checked_sub(repeats).ok_or(TraceError::TooManyRepeats { repeats, steps })?;
    let after = |count: usize| {
        let mut system = System::new(topology);
        for action in &trace.steps[..count] {
            let _ = system.apply(topology, *action);
        }
        system
    };
    let end = after(steps);
    if repeats > 0 {
        return if after(stem) == end {
            Ok(Confirmed::Repeats)
        } else {
            Err(TraceError::NoRound { repeats, from: stem + 1 })
        };
    }
    let fairness = property.obligation().map_or(Fairness::Everybody, |claim| claim.fairness);
    let must = end.look(topology, |view| {
        let fair = |action: &Action| is_fair(view, *action, fairness);
        end.enabled(topology).into_iter().find(fair)
    });
    match must {
        None => Ok(Confirmed::Stuck),
        Some(action) => {
            Err(TraceError::NotStuck { property, steps, action: format!("{action:?}") })
        }
    }
}
