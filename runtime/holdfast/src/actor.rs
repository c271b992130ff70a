//! The run of one actor, from its boot to its exit.
//!
//! ```text
//!     signals --\
//!     prompt  ---> urgent --\
//!     links   ---> events ---> Actor::take --> Driver::feed --> ...
//!     children, program /  /
//!     timers --------------
//! ```
//!
//! While a prompt of a policy that freezes is open, only what is urgent is taken.

use crate::body::{Body, Code, Filter};
use crate::context::{Context, Shared};
use crate::error::{RuntimeError, failed};
use crate::event::Event;
use crate::exit;
use crate::hands::{Exit, Live, Top};
use crate::inherited::Inherited;
use crate::kin::{Neighbour, Neighbours, Side};
use crate::link::{Heard, Link};
use crate::output::Pump;
use crate::pause::{self, Station};
use crate::portal::Mail;
use crate::probe::{DriverWaker, Probe};
use crate::process::{self, LINK_FD, LINK_VARIABLE};
use crate::program::{Registry, complain};
use crate::recorder::Recorder;
use crate::settings::{Debugging, NoTerminal, Settings};
use crate::signals::{Before, Signals};
use crate::take::{Actor, mailboxes};
use crate::terminal::Terminal;
use crate::wire::{Frame, Hello, VERSION};
use holdfast_protocol::policy::{Orphans, Route, WhilePrompt};
use holdfast_protocol::{ActorId, Cause, DebugMode, Node, Status};
use holdfast_sync::flag::Flag;
use holdfast_sync::mailbox::{Receiver, Sender, mailbox};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
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
struct Mailboxes {
    events: (Sender<Event>, Receiver<Event>),
    urgent: (Sender<Event>, Receiver<Event>),
}

impl Mailboxes {
    fn new() -> Self {
        Self { events: mailbox(), urgent: mailbox() }
    }
}

fn on_this_thread<T>(
    future: impl Future<Output = Result<T, RuntimeError>>,
) -> Result<T, RuntimeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed("start the driver"))?;
    LocalSet::new().block_on(&runtime, future)
}

/// Runs the root of a tree, and says with which code the program ends.
pub(crate) fn run_root(root: Root) -> Result<u8, RuntimeError> {
    let adopted_before = match root.settings.policy().orphans() {
        Orphans::End => Some(process::become_subreaper()?),
        // Upstream leaves its orphans to init.
        Orphans::LiveOn => None,
    };
    let pump = Pump::start()?;
    let relay = pump.as_ref().map(Pump::relay);
    let inherited = Inherited::here(&root.before);
    Inherited::raise_limits();
    let ended = on_this_thread(async {
        let top = Top { no_terminal: root.no_terminal, roster: BTreeSet::new(), relay };
        let me = ActorId(std::process::id());
        let debug = debug_mode(root.settings.debugging);
        let node = Node::root(me, root.settings.policy(), debug);
        let name = "root".to_owned();
        let place =
            Place { node, path: vec![name], root: me, settings: root.settings, probe: root.probe };
        let mailboxes = Mailboxes::new();
        live(
            place,
            Some(top),
            root.registry,
            root.filter,
            mailboxes,
            Neighbours::default(),
            None,
            root.code,
            inherited,
        )
        .await
    });
    pause::station(None);
    let told = ended.map(|mut actor| {
        let Exit { status, cause } = actor.hands().exit.expect("it has ended");
        actor.hands_mut().close_front();
        actor.hands_mut().terminal = None;
        if status == Status::Failed {
            complain(&actor.hands_mut().failure());
        }
        exit::code(status, cause, actor.hands().stopped_by)
    });
    if let Some(pump) = pump {
        pump.end();
    }
    adopted_before.map_or(Ok(()), process::set_subreaper)?;
    told
}

/// Runs this process as the actor that its supervisor has started it as.
pub(crate) fn run_below(
    registry: Arc<Registry>,
    filter: Filter,
    probe: Arc<dyn Probe>,
) -> Result<u8, RuntimeError> {
    let variable = std::env::var(LINK_VARIABLE).unwrap_or_default();
    if variable.parse() != Ok(LINK_FD) {
        let what = format!("{LINK_VARIABLE}={variable} is set by a supervisor alone; unset it");
        return Err(RuntimeError::Boot(what));
    }
    // SAFETY: no other thread runs yet (`Before::take_over` has counted), so nobody reads the
    // environment at the same time.
    unsafe { std::env::remove_var(LINK_VARIABLE) };
    nix::fcntl::fcntl(
        // SAFETY: only asks whether the descriptor is open, and keeps no hold on it.
        unsafe { std::os::fd::BorrowedFd::borrow_raw(LINK_FD) },
        nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC),
    )
    .map_err(|_| RuntimeError::Boot(format!("descriptor {LINK_FD} is not open")))?;
    // SAFETY: the supervisor has put our end of the link there and nothing else knows of it.
    let socket = UnixStream::from(unsafe { OwnedFd::from_raw_fd(LINK_FD) });
    let ended = on_this_thread(async {
        let mut link = Link::new(socket).map_err(failed("watch the link"))?;
        let (hello, direct) = hear_hello(&mut link).await?;
        boot_below(hello, direct, link, registry, filter, probe).await
    });
    pause::station(None);
    let mut actor = ended?;
    let Exit { status, cause } = actor.hands().exit.expect("it has ended");
    actor.hands_mut().close_front();
    actor.hands_mut().terminal = None;
    actor.hands_mut().say_outcome(status);
    let signal = actor.hands().stopped_by;
    if status == Status::Killed {
        crate::signals::die_of(signal);
    }
    Ok(exit::code(status, cause, signal))
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
) -> Result<Actor, RuntimeError> {
    let code = registry.code(&hello.function, hello.args)?;
    probe.booting(&hello.path.join("/"));
    let (me, root) = (ActorId(std::process::id()), ActorId(hello.root));
    name_process(hello.path.last().map_or("actor", String::as_str));
    let supervisor = ActorId(hello.supervisor);
    let policy = hello.settings.policy();
    let debug = debug_mode(hello.settings.debugging);
    let node = Node::below(supervisor, root, me, policy, debug);
    let mailboxes = Mailboxes::new();
    let (events, mut neighbours) = (mailboxes.events.0.clone(), Neighbours::default());
    let (mail, post) = self::mailboxes(supervisor, events.clone());
    let mut above = Neighbour::new(supervisor, link, Side::Supervisor, &events);
    above.post = Some(post);
    above.say(&Frame::Ready { version: VERSION }, None, &events);
    neighbours.insert(supervisor, above);
    if let (Some(socket), Route::Direct) = (direct, policy.route()) {
        let link = Link::new(UnixStream::from(socket)).map_err(failed("watch a link"))?;
        neighbours.insert(root, Neighbour::new(root, link, Side::Direct, &events));
    }
    let place = Place { node, path: hello.path, root, settings: hello.settings, probe };
    Inherited::raise_limits();
    let inherited = hello.inherited;
    live(place, None, registry, filter, mailboxes, neighbours, Some(mail), code, inherited).await
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
struct Place {
    node: Node,
    path: Vec<String>,
    root: ActorId,
    settings: Settings,
    probe: Arc<dyn Probe>,
}

#[expect(clippy::too_many_arguments, reason = "this is where everything meets")]
async fn live(
    place: Place,
    top: Option<Top>,
    registry: Arc<Registry>,
    filter: Filter,
    mailboxes: Mailboxes,
    neighbours: Neighbours,
    mail: Option<Mail>,
    code: Code,
    inherited: Inherited,
) -> Result<Actor, RuntimeError> {
    let Mailboxes { events: (events, mut event), urgent: (urgent, mut pressing) } = mailboxes;
    let path = place.path.join("/");
    let station =
        Station { path: path.clone(), debugging: place.settings.debugging, events: events.clone() };
    pause::station(Some(station));
    let (me, supervisor) = (place.node.id(), mail.as_ref().map(|mail| mail.peer));
    let recorder = Recorder::start(me, &place.path, supervisor, place.root, &place.settings)?;
    place.probe.running(&path, DriverWaker::new(events.clone(), urgent.clone()));
    let mut signals = Signals::new()?;
    let to = urgent.clone();
    let _signals = tokio::task::spawn_local(async move {
        while let Ok(signal) = signals.take().await {
            let _ = to.send(Event::Signal(signal));
        }
    });
    let (shields, shields_seen) = watch::channel(0);
    let cancelled = Flag::new();
    let shared = Shared { path, events: events.clone(), registry, mail, shields, cancelled };
    let context = Context::new(shared);
    let body = Body::start(code, context, Arc::clone(&filter), inherited.mask(), events.clone())?;
    let terminal = top.as_ref().and_then(|_| Terminal::controlling());
    let hands = Live {
        me,
        path: place.path,
        settings: place.settings,
        root: place.root,
        events,
        urgent,
        neighbours,
        children: holdfast_sync::children::Children::new(),
        kin: BTreeMap::new(),
        timers: crate::timers::Timers::default(),
        asking: None,
        askers: BTreeMap::new(),
        batons: BTreeMap::new(),
        agent: None,
        front: None,
        answer: None,
        hinted: BTreeSet::new(),
        terminal,
        body,
        body_over: false,
        shields: shields_seen,
        filter,
        inherited,
        own_failure: None,
        child_failure: None,
        cause: Cause::Requested,
        stopped_by: None,
        surveys: BTreeMap::new(),
        next_survey: 0,
        exit: None,
        top,
        recorder,
        probe: place.probe,
    };
    let mut actor = Actor::new(place.node, hands);
    while actor.hands().exit.is_none() {
        let next = actor.hands().timers.next();
        let frozen = actor.is_frozen();
        let expiry = async {
            match next {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(event) = pressing.recv() => actor.take(event),
            Some(event) = event.recv(), if !frozen => actor.take(event),
            () = expiry, if !frozen => actor.take_expired(),
        }
    }
    Ok(actor)
}

impl Actor {
    /// Whether its prompt is a synchronous call that leaves room for signals alone.
    pub(crate) fn is_frozen(&self) -> bool {
        let freezes = self.node().policy().while_prompt() == WhilePrompt::Freezes;
        freezes && self.node().requests().open().is_some()
    }
}
