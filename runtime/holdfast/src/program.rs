//! A program of actors: its functions by name, and its run.

use crate::actor;
use crate::context::{Context, decode, encode};
use crate::error::RuntimeError;
use crate::exit;
use crate::failure::Failure;
use crate::probe::{NoProbe, Probe};
use crate::process::LINK_VARIABLE;
use crate::settings::{Debugging, NoTerminal, Settings, Timing, from_environment};
use crate::signals::Before;
use crate::user_task::{Code, Filter, Returned, note_panics};
use holdfast_protocol::Placement;
use serde::{Serialize, de::DeserializeOwned};
use std::any::TypeId;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io::IsTerminal as _;
use std::pin::Pin;
use std::process::{ExitCode, Termination};
use std::sync::{Arc, Mutex, PoisonError};

/// An async function that can run as an actor: `async fn(Context, A) -> Result<R, E>`.
pub trait ActorFn<A>: Send + Sync + 'static {
    /// What it returns, when all is well.
    type Output;

    /// Calls it.
    fn call(&self, context: Context, args: A) -> ActorFuture<Result<Self::Output, BoxError>>;
}

/// What an actor runs, on one thread.
pub type ActorFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// Any error.
pub type BoxError = Box<dyn Error + Send + Sync>;

impl<F, A, Fut, R, E> ActorFn<A> for F
where
    F: Fn(Context, A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, E>> + 'static,
    E: Into<BoxError>,
{
    type Output = R;

    fn call(&self, context: Context, args: A) -> ActorFuture<Result<R, BoxError>> {
        let future = self(context, args);
        Box::pin(async move { future.await.map_err(Into::into) })
    }
}

type Callable = Arc<dyn Fn(Context, Vec<u8>) -> ActorFuture<Returned> + Send + Sync>;

/// The functions that can run as actors.
#[derive(Default)]
pub(crate) struct Registry {
    names: BTreeMap<TypeId, &'static str>,
    functions: BTreeMap<&'static str, Callable>,
}

impl Registry {
    pub(crate) fn name_of<F: 'static>(&self) -> Result<&'static str, RuntimeError> {
        let name = self.names.get(&TypeId::of::<F>()).copied();
        name.ok_or_else(|| RuntimeError::Unregistered(std::any::type_name::<F>().to_owned()))
    }

    pub(crate) fn code(&self, name: &str, args: Vec<u8>) -> Result<Code, RuntimeError> {
        let function = self.functions.get(name).map(Arc::clone);
        let function = function.ok_or_else(|| RuntimeError::Unregistered(name.to_owned()))?;
        Ok(Box::new(move |context| function(context, args)))
    }
}

/// A program of actors. The same executable runs as every one of them.
///
/// ```no_run
/// use holdfast::{BoxError, Context, Program, pause};
///
/// async fn leaf(_: Context, n: u32) -> Result<u32, BoxError> {
///     pause().value("n", &n).await;
///     Ok(n + 1)
/// }
///
/// async fn root(tree: Context) -> Result<(), BoxError> {
///     let leaf = tree.spawn(leaf, 41).await?;
///     println!("{}", leaf.result().await?);
///     Ok(())
/// }
///
/// fn main() -> std::process::ExitCode {
///     Program::new().actor("leaf", leaf).run(root)
/// }
/// ```
#[must_use = "a program does nothing before it is run"]
pub struct Program {
    registry: Result<Registry, RuntimeError>,
    settings: Settings,
    no_terminal: NoTerminal,
    filter: Filter,
    probe: Arc<dyn Probe>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actors = self.registry.as_ref().map(|registry| registry.functions.keys());
        f.debug_struct("Program")
            .field("actors", &actors.map(Vec::from_iter))
            .field("settings", &self.settings)
            .field("no_terminal", &self.no_terminal)
            .finish_non_exhaustive()
    }
}

impl Default for Program {
    fn default() -> Self {
        Self::new()
    }
}

impl Program {
    /// A program without actors but its root.
    pub fn new() -> Self {
        Self {
            registry: Ok(Registry::default()),
            settings: Settings::default(),
            no_terminal: NoTerminal::default(),
            filter: Arc::new(|_| true),
            probe: Arc::new(NoProbe),
        }
    }

    /// Registers a function under a name, so that it can be spawned.
    pub fn actor<A, F>(mut self, name: &'static str, function: F) -> Self
    where
        A: DeserializeOwned + 'static,
        F: ActorFn<A>,
        F::Output: Serialize + 'static,
    {
        let function = Arc::new(function);
        let call: Callable = Arc::new(move |context, bytes| {
            let function = Arc::clone(&function);
            Box::pin(async move {
                let args = decode("the arguments", &bytes)?;
                let output = function.call(context, args).await?;
                Ok(encode("the result", &output)?)
            })
        });
        if let Ok(registry) = &mut self.registry {
            registry.names.insert(TypeId::of::<F>(), name);
            if name.contains('\0') {
                self.registry = Err(RuntimeError::Name(name.to_owned()));
            } else if registry.functions.insert(name, call).is_some() {
                self.registry = Err(RuntimeError::NameTaken(name.to_owned()));
            }
        }
        self
    }

    /// Whether failures and breakpoints open prompts. `HOLDFAST_DEBUG` overrides it.
    pub fn debugging(mut self, debugging: Debugging) -> Self {
        self.settings.debugging = debugging;
        self
    }

    /// Which failures open a prompt, where failures do: those that this says `true` of.
    pub fn examine(mut self, filter: impl Fn(&Failure) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Arc::new(filter);
        self
    }

    /// What a prompt does without a terminal. `HOLDFAST_NO_TERMINAL` overrides it.
    pub fn no_terminal(mut self, no_terminal: NoTerminal) -> Self {
        self.no_terminal = no_terminal;
        self
    }

    /// The grace periods.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.settings.timing = timing;
        self
    }

    /// Whether actors share the terminal's session. `HOLDFAST_PLACEMENT` overrides it.
    pub fn placement(mut self, placement: Placement) -> Self {
        self.settings.placement = placement;
        self
    }

    /// Has every actor of this program looked into, and held back, by a test; see [`crate::probe`].
    pub fn probe(mut self, probe: impl Probe + 'static) -> Self {
        self.probe = Arc::new(probe);
        self
    }

    /// Runs the tree: `root` in this process, or the actor that this process was started as.
    ///
    /// Call it first in `main`, before any other thread is started: the environment is changed, and
    /// the signals that the runtime handles are its until the tree has ended. The exit codes are
    /// listed at [`crate::exit`]. In a process that was started as an actor this does not return.
    pub fn run<F, Fut, T, E>(self, root: F) -> ExitCode
    where
        F: FnOnce(Context) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + 'static,
        T: Termination + 'static,
        E: Into<BoxError>,
    {
        let own_code = Arc::new(Mutex::new(None));
        let keep = Arc::clone(&own_code);
        let code: Code = Box::new(move |context| {
            let future = root(context);
            Box::pin(async move {
                let code = future.await.map_err(Into::into)?.report();
                *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
                Ok(Vec::new())
            })
        });
        match self.start(code) {
            Ok(0) => {
                let own = own_code.lock().unwrap_or_else(PoisonError::into_inner).take();
                own.unwrap_or(ExitCode::SUCCESS)
            }
            Ok(code) => code.into(),
            Err(error) => {
                complain(&error);
                crate::words::end(|| true);
                exit::SETUP.into()
            }
        }
    }

    fn start(mut self, code: Code) -> Result<u8, RuntimeError> {
        let below = std::env::var_os(LINK_VARIABLE).is_some();
        if below {
            self.probe.starting();
        }
        crate::requirements::check()?;
        let before = Before::take_over()?;
        let registry = Arc::new(self.registry?);
        note_panics();
        start_logging();
        if below {
            let code = actor::run_below(registry, self.filter, self.probe);
            let code = code.unwrap_or_else(|error| {
                complain(&error);
                exit::SETUP
            });
            crate::words::end(|| true);
            std::process::exit(code.into());
        }
        from_environment(&mut self.settings, &mut self.no_terminal)?;
        self.settings.policy = self.probe.policy();
        let ended = actor::run_root(actor::Root {
            registry,
            filter: self.filter,
            settings: self.settings,
            no_terminal: self.no_terminal,
            before: before.clone(),
            code,
            probe: self.probe,
        });
        before.restore();
        ended
    }
}

/// Keeps events for the command `log`, unless the program has set a subscriber of its own.
fn start_logging() {
    use tracing_subscriber::filter::{EnvFilter, LevelFilter};
    use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
    use tracing_subscriber::util::SubscriberInitExt as _;
    let shown = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into());
    let ansi = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let written =
        tracing_subscriber::fmt::layer().with_writer(crate::words::LogSink).with_ansi(ansi);
    let written = written.with_filter(shown.from_env_lossy());
    let _ = tracing_subscriber::registry().with(crate::logs::layer()).with(written).try_init();
}

/// Says what is wrong, with its causes.
pub(crate) fn complain(error: &dyn Error) {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    crate::words::say(&(crate::prompt::harmless(&text) + "\n"));
}
