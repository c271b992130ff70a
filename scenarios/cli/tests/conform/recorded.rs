//! Records made from the model: a run of the world, written as its actors would write it.

use holdfast::Debugging;
use holdfast::recorder::{RecordHeader, RecordLine, VERSION};
use holdfast_check::tree::{ActorStart, Tree};
use holdfast_check::world::{
    Action, ActorFlags, Budget, Config, Environment, EnvironmentAction, Observation, SystemStep,
};
use holdfast_check::world::{System, Topology};
use holdfast_protocol::Placement;
use holdfast_protocol::Shielding;
use holdfast_protocol::{ActorId, Answer, Cause, DebugMode, Input, PolicyName, Status};
use std::collections::BTreeMap;
use std::path::Path;

/// A run and what its actors write.
pub(crate) struct Recorder {
    pub(crate) topology: Topology,
    pub(crate) system: System,
    lines: BTreeMap<ActorId, Vec<RecordLine>>,
    /// How many lines were written: the clock.
    at_ns: u64,
}

/// What an actor writes, without the names of processes.
pub(crate) type Files = BTreeMap<String, String>;

impl Recorder {
    /// A run under `relay`.
    pub(crate) fn new(config: Config) -> Self {
        let topology = Topology::new(config);
        let system = System::new(&topology);
        let mut lines: BTreeMap<ActorId, Vec<RecordLine>> = BTreeMap::new();
        let tree = &topology.config().tree;
        // A program that knows nothing of the tree writes nothing.
        let early = |id: &ActorId| tree.start(*id) == ActorStart::Running && !tree.is_program(*id);
        for actor in tree.ids().filter(early) {
            let started = tree.children(actor).filter(|id| tree.start(*id) == ActorStart::Running);
            let line = |child| RecordLine {
                at_ns: 0,
                input: Input::Spawned { child },
                outputs: Vec::new(),
            };
            lines.insert(actor, started.map(line).collect());
        }
        Self { topology, system, lines, at_ns: 0 }
    }

    /// A run in which the test is the environment.
    pub(crate) fn free(tree: &str) -> Self {
        let tree: Tree = tree.parse().expect("a tree");
        let relay = PolicyName::Relay.policy();
        let mut config = Config::new(tree, relay, Placement::OwnSession, Budget::NONE);
        config.environment = Environment::Recorded;
        Self::new(config)
    }

    /// An actor by name.
    pub(crate) fn actor(&self, name: &str) -> ActorId {
        self.topology.config().tree.find(name).expect("an actor of the tree")
    }

    /// Performs an action; whoever handles an input writes a line.
    pub(crate) fn take(&mut self, action: Action) {
        let before = self.system.clone();
        let did = self.system.apply(&self.topology, action);
        if let Action::System(SystemStep::Boot { actor }) = action {
            self.lines.entry(actor).or_default();
        }
        let Some((actor, input)) = self.handled(&before, action, &did) else { return };
        let runs = before
            .look(&self.topology, |scene| scene.actor(actor).flags.contains(ActorFlags::RUNNING));
        if !runs {
            return;
        }
        let outputs = did.iter().filter_map(|did| match did {
            Observation::Output { actor: who, output } if *who == actor => Some(*output),
            _ => None,
        });
        self.at_ns += 1;
        let line = RecordLine { at_ns: self.at_ns, input, outputs: outputs.collect() };
        self.lines.entry(actor).or_default().push(line);
    }

    /// An environment action, and then every step of the tree but timers, until nothing is left to do.
    pub(crate) fn then(&mut self, action: EnvironmentAction) {
        self.take(Action::Environment(action));
        self.settle();
    }

    /// Every move of the tree but timers, until nothing moves.
    pub(crate) fn settle(&mut self) {
        let moves = |action: &Action| matches!(action, Action::System(tree_move) if !matches!(tree_move, SystemStep::Expire { .. }));
        while let Some(action) = self.system.enabled(&self.topology).into_iter().find(moves) {
            self.take(action);
        }
    }

    fn handled(
        &self,
        before: &System,
        action: Action,
        did: &[Observation],
    ) -> Option<(ActorId, Input)> {
        let tree = &self.topology.config().tree;
        let facts =
            |actor: ActorId| before.look(&self.topology, |scene| scene.actor(actor).clone());
        let answered = |actor, answer| {
            let request = facts(actor).prompt.expect("an open prompt is answered");
            (actor, Input::Answered { request, answer })
        };
        Some(match action {
            Action::System(tree_move) => match tree_move {
                SystemStep::Deliver { .. } | SystemStep::TakeSignal { .. } => {
                    return did.iter().find_map(|did| match *did {
                        Observation::Delivered { from, to, message } => {
                            Some((to, Input::Received { from, message }))
                        }
                        Observation::EndRead { from, to } => {
                            Some((to, Input::LinkEnded { peer: from }))
                        }
                        Observation::Took { actor, signal, origin } => {
                            Some((actor, Input::Signalled { signal, origin }))
                        }
                        _ => None,
                    });
                }
                SystemStep::Expire { actor, timer } => (actor, Input::Expired { timer }),
                SystemStep::EndUserTask { actor } => (actor, Input::UserTaskEnded),
                SystemStep::Reap { actor } => {
                    let zombie = facts(actor);
                    let (status, parent) =
                        (zombie.zombie.expect("a zombie is reaped"), zombie.parent?);
                    let hosted = tree.is_program(actor) && tree.supervisor(actor) == Some(parent);
                    let status = if hosted { Status::Finished } else { status };
                    (parent, Input::Exited { child: actor, status })
                }
                SystemStep::Adopt { actor } => {
                    (self.topology.root(), Input::Adopted { child: actor })
                }
                SystemStep::SeeChildrenGone => (self.topology.root(), Input::ChildrenGone),
                SystemStep::ReadBaton { request } => {
                    (self.topology.root(), Input::BatonClosed { request })
                }
                SystemStep::LosePrompt { actor } => answered(actor, Answer::Hangup),
                SystemStep::AskForProgram { actor } => {
                    (actor, Input::Pause { shielding: Shielding::Plain })
                }
                SystemStep::FinishHost { actor } => {
                    (actor, Input::Cancel { cause: Cause::Finished })
                }
                SystemStep::GiveForeground { .. }
                | SystemStep::Boot { .. }
                | SystemStep::Pass { .. } => return None,
            },
            Action::Environment(action) => match action {
                EnvironmentAction::Pause { actor } => {
                    (actor, Input::Pause { shielding: Shielding::Plain })
                }
                EnvironmentAction::PauseShielded { actor } => {
                    (actor, Input::Pause { shielding: Shielding::Shielded })
                }
                EnvironmentAction::Answer { actor, answer } => answered(actor, answer),
                EnvironmentAction::Provoke { actor, cause } => (actor, Input::Cancel { cause }),
                EnvironmentAction::FailUnexamined { actor, cause } => {
                    (actor, Input::Unexamined { cause })
                }
                EnvironmentAction::CancelChild { actor } => {
                    (tree.supervisor(actor)?, Input::CancelChild { child: actor })
                }
                EnvironmentAction::Spawn { actor } => {
                    (tree.supervisor(actor)?, Input::Spawned { child: actor })
                }
                EnvironmentAction::TakeBack { actor } => {
                    answered(tree.supervisor(actor)?, Answer::Continue)
                }
                EnvironmentAction::Read { .. }
                | EnvironmentAction::Type { .. }
                | EnvironmentAction::Interrupt
                | EnvironmentAction::Signal { .. }
                | EnvironmentAction::Kill { .. }
                | EnvironmentAction::Cut { .. }
                | EnvironmentAction::Die { .. }
                | EnvironmentAction::Appear { .. }
                | EnvironmentAction::Vanish { .. }
                | EnvironmentAction::CutShort { .. } => return None,
            },
        })
    }

    fn path(&self, actor: ActorId) -> Vec<String> {
        let tree = &self.topology.config().tree;
        let mut path: Vec<_> = tree.ancestors(actor).map(|id| tree.name(id).to_owned()).collect();
        path.reverse();
        path.push(tree.name(actor).to_owned());
        path
    }

    /// The files of all actors that have booted.
    pub(crate) fn files(&self) -> Files {
        self.files_by(|at_ns| at_ns)
    }

    /// The same by a clock that goes otherwise.
    pub(crate) fn files_by(&self, clock: impl Fn(u64) -> u64) -> Files {
        let config = self.topology.config();
        let mut files = Files::new();
        for (actor, lines) in &self.lines {
            let path = self.path(*actor);
            let header = RecordHeader {
                holdfast_record: VERSION,
                actor: *actor,
                path: path.clone(),
                supervisor: config.tree.supervisor(*actor),
                root: self.topology.root(),
                policy: PolicyName::Relay.into(),
                placement: config.placement,
                debugging: match config.debug[actor.index()] {
                    DebugMode::On => Debugging::Failures,
                    DebugMode::Off => Debugging::Breakpoints,
                },
            };
            let mut text = serde_json::to_string(&header).expect("plain data serialises");
            text.push('\n');
            for line in lines {
                let line = RecordLine { at_ns: clock(line.at_ns), ..line.clone() };
                text.push_str(&serde_json::to_string(&line).expect("plain data serialises"));
                text.push('\n');
            }
            files.insert(format!("{}.jsonl", path.join("~")), text);
        }
        files
    }
}

/// Writes files into a folder.
pub(crate) fn write(folder: &Path, files: &Files) {
    for (name, text) in files {
        std::fs::write(folder.join(name), text).expect("the folder can be written");
    }
}

/// Two actors at a prompt one after the other, and an orderly end.
pub(crate) fn two_prompts() -> Recorder {
    let mut run = Recorder::free("root(mid(leaf),sib)");
    let (leaf, sib) = (run.actor("leaf"), run.actor("sib"));
    run.settle();
    run.then(EnvironmentAction::Pause { actor: leaf });
    run.then(EnvironmentAction::Pause { actor: sib });
    run.then(EnvironmentAction::Answer { actor: leaf, answer: Answer::Continue });
    run.then(EnvironmentAction::Answer { actor: sib, answer: Answer::Continue });
    for name in ["leaf", "sib", "mid", "root"] {
        let actor = run.actor(name);
        run.then(EnvironmentAction::Provoke { actor, cause: Cause::Finished });
    }
    run
}
