//! The paused actor's side of a prompt: a thread that answers questions about the paused task.
//!
//! Runs in the actor that holds the debug lock. It knows its end of the baton and the [`PausedTask`],
//! and touches neither the terminal nor the paused task.
//!
//! ```text
//!   start --> greet --> answer commands --continue--> answer(Continue)
//!                                       --quit------> answer(Quit)
//!                                       --end, error, panic --> answer(Hangup)
//! ```
//!
//! # Rules
//! 1. The callback is called exactly once, on whichever path.
//! 2. The thread never ends the session: the baton stays open until [`Agent::close`] (or the drop
//!    of the [`Agent`]), because its closing is the release of the lock (R7).

mod frames;
mod source;

use crate::logs::LogRing;
use crate::session::{
    self, Greeting, NamedValue, NumberedCommand, PromptCommand, PromptKind, Received, Reply,
    SessionError, cut, receive, send,
};
use crate::standstill::Standstill;
use holdfast_protocol::Answer;
use holdfast_sync::release::{Delivery, release};
use rustix::process::{PTracer, Pid, set_ptracer};
use std::backtrace::Backtrace;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// What the paused task looks like.
#[derive(Debug)]
pub(crate) struct PausedTask {
    /// The actor, by its path from the root: `root/mid/leaf`.
    pub(crate) path: String,
    /// Breakpoint or post-mortem.
    pub(crate) kind: PromptKind,
    /// The source file, as the compiler named it.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: u32,
    /// The column, from 1.
    pub(crate) column: u32,
    /// The named values, as text.
    pub(crate) values: Vec<(String, String)>,
    /// Captured where the task paused; resolved when somebody asks.
    pub(crate) backtrace: Backtrace,
    /// What failed.
    pub(crate) failure: Option<String>,
    /// The task within the actor.
    pub(crate) task: String,
    /// When the task asked for the terminal.
    pub(crate) since: Instant,
    /// What lets the task stand still; none if it has ended.
    pub(crate) standstill: Option<Arc<Standstill>>,
}

/// The holder's end of an open prompt.
#[derive(Debug)]
#[must_use = "dropping it releases the lock"]
pub(crate) struct Agent {
    socket: UnixStream,
}

impl Agent {
    /// The end of a session that something else than an agent serves.
    pub(crate) fn of(socket: UnixStream) -> Self {
        Self { socket }
    }

    /// Ends the session: the other end reads end of file at once, whoever still has a copy of
    /// this one.
    pub(crate) fn close(self) {
        drop(self);
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It fails only if the other end is gone already.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// Starts the thread. If that fails, `answer` has been called with [`Answer::Hangup`].
pub(crate) fn start(
    socket: UnixStream,
    scene: PausedTask,
    logs: LogRing,
    answer: impl FnOnce(Answer) + Send + 'static,
) -> io::Result<Agent> {
    let once = release(answer, Answer::Hangup);
    socket.set_nonblocking(false)?;
    let own = socket.try_clone()?;
    let serve = move || {
        // Whatever unwinds past here drops the only handle, and that answers too.
        let answer = serve(&own, &scene, &logs).unwrap_or(Answer::Hangup);
        let (Delivery::First | Delivery::Late) = once.answer(answer);
    };
    thread::Builder::new().name("agent".to_owned()).spawn(serve)?;
    Ok(Agent { socket })
}

fn serve(socket: &UnixStream, scene: &PausedTask, logs: &LogRing) -> Result<Answer, SessionError> {
    send(socket, &scene.greeting())?;
    let mut debugged: Option<Debugged<'_>> = None;
    loop {
        let NumberedCommand { number, command } = match receive(socket)? {
            Received::Message(asked) => asked,
            Received::End => return Ok(Answer::Hangup),
        };
        let reply = match command {
            PromptCommand::Continue => return Ok(Answer::Continue),
            PromptCommand::Quit => return Ok(Answer::Quit),
            PromptCommand::Terminal { .. }
            | PromptCommand::Keys(_)
            | PromptCommand::Waiting(_)
            | PromptCommand::Yield(_) => Reply::Failed("an actor is at this prompt".to_owned()),
            PromptCommand::Where => Reply::Lines(scene.place()),
            PromptCommand::List { around } => source::around(&scene.file, scene.line, around),
            PromptCommand::Backtrace { frames } => frames::reply(&scene.backtrace, frames),
            PromptCommand::Locals => scene.locals(),
            PromptCommand::Names => scene.names(),
            PromptCommand::Print { name } => scene.print(&name),
            PromptCommand::Attach { tracer } => {
                // The one before, if there is one, ends first.
                drop(debugged.take());
                let debugged = debugged.insert(Debugged::by(tracer, scene));
                Reply::Attachable { thread: debugged.thread() }
            }
            PromptCommand::Detach => {
                drop(debugged.take());
                continue;
            }
            PromptCommand::Log { last } => Reply::Lines(within(logs.last(last))),
        };
        send(socket, &session::NumberedReply { number, reply })?;
    }
}

/// A debugger may look at this process until this is dropped.
struct Debugged<'s> {
    standstill: Option<&'s Standstill>,
}

impl<'s> Debugged<'s> {
    /// Lets a process trace this one, with all that it has started (Yama looks at both).
    fn by(tracer: u32, scene: &'s PausedTask) -> Self {
        crate::signals::outlive_traps();
        let tracer = i32::try_from(tracer).ok().and_then(Pid::from_raw);
        if let Some(tracer) = tracer {
            // Without Yama there is no such thing, and it is not needed.
            let _ = set_ptracer(PTracer::ProcessID(tracer));
        }
        Self { standstill: scene.standstill.as_deref() }
    }

    /// The thread of the paused task, once it stands still.
    fn thread(&self) -> Option<i32> {
        self.standstill.and_then(|standstill| standstill.ask(STANDS))
    }
}

impl Drop for Debugged<'_> {
    fn drop(&mut self) {
        let _ = set_ptracer(PTracer::None);
        crate::signals::meet_traps_as_before();
        if let Some(standstill) = self.standstill {
            standstill.let_go();
        }
    }
}

impl PausedTask {
    fn greeting(&self) -> Greeting {
        Greeting {
            path: cut(&self.path, SHOWN).to_owned(),
            task: cut(&self.task, SHOWN).to_owned(),
            kind: self.kind,
            file: cut(&self.file, SHOWN).to_owned(),
            line: self.line,
            column: self.column,
            failure: self.failure.as_deref().map(shown),
            values: self.values.len(),
        }
    }

    /// Since when and where the task waits, for people.
    pub(crate) fn wait(&self) -> String {
        let since = format!("since {} s", self.since.elapsed().as_secs());
        match self.file.is_empty() {
            true => format!("{since}, {}", self.task),
            false => {
                format!("{since}, at {}:{}:{}, {}", self.file, self.line, self.column, self.task)
            }
        }
    }

    fn place(&self) -> Vec<String> {
        let what = match self.kind {
            PromptKind::Breakpoint => "breakpoint",
            PromptKind::PostMortem => "post-mortem",
            PromptKind::Program(_) => "a program",
        };
        let mut lines = vec![
            format!("{what} in {}, {}", self.path, self.task),
            format!("at {}:{}:{}", self.file, self.line, self.column),
        ];
        lines.extend(self.failure.as_deref().map(|failure| format!("failure: {}", shown(failure))));
        within(lines)
    }

    fn locals(&self) -> Reply {
        let mut room = ROOM;
        let mut values = Vec::new();
        for (name, text) in &self.values {
            let value = value(name, text, LISTED);
            let cost = value.name.len() + value.text.len() + FRAMING;
            if cost > room {
                break;
            }
            room -= cost;
            values.push(value);
        }
        let omitted = self.values.len() - values.len();
        Reply::Values { values, omitted }
    }

    fn names(&self) -> Reply {
        Reply::Names(within(self.values.iter().map(|(name, _)| name.clone()).collect()))
    }

    fn print(&self, name: &str) -> Reply {
        match self.values.iter().find(|(own, _)| own == name) {
            Some((name, text)) => {
                Reply::Values { values: vec![value(name, text, SHOWN)], omitted: 0 }
            }
            None => Reply::Failed(format!("no value has the name {name}")),
        }
    }
}

fn value(name: &str, text: &str, most: usize) -> NamedValue {
    NamedValue {
        name: cut(name, SHOWN).to_owned(),
        text: cut(text, most).to_owned(),
        length: text.len(),
    }
}

/// A text, cut with a note.
fn shown(text: &str) -> String {
    match cut(text, SHOWN) {
        whole if whole.len() == text.len() => text.to_owned(),
        part => format!("{part}… ({} bytes in all)", text.len()),
    }
}

/// The lines that fit into one frame, and a note if some do not.
fn within(lines: Vec<String>) -> Vec<String> {
    let total = lines.len();
    let mut room = ROOM;
    let mut kept: Vec<String> = lines
        .into_iter()
        .map(|line| if line.len() > SHOWN { shown(&line) } else { line })
        .take_while(|line| {
            let cost = line.len() + FRAMING;
            let fits = cost <= room;
            room = room.saturating_sub(cost);
            fits
        })
        .collect();
    if kept.len() < total {
        kept.push(format!("… ({} more lines)", total - kept.len()));
    }
    kept
}

/// How long a task has until it stands still: its thread may be busy with another.
const STANDS: Duration = Duration::from_secs(2);

/// The most of one text that is sent, in bytes.
const SHOWN: usize = 4 * 1024;

/// The most of one value among all, in bytes; alone it has more.
const LISTED: usize = 320;

/// The most of all texts of one reply; the rest of a frame is for its structure.
const ROOM: usize = 512 * 1024;

/// What a text costs beside its bytes, at most.
const FRAMING: usize = 64;

#[cfg(test)]
mod tests;
