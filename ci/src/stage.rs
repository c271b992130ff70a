//! One stage: a command that must succeed.

/// When a stage runs without being named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StageSet {
    /// Always: minutes.
    Fast,
    /// With `--full`: what takes longer or needs a quiet machine.
    Full,
}

/// A command that must succeed, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CiStage {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it shows.
    pub(crate) why: &'static str,
    /// The arguments to cargo, in parts.
    pub(crate) cargo: &'static [&'static [&'static str]],
    /// Variables set for it.
    pub(crate) env: &'static [(&'static str, &'static str)],
    /// When it runs.
    pub(crate) set: StageSet,
}

impl CiStage {
    /// The arguments to cargo.
    pub(crate) fn arguments(&self) -> Vec<&'static str> {
        self.cargo.concat()
    }
}

const fn fast(
    name: &'static str,
    why: &'static str,
    cargo: &'static [&'static [&'static str]],
) -> CiStage {
    CiStage { name, why, cargo, env: &[], set: StageSet::Fast }
}

/// The command `holdfast`, as a user runs it.
const HOLDFAST: &[&str] = &["run", "--release", "--locked", "--package", "holdfast-cli", "--"];

/// Where the live trees of the tests are recorded; emptied before a stage that records some.
pub(crate) const RECORDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/records");

/// Where packages are built from what is packed; emptied before.
pub(crate) const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/packages");

/// What is walked, too large to be explored, and what may happen on a walk.
const WALK: &[&str] = &[
    "--tree",
    "root(a(b(c,d),e),f(g(h)),i?(j?),k)",
    "--faults",
    "request=4,shielded=1,interrupt=2,interrupt-one=1,error=1,\
     error-unexamined=1,quit=1,cancel=1,cancel-child=1,kill=2,stop=1,cut=1",
    "--debug",
    "b,f,g",
    "--iterations",
    "10000",
];

/// All stages, in the order in which they run: what fails fastest first.
pub(crate) const STAGES: &[CiStage] = &[
    fast("fmt", "the code has one form", &[&["fmt", "--all", "--check"]]),
    fast(
        "clippy",
        "no lint is left, in code and tests, and the protocol has no clock and no IO",
        &[&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--release",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]],
    ),
    fast(
        "library",
        "the library alone, as users build it: relay and no other policy; and it passes its tests",
        &[&["test", "--package", "holdfast-runtime", "--release", "--locked"]],
    ),
    CiStage {
        name: "test",
        why: "every test of every crate, the whole suite and every scenario among them",
        cargo: &[&["test", "--workspace", "--release", "--locked"]],
        env: &[("HOLDFAST_TEST_RECORDS", RECORDS)],
        set: StageSet::Fast,
    },
    fast(
        "conform",
        "every live tree of the tests was a run of the model",
        &[HOLDFAST, &["conform", RECORDS]],
    ),
    fast("prove", "the properties hold in trees of every size", &[HOLDFAST, &["prove"]]),
    CiStage {
        name: "loom",
        why: "what threads share has no race: every interleaving of small constellations",
        cargo: &[&[
            "test",
            "--release",
            "--locked",
            "--package",
            "holdfast-sync",
            "--target-dir",
            "target/loom",
            "--test",
            "loom",
        ]],
        env: &[("RUSTFLAGS", "--cfg model_loom")],
        set: StageSet::Fast,
    },
    CiStage {
        name: "shuttle",
        why: "nor has an actor with all of its threads, nor a tree of drivers, on nasty schedules",
        cargo: &[&[
            "test",
            "--release",
            "--locked",
            "--package",
            "holdfast-sync",
            "--package",
            "holdfast-sim",
            "--package",
            "holdfast-cli",
            "--target-dir",
            "target/shuttle",
            "--test",
            "shuttle",
            "--test",
            "driver",
            "--test",
            "drivers",
        ]],
        env: &[("RUSTFLAGS", "--cfg model_shuttle"), ("SHUTTLE_SILENCE_WARNINGS", "1")],
        set: StageSet::Fast,
    },
    CiStage {
        name: "drivers",
        why: "relay holds on random schedules of the drivers of a tree, as a user soaks them",
        cargo: &[
            &[
                "run",
                "--release",
                "--locked",
                "--package",
                "holdfast-cli",
                "--target-dir",
                "target/shuttle",
                "--",
                "walk",
                "--on",
                "drivers",
            ],
            WALK,
        ],
        env: &[("RUSTFLAGS", "--cfg model_shuttle")],
        set: StageSet::Fast,
    },
    fast(
        "suite",
        "the suite as a user runs it: relay holds, the other policies are violated",
        &[HOLDFAST, &["check"]],
    ),
    fast(
        "walk",
        "relay holds on random schedules of a tree that is too large to be explored",
        &[HOLDFAST, &["walk"], WALK],
    ),
    fast(
        "scenarios",
        "the reported cases as a user runs them",
        &[HOLDFAST, &["run", "scenarios/cases", "--on", "model"]],
    ),
    fast(
        "live",
        "the same cases with real processes on a terminal: what holds is seen to hold, what is violated is seen to be",
        &[HOLDFAST, &["run", "scenarios/cases", "--on", "live"]],
    ),
    CiStage {
        name: "rounds",
        why: "of a thousand prompts none is split or lost, of a thousand hostile trees nobody is left",
        cargo: &[&[
            "test",
            "--release",
            "--locked",
            "--package",
            "holdfast-cli",
            "--test",
            "programs",
            "rounds",
        ]],
        env: &[("HOLDFAST_ROUNDS", "1000")],
        set: StageSet::Full,
    },
    fast(
        "chaos",
        "random trees of real processes end in order, whatever happens to them",
        &[HOLDFAST, &["chaos"]],
    ),
    fast(
        "explain",
        "the first command of the README, as it stands there",
        &[
            &["run", "--release", "--bin", "holdfast", "--", "explain"],
            &["scenarios/cases/nested-ctrlc.toml"],
        ],
    ),
    CiStage {
        name: "doc",
        why: "the documentation builds and every link in it leads somewhere",
        cargo: &[&["doc", "--workspace", "--no-deps", "--locked", "--document-private-items"]],
        env: &[("RUSTDOCFLAGS", "-D warnings")],
        set: StageSet::Fast,
    },
    CiStage {
        name: "chaos-soak",
        why: "and so they do in many runs",
        cargo: &[HOLDFAST, &["chaos", "--runs", "10000", "--seed", "1000000"]],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "package",
        why: "every published package builds from what is packed into it, with its licences",
        cargo: &[
            &["package", "--workspace", "--exclude", "ci", "--locked", "--allow-dirty"],
            &["--target-dir", PACKAGES],
        ],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "api",
        why: "the public API of the library is the one that is kept",
        cargo: &[
            &["test", "--release", "--locked", "--package", "ci", "--features", "public-api"],
            &["--test", "public_api", "--target-dir", "target/public-api"],
        ],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "deny",
        why: "the licences and sources of all dependencies are among those that are allowed",
        cargo: &[&["deny", "--locked", "check", "licenses", "bans", "sources"]],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "shared-mutants",
        why: "loom or shuttle catches whatever is broken in what threads share",
        cargo: &[&["run", "--release", "--locked", "--package", "ci", "--bin", "mutants"]],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "mutants-checker",
        why: "whatever is broken in the checker, its world or the proof, the test that is named for it notices",
        cargo: &[&["run", "--release", "--locked", "--package", "ci", "--bin", "checker-mutants"]],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "bench",
        why: "the explorer is as fast as it claims, measured against stateright in one run",
        cargo: &[&["bench", "--package", "holdfast-check", "--bench", "against_stateright"]],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "verdict",
        why: "a verdict comes as much sooner as is claimed, measured against the full graph in one run",
        cargo: &[&["bench", "--package", "holdfast-check", "--bench", "verdict"]],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "reduction",
        why: "the reduced graph says what the full one says, on a hundred runs under every policy",
        cargo: &[
            &["test", "--release", "--locked", "--package", "holdfast-check"],
            &["--features", "hundred-runs", "--test", "reduction"],
        ],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "cost",
        why: "what a live tree costs beside the bare system calls, measured in one run",
        cargo: &[&["bench", "--package", "holdfast-testkit", "--bench", "live"]],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "live-soak",
        why: "no live case raises a false alarm, in many passes on a busy machine",
        cargo: &[
            &["run", "--release", "--locked", "--package", "ci", "--bin", "live-soak"],
            &["--", "--passes", "25"],
        ],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "coverage",
        why: "the tests that take seconds execute every line of the protocol, its loop aside",
        cargo: &[&[
            "tarpaulin",
            "--engine",
            "llvm",
            "--packages",
            "holdfast-protocol",
            "holdfast-check",
            "--locked",
            "--lib",
            "--test",
            "alarms",
            "answered_once",
            "by_the_book",
            "mutants",
            "names",
            "small",
            "--include-files",
            "model/protocol/src/*",
            "--exclude-files",
            "model/protocol/src/actor_loop*",
            "--target-dir",
            "target/coverage",
            "--skip-clean",
            "--timeout",
            "600",
            "--fail-under",
            "100",
        ]],
        env: &[("PROPTEST_RNG_SEED", "1"), ("INSTA_UPDATE", "no")],
        set: StageSet::Full,
    },
    CiStage {
        name: "prove-rules",
        why: "the proof for every size fails without any rule, where it is needed, and any two",
        cargo: &[&[
            "test",
            "--release",
            "--locked",
            "--package",
            "holdfast-prove",
            "--test",
            "rules",
            "--test",
            "pairs",
        ]],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "prove-mutants",
        why: "what the proof for every size alone notices of small changes of the protocol",
        cargo: &[&[
            "mutants",
            "--config",
            ".cargo/mutants-prove.toml",
            "--package",
            "holdfast-protocol",
            "--test-package",
            "holdfast-prove",
            // The tests of the mutants' own package are not run, with or without a mutant.
            "--baseline",
            "skip",
            "--timeout",
            "600",
            "--jobs",
            "1",
            "--output",
            "target/prove",
        ]],
        env: &[],
        set: StageSet::Full,
    },
    CiStage {
        name: "mutants-loom",
        why: "each small change of what threads share is noticed by loom",
        cargo: &[&[
            "mutants",
            "--config",
            ".cargo/mutants-loom.toml",
            "--package",
            "holdfast-sync",
            "--jobs",
            "1",
            "--output",
            "target/loom",
        ]],
        env: &[("RUSTFLAGS", "--cfg model_loom")],
        set: StageSet::Full,
    },
    CiStage {
        name: "mutants-loop",
        why: "each small change of the actor loop is noticed by whole trees under shuttle",
        cargo: &[&[
            "mutants",
            "--config",
            ".cargo/mutants-loop.toml",
            "--package",
            "holdfast-protocol",
            "--test-package",
            "holdfast-sim",
            // The tests of the mutants' own package are not run, with or without a mutant.
            "--baseline",
            "skip",
            "--timeout",
            "600",
            "--jobs",
            "1",
            "--output",
            "target/shuttle",
        ]],
        env: &[("RUSTFLAGS", "--cfg model_shuttle"), ("SHUTTLE_SILENCE_WARNINGS", "1")],
        set: StageSet::Full,
    },
    CiStage {
        name: "mutants",
        why: "each small change of the protocol is noticed by the tests that take seconds",
        cargo: &[&[
            "mutants",
            "--package",
            "holdfast-protocol",
            "--test-package",
            "holdfast-protocol,holdfast-check",
            "--jobs",
            "1",
            "--output",
            "target",
        ]],
        env: &[("PROPTEST_RNG_SEED", "1"), ("INSTA_UPDATE", "no")],
        set: StageSet::Full,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = include_str!("../../README.md");

    /// The commands of the README that run cargo.
    fn commands() -> Vec<&'static str> {
        README.lines().filter(|line| line.starts_with("cargo run ")).collect()
    }

    #[test]
    fn the_first_command_of_the_readme_is_a_stage() {
        let command = |stage: &CiStage| format!("cargo {}", stage.arguments().join(" "));
        let [first, _] = commands()[..] else { panic!("expected two commands: {:?}", commands()) };
        assert!(STAGES.iter().any(|stage| command(stage) == first), "{first}");
    }

    #[test]
    fn the_second_command_of_the_readme_is_what_ci_runs() {
        let script = include_str!("../../.ci/run");
        let last = script.lines().last().and_then(|line| line.strip_prefix("exec "));
        assert_eq!(last, commands().last().copied());
    }

    #[test]
    fn each_stage_has_a_name_of_its_own() {
        let mut names: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STAGES.len());
    }
}
