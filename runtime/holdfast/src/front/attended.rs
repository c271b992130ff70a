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

use super::FrontEvent;
use super::commands::{self, Action};
use super::console::{Claim, Console, Read, Typed};
use super::desk::{Desk, Key, Order, Waited};
use super::link::Link;
use super::modes::{Modes, Ownership};
use super::plain::Plain;
use super::signals::Harmless;
use super::{escape, render};
use crate::session::{Command, Greeting, Reply};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Whether the session goes on after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another line.
    Again,
    /// The editor ends.
    Leave,
}

/// What reads lines.
enum Lines {
    Console(Box<Console>),
    Plain(Plain),
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
pub(super) fn run(desk: &Arc<Desk>, link: &Link, path: &Path, editing: Editing, wake: UnixStream) {
    if let Some(greeting) = greet(desk) {
        open(desk, link, &greeting);
        if let Some(lines) = claim(desk, path, editing, wake) {
            converse(desk, link, lines);
        }
    }
    if let Some(fault) = desk.fault() {
        let fault = format!("the session is over: {}", escape::line(&fault));
        desk.write(&(desk.color.error(&fault) + "\n"));
    }
}

/// Waits for the agent, without a limit: it is there as long as the baton is.
fn greet(desk: &Desk) -> Option<Greeting> {
    match desk.await_some(Duration::MAX, |look| look.greeting()) {
        Waited::Came(greeting) => Some(greeting),
        Waited::Ordered | Waited::Late => None,
    }
}

/// Shows what is paused, and gets the names for completion.
fn open(desk: &Desk, link: &Link, greeting: &Greeting) {
    desk.write(&render::opening(greeting, desk.color));
    if !greeting.file.is_empty() {
        answer(desk, link, Command::List { around: AROUND_AT_FIRST });
    }
    if let Waited::Came(Reply::Names(names)) = link.ask(desk, Command::Names, PATIENCE) {
        let plain = |name: &String| escape::line(name) == *name;
        desk.know(names.into_iter().filter(plain).take(MOST_NAMES).collect());
    }
}

/// Takes the line editor, or plain lines where it can not work.
fn claim(desk: &Arc<Desk>, path: &Path, editing: Editing, wake: UnixStream) -> Option<Lines> {
    let terminal = desk.terminal()?;
    let able = std::env::var("TERM").is_ok_and(|term| {
        !term.is_empty() && !UNABLE.iter().any(|unable| unable.eq_ignore_ascii_case(&term))
    });
    if editing == Editing::Terminal || path != Path::new("/dev/tty") || !able {
        return Some(Lines::Plain(Plain::new(wake)));
    }
    loop {
        match Console::claim() {
            Ok(Claim::Had(mut console)) => {
                console.bind(desk, terminal);
                return Some(Lines::Console(console));
            }
            Err(_) => return Some(Lines::Plain(Plain::new(wake))),
            // The other session of this process ends sooner or later, or this one is told to.
            Ok(Claim::Taken) => match desk.await_some(TAKEN, |_| None::<()>) {
                Waited::Came(()) | Waited::Late => {}
                Waited::Ordered => return None,
            },
        }
    }
}

fn converse(desk: &Desk, link: &Link, mut lines: Lines) {
    let harmless = match Harmless::install() {
        Ok(harmless) => harmless,
        Err(error) => return give_up(desk, link, &error.to_string()),
    };
    let mut typed = Typed::default();
    let end = loop {
        match desk.order() {
            Order::Leave => break Ending::Told,
            Order::Rest => desk.rest(),
            Order::Stay | Order::Redraw => {}
        }
        desk.flush();
        if ownership(desk) == Ownership::Others {
            background(desk);
            continue;
        }
        let (path, waiting) = desk.standing();
        let prompt = render::prompt(&path, waiting);
        let read = match &mut lines {
            Lines::Console(console) => console.read(desk, &prompt, &mut typed),
            Lines::Plain(plain) => plain.read(desk, &prompt, &mut typed),
        };
        let next = match read {
            Read::Line(line) => perform(desk, link, &line),
            Read::Key(Key::Suspend) => {
                suspend(desk);
                Next::Again
            }
            Read::Key(Key::Stop) => stop(desk, link),
            Read::Ordered => {
                if desk.peek() == Order::Redraw {
                    erase(desk, &mut lines, &prompt, &typed);
                }
                Next::Again
            }
            Read::Interrupted => {
                erase(desk, &mut lines, &prompt, &typed);
                desk.notify(FrontEvent::Interrupted);
                desk.hint();
                Next::Again
            }
            Read::NoText => Next::Again,
            Read::End => match ownership(desk) {
                Ownership::Ours => finish(desk, link, Command::Quit),
                Ownership::Others => Next::Again,
                Ownership::Gone => break Ending::Lost("it is gone".to_owned()),
            },
            Read::Failed(error) => match ownership(desk) {
                // A background process reads EIO.
                Ownership::Others => Next::Again,
                Ownership::Ours | Ownership::Gone => break Ending::Lost(error.to_string()),
            },
        };
        if next == Next::Leave {
            break Ending::Told;
        }
    };
    match (&end, lines) {
        (Ending::Told, Lines::Console(console)) => console.rest(),
        (Ending::Lost(_), Lines::Console(console)) => console.forget(),
        (Ending::Told | Ending::Lost(_), Lines::Plain(_)) => {}
    }
    if let Ending::Lost(why) = end {
        give_up(desk, link, &why);
    }
    // Only now: no thread has SIGINT open any more.
    drop(harmless);
}

enum Ending {
    /// By the driver, the holder or the person.
    Told,
    /// The terminal can not be read any more, and why.
    Lost(String),
}

fn ownership(desk: &Desk) -> Ownership {
    desk.terminal().map_or(Ownership::Gone, Modes::ownership)
}

/// The prompt can not go on: the holder is told, and what it does then ends the session.
fn give_up(desk: &Desk, link: &Link, why: &str) {
    link.hang_up();
    desk.write(&format!("the prompt is closed, its terminal can not be read: {why}\n"));
}

/// Runs one line.
pub(super) fn perform(desk: &Desk, link: &Link, line: &str) -> Next {
    match commands::parse(line) {
        Err(misread) => {
            let text = escape::line(&misread.to_string());
            desk.write(&(desk.color.error(&text) + "\n"));
            Next::Again
        }
        Ok(Action::Nothing) => Next::Again,
        Ok(Action::Help) => {
            desk.write(&commands::help());
            Next::Again
        }
        Ok(Action::Tree) => survey(desk),
        Ok(Action::Ask(command)) => {
            answer(desk, link, command);
            Next::Again
        }
        Ok(Action::Finish(command)) => finish(desk, link, command),
        Ok(Action::Stop) => stop(desk, link),
    }
}

/// Asks the agent, and shows the reply.
pub(super) fn answer(desk: &Desk, link: &Link, command: Command) {
    let text = match link.ask(desk, command, PATIENCE) {
        Waited::Came(reply) => render::reply(&reply, desk.color),
        Waited::Ordered => return,
        Waited::Late => desk.color.error("no answer; it may be stopped, or busy") + "\n",
    };
    desk.write(&text);
}

/// Ends the session from this side. What really ends it is that the holder closes the baton.
pub(super) fn finish(desk: &Desk, link: &Link, command: Command) -> Next {
    if link.tell(command).is_err() {
        link.hang_up();
    }
    await_end(desk, "the prompt is not released yet; `stop` cancels the tree")
}

/// The teardown waits for this prompt (R4), so the prompt is closed for it: as revoked.
fn stop(desk: &Desk, link: &Link) -> Next {
    desk.notify(FrontEvent::StopTree);
    link.hang_up();
    await_end(desk, "the tree was told to stop; this prompt is still open")
}

fn await_end(desk: &Desk, late: &str) -> Next {
    match desk.await_some(PATIENCE, |_| None::<()>) {
        Waited::Ordered => Next::Leave,
        Waited::Came(()) | Waited::Late => {
            desk.write(&(desk.color.error(late) + "\n"));
            Next::Again
        }
    }
}

/// Asks the driver for the state of the tree.
fn survey(desk: &Desk) -> Next {
    let (reply, answer) = mpsc::channel();
    desk.notify(FrontEvent::Survey(reply));
    let found = desk.await_some(PATIENCE, |_| match answer.recv_timeout(GLANCE) {
        Ok(text) => Some(Ok(text)),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Err(())),
    });
    match found {
        Waited::Came(Ok(text)) => {
            let lines = escape::lines(&text);
            desk.write(&lines.into_iter().fold(String::new(), |text, line| text + &line + "\n"));
            Next::Again
        }
        Waited::Came(Err(())) | Waited::Late => {
            desk.write(&(desk.color.error("the driver does not answer") + "\n"));
            Next::Again
        }
        Waited::Ordered => Next::Leave,
    }
}

/// Lets the terminal go until the driver says that the process runs in the foreground again.
fn suspend(desk: &Desk) {
    desk.yields();
    desk.notify(FrontEvent::Suspend);
    desk.rest();
}

/// The terminal is another's: neither its modes nor its input are ours. What the kernel would do
/// to a reader is asked of the driver, and not again and again.
fn background(desk: &Desk) {
    suspend(desk);
    if ownership(desk) == Ownership::Others {
        let (Waited::Came(()) | Waited::Ordered | Waited::Late) =
            desk.await_some(BACKGROUND, |_| None::<()>);
    }
}

/// Takes a prompt from the screen that is painted anew at once.
fn erase(desk: &Desk, lines: &mut Lines, prompt: &str, typed: &Typed) {
    if let Lines::Console(console) = lines {
        let rows = console.rows(&format!("{prompt}{}", typed.text));
        desk.write(&format!("\x1b[{rows}A\r\x1b[J"));
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

/// Terminals that can not move their cursor.
const UNABLE: [&str; 3] = ["dumb", "cons25", "emacs"];
