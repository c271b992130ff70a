//! Who took part in a recorded run: the records of one tree, put together.
//!
//! The root is there from the start. Everybody else comes later (`name?` in the notation): when its
//! supervisor's record says `spawned`, or, for a process that no actor has announced, when the root
//! says `adopted`.

use super::names::{Names, UnknownPid};
use super::outside::Outside;
use super::record::{Line, Record, Tail};
use holdfast::Debugging;
use holdfast_check::trace::NamedPolicy;
use holdfast_check::tree::{ActorKind, ActorSpec, ActorStart, MOST_ACTORS, Tree, TreeError};
use holdfast_check::world::{Budget, Config, Environment, Topology};
use holdfast_protocol::{ActorId, DebugMode, Input, Output, Status};
use std::collections::BTreeMap;

/// One process of the run.
#[derive(Clone, Debug)]
pub struct Participant {
    /// Its process.
    pub process: u32,
    /// The name of its file; none if it wrote no record: a program that is not an actor, or an actor
    /// that died while it booted.
    pub file: Option<String>,
    /// What it handled, with the names of the model.
    pub lines: Vec<Line>,
    /// How its file ends.
    pub tail: Tail,
    /// How it came to the tree.
    pub origin: ParticipantOrigin,
    /// How it ended.
    pub end: End,
}

/// How a process came to the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParticipantOrigin {
    /// The process is the root.
    First,
    /// An actor says that it started it.
    Announced,
    /// Its record names a supervisor whose record does not name it.
    Unannounced,
    /// Nobody says who started it; the root found it.
    Found,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As its last line says.
    Own,
    /// Nobody wrote it down before: this is how it was reaped, or SIGKILL.
    Silent(Status),
}

/// A recorded run.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    /// Where it is replayed.
    pub topology: Topology,
    /// The policy by name.
    pub named: NamedPolicy,
    /// Who took part, in the order of the tree.
    pub participants: Vec<Participant>,
    /// What is known that no record tells.
    pub outside: Outside,
}

/// Why records do not make a run.
#[derive(Debug, thiserror::Error)]
pub enum ParticipantsError {
    /// The root's file is not there.
    #[error("{file}: its tree has the root {root}, of which there is no record")]
    NoRoot {
        /// Who names it.
        file: String,
        /// The process.
        root: u32,
    },
    /// The file of an actor is not there.
    #[error("{file}:{line}: it {does} process {process}, of which there is no record")]
    Missing {
        /// Who names it.
        file: String,
        /// The line.
        line: usize,
        /// What it does that only an actor is there for.
        does: &'static str,
        /// The process.
        process: u32,
    },
    /// Two records of one process, or one that was started twice.
    #[error("{file}:{line}: process {process} is in the run twice; its number was used again")]
    Twice {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// The process.
        process: u32,
    },
    /// Two records do not agree about what is the same in a whole tree, or who started whom.
    #[error("{file}:1: {what} differs from {other}")]
    Disagree {
        /// The one.
        file: String,
        /// The other.
        other: String,
        /// About what.
        what: &'static str,
    },
    /// More than the model takes.
    #[error("the tree of {file} had {count} processes; at most {MOST_ACTORS} can be checked")]
    TooMany {
        /// The root's file.
        file: String,
        /// How many.
        count: usize,
    },
    /// The tree is none.
    #[error("{file}: the records make no tree")]
    Tree {
        /// The root's file.
        file: String,
        /// The underlying error.
        source: TreeError,
    },
}

/// Puts all records of a folder together: one run a root.
///
/// # Errors
/// If the records of some root make no run.
pub fn group(
    records: Vec<Record>,
    outside: &Outside,
) -> Result<Vec<RecordedRun>, ParticipantsError> {
    let mut by_root: BTreeMap<ActorId, Vec<Record>> = BTreeMap::new();
    for record in records {
        by_root.entry(record.header.root).or_default().push(record);
    }
    by_root.into_iter().map(|(root, records)| RecordedRun::new(root, records, outside)).collect()
}

/// What is known of a process before the tree is laid out.
struct Known {
    supervisor: Option<ActorId>,
    origin: ParticipantOrigin,
}

impl RecordedRun {
    fn new(
        root: ActorId,
        records: Vec<Record>,
        outside: &Outside,
    ) -> Result<Self, ParticipantsError> {
        let first = records[0].file.clone();
        let mut by_process: BTreeMap<ActorId, Record> = BTreeMap::new();
        for record in records {
            let (file, process) = (record.file.clone(), record.header.actor);
            if by_process.insert(process, record).is_some() {
                return Err(ParticipantsError::Twice { file, line: 1, process: process.0 });
            }
        }
        let Some(top) = by_process.get(&root) else {
            return Err(ParticipantsError::NoRoot { file: first, root: root.0 });
        };
        let (top_file, header) = (top.file.clone(), top.header.clone());
        for record in by_process.values() {
            agree(record, top)?;
        }
        let known = who_is_there(root, &by_process, outside)?;
        let order = in_tree_order(root, &known);
        if order.len() > MOST_ACTORS {
            return Err(ParticipantsError::TooMany { file: top_file, count: order.len() });
        }
        let names = Names::new(order.iter().copied());
        let actors = actors(&order, &known, &by_process, &names);
        let tree = Tree::new(actors)
            .map_err(|source| ParticipantsError::Tree { file: top_file, source })?;
        let named = header.policy.clone();
        let mut config = Config::new(tree, named.policy(), header.placement, Budget::NONE);
        config.environment = Environment::Recorded;
        let mut participants = Vec::new();
        for (index, process) in order.iter().enumerate() {
            let record = by_process.get(process);
            config.debug[index] = match record.map(|record| record.header.debugging) {
                Some(Debugging::Failures) => DebugMode::On,
                Some(Debugging::Breakpoints | Debugging::Off) | None => DebugMode::Off,
            };
            participants.push(Participant {
                process: process.0,
                file: record.map(|record| record.file.clone()),
                lines: record.map_or(Ok(Vec::new()), |record| named_lines(record, &names))?,
                tail: record.map_or(Tail::Whole, |record| record.tail),
                origin: known[process].origin,
                end: end_of(*process, &by_process),
            });
        }
        let outside = outside.named(&names);
        Ok(Self { topology: Topology::new(config), named, participants, outside })
    }

    /// The tree.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.topology.config().tree
    }

    /// How many lines there are.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.participants.iter().map(|participant| participant.lines.len()).sum()
    }
}

/// What is the same in a whole tree.
fn agree(record: &Record, top: &Record) -> Result<(), ParticipantsError> {
    let (one, other) = (&record.header, &top.header);
    let root = one.actor == other.actor;
    let table = [
        (one.policy == other.policy, "the policy"),
        (one.placement == other.placement, "the placement"),
        (root == one.supervisor.is_none(), "who is the root"),
    ];
    match table.into_iter().find(|(same, _)| !same) {
        None => Ok(()),
        Some((_, what)) => {
            let (file, other) = (record.file.clone(), top.file.clone());
            Err(ParticipantsError::Disagree { file, other, what })
        }
    }
}

fn who_is_there(
    root: ActorId,
    by_process: &BTreeMap<ActorId, Record>,
    outside: &Outside,
) -> Result<BTreeMap<ActorId, Known>, ParticipantsError> {
    let mut known = BTreeMap::new();
    known.insert(root, Known { supervisor: None, origin: ParticipantOrigin::First });
    for (process, record) in by_process {
        for line in &record.lines {
            let Input::Spawned { child } = line.input else { continue };
            let one = Known { supervisor: Some(*process), origin: ParticipantOrigin::Announced };
            if known.insert(child, one).is_some() {
                let (file, line) = (record.file.clone(), line.number);
                return Err(ParticipantsError::Twice { file, line, process: child.0 });
            }
        }
    }
    for (process, record) in by_process {
        let Some(above) = record.header.supervisor else { continue };
        let Some(supervisor) = by_process.get(&above) else {
            let (file, line, does) = (record.file.clone(), 1, "names as its supervisor");
            return Err(ParticipantsError::Missing { file, line, does, process: above.0 });
        };
        let unannounced = Known { supervisor: Some(above), origin: ParticipantOrigin::Unannounced };
        if known.entry(*process).or_insert(unannounced).supervisor != Some(above) {
            let (file, other) = (record.file.clone(), supervisor.file.clone());
            return Err(ParticipantsError::Disagree { file, other, what: "its supervisor" });
        }
    }
    for line in &by_process[&root].lines {
        if let Input::Adopted { child } = line.input {
            let found = Known { supervisor: Some(root), origin: ParticipantOrigin::Found };
            known.entry(child).or_insert(found);
        }
    }
    for left in outside.ended.iter().flat_map(|ended| &ended.left) {
        known
            .entry(*left)
            .or_insert(Known { supervisor: Some(root), origin: ParticipantOrigin::Found });
    }
    only_actors_speak(by_process, &known)?;
    Ok(known)
}

/// A process without a record is not an actor, or died before it could say anything; so whoever has
/// said something, or has ended in an orderly way as an actor, has lost its record.
fn only_actors_speak(
    by_process: &BTreeMap<ActorId, Record>,
    known: &BTreeMap<ActorId, Known>,
) -> Result<(), ParticipantsError> {
    for record in by_process.values() {
        let linked = |process: ActorId| {
            record.lines.iter().any(|line| line.input == Input::LinkEnded { peer: process })
        };
        for line in &record.lines {
            let (process, does) = match line.input {
                Input::Received { from, .. } => (from, "has a message from"),
                Input::Exited { child, status: Status::Finished } if linked(child) => {
                    (child, "saw the orderly end of")
                }
                _ => continue,
            };
            if !by_process.contains_key(&process) && known.contains_key(&process) {
                let (file, line, process) = (record.file.clone(), line.number, process.0);
                return Err(ParticipantsError::Missing { file, line, does, process });
            }
        }
    }
    Ok(())
}

/// Depth first, a supervisor before its children, those in the order of their numbers.
fn in_tree_order(root: ActorId, known: &BTreeMap<ActorId, Known>) -> Vec<ActorId> {
    let mut order = Vec::new();
    let mut stack = vec![root];
    while let Some(process) = stack.pop() {
        order.push(process);
        let child =
            |(child, one): (&ActorId, &Known)| (one.supervisor == Some(process)).then_some(*child);
        stack.extend(known.iter().rev().filter_map(child));
    }
    order
}

fn actors(
    order: &[ActorId],
    known: &BTreeMap<ActorId, Known>,
    by_process: &BTreeMap<ActorId, Record>,
    names: &Names,
) -> Vec<ActorSpec> {
    let mut actors: Vec<ActorSpec> = Vec::new();
    for process in order {
        let path = by_process.get(process).map(|record| &record.header.path);
        let spelled = path.and_then(|path| path.last()).map_or("pid", String::as_str);
        let legible = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let mut name: String = spelled.chars().map(legible).collect();
        let taken = actors.iter().any(|other| other.name == name);
        if taken || path.is_none() || name.is_empty() {
            name = format!("{name}-{}", process.0);
        }
        let above = known[process].supervisor;
        let supervisor = above.and_then(|above| names.actor(above).ok());
        let start = if supervisor.is_none() { ActorStart::Running } else { ActorStart::Later };
        // A record does not say who is a host: a program is a process that never listens.
        let kind = ActorKind::Actor;
        actors.push(ActorSpec { name, supervisor, start, kind });
    }
    actors
}

fn named_lines(record: &Record, names: &Names) -> Result<Vec<Line>, ParticipantsError> {
    let named = |line: &Line| {
        names.line(line).map_err(|UnknownPid(process)| ParticipantsError::Missing {
            file: record.file.clone(),
            line: line.number,
            does: "names",
            process: process.0,
        })
    };
    record.lines.iter().map(named).collect()
}

fn end_of(process: ActorId, by_process: &BTreeMap<ActorId, Record>) -> End {
    let exits = |output: &Output| match output {
        Output::Exit { status } => Some(*status),
        _ => None,
    };
    let exit = by_process
        .get(&process)
        .and_then(|record| record.lines.iter().flat_map(|line| &line.outputs).find_map(exits));
    let reaped = |line: &Line| match line.input {
        Input::Exited { child, status } if child == process => Some(status),
        _ => None,
    };
    let mut reaped = by_process.values().flat_map(|record| &record.lines).filter_map(reaped);
    match (exit, reaped.next()) {
        // It was killed before it had done what its last line says.
        (Some(said), Some(Status::Killed)) if said != Status::Killed => End::Silent(Status::Killed),
        (Some(_), _) => End::Own,
        (None, reaped) => End::Silent(reaped.unwrap_or(Status::Killed)),
    }
}
