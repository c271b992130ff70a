//! Every scenario file under every policy it speaks of: one named test each. And the table of all.

use holdfast_check::explore::{Options, Progress};
use holdfast_cli::case::UpstreamOutcome;
use holdfast_cli::case::load::{LoadedCase, load};
use holdfast_cli::case::resolve::CaseRun;
use holdfast_cli::expect::{Expectation, Met};
use holdfast_cli::on_model::{ModelResult, run};
use holdfast_cli::report::{PlannedRun, RunReport, live, table, text};
use holdfast_protocol::policy::PolicyName;
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

/// A run of a case; whoever needs its result first explores it.
struct Lazy {
    loaded: &'static LoadedCase,
    run: CaseRun,
    ran: OnceLock<ModelResult>,
}

impl Lazy {
    fn row(&'static self) -> RunReport<'static> {
        let options = Options { max_states: MOST_STATES, ..Options::default() };
        let ran = self.ran.get_or_init(|| run(&self.run, options, &Progress::default()));
        RunReport::new(PlannedRun { loaded: self.loaded, run: &self.run }, ran.clone())
    }
}

/// The folder of the cases and of the tables about them.
const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let here = Path::new(SCENARIOS);
    let cases = match load(&[here.join("cases")]) {
        Ok(cases) => cases,
        Err(errors) => {
            errors.iter().for_each(|error| eprintln!("{error}"));
            return ExitCode::FAILURE;
        }
    };
    let cases: &'static [LoadedCase] = cases.leak();
    let all: Vec<Lazy> = cases
        .iter()
        .flat_map(|loaded| {
            let lazy = move |run| Lazy { loaded, run, ran: OnceLock::new() };
            loaded.case.runs().into_iter().map(lazy)
        })
        .collect();
    let all: &'static [Lazy] = all.leak();
    let mut trials = vec![
        Trial::test("the table in CASES.md is current", move || compare_table(all)),
        Trial::test("LIVE.md has a row for every case and policy", move || part_of_live(all)),
        Trial::test("every difference from upstream is explained", move || differences(cases)),
        Trial::test("no trace is left over", move || leftovers(cases, &here.join("cases"))),
    ];
    for runs in by_case_and_policy(all) {
        let name = format!("{}::{}", runs[0].loaded.case.id, runs[0].run.policy);
        trials.push(Trial::test(name, move || as_claimed(runs)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn by_case_and_policy(all: &'static [Lazy]) -> impl Iterator<Item = &'static [Lazy]> {
    all.chunk_by(|a, b| a.loaded.case.id == b.loaded.case.id && a.run.policy == b.run.policy)
}

fn as_claimed(runs: &'static [Lazy]) -> Result<(), Failed> {
    let rows = runs.iter().map(Lazy::row);
    let wrong: Vec<_> = rows.filter(|row| row.met() != Met::Yes).collect();
    let details: Vec<_> = wrong.iter().map(|row| text::details(row, None)).collect();
    if details.is_empty() { Ok(()) } else { Err(details.join("\n").into()) }
}

fn compare_table(all: &'static [Lazy]) -> Result<(), Failed> {
    let rows: Vec<_> = all.iter().map(Lazy::row).collect();
    let kept = std::fs::read_to_string(Path::new(SCENARIOS).join("docs/CASES.md"))?;
    if kept == table::markdown(&rows) {
        return Ok(());
    }
    Err("write it anew: holdfast run scenarios/cases --on model --table > scenarios/docs/CASES.md"
        .into())
}

/// What every interleaving shows stands in the table of the live runs as well, for every run.
fn part_of_live(all: &'static [Lazy]) -> Result<(), Failed> {
    let document = std::fs::read_to_string(Path::new(SCENARIOS).join("docs/LIVE.md"))?;
    if !document.starts_with(live::HEAD) {
        return Err("LIVE.md does not begin as the command writes it".into());
    }
    let rows: Vec<_> = document.lines().filter(|line| line.contains("](../cases/")).collect();
    let mut missing = Vec::new();
    let mut expected = 0;
    for runs in by_case_and_policy(all) {
        let id = runs[0].loaded.case.id.as_str();
        let start = format!("| [{id}](../cases/{id}.toml) | {} | ", runs[0].run.policy);
        expected += 1;
        if !rows.iter().any(|row| row.starts_with(&start)) {
            missing.push(start);
        }
    }
    match (missing.as_slice(), rows.len() == expected) {
        ([], true) => Ok(()),
        ([], false) => Err(format!("expected {expected} rows, found {}", rows.len()).into()),
        (missing, _) => Err(format!(
            "LIVE.md lacks {missing:#?}; write it anew: \
             holdfast run scenarios/cases --table > scenarios/docs/LIVE.md"
        )
        .into()),
    }
}

/// Where upstream worked and `single-depth` does not, or the other way round, the file says why.
fn differences(cases: &[LoadedCase]) -> Result<(), Failed> {
    let mut silent = Vec::new();
    for case in cases.iter().map(|loaded| &loaded.case) {
        let (Some(upstream), Some(claim)) =
            (&case.upstream, case.expect.of(PolicyName::SingleDepth))
        else {
            continue;
        };
        let harm = match claim {
            Expectation::Holds => false,
            // Who knows of a prompt is a matter of the inside: by itself it harms nobody.
            Expectation::Violates(violation) => {
                violation.violates.to_string() != "ancestors-know" || !violation.also.is_empty()
            }
        };
        let differs = match upstream.outcome {
            UpstreamOutcome::Works => harm,
            UpstreamOutcome::Fails => !harm,
            UpstreamOutcome::Flaky | UpstreamOutcome::Untested => false,
        };
        if differs && upstream.differs.is_none() {
            silent.push(case.id.as_str());
        }
    }
    if silent.is_empty() { Ok(()) } else { Err(format!("upstream.differs: {silent:?}").into()) }
}

fn leftovers(cases: &[LoadedCase], here: &Path) -> Result<(), Failed> {
    let fails = |(policy, claim): (PolicyName, &Expectation)| match claim {
        Expectation::Holds => None,
        Expectation::Violates(_) => Some(policy),
    };
    let mut known: Vec<PathBuf> = Vec::new();
    for loaded in cases {
        for policy in loaded.case.expect.iter().filter_map(fails) {
            known.push(holdfast_cli::golden::path(&loaded.path, policy));
        }
    }
    for entry in std::fs::read_dir(here)? {
        let file = entry?.path();
        if file.extension().is_some_and(|one| one == "trace") && !known.contains(&file) {
            return Err(
                format!("{} belongs to no expected failure; remove it", file.display()).into()
            );
        }
    }
    Ok(())
}

const MOST_STATES: u64 = 5_000_000;
