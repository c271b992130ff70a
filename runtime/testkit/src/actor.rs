//! An actor that does what a test tells it: the program of every member of a live test tree.
//!
//! Each actor runs the same function, connects to the test's socket ([`crate::control`]) and carries
//! out its instructions with what any program has: [`Context`], [`pause()`], [`Portal`]. A thread reads
//! them, so that an actor whose tasks are blocked, or whose scope was told to end, still hears.
//!
//! | variable | what it sets |
//! |---|---|
//! | `HOLDFAST_TEST_GRACE_MS` | the grace periods, each this long |
//! | `HOLDFAST_TEST_POLICY` | the policy, as `relay without R7`; relay without it |
//! | `HOLDFAST_TEST_DEFECT` | what is done wrong on purpose, as [`crate::defect`] says |
//! | `HOLDFAST_TEST_HOSTS` | that there are hosts, which need longer to end |
//! | `HOLDFAST_TEST_DEBUG` | the paths of actors whose failures open a prompt, by commas |
//!
//! A failure whose message says [`BORING`] opens no prompt anywhere.

use crate::control::{ActorEvent, ControlClient, EventSender, Instruction, Resumption};
use crate::defect;
use crate::probe::TestProbe;
use holdfast::host::{self, Begins, HostReport, HostedProgram};
use holdfast::probe::LINK_FD;
use holdfast::{BoxError, Context, Debugging, Portal, Program, Resumed, Timing, pause};
use holdfast_protocol::Shielding;
use nix::sys::socket::{Shutdown, shutdown};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::spawn_local;

/// The variable for the grace periods, in milliseconds.
pub const GRACE_VARIABLE: &str = "HOLDFAST_TEST_GRACE_MS";
/// The variable for the actors in debug mode.
pub const DEBUG_VARIABLE: &str = "HOLDFAST_TEST_DEBUG";
/// The variable of trees with hosts.
pub const HOSTS_VARIABLE: &str = "HOLDFAST_TEST_HOSTS";

/// What a failure says that nobody wants to look at.
pub const BORING: &str = "boring";

/// Runs this process as a member of a tree of test actors.
pub fn run() -> ExitCode {
    let _ = TEMPLATE.set(HostedProgram::new(Vec::new()));
    let mut program = Program::new().actor("test_actor", test_actor).debugging(debugging("root"));
    program = program.actor(host::ACTOR, host::run);
    program = program.probe(TestProbe::default());
    program = program.examine(|failure| !failure.message.contains(BORING));
    if let Some(ms) = std::env::var(GRACE_VARIABLE).ok().and_then(|text| text.parse().ok()) {
        let grace = Duration::from_millis(ms);
        let mut timing = Timing::default();
        (timing.grace, timing.stop, timing.body) = (grace, grace, grace);
        if std::env::var_os(HOSTS_VARIABLE).is_some() {
            // A host ends its program on two rungs, and then what that has left behind.
            timing.body = grace * 4 + Duration::from_secs(1);
        }
        program = program.timing(timing);
    }
    let code = program.run(|context| test_actor(context, ()));
    defect::at_the_end();
    code
}

fn debugging(path: &str) -> Debugging {
    let listed = std::env::var(DEBUG_VARIABLE).unwrap_or_default();
    if listed.split(',').any(|one| one == path) {
        Debugging::Failures
    } else {
        Debugging::Breakpoints
    }
}

/// Says that the scope was told to end.
struct Dropped(EventSender);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(&ActorEvent::Cancelled {});
    }
}

/// What the thread that hears the instructions leaves to the scope.
enum ScopeTask {
    Do(Instruction),
    /// Block until something comes or the sender is gone.
    Block(std::sync::mpsc::Receiver<()>),
}

async fn test_actor(context: Context, (): ()) -> Result<(), BoxError> {
    let Some(client) = ControlClient::connect_from_env()? else {
        return Err("no test has started this program: HOLDFAST_TEST_CONTROL is not set".into());
    };
    client.hello(context.path())?;
    let events = client.events();
    let (tasks, mut task) = mpsc::unbounded_channel();
    std::thread::Builder::new().name("control".to_owned()).spawn({
        let context = context.clone();
        move || hear(client, tasks, &context)
    })?;
    events.send(&ActorEvent::Booted {})?;
    let dropped = Dropped(events.clone());
    let portals = Portals::default();
    while let Some(task) = task.recv().await {
        match task {
            ScopeTask::Block(until) => {
                events.send(&ActorEvent::Blocked {})?;
                let _ = until.recv();
                events.send(&ActorEvent::Unblocked {})?;
            }
            ScopeTask::Do(Instruction::Finish {}) => break,
            ScopeTask::Do(Instruction::Error { text }) => {
                std::mem::forget(dropped);
                return Err(text.into());
            }
            #[expect(clippy::panic, reason = "this is what was asked for")]
            ScopeTask::Do(Instruction::Crash { text }) => {
                std::mem::forget(dropped);
                panic!("{text}");
            }
            ScopeTask::Do(instruction) => obey(&context, &events, &portals, instruction),
        }
    }
    std::mem::forget(dropped);
    Ok(())
}

type Portals = Rc<RefCell<BTreeMap<String, Rc<Portal<()>>>>>;

/// Carries out an instruction that does not end the scope.
fn obey(context: &Context, events: &EventSender, portals: &Portals, instruction: Instruction) {
    match instruction {
        Instruction::Spawn { name } => {
            let (context, events, portals) = (context.clone(), events.clone(), portals.clone());
            spawn_local(async move { spawn(&context, &events, &portals, name).await });
        }
        Instruction::Command { program, args } => {
            let (context, events) = (context.clone(), events.clone());
            spawn_local(async move { command(&context, &events, program, args).await });
        }
        Instruction::Host { name, program, args } => {
            let command = [program].into_iter().chain(args).map(OsString::from).collect();
            let (context, events, portals) = (context.clone(), events.clone(), portals.clone());
            spawn_local(async move { host(&context, &events, &portals, name, command).await });
        }
        Instruction::Breakpoint { id, shielding: _ } => breakpoint(events, id, None),
        Instruction::TwoBreakpoints { ids } => {
            ids.into_iter().for_each(|id| breakpoint(events, id, None));
        }
        Instruction::Show { id, name, text } => breakpoint(events, id, Some((name, Raw(text)))),
        Instruction::NestedBreakpoint { ids: [outer, within] } => nested(events, outer, within),
        Instruction::Deadline {} => context.cancel_after(Duration::ZERO),
        Instruction::Cancel {} => context.cancel(),
        Instruction::CancelChild { name } => {
            let portal = portals.borrow().get(&name).cloned();
            match portal.map(|portal| portal.cancel()) {
                Some(Ok(())) => {}
                Some(Err(error)) => failed(events, &error.to_string()),
                None => failed(events, &format!("there is no child `{name}`")),
            }
        }
        Instruction::Cut {}
        | Instruction::Garble { .. }
        | Instruction::Boot {}
        | Instruction::SyncBreakpoint { .. }
        | Instruction::ReadLine {}
        | Instruction::Survey { .. }
        | Instruction::Warn { .. }
        | Instruction::Crash { .. }
        | Instruction::Error { .. }
        | Instruction::Finish {}
        | Instruction::Block {}
        | Instruction::Unblock {}
        | Instruction::Print { .. }
        | Instruction::Pass { .. }
        | Instruction::Open {}
        | Instruction::Ping { .. } => unreachable!("obeyed elsewhere"),
    }
}

fn failed(events: &EventSender, text: &str) {
    let _ = events.send(&ActorEvent::Failed { text: text.to_owned() });
}

async fn spawn(context: &Context, events: &EventSender, portals: &Portals, name: String) {
    let debugging = debugging(&format!("{}/{name}", context.path()));
    let spawned = context.spawn(test_actor, ()).name(&name).debugging(debugging).await;
    let portal = match spawned {
        Ok(portal) => Rc::new(portal),
        Err(error) => return failed(events, &error.to_string()),
    };
    let pid = i32::try_from(portal.pid()).expect("process numbers are positive and small");
    let _ = events.send(&ActorEvent::Spawned { name: name.clone(), pid });
    portals.borrow_mut().insert(name.clone(), Rc::clone(&portal));
    reap(events, name, &portal).await;
}

async fn host(
    context: &Context,
    events: &EventSender,
    portals: &Portals,
    name: String,
    command: Vec<OsString>,
) {
    let Some(template) = TEMPLATE.get() else { return failed(events, "there is no terminal") };
    let mut hosted = template.clone();
    hosted.command = command;
    hosted.begins = Begins::WithoutTerminal;
    hosted.label = format!("{name} | ");
    hosted.grace = LEFT_BEHIND;
    let portal = match host::start(context, &name, hosted).await {
        Ok(portal) => Rc::new(portal),
        Err(error) => return failed(events, &error.to_string()),
    };
    let pid = i32::try_from(portal.pid()).expect("process numbers are positive and small");
    let _ = events.send(&ActorEvent::Spawned { name: name.clone(), pid });
    portals.borrow_mut().insert(name.clone(), Rc::clone(&portal));
    while let Ok(Some(_)) = portal.receive::<HostReport>().await {}
    reap(events, name, &portal).await;
}

/// A program for a host, with the terminal as it was before this process replaced its output.
static TEMPLATE: OnceLock<HostedProgram> = OnceLock::new();

/// How long what a program leaves behind has to end.
const LEFT_BEHIND: Duration = Duration::from_millis(150);

async fn reap(events: &EventSender, name: String, portal: &Portal<()>) {
    let result = portal.result().await;
    let _ = events.send(&ActorEvent::Reaped { name });
    if let Err(failure) = result {
        let _ = events.send(&ActorEvent::Noted { text: failure.to_string() });
    }
}

async fn command(context: &Context, events: &EventSender, program: String, args: Vec<String>) {
    let mut command = std::process::Command::new(&program);
    command.args(args);
    match context.spawn_command(command).await {
        Ok(portal) => {
            let pid = i32::try_from(portal.pid()).expect("process numbers are positive and small");
            let _ = events.send(&ActorEvent::Spawned { name: program.clone(), pid });
            reap(events, program, &portal).await;
        }
        Err(error) => failed(events, &error.to_string()),
    }
}

/// A text that is shown as it stands, whatever is in it.
struct Raw(String);

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the pause of a thread adds to its number, in a variable `unnamed` that its prompt does not know.
pub const UNNAMED: u32 = 4000;

fn breakpoint(events: &EventSender, id: u32, shown: Option<(String, Raw)>) {
    let events = events.clone();
    spawn_local(async move {
        let _ = events.send(&ActorEvent::Asked { id });
        let pause = pause().value("id", &id);
        let resumed = match &shown {
            Some((name, text)) => pause.value(name, text).await,
            None => pause.await,
        };
        let _ = events.send(&ActorEvent::Resumed { id, how: resumption(resumed) });
    });
}

/// A value that hits a breakpoint when it is shown.
struct Pausing(EventSender, u32);

impl fmt::Debug for Pausing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(events, id) = self;
        let how = resumption(pause().block());
        let _ = events.send(&ActorEvent::Resumed { id: *id, how });
        f.write_str("shown")
    }
}

fn nested(events: &EventSender, outer: u32, within: u32) {
    let events = events.clone();
    spawn_local(async move {
        let _ = events.send(&ActorEvent::Asked { id: outer });
        let resumed = pause().value("pausing", &Pausing(events.clone(), within)).await;
        let _ = events.send(&ActorEvent::Resumed { id: outer, how: resumption(resumed) });
    });
}

/// In a thread of its own: the scope may be over, and the driver answers all the same.
fn survey(context: Context, events: EventSender, id: u32) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let text = runtime.ok().and_then(|runtime| runtime.block_on(context.tree()));
        let _ = match text {
            Some(text) => events.send(&ActorEvent::Surveyed { id, text }),
            None => events.send(&ActorEvent::Failed { text: format!("survey {id}") }),
        };
    });
}

fn resumption(resumed: Resumed) -> Resumption {
    match resumed {
        Resumed::Continued => Resumption::Continue,
        Resumed::Quit => Resumption::Quit,
        Resumed::Revoked => Resumption::Revoked,
        Resumed::Refused => Resumption::Refused,
        Resumed::Passed => Resumption::Passed,
        _ => unreachable!("a pause of this version ends in one of these ways"),
    }
}

/// The thread that hears instructions: carries out what does not need the scope, hands on what does.
fn hear(mut client: ControlClient, tasks: mpsc::UnboundedSender<ScopeTask>, context: &Context) {
    let events = client.events();
    let mut blocked = None;
    while let Ok(Some(instruction)) = client.recv() {
        match instruction {
            Instruction::Ping { id } => {
                let _ = events.send(&ActorEvent::Pong { id });
            }
            Instruction::Print { text } => println!("{text}"),
            Instruction::Warn { text } => tracing::warn!(target: "test_actor", "{text}"),
            Instruction::Survey { id } => survey(context.clone(), events.clone(), id),
            Instruction::Block {} => {
                let (unblock, until) = std::sync::mpsc::channel();
                blocked = Some(unblock);
                let _ = tasks.send(ScopeTask::Block(until));
            }
            Instruction::Unblock {} => drop(blocked.take()),
            Instruction::SyncBreakpoint { id, shielding }
            | Instruction::Breakpoint { id, shielding: shielding @ Shielding::Shielded } => {
                let events = events.clone();
                std::thread::spawn(move || {
                    let _ = events.send(&ActorEvent::Asked { id });
                    let unnamed = id.wrapping_add(UNNAMED);
                    std::hint::black_box(&unnamed);
                    let pause = pause().value("id", &id);
                    let resumed = match shielding {
                        Shielding::Plain => pause.block(),
                        Shielding::Shielded => pause.shielded().block(),
                    };
                    std::hint::black_box(&unnamed);
                    let _ = events.send(&ActorEvent::Resumed { id, how: resumption(resumed) });
                });
            }
            // At the socket itself: a driver that is frozen at a prompt would not hear of it.
            Instruction::Cut {} => {
                if let Err(error) = shutdown(LINK_FD, Shutdown::Both) {
                    failed(&events, &format!("the link cannot be cut: {error}"));
                }
            }
            Instruction::Garble { bytes } => {
                // SAFETY: the link is open for as long as this process serves it, and nothing else
                // is ever put on its descriptor.
                let link = unsafe { BorrowedFd::borrow_raw(LINK_FD) };
                if let Err(error) = nix::unistd::write(link, &bytes) {
                    failed(&events, &format!("the link cannot be garbled: {error}"));
                }
            }
            Instruction::Boot {} | Instruction::Pass { .. } | Instruction::Open {} => {}
            instruction => {
                let _ = tasks.send(ScopeTask::Do(instruction));
            }
        }
    }
    // Without the test's end the instructions are over: the scope waits for its end like any other.
    std::mem::forget(tasks);
}
