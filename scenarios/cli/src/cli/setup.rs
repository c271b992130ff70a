//! The arguments that describe a run and a search, and what becomes of them.

use super::named;
use clap::Args;
use holdfast_check::explore::{Options, StateReduction, StopWhen, SymmetryReduction};
use holdfast_check::trace::NamedPolicy;
use holdfast_check::tree::Tree;
use holdfast_check::world::{Budget, Config, Fault};
use holdfast_protocol::{DebugMode, Placement, PolicyName, Rule, named};
use std::num::NonZeroUsize;
use std::str::FromStr;

/// What is checked.
#[derive(Clone, Debug, Args)]
pub struct ModelArgs {
    /// The tree, for example 'root(mid(leaf),sib)'; a name with '?' is spawned later. Without it,
    /// the project's own suite is checked.
    #[arg(long, value_name = "TREE")]
    pub tree: Option<Tree>,
    /// The policy of every actor.
    #[arg(long, value_name = "POLICY", default_value = "relay", requires = "tree",
          value_parser = named::parser::<PolicyName>(), ignore_case = true)]
    pub policy: PolicyName,
    /// How often the environment may do what.
    #[arg(long, value_name = "FAULTS", default_value = "none", requires = "tree",
          help = faults_help())]
    pub faults: FaultArgs,
    /// How many breakpoints may be hit: the fault `request` [default: 1].
    #[arg(long, value_name = "N", requires = "tree")]
    pub requests: Option<u8>,
    /// Who gets a Ctrl-C: the root alone (own-session), or everybody (shared-group).
    #[arg(long, value_name = "PLACEMENT", default_value = "own-session", requires = "tree",
          value_parser = named::parser::<Placement>(), ignore_case = true)]
    pub placement: Placement,
    /// Takes a rule out of the policy; may be given more than once.
    #[arg(long, value_name = "RULE", value_delimiter = ',', requires = "tree",
          value_parser = named::parser::<Rule>(), ignore_case = true)]
    pub without: Vec<Rule>,
    /// An actor in debug mode, which examines its own crash at a prompt, or `all`; may be given
    /// more than once.
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "tree")]
    pub debug: Vec<String>,
}

/// How it is searched.
#[derive(Clone, Debug, Args)]
pub struct SearchArgs {
    /// How many threads [default: one a core].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
    /// How many states may be visited [default: 2^32].
    #[arg(long, value_name = "N", default_value_t = u64::from(u32::MAX),
          value_parser = clap::value_parser!(u64).range(1..=u64::from(u32::MAX)),
          hide_default_value = true)]
    pub max_states: u64,
    /// How much memory the visited states may occupy.
    #[arg(long, value_name = "SIZE", default_value = "4GiB")]
    pub max_memory: Memory,
    /// Whether interchangeable siblings count as one.
    #[arg(long, value_name = "WHETHER", default_value = "on",
          value_parser = named::parser::<Switch>())]
    pub symmetry: Switch,
    /// Tells states apart that differ in what cannot matter any longer; ten times the states, and
    /// the same verdicts.
    #[arg(long)]
    pub full: bool,
}

/// The graph that a switch `--full` asks for.
#[must_use]
pub fn graph(full: bool) -> StateReduction {
    if full { StateReduction::Off } else { StateReduction::On }
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// The switch is on.
    On,
    /// The switch is off.
    Off,
}

named! {
    Switch, "a switch":
    On => "on",
    Off => "off",
}

fn faults_help() -> String {
    let list = named::list::<Fault>();
    format!(
        "How often the environment may do what, as in interrupt=2,kill=1; the faults are {list}"
    )
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let threads = text.parse().ok().filter(|threads: &NonZeroUsize| threads.get() <= MOST_THREADS);
    threads.ok_or_else(|| {
        format!("`{text}` is not a number of threads; give one from 1 to {MOST_THREADS}")
    })
}

/// More would only wait for each other.
const MOST_THREADS: usize = 256;

/// A budget, and whether it says how many requests there are.
#[derive(Clone, Copy, Debug)]
pub struct FaultArgs {
    budget: Budget,
    requests: RequestCount,
}

/// Whether something was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequestCount {
    Named,
    Unnamed,
}

impl FromStr for FaultArgs {
    type Err = holdfast_check::world::config::BudgetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = |part: &str| {
            part.split_once('=').is_some_and(|(name, _)| name.trim() == Fault::Request.to_string())
        };
        let requests =
            if text.split(',').any(named) { RequestCount::Named } else { RequestCount::Unnamed };
        Ok(Self { budget: text.parse()?, requests })
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory(pub u64);

/// A text that is not a number of bytes.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an amount of memory; write for example 512MiB, 4GiB or 4000000000")]
pub struct UnknownMemory(String);

impl FromStr for Memory {
    type Err = UnknownMemory;

    fn from_str(text: &str) -> Result<Self, UnknownMemory> {
        let wrong = || UnknownMemory(text.to_owned());
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim() {
            "" | "B" => 1,
            "kB" | "KB" => 1000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" | "K" => 1 << 10,
            "MiB" | "M" => 1 << 20,
            "GiB" | "G" => 1 << 30,
            _ => return Err(wrong()),
        };
        let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        bytes.filter(|bytes| *bytes > 0).map(Self).ok_or_else(wrong)
    }
}

/// Arguments that do not fit each other.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Requests given in two places.
    #[error("--requests and `request=` in --faults say the same; leave one of them out")]
    RequestsTwice,
    /// Debug mode for nobody.
    #[error("--debug names `{name}`, which is not in the tree; its actors are {actors}, or `all`")]
    UnknownActor {
        /// What was named.
        name: String,
        /// Who is there.
        actors: String,
    },
}

impl ModelArgs {
    /// The run, if a tree is given.
    ///
    /// # Errors
    /// If arguments do not fit each other.
    pub fn run(&self) -> Result<Option<(Config, NamedPolicy)>, SetupError> {
        let Some(tree) = self.tree.clone() else { return Ok(None) };
        let budget = match (self.requests, self.faults.requests) {
            (Some(_), RequestCount::Named) => return Err(SetupError::RequestsTwice),
            (Some(requests), RequestCount::Unnamed) => {
                self.faults.budget.with(Fault::Request, requests)
            }
            (None, RequestCount::Named) => self.faults.budget,
            (None, RequestCount::Unnamed) => self.faults.budget.with(Fault::Request, 1),
        };
        let named = NamedPolicy { policy: self.policy, without: self.without.clone() };
        let mut config = Config::new(tree, named.policy(), self.placement, budget);
        for name in &self.debug {
            match config.tree.find(name) {
                Some(actor) => config.debug[actor.index()] = DebugMode::On,
                None if name == "all" => config.debug.fill(DebugMode::On),
                None => {
                    let names: Vec<_> = config.tree.ids().map(|id| config.tree.name(id)).collect();
                    let actors = names.join(", ");
                    return Err(SetupError::UnknownActor { name: name.clone(), actors });
                }
            }
        }
        Ok(Some((config, named)))
    }
}

impl SearchArgs {
    /// How to search.
    #[must_use]
    pub fn options(&self, until: StopWhen) -> Options {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Options {
            threads: self.threads.unwrap_or_else(cores),
            max_states: self.max_states,
            max_bytes: self.max_memory.0,
            symmetry: match self.symmetry {
                Switch::On => SymmetryReduction::On,
                Switch::Off => SymmetryReduction::Off,
            },
            reduction: graph(self.full),
            until,
            ..Options::default()
        }
    }
}

/// The command that checks a run again.
#[must_use]
pub fn command(config: &Config, named: &NamedPolicy) -> String {
    let mut words = vec![
        format!("holdfast check --tree '{}'", config.tree),
        format!("--policy {}", named.policy),
        format!("--placement {}", config.placement),
    ];
    words.extend(named.without.iter().map(|rule| format!("--without {rule}")));
    let debugged = |id: &holdfast_protocol::ActorId| config.debug[id.index()] == DebugMode::On;
    let names: Vec<_> = config.tree.ids().filter(debugged).map(|id| config.tree.name(id)).collect();
    if !names.is_empty() {
        words.push(format!("--debug {}", names.join(",")));
    }
    let requests = config.budget.left(Fault::Request);
    words.push(format!("--requests {requests}"));
    let faults = config.budget.with(Fault::Request, 0);
    if faults != Budget::NONE {
        words.push(format!("--faults {faults}"));
    }
    words.join(" ")
}
