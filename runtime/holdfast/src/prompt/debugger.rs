//! A debugger on the actor that is at its prompt: gdb, lldb, or any other program.
//!
//! Runs in the editor's thread, which passes keys and output. The debugger has a session and a
//! terminal of its own, so its Ctrl-C is a byte here and a signal there, for it alone. The lock stays
//! with the paused task: whatever becomes of the debugger, the prompt is painted again.
//!
//! ```text
//!   ask the agent (Attach) --> may we trace? --> start --> keys and output --> its end --> Detach
//!                                                             \--order Rest, Leave, Ctrl-]--> end it
//! ```
//!
//! # Rules
//! 1. The root starts it: the holder is frozen as long as it is traced, and passes nothing.
//! 2. Afterwards nobody traces the holder, and it goes on: the kernel lets a process go whose tracer
//!    has ended, and a stop that was on its way is taken back.
//! 3. What the holder has said of itself (a file, a number) is never code of the debugger's.

mod command;
mod refusal;
mod running;

pub(super) use command::{DebuggerCommand, PausePlace};

use super::attended::{AfterCommand, PATIENCE, ownership};
use super::baton::BatonLink;
use super::passage::drain;
use super::prompt_terminal::{Ownership, PromptTerminal};
use super::state::{EditorOrder, SessionState, Waited};
use crate::process::Start;
use crate::session::{PromptCommand, Reply};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use running::{DebuggerOutput, RunningDebugger};
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

/// Who would be debugged, and how a program is started beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Debuggee {
    /// The process at the prompt.
    pub(crate) pid: u32,
    /// How the root starts a program.
    pub(crate) start: Start,
}

/// Why keys are not passed any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PassageEnd {
    /// The debugger has ended.
    Ended,
    /// The session is to be looked at, or the terminal is not ours.
    Ordered,
    /// Ctrl-]: the person wants the prompt back.
    Key,
}

/// Runs a debugger until it ends, or has to.
pub(super) fn run(
    session: &SessionState,
    link: &BatonLink,
    command: &DebuggerCommand,
    wake: &UnixStream,
) -> AfterCommand {
    let (Some(debuggee), Some(terminal)) = (session.debuggee, session.terminal()) else {
        return refused(session, "a debugger needs a person at a terminal");
    };
    let pid = debuggee.pid;
    if pid == std::process::id() {
        let why = "this process reads the terminal, and a debugger would stop it: run the debugger";
        return refused(session, &format!("{why} on {pid} in another terminal"));
    }
    if let Err(why) = refusal::is_free(pid) {
        return refused(session, &why);
    }
    let tracer = std::process::id();
    let thread = match link.ask(session, PromptCommand::Attach { tracer }, PATIENCE) {
        Waited::Came(Reply::Attachable { thread }) => thread,
        Waited::Ordered => return AfterCommand::Again,
        Waited::Came(_) | Waited::Late => {
            return refused(session, "no answer; it may be stopped, or busy");
        }
    };
    let started = refusal::is_allowed(pid).and_then(|()| {
        let place = session.place();
        let start = debuggee.start;
        RunningDebugger::start(command, pid, thread, &place, start, terminal)
            .map_err(|error| command.not_started(&error))
    });
    match started {
        Ok(running) => converse(session, terminal, link, running, command.name(), wake, pid),
        Err(why) => {
            let _ = refused(session, &why);
        }
    }
    if link.tell(PromptCommand::Detach).is_err() {
        link.hang_up();
    }
    AfterCommand::Again
}

fn refused(session: &SessionState, why: &str) -> AfterCommand {
    session.write(&(session.color.error(&super::escape::line(why)) + "\n"));
    AfterCommand::Again
}

/// Passes keys and output, and puts the terminal right before anything else.
fn converse(
    session: &SessionState,
    terminal: &PromptTerminal,
    link: &BatonLink,
    mut running: RunningDebugger,
    name: &str,
    wake: &UnixStream,
    pid: u32,
) {
    let note = |text: &str| session.write(&(session.color.note(text) + "\n"));
    note(&format!("--- {name} has the keyboard (Ctrl-] ends it) ---"));
    session.keep(terminal.again().ok());
    let pause = match terminal.raw() {
        Ok(()) => pass(session, terminal, link, &mut running, wake),
        Err(_) => PassageEnd::Ordered,
    };
    session.busy();
    if pause == PassageEnd::Ended {
        while let DebuggerOutput::Bytes(bytes) = running.output() {
            session.pass_output(&bytes);
        }
    }
    session.restore();
    session.end_passage();
    let ended = running.end();
    refusal::set_free(pid);
    note(&format!("--- {name} has ended ({ended}) ---"));
}

fn pass(
    session: &SessionState,
    terminal: &PromptTerminal,
    link: &BatonLink,
    running: &mut RunningDebugger,
    wake: &UnixStream,
) -> PassageEnd {
    loop {
        running.resize(terminal.size());
        session.flush_passing(link);
        session.passing();
        let [woken, keys, output, ended] = match ready(terminal, running, wake) {
            Ok(ready) => ready,
            Err(_) => return PassageEnd::Ordered,
        };
        session.busy();
        if woken {
            drain(wake);
            match session.peek() {
                EditorOrder::Stay => {}
                EditorOrder::Redraw => drop(session.order()),
                EditorOrder::Rest | EditorOrder::Leave => return PassageEnd::Ordered,
            }
        }
        if output && let DebuggerOutput::Bytes(bytes) = running.output() {
            session.pass_output(&bytes);
        }
        if ended {
            return PassageEnd::Ended;
        }
        running.type_pending();
        if keys {
            match read(session, terminal, running) {
                Ok(()) => {}
                Err(pause) => return pause,
            }
        }
    }
}

/// What there is to do: a word of the session's, keys, output, the debugger's end.
fn ready(
    terminal: &PromptTerminal,
    running: &RunningDebugger,
    wake: &UnixStream,
) -> Result<[bool; 4], Errno> {
    let mut ready = vec![
        PollFd::new(wake.as_fd(), PollFlags::POLLIN),
        PollFd::new(terminal.tty().as_fd(), PollFlags::POLLIN),
        PollFd::new(running.ends(), PollFlags::POLLIN),
    ];
    ready.extend(running.master().map(|(master, events)| PollFd::new(master, events)));
    match poll(&mut ready, GLANCE) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error),
    }
    let any = |index: usize| {
        ready.get(index).and_then(PollFd::revents).is_some_and(|events| {
            events.intersects(PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR)
        })
    };
    Ok([any(0), any(1), any(3), any(2)])
}

fn read(
    session: &SessionState,
    terminal: &PromptTerminal,
    running: &mut RunningDebugger,
) -> Result<(), PassageEnd> {
    let mut bytes = [0; 4096];
    match terminal.tty().read(&mut bytes) {
        Ok(count @ 1..) => match bytes[..count].iter().position(|key| *key == CHORD) {
            Some(_) => Err(PassageEnd::Key),
            None => {
                running.type_keys(&bytes[..count]);
                Ok(())
            }
        },
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        // It is gone, or another's: the prompt finds out which.
        Ok(0) | Err(_) => {
            debug_assert_ne!(ownership(session), Ownership::Ours);
            Err(PassageEnd::Ordered)
        }
    }
}

/// Ctrl-]: the one key that is not the debugger's.
const CHORD: u8 = 0x1d;

/// How often the size of the window is looked at, in milliseconds.
const GLANCE: u16 = 200;
