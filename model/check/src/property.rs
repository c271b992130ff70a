//! What must hold: one value a property, one kebab-case id used everywhere.

pub mod liveness;
pub mod safety;

use crate::world::{Config, Fault};
use bitflags::bitflags;
use holdfast_protocol::policy::Rule;
use holdfast_protocol::{DebugMode, named};
use std::fmt;

/// The shape of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyKind {
    /// In every reachable state, or on every reachable step. Each has a premise, and a run in
    /// which the premise is never reached proves nothing.
    Always,
    /// Whenever the first, then in the end the second, under named fairness assumptions.
    LeadsTo,
    /// From every reachable state some ending can be reached.
    CanAlwaysEnd,
}

impl fmt::Display for PropertyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "always",
            Self::LeadsTo => "leads-to",
            Self::CanAlwaysEnd => "can-always-end",
        })
    }
}

/// The properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the statements stand in one place, PropertyId::statement")]
#[repr(u8)]
pub enum PropertyId {
    OnePrompt,
    AncestorsKnow,
    NoSignalUnderHold,
    NoCancelUnderHold,
    InterruptShielded,
    InterruptObeyed,
    NoPromptAfterCancel,
    ReleasedOnce,
    TerminalRestored,
    NoneLeft,
    NothingStale,
    NoAlarm,
    RequestAnswered,
    TeardownCompletes,
    InterruptWorksAgain,
    StopIsBounded,
    CanAlwaysEnd,
}

named! {
    PropertyId, "a property":
    OnePrompt => "one-prompt",
    AncestorsKnow => "ancestors-know",
    NoSignalUnderHold => "no-signal-under-hold",
    NoCancelUnderHold => "no-cancel-under-hold",
    InterruptShielded => "interrupt-shielded",
    InterruptObeyed => "interrupt-obeyed",
    NoPromptAfterCancel => "no-prompt-after-cancel",
    ReleasedOnce => "released-once",
    TerminalRestored => "terminal-restored",
    NoneLeft => "none-left",
    NothingStale => "nothing-stale",
    NoAlarm => "no-alarm",
    RequestAnswered => "request-answered",
    TeardownCompletes => "teardown-completes",
    InterruptWorksAgain => "interrupt-works-again",
    StopIsBounded => "stop-is-bounded",
    CanAlwaysEnd => "can-always-end",
}

impl PropertyId {
    /// The shape of the claim.
    #[must_use]
    pub fn kind(self) -> PropertyKind {
        match self {
            Self::OnePrompt
            | Self::AncestorsKnow
            | Self::NoSignalUnderHold
            | Self::NoCancelUnderHold
            | Self::InterruptShielded
            | Self::InterruptObeyed
            | Self::NoPromptAfterCancel
            | Self::ReleasedOnce
            | Self::TerminalRestored
            | Self::NoneLeft
            | Self::NothingStale
            | Self::NoAlarm => PropertyKind::Always,
            Self::RequestAnswered
            | Self::TeardownCompletes
            | Self::InterruptWorksAgain
            | Self::StopIsBounded => PropertyKind::LeadsTo,
            Self::CanAlwaysEnd => PropertyKind::CanAlwaysEnd,
        }
    }

    /// The claim in one sentence.
    #[must_use]
    pub fn statement(self) -> &'static str {
        match self {
            Self::OnePrompt => "at most one actor has an open prompt",
            Self::AncestorsKnow => "every live, connected ancestor of an open prompt holds for it",
            Self::NoSignalUnderHold => {
                "no SIGTERM or SIGKILL of a ladder goes to an actor that is, or has in its \
                 connected branch, an open prompt, unless the tree was told to stop and the grace \
                 is over"
            }
            Self::NoCancelUnderHold => {
                "nobody starts a teardown above a connected open prompt, unless the tree was told \
                 to stop and the grace is over"
            }
            Self::InterruptShielded => {
                "no actor acts on a Ctrl-C while a prompt is open anywhere, nor on a SIGINT of its \
                 own while one is open in its connected branch, unless the tree was told to stop \
                 and the grace is over"
            }
            Self::InterruptObeyed => {
                "a SIGINT that the root takes while no request is outstanding cancels the tree, or \
                 moves every ladder up one rung"
            }
            Self::NoPromptAfterCancel => {
                "no prompt opens in an actor that was told to end, unless the request is shielded"
            }
            Self::ReleasedOnce => {
                "a granted request owns the lock until its prompt can not open any more, and no \
                 longer than until its baton's end is read"
            }
            Self::TerminalRestored => {
                "when the tree has ended, the terminal modes are those from before"
            }
            Self::NoneLeft => {
                "when the root has ended, no descendant is left, alive or zombie (SIGKILL of the \
                 root aside)"
            }
            Self::NothingStale => {
                "when no prompt is open, no request waits and nothing is in flight, no actor has a \
                 hold or a shield and the terminal modes are those from before"
            }
            Self::NoAlarm => "no state that the code declares impossible is reached",
            Self::RequestAnswered => "a request is granted, refused or withdrawn",
            Self::TeardownCompletes => {
                "a tree whose root was told to end, or was killed, ends completely"
            }
            Self::InterruptWorksAgain => {
                "a Ctrl-C while no request is outstanding ends the tree, unless a new request comes"
            }
            Self::StopIsBounded => {
                "after SIGTERM, SIGHUP or SIGQUIT at the root the tree ends, even if nobody closes \
                 the prompt and no other actor does anything any more"
            }
            Self::CanAlwaysEnd => {
                "from every reachable state the tree can end, or come to rest where a Ctrl-C ends it"
            }
        }
    }

    /// What must be reached for the claim to say something; for a leads-to, what is assumed fair.
    #[must_use]
    pub fn antecedent(self) -> &'static str {
        match self {
            Self::OnePrompt => "a prompt is open while another actor wants one",
            Self::AncestorsKnow => "a prompt is open below the root",
            Self::NoSignalUnderHold => "a child on the ladder has an open prompt in its branch",
            Self::NoCancelUnderHold => "an actor above an open prompt was told to end",
            Self::InterruptShielded => "a SIGINT is taken while a prompt is open",
            Self::InterruptObeyed => "the root takes a SIGINT while no request is outstanding",
            Self::NoPromptAfterCancel => "an actor that was told to end gives up a request",
            Self::ReleasedOnce => "a prompt is open below the root",
            Self::TerminalRestored => "the tree has ended after a request",
            Self::NoneLeft => "the root has ended, not by SIGKILL",
            Self::NothingStale => "the tree is at rest after a request",
            Self::NoAlarm => "a state is reached",
            Self::RequestAnswered | Self::TeardownCompletes | Self::InterruptWorksAgain => {
                "fair: every move of tree and kernel, every armed timer, the person's continue; \
                 not fair: anything an actor does while at its prompt"
            }
            Self::StopIsBounded => "fair: moves of the root and the kernel, the root's timers",
            Self::CanAlwaysEnd => "none: some way out is enough",
        }
    }

    /// Whether a run can reach the premise at all, by what it allows.
    pub fn applies(self, config: &Config) -> Applies {
        if !config.script.steps.is_empty() {
            return Applies::Yes;
        }
        let has = |fault| config.budget.left(fault) > 0;
        let any = |faults: &[Fault]| faults.iter().any(|fault| has(*fault));
        let debugs = has(Fault::Error) && config.debug.contains(&DebugMode::On);
        let left = |fault| u16::from(config.budget.left(fault));
        let requests = left(Fault::Request) + left(Fault::Shielded);
        let asks = (requests > 0 || debugs, "a request");
        let nested = (config.tree.len() > 1, "an actor below the root");
        let deep = config.tree.height() > 1;
        let error = any(&[Fault::Error, Fault::ErrorUnexamined]);
        let ends = error || any(&[Fault::Interrupt, Fault::Cancel, Fault::Stop]);
        let child = has(Fault::CancelChild);
        let told = (ends || child, "a reason to end: interrupt, error, cancel or stop");
        let ends = (ends, "a reason to end: interrupt, error, cancel or stop");
        let interrupt = (has(Fault::Interrupt), "an interrupt");
        let needs = match self {
            Self::OnePrompt => vec![(requests > 1, "two requests"), nested],
            Self::AncestorsKnow | Self::ReleasedOnce => vec![asks, nested],
            Self::NoSignalUnderHold => {
                // On its way to a direct child a cancel is never overtaken by a grant.
                let late = deep || any(&[Fault::Shielded, Fault::Stop, Fault::CancelChild]);
                vec![
                    asks,
                    nested,
                    told,
                    (late, "a grandchild, a shielded request, a stop or cancel-child"),
                ]
            }
            Self::NoCancelUnderHold => {
                // A Ctrl-C at a root that holds is not taken at all.
                // A failure is examined first, and what is asked for meanwhile comes too late.
                let fails = (has(Fault::Error) && !debugs) || has(Fault::ErrorUnexamined);
                let above = deep || fails || any(&[Fault::Cancel, Fault::Stop]);
                vec![asks, nested, told, (above, "a grandchild, or a reason other than interrupt")]
            }
            Self::InterruptShielded => {
                let one = any(&[Fault::Interrupt, Fault::InterruptOne]);
                vec![asks, (one, "an interrupt")]
            }
            Self::InterruptObeyed | Self::InterruptWorksAgain => vec![interrupt],
            Self::NoPromptAfterCancel => vec![asks, nested, told],
            Self::TerminalRestored => vec![asks, ends],
            Self::NoneLeft => vec![ends],
            Self::TeardownCompletes => {
                vec![(ends.0 || has(Fault::KillRoot), "a reason to end, or kill-root")]
            }
            Self::NothingStale | Self::RequestAnswered => vec![asks],
            Self::StopIsBounded => vec![(has(Fault::Stop), "a stop")],
            Self::NoAlarm | Self::CanAlwaysEnd => vec![],
        };
        match needs.into_iter().find(|(met, _)| !met) {
            Some((_, needs)) => Applies::Needs(needs),
            None => Applies::Yes,
        }
    }
}

/// Whether a property says something about a run.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// It does.
    Yes,
    /// It does not: the run lacks this.
    Needs(&'static str),
}

bitflags! {
    /// A set of properties; the bit of a property is its number.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct PropertySet: u32 {
        /// Bits without a name of their own.
        const _ = !0;
    }
}

impl PropertySet {
    /// The set of one.
    #[must_use]
    pub fn of(property: PropertyId) -> Self {
        Self::from_bits_retain(1 << property as u8)
    }

    /// Whether a property is in it.
    #[must_use]
    pub fn has(self, property: PropertyId) -> bool {
        self.intersects(Self::of(property))
    }

    /// Its members, in order.
    pub fn members(self) -> impl Iterator<Item = PropertyId> {
        PropertyId::ALL.into_iter().filter(move |property| self.has(*property))
    }
}

impl FromIterator<PropertyId> for PropertySet {
    fn from_iter<I: IntoIterator<Item = PropertyId>>(properties: I) -> Self {
        properties.into_iter().fold(Self::default(), |set, property| set | Self::of(property))
    }
}

/// Which property catches each rule's mutant. Proved in `tests/mutants.rs`.
#[must_use]
pub fn guardian(rule: Rule) -> PropertyId {
    match rule {
        Rule::R1 => PropertyId::AncestorsKnow,
        Rule::R2 => PropertyId::OnePrompt,
        Rule::R3 => PropertyId::InterruptShielded,
        Rule::R4 => PropertyId::NoCancelUnderHold,
        Rule::R5 => PropertyId::NoSignalUnderHold,
        Rule::R6 => PropertyId::NoPromptAfterCancel,
        Rule::R7 => PropertyId::ReleasedOnce,
        Rule::R8 => PropertyId::InterruptShielded,
        Rule::R9 => PropertyId::NoneLeft,
        Rule::R10 => PropertyId::StopIsBounded,
        Rule::R11 => PropertyId::InterruptObeyed,
        Rule::R12 => PropertyId::NothingStale,
    }
}
