//! A session with a person at the terminal.
//!
//! Runs in the editor's thread.
//!
//! ```text
//!   greeting --> opening --> read a line --> run the command --+
//!                              ^  |                            |
//!                              |  +--order Rest--> away        |
//!                              +-------------------------------+   until order Leave
//! ```

use super::baton::BatonLink;
use super::commands::{self, Misread, PromptAction};
use super::console::{Console, EditorClaim, Read, Typed};
use super::plain::PlainLines;
use super::prompt_terminal::{Ownership, PromptTerminal};
use super::signals::Harmless;
use super::state::{EditorOrder, Key, SessionState, Waited};
use super::{PromptEvent, Suspension};
use super::{debugger, escape, passage, render};
use crate::session::{Greeting, PromptCommand, PromptKind, Reply};
use crate::survey::SurveyTopic;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Whether the session goes on after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterCommand {
    /// Another line.
    Again,
    /// The editor ends.
    Leave,
}

/// What reads lines.
enum LineReader {
    Console(Box<Console>),
    Plain(PlainLines),
}

impl LineReader {
    fn read(&mut self, session: &SessionState, prompt: &str, typed: &mut Typed) -> Read {
        match self {
            Self::Console(console) => console.read(session, prompt, typed),
            Self::Plain(plain) => plain.read(session, prompt, typed),
        }
    }
}

/// How lines are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Editing {
    /// With the line editor, where the terminal can have one.
    Editor,
    /// By the terminal itself, whose Ctrl-C is a signal then.
    Terminal,
}

/// Runs the session until the editor is to let go for good.
pub(super) fn run(
    session: &Arc<SessionState>,
    link: &BatonLink,
    path: &Path,
    editing: Editing,
    wake: UnixStream,
) {
    if let Some(greeting) = greet(session) {
        if let PromptKind::Program(announced) = greeting.kind {
            passage::run(session, link, &greeting.path, announced, &wake);
        } else {
            open(session, link, &greeting);
            match wake.try_clone() {
                Ok(looked_at) => {
                    if let Some(lines) = claim(session, path, editing, wake) {
                        converse(session, link, lines, &looked_at);
                    }
                }
                Err(error) => give_up(session, link, &error.to_string()),
            }
        }
    }
    if let Some(fault) = session.fault() {
        let fault = format!("the session is over: {}", escape::line(&fault));
        session.write(&(session.color.error(&fault) + "\n"));
    }
}

/// Waits for the agent, without a limit: it is there as long as the baton is.
fn greet(session: &SessionState) -> Option<Greeting> {
    match session.await_some(Duration::MAX, |look| look.greeting()) {
        Waited::Came(greeting) => Some(greeting),
        Waited::Ordered | Waited::Late => None,
    }
}

/// Shows what is paused, and gets the names for completion.
fn open(session: &SessionState, link: &BatonLink, greeting: &Greeting) {
    session.write(&render::opening(greeting, session.color));
    if !greeting.file.is_empty() {
        answer(session, link, PromptCommand::List { around: AROUND_AT_FIRST });
    }
    if let Waited::Came(Reply::Names(names)) = link.ask(session, PromptCommand::Names, PATIENCE) {
        let plain = |name: &String| escape::line(name) == *name;
        session.know(names.into_iter().filter(plain).take(MOST_NAMES).collect());
    }
}

/// Takes the line editor, or plain lines where it cannot work.
fn claim(
    session: &Arc<SessionState>,
    path: &Path,
    editing: Editing,
    wake: UnixStream,
) -> Option<LineReader> {
    let terminal = session.terminal()?;
    let able = std::env::var("TERM").is_ok_and(|term| {
        !term.is_empty() && !UNABLE.iter().any(|unable| unable.eq_ignore_ascii_case(&term))
    });
    if editing == Editing::Terminal || path != Path::new("/dev/tty") || !able {
        return Some(LineReader::Plain(PlainLines::new(wake)));
    }
    loop {
        match Console::claim() {
            Ok(EditorClaim::Had(mut console)) => {
                console.bind(session, terminal);
                return Some(LineReader::Console(console));
            }
            Err(_) => return Some(LineReader::Plain(PlainLines::new(wake))),
            // The other session of this process ends sooner or later, or this one is told to.
            Ok(EditorClaim::Taken) => match session.await_some(TAKEN, |_| None::<()>) {
                Waited::Came(()) | Waited::Late => {}
                Waited::Ordered => return None,
            },
        }
    }
}

fn converse(session: &SessionState, link: &BatonLink, mut lines: LineReader, wake: &UnixStream) {
    let harmless = match Harmless::install() {
        Ok(harmless) => harmless,
        Err(error) => return give_up(session, link, &error.to_string()),
    };
    let mut typed = Typed::default();
    let end = loop {
        match session.order() {
            EditorOrder::Leave => break SessionEnd::Told,
            EditorOrder::Rest => session.rest(),
            EditorOrder::Stay | EditorOrder::Redraw => {}
        }
        session.flush();
        if ownership(session) == Ownership::Others {
            match background(session, link) {
                AfterCommand::Again => continue,
                AfterCommand::Leave => break SessionEnd::Told,
            }
        }
        let (path, waiting) = session.standing();
        let prompt = render::prompt(&path, waiting);
        let read = lines.read(session, &prompt, &mut typed);
        let next = match read {
            Read::Line(line) => match commands::parse(&line) {
                Ok(PromptAction::Debug(command)) => debugger::run(session, link, &command, wake),
                read => act(session, link, read),
            },
            Read::Key(Key::Suspend) => {
                suspend(session, Suspension::Key);
                AfterCommand::Again
            }
            Read::Key(Key::Stop) => stop(session, link),
            Read::Ordered => {
                if session.peek() == EditorOrder::Redraw {
                    erase(session, &mut lines, &prompt, &typed);
                }
                AfterCommand::Again
            }
            Read::Interrupted => {
                erase(session, &mut lines, &prompt, &typed);
                session.notify(PromptEvent::Interrupted);
                session.hint();
                AfterCommand::Again
            }
            Read::NoText => AfterCommand::Again,
            Read::End => match ownership(session) {
                Ownership::Ours => finish(session, link, PromptCommand::Quit),
                Ownership::Others => AfterCommand::Again,
                Ownership::Gone => break SessionEnd::Lost("it is gone".to_owned()),
            },
            Read::Failed(error) => match ownership(session) {
                // A background process reads EIO.
                Ownership::Others => AfterCommand::Again,
                Ownership::Ours | Ownership::Gone => break SessionEnd::Lost(error.to_string()),
            },
        };
        if next == AfterCommand::Leave {
            break SessionEnd::Told;
        }
    };
    match (&end, lines) {
        (SessionEnd::Told, LineReader::Console(console)) => console.rest(),
        (SessionEnd::Lost(_), LineReader::Console(console)) => console.forget(),
        (SessionEnd::Told | SessionEnd::Lost(_), LineReader::Plain(_)) => {}
    }
    if let SessionEnd::Lost(why) = end {
        give_up(session, link, &why);
    }
    drop(harmless); // Only now: no thread has SIGINT open any longer.
}

enum SessionEnd {
    /// By the driver, the holder or the person.
    Told,
    /// The terminal cannot be read any longer, and why.
    Lost(String),
}

pub(super) fn ownership(session: &SessionState) -> Ownership {
    session.terminal().map_or(Ownership::Gone, PromptTerminal::ownership)
}

/// The prompt cannot go on: the holder is told, and what it does then ends the session.
pub(super) fn give_up(session: &SessionState, link: &BatonLink, why: &str) {
    link.hang_up();
    session.write(&format!("the prompt is closed, its terminal cannot be read: {why}\n"));
}

/// Runs one line.
pub(super) fn perform(session: &SessionState, link: &BatonLink, line: &str) -> AfterCommand {
    act(session, link, commands::parse(line))
}

fn act(
    session: &SessionState,
    link: &BatonLink,
    read: Result<PromptAction, Misread>,
) -> AfterCommand {
    match read {
        Err(misread) => {
            let text = escape::line(&misread.to_string());
            session.write(&(session.color.error(&text) + "\n"));
            AfterCommand::Again
        }
        Ok(PromptAction::Nothing) => AfterCommand::Again,
        Ok(PromptAction::Help) => {
            session.write(&commands::help());
            AfterCommand::Again
        }
        Ok(PromptAction::Tree) => survey(session, SurveyTopic::Tree),
        Ok(PromptAction::Waiting) => survey(session, SurveyTopic::Waiting),
        Ok(PromptAction::Ask(command)) => {
            answer(session, link, command);
            AfterCommand::Again
        }
        Ok(PromptAction::Finish(command)) => finish(session, link, command),
        Ok(PromptAction::Stop) => stop(session, link),
        Ok(PromptAction::Debug(_)) => {
            let why = "a debugger needs a person at a terminal";
            session.write(&(session.color.error(why) + "\n"));
            AfterCommand::Again
        }
    }
}

/// Asks the agent, and shows the reply.
pub(super) fn answer(session: &SessionState, link: &BatonLink, command: PromptCommand) {
    let text = match link.ask(session, command, PATIENCE) {
        Waited::Came(reply) => render::reply(&reply, session.color),
        Waited::Ordered => return,
        Waited::Late => session.color.error("no answer; it may be stopped, or busy") + "\n",
    };
    session.write(&text);
}

/// Ends the session from this side. What really ends it is that the holder closes the baton.
pub(super) fn finish(
    session: &SessionState,
    link: &BatonLink,
    command: PromptCommand,
) -> AfterCommand {
    if link.tell(command).is_err() {
        link.hang_up();
    }
    await_end(session, "the prompt is not released yet; `stop` cancels the tree")
}

/// The teardown waits for this prompt (R4), so the prompt is closed for it: as revoked.
fn stop(session: &SessionState, link: &BatonLink) -> AfterCommand {
    session.notify(PromptEvent::StopTree);
    link.hang_up();
    await_end(session, "the tree was told to stop; this prompt is still open")
}

fn await_end(session: &SessionState, late: &str) -> AfterCommand {
    match session.await_some(PATIENCE, |_| None::<()>) {
        Waited::Ordered => AfterCommand::Leave,
        Waited::Came(()) | Waited::Late => {
            session.write(&(session.color.error(late) + "\n"));
            AfterCommand::Again
        }
    }
}

/// Asks the driver for the state of the tree, or for who waits.
fn survey(session: &SessionState, about: SurveyTopic) -> AfterCommand {
    let (reply, answer) = mpsc::channel();
    session.notify(PromptEvent::Survey(about, reply));
    let found = session.await_some(PATIENCE, |_| match answer.recv_timeout(GLANCE) {
        Ok(text) => Some(Ok(text)),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Err(())),
    });
    match found {
        Waited::Came(Ok(text)) => {
            let lines = escape::lines(&text);
            session.write(&lines.into_iter().fold(String::new(), |text, line| text + &line + "\n"));
            AfterCommand::Again
        }
        Waited::Came(Err(())) | Waited::Late => {
            session.write(&(session.color.error("the driver does not answer") + "\n"));
            AfterCommand::Again
        }
        Waited::Ordered => AfterCommand::Leave,
    }
}

/// Lets the terminal go until the driver says that the process runs in the foreground again.
pub(super) fn suspend(session: &SessionState, why: Suspension) {
    session.yields();
    session.notify(PromptEvent::Suspend(why));
    session.rest();
}

/// The terminal is another's: neither its modes nor its input are ours. What the kernel would do
/// to a reader is asked of the driver, and not again and again. Where no shell can bring this job to
/// the front (a background job whose shell has gone), nobody is at the prompt.
fn background(session: &SessionState, link: &BatonLink) -> AfterCommand {
    suspend(session, Suspension::Background);
    if session.is_nobodys() {
        session.write(NOBODYS);
        return finish(session, link, PromptCommand::Continue);
    }
    if ownership(session) == Ownership::Others {
        let (Waited::Came(()) | Waited::Ordered | Waited::Late) =
            session.await_some(BACKGROUND, |_| None::<()>);
    }
    AfterCommand::Again
}

/// What a prompt in an orphaned background group says.
const NOBODYS: &str = "the terminal is another job's, and no shell can bring this one to the front: \
                       it goes on\n";

/// Takes a prompt from the screen that is painted anew at once.
fn erase(session: &SessionState, lines: &mut LineReader, prompt: &str, typed: &Typed) {
    if let LineReader::Console(console) = lines {
        let rows = console.rows(prompt, &typed.text);
        session.write(&format!("\x1b[{rows}A\r\x1b[J"));
    }
}

/// How long the other process has for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How long the answer of the driver is looked for before the other things are looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// How often a line editor is asked for that another session has.
const TAKEN: Duration = Duration::from_millis(50);

/// How long a background process does not ask again.
const BACKGROUND: Duration = Duration::from_millis(500);

/// Lines before and after the place that are shown at first.
const AROUND_AT_FIRST: u32 = 1;

/// The most names that completion knows.
const MOST_NAMES: usize = 1000;

/// Terminals that cannot move their cursor.
const UNABLE: [&str; 3] = ["dumb", "cons25", "emacs"];
