//! The driver loop under shuttle: whole trees of actors, each on a thread of its own.
//!
//! ```text
//!     what is real:       Driver, Node, mailbox, park       the code that the runtime executes
//!     what is simulated:  links, batons, processes, signals, timers, the terminal, the person
//!
//!     RUSTFLAGS='--cfg model_shuttle' cargo test --release --package holdfast-model \
//!         --target-dir target/shuttle --test driver -- --nocapture
//! ```
//!
//! The explorer steps a whole input at a time. Here others run, read, die and are signalled
//! between any two outputs of one, and between an event and its being taken.
//!
//! # Rules
//! 1. The seeds are fixed: the same schedules on every run.
//! 2. A schedule that fails is printed. `HOLDFAST_SCHEDULE=...` before the command above, with
//!    what was printed, runs that one again.
//! 3. Each rule that is taken out is noticed, by the property that guards it.

#![cfg(model_shuttle)]

#[path = "driver/actor.rs"]
mod actor;
#[path = "support/guarded.rs"]
mod guarded;
#[path = "driver/kernel.rs"]
mod kernel;
#[path = "driver/links.rs"]
mod links;
#[path = "driver/observer.rs"]
mod observer;
#[path = "driver/run.rs"]
mod run;

use holdfast_model::check::property::PropertyId;
use holdfast_model::protocol::{Policy, Rule};
use holdfast_model::world::Fault;
use observer::{Book, Story, Watch};
use run::{Ends, Plan, run};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};
use std::panic::{AssertUnwindSafe, catch_unwind};

const SCHEDULES: usize = 20_000;
const SEED: u64 = 320;

const ALL: Plan = Plan {
    trees: &[
        "root(a)",
        "root(a(b))",
        "root(a,b)",
        "root(a(b(c)),d?)",
        "root(a?(b?),c)",
        "root(a(b,c),d(e,f))",
        "root(a(b(c(d(e)))))",
        "root(a(b(c,d),e),f(g(h)),i,j,k)",
    ],
    policy: Policy::RELAY,
    faults: &Fault::ALL,
    most: 8,
    end: Ends::Any,
};

/// Everything that must have happened in some random schedule, or the check would prove little. The
/// first ten happen with few preemptions, too.
const WITNESSES: [&str; 14] = [
    "a prompt of the root",
    "a prompt below",
    "a request is refused",
    "a SIGINT is shielded",
    "a SIGINT is obeyed",
    "a ladder signals",
    "a holder dies",
    "an orphan is adopted",
    "a prompt is revoked",
    "the root is killed",
    "an output of a dead actor",
    "a grant finds no link",
    "a grant is lost on its way",
    "a grant dies with a hand",
];

fn holds(name: &str, witnesses: &[&str], scheduler: impl Scheduler + 'static) {
    if let Some(schedule) = option_env!("HOLDFAST_SCHEDULE") {
        let again = || run(ALL, Book::new(Watch::Everything, Story::Told));
        return shuttle::replay(again, schedule);
    }
    let book = Book::new(Watch::Everything, Story::Untold);
    let sees = book.clone();
    let tree = move || run(ALL, sees.clone());
    #[expect(clippy::disallowed_methods, reason = "it says how fast it was; nothing leans on it")]
    let started = std::time::Instant::now();
    let count = Runner::new(scheduler, Config::new()).run(tree);
    let seen = book.seen.lock().expect("whole");
    println!("{name}: {count} schedules in {:.1?}, {seen:?}", started.elapsed());
    for witness in witnesses {
        assert!(seen.contains_key(*witness), "{name}: never seen: {witness}");
    }
}

#[test]
fn relay_holds_on_random_schedules() {
    holds("random", &WITNESSES, RandomScheduler::new_from_seed(SEED, SCHEDULES));
}

#[test]
fn relay_holds_with_few_preemptions_at_the_worst_places() {
    holds("pct, depth 3", &WITNESSES[..10], PctScheduler::new_from_seed(SEED, 3, SCHEDULES));
}

/// What is taken out, what falls, and the runs in which it does: trees, faults, ending.
type Mutant = (Rule, PropertyId, &'static [&'static str], &'static [Fault], Ends);

const MUTANTS: [Mutant; 12] = {
    use Fault::{Cancel, Cut, Error, Interrupt, InterruptOne, Kill, Request, Shielded, Stop};
    use PropertyId as P;
    const TWO: &[&str] = &["root(a)", "root(a,b)"];
    const DEEP: &[&str] = &["root(a(b))", "root(a(b(c)))"];
    [
        (Rule::R1, P::AncestorsKnow, DEEP, &[Request], Ends::Any),
        (Rule::R2, P::OnePrompt, TWO, &[Request], Ends::Any),
        (Rule::R3, P::InterruptShielded, TWO, &[Interrupt, InterruptOne], Ends::Any),
        (Rule::R4, P::NoCancelUnderHold, DEEP, &[Cancel, Error], Ends::Any),
        (Rule::R5, P::NoSignalUnderHold, DEEP, &[Cancel, Shielded], Ends::Any),
        (Rule::R6, P::NoPromptAfterCancel, TWO, &[Cancel], Ends::Any),
        (Rule::R7, P::ReleasedOnce, TWO, &[Cancel, Kill], Ends::Any),
        (Rule::R8, P::ReleasedOnce, DEEP, &[Kill, Cut], Ends::Any),
        (Rule::R9, P::NoneLeft, DEEP, &[Kill], Ends::Any),
        (Rule::R10, P::StopIsBounded, TWO, &[Stop], Ends::ByStop),
        (Rule::R11, P::InterruptObeyed, TWO, &[Interrupt], Ends::Any),
        (Rule::R12, P::NothingStale, TWO, &[Request], Ends::ByCtrlC),
    ]
};

const MUTANT_SCHEDULES: usize = 20_000;

#[test]
fn each_rule_taken_out_is_noticed_by_the_property_that_guards_it() {
    assert_eq!(MUTANTS.map(|(rule, property, ..)| (rule, property)), guarded::GUARDED);
    let mut missed = Vec::new();
    for (rule, property, trees, faults, end) in MUTANTS {
        let plan = Plan { trees, policy: Policy::RELAY.without(rule), faults, most: 6, end };
        let book = Book::new(Watch::Only(property), Story::Untold);
        let sees = book.clone();
        let mut config = Config::new();
        config.failure_persistence = FailurePersistence::None;
        let scheduler = RandomScheduler::new_from_seed(SEED, MUTANT_SCHEDULES);
        let runner = Runner::new(scheduler, config);
        let ran = catch_unwind(AssertUnwindSafe(|| runner.run(move || run(plan, sees.clone()))));
        let broken = *book.broken.lock().expect("whole");
        let said = |panic: Box<dyn std::any::Any + Send>| {
            let text = panic.downcast::<String>().map(|text| *text);
            text.or_else(|panic| panic.downcast::<&str>().map(|text| (*text).to_owned()))
        };
        let ran = ran.map_err(said);
        println!("without {rule}: {ran:?}");
        if broken != Some(property) {
            missed.push(format!("{rule}: expected {property}, {ran:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
