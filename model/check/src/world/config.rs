//! What stays fixed during a run: the tree, the policy, the faults allowed, the script.

use super::action::Fault;
use super::script::Script;
use crate::tree::Tree;
use holdfast_protocol::{DebugMode, Placement, Policy, Renaming, UnknownName, named};
use std::{fmt, str::FromStr};

/// How much the environment may still do. Shrinks as it does it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Budget {
    left: [u8; Fault::ALL.len()],
}

impl Budget {
    /// Nothing at all.
    pub const NONE: Self = Self { left: [0; Fault::ALL.len()] };

    /// The same budget with `count` of one kind.
    #[must_use]
    pub fn with(mut self, fault: Fault, count: u8) -> Self {
        self.left[fault as usize] = count;
        self
    }

    /// How many of one kind are left.
    #[must_use]
    pub fn left(&self, fault: Fault) -> u8 {
        self.left[fault as usize]
    }

    /// Takes one of a kind.
    ///
    /// # Panics
    /// If none is left.
    pub fn spend(&mut self, fault: Fault) {
        let left = &mut self.left[fault as usize];
        *left = left.checked_sub(1).expect("a fault was injected beyond the budget");
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for fault in Fault::ALL {
            if self.left(fault) > 0 {
                write!(f, "{comma}{fault}={}", self.left(fault))?;
                comma = ",";
            }
        }
        if comma.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

/// Why a budget cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BudgetError {
    /// No `=`.
    #[error("expected a fault and a number as in `interrupt=2,kill=1`, found `{0}`")]
    NoNumber(String),
    /// Not a small number.
    #[error("`{fault}={number}`: expected a number from 0 to 255, found `{number}`")]
    BadNumber {
        /// The fault.
        fault: String,
        /// What stands for the number.
        number: String,
    },
    /// Not a fault.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// The same fault twice.
    #[error("`{0}` is given twice")]
    Twice(String),
}

impl FromStr for Budget {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Self, BudgetError> {
        let mut budget = Self::NONE;
        let mut seen = Vec::new();
        if text == "none" {
            return Ok(budget);
        }
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let (name, number) =
                item.split_once('=').ok_or_else(|| BudgetError::NoNumber(item.to_owned()))?;
            let (name, number) = (name.trim(), number.trim());
            let fault: Fault = name.parse()?;
            if seen.contains(&fault) {
                return Err(BudgetError::Twice(name.to_owned()));
            }
            seen.push(fault);
            let count = number.parse().map_err(|_| BudgetError::BadNumber {
                fault: name.to_owned(),
                number: number.to_owned(),
            })?;
            budget = budget.with(fault, count);
        }
        Ok(budget)
    }
}

/// What bounds the environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Environment {
    /// The budget and the script, and it does nothing that would change nothing.
    #[default]
    Bounded,
    /// Nothing: what it did was recorded ([`super::recorded`]).
    Recorded,
}

named! {
    Environment, "an environment":
    Bounded => "bounded",
    Recorded => "recorded",
}

impl Environment {
    /// Whether it needs no mention.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        *self == Self::Bounded
    }
}

/// What a host owes to the tree beside the protocol. All but the first are mutants, which some
/// property must catch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HostRule {
    /// The host asks whenever its program is stopped, and takes the foreground back before its prompt
    /// is over.
    #[default]
    Kept,
    /// The host leaves its program in the foreground when its prompt is over.
    ForegroundLeft,
    /// The host does not ask anew for a program that it has taken the foreground from.
    AskedOnce,
}

/// Everything that stays fixed during a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The tree.
    pub tree: Tree,
    /// The policy of every actor.
    pub policy: Policy,
    /// Who is in the foreground.
    pub placement: Placement,
    /// Debug mode of each actor, in tree order.
    pub debug: Vec<DebugMode>,
    /// What the environment may do when it likes.
    pub budget: Budget,
    /// What the environment does in order.
    pub script: Script,
    /// Whether budget and script bound it.
    pub environment: Environment,
    /// What hosts do.
    pub hosts: HostRule,
}

impl Config {
    /// A run without script, with debug mode off everywhere.
    #[must_use]
    pub fn new(tree: Tree, policy: Policy, placement: Placement, budget: Budget) -> Self {
        let debug = vec![DebugMode::Off; tree.len()];
        let (script, environment) = (Script::default(), Environment::default());
        let hosts = HostRule::default();
        Self { tree, policy, placement, debug, budget, script, environment, hosts }
    }

    /// The renamings under which this run stays the same: of the tree, of debug modes, and none of
    /// an actor that the script names.
    #[must_use]
    pub fn symmetries(&self) -> Vec<Renaming> {
        let named = self.script.actors();
        let mut all = self.tree.renamings(&named);
        all.retain(|by| {
            self.tree.ids().all(|id| self.debug[id.index()] == self.debug[by.actor(id).index()])
        });
        all
    }
}
