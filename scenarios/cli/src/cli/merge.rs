//! `holdfast merge`: the outputs of all shards as the one output of the whole.

use super::{complain, print, print_json, print_json_line};
use crate::exit::ExitClass;
use crate::expect::Met;
use crate::json::run::TotalsJson;
use crate::json::suite::SuiteJson;
use crate::json::walk::WalkJson;
use crate::shard::ShardJson;
use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Merges the JSON that `check`, `run` or `walk` wrote with --shard: one file a shard.
///
/// Prints what the command would have written without --shard, times aside, and ends as it would
/// have ended.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The files, in any order.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Why files are not the shards of one whole.
#[derive(Debug, thiserror::Error)]
enum MergeError {
    /// A file cannot be read.
    #[error("failed to read {}", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    /// A file has another content.
    #[error(
        "{}: expected what `check`, `run` or `walk` write with --shard and --json, found something \
         else; was it cut?", .0.display()
    )]
    NotJson(PathBuf, #[source] serde_json::Error),
    /// A file is that of a whole.
    #[error("{}: expected a part of a run, found a whole one; give --shard K/N to each", .0.display())]
    NoShard(PathBuf),
    /// The numbers of a shard are impossible.
    #[error("{}: expected a shard from 1 to {}, found {}; was the file edited?", .0.display(), .1, .2)]
    Impossible(PathBuf, u64, u64),
    /// A file belongs to another whole.
    #[error(
        "{} is not a shard of the same run as {}; give the same arguments and files to each, but \
         for --shard", .0.display(), .1.display()
    )]
    Foreign(PathBuf, PathBuf),
    /// A shard is there twice.
    #[error("{} is shard {} again, as {}; leave one of them out", .0.display(), .2, .1.display())]
    Twice(PathBuf, PathBuf, u64),
    /// Shards are missing.
    #[error("expected all {count} shards of the run of {}, found {found}; missing: {missing}", path.display())]
    Missing {
        /// A file that is there.
        path: PathBuf,
        /// How many shards there are.
        count: u64,
        /// How many of them were given.
        found: usize,
        /// The others.
        missing: String,
    },
    /// A shard was interrupted, or its file is not whole.
    #[error("{}: expected {} results, found {}; run this shard again", .0.display(), .1, .2)]
    Incomplete(PathBuf, u64, u64),
}

/// What a command wrote for one shard.
struct ShardOutput {
    path: PathBuf,
    shard: ShardJson,
    content: ShardContent,
}

/// By which command.
enum ShardContent {
    Suite(SuiteJson),
    Walk(Box<WalkJson>),
    /// The lines of the runs, as they stand there, and the last line.
    Run(Vec<String>, TotalsJson),
}

impl MergeArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> ExitClass {
        self.merge().unwrap_or_else(|error| complain(&error))
    }

    fn merge(&self) -> Result<ExitClass, MergeError> {
        let outputs = self.files.iter().map(|path| ShardOutput::read(path));
        let outputs = in_order(outputs.collect::<Result<_, _>>()?)?;
        let (mut suites, mut walks, mut runs) = (Vec::new(), Vec::new(), Vec::new());
        for output in outputs {
            output.is_complete()?;
            match output.content {
                ShardContent::Suite(suite) => suites.push(suite),
                ShardContent::Walk(walk) => walks.push(*walk),
                ShardContent::Run(rows, totals) => runs.push((rows, totals)),
            }
        }
        Ok(if !suites.is_empty() {
            merge_suites(suites)
        } else if walks.is_empty() {
            merge_runs(runs)
        } else {
            merge_walks(walks)
        })
    }
}

impl ShardOutput {
    fn read(path: &Path) -> Result<Self, MergeError> {
        let at = || path.to_owned();
        let text = fs::read_to_string(path).map_err(|error| MergeError::Read(at(), error))?;
        let whole: Option<Value> = serde_json::from_str(&text).ok();
        let has = |key| whole.as_ref().is_some_and(|value| value.get(key).is_some());
        let (shard, content) = if has("rows") {
            let suite: SuiteJson = parse(path, &text)?;
            (suite.shard.clone(), ShardContent::Suite(suite))
        } else if has("walks") {
            let walk: WalkJson = parse(path, &text)?;
            (walk.shard.clone(), ShardContent::Walk(Box::new(walk)))
        } else {
            let mut rows: Vec<_> = text.lines().map(str::to_owned).collect();
            let totals: TotalsJson = parse(path, &rows.pop().unwrap_or_default())?;
            for row in &rows {
                parse::<Value>(path, row)?;
            }
            (totals.shard.clone(), ShardContent::Run(rows, totals))
        };
        let shard = shard.ok_or_else(|| MergeError::NoShard(at()))?;
        match shard.shard() {
            Some(_) => Ok(Self { path: at(), shard, content }),
            None => Err(MergeError::Impossible(at(), shard.count, shard.index)),
        }
    }

    fn kind(&self) -> u8 {
        match self.content {
            ShardContent::Suite(_) => 0,
            ShardContent::Walk(_) => 1,
            ShardContent::Run(..) => 2,
        }
    }

    fn is_of_the_same_whole(&self, other: &Self) -> bool {
        let whole = |output: &Self| (output.kind(), output.shard.count, output.shard.of);
        whole(self) == whole(other) && self.shard.whole == other.shard.whole
    }

    fn is_complete(&self) -> Result<(), MergeError> {
        let part = self.shard.shard().expect("it was read");
        let striped = (0..self.shard.of).filter(|place| part.has(*place as usize)).count() as u64;
        let (expected, found) = match &self.content {
            ShardContent::Suite(suite) => (striped, suite.rows.len() as u64),
            ShardContent::Run(rows, _) => (striped, rows.len() as u64),
            // The walk that failed is the last one.
            ShardContent::Walk(walk) if walk.failure.is_some() => (walk.walks, walk.walks),
            ShardContent::Walk(walk) => {
                let piece = part.piece(0..self.shard.of);
                (piece.end - piece.start, walk.walks)
            }
        };
        // A search that was interrupted has a result, which says nothing.
        let interrupted = self.shard.exit == ExitClass::Interrupted as u8;
        if expected == found && !interrupted {
            Ok(())
        } else {
            let found = if interrupted { found.saturating_sub(1) } else { found };
            Err(MergeError::Incomplete(self.path.clone(), expected, found))
        }
    }
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, MergeError> {
    serde_json::from_str(text).map_err(|error| MergeError::NotJson(path.to_owned(), error))
}

/// The shards from the first to the last, if they are those of one whole.
fn in_order(mut outputs: Vec<ShardOutput>) -> Result<Vec<ShardOutput>, MergeError> {
    let first = &outputs[0];
    if let Some(foreign) = outputs.iter().find(|output| !output.is_of_the_same_whole(first)) {
        return Err(MergeError::Foreign(foreign.path.clone(), first.path.clone()));
    }
    let (path, count) = (first.path.clone(), first.shard.count);
    outputs.sort_by_key(|output| output.shard.index);
    for pair in outputs.windows(2) {
        if pair[0].shard.index == pair[1].shard.index {
            let [one, other] = [&pair[1].path, &pair[0].path].map(Clone::clone);
            return Err(MergeError::Twice(one, other, pair[0].shard.index));
        }
    }
    let is_there = |index: &u64| outputs.iter().any(|output| output.shard.index == *index);
    let mut missing: Vec<_> =
        (1..=count).filter(|index| !is_there(index)).map(|index| index.to_string()).collect();
    if missing.is_empty() {
        return Ok(outputs);
    }
    let found = outputs.len();
    if missing.len() > MOST_NAMED {
        missing.splice(MOST_NAMED.., ["…".to_owned()]);
    }
    let missing = missing.join(", ");
    Err(MergeError::Missing { path, count, found, missing })
}

/// How many shards that are missing are named.
const MOST_NAMED: usize = 20;

/// The pieces of all parts in the order of the whole: one of each, and again.
fn interleaved<T>(parts: Vec<Vec<T>>) -> impl Iterator<Item = T> {
    let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
    let mut next = 0;
    std::iter::from_fn(move || {
        let count = parts.len();
        let piece = parts[next].next();
        next = (next + 1) % count;
        piece
    })
}

fn merge_suites(suites: Vec<SuiteJson>) -> ExitClass {
    let seconds = suites.iter().map(|suite| suite.seconds).fold(0.0, f64::max);
    let rows: Vec<_> = interleaved(suites.into_iter().map(|suite| suite.rows).collect()).collect();
    let exit = if rows.iter().any(|row| row.met == Met::No) {
        ExitClass::Expectation
    } else {
        ExitClass::Holds
    };
    print_json(&SuiteJson { shard: None, exit: exit as u8, seconds, rows });
    exit
}

fn merge_runs(runs: Vec<(Vec<String>, TotalsJson)>) -> ExitClass {
    let (rows, totals): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
    for row in interleaved(rows) {
        print(&format!("{row}\n"));
    }
    let totals = totals.into_iter().fold(TotalsJson::default(), TotalsJson::and);
    print_json_line(&totals);
    match totals {
        TotalsJson { not_met: 1.., .. } => ExitClass::Expectation,
        TotalsJson { unknown: 1.., .. } => ExitClass::NotExhausted,
        TotalsJson { .. } => ExitClass::Holds,
    }
}

/// The walks up to the first that failed: one machine alone would have stopped there.
fn merge_walks(walks: Vec<WalkJson>) -> ExitClass {
    let mut parts = walks.into_iter();
    let mut whole = parts.next().expect("there is at least one file");
    for part in parts {
        if whole.failure.is_some() {
            break;
        }
        let (walks, steps) = (whole.walks + part.walks, whole.steps + part.steps);
        let seconds = whole.seconds.max(part.seconds);
        whole = WalkJson { from: whole.from, walks, steps, seconds, ..part };
    }
    whole.per_second = (whole.walks as f64 / whole.seconds.max(1e-3)) as u64;
    whole.shard = None;
    print_json(&whole);
    ExitClass::from(whole.outcome)
}
