//! The user task: an actor's own code, one thread with an async runtime of its own, beside the driver.
//!
//! The driver goes on serving whatever the code does: a computation that never yields, a sync call
//! that blocks, a panic.
//!
//! ```text
//!     Running --cancel--> dropped --> shielded tasks end --> Ended
//!             --returns, fails, panics--------------------> Ended
//! ```

use crate::agent::PausedTask;
use crate::context::Context;
use crate::error::{RuntimeError, failed};
use crate::event::{ActorEvent, Senders, UserTaskEnd};
use crate::failure::{Failure, FailureKind};
use crate::session::PromptKind;
use crate::signals::set_mask;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use holdfast_protocol::actor_loop::Examine;
use holdfast_sync::flag::Flag;
use nix::sys::signal::SigSet;
use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::task::LocalSet;

/// What an actor's function comes to: its result in bytes, or its error.
pub(crate) type Returned = Result<Vec<u8>, Box<dyn Error + Send + Sync>>;

/// An actor's function with its arguments.
pub(crate) type Code = Box<dyn FnOnce(Context) -> LocalBoxFuture<'static, Returned> + Send>;

/// Whether a failure of this text may open a prompt.
pub(crate) type Filter = Arc<dyn Fn(&Failure) -> bool + Send + Sync>;

/// The user task, as the driver sees it.
pub(crate) struct UserTask {
    cancelled: Flag,
}

impl UserTask {
    /// Starts the code, in a thread with this signal mask.
    pub(crate) fn start(
        code: Code,
        context: Context,
        filter: Filter,
        mask: SigSet,
        senders: Senders,
    ) -> Result<Self, RuntimeError> {
        let cancelled = context.cancelled_flag();
        let told = cancelled.clone();
        let name = context.path().to_owned();
        let run = move || {
            set_mask(&mask);
            let ending = run(code, context, &filter, &told);
            senders.send(ActorEvent::TaskEnded(ending));
        };
        std::thread::Builder::new().name(name).spawn(run).map_err(failed("start a thread"))?;
        Ok(Self { cancelled })
    }

    /// Drops the code where it stands, at its next await.
    pub(crate) fn cancel(&self) {
        let _ = self.cancelled.raise();
    }
}

fn run(code: Code, context: Context, filter: &Filter, cancelled: &Flag) -> UserTaskEnd {
    let path = context.path().to_owned();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::new(FailureKind::Runtime, &path, error.to_string());
            return failed_with(failure, None, Examine::No);
        }
    };
    let local = LocalSet::new();
    let mut shields = context.shields();
    let outcome = local.block_on(&runtime, async {
        let code = AssertUnwindSafe(async move { code(context).await }).catch_unwind();
        let outcome = tokio::select! {
            biased;
            () = cancelled.raised() => None,
            outcome = code => Some(outcome),
        };
        let _ = shields.wait_for(|count| *count == 0).await;
        outcome
    });
    drop(local);
    runtime.shutdown_background();
    match outcome {
        None => UserTaskEnd::Dropped,
        Some(Ok(Ok(bytes))) => UserTaskEnd::Returned(bytes),
        Some(Ok(Err(error))) => {
            let failure = Failure::returned(error, &path);
            let examine = examine(filter, &failure);
            failed_with(failure, None, examine)
        }
        Some(Err(panic)) => {
            let failure = Failure::new(FailureKind::Panic, &path, said(panic.as_ref()));
            let examine = examine(filter, &failure);
            failed_with(failure, PANICKED.take(), examine)
        }
    }
}

pub(crate) fn examine(filter: &Filter, failure: &Failure) -> Examine {
    if filter(failure) { Examine::Yes } else { Examine::No }
}

fn failed_with(failure: Failure, panicked: Option<Panicked>, examine: Examine) -> UserTaskEnd {
    let mut scene = post_mortem(&failure);
    if let Some(Panicked { file, line, column, backtrace }) = panicked {
        scene = PausedTask { file, line, column, backtrace, ..scene };
    }
    UserTaskEnd::Failed(failure, Box::new(scene), examine)
}

/// What a post-mortem prompt shows of a failure.
pub(crate) fn post_mortem(failure: &Failure) -> PausedTask {
    PausedTask {
        path: failure.through.last().unwrap_or(&failure.actor).clone(),
        kind: PromptKind::PostMortem,
        file: String::new(),
        line: 0,
        column: 0,
        values: Vec::new(),
        backtrace: Backtrace::disabled(),
        failure: Some(failure.to_string()),
        task: "the actor's function".to_owned(),
        since: std::time::Instant::now(),
        standstill: None,
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a value that is not text".to_owned())
}

/// Where a panic was, noted before the stack unwinds.
struct Panicked {
    file: String,
    line: u32,
    column: u32,
    backtrace: Backtrace,
}

thread_local! {
    static PANICKED: RefCell<Option<Panicked>> = const { RefCell::new(None) };
}

/// Notes the place of every panic, beside what was done about panics before.
pub(crate) fn note_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if let Some(place) = info.location() {
            let backtrace = Backtrace::force_capture();
            let (file, line, column) = (place.file().to_owned(), place.line(), place.column());
            PANICKED.replace(Some(Panicked { file, line, column, backtrace }));
        }
        before(info);
    }));
}
