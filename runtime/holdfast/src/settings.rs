//! What a tree runs under: policy, placement, debug mode, grace periods; and what the environment
//! may change.
//!
//! Read once, in the root; every actor gets them from its supervisor when it boots. None of them
//! weakens the protection of a prompt: `HOLDFAST_DEBUG=off` opens none, and a tree runs under relay
//! whatever is set. A value that is not listed is an error, and nothing runs.
//!
//! | variable | values |
//! |---|---|
//! | `HOLDFAST_DEBUG` | `on`: every failure opens a prompt; `off`: no failure and no breakpoint does |
//! | `HOLDFAST_NO_TERMINAL` | `report`, `script:FILE`, `wait:SECONDS`: what a prompt does without a terminal |
//! | `HOLDFAST_PLACEMENT` | `own-session`, `shared-group` |

use holdfast_protocol::name::UnknownName;
use holdfast_protocol::{NamedPolicy, Placement, Policy, PolicyName};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// Whether failures and breakpoints open prompts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Debugging {
    /// Breakpoints open a prompt, failures do not.
    #[default]
    Breakpoints,
    /// Failures open a post-mortem prompt too: in the failing actor first, then in each supervisor.
    Failures,
    /// Nothing does: a breakpoint is passed at once.
    Off,
}

/// What a prompt does where there is no terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoTerminal {
    /// Write a report to the standard error and go on.
    #[default]
    Report,
    /// Take the commands from a file, one a line.
    Script(PathBuf),
    /// Keep the actor at its prompt for so long (to attach another debugger), then go on.
    Wait(Duration),
}

/// The grace periods. Each is a lower bound; while the tree is stopped (Ctrl-Z) they stand still.
///
/// ```
/// let mut timing = holdfast::Timing::default();
/// timing.grace = std::time::Duration::from_secs(5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timing {
    /// What a leaf gets on each rung of the ladder (cancel, SIGTERM) before the next. A supervisor
    /// gets as much again for each level below it, so that it is not killed while it reaps.
    pub grace: Duration,
    /// What the holder of the terminal gets to close its prompt after SIGTERM at the root.
    pub stop: Duration,
    /// What an actor's own code gets to end after a cancel, before its process ends without it.
    pub body: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(2),
            stop: Duration::from_secs(3),
            body: Duration::from_secs(1),
        }
    }
}

impl Timing {
    /// The longest grace period, whatever the depth of the tree.
    pub const LONGEST: Duration = Duration::from_secs(300);

    /// What the processes below a root that was killed have until they are killed too.
    #[must_use]
    pub(crate) fn after_root(&self) -> Duration {
        self.grace.saturating_add(self.stop).saturating_add(self.body)
    }

    /// The grace of a child that has `levels` levels of actors below it.
    #[must_use]
    pub(crate) fn grace_of(&self, levels: u32) -> Duration {
        let factor = levels.saturating_add(1);
        self.grace.saturating_mul(factor).min(Self::LONGEST.max(self.grace))
    }
}

/// What actors are told when they boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) policy: NamedPolicy,
    pub(crate) placement: Placement,
    pub(crate) timing: Timing,
    pub(crate) debugging: Debugging,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: PolicyName::Relay.into(),
            placement: Placement::OwnSession,
            timing: Timing::default(),
            debugging: Debugging::default(),
        }
    }
}

impl Settings {
    pub(crate) fn policy(&self) -> Policy {
        self.policy.policy()
    }
}

/// A variable of the environment that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name}={value}: {expected}")]
#[non_exhaustive]
pub struct BadVariable {
    /// Its name.
    pub name: &'static str,
    /// What it is set to.
    pub value: String,
    /// What it may be set to.
    pub expected: String,
}

fn read<T>(
    name: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, BadVariable> {
    let Some(value) = std::env::var_os(name) else { return Ok(None) };
    let text = value.to_string_lossy().into_owned();
    match parse(&text) {
        Ok(value) => Ok(Some(value)),
        Err(expected) => Err(BadVariable { name, value: text, expected }),
    }
}

fn parse_no_terminal(text: &str) -> Result<NoTerminal, String> {
    match text.split_once(':') {
        None if text == "report" => Ok(NoTerminal::Report),
        Some(("script", file)) if !file.is_empty() => Ok(NoTerminal::Script(file.into())),
        Some(("wait", seconds)) => match seconds.parse::<f64>() {
            Ok(seconds) if seconds.is_finite() && (0.0..=1e9).contains(&seconds) => {
                Ok(NoTerminal::Wait(Duration::from_secs_f64(seconds)))
            }
            _ => Err("write the seconds as a number, for example `wait:60`".into()),
        },
        _ => Err("choose `report`, `script:FILE` or `wait:SECONDS`".into()),
    }
}

/// Lets the environment override what the program has set.
pub(crate) fn from_environment(
    settings: &mut Settings,
    no_terminal: &mut NoTerminal,
) -> Result<(), BadVariable> {
    let debug = read("HOLDFAST_DEBUG", |text| match text {
        "on" => Ok(Debugging::Failures),
        "off" => Ok(Debugging::Off),
        _ => Err("choose `on` or `off`".into()),
    })?;
    settings.debugging = debug.unwrap_or(settings.debugging);
    // Not a setting. Who believes that it is one must not take what follows for another policy.
    read("HOLDFAST_POLICY", |text| match text {
        "relay" => Ok(()),
        _ => Err("a tree runs under `relay` alone; unset it".into()),
    })?;
    let placement = read("HOLDFAST_PLACEMENT", |text| {
        text.parse().map_err(|error: UnknownName| error.to_string())
    })?;
    settings.placement = placement.unwrap_or(settings.placement);
    if let Some(value) = read("HOLDFAST_NO_TERMINAL", parse_no_terminal)? {
        *no_terminal = value;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_without_a_terminal_is_read_or_refused() {
        let wait = |seconds| Ok(NoTerminal::Wait(Duration::from_secs_f64(seconds)));
        let table = [
            ("report", Ok(NoTerminal::Report)),
            ("script:a b.txt", Ok(NoTerminal::Script("a b.txt".into()))),
            ("wait:1.5", wait(1.5)),
            ("wait:-1", Err(())),
            ("wait:", Err(())),
            ("script:", Err(())),
            ("", Err(())),
        ];
        for (text, expected) in table {
            assert_eq!(parse_no_terminal(text).map_err(|_| ()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_supervisor_is_killed_a_leafs_two_rungs_after_it_would_have_killed_its_child() {
        let timing = Timing::default();
        for levels in 0..40 {
            let (child, supervisor) = (timing.grace_of(levels), timing.grace_of(levels + 1));
            assert_eq!(supervisor * 2, child * 2 + timing.grace * 2, "{levels}");
        }
        assert_eq!(timing.grace_of(u32::MAX), Timing::LONGEST);
    }
}
