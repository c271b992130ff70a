//! A whole tree of puppets on a stage of its own, grown to a shape and ready for orders.

use super::orders::{Actor, Boot, Event, Order, Orders};
use super::points;
use super::puppet::{DEBUG_VARIABLE, GRACE_VARIABLE};
use super::{Leader, Modes, PATIENCE, Program, Stage, tell};
use crate::recorder::RECORD_VARIABLE;
use holdfast_model::protocol::PolicyName;
use holdfast_model::tree::{Start, Tree};
use holdfast_model::world::Placement;
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

/// A tree that is about to be grown.
#[derive(Clone, Debug)]
pub struct Growth {
    shape: Tree,
    policy: PolicyName,
    placement: Placement,
    debug: Vec<String>,
    grace_ms: u64,
    leader: Leader,
    points: Vec<String>,
    variables: Vec<(String, String)>,
    args: Vec<String>,
    records: Option<PathBuf>,
    patience: Duration,
}

impl Growth {
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
            policy: PolicyName::Relay,
            placement: Placement::OwnSession,
            debug: Vec::new(),
            grace_ms: 2000,
            leader: Leader::Shell,
            points: Vec::new(),
            variables: Vec::new(),
            args: Vec::new(),
            patience: PATIENCE,
            records: std::env::var_os(RECORDS_VARIABLE).map(PathBuf::from),
        }
    }

    /// Sets the policy.
    #[must_use]
    pub fn policy(self, policy: PolicyName) -> Self {
        Self { policy, ..self }
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
    pub fn leader(self, leader: Leader) -> Self {
        Self { leader, ..self }
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

    /// Has every actor tell what its protocol handles; see [`super::tell`].
    #[must_use]
    pub fn told(self) -> Self {
        self.env(tell::VARIABLE, "on")
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
    pub fn grow(self, nanny: Command, actor: &Path) -> Result<Grown> {
        let orders = Orders::open()?.patience(self.patience);
        let (key, value) = orders.variable();
        let mut program = Program::new(actor)
            .args(self.args)
            .leader(self.leader)
            .env(key, value)
            .env("HOLDFAST_POLICY", self.policy.to_string())
            .env("HOLDFAST_PLACEMENT", self.placement.to_string())
            .env(GRACE_VARIABLE, self.grace_ms.to_string())
            .env(DEBUG_VARIABLE, self.debug.join(","))
            .env(points::VARIABLE, self.points.join(","));
        for (key, value) in &self.variables {
            program = program.env(key, value);
        }
        if let Some(folder) = &self.records {
            let folder = fresh_folder(folder)?;
            program = program.env(RECORD_VARIABLE, folder.display().to_string());
        }
        let stage = Stage::open(nanny, &program)?.patience(self.patience);
        let modes = stage.modes()?;
        let mut grown = Grown { stage, orders, modes, actors: BTreeMap::new(), shape: self.shape };
        grown.actor("root")?;
        let ids: Vec<_> = grown.shape.ids().collect();
        for id in ids {
            if grown.shape.start(id) == Start::Running && grown.shape.supervisor(id).is_some() {
                let name = grown.shape.name(id).to_owned();
                grown.spawn(&name)?;
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

fn path_in(shape: &Tree, id: holdfast_model::protocol::ActorId) -> String {
    let mut names: Vec<_> = shape.ancestors(id).map(|above| shape.name(above)).collect();
    names.reverse();
    names.push(shape.name(id));
    names.join("/")
}

/// A tree of puppets that runs.
pub struct Grown {
    /// The terminal and its processes.
    pub stage: Stage,
    /// The orders and events.
    pub orders: Orders,
    /// The terminal's modes before the tree started.
    pub modes: Modes,
    actors: BTreeMap<String, Actor>,
    shape: Tree,
}

impl Grown {
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
    /// It does not come.
    pub fn actor(&mut self, name: &str) -> Result<&Actor> {
        let path = self.path(name)?;
        if !self.actors.contains_key(name) {
            let actor = self.orders.wait_actor(&path)?;
            actor.wait_for(&Event::Booted {})?;
            self.actors.insert(name.to_owned(), actor);
        }
        Ok(&self.actors[name])
    }

    /// Has the supervisor of an actor spawn it, and waits until it runs.
    ///
    /// # Errors
    /// It does not come.
    pub fn spawn(&mut self, name: &str) -> Result<()> {
        self.ask_to_spawn(name)?;
        let supervisor = self.supervisor(name)?;
        let is = |event: &Event| matches!(event, Event::Spawned { name: new, .. } if new == name);
        self.actor(&supervisor)?.wait("the child", is)?;
        self.actor(name)?;
        Ok(())
    }

    /// Has the supervisor of an actor spawn it, and does not wait.
    ///
    /// # Errors
    /// The supervisor does not hear.
    pub fn ask_to_spawn(&mut self, name: &str) -> Result<()> {
        let supervisor = self.supervisor(name)?;
        let order = Order::Spawn { name: name.to_owned(), boot: Boot::AtOnce };
        Ok(self.actor(&supervisor)?.send(order)?)
    }

    fn supervisor(&self, name: &str) -> Result<String> {
        let id = self.shape.find(name).ok_or_else(|| format!("there is no actor `{name}`"))?;
        let above = self.shape.supervisor(id).ok_or("nobody spawns the root")?;
        Ok(self.shape.name(above).to_owned())
    }

    /// Gives an actor an order.
    ///
    /// # Errors
    /// It does not hear.
    pub fn order(&mut self, name: &str, order: Order) -> Result<()> {
        Ok(self.actor(name)?.send(order)?)
    }

    /// Sends a signal to an actor.
    ///
    /// # Errors
    /// It is gone.
    pub fn signal(&mut self, name: &str, signal: nix::sys::signal::Signal) -> Result<()> {
        let pid = self.actor(name)?.pid();
        Ok(super::procs::signal(pid, signal)?)
    }

    /// Waits until the prompt of an actor is on the screen and takes input.
    ///
    /// # Errors
    /// It does not come.
    pub fn wait_prompt(&mut self, name: &str) -> Result<()> {
        let path = self.path(name)?;
        Ok(self.stage.wait_screen(&format!("the prompt of {path}"), |screen| {
            let (row, _) = screen.cursor_position();
            let line: String = screen.contents_between(row, 0, row, screen.size().1);
            line.starts_with(&path) && line.trim_end().ends_with('>')
        })?)
    }
}
