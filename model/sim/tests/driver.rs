//! The actor loop under shuttle: whole trees of actors, each on a thread of its own.
//!
//! ```text
//!     RUSTFLAGS='--cfg model_shuttle' cargo test --release --package holdfast-sim \
//!         --target-dir target/shuttle --test driver -- --nocapture
//! ```
//!
//! `holdfast_sim` is what runs. As many schedules as one likes, of a tree of one's own:
//! `holdfast walk --on drivers`.
//!
//! # Rules
//! 1. The seeds are fixed: the same schedules on every run.
//! 2. A schedule that fails is written to a file, which `holdfast replay` runs again.
//! 3. Each rule that is taken out is noticed, by the property that guards it.

#![cfg(model_shuttle)]

#[path = "support/guarded.rs"]
mod guarded;

use holdfast_check::property::PropertyId;
use holdfast_check::rng::Rng;
use holdfast_check::schedule::{
    COMMAND, RunEnd, Schedule, ScheduleSeed, SchedulerName, SimulatedRun,
};
use holdfast_check::trace::NamedPolicy;
use holdfast_check::world::{Budget, Config, Fault};
use holdfast_protocol::Placement;
use holdfast_protocol::{DebugMode, PolicyName, Rule};
use holdfast_sim::Watch;
use holdfast_sim::stress::{StressRun, Went, replay};

const SCHEDULES: u64 = 20_000;
const SEED: u64 = 320;

/// What a run is drawn from.
#[derive(Clone, Copy, Debug)]
struct Plan {
    trees: &'static [&'static str],
    without: &'static [Rule],
    /// What may happen beside requests.
    faults: &'static [Fault],
    /// How much of it, requests among them.
    most: usize,
    ends: RunEnd,
}

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
    without: &[],
    faults: &Fault::ALL,
    most: 8,
    ends: RunEnd::Any,
};

impl Plan {
    fn draw(self, rng: &mut Rng) -> SimulatedRun {
        let tree = self.trees[rng.below(self.trees.len())].parse().expect("a tree");
        let placement = [Placement::OwnSession, Placement::SharedGroup][rng.below(2)];
        let mut budget = Budget::NONE;
        for _ in 0..self.most {
            // A request every other time, or most runs would have nothing to protect.
            let other = self.faults[rng.below(self.faults.len())];
            let fault = [Fault::Request, other][rng.below(2)];
            budget = budget.with(fault, budget.left(fault) + 1);
        }
        let named = NamedPolicy { policy: PolicyName::Relay, without: self.without.to_vec() };
        let mut config = Config::new(tree, named.policy(), placement, budget);
        for debug in &mut config.debug {
            *debug = [DebugMode::Off, DebugMode::On][rng.below(2)];
        }
        SimulatedRun { config, named, ends: self.ends }
    }
}

/// Everything that must have happened in some random schedule, or the check would prove little. The
/// first fifteen happen with few preemptions, too.
const WITNESSES: [&str; 19] = [
    "a prompt of the root",
    "a prompt below",
    "a request is refused",
    "a SIGINT is shielded",
    "a SIGINT is obeyed",
    "a ladder signals",
    "a holder dies",
    "a child is started",
    "a child is refused",
    "a shielded task is waited for",
    "a request is waited for",
    "a user task is given up",
    "an orphan is adopted",
    "a prompt is revoked",
    "the root is killed",
    "an output of a dead actor",
    "a grant finds no link",
    "a grant is lost on its way",
    "a grant dies with a hand",
];

/// Writes a schedule that should not have failed, and says how to see it.
fn kept(failure: &Schedule) -> String {
    let header = &failure.header;
    let name = format!("{}-{}-{}.schedule", header.scheduler, header.seed, header.iteration);
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, failure.to_text()).expect("cargo's folder for tests can be written");
    format!("{}\nTo see it:\n  {COMMAND} replay {}", header.what, path.display())
}

fn holds(scheduler: SchedulerName, witnesses: &[&str]) {
    let stress = StressRun { scheduler, seed: SEED, watch: Watch::Everything };
    #[expect(clippy::disallowed_methods, reason = "it says how fast it was; nothing leans on it")]
    let started = std::time::Instant::now();
    let result = stress.take(0..SCHEDULES, |rng| ALL.draw(rng));
    let (count, seen) = (result.schedules, result.seen);
    println!("{scheduler}: {count} schedules in {:.1?}, {seen:?}", started.elapsed());
    assert!(result.failure.is_none(), "{scheduler}: {}", kept(&result.failure.expect("it is")));
    for witness in witnesses {
        assert!(seen.contains_key(*witness), "{scheduler}: never seen: {witness}");
    }
}

#[test]
fn relay_holds_on_random_schedules() {
    holds(SchedulerName::Random, &WITNESSES);
}

#[test]
fn relay_holds_with_few_preemptions_at_the_worst_places() {
    holds(SchedulerName::Pct, &WITNESSES[..15]);
}

/// What is taken out, what falls, and the runs in which it does: trees, faults, ending.
type Mutant = (&'static [Rule], PropertyId, &'static [&'static str], &'static [Fault], RunEnd);

const MUTANTS: [Mutant; 12] = {
    use Fault::{Cancel, Cut, Error, Interrupt, InterruptOne, Kill, Request, Shielded, Stop};
    use PropertyId as P;
    use Rule::{R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, R11, R12};
    const TWO: &[&str] = &["root(a)", "root(a,b)"];
    const DEEP: &[&str] = &["root(a(b))", "root(a(b(c)))"];
    [
        (&[R1], P::AncestorsKnow, DEEP, &[Request], RunEnd::Any),
        (&[R2], P::OnePrompt, TWO, &[Request], RunEnd::Any),
        (&[R3], P::InterruptShielded, TWO, &[Interrupt, InterruptOne], RunEnd::Any),
        (&[R4], P::NoCancelUnderHold, DEEP, &[Cancel, Error], RunEnd::Any),
        (&[R5], P::NoSignalUnderHold, DEEP, &[Cancel, Shielded], RunEnd::Any),
        (&[R6], P::NoPromptAfterCancel, TWO, &[Cancel], RunEnd::Any),
        (&[R7], P::ReleasedOnce, DEEP, &[Kill, Cut], RunEnd::Any),
        (&[R8], P::ReleasedOnce, DEEP, &[Kill, Cut], RunEnd::Any),
        (&[R9], P::NoneLeft, DEEP, &[Kill], RunEnd::Any),
        (&[R10], P::StopIsBounded, TWO, &[Stop], RunEnd::ByStop),
        (&[R11], P::InterruptObeyed, TWO, &[Interrupt], RunEnd::Any),
        (&[R12], P::NothingStale, TWO, &[Request], RunEnd::ByCtrlC),
    ]
};

#[test]
fn each_rule_taken_out_is_noticed_by_the_property_that_guards_it_and_again_by_the_replay() {
    assert_eq!(MUTANTS.map(|(rules, property, ..)| (rules[0], property)), guarded::GUARDED);
    let mut missed = Vec::new();
    for scheduler in [SchedulerName::Random, SchedulerName::Pct] {
        for (without, property, trees, faults, ends) in MUTANTS {
            let rule = without[0];
            let plan = Plan { trees, without, faults, most: 6, ends };
            let stress = StressRun { scheduler, seed: SEED, watch: Watch::Only(property) };
            let result = stress.take(0..SCHEDULES, move |rng| plan.draw(rng));
            println!("{scheduler}, without {rule}: {} schedules", result.schedules);
            let Some(failure) = result.failure else {
                missed.push(format!("{scheduler}, {rule}: {property} is not violated"));
                continue;
            };
            if failure.header.run.breaks != Some(property) {
                missed.push(format!("{scheduler}, {rule}: {}", kept(&failure)));
                continue;
            }
            let read = Schedule::from_text(&failure.to_text()).expect("it was just written");
            let went = replay(&read).expect("its run is one").went;
            if went != Went::Falls {
                missed.push(format!("{scheduler}, {rule}: {went:?}, {}", kept(&failure)));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

fn without_r3(scheduler: SchedulerName) -> impl Fn(u64) -> Option<Schedule> {
    let plan = Plan {
        trees: &["root(a(b),c)"],
        without: &[Rule::R3],
        faults: &[Fault::Interrupt, Fault::InterruptOne],
        ..ALL
    };
    move |from| {
        let stress = StressRun { scheduler, seed: SEED, watch: Watch::Everything };
        stress.take(from..from + 1000, move |rng| plan.draw(rng)).failure
    }
}

#[test]
fn a_number_names_a_schedule_wherever_a_stress_run_begins() {
    for scheduler in [SchedulerName::Random, SchedulerName::Pct] {
        let failure_from = without_r3(scheduler);
        let first = failure_from(0).expect("R3 is missed at once").header.iteration;
        let second = failure_from(first + 1).expect("and again");
        let number = second.header.iteration;
        assert!(number > first);
        assert_eq!(failure_from(number).expect("the same"), second);
    }
}

#[test]
fn a_schedule_that_does_not_fit_says_so() {
    let fits = without_r3(SchedulerName::Random)(0).expect("R3 is missed at once");
    let went = |change: &dyn Fn(&mut Schedule)| {
        let mut schedule = fits.clone();
        change(&mut schedule);
        replay(&schedule).expect("the run is one").went
    };
    let half = fits.threads.len() / 2;
    assert_eq!(went(&|_| ()), Went::Falls);
    assert_eq!(went(&|it| it.threads[half] = 99), Went::Strays(half + 1));
    assert_eq!(went(&|it| it.threads.truncate(half)), Went::Holds);
    assert_eq!(went(&|it| it.threads.clear()), Went::Holds);
    // What it was written about is mended.
    assert!(matches!(went(&|it| it.header.run.without.clear()), Went::Strays(_) | Went::Holds));
    // Another tree has other threads, and more or less to draw.
    for tree in ["root", "root(a)", "root(a(b),c,d,e,f)"] {
        let went = went(&|it| {
            it.header.run.tree = tree.to_owned();
            it.header.run.debug.clear();
        });
        assert!(matches!(went, Went::Strays(_) | Went::Holds), "{tree}: {went:?}");
    }
}

#[test]
fn no_schedule_is_drawn_twice() {
    let drawn =
        |iteration| ScheduleSeed { scheduler: SchedulerName::Random, seed: SEED, iteration };
    let mut rolls: Vec<_> =
        (0..1000).flat_map(|number| [drawn(number).order(), drawn(number).draws()]).collect();
    let mut rolls: Vec<_> = rolls.iter_mut().map(Rng::next_u64).collect();
    rolls.sort_unstable();
    rolls.dedup();
    assert_eq!(rolls.len(), 2000);
}
