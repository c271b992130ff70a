//! The prompt: where the person types, and what speaks to the paused actor's agent.
//!
//! Runs where the terminal is: in the root, or under other policies in the holder itself. It knows
//! its end of the baton and nothing of the tree.
//!
//! ```text
//!   driver                    prompt-baton (thread)       prompt-editor (thread)    the holder
//!     |-- open ---------------->|                           |                        |
//!     |                         |<-- Greeting, replies -----|------------------------|
//!     |                         |                           |-- commands ----------->|
//!     |-- note, print, waiting -|-------------------------->| above the prompt       |
//!     |-- close --------------->|-------------------------->| lets go                |
//!     |                         |<== end of file, the release of the lock ===========|
//!     |                         |-- let go ---------------->|                        |
//!     |<-- PromptEvent::Ended ---|                           |                        |
//! ```
//!
//! # Rules
//! 1. [`PromptEvent::Ended`] is sent exactly once: after end of file of the baton, and after the
//!    editor has let go of the terminal and its modes are as it found them.
//! 2. The prompt never closes the baton for reading before that: only the holder's end says that
//!    the lock is free. What the prompt can do is to stop writing; the agent takes it as a hangup.
//! 3. Only `prompt-editor` writes to the terminal, until it is gone. So nothing tears the prompt.
//! 4. After every prompt the disposition of SIGINT and all modes of the terminal are as before.
//! 5. Nothing here waits without a limit for a process, but for the end of file.

mod attended;
mod baton;
mod commands;
mod console;
mod debugger;
mod escape;
mod line_limit;
mod passage;
mod passed_output;
mod pending_lines;
mod plain;
mod prompt_terminal;
mod render;
mod signals;
mod state;
mod unattended;

pub(crate) use debugger::Debuggee;
pub(crate) use render::Color;

use crate::survey::SurveyTopic;
use attended::Editing;
use baton::BatonLink;
use prompt_terminal::PromptTerminal;
use state::{EditorOrder, SessionState};
use std::fs::OpenOptions;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

/// A text of others, without what a terminal would obey.
pub(crate) fn harmless(text: &str) -> String {
    text.lines().map(escape::tabbed).collect::<Vec<_>>().join("\n")
}

/// What a session needs.
pub(crate) struct PromptSetup {
    /// The root's end of the baton.
    pub(crate) socket: UnixStream,
    /// Who reads commands.
    pub(crate) reader: PromptReader,
    /// Called from the prompt's threads; it must not block, and must not call the prompt back.
    pub(crate) notify: Box<dyn Fn(PromptEvent) + Send + Sync>,
    /// Whether output has colours.
    pub(crate) color: Color,
    /// Whom a debugger would look at; none if nobody could pass its output on.
    pub(crate) debuggee: Option<Debuggee>,
}

/// Who reads commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PromptReader {
    /// A person at this terminal. `/dev/tty` has the line editor; any other path, and a terminal
    /// that cannot move its cursor (`TERM=dumb`), has plain lines.
    Terminal(PathBuf),
    /// A person at this terminal, which stays in its own modes: a Ctrl-C there is a signal to the
    /// foreground. What a debugger does that knows nothing of a tree.
    Cooked(PathBuf),
    /// A file of commands; what one session leaves of it is for the next.
    Script(PathBuf),
    /// Nobody: report to standard error, and continue.
    Report,
    /// Nobody yet: say who waits, keep the prompt open that long, and continue.
    Wait(Duration),
}

/// What the prompt tells the driver.
#[derive(Debug)]
pub(crate) enum PromptEvent {
    /// The baton's end was read, and the terminal is free. The last event.
    Ended,
    /// A SIGINT of a process reached the editor's thread. It was not acted on.
    Interrupted,
    /// Ctrl-Z, or the terminal belongs to another process group. The editor has let go of the
    /// terminal and waits for [`PromptSession::resume`].
    Suspend(Suspension),
    /// The menu's key: the whole tree is to end, whoever waits.
    EndAll,
    /// The command `stop`, or the quit key.
    StopTree,
    /// The commands `tree` and `waiting`: the text of the answer goes there.
    Survey(SurveyTopic, Sender<String>),
}

/// What became of log output.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Printed {
    /// The prompt's thread shows it.
    Above,
    /// The session is over, or has let go of the terminal: this is for the terminal itself.
    Left(String),
}

/// Why a prompt lets go of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suspension {
    /// The person wants the shell.
    Key,
    /// Another process group has the terminal.
    Background,
}

/// An open session.
#[derive(Debug)]
pub(crate) struct PromptSession {
    session: Arc<SessionState>,
}

/// Opens a session. Where there is no such terminal any longer, nobody is at the prompt: the lock is
/// out, and only the end of the baton gives it back.
pub(crate) fn open(setup: PromptSetup) -> io::Result<PromptSession> {
    let PromptSetup { socket, reader, notify, color, debuggee } = setup;
    socket.set_nonblocking(false)?;
    // A command is a few bytes: it blocks only if the holder's process does not read at all.
    socket.set_write_timeout(Some(WRITE_LIMIT))?;
    let (reader, modes) = match reader {
        PromptReader::Terminal(ref path) | PromptReader::Cooked(ref path) => {
            let tty = OpenOptions::new().read(true).write(true).open(path);
            match tty.and_then(PromptTerminal::of) {
                Ok(terminal) => (reader, Some(terminal)),
                Err(_) => (PromptReader::Report, None),
            }
        }
        PromptReader::Script(_) | PromptReader::Report | PromptReader::Wait(_) => (reader, None),
    };
    let (mut session, wake) = SessionState::new(modes, notify, color)?;
    session.debuggee = debuggee;
    let session = Arc::new(session);
    let link = Arc::new(BatonLink::new(socket.try_clone()?));
    let editor = {
        let (session, link) = (Arc::clone(&session), Arc::clone(&link));
        move || edit(&session, &link, reader, wake)
    };
    spawn("prompt-editor", editor)?;
    let listen = {
        let session = Arc::clone(&session);
        move || baton::listen(&socket, &link, &session)
    };
    if let Err(error) = spawn("prompt-baton", listen) {
        session.let_go(EditorOrder::Leave);
        return Err(error);
    }
    Ok(PromptSession { session })
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let run = move || {
        // Signals are the driver's, and none of these threads starts a program.
        signals::block_all();
        run();
    };
    thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}

/// The editor's thread: whatever happens in it, the terminal is let go and the holder told.
fn edit(session: &Arc<SessionState>, link: &BatonLink, reader: PromptReader, wake: UnixStream) {
    let run = std::panic::AssertUnwindSafe(|| match reader {
        PromptReader::Terminal(path) => attended::run(session, link, &path, Editing::Editor, wake),
        PromptReader::Cooked(path) => attended::run(session, link, &path, Editing::Terminal, wake),
        PromptReader::Script(path) => unattended::script(session, link, &path),
        PromptReader::Report => unattended::report(session, link),
        PromptReader::Wait(limit) => unattended::wait(session, link, limit),
    });
    if std::panic::catch_unwind(run).is_err() {
        signals::block_all();
        link.hang_up();
    }
    session.leave();
}

impl PromptSession {
    /// Makes the editor let go of the terminal and end; returns when it has. The session itself
    /// ends when the holder closes its end of the baton.
    pub(crate) fn close(&self) {
        self.session.let_go(EditorOrder::Leave);
    }

    /// Shows a line above the prompt.
    pub(crate) fn note(&self, text: &str) {
        self.session.note(text);
    }

    /// Shows log output above the prompt: whole lines at once, an unfinished one when it is
    /// finished. A session that is over, or has let go of the terminal, shows nothing.
    pub(crate) fn print(&self, bytes: &[u8]) -> Printed {
        self.session.print(bytes)
    }

    /// Shows in the prompt how many others wait for it.
    pub(crate) fn waiting(&self, count: usize) {
        self.session.waiting(count);
    }

    /// Makes the editor let go of the terminal until [`PromptSession::resume`]; returns when it has. What
    /// was typed is kept.
    pub(crate) fn suspend(&self) {
        self.session.let_go(EditorOrder::Rest);
    }

    /// The same, where nobody can give this process the terminal: the prompt goes on by itself.
    pub(crate) fn resume_without_anybody(&self) {
        self.session.is_nobodys_now();
        self.session.resume();
    }

    /// Opens the prompt again after [`PromptSession::suspend`] or [`PromptEvent::Suspend`].
    pub(crate) fn resume(&self) {
        self.session.resume();
    }
}

impl Drop for PromptSession {
    fn drop(&mut self) {
        self.close();
    }
}

const WRITE_LIMIT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
