//! From a case to runs of the model.

use super::{Case, CaseVariant, Step};
use crate::expect::Expectation;
use crate::on_live::LiveMode;
use holdfast_check::tree::Tree;
use holdfast_check::world::{Config, Script};
use holdfast_protocol::Placement;
use holdfast_protocol::policy::{NamedPolicy, PolicyName, Rule};
use holdfast_protocol::{ActorId, DebugMode};

/// One run of a case: a policy, a placement, a variant.
#[derive(Clone, Debug)]
pub struct CaseRun {
    /// The policy.
    pub policy: PolicyName,
    /// The rules that are taken out of it: none in a case.
    pub without: Vec<Rule>,
    /// The name of the variant; none for the case itself.
    pub variant: Option<String>,
    /// What is claimed.
    pub expectation: Expectation,
    /// The run of the model.
    pub config: Config,
    /// Whether its counterexample is kept beside the case.
    pub golden: Golden,
    /// Whether a failure is to be seen on real processes.
    pub live_mode: LiveMode,
}

impl CaseRun {
    /// What its tree runs under.
    #[must_use]
    pub fn named(&self) -> NamedPolicy {
        NamedPolicy { policy: self.policy, without: self.without.clone() }
    }
}

/// Whether the counterexample of a run is kept beside the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Golden {
    /// The counterexample is kept: the case itself, in its first placement.
    Kept,
    /// No counterexample is kept.
    No,
}

impl Case {
    /// Every run of the case.
    ///
    /// # Panics
    /// If the case has mistakes: [`super::load`] gives none that does.
    #[must_use]
    pub fn runs(&self) -> Vec<CaseRun> {
        let mut runs = Vec::new();
        for policy in PolicyName::ALL {
            for variant in std::iter::once(None).chain(self.variant.iter().map(Some)) {
                self.add_runs(policy, variant, &mut runs);
            }
        }
        runs
    }

    fn add_runs(&self, policy: PolicyName, variant: Option<&CaseVariant>, runs: &mut Vec<CaseRun>) {
        let other = variant.and_then(|variant| variant.expect.of(policy));
        let Some(expectation) = other.or_else(|| self.expect.of(policy)) else { return };
        let chosen = variant.and_then(|variant| variant.placement);
        let placements = chosen.map_or_else(|| self.placement.clone(), |one| vec![one]);
        for (index, placement) in placements.into_iter().enumerate() {
            let golden = match (variant, index) {
                (None, 0) => Golden::Kept,
                _ => Golden::No,
            };
            runs.push(CaseRun {
                policy,
                without: Vec::new(),
                variant: variant.map(|variant| variant.name.clone()),
                expectation: expectation.clone(),
                config: self.config(variant, policy, placement),
                golden,
                live_mode: self.live_mode(policy, variant),
            });
        }
    }

    fn live_mode(&self, policy: PolicyName, variant: Option<&CaseVariant>) -> LiveMode {
        let name = variant.map_or(BASE, |variant| &variant.name);
        let here = |forced: &&super::Forced| {
            forced.policy == policy
                && (forced.runs.is_empty() || forced.runs.iter().any(|one| one == name))
        };
        match self.forced.iter().find(here) {
            None => LiveMode::ByItself,
            Some(_) => LiveMode::Forced,
        }
    }

    fn config(
        &self,
        variant: Option<&CaseVariant>,
        policy: PolicyName,
        place: Placement,
    ) -> Config {
        let tree: Tree = self.tree.parse().expect("checked when loaded");
        let faults = variant.and_then(|variant| variant.faults).unwrap_or(self.faults);
        let steps = self.steps(variant);
        let actor = |step: &Step| {
            step.actor().map_or(ActorId(0), |name| tree.find(name).expect("checked when loaded"))
        };
        let steps = steps.iter().filter_map(|step| step.script_step(actor(step))).collect();
        let mut config = Config::new(tree.clone(), policy.policy(), place, faults.budget());
        config.script = Script { steps };
        for name in &self.debug {
            let actor = tree.find(name).expect("checked when loaded");
            config.debug[actor.index()] = DebugMode::On;
        }
        config
    }

    /// The steps of the case, or of a variant of it.
    #[must_use]
    pub fn steps(&self, variant: Option<&CaseVariant>) -> Vec<Step> {
        let mut steps = Vec::new();
        for step in &self.step {
            match (step, variant) {
                (Step::Mark { name }, Some(variant)) => {
                    steps.extend(variant.insert.get(name).into_iter().flatten().cloned());
                }
                (Step::Mark { .. }, None) => {}
                (other, _) => steps.push(other.clone()),
            }
        }
        steps
    }
}

/// How the case itself is called among its variants.
pub const BASE: &str = "base";
