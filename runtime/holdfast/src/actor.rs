//! The run of one actor, from its boot to its exit.
//!
//! ```text
//!     boot --> assemble --> ActorLoop::run --> last words --> exit code
//! ```

use crate::context::{Context, Scope};
use crate::effects::{ActorResources, RootResources};
use crate::error::{RuntimeError, failed};
use crate::event::{DriverEvent, Mail, Senders};
use crate::exit;
use crate::inherited::Inherited;
use crate::intake::Queues;
use crate::link::{Heard, Link};
use crate::orphans::OtherChildren;
use crate::output::{Forwarder, PreparedStreams};
use crate::pause::{self, PauseHandle};
use crate::peer::{Peer, PeerRole, Peers, mail_with};
use crate::portal::Mailbox;
use crate::probe::{DriverWaker, Probe};
use crate::process::{self, LINK_FD, LINK_VARIABLE};
use crate::program::{Registry, complain};
use crate::recorder::Recorder;
use crate::settings::{Debugging, NoTerminal, Settings};
use crate::signals::{Before, Signals};
use crate::starts::PendingStarts;
use crate::terminal::ControllingTerminal;
use crate::user_task::{Code, Filter, UserTask};
use crate::warden::{LastAct, LastingMemory, Ward, Warden};
use crate::wire::{Frame, Hello, VERSION};
use holdfast_protocol::actor_loop::ActorLoop;
use holdfast_protocol::late_interrupts::LateInterrupts;
use holdfast_protocol::policy::{Orphans, Route};
use holdfast_protocol::{ActorId, Cause, DebugMode, Node, Status};
use holdfast_sync::flag::Flag;
use holdfast_sync::mailbox::mailbox;
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::LocalSet;

/// What the root is made of.
pub(crate) struct Root {
    pub(crate) registry: Arc<Registry>,
    pub(crate) filter: Filter,
    pub(crate) settings: Settings,
    pub(crate) no_terminal: NoTerminal,
    pub(crate) before: Before,
    pub(crate) code: Code,
    pub(crate) probe: Arc<dyn Probe>,
}

/// The two mailboxes of a driver.
fn mailboxes() -> (Senders, Queues) {
    let ((to_events, events), (to_urgent, urgent)) = (mailbox(), mailbox());
    (Senders { events: to_events, urgent: to_urgent }, Queues { events, urgent })
}

/// An actor that has ended.
struct FinishedActor {
    status: Status,
    resources: ActorResources,
}

fn on_this_thread<T>(
    future: impl Future<Output = Result<T, RuntimeError>>,
) -> Result<T, RuntimeError> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    // The threads that start children live as long as the driver (`starts`).
    runtime.thread_name("start").thread_keep_alive(FOREVER).max_blocking_threads(8);
    let runtime = runtime.enable_all().build().map_err(failed("start the driver"))?;
    crate::words::drive();
    let result = LocalSet::new().block_on(&runtime, future);
    runtime.shutdown_timeout(crate::words::PATIENCE);
    result
}

/// Longer than anything runs.
const FOREVER: Duration = Duration::from_secs(1 << 31);

/// Runs the root of a tree, and says with which code the program ends.
pub(crate) fn run_root(root: Root) -> Result<u8, RuntimeError> {
    let shared = LastingMemory::map()?;
    let streams = PreparedStreams::prepare(shared)?;
    // Before there is any other thread; and it goes when all else has ended.
    let _warden = start_warden(&root.settings, streams.as_ref(), shared)?;
    let others = OtherChildren::begin()?;
    let adopted_before = match root.settings.policy().orphans() {
        Orphans::End => Some(process::become_subreaper()?),
        // Upstream leaves its orphans to init.
        Orphans::LiveOn => None,
    };
    let (forwarder, waits) = streams.map(PreparedStreams::start).transpose()?.unzip();
    let last_act = LastAct::prepare(shared, ControllingTerminal::descriptor(), waits);
    let relay = forwarder.as_ref().map(Forwarder::relay);
    let inherited = Inherited::here(&root.before);
    Inherited::raise_limits();
    let ended = on_this_thread(async {
        let (no_terminal, roster) = (root.no_terminal, BTreeSet::new());
        let root_resources = RootResources { no_terminal, roster, relay, others };
        let me = ActorId(std::process::id());
        let debug = debug_mode(root.settings.debugging);
        let node = Node::root(me, root.settings.policy(), debug);
        let name = "root".to_owned();
        let (settings, probe) = (root.settings, root.probe);
        let position = ActorSetup { node, path: vec![name], root: me, settings, probe };
        let mailboxes = mailboxes();
        live(
            position,
            Some(root_resources),
            root.registry,
            root.filter,
            mailboxes,
            Peers::default(),
            None,
            root.code,
            inherited,
        )
        .await
    });
    pause::serve(None);
    let told = ended.as_ref().is_ok_and(|ended| ended.resources.was_told_to_end());
    let code = ended.map(|FinishedActor { status, mut resources }| {
        resources.close_prompt_session();
        resources.terminal = None;
        if status == Status::Failed {
            complain(&resources.failure());
        }
        exit::code(status, resources.cause, resources.stopped_by)
    });
    // A terminal that is held, or a pipe that is not read, is waited for as by any program, but not
    // once somebody wants this to end.
    let in_a_hurry = || told || crate::signals::wants_an_end();
    crate::words::end(in_a_hurry);
    if let Some(forwarder) = forwarder {
        forwarder.end(in_a_hurry);
    }
    drop(last_act);
    inherited.restore_limits();
    adopted_before.map_or(Ok(()), process::set_subreaper)?;
    code
}

fn start_warden(
    settings: &Settings,
    streams: Option<&PreparedStreams>,
    shared: &'static LastingMemory,
) -> Result<Warden, RuntimeError> {
    let ends = settings.policy().orphans() == Orphans::End;
    Warden::start(Ward {
        terminal: ControllingTerminal::descriptor(),
        outlets: streams.map_or(Ok(Vec::new()), PreparedStreams::outlets)?,
        grace: ends.then(|| settings.timing.after_root()),
        shared,
    })
}

/// Runs this process as the actor that its supervisor has started it as.
pub(crate) fn run_below(
    registry: Arc<Registry>,
    filter: Filter,
    probe: Arc<dyn Probe>,
) -> Result<u8, RuntimeError> {
    let variable = std::env::var(LINK_VARIABLE).unwrap_or_default();
    let number = variable.parse().ok().filter(|number| *number >= LINK_FD).ok_or_else(|| {
        let what = format!("{LINK_VARIABLE}={variable} is set by a supervisor alone; unset it");
        RuntimeError::Boot(what)
    })?;
    // SAFETY: no other thread runs yet (`Before::take_over` has counted), so nobody reads the
    // environment at the same time.
    unsafe { std::env::remove_var(LINK_VARIABLE) };
    nix::fcntl::fcntl(
        // SAFETY: only asks whether the descriptor is open, and keeps no hold on it.
        unsafe { std::os::fd::BorrowedFd::borrow_raw(number) },
        nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC),
    )
    .map_err(|_| RuntimeError::Boot(format!("descriptor {number} is not open")))?;
    // SAFETY: the supervisor has put our end of the link there and nothing else knows of it.
    let socket = UnixStream::from(unsafe { OwnedFd::from_raw_fd(number) });
    let ended = on_this_thread(async {
        let mut link = Link::new(socket).map_err(failed("watch the link"))?;
        let (hello, direct) = hear_hello(&mut link).await?;
        boot_below(hello, direct, link, registry, filter, probe).await
    });
    pause::serve(None);
    let FinishedActor { status, mut resources } = ended?;
    resources.close_prompt_session();
    resources.terminal = None;
    resources.say_outcome(status);
    let signal = resources.stopped_by;
    if status == Status::Killed {
        crate::signals::die_of(signal);
    }
    Ok(exit::code(status, resources.cause, signal))
}

async fn hear_hello(link: &mut Link) -> Result<(Hello, Option<OwnedFd>), RuntimeError> {
    let socket = link.socket();
    loop {
        match link.hear()? {
            Heard::Frame(Frame::Hello(hello), direct) if hello.version == VERSION => {
                return Ok((*hello, direct));
            }
            Heard::Frame(..) => {
                let what = "the supervisor speaks another version: was the executable replaced?";
                return Err(RuntimeError::Boot(what.to_owned()));
            }
            Heard::Nothing => {
                let _ = socket.readable().await;
            }
            Heard::End => return Err(RuntimeError::Boot("the supervisor is gone".to_owned())),
        }
    }
}

async fn boot_below(
    hello: Hello,
    direct: Option<OwnedFd>,
    link: Link,
    registry: Arc<Registry>,
    filter: Filter,
    probe: Arc<dyn Probe>,
) -> Result<FinishedActor, RuntimeError> {
    let code = registry.code(&hello.function, hello.args)?;
    probe.booting(&hello.path.join("/"));
    let (me, root) = (ActorId(std::process::id()), ActorId(hello.root));
    name_process(hello.path.last().map_or("actor", String::as_str));
    let supervisor = ActorId(hello.supervisor);
    let policy = hello.settings.policy();
    let debug = debug_mode(hello.settings.debugging);
    let node = Node::below(supervisor, root, me, policy, debug);
    let mailboxes = mailboxes();
    let (senders, mut peers) = (&mailboxes.0, Peers::default());
    let (mail, ours) = mail_with(supervisor);
    let mut above = Peer::new(supervisor, link, PeerRole::Supervisor, senders);
    above.mail = Some(ours);
    above.say(&Frame::Ready { version: VERSION }, None, senders);
    peers.insert(supervisor, above);
    if let (Some(socket), Route::Direct) = (direct, policy.route()) {
        let link = Link::new(UnixStream::from(socket)).map_err(failed("watch a link"))?;
        peers.insert(root, Peer::new(root, link, PeerRole::Direct, senders));
    }
    let position = ActorSetup { node, path: hello.path, root, settings: hello.settings, probe };
    Inherited::raise_limits();
    let inherited = hello.inherited;
    live(position, None, registry, filter, mailboxes, peers, Some(mail), code, inherited).await
}

/// Shows the actor's name in ps(1); the kernel keeps the first 15 bytes.
fn name_process(name: &str) {
    if let Ok(name) = std::ffi::CString::new(name) {
        let _ = nix::sys::prctl::set_name(&name);
    }
}

fn debug_mode(debugging: Debugging) -> DebugMode {
    match debugging {
        Debugging::Failures => DebugMode::On,
        Debugging::Breakpoints | Debugging::Off => DebugMode::Off,
    }
}

/// Where in the tree an actor stands.
struct ActorSetup {
    node: Node,
    path: Vec<String>,
    root: ActorId,
    settings: Settings,
    probe: Arc<dyn Probe>,
}

/// Tells the driver of each signal, for as long as it runs.
fn report_signals(mut signals: Signals, senders: &Senders) {
    let to = senders.urgent.clone();
    tokio::task::spawn_local(async move {
        while let Ok(signal) = signals.take().await {
            let _ = to.send(DriverEvent::Signal(signal));
        }
    });
}

#[expect(clippy::too_many_arguments, reason = "this is where everything meets")]
async fn live(
    position: ActorSetup,
    root_resources: Option<RootResources>,
    registry: Arc<Registry>,
    filter: Filter,
    (senders, queues): (Senders, Queues),
    peers: Peers,
    mail: Option<Mail>,
    code: Code,
    inherited: Inherited,
) -> Result<FinishedActor, RuntimeError> {
    let (path, events) = (position.path.join("/"), senders.events.clone());
    pause::serve(Some(PauseHandle {
        path: path.clone(),
        debugging: position.settings.debugging,
        events: events.clone(),
    }));
    let (me, supervisor) = (position.node.id(), mail.as_ref().map(|mail| mail.peer));
    let (root, settings) = (position.root, position.settings);
    let recorder = Recorder::start(me, &position.path, supervisor, root, &settings)?;
    position.probe.running(&path, DriverWaker::new(senders.clone()));
    report_signals(Signals::new()?, &senders);
    let (shields, shields_seen) = watch::channel(0);
    let mailbox = mail.map(|mail| Mailbox { mail, events: events.clone() });
    let shared = Scope { path, events, registry, mailbox, shields, cancelled: Flag::new() };
    let (context, mask) = (Context::new(shared), inherited.mask());
    let user_task = UserTask::start(code, context, Arc::clone(&filter), mask, senders.clone())?;
    let terminal = root_resources.as_ref().and_then(|_| ControllingTerminal::open());
    let resources = ActorResources {
        me,
        path: position.path,
        settings,
        root,
        queues,
        senders,
        peers,
        children: holdfast_sync::children::Children::new(),
        records: BTreeMap::new(),
        starts: PendingStarts::default(),
        timers: crate::timers::Timers::default(),
        asking: None,
        pending: BTreeMap::new(),
        batons: BTreeMap::new(),
        agent: None,
        prompt: None,
        holder: None,
        late_interrupts: LateInterrupts::default(),
        answer: None,
        hinted: BTreeSet::new(),
        terminal,
        user_task,
        shields: shields_seen,
        filter,
        inherited,
        own_failure: None,
        child_failure: None,
        cause: Cause::Requested,
        stopped_by: None,
        surveys: BTreeMap::new(),
        next_survey: 0,
        root_resources,
        recorder,
        probe: position.probe,
    };
    run_to_its_end(position.node, resources).await
}

async fn run_to_its_end(
    node: Node,
    resources: ActorResources,
) -> Result<FinishedActor, RuntimeError> {
    let mut actor = ActorLoop::new(node, resources);
    let status = actor.run().await.expect("a driver keeps senders of its own events");
    let mut resources = actor.into_effects();
    resources.refuse_late_starts().await;
    Ok(FinishedActor { status, resources })
}
