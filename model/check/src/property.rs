//! What must hold: one table, one row a property, one kebab-case id used everywhere.
//!
//! A new property is a row of the table below and the function that it names ([`safety`],
//! [`liveness`]). Parsers, help, schemas, the suite, vacuity and reports follow from the row; a
//! test demands the row of the documentation, and that something violates it.

pub mod bounds;
pub mod liveness;
pub mod safety;

use crate::world::{Config, Fault};
use bitflags::bitflags;
use bounds::{Bounds, Requirement};
use holdfast_protocol::named;
use holdfast_protocol::policy::Rule;
use liveness::Obligation;
use safety::{StateCheck, StepCheck};

/// Everything that is to be said about a property.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// The claim in one sentence.
    pub statement: &'static str,
    /// What must be reached for the claim to say something; for a leads-to, what is assumed fair.
    pub antecedent: &'static str,
    /// The claim itself.
    pub claim: Claim,
    /// What a run without a script must allow for the antecedent to be reachable.
    pub requires: fn(Bounds<'_>) -> Vec<Requirement>,
    /// The rules whose mutants it must catch (`tests/mutants.rs`).
    pub guards: &'static [Rule],
}

/// A claim and what decides it.
#[derive(Clone, Copy, Debug)]
pub enum Claim {
    /// In every reachable state, or on every reachable step. Each has an antecedent, and a run in
    /// which that is never reached proves nothing.
    Always(AlwaysClaim),
    /// Whenever the first, then in the end the second, under named fairness assumptions.
    LeadsTo(Obligation),
    /// From every reachable state some ending can be reached.
    CanAlwaysEnd,
}

/// What decides an always-property; at least one of the two.
#[derive(Clone, Copy, Debug)]
pub struct AlwaysClaim {
    /// Asked of every state.
    pub in_states: Option<StateCheck>,
    /// Asked of every step on which something was observed that it reads.
    pub on_steps: Option<StepCheck>,
}

const fn in_states(check: StateCheck) -> Claim {
    Claim::Always(AlwaysClaim { in_states: Some(check), on_steps: None })
}

const fn on_steps(check: StepCheck) -> Claim {
    Claim::Always(AlwaysClaim { in_states: None, on_steps: Some(check) })
}

const fn in_both(state: StateCheck, step: StepCheck) -> Claim {
    Claim::Always(AlwaysClaim { in_states: Some(state), on_steps: Some(step) })
}

/// Makes the ids and the table out of the rows.
macro_rules! properties {
    ($($id:ident = $name:literal { $($field:ident: $value:expr),+ $(,)? })+) => {
        /// The properties, in the order of the documentation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum PropertyId {
            $(#[doc = concat!("`", $name, "`")] $id,)+
        }

        named! { PropertyId, "a property": $($id => $name,)+ }

        /// The rows, in the order of [`PropertyId::ALL`].
        pub static TABLE: [Property; PropertyId::ALL.len()] = [
            $(Property { $($field: $value),+ },)+
        ];
    };
}

properties! {
    OnePrompt = "one-prompt" {
        statement: "at most one actor is at a prompt: its own, or that of a program in the foreground",
        antecedent: "a prompt is open while another actor wants one",
        claim: in_states(safety::one_prompt),
        requires: |run| vec![run.two_requests(), run.an_actor_below()],
        guards: &[Rule::R2],
    }
    AncestorsKnow = "ancestors-know" {
        statement: "every live, connected ancestor of an open prompt holds for it",
        antecedent: "a prompt is open below the root",
        claim: in_states(safety::ancestors_know),
        requires: |run| vec![run.a_request(), run.an_actor_below()],
        guards: &[Rule::R1],
    }
    NoSignalUnderHold = "no-signal-under-hold" {
        statement: "no SIGTERM or SIGKILL of a ladder goes to an actor that is, or has in its \
            connected branch, an open prompt, unless the tree was told to stop and the grace is \
            over",
        antecedent: "a child on the ladder has an open prompt in its branch",
        claim: in_both(safety::ladder_under_prompt, safety::NO_SIGNAL_UNDER_HOLD),
        requires: |run| {
            // On its way to a direct child a cancel is never overtaken by a grant.
            let late = [Fault::Shielded, Fault::Stop, Fault::CancelChild];
            let late = (
                run.is_deep() || run.any(&late),
                "a grandchild, a shielded request, a stop or cancel-child",
            );
            vec![run.a_request(), run.an_actor_below(), run.a_reason_for_any(), late]
        },
        guards: &[Rule::R5],
    }
    NoCancelUnderHold = "no-cancel-under-hold" {
        statement: "nobody starts a teardown above a connected open prompt, unless the tree was told \
            to stop and the grace is over",
        antecedent: "an actor above an open prompt was told to end",
        claim: in_both(safety::cancelled_above_prompt, safety::NO_CANCEL_UNDER_HOLD),
        requires: |run| {
            // A Ctrl-C at a root that holds is not taken at all. A failure is examined first, and
            // what is asked for meanwhile comes too late.
            let examined_first = run.any(&[Fault::Error]) && !run.examines();
            let others = [Fault::ErrorUnexamined, Fault::Cancel, Fault::Stop];
            let above = (
                run.is_deep() || examined_first || run.any(&others),
                "a grandchild, or a reason other than interrupt",
            );
            vec![run.a_request(), run.an_actor_below(), run.a_reason_for_any(), above]
        },
        guards: &[Rule::R4],
    }
    InterruptShielded = "interrupt-shielded" {
        statement: "no actor acts on a Ctrl-C while a prompt is open anywhere, nor on a SIGINT of its \
            own while one is open in its connected branch, unless the tree was told to stop \
            and the grace is over",
        antecedent: "a SIGINT is taken while a prompt is open",
        claim: on_steps(safety::INTERRUPT_SHIELDED),
        requires: |run| {
            let interrupts = run.any(&[Fault::Interrupt, Fault::InterruptOne]);
            vec![run.a_request(), (interrupts, "an interrupt")]
        },
        guards: &[Rule::R3, Rule::R8],
    }
    InterruptObeyed = "interrupt-obeyed" {
        statement: "a SIGINT that the root takes while no request is outstanding cancels the tree, or \
            moves every ladder up one rung",
        antecedent: "the root takes a SIGINT while no request is outstanding",
        claim: on_steps(safety::INTERRUPT_OBEYED),
        requires: |run| vec![(run.any(&[Fault::Interrupt]), "an interrupt")],
        guards: &[Rule::R11],
    }
    NoPromptAfterCancel = "no-prompt-after-cancel" {
        statement: "no prompt opens in an actor that was told to end, unless the request is shielded",
        antecedent: "an actor that was told to end gives up a request",
        claim: on_steps(safety::NO_PROMPT_AFTER_CANCEL),
        requires: |run| vec![run.a_request(), run.an_actor_below(), run.a_reason_for_any()],
        guards: &[Rule::R6],
    }
    ReleasedOnce = "released-once" {
        statement: "a granted request owns the lock until its prompt cannot open any longer, and no \
            longer than until its baton's end is read",
        antecedent: "a prompt is open below the root",
        claim: in_states(safety::released_once),
        requires: |run| vec![run.a_request(), run.an_actor_below()],
        guards: &[Rule::R7],
    }
    TerminalRestored = "terminal-restored" {
        statement: "when the tree has ended, the terminal modes are those from before",
        antecedent: "the tree has ended after a request",
        claim: in_states(safety::terminal_restored),
        requires: |run| vec![run.a_request(), run.a_reason_to_end()],
        guards: &[],
    }
    NoneLeft = "none-left" {
        statement: "when the root has ended, no descendant is left, alive or zombie (SIGKILL of the \
            root aside)",
        antecedent: "the root has ended, not by SIGKILL",
        claim: in_states(safety::none_left),
        requires: |run| vec![run.a_reason_to_end()],
        guards: &[Rule::R9],
    }
    NothingStale = "nothing-stale" {
        statement: "when no prompt is open, no request waits and nothing is in flight, no actor has a \
            hold or a shield and the terminal modes are those from before",
        antecedent: "the tree is at rest after a request",
        claim: in_states(safety::nothing_stale),
        requires: |run| vec![run.a_request()],
        guards: &[Rule::R12],
    }
    NoAlarm = "no-alarm" {
        statement: "no state that the code declares impossible is reached",
        antecedent: "a state is reached",
        claim: in_both(safety::any_state, safety::NO_ALARM),
        requires: |_| Vec::new(),
        guards: &[],
    }
    RequestAnswered = "request-answered" {
        statement: "a request is granted, refused or withdrawn; a program that the kernel stops because it \
            reads gets the foreground or ends",
        antecedent: FAIR_EVERYBODY,
        claim: Claim::LeadsTo(liveness::REQUEST_ANSWERED),
        requires: |run| vec![run.a_request()],
        guards: &[],
    }
    TeardownCompletes = "teardown-completes" {
        statement: "a tree whose root was told to end, or was killed, ends completely",
        antecedent: FAIR_EVERYBODY,
        claim: Claim::LeadsTo(liveness::TEARDOWN_COMPLETES),
        requires: |run| vec![(run.ends() || run.any(&[Fault::KillRoot]), "a reason to end, or kill-root")],
        guards: &[],
    }
    InterruptWorksAgain = "interrupt-works-again" {
        statement: "a Ctrl-C while no request is outstanding ends the tree, unless a new request comes",
        antecedent: FAIR_EVERYBODY,
        claim: Claim::LeadsTo(liveness::INTERRUPT_WORKS_AGAIN),
        requires: |run| vec![(run.any(&[Fault::Interrupt]), "an interrupt")],
        guards: &[],
    }
    StopIsBounded = "stop-is-bounded" {
        statement: "after SIGTERM, SIGHUP or SIGQUIT at the root the tree ends, even if nobody closes \
            the prompt and no other actor does anything any longer",
        antecedent: "fair: moves of the root and the kernel, the root's timers",
        claim: Claim::LeadsTo(liveness::STOP_IS_BOUNDED),
        requires: |run| vec![(run.any(&[Fault::Stop]), "a stop")],
        guards: &[Rule::R10],
    }
    CanAlwaysEnd = "can-always-end" {
        statement: "from every reachable state the tree can end, or come to rest where a Ctrl-C ends it",
        antecedent: "none: some way out is enough",
        claim: Claim::CanAlwaysEnd,
        requires: |_| Vec::new(),
        guards: &[],
    }
}

/// What a leads-to relies on if everybody is fair.
const FAIR_EVERYBODY: &str = "fair: every step of tree and kernel, every armed timer, the person's \
    continue; not fair: anything an actor does while at its prompt";

/// The shape of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyKind {
    /// [`Claim::Always`].
    Always,
    /// [`Claim::LeadsTo`].
    LeadsTo,
    /// [`Claim::CanAlwaysEnd`].
    CanAlwaysEnd,
}

named! {
    PropertyKind, "a kind of property":
    Always => "always",
    LeadsTo => "leads-to",
    CanAlwaysEnd => "can-always-end",
}

impl PropertyId {
    /// Its row.
    #[must_use]
    pub fn row(self) -> &'static Property {
        &TABLE[self as usize]
    }

    /// The shape of the claim.
    #[must_use]
    pub fn kind(self) -> PropertyKind {
        match self.row().claim {
            Claim::Always(_) => PropertyKind::Always,
            Claim::LeadsTo(_) => PropertyKind::LeadsTo,
            Claim::CanAlwaysEnd => PropertyKind::CanAlwaysEnd,
        }
    }

    /// What decides it, if it is an always-property.
    #[must_use]
    pub fn always(self) -> Option<AlwaysClaim> {
        match self.row().claim {
            Claim::Always(claim) => Some(claim),
            Claim::LeadsTo(_) | Claim::CanAlwaysEnd => None,
        }
    }

    /// What it obliges a run to, if it is a leads-to.
    #[must_use]
    pub fn obligation(self) -> Option<Obligation> {
        match self.row().claim {
            Claim::LeadsTo(obligation) => Some(obligation),
            Claim::Always(_) | Claim::CanAlwaysEnd => None,
        }
    }

    /// The claim in one sentence.
    #[must_use]
    pub fn statement(self) -> &'static str {
        self.row().statement
    }

    /// What must be reached for the claim to say something; for a leads-to, what is assumed fair.
    #[must_use]
    pub fn antecedent(self) -> &'static str {
        self.row().antecedent
    }

    /// Whether a run can reach the antecedent at all, by what it allows.
    pub fn applies(self, config: &Config) -> Applies {
        if !config.script.steps.is_empty() {
            return Applies::Yes;
        }
        let requirements = (self.row().requires)(Bounds::of(config));
        match requirements.into_iter().find(|(met, _)| !met) {
            Some((_, what)) => Applies::Needs(what),
            None => Applies::Yes,
        }
    }
}

/// Whether a property says something about a run.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// The property applies.
    Yes,
    /// The property does not apply: the run lacks this.
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

/// The property that catches the mutant of a rule. Proved in `tests/mutants.rs`.
///
/// # Panics
/// If no row of the table names the rule.
#[must_use]
pub fn guardian(rule: Rule) -> PropertyId {
    let mut guards = PropertyId::ALL.into_iter();
    let found = guards.find(|property| property.row().guards.contains(&rule));
    found.unwrap_or_else(|| panic!("no property guards {rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_one_guardian() {
        for rule in Rule::ALL {
            let guards = |property: &&Property| property.guards.contains(&rule);
            assert_eq!(TABLE.iter().filter(guards).count(), 1, "{rule}");
        }
    }

    #[test]
    fn each_always_property_is_asked_of_something() {
        for property in PropertyId::ALL {
            let asked = |claim: AlwaysClaim| claim.in_states.is_some() || claim.on_steps.is_some();
            assert!(property.always().is_none_or(asked), "{property}");
        }
    }
}
