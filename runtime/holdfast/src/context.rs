//! What an actor's function is given: its scope.
//!
//! The scope of an actor is its nursery: what it spawns cannot outlive it. When the function
//! returns, children that still run are cancelled, and the actor ends when the last was reaped. When
//! it, or a child, fails, all are cancelled, and the failure climbs to the supervisor.

use crate::error::RuntimeError;
use crate::event::{ActorEvent, ChildOrder, ChildProgram, DriverEvent, Given};
use crate::portal::{Mailbox, Portal};
use crate::program::{ActorFn, Registry};
use crate::settings::Debugging;
use futures_util::FutureExt as _;
use holdfast_protocol::Cause;
use holdfast_sync::flag::Flag;
use holdfast_sync::mailbox::Sender;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

pub(crate) fn encode<T: Serialize>(what: &'static str, value: &T) -> Result<Vec<u8>, RuntimeError> {
    let bytes = rmp_serde::to_vec_named(value);
    let bytes = bytes.map_err(|error| RuntimeError::Unwritable { what, source: error.into() })?;
    if bytes.len() > crate::wire::MAX_PAYLOAD {
        return Err(crate::wire::WireError::TooLong(bytes.len()).into());
    }
    Ok(bytes)
}

pub(crate) fn decode<T: DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
) -> Result<T, RuntimeError> {
    let expected = std::any::type_name::<T>();
    rmp_serde::from_slice(bytes).map_err(|error| RuntimeError::Value {
        what,
        expected,
        source: error.into(),
    })
}

/// What an actor's function is given. Clones are the same scope.
#[derive(Clone)]
pub struct Context {
    shared: Arc<Scope>,
}

pub(crate) struct Scope {
    pub(crate) path: String,
    pub(crate) events: Sender<DriverEvent>,
    pub(crate) registry: Arc<Registry>,
    /// The messages between this actor and its supervisor.
    pub(crate) mailbox: Option<Mailbox>,
    /// How many shielded tasks run.
    pub(crate) shields: watch::Sender<usize>,
    /// Whether this scope was told to end.
    pub(crate) cancelled: Flag,
}

/// One shielded task, counted.
struct ShieldGuard(Arc<Scope>);

impl Drop for ShieldGuard {
    fn drop(&mut self) {
        self.0.shields.send_modify(|count| *count -= 1);
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("path", &self.path()).finish_non_exhaustive()
    }
}

impl Context {
    pub(crate) fn new(shared: Scope) -> Self {
        Self { shared: Arc::new(shared) }
    }

    pub(crate) fn shields(&self) -> watch::Receiver<usize> {
        self.shared.shields.subscribe()
    }

    pub(crate) fn cancelled_flag(&self) -> Flag {
        self.shared.cancelled.clone()
    }

    /// Waits until this actor is told to end: for a task in [`Context::shield`] that must know.
    pub async fn cancelled(&self) {
        self.shared.cancelled.raised().await;
    }

    /// Blocks this thread until this actor is told to end: for a thread that the program started.
    pub fn block_until_cancelled(&self) {
        self.shared.cancelled.wait();
    }

    /// The path of this actor from the root, like `root/mid/leaf`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.shared.path
    }

    /// Starts a child: a process of its own that runs this function, which must be registered with
    /// [`crate::Program::actor`]. Await it; a name and a debug mode may be set before.
    pub fn spawn<A, F>(&self, function: F, args: A) -> Spawn<F::Output>
    where
        A: Serialize,
        F: ActorFn<A>,
    {
        let _ = function;
        Spawn {
            shared: Arc::clone(&self.shared),
            function: self.shared.registry.name_of::<F>(),
            args: encode("the arguments", &args),
            name: None,
            debugging: None,
            given: Given::Output,
            output: PhantomData,
        }
    }

    /// Starts a foreign program as a child. It gets the default signal dispositions, no input, the
    /// output of this actor, and none of its descriptors. Its result is its end: an exit code other
    /// than zero is a failure. A cancel sends it SIGTERM.
    ///
    /// # Errors
    /// The program cannot be started, or this actor is being cancelled.
    pub async fn spawn_command(&self, command: Command) -> Result<Portal<()>, RuntimeError> {
        self.start_program(command, ChildProgram::Foreign).await
    }

    /// Starts the program of a host.
    pub(crate) async fn spawn_hosted(
        &self,
        command: Command,
    ) -> Result<Portal<crate::host::ProgramEnd>, RuntimeError> {
        self.start_program(command, ChildProgram::Hosted).await
    }

    async fn start_program<R>(
        &self,
        command: Command,
        program: impl FnOnce(Option<Box<Command>>) -> ChildProgram,
    ) -> Result<Portal<R>, RuntimeError> {
        let (reply, answer) = oneshot::channel();
        let name = command.get_program().to_string_lossy();
        let name = name.rsplit('/').next().unwrap_or(&name).to_owned();
        let program = program(Some(Box::new(command)));
        let order = ChildOrder { program, name, reply, started: None };
        self.tell("start a program", DriverEvent::Actor(ActorEvent::Spawn(order)))?;
        let gone = |_| RuntimeError::Gone("start a program");
        Ok(Portal::new(answer.await.map_err(gone)??, self.shared.events.clone()))
    }

    /// Sends the supervisor a message, which it takes with [`Portal::receive`]. Waits while too many
    /// are under way.
    ///
    /// # Errors
    /// The message cannot be serialised or is over 15 MiB; this is the root.
    pub async fn send<M: Serialize>(&self, message: &M) -> Result<(), RuntimeError> {
        self.mailbox("send a message")?.send(message).await
    }

    /// Takes the supervisor's next message; `None` once it is gone.
    ///
    /// # Errors
    /// The message is not an `M`; this is the root.
    pub async fn receive<M: DeserializeOwned>(&self) -> Result<Option<M>, RuntimeError> {
        self.mailbox("receive a message")?.receive().await
    }

    fn mailbox(&self, what: &'static str) -> Result<&Mailbox, RuntimeError> {
        self.shared.mailbox.as_ref().ok_or(RuntimeError::Gone(what))
    }

    /// Asks this actor to end, its children first, and does not wait.
    pub fn cancel(&self) {
        let _ = self.tell("cancel", DriverEvent::Actor(ActorEvent::Cancel(Cause::Requested)));
    }

    /// Cancels this actor after so long, and does not wait: a deadline. A person at a prompt in its
    /// branch is waited for.
    pub fn cancel_after(&self, after: Duration) {
        if after.is_zero() {
            let _ = self.tell("cancel", DriverEvent::Actor(ActorEvent::Cancel(Cause::Deadline)));
            return;
        }
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let _ = shared.events.send(DriverEvent::Actor(ActorEvent::Cancel(Cause::Deadline)));
        });
    }

    /// Runs a future that a cancel does not drop; the actor waits for it.
    ///
    /// For the last words of a teardown, and for a shielded pause in it. Call it in the actor's own
    /// thread (not in a thread that the program started).
    pub fn shield<T, F>(&self, future: F) -> impl Future<Output = Option<T>> + use<T, F>
    where
        T: 'static,
        F: Future<Output = T> + 'static,
    {
        self.shared.shields.send_modify(|count| *count += 1);
        let guard = ShieldGuard(Arc::clone(&self.shared));
        let task = tokio::task::spawn_local(async move {
            let value = future.await;
            drop(guard);
            value
        });
        task.map(Result::ok)
    }

    /// The tree below this actor as text: every actor, what it does, what it holds for, who waits.
    pub async fn tree(&self) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        self.tell("look at the tree", DriverEvent::Survey(reply)).ok()?;
        answer.await.ok()
    }

    fn tell(&self, what: &'static str, event: DriverEvent) -> Result<(), RuntimeError> {
        self.shared.events.send(event).map_err(|_| RuntimeError::Gone(what))
    }
}

/// A child that is about to be started. Await it.
#[must_use = "a child is started when this is awaited"]
pub struct Spawn<R> {
    shared: Arc<Scope>,
    function: Result<&'static str, RuntimeError>,
    args: Result<Vec<u8>, RuntimeError>,
    name: Option<String>,
    debugging: Option<Debugging>,
    given: Given,
    output: PhantomData<fn() -> R>,
}

impl<R> fmt::Debug for Spawn<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawn")
            .field("function", &self.function)
            .field("name", &self.name)
            .field("debugging", &self.debugging)
            .finish_non_exhaustive()
    }
}

impl<R> Spawn<R> {
    /// Names the child; without it, it has the name of its function. Two children of one name are
    /// told apart by their process.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.replace('/', "-"));
        self
    }

    /// Sets the child's debug mode, and that of everything below it, instead of passing this
    /// actor's on.
    pub fn debugging(mut self, debugging: Debugging) -> Self {
        self.debugging = Some(debugging);
        self
    }

    /// Gives the child every descriptor that is not close-on-exec, and a session of its own.
    pub(crate) fn given_all(mut self) -> Self {
        self.given = Given::All;
        self
    }

    async fn start(self) -> Result<Portal<R>, RuntimeError> {
        let function = self.function?;
        let name = self.name.unwrap_or_else(|| function.to_owned());
        if name.contains('\0') {
            return Err(RuntimeError::Name(name));
        }
        let (reply, answer) = oneshot::channel();
        let (args, debugging, given) = (self.args?, self.debugging, self.given);
        let program = ChildProgram::Actor { function, args, debugging, given };
        let order = ActorEvent::Spawn(ChildOrder { program, name, reply, started: None });
        let gone = || RuntimeError::Gone("start an actor");
        self.shared.events.send(DriverEvent::Actor(order)).map_err(|_| gone())?;
        let spawned = answer.await.map_err(|_| gone())??;
        Ok(Portal::new(spawned, self.shared.events.clone()))
    }
}

impl<R: 'static> IntoFuture for Spawn<R> {
    type Output = Result<Portal<R>, RuntimeError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}
