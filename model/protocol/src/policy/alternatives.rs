//! What relay is compared with: the policies of others, and relay with a rule taken out.
//!
//! For the checker and for tests alone (feature `alternatives`): no program that a user builds can
//! run any of them.

use super::{
    AfterInterrupt, BootInterrupt, Bystander, Deferral, LadderUnderHold, Lock, LockRelease,
    LostBranch, Orphans, Policy, Restore, Route, Rule, Rungs, SecondInterrupt, Shield, StopSignal,
    TerminalReader, WaitingRequest, WhilePrompt,
};

impl Policy {
    /// tractor as of PR #165: right for direct children, wrong below them (issue #320).
    pub const SINGLE_DEPTH: Self = Self {
        route: Route::Direct,
        lock: Lock::FirstComeFirstServed,
        shield: Shield::On,
        bystander: Bystander::Obeys,
        deferral: Deferral::RootAfterError,
        ladder_under_hold: LadderUnderHold::SuspendedInRoot,
        waiting_request: WaitingRequest::Kept,
        release: LockRelease::DoneArrived,
        lost_branch: LostBranch::Untold,
        orphans: Orphans::LiveOn,
        stop: StopSignal::Dies,
        second_interrupt: SecondInterrupt::Swallowed,
        restore: Restore::SavedSlot,
        reader: TerminalReader::Holder,
        while_prompt: WhilePrompt::Freezes,
        after_interrupt: AfterInterrupt::Lingers,
        boot_interrupt: BootInterrupt::Dies,
        rungs: Rungs::CancelKill,
    };

    /// A plain process tree: no lock, no shield, nobody waits.
    pub const UNPROTECTED: Self = Self {
        route: Route::Direct,
        lock: Lock::Absent,
        shield: Shield::Off,
        bystander: Bystander::Obeys,
        deferral: Deferral::Never,
        ladder_under_hold: LadderUnderHold::Climbs,
        waiting_request: WaitingRequest::Kept,
        release: LockRelease::DoneArrived,
        lost_branch: LostBranch::Untold,
        orphans: Orphans::LiveOn,
        stop: StopSignal::Dies,
        second_interrupt: SecondInterrupt::Swallowed,
        restore: Restore::Derived,
        reader: TerminalReader::Holder,
        while_prompt: WhilePrompt::Freezes,
        after_interrupt: AfterInterrupt::Exits,
        boot_interrupt: BootInterrupt::Dies,
        rungs: Rungs::CancelTerminateKill,
    };

    /// The same policy with one rule taken out: a mutant, which some property must catch.
    #[must_use]
    pub fn without(self, rule: Rule) -> Self {
        match rule {
            Rule::R1 => Self { route: Route::Direct, ..self },
            Rule::R2 => Self { lock: Lock::Absent, ..self },
            Rule::R3 => Self { shield: Shield::Off, bystander: Bystander::Obeys, ..self },
            Rule::R4 => Self { deferral: Deferral::OwnRequests, ..self },
            Rule::R5 => Self { ladder_under_hold: LadderUnderHold::Climbs, ..self },
            Rule::R6 => Self { waiting_request: WaitingRequest::Kept, ..self },
            Rule::R7 => Self { release: LockRelease::DoneArrived, ..self },
            Rule::R8 => Self { lost_branch: LostBranch::DropsGranted, ..self },
            Rule::R9 => Self { orphans: Orphans::LiveOn, ..self },
            Rule::R10 => Self { stop: StopSignal::Deferred, ..self },
            Rule::R11 => Self { second_interrupt: SecondInterrupt::Swallowed, ..self },
            Rule::R12 => Self { restore: Restore::SavedSlot, ..self },
        }
    }
}
