//! A whole tree of test actors on a stage of its own, grown to a shape and ready for instructions.

mod waits;

use crate::actor::{DEBUG_VARIABLE, GRACE_VARIABLE, HOSTS_VARIABLE};
use crate::control::{ActorEvent, ActorHandle, ControlServer, Instruction};
use crate::defect::{self, TestDefect};
use crate::points;
use crate::probe::POLICY_VARIABLE;
use crate::{JobPlace, PATIENCE, SessionLeader, StagedProgram, TerminalStage, process, report};
use holdfast::recorder::RECORD_VARIABLE;
use holdfast_check::tree::{ActorStart, Tree};
use holdfast_protocol::policy::TerminalReader;
use holdfast_protocol::{NamedPolicy, Placement, PolicyName};
use nix::sys::signal::Signal;
use nix::sys::termios::Termios;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The variable that names a directory in which the records of all trees are kept.
pub const RECORDS_VARIABLE: &str = "HOLDFAST_TEST_RECORDS";

/// What can go wrong, with everything that was seen.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How the root is started.
#[derive(Clone, Debug)]
enum Launch {
    /// The root is the program on the stage.
    Itself,
    /// By this program, which gets the root's path as its last argument.
    By(Vec<String>),
    /// By this line, typed at a shell; `ROOT` in it stands for the path. It gets no arguments.
    Typed(String),
}

/// A tree that is about to be grown.
#[derive(Clone, Debug)]
pub struct TestTreeBuilder {
    shape: Tree,
    policy: NamedPolicy,
    placement: Placement,
    debug: Vec<String>,
    grace_ms: u64,
    leader: SessionLeader,
    place: JobPlace,
    launch: Launch,
    points: Vec<String>,
    variables: Vec<(String, String)>,
    args: Vec<String>,
    program_args: Vec<String>,
    records: Option<PathBuf>,
    patience: Duration,
}

impl TestTreeBuilder {
    /// A tree of this shape, in the notation of [`Tree`], its root named `root`.
    ///
    /// # Errors
    /// The notation is wrong.
    pub fn of(shape: &str) -> Result<Self> {
        Ok(Self::shaped(shape.parse()?))
    }

    /// A tree of this shape.
    #[must_use]
    pub fn shaped(shape: Tree) -> Self {
        Self {
            shape,
            policy: PolicyName::Relay.into(),
            placement: Placement::OwnSession,
            debug: Vec::new(),
            grace_ms: 2000,
            leader: SessionLeader::Shell,
            place: JobPlace::Foreground,
            launch: Launch::Itself,
            points: Vec::new(),
            variables: Vec::new(),
            args: Vec::new(),
            program_args: Vec::new(),
            patience: PATIENCE,
            records: std::env::var_os(RECORDS_VARIABLE).map(PathBuf::from),
        }
    }

    /// Sets the policy.
    #[must_use]
    pub fn policy(self, policy: impl Into<NamedPolicy>) -> Self {
        Self { policy: policy.into(), ..self }
    }

    /// Sets the placement.
    #[must_use]
    pub fn placement(self, placement: Placement) -> Self {
        Self { placement, ..self }
    }

    /// Puts actors, by name, into debug mode: their failures open a prompt.
    #[must_use]
    pub fn debug(mut self, names: &[&str]) -> Self {
        for name in names {
            let path = self.shape.find(name).map(|id| path_in(&self.shape, id));
            self.debug.extend(path);
        }
        self
    }

    /// Sets every grace period, in milliseconds.
    #[must_use]
    pub fn grace_ms(self, grace_ms: u64) -> Self {
        Self { grace_ms, ..self }
    }

    /// Sets who leads the terminal's session.
    #[must_use]
    pub fn leader(self, leader: SessionLeader) -> Self {
        Self { leader, ..self }
    }

    /// Sets whether the root starts with the terminal.
    #[must_use]
    pub fn place(self, place: JobPlace) -> Self {
        Self { place, ..self }
    }

    /// Has another program start the root, whose path is its last argument.
    #[must_use]
    pub fn started_by(self, words: &[&str]) -> Self {
        Self { launch: Launch::By(words.iter().map(|&word| word.to_owned()).collect()), ..self }
    }

    /// Has bash(1) start the root, by a line that is typed: `ROOT` in it stands for the path.
    #[must_use]
    pub fn typed(self, line: &str) -> Self {
        Self { launch: Launch::Typed(line.to_owned()), ..self }
    }

    /// Holds an actor at a place in the runtime, as `booting@root/mid`.
    #[must_use]
    pub fn point(mut self, point: &str) -> Self {
        self.points.push(point.to_owned());
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.variables.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Arguments for the program of every actor.
    #[must_use]
    pub fn args(self, args: &[&str]) -> Self {
        Self { args: args.iter().map(|&one| one.to_owned()).collect(), ..self }
    }

    /// Arguments with which the program of every actor is a program below a host
    /// ([`crate::reader`]), before its path in the tree.
    #[must_use]
    pub fn programs(self, args: &[&str]) -> Self {
        Self { program_args: args.iter().map(|&one| one.to_owned()).collect(), ..self }
    }

    /// Has every actor tell what its protocol handles; see [`crate::report`].
    #[must_use]
    pub fn told(self) -> Self {
        self.env(report::VARIABLE, "on")
    }

    /// Has the actors get something wrong.
    #[must_use]
    pub fn defect(self, defect: TestDefect) -> Self {
        self.env(defect::VARIABLE, &defect.to_string())
    }

    /// How long a wait takes before it fails; [`PATIENCE`] without this.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Keeps the records of this tree in a directory.
    #[must_use]
    pub fn records(self, folder: &Path) -> Self {
        Self { records: Some(folder.to_owned()), ..self }
    }

    /// Starts the root and has every actor spawn its children; late ones (`name?`) are left out.
    ///
    /// # Errors
    /// Something did not happen in time.
    pub fn grow(self, shim: Command, actor: &Path) -> Result<TestTree> {
        let control = ControlServer::open()?.patience(self.patience);
        let (key, value) = control.variable();
        let root = actor.display().to_string();
        let mut program = match &self.launch {
            Launch::Itself => StagedProgram::new(actor).args(self.args.clone()),
            Launch::By(words) => {
                let (program, args) = words.split_first().ok_or("nobody starts the root")?;
                StagedProgram::new(program).args(args).args([root.clone()]).args(self.args.clone())
            }
            Launch::Typed(_) => StagedProgram::new("bash")
                .args(["--norc", "--noprofile", "--noediting", "-i"])
                .env("PS1", PROMPT),
        };
        program = program
            .leader(self.leader)
            .place(self.place)
            .env(key, value)
            .env(POLICY_VARIABLE, self.policy.to_string())
            .env("HOLDFAST_PLACEMENT", self.placement.to_string())
            .env(GRACE_VARIABLE, self.grace_ms.to_string())
            .env(DEBUG_VARIABLE, self.debug.join(","))
            .env(points::VARIABLE, self.points.join(","));
        if self.shape.has_hosts() {
            program = program.env(HOSTS_VARIABLE, "on");
        }
        for (key, value) in &self.variables {
            program = program.env(key, value);
        }
        if let Some(folder) = &self.records {
            let folder = fresh_folder(folder)?;
            program = program.env(RECORD_VARIABLE, folder.display().to_string());
        }
        let stage = TerminalStage::open(shim, &program)?.patience(self.patience);
        let modes = stage.modes()?;
        if let Launch::Typed(line) = &self.launch {
            stage.wait_text(PROMPT.trim_end())?;
            stage.type_line(&line.replace("ROOT", &root))?;
        }
        let (actors, shape, asked) = (BTreeMap::new(), self.shape, 0);
        let held = self.points.iter().any(|point| point == points::STARTING);
        let starts = if held { Starts::Held(0) } else { Starts::Free };
        let mut grown = TestTree { stage, control, modes, actors, shape, asked, starts };
        grown.actor("root")?;
        let hosted = self.policy.policy().reader == TerminalReader::Root;
        let ids: Vec<_> = grown.shape.ids().collect();
        for id in ids {
            if grown.shape.start(id) == ActorStart::Running && grown.shape.supervisor(id).is_some()
            {
                let name = grown.shape.name(id).to_owned();
                match grown.shape.program_of(id).map(|program| grown.shape.name(program).to_owned())
                {
                    _ if grown.shape.is_program(id) => {}
                    None => grown.spawn(&name)?,
                    Some(program) => {
                        let path = grown.path(&program)?;
                        let args = [self.program_args.clone(), vec![path]].concat();
                        grown.host(&name, &program, (root.clone(), args), hosted)?;
                    }
                }
            }
        }
        Ok(grown)
    }
}

/// A folder for the records of one tree.
fn fresh_folder(above: &Path) -> Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = above.join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn path_in(shape: &Tree, id: holdfast_protocol::ActorId) -> String {
    let mut names: Vec<_> = shape.ancestors(id).map(|above| shape.name(above)).collect();
    names.reverse();
    names.push(shape.name(id));
    names.join("/")
}

/// A tree of test actors that runs.
pub struct TestTree {
    /// The terminal and its processes.
    pub stage: TerminalStage,
    /// The instructions and events.
    pub control: ControlServer,
    /// The terminal's modes before the tree started.
    pub modes: Termios,
    actors: BTreeMap<String, ActorHandle>,
    shape: Tree,
    /// How many surveys were asked for.
    asked: u32,
    starts: Starts,
}

/// Whether actors are held as they start.
#[derive(Clone, Copy, Debug)]
enum Starts {
    Free,
    /// Actors are held; so many were let go.
    Held(usize),
}

impl TestTree {
    /// The path of an actor by its name in the shape.
    ///
    /// # Errors
    /// There is no such name.
    pub fn path(&self, name: &str) -> Result<String> {
        let id = self.shape.find(name).ok_or_else(|| format!("there is no actor `{name}`"))?;
        Ok(path_in(&self.shape, id))
    }

    /// An actor by its name, once it has said hello.
    ///
    /// # Errors
    /// The actor does not come.
    pub fn actor(&mut self, name: &str) -> Result<&ActorHandle> {
        let path = self.path(name)?;
        if !self.actors.contains_key(name) {
            let actor = self.control.wait_actor(&path)?;
            actor.wait_for(&ActorEvent::Booted {})?;
            self.actors.insert(name.to_owned(), actor);
        }
        Ok(&self.actors[name])
    }

    /// Has the supervisor of an actor spawn it, and waits until it runs.
    ///
    /// # Errors
    /// The actor does not come.
    pub fn spawn(&mut self, name: &str) -> Result<()> {
        self.ask_to_spawn(name)?;
        if let Starts::Held(before) = &mut self.starts {
            let hello = self.control.wait_hello(points::STARTING, *before)?;
            *before += 1;
            hello.send(Instruction::Boot {})?;
        }
        let supervisor = self.supervisor(name)?;
        let is = |event: &ActorEvent| matches!(event, ActorEvent::Spawned { name: new, .. } if new == name);
        self.actor(&supervisor)?.wait("the child", is)?;
        self.actor(name)?;
        Ok(())
    }

    /// Has the supervisor of a host start it, and waits until its program runs. Where whoever is at
    /// a prompt reads the terminal itself, an actor starts the program, in the terminal of all.
    fn host(
        &mut self,
        name: &str,
        hosted: &str,
        (program, args): (String, Vec<String>),
        has_terminal: bool,
    ) -> Result<()> {
        if has_terminal {
            let supervisor = self.supervisor(name)?;
            let instruction = Instruction::Host { name: name.to_owned(), program, args };
            self.actor(&supervisor)?.send(instruction)?;
        } else {
            self.spawn(name)?;
            self.actor(name)?.send(Instruction::Command { program, args })?;
        }
        self.actor(hosted).map(drop)
    }

    /// Has the supervisor of an actor spawn it, and does not wait.
    ///
    /// # Errors
    /// The supervisor does not hear.
    pub fn ask_to_spawn(&mut self, name: &str) -> Result<()> {
        let supervisor = self.supervisor(name)?;
        let instruction = Instruction::Spawn { name: name.to_owned() };
        Ok(self.actor(&supervisor)?.send(instruction)?)
    }

    fn supervisor(&self, name: &str) -> Result<String> {
        let id = self.shape.find(name).ok_or_else(|| format!("there is no actor `{name}`"))?;
        let above = self.shape.supervisor(id).ok_or("nobody spawns the root")?;
        Ok(self.shape.name(above).to_owned())
    }

    /// Gives an actor an instruction.
    ///
    /// # Errors
    /// The actor does not hear.
    pub fn instruct(&mut self, name: &str, instruction: Instruction) -> Result<()> {
        Ok(self.actor(name)?.send(instruction)?)
    }

    /// Sends a signal to an actor.
    ///
    /// # Errors
    /// The process is gone.
    pub fn signal(&mut self, name: &str, signal: Signal) -> Result<()> {
        let pid = self.actor(name)?.pid();
        Ok(process::signal(pid, signal)?)
    }
}

/// The prompt of a shell that is typed at.
pub const PROMPT: &str = "shell$ ";
