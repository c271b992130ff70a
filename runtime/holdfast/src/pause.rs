//! Breakpoints: a task or a thread asks for the terminal and waits until the person lets it go on.
//!
//! ```text
//!     pause() --> waits for the lock --> prompt open --> continue, quit, revoked
//!                        \--> refused: the actor is on its way out
//! ```
//!
//! # Rules
//! 1. Several tasks and threads of one actor queue, first come first served.
//! 2. A pause within a pause of the same task (the `Debug` of a value pauses) is passed at once.
//! 3. A pause whose task is dropped gives the terminal back.

use crate::agent::PausedTask;
use crate::event::{Asker, DriverEvent, PauseRequest, Resumed, TurnStart};
use crate::session::PromptKind;
use crate::settings::Debugging;
use crate::standstill::Standstill;
use holdfast_protocol::Shielding;
use holdfast_sync::mailbox::Sender;
use holdfast_sync::ticket::{TicketReceiver, ticket};
use std::backtrace::Backtrace;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::Poll;

/// What pauses of this process need to know of their actor.
#[derive(Clone)]
pub(crate) struct PauseHandle {
    pub(crate) path: String,
    pub(crate) debugging: Debugging,
    pub(crate) events: Sender<DriverEvent>,
}

static ACTOR: RwLock<Option<PauseHandle>> = RwLock::new(None);
static NEXT: AtomicU64 = AtomicU64::new(0);
static PAUSING: Mutex<BTreeSet<PausingTask>> = Mutex::new(BTreeSet::new());

/// Lets pauses of this process reach its driver, or (with none) pass.
pub(crate) fn serve(actor: Option<PauseHandle>) {
    *ACTOR.write().unwrap_or_else(PoisonError::into_inner) = actor;
}

/// Who pauses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PausingTask {
    Async(String),
    Thread(String),
}

fn this_task() -> PausingTask {
    match tokio::task::try_id() {
        Some(id) => PausingTask::Async(id.to_string()),
        None => PausingTask::Thread(format!("{:?}", std::thread::current().id())),
    }
}

/// Notes that a task pauses; dropping it takes the note away.
struct PausingGuard(PausingTask);

impl PausingGuard {
    fn set() -> Option<Self> {
        let task = this_task();
        let mut pausing = PAUSING.lock().unwrap_or_else(PoisonError::into_inner);
        // Not `then_some`: a mark that is dropped here takes the lock once more.
        pausing.insert(task.clone()).then(|| Self(task))
    }
}

impl Drop for PausingGuard {
    fn drop(&mut self) {
        PAUSING.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// A breakpoint: `.await` it in a task, or call [`Pause::block`] in a thread.
///
/// Nothing happens before one of the two.
#[must_use = "a pause waits only when it is awaited, or blocked on"]
#[derive(Debug)]
pub struct Pause<'a> {
    values: Vec<(String, &'a dyn Debug)>,
    shielding: Shielding,
    place: &'static Location<'static>,
}

/// A breakpoint here. The prompt shows this place in the source, and the values named with
/// [`Pause::value`].
///
/// In a process that is not an actor it passes at once.
#[track_caller]
pub fn pause<'a>() -> Pause<'a> {
    Pause { values: Vec::new(), shielding: Shielding::Plain, place: Location::caller() }
}

impl<'a> Pause<'a> {
    /// Shows a value at the prompt, by its `Debug`.
    pub fn value(mut self, name: &str, value: &'a dyn Debug) -> Self {
        self.values.push((name.to_owned(), value));
        self
    }

    /// Keeps the request although the actor is cancelled: to debug a teardown.
    pub fn shielded(mut self) -> Self {
        self.shielding = Shielding::Shielded;
        self
    }

    /// Pauses this thread. For code that is not async, in any thread of an actor.
    ///
    /// In async code this blocks the thread that drives the task: await the pause instead.
    pub fn block(self) -> Resumed {
        match self.ask(Arc::new(Standstill::of_this_thread())) {
            Some((receiver, _mark)) => receiver.wait().unwrap_or(Resumed::Revoked),
            None => Resumed::Passed,
        }
    }

    fn ask(self, standstill: Arc<Standstill>) -> Option<(TicketReceiver<Resumed>, PausingGuard)> {
        let actor = ACTOR.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        if actor.debugging == Debugging::Off {
            return None;
        }
        let mark = PausingGuard::set()?;
        let thread = std::thread::current();
        let task = match tokio::task::try_id() {
            Some(id) => format!("task {id}"),
            None => format!("thread {}", thread.name().unwrap_or("without a name")),
        };
        let shown = |(name, value): (String, &dyn Debug)| (name, format!("{value:#?}"));
        let asker = Asker::Task(Box::new(PausedTask {
            path: actor.path,
            kind: PromptKind::Breakpoint,
            file: self.place.file().to_owned(),
            line: self.place.line(),
            column: self.place.column(),
            values: self.values.into_iter().map(shown).collect(),
            backtrace: Backtrace::force_capture(),
            failure: None,
            task,
            since: std::time::Instant::now(),
            standstill: Some(standstill),
        }));
        Some((ask(&actor.events, asker, self.shielding), mark))
    }
}

fn ask(
    events: &Sender<DriverEvent>,
    asker: Asker,
    shielding: Shielding,
) -> TicketReceiver<Resumed> {
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let abandoned = events.clone();
    let (receiver, ticket) = ticket(move || {
        let _ = abandoned.send(DriverEvent::Abandoned(id));
    });
    let request = PauseRequest { id, asker, shielding, ticket };
    // A driver that is gone drops the request, and the receiver hears of it.
    let _ = events.send(DriverEvent::Pause(request));
    receiver
}

/// Asks for the terminal on behalf of a program, which reads it itself once `start` was called.
/// None if debugging is off.
pub(crate) fn ask_for_program(start: TurnStart) -> Option<TicketReceiver<Resumed>> {
    let actor = ACTOR.read().unwrap_or_else(PoisonError::into_inner).clone()?;
    Some(ask(&actor.events, Asker::Program(start), Shielding::Plain))
}

impl<'a> IntoFuture for Pause<'a> {
    type Output = Resumed;
    type IntoFuture = Pin<Box<dyn Future<Output = Resumed> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let standstill = Arc::new(Standstill::of_task());
        let asked = self.ask(Arc::clone(&standstill));
        Box::pin(async move {
            let Some((receiver, _mark)) = asked else { return Resumed::Passed };
            let mut receiver = pin!(receiver);
            let resumed = std::future::poll_fn(|cx| {
                loop {
                    if let Poll::Ready(resumed) = receiver.as_mut().poll(cx) {
                        return Poll::Ready(resumed);
                    }
                    // For a debugger, which looks at what called this poll.
                    if !standstill.stand(cx) {
                        return Poll::Pending;
                    }
                }
            });
            resumed.await.unwrap_or(Resumed::Revoked)
        })
    }
}
