//! The choices at the rule points: one enum a choice, a policy is one value of each.
//!
//! Part of every node. All policies run the same machines. [`Policy::RELAY`] is the one of this
//! project, and the only one that programs of users are compiled with; what it is compared with, the
//! policies of others and the mutants, exists with the feature `alternatives`, for the checker and
//! for tests.
//!
//! # Upstream
//! `single-depth` follows `goodboy/tractor` at `641ed7a3` (merge of PR #165); the docs of a choice
//! name the place in its debugger (`_debug.py`), reaper (`_spawn.py`) or nursery (`_supervise.py`).

#[cfg(feature = "alternatives")]
mod alternatives;
mod named;

pub use named::NamedPolicy;

use crate::named;

/// R1: the way a request takes to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// From supervisor to supervisor, a hold on each.
    Relayed,
    /// On a channel of its own straight to the root: nobody between learns of it.
    /// (`wait_for_parent_stdin_hijack`.)
    Direct,
}

/// R2: who may have a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lock {
    /// One at a time, first come first served, kept by the root.
    FirstComeFirstServed,
    /// Whoever wants one.
    Absent,
}

/// R3: what a hold (or an own request) does to SIGINT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shield {
    /// A SIGINT is not acted on.
    On,
    /// A SIGINT is acted on all the same.
    Off,
}

/// R3: what an actor below the root does about a SIGINT typed at the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bystander {
    /// Nothing: it is the root's to decide.
    LeavesItToRoot,
    /// The actor cancels itself unless shielded.
    Obeys,
}

/// R4: what a teardown waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deferral {
    /// Any hold and any own request.
    AnyHold,
    /// Own requests; holds only in the root and only after an error.
    /// (`maybe_wait_for_debugger` at the two error sites.)
    RootAfterError,
    /// Own requests alone.
    OwnRequests,
    /// Nothing: an own prompt is closed over the person's head.
    Never,
}

/// R5: what a hold does to the ladder of the child it came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LadderUnderHold {
    /// Suspends it.
    Suspended,
    /// Suspends every ladder of the root, none below it. (The reaper's wait before the hard kill,
    /// `_spawn.py`, which returns at once in any other actor.)
    SuspendedInRoot,
    /// Nothing: the grace period runs on.
    Climbs,
}

/// R6: what a cancel does to an own request that still waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitingRequest {
    /// Withdraws it, unless it is shielded.
    Withdrawn,
    /// Leaves it in the queue; the cancel waits for it.
    Kept,
}

/// R7: when the root takes a granted lock for released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockRelease {
    /// When the baton is closed everywhere.
    BatonClosed,
    /// When the holder says `Done`. (`pdb_unlock`.)
    DoneArrived,
}

/// R8: what a supervisor does about the holds of a child that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LostBranch {
    /// Tells upward; the root keeps a granted hold until its baton is closed.
    KeepsGranted,
    /// Tells upward; the root drops a granted hold on hearing it.
    DropsGranted,
    /// Tells nobody.
    Untold,
}

/// R9: what becomes of an actor whose supervisor is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Orphans {
    /// The orphan ends itself; the root adopts and reaps it.
    End,
    /// The orphan lives on, adopted by init.
    LiveOn,
}

/// R10: what SIGTERM, SIGHUP and SIGQUIT mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StopSignal {
    /// At the root: revoke the prompt, tear down, in bounded time. Below it: close the own
    /// prompt and cancel.
    Revokes,
    /// The same as a cancel: a prompt defers it.
    Deferred,
    /// The default disposition: the process dies on the spot.
    Dies,
}

/// R11: what a Ctrl-C at the root means once the tree is being cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecondInterrupt {
    /// Every ladder climbs one rung at once.
    Climbs,
    /// A second SIGINT does nothing.
    Swallowed,
}

/// R12: where the SIGINT disposition comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Restore {
    /// Derived from the holds: shielded exactly as long as there is one.
    Derived,
    /// One slot that keeps the disposition from before, overwritten by each request.
    /// (`Lock._orig_sigint_handler`.)
    SavedSlot,
}

/// Who reads the terminal and sets its modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TerminalReader {
    /// The root alone; it talks to the holder over the baton.
    Root,
    /// Whoever is at the prompt.
    Holder,
}

/// What an actor does about everything else while its prompt is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WhilePrompt {
    /// Its driver goes on serving (though it may be slow, or stopped by a debugger).
    Serves,
    /// The prompt is a synchronous call on the driver's thread: only signals get through.
    Freezes,
}

/// What an interrupted actor below the root does once its children are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AfterInterrupt {
    /// The actor exits.
    Exits,
    /// Its process stays, with nothing left running in it, until its supervisor cancels it.
    Lingers,
}

/// What a SIGINT does to a process that still boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BootInterrupt {
    /// Nothing: it was set to ignored before exec.
    Ignored,
    /// The default disposition: it dies.
    Dies,
}

/// The rungs of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rungs {
    /// Cancel, SIGTERM, SIGKILL.
    CancelTerminateKill,
    /// Cancel, SIGKILL. (`_spawn.py` has no SIGTERM step.)
    CancelKill,
}

/// Makes the policy out of its rule points, each with its type and the choice of relay.
///
/// With the feature `alternatives` a policy is a value of each; without it there is relay alone,
/// every choice is a constant, and the compiler removes what the others would do.
macro_rules! policy {
    ($($point:ident: $choice:ident = $relay:ident,)+) => {
        /// One choice at every rule point.
        #[cfg(feature = "alternatives")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each field is documented by its type")]
        pub struct Policy {
            $(pub $point: $choice,)+
        }

        /// The one policy of this build: relay's choice at every rule point.
        #[cfg(not(feature = "alternatives"))]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct Policy(());

        impl Policy {
            /// This project: the knowledge of a prompt travels up the tree.
            #[cfg(feature = "alternatives")]
            pub const RELAY: Self = Self { $($point: $choice::$relay,)+ };

            /// This project: the knowledge of a prompt travels up the tree.
            #[cfg(not(feature = "alternatives"))]
            pub const RELAY: Self = Self(());

            $(
                /// The choice at this rule point; its type says which there are.
                #[must_use]
                pub const fn $point(self) -> $choice {
                    #[cfg(feature = "alternatives")]
                    {
                        self.$point
                    }
                    #[cfg(not(feature = "alternatives"))]
                    {
                        $choice::$relay
                    }
                }
            )+
        }
    };
}

policy! {
    route: Route = Relayed,
    lock: Lock = FirstComeFirstServed,
    shield: Shield = On,
    bystander: Bystander = LeavesItToRoot,
    deferral: Deferral = AnyHold,
    ladder_under_hold: LadderUnderHold = Suspended,
    waiting_request: WaitingRequest = Withdrawn,
    release: LockRelease = BatonClosed,
    lost_branch: LostBranch = KeepsGranted,
    orphans: Orphans = End,
    stop: StopSignal = Revokes,
    second_interrupt: SecondInterrupt = Climbs,
    restore: Restore = Derived,
    reader: TerminalReader = Root,
    while_prompt: WhilePrompt = Serves,
    after_interrupt: AfterInterrupt = Exits,
    boot_interrupt: BootInterrupt = Ignored,
    rungs: Rungs = CancelTerminateKill,
}

/// The rules of the protocol, as the crate's README states them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the statements stand in one place, Rule::statement")]
pub enum Rule {
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    R10,
    R11,
    R12,
}

impl Rule {
    /// The rule in one line.
    #[must_use]
    pub fn statement(self) -> &'static str {
        match self {
            Self::R1 => "the request is the relay: it climbs hop by hop and leaves a hold on each",
            Self::R2 => "one lock, first come first served, in the root",
            Self::R3 => "a hold is a shield, and a Ctrl-C is the root's to decide",
            Self::R4 => "a hold defers teardown",
            Self::R5 => "a hold suspends the ladder",
            Self::R6 => "cancel withdraws a request that still waits",
            Self::R7 => "the grant carries the baton, and its closing is the release",
            Self::R8 => "a lost branch takes its waiting requests along, never a granted one",
            Self::R9 => "orphans end themselves, and the root adopts them",
            Self::R10 => "SIGTERM, SIGHUP and SIGQUIT are a way out in bounded time",
            Self::R11 => "each further Ctrl-C moves the ladder up one rung",
            Self::R12 => "nothing stale: the shield is gone when the last hold is",
        }
    }
}

named! {
    Rule, "a rule":
    R1 => "R1",
    R2 => "R2",
    R3 => "R3",
    R4 => "R4",
    R5 => "R5",
    R6 => "R6",
    R7 => "R7",
    R8 => "R8",
    R9 => "R9",
    R10 => "R10",
    R11 => "R11",
    R12 => "R12",
}

/// The policies by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyName {
    /// [`Policy::UNPROTECTED`].
    #[cfg(feature = "alternatives")]
    Unprotected,
    /// [`Policy::SINGLE_DEPTH`].
    #[cfg(feature = "alternatives")]
    SingleDepth,
    /// [`Policy::RELAY`].
    Relay,
}

impl PolicyName {
    /// The choices behind the name.
    #[must_use]
    pub fn policy(self) -> Policy {
        match self {
            #[cfg(feature = "alternatives")]
            Self::Unprotected => Policy::UNPROTECTED,
            #[cfg(feature = "alternatives")]
            Self::SingleDepth => Policy::SINGLE_DEPTH,
            Self::Relay => Policy::RELAY,
        }
    }
}

#[cfg(feature = "alternatives")]
named! {
    PolicyName, "a policy":
    Unprotected => "unprotected",
    SingleDepth => "single-depth",
    Relay => "relay",
}

#[cfg(not(feature = "alternatives"))]
named! {
    PolicyName, "a policy":
    Relay => "relay",
}
