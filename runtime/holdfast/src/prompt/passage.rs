//! A program has the terminal: keys and output pass through, byte for byte.
//!
//! Runs in the editor's thread, which reads the keys; the thread `prompt-baton` writes the output.
//! The terminal is raw meanwhile: a Ctrl-C is a byte, which the program's own terminal turns into a
//! signal for that program alone.
//!
//! ```text
//!   raw modes --> Terminal (size) --> keys --> Keys --> ...      one chord opens a menu
//!       ^                              |
//!       +------- rest, resumed --------+------> Leave: the modes are put back
//! ```

use super::attended::{give_up, ownership, suspend};
use super::baton::BatonLink;
use super::escape;
use super::prompt_terminal::{Ownership, PromptTerminal};
use super::state::{EditorOrder, SessionState, Waited};
use super::{PromptEvent, Suspension};
use crate::host::{GrantedTurn, TurnAnswer, TurnRequest};
use crate::session::{Afterwards, Announced, PromptCommand};
use crate::survey::SurveyTopic;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::unistd::{Pid, getpgrp, setpgid};
use serde_bytes::ByteBuf;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::Duration;

/// What the program was told last.
struct Passage<'s> {
    session: &'s SessionState,
    link: &'s BatonLink,
    terminal: &'s PromptTerminal,
    size: (u16, u16),
    waiting: usize,
    /// How many wait, as the person was told.
    shown: usize,
    menu: Menu,
    announced: Announced,
}

/// Whether the next key is for the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Menu {
    Shut,
    Open,
}

/// Why keys are not read any longer, for now or for good.
enum PassageBreak {
    /// The session is to be looked at.
    Ordered,
    /// The terminal cannot be read.
    Lost(String),
}

/// Passes keys until the editor is to let go for good.
pub(super) fn run(
    session: &SessionState,
    link: &BatonLink,
    path: &str,
    announced: Announced,
    wake: &UnixStream,
) {
    let Some(terminal) = session.terminal() else { return };
    let (size, menu) = ((0, 0), Menu::Shut);
    let mut passage =
        Passage { session, link, terminal, size, waiting: 0, shown: 0, menu, announced };
    let outer = OuterTurn::ask(session, path);
    if ownership(session) == Ownership::Others {
        // As the kernel would stop a program that reads from the background.
        suspend(session, Suspension::Background);
    } else if announced == Announced::Yes && outer.is_none() {
        let waiting = session.standing().1;
        passage.shown = waiting;
        session.write(&(session.color.note(&announcement(path, waiting)) + "\n"));
    }
    loop {
        match session.order() {
            EditorOrder::Leave => {
                if announced == Announced::Yes {
                    session.end_line();
                }
                drop(outer);
                return;
            }
            EditorOrder::Rest => session.rest(),
            EditorOrder::Stay | EditorOrder::Redraw => {}
        }
        if session.peek() != EditorOrder::Stay {
            continue;
        }
        if ownership(session) == Ownership::Others {
            // Told to go on in the background: so does the program.
            passage.tell(PromptCommand::Yield(Afterwards::Background));
            let (Waited::Came(()) | Waited::Ordered | Waited::Late) =
                session.await_some(BACKGROUND, |_| None::<()>);
            continue;
        }
        session.keep(terminal.again().ok());
        let pause = match terminal.raw() {
            Ok(()) => passage.pass(wake),
            Err(error) => PassageBreak::Lost(error.to_string()),
        };
        session.busy();
        session.restore();
        if let PassageBreak::Lost(why) = pause {
            return give_up(session, link, &why);
        }
    }
}

/// A turn of the tree that this tree is in, if its host is not the parent that is told of stops.
struct OuterTurn {
    _turn: GrantedTurn,
    group: Pid,
}

impl OuterTurn {
    /// Waits for a turn where the terminal belongs to another process group of an outer tree.
    fn ask(session: &SessionState, path: &str) -> Option<Self> {
        if ownership(session) != Ownership::Others {
            return None;
        }
        let request = TurnRequest::here().ok().flatten()?;
        let TurnAnswer::Granted(turn) = request.wait(&name_of(path)).ok()? else { return None };
        let group = getpgrp();
        setpgid(Pid::from_raw(0), Pid::from_raw(turn.group())).ok()?;
        Some(Self { _turn: turn, group })
    }
}

impl Drop for OuterTurn {
    fn drop(&mut self) {
        // A group whose other members have ended is there again when its leader makes it.
        if setpgid(Pid::from_raw(0), self.group).is_err() {
            let _ = setpgid(Pid::from_raw(0), Pid::from_raw(0));
        }
    }
}

fn announcement(path: &str, waiting: usize) -> String {
    let name = escape::brief(&name_of(path), LONGEST_NAME);
    let waiting = match waiting {
        0 => String::new(),
        _ => format!(", {}", those_who_wait(waiting)),
    };
    format!("--- {name} has the keyboard{waiting} (Ctrl-] is the menu) ---")
}

/// A path as a person reads it, without the root.
fn name_of(path: &str) -> String {
    path.strip_prefix("root/").unwrap_or(path).replace('/', ", ")
}

fn those_who_wait(count: usize) -> String {
    match count {
        1 => "1 more waits".to_owned(),
        _ => format!("{count} more wait"),
    }
}

impl Passage<'_> {
    fn tell(&self, command: PromptCommand) {
        if self.link.tell(command).is_err() {
            self.link.hang_up();
        }
    }

    /// Passes keys until the session is to be looked at.
    fn pass(&mut self, wake: &UnixStream) -> PassageBreak {
        self.size = self.terminal.size();
        self.tell_size();
        loop {
            self.look();
            self.session.passing();
            let mut ready = [
                PollFd::new(wake.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.terminal.tty().as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut ready, GLANCE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return PassageBreak::Lost(error.to_string()),
            }
            let [woken, keys] = ready.map(|one| one.any().unwrap_or(false));
            self.session.busy();
            if woken {
                drain(wake);
                match self.session.peek() {
                    EditorOrder::Stay => {}
                    EditorOrder::Redraw => drop(self.session.order()),
                    EditorOrder::Rest | EditorOrder::Leave => return PassageBreak::Ordered,
                }
            }
            if keys && let Err(pause) = self.read() {
                return pause;
            }
        }
    }

    /// Tells the program what has changed.
    fn look(&mut self) {
        let (size, waiting) = (self.terminal.size(), self.session.standing().1);
        if size != self.size {
            self.size = size;
            self.tell_size();
        }
        if waiting != self.waiting {
            self.waiting = waiting;
            self.tell(PromptCommand::Waiting(waiting));
        }
        if self.announced == Announced::Yes {
            if waiting > self.shown {
                self.session.note(&format!("--- {} ---", those_who_wait(waiting)));
            }
            self.shown = waiting;
            self.session.flush_passing(self.link);
        }
    }

    fn tell_size(&self) {
        let (rows, columns) = self.size;
        self.tell(PromptCommand::Terminal { rows, columns });
    }

    fn read(&mut self) -> Result<(), PassageBreak> {
        let mut bytes = [0; 4096];
        let count = match self.terminal.tty().read(&mut bytes) {
            Ok(0) => return Err(PassageBreak::Lost("it is gone".to_owned())),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            // A background process reads EIO.
            Err(_) if ownership(self.session) == Ownership::Others => {
                return Err(PassageBreak::Ordered);
            }
            Err(error) => return Err(PassageBreak::Lost(error.to_string())),
        };
        let mut keys = Vec::with_capacity(count);
        for &key in &bytes[..count] {
            match (self.menu, key) {
                (Menu::Shut, CHORD) => {
                    self.keys(&mut keys);
                    self.menu = Menu::Open;
                    self.say(MENU);
                }
                (Menu::Shut, key) => keys.push(key),
                (Menu::Open, key) => {
                    self.menu = Menu::Shut;
                    self.choose(key, &mut keys);
                }
            }
        }
        self.keys(&mut keys);
        Ok(())
    }

    fn keys(&self, keys: &mut Vec<u8>) {
        if !keys.is_empty() {
            self.tell(PromptCommand::Keys(ByteBuf::from(std::mem::take(keys))));
        }
    }

    /// A key of the menu.
    fn choose(&self, key: u8, keys: &mut Vec<u8>) {
        match key {
            CHORD => keys.push(CHORD),
            b'w' => self.survey(),
            b'n' => self.tell(PromptCommand::Yield(Afterwards::Queue)),
            b'q' => {
                self.session.notify(PromptEvent::EndAll);
            }
            _ => self.say("(back to the program)"),
        }
    }

    /// Writes lines of the root's own, in a terminal that is raw.
    fn say(&self, text: &str) {
        let lines = escape::lines(text).into_iter();
        let shown = lines.map(|line| format!("\r\n{}", self.session.color.note(&line)));
        self.session.write(&(shown.collect::<String>() + "\r\n"));
    }

    fn survey(&self) {
        let (reply, answer) = mpsc::channel();
        self.session.notify(PromptEvent::Survey(SurveyTopic::Tree, reply));
        match answer.recv_timeout(PATIENCE) {
            Ok(text) => self.say(&text),
            Err(_) => self.say("the driver does not answer"),
        }
    }
}

/// Forgets that there was something to look at.
pub(super) fn drain(mut wake: &UnixStream) {
    let mut bytes = [0; 64];
    while let Ok(1..) = wake.read(&mut bytes) {}
}

/// Ctrl-]: the one key that is the root's while a program has the terminal.
const CHORD: u8 = 0x1d;

const MENU: &str = "[holdfast] w: who waits  n: let the next one have its turn  q: end all  \
                    Ctrl-]: send that key  any other key: back to the program";

/// How often the size of the window is looked at.
const GLANCE: u16 = 200;

/// How long the driver has for the state of the tree.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a session in the background does not look again.
const BACKGROUND: Duration = Duration::from_millis(500);

/// The most bytes of a name.
const LONGEST_NAME: usize = 60;
